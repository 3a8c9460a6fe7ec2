"""Nautilus's orders on the wire: the whole table, and every refusal with its reason."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.model.enums import OrderSide, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model.identifiers import PositionId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order

from adapters.mexc import endpoints
from adapters.mexc.constants import MexcMarginMode, MexcOrderSide, MexcPositionMode, MexcPositionType
from adapters.mexc.orders import (
    NotPossibleError,
    OrderRequest,
    Setup,
    Situation,
    direction_of,
    order_request,
    order_spec,
)
from adapters.mexc.sides import Direction, direction, hedge_position_id
from adapters.mexc.signing import json_body
from tests.adapters.mexc.order_makers import (
    BUY,
    ID,
    LONG,
    SELL,
    SHORT,
    SYMBOL,
    factory,
    instrument,
    limit,
    market,
    stop_market,
)

HEDGE = Setup(MexcPositionMode.HEDGE, MexcMarginMode.ISOLATED)
ONE_WAY = Setup(MexcPositionMode.ONE_WAY, MexcMarginMode.CROSS)
FLAT = Situation(Decimal(0))
GTC, IOC, FOK, GTD, DAY = (
    TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD, TimeInForce.DAY,
)  # fmt: skip


def request(order: Order, setup: Setup = HEDGE, situation: Situation = FLAT, **changes: Any) -> OrderRequest:
    where = direction_of(order, setup, situation)
    return order_request(order, instrument(**changes), setup, where, 20, "name")


def wire(order: Order, setup: Setup = HEDGE, situation: Situation = FLAT) -> dict[str, Any]:
    """The body as it is read on the other side."""
    body: dict[str, Any] = msgspec.json.decode(json_body(request(order, setup, situation).body))
    return body


# -- the table ---------------------------------------------------------------------------------------------------------


def test_market() -> None:
    """Without a price: the page calls it required, clients that trade send none."""
    assert wire(market()) == {
        "symbol": SYMBOL,
        "vol": 5,
        "side": 1,
        "type": 5,
        "openType": 1,
        "positionMode": 1,
        "leverage": 20,
        "externalOid": "name",
    }


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (limit(), 1),
        (limit(post_only=True), 2),
        (limit(time_in_force=IOC), 3),
        (limit(time_in_force=FOK), 4),
        (market(time_in_force=IOC), 5),
    ],
)
def test_types(order: Order, code: int) -> None:
    body = wire(order)
    assert body["type"] == code
    assert body.get("price") == (100 if order.has_price else None)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # type of the order, side, 1 at or above / 2 at or below, trigger price, limit price
        (stop_market(SELL), (5, 3, 2, 90, None)),
        (stop_market(BUY, trigger="110.0"), (5, 1, 1, 110, None)),
        (
            factory().stop_limit(ID, SELL, Quantity.from_int(5), Price.from_str("89.5"), Price.from_str("90.0")),
            (1, 3, 2, 90, 89.5),
        ),
        (factory().market_if_touched(ID, SELL, Quantity.from_int(5), Price.from_str("120.0")), (5, 3, 1, 120, None)),
        (factory().market_if_touched(ID, BUY, Quantity.from_int(5), Price.from_str("80.0")), (5, 1, 2, 80, None)),
        (
            factory().limit_if_touched(
                ID, BUY, Quantity.from_int(5), Price.from_str("79.0"), Price.from_str("80.0"), post_only=True
            ),
            (2, 1, 2, 80, 79),
        ),
    ],
)
def test_trigger_orders(order: Order, expected: tuple[Any, ...]) -> None:
    """Stops trigger beyond the market, take-profits on its near side; no client id, seven days."""
    built, body = request(order), wire(order)
    assert built.endpoint is endpoints.CREATE_PLAN_ORDER
    kind, side, way, trigger, price = expected
    assert (body["orderType"], body["side"], body["triggerType"]) == (kind, side, way)
    assert (body["triggerPrice"], body.get("price"), body["trend"], body["executeCycle"]) == (trigger, price, 1, 2)
    assert "externalOid" not in body
    assert "type" not in body


@pytest.mark.parametrize(
    ("trigger_type", "trend"),
    [(TriggerType.DEFAULT, 1), (TriggerType.LAST_PRICE, 1), (TriggerType.MARK_PRICE, 2), (TriggerType.INDEX_PRICE, 3)],
)
def test_watched_price(trigger_type: TriggerType, trend: int) -> None:
    assert wire(stop_market(trigger_type=trigger_type))["trend"] == trend


@pytest.mark.parametrize(
    ("side", "reduce_only", "code"), [(BUY, False, 1), (BUY, True, 2), (SELL, False, 3), (SELL, True, 4)]
)
@pytest.mark.parametrize("setup", [HEDGE, ONE_WAY])
def test_closing_is_said_by_the_side(side: OrderSide, reduce_only: bool, code: int, setup: Setup) -> None:
    """No reduceOnly flag, and no leverage with what closes."""
    body = wire(limit(side, reduce_only=reduce_only), setup)
    assert body["side"] == code
    assert ("leverage" in body) is not reduce_only
    assert "reduceOnly" not in body
    assert (body["positionMode"], body["openType"]) == (int(setup.position_mode), int(setup.margin_mode))


@pytest.mark.parametrize(
    ("position_id", "side", "code"), [(LONG, BUY, 1), (LONG, SELL, 4), (SHORT, BUY, 2), (SHORT, SELL, 3)]
)
def test_hedge_position_names_the_side(position_id: str, side: OrderSide, code: int) -> None:
    """A strategy that closes ``...-LONG`` need not say reduce-only."""
    assert wire(market(side), HEDGE, Situation(Decimal(0), PositionId(position_id)))["side"] == code


@pytest.mark.parametrize(
    ("net", "side", "code"), [(5, SELL, 4), (8, SELL, 4), (-5, BUY, 2), (5, BUY, 1), (-5, SELL, 3)]
)
def test_one_way_order_against_the_position_closes(net: int, side: OrderSide, code: int) -> None:
    """What an opening side does there is not known: so it is never sent."""
    assert wire(market(side), ONE_WAY, Situation(Decimal(net)))["side"] == code


def test_numbers_are_plain_digits() -> None:
    """A price of 0.0000001 is written like that, never as 1E-7."""
    order = factory().limit(ID, BUY, Quantity.from_int(3), Price.from_str("0.0000001"))
    where = direction_of(order, HEDGE, FLAT)
    small = instrument(price_unit=Decimal("0.0000001"))
    assert b'"price":0.0000001' in json_body(order_request(order, small, HEDGE, where, 20, "name").body)


def test_spec_is_what_the_engine_knows() -> None:
    assert order_spec(market(), SYMBOL).immediate
    assert order_spec(limit(time_in_force=FOK), SYMBOL).immediate
    resting = order_spec(limit(), SYMBOL)
    assert (resting.vol, resting.price, resting.trigger_price, resting.immediate) == (5, 100, None, False)
    assert order_spec(stop_market(), SYMBOL).is_plan


def test_directions_there_and_back() -> None:
    for code in MexcOrderSide:
        assert direction(code).code is code
    assert Direction(buys=True, closes=True).position is MexcPositionType.SHORT
    assert Direction(buys=False, closes=True).position is MexcPositionType.LONG
    assert hedge_position_id("X", MexcPositionType.SHORT) == "X-SHORT"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (market(time_in_force=FOK), "FOK is not to be had"),
        (limit(time_in_force=DAY), "GTC, IOC or FOK"),
        (limit(vol=101), "more than limitMaxVol"),
        (market(vol=51), "more than maxVol"),
        (limit(price="100.05"), "multiple of the tick"),
        (stop_market(trigger="90.05"), "trigger price 90.05"),
        (stop_market(trigger_type=TriggerType.BID_ASK), "by last, fair"),
        (limit(display_qty=Quantity.from_int(1)), "iceberg"),
        (
            factory().market(ID, BUY, Quantity.from_int(5), quote_quantity=True),
            "quote currency",
        ),
        (
            factory().trailing_stop_market(
                ID, SELL, Quantity.from_int(5), Decimal(1), trailing_offset_type=TrailingOffsetType.PRICE
            ),
            "TRAILING_STOP_MARKET",
        ),
        (factory().market_to_limit(ID, BUY, Quantity.from_int(5)), "MARKET_TO_LIMIT"),
    ],
)
def test_refused_before_anything_is_sent(order: Order, reason: str) -> None:
    with pytest.raises(NotPossibleError, match=reason):
        request(order)


@pytest.mark.parametrize(
    ("order", "setup", "situation", "reason"),
    [
        (market(SELL, 9), ONE_WAY, Situation(Decimal(5)), "turn it round"),
        (market(BUY), HEDGE, Situation(Decimal(0), PositionId("P-1")), "named after their side"),
        (market(BUY, reduce_only=True), HEDGE, Situation(Decimal(0), PositionId(LONG)), "cannot reduce"),
    ],
)
def test_refused_for_the_position(order: Order, setup: Setup, situation: Situation, reason: str) -> None:
    with pytest.raises(NotPossibleError, match=reason):
        direction_of(order, setup, situation)


def test_steps_and_minimum() -> None:
    with pytest.raises(NotPossibleError, match="no multiple of 2"):
        request(limit(vol=5), vol_unit=Decimal(2), min_vol=Decimal(2))
    with pytest.raises(NotPossibleError, match="less than the least"):
        request(limit(vol=5), min_vol=Decimal(10))


def test_excluded_contract_takes_closing_orders_only() -> None:
    """Delisted or closed to the API: what takes risk away is still tried."""
    with pytest.raises(NotPossibleError, match="takes no new orders"):
        request(limit(), api_allowed=False)
    assert request(limit(SELL, reduce_only=True), api_allowed=False).body["side"] == 4
