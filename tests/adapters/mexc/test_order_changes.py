"""Changes of working orders on the wire, and those that are refused."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order

from adapters.mexc import endpoints
from adapters.mexc.constants import MexcPlanState
from adapters.mexc.order_changes import Terms, change_request
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.orders import NotPossibleError, order_spec
from adapters.mexc.signing import json_body
from tests.adapters.mexc.order_makers import ID, SELL, SYMBOL, factory, instrument, limit, market, stop_market
from tests.adapters.mexc.rows import T0, deal_row, plan_row

D = Decimal


def working(order: Order) -> OrderTrack:
    """The order, accepted as number 7."""
    track = OrderTrack(order_spec(order, SYMBOL), [])
    track.on_acknowledged("7", T0)
    return track


def change(order: Order, track: OrderTrack, **new: Any) -> tuple[endpoints.Endpoint, dict[str, Any]]:
    spec = track.spec
    terms = Terms(**{"vol": spec.vol, "price": spec.price, "trigger_price": spec.trigger_price} | new)
    endpoint, body = change_request(order, track, instrument(), terms)
    return endpoint, msgspec.json.decode(json_body(body))


def test_limit_order_takes_price_and_quantity() -> None:
    order = limit()
    assert change(order, working(order), price=D("101.5"), vol=D(6)) == (
        endpoints.CHANGE_ORDER,
        {"orderId": 7, "price": 101.5, "vol": 6},
    )


def test_stop_takes_another_trigger_price() -> None:
    order = stop_market(SELL)
    assert change(order, working(order), trigger_price=D(91)) == (
        endpoints.CHANGE_PLAN_PRICE,
        {"symbol": SYMBOL, "orderId": 7, "orderType": 5, "triggerPrice": 91, "triggerType": 2, "trend": 1},
    )


def test_stop_limit_sends_both_prices() -> None:
    """The page lists them together: what is not changed is sent as it is."""
    order = factory().stop_limit(ID, SELL, Quantity.from_int(5), Price.from_str("89.0"), Price.from_str("90.0"))
    _, body = change(order, working(order), trigger_price=D(91))
    assert (body["triggerPrice"], body["price"]) == (91, 89)


def test_triggered_stop_limit_is_an_order_like_others() -> None:
    """The order that it became is changed, under its own id."""
    order = factory().stop_limit(ID, SELL, Quantity.from_int(5), Price.from_str("89.0"), Price.from_str("90.0"))
    track = working(order)
    track.on_plan(plan_row("7", state=MexcPlanState.EXECUTED, order_id="8", vol=5, price=89, ts=1))
    endpoint, body = change(order, track, price=D("88.5"))
    assert endpoint is endpoints.CHANGE_ORDER
    assert body == {"orderId": 8, "price": 88.5, "vol": 5}


@pytest.mark.parametrize(
    ("order", "new", "reason"),
    [
        (limit(), {}, "nothing is to be changed"),
        (limit(), {"price": D("101.55")}, "multiple of the tick"),
        (limit(), {"vol": D("1.5")}, "no positive multiple"),
        (market(), {"vol": D(6)}, "MARKET orders cannot be changed"),
        (stop_market(), {"vol": D(6)}, "quantity of a trigger order"),
    ],
)
def test_refused(order: Order, new: dict[str, Decimal], reason: str) -> None:
    with pytest.raises(NotPossibleError, match=reason):
        change(order, working(order), **new)


def test_partly_filled_order_is_not_changed() -> None:
    """Whether the venue would count what is filled is not known: the order could become too large."""
    order = limit()
    track = working(order)
    track.on_deal(deal_row("x", 2, "7", external_oid=None, symbol=SYMBOL))
    with pytest.raises(NotPossibleError, match="2 are filled"):
        change(order, track, price=D(101))
