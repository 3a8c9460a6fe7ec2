"""The markets of an asset as its record holds them: what every group of features may read."""

import math

import numpy as np

from indicators.cvd import CvdState
from indicators.kernel import State, States, kernel
from strategies.config import FlowSettings

SECOND_NS = 1_000_000_000
SLOW_NS = 3600 * SECOND_NS  # funding and open interest come by the minute at best: an hour old they are stale
MAX_MARKETS = 16  # one layout for every asset, so that kernels are compiled once
BANDS = 3
NONE = -1  # in place of a market's number
BPS = 1e4

MarketState = np.dtype(
    [
        ("is_perp", "i8"),
        ("has_book", "i8"),
        ("price_scale", "f8"),  # 10^price_places
        ("size_scale", "f8"),
        ("multiplier", "f8"),  # base units per unit of size
        ("cvd", CvdState),
        ("last_price", "f8"),
        ("trade_ns", "i8"),
        ("bid", "f8"),  # best prices in units of the last decimal place, so that a mid is rounded only once
        ("ask", "f8"),
        ("bid_depth", "f8", (BANDS,)),  # base units
        ("ask_depth", "f8", (BANDS,)),
        ("book_ns", "i8"),
        ("book_changed_ns", "i8"),  # of the last sample before which the book had changed
        ("mark", "f8"),
        ("mark_ns", "i8"),
        ("funding_rate", "f8"),
        ("next_funding_ns", "i8"),
        ("funding_ns", "i8"),
        ("open_interest", "f8"),  # base units
        ("open_interest_ns", "i8"),
    ]
)

CORE = [
    ("markets", MarketState, (MAX_MARKETS,)),  # the lead first
    ("count", "i8"),
    ("first_spot", "i8"),  # numbers of markets, NONE where there is none
    ("second_perp", "i8"),
    ("samples", "i8"),  # of the lead's book
    ("stale_ns", "i8"),
    ("scan_ns", "i8"),
    ("levels_ns", "i8"),  # time between two reads of the lead's levels
    ("bands_bps", "f8", (BANDS,)),
    ("reach_bps", "f8"),
    ("warm_samples", "i8"),
]
"""The fields of an asset's record beside those of the groups."""


def configure_core(state: State, settings: FlowSettings) -> None:
    """Prepare a fresh record, without markets."""
    state["first_spot"] = state["second_perp"] = NONE
    state["stale_ns"] = round(settings.stale_seconds * SECOND_NS)
    state["scan_ns"] = settings.scan_seconds * SECOND_NS
    state["levels_ns"] = settings.levels_seconds * SECOND_NS
    state["bands_bps"] = settings.depth_bands_bps
    state["reach_bps"] = settings.levels_reach_bps
    state["warm_samples"] = settings.warm_samples


def add_market(
    states: States, *, is_perp: bool, has_book: bool, price_places: int, size_places: int, multiplier: float
) -> int:
    """Append a market to the record and return its number. Raises ValueError past MAX_MARKETS."""
    number = int(states["count"][0])
    if number == MAX_MARKETS:
        raise ValueError(f"an asset has at most {MAX_MARKETS} markets: leave some venues out")
    market = states["markets"][0][number]
    market["is_perp"], market["has_book"] = int(is_perp), int(has_book)
    market["price_scale"] = 10.0**price_places
    market["size_scale"] = 10.0**size_places
    market["multiplier"] = multiplier
    for name in ("last_price", "bid", "ask", "mark", "funding_rate", "open_interest"):
        market[name] = math.nan
    if not is_perp and states["first_spot"][0] == NONE:
        states["first_spot"][0] = number
    if is_perp and number > 0 and states["second_perp"][0] == NONE:
        states["second_perp"][0] = number
    states["count"][0] = number + 1
    return number


@kernel
def decimal(value: float, scale: float) -> float:
    """The nearest double of the decimal that `value` stands for, `scale` being 10 to its places."""
    nearest: float = math.floor(value * scale + 0.5) / scale
    return nearest


def band_limits(best_bid: int, best_ask: int, bps: float) -> tuple[int, int]:
    """Lowest bid and highest ask price (in units) within `bps` basis points of the mid, both inclusive."""
    twice_mid = best_bid + best_ask
    twice_reach = int(twice_mid * bps / BPS)
    return (twice_mid - twice_reach + 1) // 2, (twice_mid + twice_reach) // 2


limits_at = kernel(band_limits)


@kernel
def mid_price(market: State) -> float:
    """The mid of a market's last book sample, quote per base."""
    mid: float = 0.5 * (market.bid + market.ask) / market.price_scale
    return mid


@kernel
def book_is_fresh(state: State, number: int, ts: int) -> bool:
    """Whether the market's last book sample is not stale at `ts`."""
    book_ns = state.markets[number].book_ns
    fresh: bool = book_ns > 0 and ts - book_ns <= state.stale_ns
    return fresh


@kernel
def market_price(state: State, number: int, ts: int) -> float:
    """The mid of a market; the last trade where it has no book; NaN where that is missing or stale at `ts`."""
    market = state.markets[number]
    price: float = math.nan
    if market.has_book == 1:
        if book_is_fresh(state, number, ts):
            price = mid_price(market)
    elif market.trade_ns > 0 and ts - market.trade_ns <= state.stale_ns:
        price = market.last_price
    return price


@kernel
def summed_cvd(state: State, is_perp: int) -> float:
    """The cumulative volume deltas of all perps, or of all spot markets, in base units; NaN before the first trade."""
    total = 0.0
    trades = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == is_perp:
            total += market.cvd.delta
            trades += market.cvd.trades
    result: float = total if trades > 0 else math.nan
    return result


@kernel
def is_scan(state: State, ts: int) -> bool:
    """Whether a sample at `ts` is also a scan: what lives on the slower clock is fed then."""
    scan: bool = ts % state.scan_ns == 0
    return scan
