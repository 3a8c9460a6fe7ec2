"""The endpoints of plan orders and of TP/SL orders."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.loopback.matching.order import ZERO, Kind
from adapters.loopback.matching.position import Position
from adapters.loopback.matching.trigger_desk import STOP_LOSS, TAKE_PROFIT, closing_request, protective_conditions
from adapters.loopback.matching.triggers import Condition, Direction, PriceKind, Trigger
from adapters.loopback.mexc.calls import NO_DATA, Call, Route, page
from adapters.loopback.mexc.codes import (
    NO_STOP_ORDER,
    NO_STOP_PRICES,
    PARAMETER,
    PRICE_KINDS,
    TOO_MANY_CANCELS,
    TRIGGER_STATE_CODES,
    ApiError,
)
from adapters.loopback.mexc.limits import CREATE, PRIVATE, STOP_PLACE
from adapters.loopback.mexc.order_fields import new_order
from adapters.loopback.mexc.trigger_rows import HOUR_MS, is_plan, level_of, plan_row, stop_row
from adapters.loopback.mexc.wire import integer, number, required, text

PREFIX = "/api/v1/private"
LARGEST_BATCH = 50
READS_TRADES, TRADES = 703, 704
TRIGGER_PRICE_TYPE, TRIGGER_TYPE, CYCLE = 3001, 3002, 3003
CYCLES_H = {1: 24, 2: 7 * 24, 3: 87_600}
"""By the code of `executeCycle`; what lives longest has code 3 and reads back as 87,600 hours."""
MORE_THAN_HELD = 5004
WRONG_STOP_PRICES = 5003
NO_POSITION = 2009


def place_plan(call: Call) -> str:
    return str(_place_plan(call).id)


def place_plan_v1(call: Call) -> int:
    """The older endpoint: the same, answered by a bare number."""
    return _place_plan(call).id


def change_plan_price(call: Call) -> Any:
    """Another trigger price, and another price of the order."""
    trigger = _find(call, required(integer(call.fields, "orderId"), "orderId"), plan=True)
    old = trigger.conditions[0]
    condition = Condition(
        required(number(call.fields, "triggerPrice"), "triggerPrice"),
        _price_kind(integer(call.fields, "trend")) if "trend" in call.fields else old.kind,
        _direction(integer(call.fields, "triggerType")) if "triggerType" in call.fields else old.direction,
    )
    price = number(call.fields, "price")
    request = trigger.request
    if price is not None and request.kind is not Kind.MARKET:
        request = replace(request, price=price)
    call.venue.exchange.triggers.amend(call.account_id, trigger.id, (condition,), request)
    return NO_DATA


def cancel_plans(call: Call) -> Any:
    """An array of {symbol, orderId}: all or, where one is not there, an error."""
    _cancel(call, "orderId", plan=True)
    return NO_DATA


def cancel_all_plans(call: Call) -> Any:
    _cancel_all(call, plan=True)
    return NO_DATA


def list_plans(call: Call) -> list[dict[str, Any]]:
    """Newest first; a bare list."""
    rows = [plan_row(trigger, call.account) for trigger in _chosen(call) if is_plan(trigger)]
    return page(call, rows)


def place_stop(call: Call) -> Any:
    """TP/SL of a position."""
    position = _position(call)
    conditions = _protection(call, position)
    vol = number(call.fields, "vol") or ZERO
    if integer(call.fields, "volType") == 2:
        vol = ZERO  # all that is held then
    if vol > position.vol:
        raise ApiError(MORE_THAN_HELD, "More than can be closed")
    request = closing_request(call.account_id, position.symbol, position.side, vol)
    request = replace(request, margin_mode=position.margin_mode)
    trigger = call.venue.exchange.triggers.place(request, conditions, position_id=position.id)
    return trigger.id


def change_stop(call: Call) -> Any:
    """Other prices for a TP/SL order; what is not sent stays."""
    trigger = _find(call, required(integer(call.fields, "stopPlanOrderId"), "stopPlanOrderId"), plan=False)
    _change_protection(call, trigger)
    return NO_DATA


def change_stop_of_order(call: Call) -> Any:
    """Other prices for the TP/SL that came with an order."""
    order_id = required(integer(call.fields, "orderId"), "orderId")
    waiting = call.venue.exchange.triggers.waiting(call.account_id)
    trigger = next((t for t in waiting if t.parent_id == order_id), None)
    if trigger is None:
        raise ApiError(NO_STOP_ORDER)
    _change_protection(call, trigger)
    return NO_DATA


def cancel_stops(call: Call) -> Any:
    """An array of {stopPlanOrderId}."""
    _cancel(call, "stopPlanOrderId", plan=False)
    return NO_DATA


def cancel_all_stops(call: Call) -> Any:
    _cancel_all(call, plan=False)
    return NO_DATA


def open_stops(call: Call) -> list[dict[str, Any]]:
    symbol = call.query.get("symbol") or None
    waiting = call.venue.exchange.triggers.waiting(call.account_id, symbol)
    return [stop_row(trigger) for trigger in waiting if not is_plan(trigger)]


def list_stops(call: Call) -> list[dict[str, Any]]:
    finished = integer(call.query, "is_finished")
    rows = [stop_row(trigger) for trigger in _chosen(call) if not is_plan(trigger)]
    return page(call, [row for row in rows if finished in (None, row["isFinished"])])


def _place_plan(call: Call) -> Trigger:
    fields = call.fields
    request = new_order(call.venue, call.account, fields | {"externalOid": None}, type_key="orderType")
    condition = Condition(
        required(number(fields, "triggerPrice"), "triggerPrice"),
        _price_kind(integer(fields, "trend")),
        _direction(integer(fields, "triggerType")),
    )
    hours = CYCLES_H.get(integer(fields, "executeCycle") or 0)
    if hours is None:
        raise ApiError(CYCLE, "Execute cycle error")
    return call.venue.exchange.triggers.place(request, (condition,), lifetime_ms=hours * HOUR_MS)


def _price_kind(code: int | None) -> PriceKind:
    kind = PRICE_KINDS.get(code or 0)
    if kind is None:
        raise ApiError(TRIGGER_PRICE_TYPE, "Trigger price type error")
    return kind


def _direction(code: int | None) -> Direction:
    if code not in (1, 2):
        raise ApiError(TRIGGER_TYPE, "Trigger type error")
    return Direction.AT_OR_ABOVE if code == 1 else Direction.AT_OR_BELOW


def _find(call: Call, trigger_id: int, *, plan: bool) -> Trigger:
    trigger = call.venue.exchange.triggers.find(call.account_id, trigger_id)
    if is_plan(trigger) is not plan:
        raise ApiError(NO_STOP_ORDER)
    return trigger


def _cancel(call: Call, key: str, *, plan: bool) -> None:
    if len(call.items) > LARGEST_BATCH:
        raise ApiError(TOO_MANY_CANCELS)
    wanted = [_find(call, _id_of(item, key), plan=plan) for item in call.items]
    for trigger in wanted:
        call.venue.exchange.triggers.cancel(call.account_id, trigger.id)


def _id_of(item: Any, key: str) -> int:
    if not isinstance(item, dict):
        raise ApiError(PARAMETER)
    return required(integer(item, key), key)


def _cancel_all(call: Call, *, plan: bool) -> None:
    symbol = text(call.fields, "symbol") or None
    for trigger in call.venue.exchange.triggers.waiting(call.account_id, symbol):
        if is_plan(trigger) is plan:
            call.venue.exchange.triggers.cancel(call.account_id, trigger.id)


def _chosen(call: Call) -> list[Trigger]:
    """Triggers of the account by symbol, states and time of creation, newest first."""
    symbol = call.query.get("symbol")
    states = {int(part) for part in str(call.query.get("states", "")).split(",") if part.isdigit()}
    start = integer(call.query, "start_time") or 0
    end = integer(call.query, "end_time") or 2**63
    chosen = [
        trigger
        for trigger in call.venue.exchange.triggers.all.values()
        if trigger.account == call.account_id
        and (not symbol or trigger.symbol == symbol)
        and (not states or TRIGGER_STATE_CODES[trigger.state] in states)
        and start <= trigger.created_ms <= end
    ]
    return chosen[::-1]


def _position(call: Call) -> Position:
    position_id = required(integer(call.fields, "positionId"), "positionId")
    position = next((p for p in call.account.positions if p.id == position_id), None)
    if position is None:
        raise ApiError(NO_POSITION, "Position does not exist or is closed")
    return position


def _protection(call: Call, position: Position) -> tuple[Condition, ...]:
    loss, profit = number(call.fields, "stopLossPrice"), number(call.fields, "takeProfitPrice")
    if loss is None and profit is None:
        raise ApiError(NO_STOP_PRICES)
    _check_sides(position, loss, profit)
    return protective_conditions(
        position.side,
        loss,
        profit,
        loss_kind=_price_kind(integer(call.fields, "lossTrend") or 1),
        profit_kind=_price_kind(integer(call.fields, "profitTrend") or 1),
    )


def _check_sides(position: Position, loss: Decimal | None, profit: Decimal | None) -> None:
    """A stop loss lies on the losing side of a take profit."""
    if loss is not None and profit is not None and (profit - loss) * position.side <= 0:
        raise ApiError(WRONG_STOP_PRICES, "Stop loss and take profit are the wrong way round")


def _change_protection(call: Call, trigger: Trigger) -> None:
    kinds = {condition.label: condition.kind for condition in trigger.conditions}
    loss = number(call.fields, "stopLossPrice")
    profit = number(call.fields, "takeProfitPrice")
    if loss is None and profit is None:
        raise ApiError(NO_STOP_PRICES)
    conditions = protective_conditions(
        trigger.request.side.opposite,
        loss if loss is not None else level_of(trigger, STOP_LOSS),
        profit if profit is not None else level_of(trigger, TAKE_PROFIT),
        loss_kind=kinds.get(STOP_LOSS, PriceKind.LAST),
        profit_kind=kinds.get(TAKE_PROFIT, PriceKind.LAST),
    )
    call.venue.exchange.triggers.amend(call.account_id, trigger.id, conditions)


ROUTES = (
    Route("POST", f"{PREFIX}/planorder/place/v2", place_plan, CREATE, TRADES),
    Route("POST", f"{PREFIX}/planorder/place", place_plan_v1, CREATE, TRADES),
    Route("POST", f"{PREFIX}/planorder/change_price", change_plan_price, CREATE, TRADES),
    Route("POST", f"{PREFIX}/planorder/cancel", cancel_plans, PRIVATE, TRADES),
    Route("POST", f"{PREFIX}/planorder/cancel_all", cancel_all_plans, PRIVATE, TRADES),
    Route("GET", f"{PREFIX}/planorder/list/orders", list_plans, PRIVATE, READS_TRADES),
    Route("POST", f"{PREFIX}/stoporder/place", place_stop, STOP_PLACE, TRADES),
    Route("POST", f"{PREFIX}/stoporder/change_plan_price", change_stop, CREATE, TRADES),
    Route("POST", f"{PREFIX}/stoporder/change_price", change_stop_of_order, CREATE, TRADES),
    Route("POST", f"{PREFIX}/stoporder/cancel", cancel_stops, PRIVATE, TRADES),
    Route("POST", f"{PREFIX}/stoporder/cancel_all", cancel_all_stops, PRIVATE, TRADES),
    Route("GET", f"{PREFIX}/stoporder/open_orders", open_stops, PRIVATE, READS_TRADES),
    Route("GET", f"{PREFIX}/stoporder/list/orders", list_stops, PRIVATE, READS_TRADES),
)
