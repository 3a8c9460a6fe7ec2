"""Setups and venues for tests of candidates: a small book around 100, long and its mirror."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from strategies.candidates import (
    Candidate,
    CandidateSettings,
    Level,
    Passed,
    Setup,
    VenueView,
    Why,
    candidate_on,
    candidates_of,
)
from strategies.guards.halt import Halt
from strategies.sizing import SizeRules

SECOND = 1_000_000_000
TS = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Seen:
    """A snapshot of an ATR and nothing else."""

    asset: str = "BTC"
    ts: int = TS
    values: dict[str, float] = field(default_factory=lambda: {"atr": 0.5})

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def setup(side: int = 1, probability: float = 0.6, asset: str = "BTC", ts: int = TS, atr: float = 0.5) -> Setup:
    return Setup(asset, side, ts, probability, Seen(asset, ts, {"atr": atr}))


def levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(size)) for price, size in pairs)


ASKS = levels(("100.01", "2"), ("100.03", "4"), ("100.10", "100"))
BIDS = levels(("99.99", "2"), ("99.97", "4"), ("99.90", "100"))


def venue(**changes: Any) -> VenueView:
    """Mid 100, spread 0.02, taker 5 and maker 2 bps, no settlement within the hour, at most 3 units an order."""
    case: dict[str, Any] = {
        "venue": "BINANCE",
        "instrument_id": "BTCUSDT-PERP.BINANCE",
        "rules": SizeRules(step=Decimal(1), max_size=Decimal(3)),
        "tick": Decimal("0.01"),
        "bids": BIDS,
        "asks": ASKS,
        "book_age_seconds": Decimal("0.2"),
        "taker_fee": Decimal("0.0005"),
        "maker_fee": Decimal("0.0002"),
        "funding_rate": Decimal("0.0001"),
        "next_funding_ns": TS + 3600 * SECOND,
        "equity": Decimal(10_000),
        "free_margin": Decimal(10_000),
        "leverage": Decimal(10),
        "maintenance_rate": Decimal("0.005"),
    }
    return VenueView(**case | changes)


def bybit(**changes: Any) -> VenueView:
    return venue(venue="BYBIT", instrument_id="BTCUSDT-LINEAR.BYBIT", **changes)


def allowed(asset: str, venue: str) -> Halt | None:
    return None


def on(view: VenueView, of: Setup | None = None, **settings: Any) -> Candidate:
    found = candidate_on(view, of or setup(), CandidateSettings(**settings), allowed)
    assert isinstance(found, Candidate), found
    return found


def refused(view: VenueView, of: Setup | None = None, **settings: Any) -> tuple[Why, str]:
    found = candidate_on(view, of or setup(), CandidateSettings(**settings), allowed)
    assert isinstance(found, Passed), found
    return found.why, found.detail


def found_of(setups: Sequence[Setup], *views: VenueView, **settings: Any) -> tuple[list[Candidate], list[Passed]]:
    return candidates_of(setups, lambda _: views, CandidateSettings(**settings), allowed)
