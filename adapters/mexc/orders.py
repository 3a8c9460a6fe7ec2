"""Nautilus's orders as MEXC's requests. What the venue cannot do is refused here, before anything is sent.

================================  ==========================================================================
MARKET (GTC, IOC)                 ``order/create`` type 5
LIMIT GTC / post-only             type 1 / 2
LIMIT IOC / FOK                   type 3 / 4
STOP_MARKET, STOP_LIMIT           ``planorder/place/v2``: a buy at or above the trigger, a sell at or below
MARKET_ or LIMIT_IF_TOUCHED       ``planorder/place/v2``: a buy at or below the trigger, a sell at or above
reduce-only                       the closing side: 2 closes a short, 4 closes a long
================================  ==========================================================================
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.model.enums import OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_trader.model.identifiers import PositionId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order

from adapters.mexc import endpoints
from adapters.mexc.assumptions import ONE_WAY_FLIPS_ARE_KNOWN, PLAN_CYCLE_CODE
from adapters.mexc.constants import (
    MexcMarginMode,
    MexcOrderType,
    MexcPositionMode,
    MexcTriggerPrice,
    MexcTriggerType,
)
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcError
from adapters.mexc.order_track import OrderSpec
from adapters.mexc.sides import LONG_SUFFIX, SHORT_SUFFIX, Direction

_PLAIN_TYPES = {
    TimeInForce.GTC: MexcOrderType.LIMIT,
    TimeInForce.IOC: MexcOrderType.IOC,
    TimeInForce.FOK: MexcOrderType.FOK,
}
_TRIGGER_PRICES = {
    TriggerType.DEFAULT: MexcTriggerPrice.LAST,
    TriggerType.LAST_PRICE: MexcTriggerPrice.LAST,
    TriggerType.MARK_PRICE: MexcTriggerPrice.FAIR,
    TriggerType.INDEX_PRICE: MexcTriggerPrice.INDEX,
}
_STOPS = (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
_WITH_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)


class NotPossibleError(MexcError):
    """The venue cannot do what was asked for, or what it would do is not known. Nothing was sent."""


@dataclass(frozen=True)
class Setup:
    """How the account trades."""

    position_mode: MexcPositionMode
    margin_mode: MexcMarginMode


@dataclass(frozen=True)
class Situation:
    """What an order meets. `net` is the account's position in contracts, negative when short; it matters in one-way
    mode only. `position_id` is the one that the order was submitted for, if any."""

    net: Decimal
    position_id: PositionId | None = None


@dataclass(frozen=True)
class OrderRequest:
    """What is to be sent, and what is expected of it."""

    endpoint: Endpoint
    body: dict[str, Any]
    spec: OrderSpec


def order_request(
    order: Order, instrument: Instrument, setup: Setup, where: Direction, leverage: int, external_oid: str
) -> OrderRequest:
    """The request that places `order`. NotPossibleError, with the reason, when the venue has no such order.

    `where` is what `direction_of` says; `leverage` is sent with what opens a position.
    """
    kind = order_kind(order)
    _check_extras(order)
    _check_size(order, instrument, kind)
    excluded = instrument.info.get("excluded")
    if excluded is not None and not where.closes:
        raise NotPossibleError(f"{instrument.raw_symbol} takes no new orders: {excluded}")
    body: dict[str, Any] = {
        "symbol": instrument.raw_symbol.value,
        "vol": wire_number(order.quantity.as_decimal()),
        "side": int(where.code),
        "openType": int(setup.margin_mode),
        "positionMode": int(setup.position_mode),
    }
    if not where.closes:
        body["leverage"] = leverage
    if order.has_price:
        body["price"] = wire_number(on_tick(order.price.as_decimal(), instrument, "price"))
    spec = order_spec(order, instrument.raw_symbol.value)
    if order.has_trigger_price:
        trigger = trigger_terms(order, order.trigger_price.as_decimal(), instrument)
        body |= {"orderType": int(kind), "executeCycle": PLAN_CYCLE_CODE, **trigger}
        return OrderRequest(endpoints.CREATE_PLAN_ORDER, body, spec)
    return OrderRequest(endpoints.CREATE_ORDER, body | {"type": int(kind), "externalOid": external_oid}, spec)


def order_spec(order: Order, symbol: str) -> OrderSpec:
    """What the engine knows of an order, for the one who follows it."""
    return OrderSpec(
        order.client_order_id.value,
        symbol,
        order.quantity.as_decimal(),
        price=order.price.as_decimal() if order.has_price else None,
        trigger_price=order.trigger_price.as_decimal() if order.has_trigger_price else None,
        immediate=order.order_type == OrderType.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK),
    )


def direction_of(order: Order, setup: Setup, situation: Situation) -> Direction:
    """Which side the order is on, and whether it opens or closes. NotPossibleError where that is not clear."""
    buys = order.side == OrderSide.BUY
    if setup.position_mode is MexcPositionMode.HEDGE:
        return Direction(buys, _closes_in_hedge_mode(order, buys, situation.position_id))
    against = situation.net if not buys else -situation.net
    if order.is_reduce_only or against <= 0:
        return Direction(buys, closes=order.is_reduce_only)
    if order.quantity.as_decimal() > against and not ONE_WAY_FLIPS_ARE_KNOWN:
        raise NotPossibleError(
            f"{order.quantity} against a position of {situation.net} would turn it round, and what MEXC makes of that "
            f"in one-way mode is not known: close {against} first, then open"
        )
    return Direction(buys, closes=True)


def order_kind(order: Order) -> MexcOrderType:
    """``type``, or ``orderType`` of a trigger order. NotPossibleError when the venue has none that fits."""
    tif = order.time_in_force
    if order.order_type in (OrderType.MARKET, OrderType.STOP_MARKET, OrderType.MARKET_IF_TOUCHED):
        if tif not in (TimeInForce.GTC, TimeInForce.IOC):
            raise NotPossibleError(f"MEXC's market orders fill what they can at once: {tif.name} is not to be had")
        return MexcOrderType.MARKET
    if order.order_type not in _WITH_LIMIT:
        raise NotPossibleError(f"MEXC has no {order.type_string()} orders through this adapter")
    kind = _PLAIN_TYPES.get(tif)
    if kind is None:
        raise NotPossibleError(f"MEXC's orders are GTC, IOC or FOK: {tif.name} is not to be had")
    if not order.is_post_only:
        return kind
    if kind is not MexcOrderType.LIMIT:
        raise NotPossibleError(f"post-only and {tif.name} exclude each other")
    return MexcOrderType.POST_ONLY


def _check_extras(order: Order) -> None:
    if order.is_quote_quantity:
        raise NotPossibleError("MEXC counts contracts: quantities in quote currency cannot be sent")
    if getattr(order, "display_qty", None) is not None:
        raise NotPossibleError("MEXC has no iceberg orders: display_qty cannot be sent")


def _check_size(order: Order, instrument: Instrument, kind: MexcOrderType) -> None:
    vol, step = order.quantity.as_decimal(), instrument.size_increment.as_decimal()
    if vol % step:
        raise NotPossibleError(f"{vol} contracts are no multiple of {step}")
    least = instrument.min_quantity
    if least is not None and vol < least.as_decimal():
        raise NotPossibleError(f"{vol} contracts are less than the least, {least}")
    bound = "maxVol" if kind is MexcOrderType.MARKET else "limitMaxVol"
    most = instrument.info.get(bound) or instrument.info.get("maxVol")
    if most is not None and vol > Decimal(str(most)):
        raise NotPossibleError(f"{vol} contracts are more than {bound}, {most}: split the order")


def _closes_in_hedge_mode(order: Order, buys: bool, position_id: PositionId | None) -> bool:
    if position_id is None:
        return bool(order.is_reduce_only)
    name = position_id.value
    if not name.endswith((LONG_SUFFIX, SHORT_SUFFIX)):
        raise NotPossibleError(
            f"position {name} is none of MEXC's: in hedge mode they are named after their side, "
            f"{order.instrument_id}{LONG_SUFFIX} and {order.instrument_id}{SHORT_SUFFIX}"
        )
    closes: bool = name.endswith(SHORT_SUFFIX if buys else LONG_SUFFIX)
    if order.is_reduce_only and not closes:
        raise NotPossibleError(f"a reduce-only {order.side.name} cannot reduce {name}")
    return closes


def trigger_terms(order: Order, price: Decimal, instrument: Instrument) -> dict[str, Any]:
    """What a trigger order waits for: a price, from which side, and which price is watched."""
    watched = _TRIGGER_PRICES.get(order.trigger_type)
    if watched is None:
        raise NotPossibleError(f"MEXC triggers by last, fair (mark) or index price, not by {order.trigger_type.name}")
    above = (order.order_type in _STOPS) is (order.side == OrderSide.BUY)
    return {
        "triggerPrice": wire_number(on_tick(price, instrument, "trigger price")),
        "triggerType": int(MexcTriggerType.AT_OR_ABOVE if above else MexcTriggerType.AT_OR_BELOW),
        "trend": int(watched),
    }


def on_tick(price: Decimal, instrument: Instrument, what: str) -> Decimal:
    """The price itself. NotPossibleError when it is no price of the contract."""
    tick = instrument.price_increment.as_decimal()
    if price <= 0 or price % tick:
        raise NotPossibleError(f"{what} {price} is not a positive multiple of the tick {tick}")
    return price


def wire_number(value: Decimal) -> msgspec.Raw:
    """A JSON number in plain digits: 0.0000001, never 1E-7."""
    return msgspec.Raw(f"{value:f}".encode())
