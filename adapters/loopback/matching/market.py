"""One market: its book, its prices, and what it publishes of them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.loopback.matching.book import Book, Chunk
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import ZERO, Order, Side
from adapters.loopback.matching.triggers import PriceKind

COMMITS_KEPT = 5_000
PRINTS_KEPT = 1_000


@dataclass(frozen=True)
class BookChange:
    """One level after a change (volume 0: gone), and as it was published before it."""

    version: int
    ts_ms: int
    side: Side
    price: Decimal
    vol: Decimal
    count: int
    vol_before: Decimal
    count_before: int


@dataclass(frozen=True)
class Print:
    """One public trade. `side` is the taker's. `opened`: some account of ours opened with it."""

    id: int
    ts_ms: int
    price: Decimal
    vol: Decimal
    side: Side
    self_trade: bool = False


@dataclass
class FundingTerms:
    """Funding as it stands: the rate of the coming settlement, and when that is (UNIX ms)."""

    rate: Decimal = ZERO
    next_ms: int = 0
    interval_ms: int = 8 * 3_600_000


@dataclass
class Market:
    """Book, prices and prints of a contract. `version` counts every change of a level; prices are None until known."""

    contract: Contract
    version: int = 1_000_000
    last: Decimal | None = None
    fair: Decimal | None = None
    index: Decimal | None = None
    open_interest: Decimal | None = None  # contracts
    funding: FundingTerms = field(default_factory=FundingTerms)
    book: Book = field(default_factory=Book)
    prints: deque[Print] = field(default_factory=lambda: deque(maxlen=PRINTS_KEPT))
    commits: deque[BookChange] = field(default_factory=lambda: deque(maxlen=COMMITS_KEPT))
    on_change: list[Callable[["Market", BookChange], None]] = field(default_factory=list)
    on_print: list[Callable[["Market", Print], None]] = field(default_factory=list)
    on_prices: list[Callable[["Market"], None]] = field(default_factory=list)
    counterparty: Decimal = ZERO  # contracts that the fed market holds against the accounts, signed
    _published: dict[tuple[Side, Decimal], tuple[Decimal, int]] = field(default_factory=dict)
    _touched: dict[tuple[Side, Decimal], None] = field(default_factory=dict)

    @property
    def symbol(self) -> str:
        return self.contract.symbol

    def prices(self) -> dict[PriceKind, Decimal | None]:
        """The prices that triggers watch."""
        return {PriceKind.LAST: self.last, PriceKind.FAIR: self.fair, PriceKind.INDEX: self.index}

    def best(self, side: Side) -> Decimal | None:
        level = self.book.ladder(side).best()
        return None if level is None else level.price

    def reference(self) -> Decimal | None:
        """The price that bands are measured from: fair, else last, else the best bid."""
        for price in (self.fair, self.last, self.best(Side.BUY)):
            if price is not None:
                return price
        return None

    def touch(self, side: Side, price: Decimal) -> None:
        """Note that a level may have changed; `publish` tells."""
        self._touched[side, price] = None

    def set_external(self, side: Side, price: Decimal, vol: Decimal) -> None:
        """Make the fed market's volume at a level `vol`, without any matching."""
        ladder = self.book.ladder(side)
        level = ladder.touch(price) if vol > 0 else ladder.at(price)
        if level is not None:
            level.set_external(vol)
            ladder.prune(level)
            self.touch(side, price)

    def external_prices(self, side: Side) -> list[Decimal]:
        """Where the fed market rests, from the best outwards."""
        return [level.price for level in self.book.ladder(side) if level.external > 0]

    def rest(self, order: Order) -> None:
        """Put an order at the end of its level's queue."""
        side = order.request.side
        self.book.ladder(side).touch(order.price).queue.append(order)
        self.touch(side, order.price)

    def withdraw(self, order: Order) -> None:
        """Take an order out of the book; nothing happens where it does not rest."""
        ladder = self.book.ladder(order.request.side)
        level = ladder.at(order.price)
        if level is not None:
            level.queue = [entry for entry in level.queue if isinstance(entry, Chunk) or entry.id != order.id]
            ladder.prune(level)
            self.touch(order.request.side, order.price)

    def publish(self, ts_ms: int) -> None:
        """One change with a version of its own for every touched level that is not as it was published."""
        touched, self._touched = self._touched, {}
        for side, price in touched:
            level = self.book.ladder(side).at(price)
            now = (level.total, level.count) if level is not None else (ZERO, 0)
            before = self._published.get((side, price), (ZERO, 0))
            if now == before:
                continue
            if level is None:
                del self._published[side, price]
            else:
                self._published[side, price] = now
            self.version += 1
            change = BookChange(self.version, ts_ms, side, price, *now, *before)
            self.commits.append(change)
            for listener in self.on_change:
                listener(self, change)

    def print(self, trade: Print) -> None:
        """A trade happened: it is the last price, and is told."""
        self.last = trade.price
        self.prints.append(trade)
        for listener in self.on_print:
            listener(self, trade)

    def set_prices(self, *, fair: Decimal | None = None, index: Decimal | None = None) -> None:
        """New reference prices; None leaves one as it is."""
        self.fair = self.fair if fair is None else fair
        self.index = self.index if index is None else index
        for listener in self.on_prices:
            listener(self)

    def levels(self, side: Side, limit: int | None = None, behind: int = 0) -> list[tuple[Decimal, Decimal, int]]:
        """Published (price, contracts, orders) from the best outwards, `behind` versions ago."""
        known = {price: row for (s, price), row in self._published.items() if s is side}
        for change in self._last_commits(behind):
            if change.side is side:
                known[change.price] = (change.vol_before, change.count_before)
        rows = [(price, vol, count) for price, (vol, count) in known.items() if vol > 0]
        rows.sort(key=lambda row: row[0], reverse=side is Side.BUY)
        return rows[:limit]

    def _last_commits(self, count: int) -> Iterable[BookChange]:
        """The last `count` changes, newest first."""
        newest = reversed(self.commits)
        return (change for _, change in zip(range(count), newest, strict=False))
