"""Books of a few levels under simulation, and their rows in a form that reads well in a test."""

import numpy as np

from catalog.market_levels import (
    ACTION,
    COLUMNS,
    MAX_FRAME_ROWS,
    PRICE,
    SIDE,
    SIZE,
    TRADE_COLUMNS,
    BookState,
    add_level,
    empty_book,
)
from catalog.market_price import Ints
from indicators.ladder import Ladder

BIDS, ASKS = 0, 1
LATER = 10**9  # a frame that never comes


def blank_rows() -> Ints:
    """Room for the rows of two frames."""
    return np.zeros((2 * MAX_FRAME_ROWS, COLUMNS), np.int64)


def blank_trades() -> Ints:
    """Room for a few trades."""
    return np.zeros((100, TRADE_COLUMNS), np.int64)


def small_book(bids: dict[int, int], asks: dict[int, int]) -> BookState:
    """A book of {price: size}, best first, at time 0 before its first frame."""
    book, rows = empty_book(), blank_rows()
    for side, levels in ((BIDS, bids), (ASKS, asks)):
        for index, (price, size) in enumerate(levels.items()):
            add_level(book, rows, 0, side, index, (2 * side - 1) * price, size, LATER)
    book.named[:] = -1
    return book


def levels_of(book: BookState, side: int) -> dict[int, int]:
    """{price: size}, best first."""
    n = book.levels[side]
    return dict(zip(((2 * side - 1) * book.key[side, :n]).tolist(), book.size[side, :n].tolist(), strict=True))


def told(rows: Ints, n: int, first: int = 0) -> list[tuple[int, int, int, int]]:
    """Action, side, price and size of rows `first` to `n`."""
    return [tuple(row) for row in rows[first:n, [ACTION, SIDE, PRICE, SIZE]].tolist()]


def ladder_levels(ladder: Ladder, side: int) -> dict[int, int]:
    """{price: size} of a ladder, best first."""
    keys, sizes = ladder.levels(side + 1)
    return dict(zip(keys.tolist(), sizes.astype(int).tolist(), strict=True))
