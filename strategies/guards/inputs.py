"""What the guards are shown at a check: the account, the trade log and the state of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

type Money = Decimal | float | None
"""An amount in account currency. None, NaN and infinity all mean that it is not known."""


def known_money(value: Money) -> Decimal | None:
    """The amount as a decimal (a double by its shortest text), or None where it is not known."""
    if value is None:
        return None
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    return amount if amount.is_finite() else None


@dataclass(frozen=True)
class ClosedTrade:
    """A finished trade: net result in account currency after fees and funding, time of the last fill in UNIX ns."""

    net: Money
    exit_ns: int
    asset: str
    venue: str


@dataclass(frozen=True)
class OrderReject:
    """An order that a venue refused; `ts` is when we were told, UNIX ns."""

    ts: int
    venue: str


@dataclass(frozen=True)
class DataAge:
    """Seconds since the last data of a market (an instrument id); None or NaN where there never were any."""

    asset: str
    market: str
    seconds: float | None


@dataclass(frozen=True)
class GuardInputs:
    """The view of one check.

    `now_ns` is UNIX ns and never runs backwards. `equity` is the whole account's, unrealised profit included, in
    account currency: unknown if any part of it is. `trades` are those closed since the process started, in the order in
    which that became known; the list only grows. `rejects` may be cut to the window of the settings. `data_ages` has
    each market whose silence must stop the entries of its asset, heard of or not. `spreads_bps` is by asset, None or
    NaN where there is none. `reconciled`: orders and positions have been compared with every venue. `kill_file`: it
    exists.
    """

    now_ns: int
    equity: Money
    trades: Sequence[ClosedTrade]
    rejects: Sequence[OrderReject]
    data_ages: Sequence[DataAge]
    spreads_bps: Mapping[str, float | None]
    reconciled: bool
    kill_file: bool
