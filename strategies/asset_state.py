"""All indicator state of one asset as one record, and the kernels that events go through.

One call an event does everything that the event touches. The per-event driver is
:class:`strategies.features.AssetFlow`; a bulk driver calls the same kernels in a compiled loop.
"""

import math

import numpy as np

from indicators.atr import AtrState, configure_atr, reset_atr, update_atr
from indicators.bars import SILENCE, BarsState, add_trade, advance_bars, configure_bars, take_bar
from indicators.cvd import CvdState, update_cvd
from indicators.ema import EmaState, configure_ema, reset_ema, update_ema
from indicators.flow_window import configure_flow_window, flow_window_dtype, read_flow_window, update_flow_window
from indicators.kernel import State, States, kernel, new_states
from indicators.order_book_imbalance import (
    configure_order_book_imbalance,
    order_book_imbalance_dtype,
    update_order_book_imbalance,
)
from indicators.rsi import RsiState, configure_rsi, reset_rsi, update_rsi
from indicators.volume_surge import VolumeSurgeState, advance_volume_surge, configure_volume_surge, update_volume_surge
from indicators.whale_trades import configure_whale_trades, update_whale_trades, whale_trades_dtype
from strategies.config import FlowSettings

SECOND_NS = 1_000_000_000
MAX_MARKETS = 16  # one layout for every asset, so that kernels are compiled once
BANDS = 3

MarketState = np.dtype(
    [
        ("is_perp", "i8"),
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
        ("mark", "f8"),
        ("mark_ns", "i8"),
        ("funding_rate", "f8"),
        ("next_funding_ns", "i8"),
        ("funding_ns", "i8"),
        ("open_interest", "f8"),  # base units
        ("open_interest_ns", "i8"),
    ]
)


def asset_dtype(settings: FlowSettings) -> np.dtype[np.void]:
    """The layout of an asset's record under `settings`."""
    short, long = (flow_window_dtype(seconds) for seconds in settings.flow_seconds)
    return np.dtype(
        [
            ("markets", MarketState, (MAX_MARKETS,)),  # the lead first
            ("count", "i8"),
            ("perp_short", short),
            ("perp_long", long),
            ("spot_short", short),
            ("spot_long", long),
            ("whale_short", short),
            ("surge", VolumeSurgeState),  # of all perps
            ("whales", whale_trades_dtype(settings.whale_window)),
            ("bars", BarsState),  # of the lead market, as the four below
            ("ema_fast", EmaState),
            ("ema_slow", EmaState),
            ("rsi", RsiState),
            ("atr", AtrState),
            ("imbalance", order_book_imbalance_dtype(BANDS, settings.imbalance_window)),  # of all perps
            ("bid_depth", "f8", (BANDS,)),  # base units, all perps of the last sample
            ("ask_depth", "f8", (BANDS,)),
            ("depth_ns", "i8"),
            ("samples", "i8"),
        ]
    )


def new_asset(settings: FlowSettings) -> States:
    """One configured record, without markets."""
    states = new_states(asset_dtype(settings))
    state = states[0]
    for name in ("perp_short", "perp_long", "spot_short", "spot_long", "whale_short"):
        configure_flow_window(state[name], SECOND_NS)
    configure_volume_surge(
        state["surge"], settings.surge_bucket_seconds * SECOND_NS, settings.surge_span_buckets, settings.surge_threshold
    )
    configure_whale_trades(state["whales"], settings.whale_quantile, min(200, settings.whale_window))
    configure_bars(state["bars"], settings.bar_seconds * SECOND_NS)
    configure_ema(state["ema_fast"], settings.ema_bars[0])
    configure_ema(state["ema_slow"], settings.ema_bars[1])
    configure_rsi(state["rsi"], settings.rsi_bars)
    configure_atr(state["atr"], settings.atr_bars)
    configure_order_book_imbalance(state["imbalance"])
    return states


def add_market(states: States, *, is_perp: bool, price_places: int, size_places: int, multiplier: float) -> int:
    """Append a market to the record and return its number. Raises ValueError past MAX_MARKETS."""
    number = int(states["count"][0])
    if number == MAX_MARKETS:
        raise ValueError(f"an asset has at most {MAX_MARKETS} markets: leave some venues out")
    market = states["markets"][0][number]
    market["is_perp"] = int(is_perp)
    market["price_scale"] = 10.0**price_places
    market["size_scale"] = 10.0**size_places
    market["multiplier"] = multiplier
    for name in ("last_price", "bid", "ask", "mark", "funding_rate", "open_interest"):
        market[name] = math.nan
    states["count"][0] = number + 1
    return number


@kernel
def _decimal(value: float, scale: float) -> float:
    nearest: float = math.floor(value * scale + 0.5) / scale
    return nearest


