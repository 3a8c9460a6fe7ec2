"""Positions: opened, added to, closed in part, in both modes; what may not happen."""

from decimal import Decimal

import pytest

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import Effect, End, MarginMode, Reason, Refused, SelfTrade, State
from tests.adapters.loopback.small_market import BUY, SELL, SYMBOL, Small

CLOSE = Effect.CLOSE


@pytest.fixture
def small() -> Small:
    small = Small()
    small.book(bids={100: 1_000}, asks={101: 1_000})
    return small


def refusal(small: Small, *args: object, **kwargs: object) -> Reason:
    with pytest.raises(Refused) as caught:
        small.submit(*args, **kwargs)  # type: ignore[arg-type]
    assert not problems(small.exchange)
    return caught.value.reason


def test_a_round_trip_leaves_the_price_difference_less_the_fees(small: Small) -> None:
    """Bought 10 at 101, sold at 100: -10, fees 2.02 and 2."""
    small.submit(BUY, 10)
    small.submit(SELL, 10, effect=CLOSE)
    assert small.cash() == 1000 - 10 - Decimal("4.02")
    account = small.exchange.accounts["me"]
    assert account.positions == []
    (closed,) = account.closed_positions
    assert (closed.profit, closed.fees, closed.realised) == (-10, Decimal("4.02"), Decimal("-14.02"))
    assert (closed.open_price, closed.close_price) == (101, 100)
    assert small.available() == small.cash()
    assert not problems(small.exchange)


def test_a_part_that_is_closed_takes_its_share_of_cost_and_margin(small: Small) -> None:
    """3 at 101 and 1 at 105 cost 408; one of four closed at 110 earns 110 - 102."""
    small.submit(BUY, 3)
    small.book(asks={101: 0, 105: 1})
    small.submit(BUY, 1)
    small.book(bids={110: 5})
    small.submit(SELL, 1, effect=CLOSE)
    (position,) = small.exchange.accounts["me"].positions
    assert (position.vol, position.cost, position.entry_price) == (3, 306, 102)
    assert position.margin == Decimal("30.6")
    assert position.profit == 8
    assert not problems(small.exchange)


def test_in_hedge_mode_long_and_short_stand_side_by_side(small: Small) -> None:
    small.submit(BUY, 5)
    small.submit(SELL, 3)
    positions = small.exchange.accounts["me"].positions
    assert [(p.side, p.vol) for p in positions] == [(BUY, 5), (SELL, 3)]
    assert len({p.id for p in positions}) == 2
    assert not problems(small.exchange)


def test_in_one_way_mode_an_order_the_other_way_closes_first_and_opens_the_rest() -> None:
    small = Small()
    small.account("one", one_way=True)
    small.book(bids={100: 1_000}, asks={101: 1_000})
    small.submit(BUY, 5, account="one")
    small.submit(SELL, 8, account="one")
    account = small.exchange.accounts["one"]
    assert [(p.side, p.vol) for p in account.positions] == [(SELL, 3)]
    assert [p.vol for p in account.closed_positions] == [0]
    (fill,) = small.entries("one")[1:]
    assert (fill.vol, fill.closed_vol, fill.profit) == (8, 5, -5)
    assert not problems(small.exchange)


def test_what_closes_is_counted_against_what_is_held(small: Small) -> None:
    """5 held, 4 under way: 1 more can be closed, 2 cannot."""
    small.submit(BUY, 5)
    small.submit(SELL, 4, 105, effect=CLOSE)
    assert refusal(small, SELL, 2, 105, effect=CLOSE) is Reason.CLOSE_TOO_MUCH
    small.submit(SELL, 1, 106, effect=CLOSE)
    assert refusal(small, SELL, 1, 106, effect=CLOSE) is Reason.CLOSE_TOO_MUCH


def test_nothing_can_be_closed_where_nothing_is_held(small: Small) -> None:
    assert refusal(small, SELL, 1, effect=CLOSE) is Reason.NO_POSITION
    small.submit(SELL, 1)
    assert refusal(small, SELL, 1, effect=CLOSE) is Reason.NO_POSITION


def test_netting_ends_closing_orders_that_have_nothing_left_to_close_newest_first() -> None:
    """5 long, closers of 2 and 3 rest; selling 4 nets it to 1: the newer ends, then the older too, for 1 < 2."""
    small = Small()
    small.account("one", one_way=True)
    small.book(bids={100: 1_000}, asks={101: 1_000})
    small.submit(BUY, 5, account="one")
    older = small.submit(SELL, 2, 110, effect=CLOSE, account="one")
    newer = small.submit(SELL, 3, 109, effect=CLOSE, account="one")
    small.submit(SELL, 2, account="one")
    assert (older.state, newer.end) == (State.OPEN, End.NO_POSITION)
    small.submit(SELL, 2, account="one")
    assert older.end is End.NO_POSITION
    assert small.held("one") == 1
    assert not problems(small.exchange)


