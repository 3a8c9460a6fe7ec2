"""Rows as Nautilus's reports: both modes, every state, triggers and what they became."""

from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType, PositionSide, TimeInForce
from nautilus_trader.model.identifiers import AccountId, ClientOrderId

from adapters.mexc.constants import (
    MexcMarginMode,
    MexcOrderErrorCode,
    MexcOrderSide,
    MexcOrderState,
    MexcOrderType,
    MexcPlanState,
    MexcPositionMode,
    MexcPositionState,
    MexcPositionType,
    MexcTriggerType,
)
from adapters.mexc.reports import Reports, VenueOrder, deal_id, first_fills, trade_id
from adapters.mexc.schemas.private_account import PositionRow
from tests.adapters.mexc.order_makers import ID, instrument
from tests.adapters.mexc.rows import T0, deal_row, order_row, plan_row

MS_NS = 1_000_000
NOW = 1_764_000_001_000_000_000
ACCOUNT = AccountId("MEXC-master")


def reports(mode: MexcPositionMode = MexcPositionMode.HEDGE) -> Reports:
    return Reports(ACCOUNT, mode, lambda order: ClientOrderId("A") if order.plan is None else None, lambda: NOW)


def test_partly_filled_limit_order() -> None:
    """Filled is what the fills add up to; its average price is theirs."""
    row = order_row("7", dealt=3, price="100.5", ts=9)
    order = VenueOrder(row, None, (deal_row("x", 1, "7", price=100), deal_row("y", 2, "7", price="100.3")))
    report = reports().order(order, instrument())
    assert (report.order_status, report.filled_qty, report.quantity) == (OrderStatus.PARTIALLY_FILLED, 3, 10)
    assert (report.avg_px, report.price) == (Decimal("100.2"), Decimal("100.5"))
    assert (report.order_type, report.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert (report.client_order_id.value, report.venue_order_id.value) == ("A", "7")
    assert report.venue_position_id.value == f"{ID}-LONG"
    assert (report.ts_accepted, report.ts_last) == (T0 * MS_NS, (T0 + 9) * MS_NS)


@pytest.mark.parametrize(
    ("state", "error", "status"),
    [
        (MexcOrderState.PENDING, 0, OrderStatus.ACCEPTED),
        (MexcOrderState.OPEN, 0, OrderStatus.ACCEPTED),
        (MexcOrderState.CANCELLED, 0, OrderStatus.CANCELED),
        (MexcOrderState.CANCELLED, MexcOrderErrorCode.POST_ONLY_CANCEL, OrderStatus.REJECTED),
        (MexcOrderState.INVALID, MexcOrderErrorCode.BALANCE, OrderStatus.REJECTED),
    ],
)
def test_states_without_fills(state: MexcOrderState, error: int, status: OrderStatus) -> None:
    report = reports().order(VenueOrder(order_row("7", state=state, error_code=error)), instrument())
    assert report.order_status == status


def test_filled_and_cancelled_with_fills() -> None:
    deals = (deal_row("x", 10, "7"),)
    full = VenueOrder(order_row("7", state=MexcOrderState.FILLED, dealt=10), None, deals)
    assert reports().order(full, instrument()).order_status == OrderStatus.FILLED
    part = VenueOrder(order_row("7", state=MexcOrderState.CANCELLED, dealt=4), None, (deal_row("x", 4, "7"),))
    report = reports().order(part, instrument())
    assert (report.order_status, report.filled_qty) == (OrderStatus.CANCELED, 4)


@pytest.mark.parametrize(
    ("side", "buys", "closes", "position"),
    [
        (MexcOrderSide.OPEN_LONG, True, False, "LONG"),
        (MexcOrderSide.CLOSE_SHORT, True, True, "SHORT"),
        (MexcOrderSide.OPEN_SHORT, False, False, "SHORT"),
        (MexcOrderSide.CLOSE_LONG, False, True, "LONG"),
    ],
)
def test_sides(side: MexcOrderSide, buys: bool, closes: bool, position: str) -> None:
    """Position ids by side in hedge mode, none in one-way mode."""
    order = VenueOrder(order_row("7", side=side))
    report = reports().order(order, instrument())
    assert report.order_side == (OrderSide.BUY if buys else OrderSide.SELL)
    assert report.reduce_only is closes
    assert report.venue_position_id.value == f"{ID}-{position}"
    assert reports(MexcPositionMode.ONE_WAY).order(order, instrument()).venue_position_id is None


def test_reduce_only_is_not_said_of_orders_with_fills() -> None:
    """Nautilus would drop a fill that comes before the one that it closes."""
    row = order_row("7", side=MexcOrderSide.CLOSE_LONG, dealt=2)
    assert not reports().order(VenueOrder(row, None, (deal_row("x", 2, "7"),)), instrument()).reduce_only


@pytest.mark.parametrize(
    ("code", "kind", "tif", "post_only"),
    [
        (MexcOrderType.LIMIT, OrderType.LIMIT, TimeInForce.GTC, False),
        (MexcOrderType.POST_ONLY, OrderType.LIMIT, TimeInForce.GTC, True),
        (MexcOrderType.IOC, OrderType.LIMIT, TimeInForce.IOC, False),
        (MexcOrderType.FOK, OrderType.LIMIT, TimeInForce.FOK, False),
        (MexcOrderType.MARKET, OrderType.MARKET, TimeInForce.GTC, False),
    ],
)
def test_types(code: MexcOrderType, kind: OrderType, tif: TimeInForce, post_only: bool) -> None:
    report = reports().order(VenueOrder(order_row("7", order_type=code)), instrument())
    assert (report.order_type, report.time_in_force, report.post_only) == (kind, tif, post_only)
    assert (report.price is None) is (kind == OrderType.MARKET)


@pytest.mark.parametrize(
    ("side", "way", "kind", "expected"),
    [
        (MexcOrderSide.CLOSE_LONG, MexcTriggerType.AT_OR_BELOW, MexcOrderType.MARKET, OrderType.STOP_MARKET),
        (MexcOrderSide.OPEN_LONG, MexcTriggerType.AT_OR_ABOVE, MexcOrderType.LIMIT, OrderType.STOP_LIMIT),
        (MexcOrderSide.CLOSE_LONG, MexcTriggerType.AT_OR_ABOVE, MexcOrderType.MARKET, OrderType.MARKET_IF_TOUCHED),
        (MexcOrderSide.OPEN_LONG, MexcTriggerType.AT_OR_BELOW, MexcOrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED),
    ],
)
def test_trigger_types(side: MexcOrderSide, way: MexcTriggerType, kind: MexcOrderType, expected: OrderType) -> None:
    plan = plan_row("5", side=side, trigger_type=way, order_type=kind, price=89)
    report = reports().order(VenueOrder(None, plan), instrument())
    assert (report.order_type, report.order_status) == (expected, OrderStatus.ACCEPTED)
    assert (report.trigger_price, report.venue_order_id.value) == (Decimal(90), "5")


def test_plan_and_what_it_became_are_one_order() -> None:
    """Under the plan's id, filled as the order that it became."""
    plan = plan_row("5", state=MexcPlanState.EXECUTED, order_id="7", price=89, order_type=MexcOrderType.LIMIT, ts=3)
    child = order_row("7", dealt=4, external_oid="_m_1", ts=8)
    order = VenueOrder(child, plan, (deal_row("x", 4, "7"),))
    report = reports().order(order, instrument())
    assert (report.venue_order_id.value, report.client_order_id) == ("5", None)
    assert (report.order_status, report.filled_qty) == (OrderStatus.PARTIALLY_FILLED, 4)
    assert (report.ts_triggered, report.ts_last) == ((T0 + 3) * MS_NS, (T0 + 8) * MS_NS)
    assert [fill.venue_order_id.value for fill in reports().fills(order, instrument())] == ["5"]
    waiting = VenueOrder(msgspec.structs.replace(child, deal_vol=Decimal(0)), plan)
    assert reports().order(waiting, instrument()).order_status == OrderStatus.TRIGGERED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (MexcPlanState.CANCELLED, OrderStatus.CANCELED),
        (MexcPlanState.EXPIRED, OrderStatus.EXPIRED),
        (MexcPlanState.FAILED, OrderStatus.REJECTED),
    ],
)
def test_ends_of_plans(state: MexcPlanState, status: OrderStatus) -> None:
    assert reports().order(VenueOrder(None, plan_row("5", state=state)), instrument()).order_status == status