@kernel
def trade_at(states: States, i: int, number: int, price: float, size: float, taker_side: int, ts: int) -> None:
    """Take a trade. Price and size are made the nearest doubles of their decimals, whatever way they came."""
    state = states[i]
    market = state.markets[number]
    price = _decimal(price, market.price_scale)
    base = _decimal(size, market.size_scale) * market.multiplier
    market.last_price = price
    market.trade_ns = ts
    update_cvd(market.cvd, base, taker_side)
    if market.is_perp == 1:
        update_flow_window(state.perp_short, ts, base, taker_side)
        update_flow_window(state.perp_long, ts, base, taker_side)
        update_volume_surge(state.surge, ts, base)
        # every trade covers the window of the whales: that there was none is known from the first trade on
        whale = update_whale_trades(state.whales, price, base, taker_side)
        update_flow_window(state.whale_short, ts, base if whale == 1 else 0.0, taker_side)
    else:
        update_flow_window(state.spot_short, ts, base, taker_side)
        update_flow_window(state.spot_long, ts, base, taker_side)
    if number == 0:
        _take_bars(state, add_trade(state.bars, ts, price, base))


@kernel
def _take_bars(state: State, completed: int) -> None:
    if completed == SILENCE:
        reset_ema(state.ema_fast)
        reset_ema(state.ema_slow)
        reset_rsi(state.rsi)
        reset_atr(state.atr)
    for _ in range(completed):
        take_bar(state.bars)
        bar = state.bars.taken
        update_ema(state.ema_fast, bar.close)
        update_ema(state.ema_slow, bar.close)
        update_rsi(state.rsi, bar.close)
        update_atr(state.atr, bar.high, bar.low, bar.close)


@kernel
def mid_price(market: State) -> float:
    """The mid of a market's last book sample, quote per base."""
    mid: float = 0.5 * (market.bid + market.ask) / market.price_scale
    return mid


@kernel
def quote_at(states: States, i: int, number: int, bid_units: int, ask_units: int, ts: int) -> None:
    """Take the best prices of a market's book sample."""
    market = states[i].markets[number]
    market.bid = bid_units
    market.ask = ask_units
    market.book_ns = ts


@kernel
def book_at(
    states: States,
    i: int,
    number: int,
    bid_units: int,
    ask_units: int,
    bid_near: float,
    bid_mid: float,
    bid_far: float,
    ask_near: float,
    ask_mid: float,
    ask_far: float,
    ts: int,
) -> None:
    """Take best prices and the depth within the bands of a market's book sample, sizes in the venue's units.

    The sums are made the nearest doubles of their decimals: in whatever order a book adds its levels, the bits agree.
    One call with many arguments, because a call from Python costs more than the work.
    """
    quote_at(states, i, number, bid_units, ask_units, ts)
    market = states[i].markets[number]
    scale, multiplier = market.size_scale, market.multiplier
    market.bid_depth[0] = _decimal(bid_near, scale) * multiplier
    market.bid_depth[1] = _decimal(bid_mid, scale) * multiplier
    market.bid_depth[2] = _decimal(bid_far, scale) * multiplier
    market.ask_depth[0] = _decimal(ask_near, scale) * multiplier
    market.ask_depth[1] = _decimal(ask_mid, scale) * multiplier
    market.ask_depth[2] = _decimal(ask_far, scale) * multiplier


@kernel
def sample_at(states: States, i: int, ts: int) -> None:
    """Close the sample at `ts`: the depth of all perps whose book was sampled now, and its imbalance."""
    state = states[i]
    fresh = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 1 and market.book_ns == ts:
            if fresh == 0:
                state.bid_depth[:] = 0.0
                state.ask_depth[:] = 0.0
            fresh += 1
            for band in range(BANDS):
                state.bid_depth[band] += market.bid_depth[band]
                state.ask_depth[band] += market.ask_depth[band]
    if fresh > 0:
        state.depth_ns = ts
        for band in range(BANDS):
            update_order_book_imbalance(state.imbalance, band, state.bid_depth[band], state.ask_depth[band])
    if state.markets[0].book_ns == ts:
        state.samples += 1


@kernel
def advance(state: State, ts: int) -> None:
    """Bring everything that goes by the clock to `ts`."""
    _take_bars(state, advance_bars(state.bars, ts))
    advance_volume_surge(state.surge, ts)
    read_flow_window(state.perp_short, ts)
    read_flow_window(state.perp_long, ts)
    read_flow_window(state.spot_short, ts)
    read_flow_window(state.spot_long, ts)
    read_flow_window(state.whale_short, ts)


@kernel
def mark_at(states: States, i: int, number: int, price: float, ts: int) -> None:
    """Take a mark price (quote per base)."""
    market = states[i].markets[number]
    market.mark = price
    market.mark_ns = ts


@kernel
def funding_at(states: States, i: int, number: int, rate: float, next_funding_ns: int, ts: int) -> None:
    """Take a funding rate (fraction per interval) and the time of the next settlement (0: not known)."""
    market = states[i].markets[number]
    market.funding_rate = rate
    market.next_funding_ns = next_funding_ns
    market.funding_ns = ts


@kernel
def open_interest_at(states: States, i: int, number: int, value: float, ts: int) -> None:
    """Take an open interest in the venue's units."""
    market = states[i].markets[number]
    market.open_interest = value * market.multiplier
    market.open_interest_ns = ts