def test_an_order_needs_its_margin_and_taker_fee(small: Small) -> None:
    """A contract at 100 takes 10 of margin and 0.2 of fee: 1,000 are enough for 98 and not for 99."""
    assert refusal(small, BUY, 99, 100) is Reason.BALANCE
    small.submit(BUY, 98, 100)
    assert small.available() == 1000 - 98 * Decimal("10.2")
    assert refusal(small, SELL, 1, 100) is Reason.BALANCE


def test_a_sell_sets_aside_for_the_best_bid_that_it_will_trade_at(small: Small) -> None:
    """Its limit is 90, but it is sold at 100: margin and fee are those of 100."""
    order = small.submit(SELL, 1, 90)
    assert order.margin == Decimal("10.2")
    assert order.average_price == 100


def test_leverage_must_be_that_of_the_position(small: Small) -> None:
    small.submit(BUY, 1)
    assert refusal(small, BUY, 1, leverage=20) is Reason.LEVERAGE_MISMATCH
    assert refusal(small, BUY, 1, leverage=51) is Reason.LEVERAGE
    assert refusal(small, BUY, 1, margin_mode=MarginMode.CROSS) is Reason.MARGIN_MODE_MISMATCH
    small.submit(SELL, 1, leverage=20)  # the short is another position


@pytest.mark.parametrize(
    ("vol", "price", "reason"),
    [
        (0, 100, Reason.VOLUME),
        (6_000_000, 100, Reason.VOLUME),
        (1, 0, Reason.PRICE),
        (1, 200, Reason.PRICE_TOO_HIGH),
    ],
)
def test_prices_and_volumes_have_bounds(small: Small, vol: int, price: int, reason: Reason) -> None:
    small.exchange.feed_prices(SYMBOL, fair=Decimal(100))
    assert refusal(small, BUY, vol, price) is reason


def test_a_price_below_the_band_is_too_low_to_sell_at(small: Small) -> None:
    small.exchange.feed_prices(SYMBOL, fair=Decimal(100))
    assert refusal(small, SELL, 1, 49) is Reason.PRICE_TOO_LOW


def test_a_client_id_serves_once_whatever_became_of_its_order(small: Small) -> None:
    order = small.submit(BUY, 1, 90, client_id="a")
    small.exchange.cancel("me", order.id)
    assert refusal(small, BUY, 1, 90, client_id="a") is Reason.DUPLICATE_ID


@pytest.mark.parametrize(
    ("policy", "maker_ends", "taker_ends"),
    [
        (SelfTrade.CANCEL_MAKER, True, False),
        (SelfTrade.CANCEL_TAKER, False, True),
        (SelfTrade.CANCEL_BOTH, True, True),
    ],
)
def test_self_trade_prevention_ends_whom_it_names(policy: SelfTrade, *, maker_ends: bool, taker_ends: bool) -> None:
    small = Small()
    small.book(asks={105: 5})
    maker = small.submit(SELL, 2, 101)
    taker = small.submit(BUY, 2, 106, self_trade=policy)
    assert (maker.end is End.SELF_TRADE) is maker_ends
    assert (taker.end is End.SELF_TRADE) is taker_ends
    assert not [f for f in small.entries() if f.self_trade]
    assert not problems(small.exchange)


def test_an_account_that_may_trade_with_itself_pays_both_fees(small: Small) -> None:
    small.book(asks={101: 0}, bids={100: 0})
    small.submit(SELL, 2, 101)
    small.submit(BUY, 2, 101)
    assert [f.self_trade for f in small.entries()] == [True, True]
    assert small.cash() == 1000 - Decimal("0.202") - Decimal("0.404")
    assert small.held() == 0
    assert small.market.counterparty == 0
    assert not problems(small.exchange)


def test_the_liquidation_price_of_a_long_is_where_its_margin_is_down_to_maintenance(small: Small) -> None:
    """10 at 101 with 101 of margin: 909 / (10 x 0.996)."""
    small.submit(BUY, 10)
    (position,) = small.exchange.accounts["me"].positions
    assert position.liquidation_price(Decimal(0)) == Decimal(909) / (10 * Decimal("0.996"))
    assert position.liquidation_price(Decimal(10_000)) == 0
