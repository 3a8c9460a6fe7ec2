"""The endpoints of plain orders: place, change, cancel."""

from dataclasses import replace
from typing import Any

from adapters.loopback.matching.order import NewOrder, Order, Refused
from adapters.loopback.mexc.calls import NO_DATA, Call, Route
from adapters.loopback.mexc.codes import (
    NO_ACCESS,
    PARAMETER,
    REFUSALS,
    TOO_MANY_CANCELS,
    TOO_MANY_IN_BATCH,
    ApiError,
)
from adapters.loopback.mexc.limits import CREATE, PRIVATE
from adapters.loopback.mexc.order_fields import new_order
from adapters.loopback.mexc.wire import integer, number, required, text

PREFIX = "/api/v1/private/order"
LARGEST_BATCH = 50
MAY_TRADE = 704


def create(call: Call) -> dict[str, Any]:
    order = _submit(call, new_order(call.venue, call.account, call.fields))
    return {"orderId": str(order.id), "ts": order.created_ms}


def create_batch(call: Call) -> list[dict[str, Any]]:
    """One row an order, each with its own outcome. For market makers only."""
    if not call.venue.assumptions.market_maker:
        raise ApiError(NO_ACCESS)
    if len(call.items) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_IN_BATCH)
    return [_create_row(call, fields) for fields in call.items]


def change_limit_order(call: Call) -> str:
    """Amend; the answer is the id of the order that works now."""
    order_id = required(integer(call.fields, "orderId"), "orderId")
    price = required(number(call.fields, "price"), "price")
    vol = required(number(call.fields, "vol"), "vol")
    if call.venue.assumptions.amend_keeps_id:
        return str(call.venue.exchange.amend(call.account_id, order_id, price, vol).id)
    old = call.venue.exchange.cancel(call.account_id, order_id)
    renewed = replace(old.request, price=price, vol=vol - old.filled, client_id="")
    return str(_submit(call, renewed).id)


def cancel(call: Call) -> list[dict[str, Any]]:
    """One row an id, in the order asked: the envelope is a success whatever they say. Ids come back as numbers."""
    if len(call.items) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_CANCELS)
    return [_cancel_row(call, _id(item)) for item in call.items]


def cancel_with_external(call: Call) -> list[dict[str, Any]]:
    """By external id: an array of {symbol, externalOid}, or one of them alone."""
    wanted = call.body if isinstance(call.body, list) else [call.fields]
    if len(wanted) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_CANCELS)
    return [_cancel_external_row(call, item) for item in wanted]


def cancel_all(call: Call) -> Any:
    symbol = text(call.fields, "symbol")
    call.venue.exchange.cancel_all(call.account_id, call.venue.market(symbol).symbol if symbol else None)
    return NO_DATA


def _submit(call: Call, request: NewOrder) -> Order:
    if not request.client_id:
        request = replace(request, client_id=call.venue.make_client_id())
    return call.venue.exchange.submit(request)


def _create_row(call: Call, fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise ApiError(PARAMETER)
    row = {"externalOid": fields.get("externalOid", "")}
    try:
        order = _submit(call, new_order(call.venue, call.account, fields))
    except Refused as refusal:
        code, message = REFUSALS[refusal.reason]
        return row | {"errorCode": code, "errorMsg": message}
    except ApiError as error:
        return row | {"errorCode": error.code, "errorMsg": error.message}
    return row | {"orderId": order.id, "errorCode": 0, "errorMsg": "success"}


def _cancel_row(call: Call, order_id: int) -> dict[str, Any]:
    try:
        call.venue.exchange.cancel(call.account_id, order_id)
    except Refused as refusal:
        code, message = REFUSALS[refusal.reason]
        return {"orderId": order_id, "errorCode": code, "errorMsg": message}
    return {"orderId": order_id, "errorCode": 0, "errorMsg": "success"}


def _cancel_external_row(call: Call, item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise ApiError(PARAMETER)
    symbol, external = text(item, "symbol"), text(item, "externalOid")
    order = call.account.client_ids.get((call.venue.market(symbol).symbol, external))
    row = _cancel_row(call, order.id if order is not None else 0)
    return row | {"symbol": symbol, "externalOid": external}


def _id(item: Any) -> int:
    """An id as a number or as text. Raises ApiError for anything else."""
    if isinstance(item, bool) or not (isinstance(item, int) or (isinstance(item, str) and item.isdigit())):
        raise ApiError(PARAMETER, "order ids are numbers")
    return int(item)


ROUTES = (
    Route("POST", f"{PREFIX}/create", create, CREATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/submit_batch", create_batch, CREATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/change_limit_order", change_limit_order, CREATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/cancel", cancel, PRIVATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/cancel_with_external", cancel_with_external, PRIVATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/batch_cancel_with_external", cancel_with_external, PRIVATE, MAY_TRADE),
    Route("POST", f"{PREFIX}/cancel_all", cancel_all, PRIVATE, MAY_TRADE),
)
