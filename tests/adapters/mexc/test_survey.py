"""A picture of the account that fits together, taken while the account goes on."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from adapters.mexc import survey
from adapters.mexc.account_reader import Span
from adapters.mexc.constants import MexcOrderState, MexcPlanState
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import PositionRow
from adapters.mexc.survey import UnsteadyAccountError, take_survey
from tests.adapters.mexc.rows import T0, deal_row, order_row, plan_row
from tests.adapters.mexc.test_position_check import row as position_row

SPAN = Span(T0 - 1000, T0 + 1000)


class Reader:
    """Answers what it was given. `positions_then` are given one by one, the last again and again."""

    def __init__(self, **given: Any) -> None:
        self.open: list[OrderRow] = given.get("open", [])
        self.past: list[OrderRow] = given.get("past", [])
        self.all_plans: list[PlanOrderRow] = given.get("plans", [])
        self.all_deals: list[DealRow] = given.get("deals", [])
        self.positions_then: list[list[PositionRow]] = given.get("positions", [[]])
        self.asked = 0

    async def positions(self) -> list[PositionRow]:
        self.asked += 1
        return self.positions_then.pop(0) if len(self.positions_then) > 1 else self.positions_then[0]

    async def open_orders(self) -> list[OrderRow]:
        return self.open

    async def past_orders(self, span: Span) -> list[OrderRow]:
        return self.past

    async def plans(self, span: Span, **more: Any) -> list[PlanOrderRow]:
        return self.all_plans

    async def deals(self, symbol: str, span: Span) -> list[DealRow]:
        return [deal for deal in self.all_deals if span.start_ms <= deal.timestamp <= span.end_ms]

    async def deals_of(self, order_id: str) -> list[DealRow]:
        return [deal for deal in self.all_deals if deal.order_id == order_id]

    async def order(self, order_id: str) -> OrderRow | None:
        return next((row for row in [*self.past, *self.open] if row.order_id == order_id), None)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "PAUSE_SECONDS", 0.0)


def taken(reader: Reader) -> survey.Survey:
    return asyncio.run(take_survey(reader, SPAN))  # type: ignore[arg-type]


def test_position_that_moves_meanwhile_is_read_anew() -> None:
    """A position newer than the fills would make Nautilus invent the difference."""
    reader = Reader(positions=[[], [position_row(2)], [position_row(2)], [position_row(2)]])
    assert taken(reader).positions == [position_row(2)]
    assert reader.asked == 4


def test_account_that_never_stands_still_is_an_error() -> None:
    reader = Reader(positions=[[position_row(vol)] for vol in range(40)])
    with pytest.raises(UnsteadyAccountError, match="positions moved"):
        taken(reader)


def test_missing_fills_are_an_error_not_a_guess() -> None:
    with pytest.raises(UnsteadyAccountError, match="fills add up to 2 where the venue says 5"):
        taken(Reader(open=[order_row("7", dealt=5)], deals=[deal_row("x", 2, "7")]))


def test_newer_row_of_an_order_that_moved_between_two_lists() -> None:
    """Open in the first list, filled in the second."""
    reader = Reader(
        open=[order_row("7", version=1)],
        past=[order_row("7", version=2, state=MexcOrderState.FILLED, dealt=10)],
        deals=[deal_row("x", 10, "7")],
    )
    (order,) = taken(reader).orders
    assert order.filled == 10


def test_fills_from_before_the_span_of_an_order_that_still_rests() -> None:
    """They are asked for by the order's id."""
    reader = Reader(open=[order_row("7", dealt=4)], deals=[deal_row("x", 4, "7", ts=-90_000)])
    assert taken(reader).orders[0].filled == Decimal(4)


def test_what_a_trigger_order_became_is_part_of_it() -> None:
    plan = plan_row("5", state=MexcPlanState.EXECUTED, order_id="7")
    reader = Reader(
        plans=[plan], past=[order_row("7", state=MexcOrderState.FILLED, dealt=10)], deals=[deal_row("x", 10, "7")]
    )
    (order,) = taken(reader).orders
    assert (order.id, order.filled) == ("5", 10)


def test_orders_come_in_the_order_of_their_first_fills() -> None:
    """A stop that was placed before the entry which it closed comes after it."""
    plan = plan_row("5", state=MexcPlanState.EXECUTED, order_id="7")
    reader = Reader(
        plans=[plan],
        past=[
            order_row("7", state=MexcOrderState.FILLED, dealt=10),
            order_row("6", state=MexcOrderState.FILLED, dealt=10),
        ],
        deals=[deal_row("x", 10, "7", ts=9), deal_row("y", 10, "6", ts=8)],
    )
    assert [order.id for order in taken(reader).orders] == ["6", "5"]
