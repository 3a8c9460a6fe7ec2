"""The shell between a trade's commands and Nautilus's orders, and back: translation, no rule."""

from decimal import Decimal
from typing import Any

from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order

from strategies.trade_manager import (
    Accepted,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Event,
    Expired,
    Filled,
    Kind,
    ModifyRefused,
    Refused,
    Submit,
    Updated,
)


def order_side(side: int) -> OrderSide:
    """+1 buys, -1 sells."""
    return OrderSide.BUY if side > 0 else OrderSide.SELL


def order_of(command: Submit, instrument: Instrument, factory: OrderFactory, trace_id: str) -> Order:
    """The order that a command asks for, tagged with the trade's id."""
    terms: dict[str, Any] = {
        "instrument_id": instrument.id,
        "order_side": order_side(command.side),
        "quantity": instrument.make_qty(command.size),
        "reduce_only": command.reduce_only,
        "tags": [trace_id, command.ref],
    }
    if command.kind is Kind.MARKET_IOC:  # a GTC market order that is larger than the book would hang for ever
        return factory.market(time_in_force=TimeInForce.IOC, **terms)
    if command.price is None:
        raise ValueError(f"{command.ref} is a {command.kind} without a price")
    price = instrument.make_price(command.price)
    if command.kind is Kind.STOP_MARKET:
        return factory.stop_market(trigger_price=price, **terms)
    return factory.limit(price=price, post_only=command.kind is Kind.POST_ONLY, **terms)


def event_of(event: OrderEvent, ref: str) -> Event | None:
    """What an event of the order `ref` is to its trade; None for one that says nothing new."""
    match event:
        case OrderFilled():
            return Filled(
                ref,
                event.trade_id.value,
                event.last_qty.as_decimal(),
                event.last_px.as_decimal(),
                event.commission.as_decimal(),
                event.ts_event,
            )
        case OrderAccepted():
            return Accepted(ref)
        case OrderRejected() | OrderDenied():
            return Refused(ref, event.reason)
        case OrderCanceled():
            return Cancelled(ref)
        case OrderExpired():
            return Expired(ref)
        case OrderUpdated():
            price = event.trigger_price if event.trigger_price is not None else event.price
            return Updated(ref, event.quantity.as_decimal(), None if price is None else price.as_decimal())
        case OrderModifyRejected():
            return ModifyRefused(ref, event.reason)
        case OrderCancelRejected():
            return CancelRefused(ref, event.reason)
    return None


def closed_by_venue(event: OrderFilled) -> ClosedByVenue:
    """A fill that no order of ours asked for."""
    fee: Decimal = event.commission.as_decimal()
    return ClosedByVenue(
        event.trade_id.value, event.last_qty.as_decimal(), event.last_px.as_decimal(), fee, event.ts_event
    )
