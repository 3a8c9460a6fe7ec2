"""Orders that take: against the fed market, level by level, with every type's own end."""

from decimal import Decimal

import pytest

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import End, Kind, State
from tests.adapters.loopback.small_market import BUY, SELL, Small


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={99: 10, 98: 10}, asks={101: 5, 102: 5, 110: 50})
    return small


def test_a_market_order_walks_the_book_from_the_best_price(small: Small) -> None:
    """7 contracts: 5 at 101 and 2 at 102; the level that was eaten is gone, the other is smaller."""
    order = small.submit(BUY, 7)
    assert small.fills() == [(101, 5), (102, 2)]
    assert order.state is State.FILLED
    assert order.average_price == Decimal(5 * 101 + 2 * 102) / 7
    assert small.levels(SELL) == {102: 3, 110: 50}
    assert small.held() == 7
    assert not problems(small.exchange)


def test_the_taker_pays_the_taker_fee_and_the_margin_of_what_it_opened(small: Small) -> None:
    """709 of notional: fee 2/1000 of it, margin a tenth of it; nothing stays frozen."""
    small.submit(BUY, 7)
    purse = small.exchange.accounts["me"].purses["USDT"]
    assert purse.cash == 1000 - Decimal("1.418")
    assert purse.margin == Decimal("70.9")
    assert purse.frozen == 0


def test_a_market_order_stops_at_its_protection_price(small: Small) -> None:
    """The band is 20 % beyond 101, that is 121: all of 60 trades; with the far level at 130 only 10 would."""
    small.book(asks={110: 0, 130: 50})
    order = small.submit(BUY, 12)
    assert small.fills() == [(101, 5), (102, 5)]
    assert (order.state, order.end, order.filled) == (State.CANCELLED, End.MARKET, 10)
    assert order.price == 121


def test_a_market_order_into_an_empty_side_is_cancelled_whole(small: Small) -> None:
    small.book(asks={101: 0, 102: 0, 110: 0})
    order = small.submit(BUY, 1)
    assert (order.state, order.end, order.filled) == (State.CANCELLED, End.MARKET, 0)


def test_a_limit_order_takes_up_to_its_price_and_rests_with_what_is_left(small: Small) -> None:
    order = small.submit(BUY, 8, 101)
    assert small.fills() == [(101, 5)]
    assert order.state is State.OPEN
    assert small.levels(BUY) == {101: 3, 99: 10, 98: 10}
    assert not problems(small.exchange)


def test_immediate_or_cancel_ends_with_what_it_got(small: Small) -> None:
    order = small.submit(BUY, 8, 101, kind=Kind.IOC)
    assert (order.filled, order.state, order.end) == (5, State.CANCELLED, End.IOC)
    assert small.levels(BUY) == {99: 10, 98: 10}


def test_fill_or_kill_gets_all_or_nothing(small: Small) -> None:
    """11 up to 102 are not there; 10 are."""
    refused = small.submit(BUY, 11, 102, kind=Kind.FOK)
    assert (refused.filled, refused.end) == (0, End.FOK)
    assert small.fills() == []
    filled = small.submit(BUY, 10, 102, kind=Kind.FOK)
    assert filled.state is State.FILLED


def test_post_only_ends_where_it_would_take_and_rests_where_not(small: Small) -> None:
    crossing = small.submit(BUY, 1, 101, kind=Kind.POST_ONLY)
    assert (crossing.filled, crossing.end) == (0, End.POST_ONLY)
    resting = small.submit(BUY, 1, 100, kind=Kind.POST_ONLY)
    assert resting.state is State.OPEN
    assert small.levels(BUY)[100] == 1


def test_a_cancelled_order_gives_back_everything(small: Small) -> None:
    """Frozen at entry: margin 99, taker fee 1.98 on 990 of notional."""
    order = small.submit(BUY, 10, 99)
    assert order.frozen == Decimal("100.98")
    assert small.available() == 1000 - Decimal("100.98")
    small.exchange.cancel("me", order.id)
    assert (order.state, order.end) == (State.CANCELLED, End.BY_USER)
    assert small.available() == 1000
    assert not problems(small.exchange)


def test_what_was_taken_from_a_fed_level_comes_back_with_its_next_update(small: Small) -> None:
    """The feed's volumes are absolute: it knows nothing of our orders."""
    small.submit(BUY, 5)
    assert 101 not in small.levels(SELL)
    small.book(asks={101: 5})
    assert small.levels(SELL)[101] == 5


def test_two_accounts_trade_with_each_other_at_the_resting_price(small: Small) -> None:
    small.account("you")
    small.submit(SELL, 4, 100, account="you")
    small.submit(BUY, 3, 101)
    assert small.fills() == [(100, 3), (100, 3)]
    assert [f.maker for f in small.entries("you")] == [True]
    assert (small.held("me"), small.held("you")) == (3, -3)
    assert small.market.counterparty == 0
    assert not problems(small.exchange)
