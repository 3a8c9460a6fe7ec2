"""Amending an order: id, place in the queue, and what is set aside for it."""

from decimal import Decimal

import pytest

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import Effect, Order, Reason, Refused, State
from tests.adapters.loopback.small_market import BUY, SELL, Small


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={99: 10}, asks={101: 10})
    return small


def amend(small: Small, order: Order, price: int, vol: int) -> Order:
    return small.exchange.amend("me", order.id, Decimal(price), Decimal(vol))


def test_a_smaller_volume_keeps_the_place(small: Small) -> None:
    order = small.submit(BUY, 4, 99)
    small.book(bids={99: 20})
    amend(small, order, 99, 3)
    small.trade(SELL, 99, 12)
    assert small.fills() == [(99, 2)]
    assert order.frozen == Decimal("10.098")  # of the one that is left: 99 / 10 + 99 x 0.002
    assert not problems(small.exchange)


def test_a_larger_volume_goes_to_the_back(small: Small) -> None:
    order = small.submit(BUY, 4, 99)
    small.book(bids={99: 20})
    amend(small, order, 99, 5)
    small.trade(SELL, 99, 20)
    assert small.fills() == []


def test_another_price_may_trade_at_once(small: Small) -> None:
    order = small.submit(BUY, 4, 99)
    assert amend(small, order, 101, 4).id == order.id
    assert order.state is State.FILLED
    assert small.fills() == [(101, 4)]
    assert not problems(small.exchange)


def test_the_new_volume_counts_what_is_filled_already(small: Small) -> None:
    order = small.submit(BUY, 4, 100)
    small.trade(SELL, 100, 1)
    amend(small, order, 98, 6)
    assert (order.remaining, small.levels(BUY)[98]) == (5, 5)
    with pytest.raises(Refused) as caught:
        amend(small, order, 98, 1)
    assert caught.value.reason is Reason.VOLUME


def test_a_refused_amendment_changes_nothing(small: Small) -> None:
    order = small.submit(BUY, 4, 99)
    before = (order.price, order.vol, order.frozen, small.available(), small.market.version)
    with pytest.raises(Refused) as caught:
        amend(small, order, 99, 2_000)
    assert caught.value.reason is Reason.BALANCE
    assert (order.price, order.vol, order.frozen, small.available(), small.market.version) == before
    assert not problems(small.exchange)


def test_a_closing_order_cannot_grow_beyond_what_is_held(small: Small) -> None:
    small.submit(BUY, 5)
    order = small.submit(SELL, 3, 110, effect=Effect.CLOSE)
    amend(small, order, 110, 5)
    with pytest.raises(Refused) as caught:
        amend(small, order, 110, 6)
    assert caught.value.reason is Reason.CLOSE_TOO_MUCH
    assert not problems(small.exchange)


def test_what_is_done_cannot_be_amended_or_cancelled(small: Small) -> None:
    order = small.submit(BUY, 1)
    for act in (lambda: amend(small, order, 99, 2), lambda: small.exchange.cancel("me", order.id)):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.reason is Reason.NOT_CANCELLABLE
    with pytest.raises(Refused) as caught:
        small.exchange.cancel("you", order.id)
    assert caught.value.reason is Reason.NO_ORDER
