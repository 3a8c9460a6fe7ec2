"""Takers: one print a level, from the touch on."""

from catalog.market_levels import MAX_LEVELS, SWEEPING_BUYER, SWEEPING_SELLER
from catalog.market_takers import EVENT_GAP_NS, MAX_WALK, impact_price, sweep_wall, take
from tests.catalog.small_books import ASKS, BIDS, blank_trades, levels_of, small_book


def test_a_taker_walks_through_two_levels() -> None:
    """A buyer of 6 finds 4 at 102 and takes 2 of the 5 at 105, a microsecond later."""
    book, trades = small_book({100: 5}, {102: 4, 105: 5}), blank_trades()
    assert take(book, ASKS, 6, 1_000, 3, trades, 0) == 2
    assert trades[:2].tolist() == [[1_000, 102, 4, 3], [1_000 + EVENT_GAP_NS, 105, 2, 3]]
    assert levels_of(book, ASKS) == {102: 0, 105: 3}
    assert book.clock[0] == 1_000 + EVENT_GAP_NS


def test_a_small_taker_prints_once() -> None:
    """A seller of 5 takes exactly the best bid and leaves the next alone; the trade goes behind those before."""
    book, trades = small_book({100: 5, 99: 9}, {102: 4}), blank_trades()
    assert take(book, BIDS, 5, 1_000, 0, trades, 7) == 8
    assert trades[7].tolist() == [1_000, 100, 5, 0]
    assert levels_of(book, BIDS) == {100: 0, 99: 9}


def test_what_is_too_large_is_cancelled() -> None:
    """A walk ends after MAX_WALK levels, or where the book does."""
    book, trades = small_book({100: 5}, {102 + i: 1 for i in range(MAX_LEVELS)}), blank_trades()
    assert take(book, ASKS, 10**9, 1_000, 0, trades, 0) == MAX_WALK
    assert take(book, BIDS, 10**9, 9_000_000, 0, trades, 0) == 1


def test_a_sweep_ends_with_the_wall() -> None:
    """Against a wall of 50 at 105 a buyer takes 4, 1 and 50, and nothing of what is behind it."""
    book, trades = small_book({100: 5}, {102: 4, 104: 1, 105: 50, 106: 7}), blank_trades()
    assert sweep_wall(book, ASKS, 105, 1_000, trades, 0) == 3
    assert trades[:3, 1:].tolist() == [[102, 4, SWEEPING_BUYER], [104, 1, SWEEPING_BUYER], [105, 50, SWEEPING_BUYER]]
    assert levels_of(book, ASKS) == {102: 0, 104: 0, 105: 0, 106: 7}
    assert sweep_wall(book, BIDS, -100, 9_000, trades, 0) == 1
    assert trades[0].tolist() == [9_000, 100, 5, SWEEPING_SELLER]


def test_a_wall_deep_in_the_book_is_not_swept() -> None:
    """Nobody trades through more than MAX_WALK levels, nor against a wall that is not there."""
    book, trades = small_book({100: 5}, {102 + i: 1 for i in range(MAX_LEVELS)}), blank_trades()
    assert sweep_wall(book, ASKS, 102 + MAX_WALK, 1_000, trades, 0) == 0
    assert sweep_wall(book, BIDS, -99, 1_000, trades, 0) == 0
    assert sweep_wall(book, ASKS, 101 + MAX_WALK, 1_000, trades, 0) == MAX_WALK


def test_impact_price() -> None:
    """To buy 6: 4 at 102 and 2 at 105, (408 + 210) / 6 = 103; to sell 2: 100; more than there is: all of it."""
    book = small_book({100: 5}, {102: 4, 105: 5})
    assert impact_price(book, ASKS, 6.0) == 103.0
    assert impact_price(book, BIDS, 2.0) == 100.0
    assert impact_price(book, ASKS, 100.0) == (4 * 102 + 5 * 105) / 9