def test_fill() -> None:
    """Oldest first; a fee that was paid is positive; the maker's side of a trade is marked."""
    maker = msgspec.structs.replace(deal_row("x", 2, "7", ts=5), taker=False, fee=Decimal("-0.0002"))
    order = VenueOrder(order_row("7", dealt=3), None, (maker, deal_row("w", 1, "7", ts=4)))
    first, second = reports().fills(order, instrument())
    assert (first.trade_id.value, first.liquidity_side) == ("w", LiquiditySide.TAKER)
    assert (second.trade_id.value, second.liquidity_side) == ("x-M", LiquiditySide.MAKER)
    assert (second.commission.as_decimal(), second.commission.currency.code) == (Decimal("-0.0002"), "USDT")
    assert (second.last_qty, second.last_px, second.ts_event) == (2, 100, (T0 + 5) * MS_NS)
    assert [deal_id(trade_id(deal)) for deal in order.deals] == ["x", "w"]


def test_fills_that_fit_an_older_row() -> None:
    """The row counts three, and four have happened since: those that it counts."""
    deals = [deal_row("c", 1, ts=3), deal_row("a", 2, ts=1), deal_row("b", 1, ts=2), deal_row("a", 2, ts=1)]
    assert [deal.id for deal in first_fills(deals, Decimal(3))] == ["a", "b"]
    assert first_fills(deals, Decimal(0)) == ()


