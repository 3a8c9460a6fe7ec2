"""How an order ended, by the venue's state and error code. Pure."""

from adapters.mexc.constants import MexcOrderErrorCode, MexcOrderState, MexcPlanState
from adapters.mexc.order_events import End, Ended
from adapters.mexc.schemas.private import OrderRow, PlanOrderRow

OVER = (MexcOrderState.FILLED, MexcOrderState.CANCELLED, MexcOrderState.INVALID)
"""States after which nothing more can happen."""


def end_of_order(key: str, row: OrderRow) -> Ended:
    """The end that a row in one of the states `OVER` tells of."""
    reason = order_error(row.error_code)
    if row.state is MexcOrderState.FILLED:
        how, reason = End.CANCELLED, "reduced to what was filled"
    elif row.state is MexcOrderState.INVALID:
        how = End.REJECTED
    elif row.error_code == MexcOrderErrorCode.POST_ONLY_CANCEL:
        how = End.POST_ONLY
    else:
        how = End.CANCELLED
    return Ended(key, None, how, reason, row.update_time)


def end_of_plan(key: str, row: PlanOrderRow) -> Ended:
    """The end of a plan that was cancelled, has expired, or could not be executed."""
    how = {MexcPlanState.EXPIRED: End.EXPIRED, MexcPlanState.FAILED: End.REJECTED}.get(row.state, End.CANCELLED)
    return Ended(key, None, how, order_error(row.error_code), row.update_time)


def order_error(code: int | None) -> str:
    """An order's ``errorCode`` in words."""
    if not code:
        return "no reason given"
    try:
        return f"{MexcOrderErrorCode(code).name.lower().replace('_', ' ')} ({code})"
    except ValueError:
        return f"code {code}"
