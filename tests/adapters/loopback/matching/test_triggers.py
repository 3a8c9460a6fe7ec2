"""Trigger orders: on each price, once, with what is there when they fire."""

from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.ledger import TriggerEntry
from adapters.loopback.matching.order import Effect, Kind, NewOrder, Reason, Refused, Side
from adapters.loopback.matching.trigger_desk import closing_request, protective_conditions
from adapters.loopback.matching.triggers import Condition, Direction, PriceKind, Trigger, TriggerState
from tests.adapters.loopback.small_market import BUY, SELL, SYMBOL, Small

UP, DOWN = Direction.AT_OR_ABOVE, Direction.AT_OR_BELOW


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={100: 50}, asks={101: 50})
    small.exchange.feed_prices(SYMBOL, fair=Decimal(100), index=Decimal(100))
    small.trade(BUY, 101, 1)
    return small


def place(
    small: Small,
    price: int,
    direction: Direction,
    kind: PriceKind = PriceKind.LAST,
    *,
    side: Side = BUY,
    effect: Effect = Effect.OPEN,
    limit: int | None = None,
    lifetime_ms: int = 1_000,
) -> Trigger:
    order_kind = Kind.MARKET if limit is None else Kind.LIMIT
    limit_price = None if limit is None else Decimal(limit)
    request = NewOrder("me", SYMBOL, side, effect, order_kind, Decimal(2), limit_price, leverage=10)
    conditions = (Condition(Decimal(price), kind, direction),)
    return small.exchange.triggers.place(request, conditions, lifetime_ms=lifetime_ms)


def test_it_waits_for_the_last_price_and_fires_once(small: Small) -> None:
    trigger = place(small, 103, UP)
    small.trade(BUY, 102, 1)
    assert (trigger.state, small.fills()) == (TriggerState.WAITING, [])
    small.trade(BUY, 103, 1)
    assert trigger.state is TriggerState.FIRED
    assert small.fills() == [(101, 2)]
    assert small.exchange.orders[trigger.order_id].filled == 2
    small.trade(BUY, 103, 1)
    assert small.held() == 2
    assert not problems(small.exchange)


@pytest.mark.parametrize("kind", [PriceKind.FAIR, PriceKind.INDEX])
def test_it_may_watch_the_fair_or_the_index_price(small: Small, kind: PriceKind) -> None:
    trigger = place(small, 95, DOWN, kind)
    small.trade(SELL, 90, 60)
    assert trigger.is_waiting
    small.exchange.feed_prices(SYMBOL, fair=Decimal(95) if kind is PriceKind.FAIR else None, index=Decimal(96))
    assert trigger.is_waiting is (kind is PriceKind.INDEX)
    small.exchange.feed_prices(SYMBOL, index=Decimal(95))
    assert not trigger.is_waiting


def test_a_condition_that_is_met_already_fires_at_once(small: Small) -> None:
    assert place(small, 101, UP).state is TriggerState.FIRED


def test_a_limit_type_rests_where_it_does_not_trade(small: Small) -> None:
    trigger = place(small, 103, UP, limit=99)
    small.trade(BUY, 103, 1)
    order = small.exchange.orders[trigger.order_id]
    assert order.is_open
    assert small.levels(BUY)[99] == 2


def test_it_fails_where_there_is_nothing_to_close_by_then(small: Small) -> None:
    trigger = place(small, 103, UP, side=SELL, effect=Effect.CLOSE)
    small.trade(BUY, 103, 1)
    assert (trigger.state, trigger.refusal, trigger.order_id) == (TriggerState.FAILED, Reason.NO_POSITION, 0)


def test_it_expires(small: Small) -> None:
    trigger = place(small, 103, UP, lifetime_ms=500)
    small.now += 500
    small.trade(BUY, 103, 1)
    assert (trigger.state, small.fills()) == (TriggerState.EXPIRED, [])


def test_it_can_be_cancelled_and_amended_while_it_waits(small: Small) -> None:
    trigger = place(small, 103, UP)
    small.exchange.triggers.amend("me", trigger.id, (replace(trigger.conditions[0], price=Decimal(105)),))
    small.trade(BUY, 104, 1)
    assert trigger.is_waiting
    small.exchange.triggers.cancel("me", trigger.id)
    small.trade(BUY, 106, 1)
    assert (trigger.state, small.fills()) == (TriggerState.CANCELLED, [])
    with pytest.raises(Refused) as caught:
        small.exchange.triggers.cancel("me", trigger.id)
    assert caught.value.reason is Reason.NO_TRIGGER