@pytest.mark.parametrize("vol", [1, 5])
def test_fills_that_do_not_add_up(vol: int) -> None:
    """Nothing is reported while fills are missing: Nautilus would invent them, without their fees."""
    with pytest.raises(ValueError, match="fills add up to"):
        first_fills([deal_row("a", 2, ts=1), deal_row("b", 1, ts=2)], Decimal(vol))


def position(side: MexcPositionType = MexcPositionType.LONG, vol: int = 5) -> PositionRow:
    return PositionRow(
        position_id="1",
        symbol="BTC_USDT",
        position_type=side,
        open_type=MexcMarginMode.ISOLATED,
        state=MexcPositionState.HOLDING,
        hold_vol=Decimal(vol),
        hold_avg_price=Decimal("109777.5"),
        update_time=T0,
    )


def test_positions() -> None:
    """In hedge mode one a side, named after it; in one-way mode without a name."""
    short = reports().position(position(MexcPositionType.SHORT), instrument())
    assert (short.position_side, short.signed_decimal_qty) == (PositionSide.SHORT, -5)
    assert (short.venue_position_id.value, short.avg_px_open) == (f"{ID}-SHORT", Decimal("109777.5"))
    assert reports(MexcPositionMode.ONE_WAY).position(position(), instrument()).venue_position_id is None


def test_no_position() -> None:
    hedge = reports().flat(instrument())
    assert [report.venue_position_id.value for report in hedge] == [f"{ID}-LONG", f"{ID}-SHORT"]
    (one_way,) = reports(MexcPositionMode.ONE_WAY).flat(instrument())
    assert (one_way.venue_position_id, one_way.position_side) == (None, PositionSide.FLAT)
