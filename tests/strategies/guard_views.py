"""Views for guards, made by hand: everything is well unless a test says otherwise."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from strategies.guards import ALL, ClosedTrade, DataAge, GuardInputs, GuardSettings, Halt, What
from strategies.guards.journal import Entry

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = 19_723 * DAY + 12 * HOUR
"""2024-01-01 12:00 UTC."""

LOCKOUT = Halt("why not", ALL, None, lockout=True, guard="by hand")


def tripped(halt: Halt = LOCKOUT) -> Entry:
    """The entry of a halt that trips at noon."""
    return Entry(What.TRIPPED, NOON, "a test", halt.reason, halt)


def view(seconds: float = 0.0, **others: Any) -> GuardInputs:
    """All is well with BTC and ETH, `seconds` after noon; equity is 100,000."""
    fields: dict[str, Any] = {
        "now_ns": NOON + round(seconds * SECOND),
        "equity": Decimal(100_000),
        "trades": (),
        "rejects": (),
        "data_ages": (DataAge("BTC", "BTCUSDT-PERP.BINANCE", 0.5), DataAge("ETH", "ETHUSDT-PERP.BINANCE", 0.5)),
        "spreads_bps": {"BTC": 0.1, "ETH": 0.2},
        "reconciled": True,
        "kill_file": False,
    }
    return GuardInputs(**fields | others)


def closed(*nets: Any, first_ns: int = NOON) -> Sequence[ClosedTrade]:
    """Trades of BTC with these results, a second apart."""
    return [ClosedTrade(net, first_ns + n * SECOND, "BTC", "BINANCE") for n, net in enumerate(nets)]


def settings(**tables: dict[str, Any]) -> GuardSettings:
    """Settings from a profile's tables."""
    return GuardSettings.model_validate(tables)
