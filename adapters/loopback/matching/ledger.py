"""What happened, in order: every order, fill, position, balance and trigger, appended and never changed.

Tests audit it (:mod:`adapters.loopback.matching.audit`), and venues make their private messages of it: who wants to
be told subscribes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from adapters.loopback.matching.order import Effect, Order, Side
from adapters.loopback.matching.position import Position
from adapters.loopback.matching.triggers import Trigger


class Cause(StrEnum):
    """Why cash changed."""

    DEPOSIT = "deposit"
    PROFIT = "profit"
    FEE = "fee"
    FUNDING = "funding"


@dataclass(frozen=True)
class OrderEntry:
    """An order as it was after something happened to it."""

    ts_ms: int
    account: str
    order: Order


@dataclass(frozen=True)
class FillEntry:
    """One side of a trade. `fee` is positive where paid; `profit` is of what the fill closed, before fees."""

    ts_ms: int
    account: str
    id: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    effect: Effect
    vol: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    profit: Decimal
    closed_vol: Decimal  # of `vol`, what closed a position; the rest opened one
    maker: bool
    self_trade: bool
    position_id: int


@dataclass(frozen=True)
class CashEntry:
    """Cash that came or went. `reference` is the fill, or the position that was funded."""

    ts_ms: int
    account: str
    currency: str
    amount: Decimal
    cause: Cause
    reference: int
    cash: Decimal  # afterwards


@dataclass(frozen=True)
class FundingEntry:
    """A settlement of funding on one position; `amount` is what the account got."""

    ts_ms: int
    account: str
    id: int
    symbol: str
    position_id: int
    side: Side
    worth: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True)
class PositionEntry:
    ts_ms: int
    account: str
    position: Position


@dataclass(frozen=True)
class AssetEntry:
    """A purse after an operation that touched it."""

    ts_ms: int
    account: str
    currency: str
    cash: Decimal
    frozen: Decimal
    margin: Decimal


@dataclass(frozen=True)
class TriggerEntry:
    ts_ms: int
    account: str
    trigger: Trigger


type Entry = OrderEntry | FillEntry | CashEntry | FundingEntry | PositionEntry | AssetEntry | TriggerEntry


class Ledger:
    """The entries, and who is told of new ones."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.listeners: list[Callable[[Entry], None]] = []

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)
        for listener in self.listeners:
            listener(entry)

    def order(self, ts_ms: int, order: Order) -> None:
        """Note the order as it is now."""
        copy = replace(order, fill_ids=list(order.fill_ids))
        self.append(OrderEntry(ts_ms, order.request.account, copy))

    def position(self, ts_ms: int, position: Position) -> None:
        self.append(PositionEntry(ts_ms, position.account, replace(position)))

    def trigger(self, ts_ms: int, trigger: Trigger) -> None:
        self.append(TriggerEntry(ts_ms, trigger.account, replace(trigger)))

    def of[E](self, kind: type[E], account: str | None = None) -> Iterator[E]:
        """The entries of a kind, oldest first, of one account or of all."""
        for entry in self.entries:
            if isinstance(entry, kind) and account in (None, entry.account):
                yield entry

    def fills(self, account: str | None = None) -> list[FillEntry]:
        return list(self.of(FillEntry, account))
