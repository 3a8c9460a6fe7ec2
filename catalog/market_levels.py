"""Levels of a book under simulation, and the rows that tell of their changes.

Levels are kept per side by *outward key*: the price in ticks for asks and its negative for bids, so that a smaller key
is always nearer to the other side and one rule serves both. Side 0 holds bids, side 1 asks.
"""

from typing import NamedTuple

import numpy as np

from catalog.market_price import Ints
from catalog.tables import ADD, CLEAR, DELETE, F_LAST, F_SNAPSHOT, NO_SIDE, UPDATE
from indicators.kernel import kernel

MAX_LEVELS = 48  # a side
TIME, ACTION, SIDE, PRICE, SIZE, FLAGS, SEQUENCE = range(7)  # columns of book rows, in ns, ticks and size steps
COLUMNS = 7
MAX_FRAME_ROWS = 4 * MAX_LEVELS + 1  # a frame names every level that left and every level that is there at most once


class BookState(NamedTuple):
    """A book between events. `clock` is the time of its last event and the number of its last frame."""

    key: Ints  # (2, MAX_LEVELS)
    size: Ints  # (2, MAX_LEVELS)
    named: Ints  # (2, MAX_LEVELS): the frame that last named the level
    levels: Ints  # (2,): how many there are
    traded: Ints  # (2,): 1 if takers hit the touch since it was last named
    clock: Ints  # (2,)


def empty_book() -> BookState:
    """A book without levels."""
    a_level, a_side = (2, MAX_LEVELS), 2
    shapes = (a_level, a_level, a_level, a_side, a_side, 2)
    return BookState(*(np.zeros(shape, np.int64) for shape in shapes))


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
    """Stamp rows `first` to `n` with the frame's time, number and flags."""
    for i in range(first, n):
        rows[i, TIME] = book.clock[0]
        rows[i, SEQUENCE] = book.clock[1]
        rows[i, FLAGS] = flags
    rows[n - 1, FLAGS] |= F_LAST


@kernel
def add_level(book: BookState, rows: Ints, n: int, side: int, index: int, key: int, size: int) -> int:
    """Put a level in at `index`. Like all that write rows: `n` rows are there before, the result is how many after."""
    for i in range(book.levels[side], index, -1):
        book.key[side, i] = book.key[side, i - 1]
        book.size[side, i] = book.size[side, i - 1]
        book.named[side, i] = book.named[side, i - 1]
    book.key[side, index] = key
    book.size[side, index] = size
    book.named[side, index] = book.clock[1]
    book.levels[side] += 1
    return _write(rows, n, ADD, side, key, size)


@kernel
def update_level(book: BookState, rows: Ints, n: int, side: int, index: int) -> int:
    book.named[side, index] = book.clock[1]
    return _write(rows, n, UPDATE, side, book.key[side, index], book.size[side, index])


@kernel
def delete_level(book: BookState, rows: Ints, n: int, side: int, index: int) -> int:
    n = _write(rows, n, DELETE, side, book.key[side, index], 0)
    book.levels[side] -= 1
    for i in range(index, book.levels[side]):
        book.key[side, i] = book.key[side, i + 1]
        book.size[side, i] = book.size[side, i + 1]
        book.named[side, i] = book.named[side, i + 1]
    if index == 0:
        book.traded[side] = 0
    return n


@kernel
def show_traded(book: BookState, rows: Ints, n: int, side: int) -> int:
    """Tell what takers left of the touch."""
    if book.traded[side]:
        n = update_level(book, rows, n, side, 0)
        book.traded[side] = 0
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
        book.traded[side] = 0
    close_frame(book, rows, first, n, F_SNAPSHOT)
    return n
