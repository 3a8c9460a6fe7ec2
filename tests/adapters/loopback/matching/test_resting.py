"""Orders that rest: their place among the fed market's volume, in price and in time."""

from decimal import Decimal

import pytest

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import State
from tests.adapters.loopback.small_market import BUY, SELL, Small


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={99: 10}, asks={101: 10})
    return small


def test_an_order_waits_behind_what_stood_there_before(small: Small) -> None:
    """10 are ahead: a trade of 8 does not reach the order, the next of 5 gives it 3."""
    small.submit(BUY, 4, 99)
    small.trade(SELL, 99, 8)
    assert small.fills() == []
    small.trade(SELL, 99, 5)
    assert small.fills() == [(99, 3)]
    assert small.levels(BUY) == {99: 1}
    assert not problems(small.exchange)


def test_what_comes_later_stands_behind(small: Small) -> None:
    """After the order another 20 come: a trade of 12 takes the 10 ahead and 2 of the order."""
    small.submit(BUY, 4, 99)
    small.book(bids={99: 30})
    small.trade(SELL, 99, 12)
    assert small.fills() == [(99, 2)]


def test_cancels_of_the_fed_market_do_not_advance_an_order_while_others_stand_behind(small: Small) -> None:
    """10 ahead, 20 behind; 15 vanish: they are taken from behind."""
    small.submit(BUY, 4, 99)
    small.book(bids={99: 30})
    small.book(bids={99: 15})
    small.trade(SELL, 99, 10)
    assert small.fills() == []
    small.trade(SELL, 99, 1)
    assert small.fills() == [(99, 1)]


def test_cancels_beyond_what_stands_behind_advance_it(small: Small) -> None:
    small.submit(BUY, 4, 99)
    small.book(bids={99: 3})
    small.trade(SELL, 99, 4)
    assert small.fills() == [(99, 1)]


def test_a_better_price_goes_before_an_earlier_order(small: Small) -> None:
    """A trade at 99 passes the order at 100 first, at its own price."""
    small.submit(BUY, 2, 99)
    small.submit(BUY, 2, 100)
    small.trade(SELL, 99, 13)
    assert small.fills() == [(100, 2), (99, 1)]


def test_at_one_price_the_earlier_order_goes_first(small: Small) -> None:
    small.account("you")
    first = small.submit(BUY, 2, 100, account="you")
    second = small.submit(BUY, 2, 100)
    small.trade(SELL, 100, 3)
    assert (first.filled, second.filled) == (2, 1)
    assert first.state is State.FILLED


def test_the_whole_volume_of_a_trade_is_published_whoever_it_went_to(small: Small) -> None:
    """13 traded: 2 with the order at 100, 10 with the fed level, 1 with something that the feed did not show."""
    small.submit(BUY, 2, 100)
    small.trade(SELL, 99, 13)
    assert [(int(p.price), int(p.vol)) for p in small.market.prints] == [(100, 2), (99, 10), (99, 1)]


def test_volume_of_the_fed_book_that_crosses_an_order_trades_with_it(small: Small) -> None:
    """An ask of 6 comes at 100, where a buy order of 4 rests: it is filled there, 2 remain."""
    small.submit(BUY, 4, 100)
    small.book(asks={100: 6})
    assert small.fills() == [(100, 4)]
    assert small.levels(SELL) == {100: 2, 101: 10}
    assert not problems(small.exchange)


def test_fed_volume_that_crosses_the_fed_market_replaces_it(small: Small) -> None:
    """A bid at 101 means that the ask there is out of date."""
    small.book(bids={101: 7})
    assert small.levels(BUY) == {101: 7, 99: 10}
    assert small.levels(SELL) == {}


def test_a_snapshot_leaves_nothing_of_the_fed_market_but_itself(small: Small) -> None:
    small.submit(BUY, 1, 99)
    small.exchange.feed_book("X_USDT", [(BUY, Decimal(97), Decimal(5))], snapshot=True)
    assert small.levels(BUY) == {99: 1, 97: 5}
    assert small.levels(SELL) == {}


def test_every_change_of_a_level_has_the_next_version_and_says_what_was_before(small: Small) -> None:
    version = small.market.version
    small.submit(BUY, 1, 99)
    small.book(bids={98: 3, 99: 10})
    changes = [c for c in small.market.commits if c.version > version]
    assert [c.version for c in changes] == [version + 1, version + 2]
    assert [(int(c.price), int(c.vol_before), int(c.vol)) for c in changes] == [(99, 10, 11), (98, 0, 3)]


def test_an_older_book_is_rebuilt_from_the_changes(small: Small) -> None:
    before = small.market.levels(BUY)
    small.submit(BUY, 1, 99)
    small.book(bids={98: 3})
    assert small.market.levels(BUY, behind=2) == before
    assert small.market.levels(BUY, behind=0) != before
