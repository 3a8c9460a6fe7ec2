"""Markets that are built to trip a guard: one perp whose price, spread and silences are given second by second.

Takers only buy, so the rule is long whenever it may be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backtests.profile import Profile
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import BUYER, Kind
from tests.backtests.conftest import Frame, book, chunk, ns, write_catalog

BTC = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
SECONDS = 180
QUARTERS = 4  # frames and prints a second
LEVELS = 10


@dataclass(frozen=True)
class PricePath:
    """By second: the mid in ticks of 0.1, the half spread in ticks, and whether the book is silent. Longs pay a funding
    of a basis point at `settled_second`."""

    mid: Callable[[float], float]
    half_spread: Callable[[float], int] = lambda second: 1
    silent: Callable[[float], bool] = lambda second: False
    settled_second: int = 3_600


def write_path(root: Path, path: PricePath) -> Catalog:
    """A catalog of the path: whole books, and a print at the ask after each."""
    frames: list[Frame] = []
    prints: list[tuple[int, str]] = []
    for quarter in range(SECONDS * QUARTERS):
        second = quarter / QUARTERS
        microsecond = round(second * 1e6)
        mid, half = round(path.mid(second)), path.half_spread(second)
        resting = f"{60 + quarter * 3 % 7}.000"  # an imbalance that never moved would have no z-score
        bids = [(_price(mid - half - k), resting) for k in range(LEVELS)]
        asks = [(_price(mid + half + k), "60.000") for k in range(LEVELS)]
        if not path.silent(second):
            frames.append((microsecond, "snapshot", bids, asks))
        prints.append((microsecond + 100_000, asks[0][0]))
    columns = {
        "price": [price for _, price in prints],
        "size": ["1.000"] * len(prints),
        "trade_id": [str(k) for k in range(len(prints))],
        "aggressor_side": [BUYER] * len(prints),
    }
    due = {"rate": ["0.0001"], "interval_minutes": [480], "next_funding_ns": [ns(path.settled_second * 1_000_000)]}
    chunks = [book(frames), chunk(Kind.TRADES, columns, [us for us, _ in prints]), chunk(Kind.FUNDING, due, [0])]
    return write_catalog(root, {BTC: chunks})


def _price(ticks: int) -> str:
    return f"{ticks / 10:.1f}"


def steady(second: float) -> float:
    """A price that climbs by 0.2 bps a second: trades stay open until their time is over."""
    return 100_000 + 2 * second


def falling(second: float) -> float:
    """It climbs for a minute, then loses 0.2 bps a second."""
    return 100_000 + 2 * min(second, 60) - 2 * max(second - 60, 0)


def plunging(second: float) -> float:
    """It loses 40 ticks a second from the first minute on, faster than a resting buy can be placed."""
    return 100_000 - 40 * max(second - 60, 0)


def sawtooth(second: float) -> float:
    """It climbs for ten seconds and loses 30 bps within the next five, again and again."""
    at = second % 15
    return 100_000 + 2 * at if at < 10 else 100_020 - 60 * (at - 10)


def guarded(profile: Profile, **guards: object) -> Profile:
    """The profile with guards of which only those that are given, and those without a switch, are on."""
    off = {name: {"enabled": False} for name in type(profile.guards).model_fields}
    body = profile.model_dump(mode="json")
    body["guards"] = off | guards
    body["scalper"]["candidates"] |= {"max_notional": "500000", "entry_reach_bps": "5"}
    body["scalper"]["cooldown_seconds"] = 5
    return Profile.model_validate(body)
