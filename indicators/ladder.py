"""A price ladder: the levels of one order book by exact integer price (ticks), for replay and for checks in bulk.

Each side is an array of levels sorted so that the best is the last one, because most updates are near the best and then
shift little. Both sides run the same code: a bid's sort key is its price and an ask's is its negated price, so the best
is the largest key on either side. Key and quantity of a level lie side by side, because one array is shifted in two
thirds of the time of two. Kernels index the array of both sides: numba counts the references to a view of one, which
costs about as much as finding a level.
"""

import math
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole
from indicators.sides import ASK, BID, NO_SIDE

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
"""Actions, in the codes of NautilusTrader's BookAction."""

F_LAST = 128
"""Flag of the last row of a frame: only then is the book whole."""

LevelState = np.dtype([("key", "i8"), ("quantity", "f8")])
"""A level. Kernels take `levels` of shape (2, capacity) and `counts` of shape (2,): bids in row 0, asks in row 1."""


class Stop(IntEnum):
    """Why a kernel stopped at a row: it has not applied that row, except for CROSSED, which it has."""

    END = 0
    CROSSED = 1
    FULL = 2
    INVALID = 3


_END, _CROSSED, _FULL, _INVALID = (int(stop) for stop in Stop)


def new_levels(*shape: int) -> States:
    """Return room for levels: (2, capacity) of one book, (books, 2, capacity) of several."""
    return new_states(LevelState, math.prod(shape)).reshape(shape)


@kernel
def find_level(levels: States, row: int, count: int, key: int) -> int:
    """Return the first position of a side (of which `count` levels are used) that holds `key` or more."""
    # most levels that change are near the end: look there in growing steps before halving
    high = count
    step = 1
    while high - step >= 0 and levels[row, high - step].key >= key:
        high -= step
        step *= 2
    low = max(0, high - step + 1) if high - step >= 0 else 0
    while low < high:
        middle = (low + high) >> 1
        if levels[row, middle].key < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def apply_level(levels: States, counts: Ints, side: int, action: int, key: int, size: float) -> int:
    """Apply one row to the ladder and return END, FULL or INVALID.

    A size of 0 deletes; updating an unknown level inserts it; deleting an unknown level does nothing.
    """
    if action == CLEAR:
        if side != ASK:
            counts[0] = 0
        if side != BID:
            counts[1] = 0
        return _END if NO_SIDE <= side <= ASK else _INVALID
    if side < BID or side > ASK or action < ADD or action > DELETE or not size >= 0.0:
        return _INVALID
    row = side - BID
    count = counts[row]
    sort_key = key if side == BID else -key
    at = find_level(levels, row, count, sort_key)
    known = at < count and levels[row, at].key == sort_key
    if action == DELETE or size == 0.0:
        if known:
            for k in range(at, count - 1):
                levels[row, k] = levels[row, k + 1]
            counts[row] = count - 1
        return _END
    if not known:
        if count == levels.shape[1]:
            return _FULL
        for k in range(count, at, -1):
            levels[row, k] = levels[row, k - 1]
        levels[row, at].key = sort_key
        counts[row] = count + 1
    levels[row, at].quantity = size
    return _END


@kernel
def is_crossed(levels: States, counts: Ints) -> bool:
    """True if both sides have levels and the best bid is at or above the best ask."""
    bids, asks = counts[0], counts[1]
    crossed: bool = bids > 0 and asks > 0 and levels[0, bids - 1].key + levels[1, asks - 1].key >= 0
    return crossed


@kernel
def apply_rows(
    levels: States,
    counts: Ints,
    actions: Ints,
    sides: Ints,
    prices: Ints,
    volumes: Floats,
    flags: Ints,
    start: int,
    stop: int,
) -> tuple[int, int]:
    """Apply rows `start` to `stop` - 1 and return (row, reason) of the first row that stops it, or (stop, END).

    It stops after a row that ends a frame and leaves the book crossed, and before a row that is invalid or that finds
    its side full.
    """
    for k in range(start, stop):
        reason = apply_level(levels, counts, sides[k], actions[k], prices[k], volumes[k])
        if reason != _END:
            return k, reason
        if flags[k] & F_LAST and is_crossed(levels, counts):
            return k, _CROSSED
    return stop, _END


@kernel
def depth_within(levels: States, counts: Ints, side: int, limit: int) -> float:
    """Sum the sizes of one side from the best level to the price `limit`, both included, in that order."""
    row = side - BID
    least = limit if side == BID else -limit
    total = 0.0
    for k in range(counts[row] - 1, -1, -1):
        if levels[row, k].key < least:
            break
        total += levels[row, k].quantity
    return total


@kernel
def take_levels(levels: States, counts: Ints, side: int, limit: int, to_prices: Ints, to_sizes: Floats) -> int:
    """Copy the levels of one side from the best to the price `limit`, both included; returns how many those are.

    The receiving arrays must have room for all levels of the side.
    """
    row = side - BID
    sign = 1 if side == BID else -1
    taken = 0
    for k in range(counts[row] - 1, -1, -1):
        if levels[row, k].key < sign * limit:
            break
        to_prices[taken] = sign * levels[row, k].key
        to_sizes[taken] = levels[row, k].quantity
        taken += 1
    return taken


