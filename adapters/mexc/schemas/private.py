"""Private payloads of orders: orders, fills, plan and stop orders, and what creating and cancelling is answered with.

A row of a REST reply and the ``data`` of a pushed frame are the same struct; what only one of them has is optional.
Required is what nothing can be done without. Missing is None, never zero. Ids are text, whichever type they came as;
quantities are contracts; times are UNIX milliseconds.

Source: MEXC contract API pages (account and trading, WebSocket) of 2026-04, and recorded payloads.
"""

from decimal import Decimal

from adapters.mexc.constants import (
    MexcMarginMode,
    MexcOrderSide,
    MexcOrderState,
    MexcOrderType,
    MexcPlanState,
    MexcPositionMode,
    MexcPositionType,
    MexcTriggerPrice,
    MexcTriggerType,
)
from adapters.mexc.schemas.payload import Id, Millis, Payload


class OrderRow(Payload, frozen=True):
    """An order: a row of the order queries, and ``push.personal.order``."""

    ids = ("order_id",)
    links = ("position_id",)
    times = ("create_time", "update_time")
    names = ("symbol",)
    oids = ("external_oid",)
    above_zero = ("vol",)
    not_below_zero = ("deal_vol", "remain_vol", "price")

    order_id: Id
    symbol: str
    side: MexcOrderSide
    order_type: MexcOrderType
    state: MexcOrderState
    vol: Decimal
    deal_vol: Decimal
    create_time: Millis
    update_time: Millis
    external_oid: str | None = None
    price: Decimal | None = None
    """Of a market order: the price beyond which the venue protects it."""
    deal_avg_price: Decimal | None = None
    remain_vol: Decimal | None = None
    taker_fee: Decimal | None = None
    maker_fee: Decimal | None = None
    fee_currency: str | None = None
    profit: Decimal | None = None
    order_margin: Decimal | None = None
    used_margin: Decimal | None = None
    position_id: Id | None = None
    position_mode: MexcPositionMode | None = None
    open_type: MexcMarginMode | None = None
    leverage: Decimal | None = None
    category: int | None = None
    error_code: int | None = None
    """Why the venue ended it: see ``MexcOrderErrorCode``."""
    version: int | None = None
    """Grows with every change. One documented sample is without it."""
    reduce_only: bool | None = None


class DealRow(Payload, frozen=True):
    """A fill: a row of the deal queries, and ``push.personal.order.deal``. `fee` is positive when paid."""

    ids = ("id", "order_id")
    times = ("timestamp",)
    names = ("symbol", "fee_currency")
    oids = ("external_oid",)
    above_zero = ("vol", "price")

    id: Id
    order_id: Id
    symbol: str
    side: MexcOrderSide
    vol: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    timestamp: Millis
    taker: bool | None = None
    is_taker: bool | None = None
    """The documentation's name of `taker`; the wire was never seen to use it."""
    external_oid: str | None = None
    profit: Decimal | None = None
    category: int | None = None
    is_self: bool | None = None
    position_mode: MexcPositionMode | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.taker is None and self.is_taker is None:
            raise ValueError("Object missing required field `taker`")  # the decoder's own words, which name the field

    @property
    def took(self) -> bool:
        """Whether this side of the trade was the taker."""
        return bool(self.is_taker if self.taker is None else self.taker)


class PlanOrderRow(Payload, frozen=True):
    """A plan (trigger) order: a row of its list, and ``push.personal.plan.order``."""

    ids = ("id",)
    links = ("order_id",)
    times = ("create_time", "update_time")
    names = ("symbol",)
    above_zero = ("vol", "trigger_price")
    not_below_zero = ("price",)

    id: Id
    symbol: str
    side: MexcOrderSide
    order_type: MexcOrderType
    state: MexcPlanState
    vol: Decimal
    trigger_price: Decimal
    trigger_type: MexcTriggerType
    create_time: Millis
    update_time: Millis
    price: Decimal | None = None
    trend: MexcTriggerPrice | None = None
    execute_cycle: int | None = None
    """Hours."""
    order_id: Id | None = None
    """The order that it became, once executed."""
    error_code: int | None = None
    open_type: MexcMarginMode | None = None
    leverage: Decimal | None = None
    position_mode: MexcPositionMode | None = None
    reduce_only: bool | None = None


class StopOrderRow(Payload, frozen=True):
    """Take-profit and stop bound to a position: a row of its list, and ``push.personal.stop.planorder``."""

    ids = ("id",)
    links = ("order_id", "position_id", "place_order_id")
    times = ("create_time", "update_time")

    id: Id
    symbol: str
    state: MexcPlanState
    position_type: MexcPositionType
    vol: Decimal
    create_time: Millis
    update_time: Millis
    order_id: Id | None = None
    position_id: Id | None = None
    place_order_id: Id | None = None
    """The order that it became."""
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: MexcTriggerPrice | None = None
    profit_trend: MexcTriggerPrice | None = None
    trigger_side: int | None = None
    """0 not triggered, 1 take-profit, 2 stop."""
    reality_vol: Decimal | None = None
    error_code: int | None = None
    version: int | None = None
    is_finished: int | None = None


class StopOrderPush(Payload, frozen=True):
    """``push.personal.stop.order``: take-profit and stop attached to a resting order have changed."""

    links = ("order_id",)

    symbol: str
    order_id: Id | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: MexcTriggerPrice | None = None
    profit_trend: MexcTriggerPrice | None = None


class CreateReply(Payload, frozen=True):
    """What a new order is answered with. `ts` is the venue's time."""

    ids = ("order_id",)
    times = ("ts",)

    order_id: Id
    ts: Millis | None = None


class CancelResult(Payload, frozen=True):
    """The venue's answer for one order of a batch. The envelope says success even when rows do not."""

    links = ("order_id",)

    error_code: int
    order_id: Id | None = None
    external_oid: str | None = None
    error_msg: str = ""


class ChaseFailure(Payload, frozen=True):
    """``push.personal.order.chase``: an order could not follow the book."""

    ec: int
    s: str
