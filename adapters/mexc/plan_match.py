"""Recognising a trigger order by its content: it has no client id, so nothing else tells that it is ours. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from adapters.mexc.assumptions import SIGNATURE_TOLERANCE_SECONDS
from adapters.mexc.schemas.private import PlanOrderRow

type Content = tuple[str, int, int, Decimal, Decimal, int, Decimal | None]


def content_of(body: Mapping[str, Any]) -> Content:
    """What identifies the trigger order that a request asks for."""
    price = body.get("price")
    return (
        body["symbol"],
        body["side"],
        body["orderType"],
        _decimal(body["vol"]),
        _decimal(body["triggerPrice"]),
        body["triggerType"],
        None if price is None else _decimal(price),
    )


def find_plan(
    rows: Iterable[PlanOrderRow], content: Content, signed_ms: int, taken: Iterable[str]
) -> PlanOrderRow | None:
    """The oldest row of this content that is nobody's yet and is not older than the request (`signed_ms`)."""
    not_before = signed_ms - round(SIGNATURE_TOLERANCE_SECONDS * 1000)
    ours = set(taken)
    found = [
        row for row in rows if row.id not in ours and row.create_time >= not_before and content_of_row(row) == content
    ]
    return min(found, key=lambda row: (row.create_time, len(row.id), row.id), default=None)


def content_of_row(row: PlanOrderRow) -> Content:
    """The same of a trigger order that is there."""
    return (
        row.symbol,
        int(row.side),
        int(row.order_type),
        row.vol,
        row.trigger_price,
        int(row.trigger_type),
        row.price or None,
    )


def _decimal(value: Any) -> Decimal:
    return Decimal(bytes(value).decode())
