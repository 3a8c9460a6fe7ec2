"""The whole account at one moment: orders with their fills, and positions that fit them.

REST answers one question at a time while the account goes on. A position that is newer than the fills would make
Nautilus invent the difference, and the real fill would come on top of it. So positions are read before and after, and
everything is read anew until nothing has moved in between.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from adapters.mexc.account_reader import AccountReader, Span
from adapters.mexc.constants import MexcPlanState
from adapters.mexc.errors import MexcError
from adapters.mexc.reports import VenueOrder, first_fills
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import PositionRow

TRIES = 10
PAUSE_SECONDS = 0.2
DAY_MS = 86_400_000
PLAN_LIFE_DAYS = 8


class UnsteadyAccountError(MexcError):
    """The account kept moving, or fills are missing: no picture of it fits together."""


@dataclass(frozen=True)
class Survey:
    """What the account had. Orders are in the order of their first fills, those without by their creation."""

    orders: list[VenueOrder]
    positions: list[PositionRow]


async def take_survey(reader: AccountReader, span: Span) -> Survey:
    """All that is open, and what was created within `span`. UnsteadyAccountError when it cannot be had."""
    problem = "positions moved while they were read"
    for attempt in range(TRIES):
        await asyncio.sleep(PAUSE_SECONDS * attempt)
        before = _moments(await reader.positions())
        try:
            orders = await _orders(reader, span)
        except ValueError as error:
            problem = str(error)
            continue
        positions = await reader.positions()
        if _moments(positions) == before:
            return Survey(orders, positions)
    raise UnsteadyAccountError(f"no steady picture of the account in {TRIES} tries: {problem}")


async def with_fills(reader: AccountReader, row: OrderRow | None, plan: PlanOrderRow | None = None) -> VenueOrder:
    """An order and the fills that its row counts. ValueError when they do not add up (yet)."""
    deals = await reader.deals_of(row.order_id) if row is not None and row.deal_vol else []
    return VenueOrder(row, plan, first_fills(deals, Decimal(0) if row is None else row.deal_vol))


async def _orders(reader: AccountReader, span: Span) -> list[VenueOrder]:
    rows: dict[str, OrderRow] = {}
    for row in [*await reader.open_orders(), *await reader.past_orders(span)]:
        known = rows.get(row.order_id)
        if known is None or (row.version or 0) >= (known.version or 0):
            rows[row.order_id] = row
    plans = await _plans(reader, span)
    deals = await _deals(reader, span, rows)
    children = {plan.order_id for plan in plans if plan.order_id is not None}
    orders = [await _plan_order(reader, plan, rows, deals) for plan in plans]
    orders += [await _order(reader, row, None, deals) for row in rows.values() if row.order_id not in children]
    return sorted(orders, key=_first_moment)


async def _plans(reader: AccountReader, span: Span) -> list[PlanOrderRow]:
    waiting = Span(min(span.start_ms, span.end_ms - PLAN_LIFE_DAYS * DAY_MS), span.end_ms)
    rows = await reader.plans(waiting, states=(MexcPlanState.UNTRIGGERED,))
    return list({row.id: row for row in [*rows, *await reader.plans(span)]}.values())


async def _deals(reader: AccountReader, span: Span, rows: dict[str, OrderRow]) -> dict[str, list[DealRow]]:
    """The fills within `span` of every contract that had any, by order."""
    by_order: dict[str, list[DealRow]] = defaultdict(list)
    for symbol in sorted({row.symbol for row in rows.values() if row.deal_vol}):
        for deal in await reader.deals(symbol, span):
            by_order[deal.order_id].append(deal)
    return by_order


async def _plan_order(
    reader: AccountReader, plan: PlanOrderRow, rows: dict[str, OrderRow], deals: dict[str, list[DealRow]]
) -> VenueOrder:
    if plan.order_id is None:
        return VenueOrder(None, plan)
    row = rows.get(plan.order_id) or await reader.order(plan.order_id)
    return VenueOrder(None, plan) if row is None else await _order(reader, row, plan, deals)


async def _order(
    reader: AccountReader, row: OrderRow, plan: PlanOrderRow | None, deals: dict[str, list[DealRow]]
) -> VenueOrder:
    """The order with its fills from the list, else with its fills by its own id."""
    try:
        return VenueOrder(row, plan, first_fills(deals.get(row.order_id, []), row.deal_vol))
    except ValueError:
        return await with_fills(reader, row, plan)


def _first_moment(order: VenueOrder) -> tuple[int, int, str]:
    """Positions come about in the order of fills: what closes must not be applied before what it closes."""
    began = min((deal.timestamp for deal in order.deals), default=order.shown.create_time)
    return began, len(order.id), order.id


def _moments(positions: list[PositionRow]) -> list[tuple[str, Decimal, int | None]]:
    return sorted((row.position_id, row.hold_vol, row.version) for row in positions)
