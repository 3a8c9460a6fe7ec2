"""A book of price levels. Each level is a queue in order of time, in which our orders wait among the market's volume.

The fed market says only how much rests at a price (absolute), not whose it is or where it stands. So it is kept as
chunks in the queue: what is added goes to the back, what vanishes is taken from the back first. Cancels are thereby
taken to be behind our orders, which is the pessimistic reading: they advance by trades only.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.loopback.matching.order import ZERO, Order, Side


@dataclass
class Chunk:
    """Volume of the fed market, standing together."""

    vol: Decimal


@dataclass
class Level:
    """What rests at one price, first come first."""

    price: Decimal
    queue: list[Chunk | Order] = field(default_factory=list)

    @property
    def external(self) -> Decimal:
        """Contracts of the fed market."""
        return sum((entry.vol for entry in self.queue if isinstance(entry, Chunk)), ZERO)

    @property
    def total(self) -> Decimal:
        """Contracts of everybody."""
        return sum((volume_of(entry) for entry in self.queue), ZERO)

    @property
    def count(self) -> int:
        """Orders as a venue would publish it; a chunk counts as one, for nobody knows better."""
        return len(self.queue)

    def set_external(self, vol: Decimal) -> None:
        """Make the fed market's volume `vol`: more goes to the back, less is taken from the back."""
        missing = vol - self.external
        if missing > 0:
            if self.queue and isinstance(last := self.queue[-1], Chunk):
                last.vol += missing
            else:
                self.queue.append(Chunk(missing))
            return
        for chunk in [entry for entry in reversed(self.queue) if isinstance(entry, Chunk)]:
            taken = min(chunk.vol, -missing)
            chunk.vol -= taken
            missing += taken
        self.sweep()

    def sweep(self) -> None:
        """Drop what has no volume left."""
        self.queue = [entry for entry in self.queue if volume_of(entry) > 0]


def volume_of(entry: Chunk | Order) -> Decimal:
    """What an entry of a queue still wants to trade."""
    return entry.vol if isinstance(entry, Chunk) else entry.remaining


class Ladder:
    """The levels of one side. `side` is BUY for bids."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: dict[Decimal, Level] = {}
        self._keys: list[Decimal] = []  # rising from the best price outwards: bids are negated

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Level]:
        """Levels from the best outwards; the ladder may be changed meanwhile, what is gone by then is left out."""
        levels = (self._levels.get(self._price(key)) for key in tuple(self._keys))
        return (level for level in levels if level is not None)

    def best(self) -> Level | None:
        return self._levels[self._price(self._keys[0])] if self._keys else None

    def at(self, price: Decimal) -> Level | None:
        return self._levels.get(price)

    def touch(self, price: Decimal) -> Level:
        """The level at `price`, made if there is none."""
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = Level(price)
            insort(self._keys, self._key(price))
        return level

    def prune(self, level: Level) -> None:
        """Sweep a level, and forget it when nothing rests there."""
        level.sweep()
        if not level.queue and level.price in self._levels:
            del self._levels[level.price]
            del self._keys[bisect_left(self._keys, self._key(level.price))]

    def reaches(self, price: Decimal, limit: Decimal) -> bool:
        """Whether an order from the other side with `limit` may trade with a level of ours at `price`."""
        return self._key(price) <= self._key(limit)

    def _key(self, price: Decimal) -> Decimal:
        return -price if self.side is Side.BUY else price

    _price = _key


class Book:
    """Both sides of a market."""

    def __init__(self) -> None:
        self.bids = Ladder(Side.BUY)
        self.asks = Ladder(Side.SELL)

    def ladder(self, side: Side) -> Ladder:
        """Where orders of `side` rest."""
        return self.bids if side is Side.BUY else self.asks

    def crossed(self) -> bool:
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid.price >= ask.price

    def available(self, taker: Side, limit: Decimal) -> Decimal:
        """What a taker of that side could trade up to its limit."""
        ladder = self.ladder(taker.opposite)
        total = ZERO
        for level in ladder:
            if not ladder.reaches(level.price, limit):
                break
            total += level.total
        return total
