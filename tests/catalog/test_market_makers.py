"""Makers: levels that follow the price, refill, change and end."""

import numpy as np
import pytest

from catalog.market_levels import HELD, LEAVING, MAX_LEVELS, open_frame
from catalog.market_makers import (
    DEPTH_EXPONENT,
    MIN_LEVELS,
    BookShape,
    advance,
    book_shape,
    cancel_ended,
    depth_between,
    keep_reach,
    refill_touch,
    retreat,
)
from catalog.tables import ADD, ASK, BID, DELETE, UPDATE
from tests.catalog.small_books import ASKS, BIDS, LATER, blank_rows, levels_of, small_book, told

SHAPE = BookShape(half_spread=2.0, spacing=1.0, reach=60.0, depth=100.0, impact=50.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_shape_of_a_book() -> None:
    """BTC at 93 000 with ticks of 0.1: 93 ticks are a basis point. 2 000 000 USDT are 21 505 steps of 0.001 BTC."""
    shape = book_shape(93_000.0, 0.1, spread_bps=0.2, depth_10bps=21_505.0)
    assert shape.half_spread == pytest.approx(9.3)
    assert shape.reach == pytest.approx(50 * 93)
    assert depth_between(shape, 0.0, 930.0) == pytest.approx(21_505.0)
    assert depth_between(shape, 0.0, 465.0) == pytest.approx(21_505.0 * 0.5**DEPTH_EXPONENT)
    assert shape.impact == pytest.approx(0.0125 * 21_505)
    coarse = book_shape(1.0, 0.001, spread_bps=0.2, depth_10bps=1.0)  # ticks of 10 bps
    assert (coarse.half_spread, coarse.reach, coarse.impact) == (0.4, 40.0, 1.0)


def test_depth_beyond_the_mid_is_none() -> None:
    """A fair price that ran past a level counts nothing for it, and never a negative size."""
    assert depth_between(SHAPE, -5.0, -1.0) == 0.0
    assert depth_between(SHAPE, -5.0, 1.0) == 100.0


def test_levels_too_near_leave_and_a_lone_touch_is_bettered() -> None:
    """Fair at 101.2 and half a spread of 2: asks below 101.8 leave; 109 is further than 5 away, so 104 comes in."""
    book, rows = small_book({90: 5}, {101: 4, 109: 4}), blank_rows()
    open_frame(book, 10)
    n = retreat(SHAPE, book, rows, 0, ASKS, 101.2)
    n = advance(rng(), SHAPE, book, rows, n, ASKS, 101.2)
    size = levels_of(book, ASKS)[104]
    assert told(rows, n) == [(DELETE, ASK, 101, 0), (ADD, ASK, 104, size)]
    assert list(levels_of(book, ASKS)) == [104, 109]


def test_a_touch_near_enough_stays_alone() -> None:
    """Fair at 101.2: a bid at 97 is 4.2 away, less than 5."""
    book, rows = small_book({97: 5}, {102: 4}), blank_rows()
    assert advance(rng(), SHAPE, book, rows, 0, BIDS, -101.2) == 0


def test_an_eaten_touch_refills_by_half_of_what_is_missing() -> None:
    """Of 9 takers left 2: 3.5 rounded up come back, then 2, then 1, then nothing more; each once a frame."""
    book, rows = small_book({100: 9, 99: 5}, {102: 4}), blank_rows()
    book.size[BIDS, 0] = 2
    for size in (6, 8, 9):
        open_frame(book, 10)
        n = refill_touch(book, rows, 0, BIDS)
        assert told(rows, n) == [(UPDATE, BID, 100, size)]
        assert refill_touch(book, rows, n, BIDS) == n
    open_frame(book, 20)
    assert refill_touch(book, rows, 0, BIDS) == 0


@pytest.mark.parametrize("end", [HELD, LEAVING])
def test_walls_and_leaving_levels_do_not_refill_like_others(end: int) -> None:
    """Walls have a rule of their own."""
    book, rows = small_book({100: 9}, {102: 4}), blank_rows()
    book.size[BIDS, 0], book.end[BIDS, 0] = 2, end
    open_frame(book, 10)
    assert refill_touch(book, rows, 0, BIDS) == 0


def test_levels_end_but_the_touch_and_the_least_number_stay() -> None:
    """Of two more than the least, all but one due: the two outermost go. A leaving level goes even from the touch."""
    book, rows = small_book({100: 5}, {102 + i: 1 for i in range(MIN_LEVELS + 2)}), blank_rows()
    open_frame(book, 10)
    book.end[ASKS, :] = 1
    book.end[ASKS, MIN_LEVELS + 1] = 2
    n = cancel_ended(book, rows, 0, ASKS)
    assert [row[2] for row in told(rows, n)] == [101 + MIN_LEVELS + 1, 101 + MIN_LEVELS]
    book.end[ASKS, 0] = LEAVING
    assert told(rows, cancel_ended(book, rows, 0, ASKS)) == [(DELETE, ASK, 102, 0)]
    book.end[ASKS, 0], book.named[ASKS, 0] = LEAVING, 1
    assert cancel_ended(book, rows, 0, ASKS) == 0


def test_books_that_are_full_make_room_for_the_touch_but_never_of_a_wall() -> None:
    """The outermost level that nobody holds goes."""
    book, rows = small_book({100: 5}, {200 + i: 1 for i in range(MAX_LEVELS)}), blank_rows()
    book.end[ASKS, MAX_LEVELS - 1] = HELD
    open_frame(book, 10)
    n = advance(rng(), SHAPE, book, rows, 0, ASKS, 101.0)
    assert [row[:3] for row in told(rows, n)] == [(DELETE, ASK, 198 + MAX_LEVELS), (ADD, ASK, 103)]
    assert book.levels[ASKS] == MAX_LEVELS


def test_the_outer_end_steps_over_a_wall() -> None:
    """Beyond 141 would come 143, where a wall stands: 144 it is. The wall itself does not count as the end."""
    book, rows = small_book({100: 5}, {102 + i: 1 for i in range(MIN_LEVELS)} | {103 + MIN_LEVELS: 7}), blank_rows()
    book.end[ASKS, MIN_LEVELS] = HELD
    book.end[ASKS, :MIN_LEVELS] = LATER
    open_frame(book, 10)
    n = keep_reach(rng(), SHAPE, book, rows, 0, ASKS, 100.0)
    # the last free level is 101 + MIN_LEVELS = 141 at distance 41: spacing 1.82, so 2 further is 143, where the wall is
    assert [row[:3] for row in told(rows, n)] == [(ADD, ASK, 104 + MIN_LEVELS)]
    assert levels_of(book, ASKS)[103 + MIN_LEVELS] == 7
