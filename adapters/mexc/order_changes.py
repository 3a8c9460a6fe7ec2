"""Changes of working orders as MEXC's requests.

A resting limit order: price and quantity, while nothing of it is filled. A trigger order: trigger price and limit
price, never the quantity. Everything else is refused with the reason; nothing is cancelled and sent anew by itself,
because that would lose the order's place without being asked for.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order

from adapters.mexc import endpoints
from adapters.mexc.assumptions import PARTLY_FILLED_ORDERS_CAN_BE_CHANGED
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.order_track import OrderSpec, OrderTrack
from adapters.mexc.orders import NotPossibleError, on_tick, order_kind, trigger_terms, wire_number


@dataclass(frozen=True)
class Terms:
    """What an order is to be: contracts, limit price and trigger price, None where the order has none."""

    vol: Decimal
    price: Decimal | None
    trigger_price: Decimal | None

    @classmethod
    def of(cls, spec: OrderSpec) -> "Terms":
        """What it is now."""
        return cls(spec.vol, spec.price, spec.trigger_price)


def change_request(
    order: Order, track: OrderTrack, instrument: Instrument, terms: Terms
) -> tuple[Endpoint, dict[str, Any]]:
    """The request that makes the order be so. NotPossibleError, with the reason, when the venue cannot do that."""
    if terms == Terms.of(track.spec):
        raise NotPossibleError("nothing is to be changed: quantity and prices are what they are")
    if track.spec.is_plan and not track.triggered:
        return endpoints.CHANGE_PLAN_PRICE, _plan_change(order, track, instrument, terms)
    return endpoints.CHANGE_ORDER, _order_change(order, track, instrument, terms)


def _order_change(order: Order, track: OrderTrack, instrument: Instrument, terms: Terms) -> dict[str, Any]:
    if terms.price is None:
        raise NotPossibleError(f"{order.type_string()} orders cannot be changed at MEXC: cancel it and send a new one")
    if terms.trigger_price != track.spec.trigger_price:
        raise NotPossibleError("the order has been triggered: its trigger price cannot be changed any more")
    if track.filled and not PARTLY_FILLED_ORDERS_CAN_BE_CHANGED:
        raise NotPossibleError(
            f"{track.filled} are filled, and whether MEXC counts them in the new quantity is not known: cancel it and "
            "send a new one for the rest"
        )
    if terms.vol <= 0 or terms.vol % instrument.size_increment.as_decimal():
        raise NotPossibleError(f"{terms.vol} contracts are no positive multiple of {instrument.size_increment}")
    if track.order_id is None:
        raise NotPossibleError("the order's id at the venue is not known yet: try again when it is accepted")
    return {
        "orderId": int(track.order_id),
        "vol": wire_number(terms.vol),
        "price": wire_number(on_tick(terms.price, instrument, "price")),
    }


def _plan_change(order: Order, track: OrderTrack, instrument: Instrument, terms: Terms) -> dict[str, Any]:
    if terms.vol != track.spec.vol:
        raise NotPossibleError(
            "the quantity of a trigger order cannot be changed at MEXC: cancel it and send a new one"
        )
    if terms.trigger_price is None or track.venue_order_id is None:
        raise NotPossibleError("the order's id at the venue is not known yet: try again when it is accepted")
    body = {
        "symbol": track.spec.symbol,
        "orderId": int(track.venue_order_id),
        "orderType": int(order_kind(order)),
        **trigger_terms(order, terms.trigger_price, instrument),
    }
    if terms.price is not None:
        body["price"] = wire_number(on_tick(terms.price, instrument, "price"))
    return body
