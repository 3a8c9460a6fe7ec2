"""Levels and rows: what is written is what a reader rebuilds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.market_levels import (
    ACTION,
    FLAGS,
    HELD,
    MAX_LEVELS,
    PRICE,
    SEQUENCE,
    SIDE,
    SIZE,
    SWEEPING_BUYER,
    SWEEPING_SELLER,
    TIME,
    add_level,
    close_frame,
    delete_level,
    empty_book,
    has_level,
    level_at,
    open_frame,
    outermost_free,
    per_taker,
    show_touch,
    update_level,
    write_snapshot,
)
from catalog.market_takers import take
from catalog.tables import ADD, ASK, BID, CLEAR, DELETE, F_LAST, F_SNAPSHOT, NO_SIDE, UPDATE
from indicators.ladder import Ladder
from tests.catalog.small_books import (
    ASKS,
    BIDS,
    LATER,
    blank_rows,
    blank_trades,
    ladder_levels,
    levels_of,
    small_book,
    told,
)


def test_changes_are_told_in_prices_and_keep_the_levels_in_order() -> None:
    """A bid between 100 and 98, a new size for the ask, and the best bid gone: three rows, and the levels move up."""
    book, rows = small_book({100: 5, 98: 7}, {102: 4}), blank_rows()
    open_frame(book, 50)
    n = add_level(book, rows, 0, BIDS, level_at(book, BIDS, -99), -99, 3, LATER)
    assert levels_of(book, BIDS) == {100: 5, 99: 3, 98: 7}
    book.size[ASKS, 0] = 1
    n = update_level(book, rows, n, ASKS, 0)
    n = delete_level(book, rows, n, BIDS, 0)
    close_frame(book, rows, 0, n, 0)
    assert told(rows, n) == [(ADD, BID, 99, 3), (UPDATE, ASK, 102, 1), (DELETE, BID, 100, 0)]
    assert levels_of(book, BIDS) == {99: 3, 98: 7}
    assert rows[:n, TIME].tolist() == [50] * 3
    assert rows[:n, SEQUENCE].tolist() == [1] * 3
    assert rows[:n, FLAGS].tolist() == [0, 0, F_LAST]


def test_a_frame_without_changes_never_was() -> None:
    """It takes no number, so that sequences have no gap."""
    book, rows = small_book({100: 5}, {102: 4}), blank_rows()
    open_frame(book, 50)
    close_frame(book, rows, 0, 0, 0)
    assert book.clock.tolist() == [50, 0]
    assert not rows.any()


def test_a_snapshot_clears_and_tells_everything() -> None:
    """One CLEAR, then both sides from the best level on, all flagged as snapshot."""
    book, rows = small_book({100: 5, 98: 7}, {102: 4}), blank_rows()
    book.size[BIDS, 0] = 2  # takers were here, and the snapshot says so
    n = write_snapshot(book, rows, 0, 60)
    assert told(rows, n) == [(CLEAR, NO_SIDE, 0, 0), (ADD, BID, 100, 2), (ADD, BID, 98, 7), (ADD, ASK, 102, 4)]
    assert rows[:n, FLAGS].tolist() == [F_SNAPSHOT] * 3 + [F_SNAPSHOT | F_LAST]
    assert show_touch(book, rows, n, BIDS) == n


def test_the_touch_is_shown_only_where_takers_ate() -> None:
    """The bid lost 3 of 5 and is told once; the ask is as readers know it. What came back at once is told as well."""
    book, rows, trades = small_book({100: 5}, {102: 4}), blank_rows(), blank_trades()
    take(book, BIDS, 3, 0, 0, trades, 0)
    n = show_touch(book, rows, show_touch(book, rows, 0, BIDS), ASKS)
    assert told(rows, n) == [(UPDATE, BID, 100, 2)]
    assert show_touch(book, rows, n, BIDS) == n
    take(book, BIDS, 1, 0, 0, trades, 0)
    book.size[BIDS, 0] += 1
    assert told(rows, show_touch(book, rows, 0, BIDS)) == [(UPDATE, BID, 100, 2)]


def test_finding_levels() -> None:
    """By outward key: the negative price for bids. Held levels do not count as the outermost free one."""
    book = small_book({100: 5, 98: 7, 90: 1}, {102: 4})
    assert [level_at(book, BIDS, -price) for price in (101, 100, 99, 98, 1)] == [0, 0, 1, 1, 3]
    assert has_level(book, BIDS, 1, -98)
    assert not has_level(book, BIDS, 1, -99)
    assert not has_level(book, BIDS, 3, 0)
    assert outermost_free(book, BIDS) == 2
    book.end[BIDS, 1:3] = HELD
    assert outermost_free(book, BIDS) == 0
    assert outermost_free(empty_book(), ASKS) == -1


def test_sweeping_takers_are_the_last_two() -> None:
    """Their negative indices read the values that were put behind those of the flow."""
    values = per_taker(np.array([7, 8]), 1, -1)
    assert values[[0, 1, SWEEPING_BUYER, SWEEPING_SELLER]].tolist() == [7, 8, 1, -1]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 9)), max_size=80))
def test_rows_replay_to_the_same_book(changes: list[tuple[bool, int, int]]) -> None:
    """Whatever is added, changed or deleted (size 0), a ladder fed with the rows holds the same levels in order."""
    book, rows, ladder, shown = empty_book(), blank_rows(), Ladder(), 0
    for is_ask, distance, size in changes:
        side, key = int(is_ask), distance + (100 if is_ask else -100)
        index = level_at(book, side, key)
        known = has_level(book, side, index, key)
        open_frame(book, shown + 1)
        n = 0
        if known and size == 0:
            n = delete_level(book, rows, 0, side, index)
        elif known:
            book.size[side, index] = size
            n = update_level(book, rows, 0, side, index)
        elif size > 0 and book.levels[side] < MAX_LEVELS:
            n = add_level(book, rows, 0, side, index, key, size, LATER)
        close_frame(book, rows, 0, n, 0)
        actions, sides, prices, sizes, flags = (rows[:n, c] for c in (ACTION, SIDE, PRICE, SIZE, FLAGS))
        assert ladder.apply_rows(actions, sides, prices, sizes, flags) == -1
        shown += n
        for each in (BIDS, ASKS):
            assert list(levels_of(book, each).items()) == list(ladder_levels(ladder, each).items())
    assert book.clock[1] == shown
