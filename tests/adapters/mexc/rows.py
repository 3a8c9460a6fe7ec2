"""Rows as the venue would send them, with the fields that a test is not about filled in."""

from decimal import Decimal

from adapters.mexc.constants import MexcOrderSide, MexcOrderState, MexcOrderType, MexcPlanState, MexcTriggerType
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow

T0 = 1_764_000_000_000
SYMBOL = "BTC_USDT"


def order_row(
    order_id: str = "1",
    *,
    state: MexcOrderState = MexcOrderState.OPEN,
    vol: int | str = 10,
    dealt: int | str = 0,
    version: int | None = 1,
    ts: int = 0,
    external_oid: str | None = "A",
    price: int | str | None = 100,
    error_code: int = 0,
    symbol: str = SYMBOL,
    order_type: MexcOrderType = MexcOrderType.LIMIT,
    side: MexcOrderSide = MexcOrderSide.OPEN_LONG,
) -> OrderRow:
    """An order's row; `ts` is milliseconds after T0."""
    return OrderRow(
        order_id=order_id,
        symbol=symbol,
        side=side,
        order_type=order_type,
        state=state,
        vol=Decimal(vol),
        deal_vol=Decimal(dealt),
        create_time=T0,
        update_time=T0 + ts,
        external_oid=external_oid,
        price=None if price is None else Decimal(price),
        version=version,
        error_code=error_code,
        category=1,
    )


def deal_row(
    deal_id: str,
    vol: int | str,
    order_id: str = "1",
    *,
    price: int | str = 100,
    external_oid: str | None = "A",
    ts: int = 0,
    symbol: str = SYMBOL,
    side: MexcOrderSide = MexcOrderSide.OPEN_LONG,
) -> DealRow:
    """A fill of one contract size."""
    return DealRow(
        id=deal_id,
        order_id=order_id,
        symbol=symbol,
        side=side,
        vol=Decimal(vol),
        price=Decimal(price),
        fee=Decimal("0.01"),
        fee_currency="USDT",
        timestamp=T0 + ts,
        taker=True,
        external_oid=external_oid,
    )


def plan_row(
    plan_id: str = "P",
    *,
    state: MexcPlanState = MexcPlanState.UNTRIGGERED,
    vol: int | str = 10,
    trigger: int | str = 90,
    price: int | str | None = None,
    order_id: str | None = None,
    ts: int = 0,
    symbol: str = SYMBOL,
    side: MexcOrderSide = MexcOrderSide.CLOSE_LONG,
    order_type: MexcOrderType = MexcOrderType.MARKET,
    trigger_type: MexcTriggerType = MexcTriggerType.AT_OR_BELOW,
    error_code: int = 0,
) -> PlanOrderRow:
    """A trigger order's row."""
    return PlanOrderRow(
        id=plan_id,
        symbol=symbol,
        side=side,
        order_type=order_type,
        state=state,
        vol=Decimal(vol),
        trigger_price=Decimal(trigger),
        trigger_type=trigger_type,
        create_time=T0,
        update_time=T0 + ts,
        price=None if price is None else Decimal(price),
        order_id=order_id,
        error_code=error_code,
    )