def protect(small: Small, loss: int | None, profit: int | None) -> Trigger:
    (position,) = small.exchange.accounts["me"].positions
    levels = (None if price is None else Decimal(price) for price in (loss, profit))
    conditions = protective_conditions(position.side, *levels)
    request = closing_request("me", SYMBOL, position.side)
    return small.exchange.triggers.place(request, conditions, position_id=position.id)


def test_stop_loss_and_take_profit_are_one_order_of_which_the_first_to_come_closes_the_position(small: Small) -> None:
    small.submit(BUY, 3)
    trigger = protect(small, 95, 110)
    small.book(bids={110: 5})
    small.trade(BUY, 110, 1)
    assert trigger.met is not None
    assert trigger.met.label == "take profit"
    assert small.fills()[-1] == (110, 3)
    assert small.held() == 0
    small.trade(SELL, 90, 1)
    assert len(small.fills()) == 2
    assert not problems(small.exchange)


def test_they_end_with_their_position(small: Small) -> None:
    small.submit(BUY, 3)
    trigger = protect(small, 95, None)
    small.submit(SELL, 3, effect=Effect.CLOSE)
    assert trigger.state is TriggerState.CANCELLED
    small.submit(BUY, 1)
    small.trade(SELL, 90, 60)
    assert small.held() == 1  # another position, which it has nothing to do with


def test_they_close_no_more_than_is_free(small: Small) -> None:
    """3 held, 2 of them in a closing order: the stop takes 1."""
    small.submit(BUY, 3)
    small.submit(SELL, 2, 130, effect=Effect.CLOSE)
    protect(small, 100, None)
    small.trade(SELL, 100, 1)
    assert small.held() == 2
    assert not problems(small.exchange)


def test_what_came_with_an_order_waits_for_its_fill(small: Small) -> None:
    """The last price is beyond the stop before anything is held; what then is filled is stopped at once."""
    small.trade(SELL, 94, 50)  # the bids at 100 are gone
    small.book(bids={100: 0, 90: 5}, asks={101: 0, 110: 5})
    order = small.submit(BUY, 2, 99, stop_loss=95)
    (trigger,) = small.exchange.triggers.waiting("me")
    assert (trigger.parent_id, order.filled) == (order.id, 0)
    small.trade(SELL, 90, 2)
    assert order.filled == 2
    assert trigger.state is TriggerState.WAITING  # the trade went through at 99, above the stop
    small.trade(SELL, 90, 1)
    assert trigger.state is TriggerState.FIRED
    assert small.held() == 0


def test_what_came_with_an_order_goes_when_that_is_cancelled_unfilled(small: Small) -> None:
    order = small.submit(BUY, 2, 99, stop_loss=95, take_profit=120)
    (trigger,) = small.exchange.triggers.waiting("me")
    small.exchange.cancel("me", order.id)
    assert trigger.state is TriggerState.CANCELLED


def test_an_order_whose_stop_is_off_the_tick_is_refused_whole(small: Small) -> None:
    request = NewOrder("me", SYMBOL, BUY, Effect.OPEN, Kind.MARKET, Decimal(1), leverage=10, stop_loss=Decimal("95.5"))
    with pytest.raises(Refused) as caught:
        small.exchange.submit(request)
    assert caught.value.reason is Reason.TRIGGER_PRICE
    assert small.exchange.orders == {}


def test_a_trigger_passes_stops_on_to_its_order(small: Small) -> None:
    """The position that it opens is stopped at 95."""
    request = NewOrder("me", SYMBOL, BUY, Effect.OPEN, Kind.MARKET, Decimal(2), leverage=10, stop_loss=Decimal(95))
    small.exchange.triggers.place(request, (Condition(Decimal(103), PriceKind.LAST, UP),))
    small.trade(BUY, 103, 1)
    assert small.held() == 2
    small.trade(SELL, 95, 1)
    assert small.held() == 0
    assert not problems(small.exchange)


def test_every_step_of_a_trigger_is_in_the_ledger(small: Small) -> None:
    trigger = place(small, 103, UP)
    small.trade(BUY, 103, 1)
    states = [entry.trigger.state for entry in small.exchange.ledger.of(TriggerEntry)]
    assert states == [TriggerState.WAITING, TriggerState.FIRED]
    assert trigger.version == 2


def test_trigger_prices_are_on_the_tick(small: Small) -> None:
    request = NewOrder("me", SYMBOL, BUY, Effect.OPEN, Kind.MARKET, Decimal(1))
    for price in ("0", "-1", "100.5"):
        with pytest.raises(Refused) as caught:
            small.exchange.triggers.place(request, (Condition(Decimal(price), PriceKind.LAST, UP),))
        assert caught.value.reason is Reason.TRIGGER_PRICE
