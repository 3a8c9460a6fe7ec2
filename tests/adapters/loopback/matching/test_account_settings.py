"""Leverage, margin and position mode, and funding."""

from decimal import Decimal

import pytest

from adapters.loopback.matching import settings
from adapters.loopback.matching.account import PositionMode
from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.funding import FundingClock
from adapters.loopback.matching.ledger import FundingEntry
from adapters.loopback.matching.order import MarginMode, Reason, Refused
from tests.adapters.loopback.small_market import BUY, SELL, SYMBOL, Small

ISOLATED = MarginMode.ISOLATED


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={100: 50}, asks={101: 50})
    return small


def set_leverage(small: Small, leverage: int, mode: MarginMode = ISOLATED) -> None:
    settings.set_leverage(small.exchange, small.exchange.accounts["me"], SYMBOL, BUY, leverage, mode)


def test_orders_that_do_not_say_use_the_setting_of_their_side(small: Small) -> None:
    set_leverage(small, 5)
    assert small.submit(BUY, 1, leverage=None).leverage == 5
    assert small.submit(SELL, 1, leverage=None).leverage == 20


def test_a_position_takes_a_new_leverage_with_another_margin(small: Small) -> None:
    """10 at 101: margin 101 at leverage 10, 202 at 5."""
    small.submit(BUY, 10)
    set_leverage(small, 5)
    (position,) = small.exchange.accounts["me"].positions
    assert (position.leverage, position.margin) == (5, 202)
    assert not problems(small.exchange)
    with pytest.raises(Refused) as caught:
        set_leverage(small, 1)
    assert caught.value.reason is Reason.BALANCE
    with pytest.raises(Refused) as caught:
        set_leverage(small, 5, MarginMode.CROSS)
    assert caught.value.reason is Reason.MARGIN_MODE_MISMATCH


def test_open_orders_of_that_side_are_in_the_way(small: Small) -> None:
    small.submit(BUY, 1, 90)
    with pytest.raises(Refused) as caught:
        set_leverage(small, 5)
    assert caught.value.reason is Reason.ORDERS_IN_THE_WAY


def test_the_position_mode_changes_only_without_orders_triggers_and_positions(small: Small) -> None:
    account = small.exchange.accounts["me"]
    order = small.submit(BUY, 1, 90)
    with pytest.raises(Refused):
        settings.set_position_mode(account, PositionMode.ONE_WAY, trigger_waiting=False)
    small.exchange.cancel("me", order.id)
    with pytest.raises(Refused):
        settings.set_position_mode(account, PositionMode.ONE_WAY, trigger_waiting=True)
    settings.set_position_mode(account, PositionMode.ONE_WAY, trigger_waiting=False)
    assert account.position_mode is PositionMode.ONE_WAY


def test_margin_can_be_added_and_what_was_added_taken_back(small: Small) -> None:
    small.submit(BUY, 10)
    account = small.exchange.accounts["me"]
    (position,) = account.positions
    before = position.liquidation_price(Decimal(0))
    settings.change_margin(small.exchange, account, position, Decimal(50))
    assert position.margin == 151
    assert position.liquidation_price(Decimal(0)) < before
    settings.change_margin(small.exchange, account, position, Decimal(-50))
    assert position.margin == 101
    with pytest.raises(Refused):
        settings.change_margin(small.exchange, account, position, Decimal(-1))
    assert not problems(small.exchange)


def test_longs_pay_shorts_at_the_fair_price(small: Small) -> None:
    """4 long and 1 short at fair 200, rate 1 %: -8 and +2."""
    small.submit(BUY, 4)
    small.submit(SELL, 1)
    small.exchange.feed_prices(SYMBOL, fair=Decimal(200))
    small.market.funding.rate = Decimal("0.01")
    before = small.cash()
    FundingClock(small.exchange).settle(small.market, small.now)
    assert small.cash() == before - 8 + 2
    amounts = [(entry.side, entry.worth, entry.amount) for entry in small.exchange.ledger.of(FundingEntry)]
    assert amounts == [(BUY, 800, -8), (SELL, 200, 2)]
    assert [p.funding for p in small.exchange.accounts["me"].positions] == [-8, 2]
    assert not problems(small.exchange)


def test_funding_comes_once_at_every_time_that_has_passed(small: Small) -> None:
    funding = small.market.funding
    funding.next_ms, funding.interval_ms, funding.rate = 2_000, 1_000, Decimal("0.001")
    small.submit(BUY, 1)
    clock = FundingClock(small.exchange)
    clock.run()
    assert clock.settled == {}
    small.now = 3_500
    clock.run()
    clock.run()
    assert [at for at, _ in clock.settled[SYMBOL]] == [2_000, 3_000]
    assert funding.next_ms == 4_000
    assert len(list(small.exchange.ledger.of(FundingEntry))) == 2
