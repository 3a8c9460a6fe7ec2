"""Levels of a book under simulation, and the rows that tell of their changes.

Levels are kept per side by *outward key*: the price in ticks for asks and its negative for bids, so that a smaller key
is always nearer to the other side and one rule serves both. Side 0 holds bids, side 1 asks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from catalog.market_price import Ints
from catalog.tables import ADD, CLEAR, DELETE, F_LAST, F_SNAPSHOT, NO_SIDE, UPDATE
from indicators.kernel import kernel

MAX_LEVELS = 120  # a side
MAX_WALLS = 16  # at one time, and as many levels beyond MAX_LEVELS
ROOM = MAX_LEVELS + MAX_WALLS
TIME, ACTION, SIDE, PRICE, SIZE, FLAGS, SEQUENCE = range(7)  # columns of book rows, in ns, ticks and size steps
COLUMNS = 7
TRADE_TIME, TRADE_PRICE, TRADE_SIZE, TAKER = range(4)  # columns of trades: ns, ticks, size steps, index of the taker
TRADE_COLUMNS = 4
SWEEPING_BUYER, SWEEPING_SELLER = -1, -2  # takers who are not in the flow: they break a wall
MAX_FRAME_ROWS = 4 * ROOM + 1  # a frame names every level that left and every level that is there at most once
HELD = np.iinfo(np.int64).max  # the end of a level that stays until whoever holds it lets it go
LEAVING = 0  # the end of a level that goes with the next frame, even the touch, even where few are left


class BookState(NamedTuple):
    """A book between events. `clock` is the time of its last event and the number of its last frame."""

    key: Ints  # (2, ROOM)
    size: Ints  # (2, ROOM)
    shown: Ints  # (2, ROOM): the size that readers know, -1 after a trade there
    full: Ints  # (2, ROOM): what the level refills to when takers ate from it
    end: Ints  # (2, ROOM): the frame in which its makers cancel the level, or HELD, or LEAVING
    named: Ints  # (2, ROOM): the frame that last named the level
    levels: Ints  # (2,): how many there are
    clock: Ints  # (2,)


def empty_book() -> BookState:
    """A book without levels."""
    key, size, shown, full, end, named = (np.zeros((2, ROOM), np.int64) for _ in range(6))
    return BookState(key, size, shown, full, end, named, np.zeros(2, np.int64), np.zeros(2, np.int64))


def per_taker[T: np.generic](values: npt.NDArray[T], of_buyer: float, of_seller: float) -> npt.NDArray[T]:
    """`values` of the flow's takers with those of the two sweeping ones, to be indexed by the column TAKER."""
    return np.append(values, np.array([of_seller, of_buyer], values.dtype))


@kernel
def level_at(book: BookState, side: int, key: int) -> int:
    """The first index whose key is `key` or more: that level's place, or where it would go in."""
    return int(np.searchsorted(book.key[side, : book.levels[side]], key))


@kernel
def has_level(book: BookState, side: int, index: int, key: int) -> bool:
    """True if `index` holds a level with that key."""
    found: bool = index < book.levels[side] and book.key[side, index] == key
    return found


@kernel
def outermost_free(book: BookState, side: int) -> int:
    """The outermost level that nobody holds, -1 if there is none."""
    index = book.levels[side] - 1
    while index >= 0 and book.end[side, index] == HELD:
        index -= 1
    return int(index)


@kernel
def _write(rows: Ints, n: int, action: int, side: int, key: int, size: int) -> int:
    rows[n, ACTION] = action
    rows[n, SIDE] = side + 1
    rows[n, PRICE] = (2 * side - 1) * key
    rows[n, SIZE] = size
    rows[n, FLAGS] = 0
    return n + 1


@kernel
def open_frame(book: BookState, now: int) -> None:
    book.clock[0] = now
    book.clock[1] += 1


@kernel
def close_frame(book: BookState, rows: Ints, first: int, n: int, flags: int) -> None:
    """Stamp rows `first` to `n` with the frame's time, number and flags; a frame without rows never was."""
    if n == first:
        book.clock[1] -= 1
        return
    for i in range(first, n):
        rows[i, TIME] = book.clock[0]
        rows[i, SEQUENCE] = book.clock[1]
        rows[i, FLAGS] = flags
    rows[n - 1, FLAGS] |= F_LAST


@kernel
def add_level(book: BookState, rows: Ints, n: int, side: int, index: int, key: int, size: int, end: int) -> int:
    """Put a level in at `index`. Like all that write rows: `n` rows are there before, the result is how many after."""
    for i in range(book.levels[side], index, -1):
        book.key[side, i] = book.key[side, i - 1]
        book.size[side, i] = book.size[side, i - 1]
        book.shown[side, i] = book.shown[side, i - 1]
        book.full[side, i] = book.full[side, i - 1]
        book.end[side, i] = book.end[side, i - 1]
        book.named[side, i] = book.named[side, i - 1]
    book.key[side, index] = key
    book.size[side, index] = size
    book.shown[side, index] = size
    book.full[side, index] = size
    book.end[side, index] = end
    book.named[side, index] = book.clock[1]
    book.levels[side] += 1
    return _write(rows, n, ADD, side, key, size)


@kernel
def update_level(book: BookState, rows: Ints, n: int, side: int, index: int) -> int:
    book.named[side, index] = book.clock[1]
    book.shown[side, index] = book.size[side, index]
    return _write(rows, n, UPDATE, side, book.key[side, index], book.size[side, index])


@kernel
def delete_level(book: BookState, rows: Ints, n: int, side: int, index: int) -> int:
    n = _write(rows, n, DELETE, side, book.key[side, index], 0)
    book.levels[side] -= 1
    for i in range(index, book.levels[side]):
        book.key[side, i] = book.key[side, i + 1]
        book.size[side, i] = book.size[side, i + 1]
        book.shown[side, i] = book.shown[side, i + 1]
        book.full[side, i] = book.full[side, i + 1]
        book.end[side, i] = book.end[side, i + 1]
        book.named[side, i] = book.named[side, i + 1]
    return n


@kernel
def show_touch(book: BookState, rows: Ints, n: int, side: int) -> int:
    """Tell what takers left of the touch."""
    if book.levels[side] > 0 and book.size[side, 0] != book.shown[side, 0]:
        n = update_level(book, rows, n, side, 0)
    return n


@kernel
def write_snapshot(book: BookState, rows: Ints, n: int, now: int) -> int:
    """A frame that clears the book and tells all of it, from which a replay can start."""
    first = n
    open_frame(book, now)
    n = _write(rows, n, CLEAR, 0, 0, 0)
    rows[first, SIDE] = NO_SIDE
    for side in range(2):
        for i in range(book.levels[side]):
            n = _write(rows, n, ADD, side, book.key[side, i], book.size[side, i])
            book.shown[side, i] = book.size[side, i]
    close_frame(book, rows, first, n, F_SNAPSHOT)
    return n