class Ladder:
    """The levels of one book. Prices are int64 keys (ticks), sizes doubles; sides and actions are Nautilus's codes.

    Begins with room for `capacity` levels a side and doubles it when full.
    """

    def __init__(self, capacity: int = 4096) -> None:
        whole("capacity", capacity)
        self._levels = new_levels(2, capacity)
        self._counts = np.zeros(2, dtype=np.int64)
        self.updates = 0
        """Rows that were applied so far."""
        self._apply = entry(apply_level, self._levels, self._counts, BID, ADD, 0, 0.0)
        self._depth = entry(depth_within, self._levels, self._counts, BID, 0)
        self._take = entry(take_levels, self._levels, self._counts, BID, 0, np.empty(0, np.int64), np.empty(0))

    @property
    def capacity(self) -> int:
        """Room for levels on each side."""
        return int(self._levels.shape[1])

    @property
    def crossed(self) -> bool:
        """True if both sides have levels and the best bid is at or above the best ask."""
        bid, ask = self.best()
        return bid is not None and ask is not None and bid >= ask

    def apply(self, side: int, action: int, key: int, size: float) -> None:
        """Apply one level: side 1 bid, 2 ask; action 1 add, 2 update, 3 delete, 4 clear (side 0: both sides).

        Raises:
            ValueError: an unknown side or action, or a size that is negative or NaN.
        """
        reason = self._apply(self._levels, self._counts, side, action, key, size)
        self.updates += reason == Stop.END
        if reason == Stop.FULL:
            self._grow()
            self.apply(side, action, key, size)
        elif reason == Stop.INVALID:
            raise ValueError(_complaint(side, action, key, size))

    def apply_rows(
        self,
        actions: npt.ArrayLike,
        sides: npt.ArrayLike,
        keys: npt.ArrayLike,
        sizes: npt.ArrayLike,
        flags: npt.ArrayLike,
        start: int = 0,
    ) -> int:
        """Apply columns of rows from row `start`; return the first row whose frame leaves the book crossed, else -1.

        A frame ends with a row whose flags hold 128. To go on after a crossed frame, call again from the row after it.

        Raises:
            ValueError: columns of different length, or a row as in :meth:`apply`. Rows before it have been applied.
        """
        action, side, key, flag = int_column(actions), int_column(sides), int_column(keys), int_column(flags)
        size = float_column(sizes)
        rows = same_length(actions=action, sides=side, keys=key, sizes=size, flags=flag)
        row = whole("start", start, minimum=0)
        while True:
            first = row
            row, reason = apply_rows(self._levels, self._counts, action, side, key, size, flag, row, rows)
            self.updates += row - first + (reason == Stop.CROSSED)
            if reason == Stop.FULL:
                self._grow()
            elif reason == Stop.INVALID:
                raise ValueError(f"row {row}: {_complaint(side[row], action[row], key[row], size[row])}")
            else:
                return row if reason == Stop.CROSSED else -1

    def best(self) -> tuple[int | None, int | None]:
        """Return the best bid and ask as keys, None for an empty side."""
        bids, asks = self._counts.tolist()
        bid = int(self._levels["key"][0, bids - 1]) if bids else None
        ask = -int(self._levels["key"][1, asks - 1]) if asks else None
        return bid, ask

    def count(self, side: int) -> int:
        """Return the number of levels of one side."""
        return int(self._counts[_row(side)])

    def levels(self, side: int, n: int | None = None) -> tuple[Ints, Floats]:
        """Return keys and sizes of the best `n` levels of one side (default: all), best first, as copies."""
        row, count = _row(side), self.count(side)
        first = 0 if n is None else max(0, count - whole("n", n, minimum=0))
        levels = self._levels[row, first:count][::-1]
        keys = levels["key"].copy()
        return (keys if side == BID else -keys), levels["quantity"].copy()

    def depth_within(self, side: int, limit: int) -> float:
        """Sum the sizes of one side from the best level to the key `limit`, both included, in plain double order."""
        _row(side)
        return self._depth(self._levels, self._counts, side, limit)

    def levels_within(self, side: int, limit: int) -> tuple[Ints, Floats]:
        """Return keys and sizes of one side from the best level to the key `limit`, both included, as copies."""
        prices, sizes = np.empty(self.count(side), np.int64), np.empty(self.count(side))
        taken = self._take(self._levels, self._counts, side, limit, prices, sizes)
        return prices[:taken], sizes[:taken]

    def _grow(self) -> None:
        outgrown = self._levels
        self._levels = new_levels(2, 2 * self.capacity)
        self._levels[:, : outgrown.shape[1]] = outgrown


def _row(side: int) -> int:
    if side not in (BID, ASK):
        raise ValueError(f"side is {side!r}: give {BID} for bids or {ASK} for asks")
    return side - BID


def _complaint(side: int, action: int, key: int, size: float) -> str:
    return (
        f"side {side}, action {action}, key {key}, size {size} is no book row: sides are 1 bid and 2 ask (0 only to "
        f"clear), actions 1 add, 2 update, 3 delete, 4 clear, and sizes are 0 or more"
    )
