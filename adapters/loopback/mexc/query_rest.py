"""The endpoints that tell of orders and fills."""

from collections.abc import Iterable
from typing import Any

from adapters.loopback.matching.ledger import FillEntry
from adapters.loopback.matching.order import Order, Reason
from adapters.loopback.mexc.calls import NO_DATA, Call, Route, page
from adapters.loopback.mexc.codes import PARAMETER, REFUSALS, STATE_CODES, TOO_MANY_QUERIED, ApiError
from adapters.loopback.mexc.limits import PRIVATE, STOP_PLACE
from adapters.loopback.mexc.rows import deal_row, order_row
from adapters.loopback.mexc.wire import integer, text

PREFIX = "/api/v1/private/order"
LARGEST_BATCH = 50
LARGEST_DEAL_PAGE = 1_000
MAY_READ_TRADES = 703


def get_order(call: Call) -> dict[str, Any]:
    order = _own(call, call.path["order_id"])
    if order is None:
        raise ApiError(*REFUSALS[Reason.NO_ORDER])
    return _row(call, order)


def get_external(call: Call) -> Any:
    """By external id; a success without data where the venue does not know it."""
    market = call.venue.market(call.path["symbol"])
    order = call.account.client_ids.get((market.symbol, call.path["external_oid"]))
    return _row(call, order) if order is not None else NO_DATA


def batch_query(call: Call) -> list[dict[str, Any]]:
    """Those of `order_ids` that exist."""
    ids = [part for part in str(call.query.get("order_ids", "")).split(",") if part]
    if len(ids) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_QUERIED)
    return [_row(call, order) for order in (_own(call, order_id) for order_id in ids) if order is not None]


def batch_query_with_external(call: Call) -> list[dict[str, Any]]:
    """Those of an array of {symbol, externalOid} that exist."""
    if len(call.items) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_QUERIED)
    keys = [(text(item, "symbol"), text(item, "externalOid")) for item in call.items if isinstance(item, dict)]
    found = (call.account.client_ids.get(key) for key in keys)
    return [_row(call, order) for order in found if order is not None]


def open_orders(call: Call) -> list[dict[str, Any]]:
    """Open ones, newest first; a bare list."""
    symbol = call.path.get("symbol") or call.query.get("symbol")
    orders = [o for o in call.account.open_orders.values() if not symbol or o.request.symbol == symbol]
    return [_row(call, order) for order in page(call, _newest_first(orders))]


def open_order_count(call: Call) -> int:
    return len(call.account.open_orders)


def history_orders(call: Call) -> list[dict[str, Any]]:
    """Orders that are done, newest first; a bare list. Times bound the creation."""
    states = {int(part) for part in str(call.query.get("states", "")).split(",") if part.isdigit()} or {3, 4, 5}
    symbol, side = call.query.get("symbol"), integer(call.query, "side")
    start, end = _span(call)
    chosen = [
        order
        for order in call.venue.exchange.orders.values()
        if order.request.account == call.account_id
        and STATE_CODES[order.state] in states
        and (not symbol or order.request.symbol == symbol)
        and start <= order.created_ms <= end
    ]
    rows = [_row(call, order) for order in _newest_first(chosen)]
    return page(call, [row for row in rows if side is None or row["side"] == side])


def deal_details(call: Call) -> list[dict[str, Any]]:
    """The fills of one order, oldest first."""
    order = _own(call, call.path["order_id"])
    if order is None:
        raise ApiError(*REFUSALS[Reason.NO_ORDER])
    return [deal_row(fill, call.account) for fill in _fills(call) if fill.order_id == order.id]


def order_deals(call: Call) -> list[dict[str, Any]]:
    """Fills, newest first; a bare list."""
    symbol, (start, end) = call.query.get("symbol"), _span(call)
    chosen = [f for f in _fills(call) if (not symbol or f.symbol == symbol) and start <= f.ts_ms <= end]
    return [deal_row(fill, call.account) for fill in page(call, chosen[::-1], LARGEST_DEAL_PAGE)]


def _row(call: Call, order: Order) -> dict[str, Any]:
    return order_row(order, call.account, call.venue.exchange.markets[order.request.symbol])


def _own(call: Call, order_id: str) -> Order | None:
    if not order_id.isdigit():
        raise ApiError(PARAMETER, "order ids are numbers")
    order = call.venue.exchange.orders.get(int(order_id))
    return order if order is not None and order.request.account == call.account_id else None


def _fills(call: Call) -> list[FillEntry]:
    return call.venue.exchange.ledger.fills(call.account_id)


def _newest_first(orders: Iterable[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: order.id, reverse=True)


def _span(call: Call) -> tuple[int, int]:
    """`start_time` and `end_time` in ms; also by their names in camel case, which the documentation uses here."""
    start = integer(call.query, "start_time") or integer(call.query, "startTime") or 0
    end = integer(call.query, "end_time") or integer(call.query, "endTime") or 2**63
    return start, end


ROUTES = (
    Route("GET", f"{PREFIX}/get/{{order_id}}", get_order, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/external/{{symbol}}/{{external_oid}}", get_external, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/batch_query", batch_query, STOP_PLACE, MAY_READ_TRADES),
    Route("POST", f"{PREFIX}/batch_query_with_external", batch_query_with_external, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/list/open_orders", open_orders, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/list/open_orders/{{symbol}}", open_orders, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/open_order_total_count", open_order_count, PRIVATE, MAY_READ_TRADES),
    Route("POST", f"{PREFIX}/open_order_total_count", open_order_count, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/list/history_orders", history_orders, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/deal_details/{{order_id}}", deal_details, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/list/order_deals", order_deals, PRIVATE, MAY_READ_TRADES),
    Route("GET", f"{PREFIX}/list/order_deals/v3", order_deals, PRIVATE, MAY_READ_TRADES),
)
