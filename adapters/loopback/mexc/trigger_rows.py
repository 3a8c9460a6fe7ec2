"""Trigger orders as MEXC writes them: plan orders, which wait for a price, and TP/SL orders, bound to a position."""

from decimal import Decimal
from typing import Any

from adapters.loopback.matching.account import Account
from adapters.loopback.matching.order import ZERO
from adapters.loopback.matching.trigger_desk import STOP_LOSS, TAKE_PROFIT
from adapters.loopback.matching.triggers import Direction, Trigger, TriggerState
from adapters.loopback.mexc.codes import (
    KIND_CODES,
    MARGIN_MODE_CODES,
    ORDER_ERRORS,
    POSITION_MODE_CODES,
    POSITION_TYPE_CODES,
    PRICE_KIND_CODES,
    SIDE_CODES,
    TRIGGER_STATE_CODES,
)
from adapters.loopback.mexc.wire import plain

HOUR_MS = 3_600_000
LONGEST_CYCLE_H = 87_600


def is_plan(trigger: Trigger) -> bool:
    """Plan orders stand alone; the others are bound to a position or came with an order."""
    return not (trigger.position_id or trigger.parent_id)


def plan_row(trigger: Trigger, account: Account) -> dict[str, Any]:
    """A plan order; its price is there for limit types only, its order's id once it has one."""
    request, condition = trigger.request, trigger.conditions[0]
    row: dict[str, Any] = {
        "id": str(trigger.id),
        "symbol": trigger.symbol,
        "leverage": request.leverage or 0,
        "side": SIDE_CODES[request.side, request.effect],
        "triggerPrice": plain(condition.price),
    }
    if request.price is not None:
        row["price"] = plain(request.price)
    row |= {
        "vol": plain(request.vol),
        "openType": MARGIN_MODE_CODES[request.margin_mode],
        "triggerType": 1 if condition.direction is Direction.AT_OR_ABOVE else 2,
        "state": TRIGGER_STATE_CODES[trigger.state],
        "executeCycle": min(LONGEST_CYCLE_H, (trigger.expires_ms - trigger.created_ms) // HOUR_MS),
        "trend": PRICE_KIND_CODES[condition.kind],
        "orderType": request.extras.get("type", KIND_CODES[request.kind]),
        "errorCode": error_code(trigger),
        "priceProtect": 0,
        "createTime": trigger.created_ms,
        "updateTime": trigger.updated_ms,
        "positionMode": request.extras.get("positionMode", POSITION_MODE_CODES[account.position_mode]),
        "lossTrend": 1,
        "profitTrend": 1,
        "reduceOnly": bool(request.extras.get("reduceOnly", 0)),
    }
    if trigger.order_id:
        row["orderId"] = str(trigger.order_id)
    return row


def plan_push(trigger: Trigger, account: Account) -> dict[str, Any]:
    """The data of `push.personal.plan.order`."""
    row = {key: value for key, value in plan_row(trigger, account).items() if key not in ("errorCode", "priceProtect")}
    if trigger.state is TriggerState.FAILED:
        row["errorCode"] = error_code(trigger)
    return row | {"ensureStopLoss": 0, "extraTakerFeeRate": 0}


def stop_row(trigger: Trigger) -> dict[str, Any]:
    """A TP/SL order; ids of other things are text here, its own is a number."""
    loss, profit = level_of(trigger, STOP_LOSS), level_of(trigger, TAKE_PROFIT)
    kinds = {condition.label: PRICE_KIND_CODES[condition.kind] for condition in trigger.conditions}
    vol = plain(trigger.request.vol)
    row: dict[str, Any] = {
        "id": trigger.id,
        "orderId": str(trigger.parent_id),
        "symbol": trigger.symbol,
        "positionId": str(trigger.position_id),
        "lossTrend": kinds.get(STOP_LOSS, 1),
        "profitTrend": kinds.get(TAKE_PROFIT, 1),
    }
    if loss is not None:
        row["stopLossPrice"] = plain(loss)
    if profit is not None:
        row["takeProfitPrice"] = plain(profit)
    return row | {
        "state": TRIGGER_STATE_CODES[trigger.state],
        "triggerSide": _trigger_side(trigger),
        "positionType": POSITION_TYPE_CODES[trigger.request.side.opposite],
        "vol": vol,
        "realityVol": vol if trigger.order_id else ZERO,
        "placeOrderId": str(trigger.order_id),
        "errorCode": error_code(trigger),
        "version": trigger.version,
        "isFinished": int(not trigger.is_waiting),
        "priceProtect": 0,
        "profitLossVolType": "SAME",
        "takeProfitVol": vol,
        "stopLossVol": vol,
        "createTime": trigger.created_ms,
        "updateTime": trigger.updated_ms,
        "volType": 1 if vol else 2,
        "takeProfitReverse": 2,
        "stopLossReverse": 2,
        "closeTryTimes": 0,
        "reverseTryTimes": 0,
        "reverseErrorCode": 0,
        "takeProfitType": 0,
    }


def stop_order_push(trigger: Trigger) -> dict[str, Any]:
    """The data of `push.personal.stop.order`: TP/SL prices that came with an order."""
    row = stop_row(trigger)
    keys = ("symbol", "lossTrend", "profitTrend", "stopLossPrice", "takeProfitPrice")
    return {"orderId": trigger.parent_id} | {key: row[key] for key in keys if key in row}


def level_of(trigger: Trigger, label: str) -> Decimal | None:
    """The trigger price of one of the two conditions, if it has that one."""
    return next((c.price for c in trigger.conditions if c.label == label), None)


def error_code(trigger: Trigger) -> int:
    return ORDER_ERRORS.get(trigger.refusal, 1) if trigger.refusal is not None else 0


def _trigger_side(trigger: Trigger) -> int:
    """0 not met, 1 profit, 2 loss."""
    if trigger.met is None:
        return 0
    return 1 if trigger.met.label == TAKE_PROFIT else 2
