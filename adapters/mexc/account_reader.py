"""What the account has at the venue, asked by REST: orders, fills, trigger orders, positions and money."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from adapters.mexc import endpoints
from adapters.mexc.constants import MAX_PAGE_SIZE, MexcPlanState, MexcPositionMode
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcOrderNotFoundError, MexcPayloadError
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import AssetRow, LeverageRow, PositionRow
from adapters.mexc.schemas.private_replies import decode_rows
from adapters.mexc.signing import Parameter
from adapters.mexc.wire_numbers import millis

DEAL_PAGE_SIZE = 1_000
MOST_PAGES = 10_000
SPAN_MS = 89 * 86_400_000
"""Times of a query may lie ninety days apart."""


@dataclass(frozen=True)
class Span:
    """From and until, UNIX milliseconds of the venue."""

    start_ms: int
    end_ms: int

    def parts(self) -> list["Span"]:
        """The same in parts that a query may span."""
        starts = range(self.start_ms, self.end_ms, SPAN_MS)
        return [Span(start, min(start + SPAN_MS, self.end_ms)) for start in starts]


class AccountReader:
    """Every method asks until it is answered; MexcUnavailableError when that fails.

    A list of what is open gets shorter while it is read, by which a row may slip past between two pages: where it has
    several, it is read twice.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def venue_ms(self) -> int:
        """What the venue's clock says, as it answers."""
        return millis(await self._required(endpoints.PING, int), endpoints.PING.name, "data")

    async def order(self, order_id: str) -> OrderRow | None:
        """An order by the venue's id; None when the venue does not know it."""
        try:
            return await self._rest.get(endpoints.ORDER_BY_ID, OrderRow, path={"order_id": order_id})
        except MexcOrderNotFoundError:
            return None

    async def order_by_name(self, symbol: str, external_oid: str) -> OrderRow | None:
        """An order by our name for it; None when the venue does not know it (yet)."""
        path = {"symbol": symbol, "external_oid": external_oid}
        try:
            return await self._rest.get(endpoints.ORDER_BY_CLIENT_ID, OrderRow, path=path)
        except MexcOrderNotFoundError:
            return None

    async def open_orders(self) -> list[OrderRow]:
        """All resting orders."""
        rows = await self._pages(endpoints.OPEN_ORDERS, OrderRow, {}, MAX_PAGE_SIZE)
        if len(rows) >= MAX_PAGE_SIZE:
            rows += await self._pages(endpoints.OPEN_ORDERS, OrderRow, {}, MAX_PAGE_SIZE)
        return list({row.order_id: row for row in rows}.values())

    async def past_orders(self, span: Span) -> list[OrderRow]:
        """Orders that are over and were created in this time."""
        rows = await self._spans(endpoints.HISTORY_ORDERS, OrderRow, span, {}, MAX_PAGE_SIZE)
        return list({row.order_id: row for row in rows}.values())

    async def deals_of(self, order_id: str) -> list[DealRow]:
        """The fills of an order."""
        return await self._rows(endpoints.ORDER_DEALS, DealRow, path={"order_id": order_id})

    async def deals(self, symbol: str, span: Span) -> list[DealRow]:
        """The fills of a contract in this time."""
        rows = await self._spans(endpoints.DEALS_OF_ACCOUNT, DealRow, span, {"symbol": symbol}, DEAL_PAGE_SIZE)
        return list({(row.order_id, row.id): row for row in rows}.values())

    async def plans(
        self, span: Span, *, symbol: str | None = None, states: tuple[MexcPlanState, ...] = ()
    ) -> list[PlanOrderRow]:
        """Trigger orders that were created in this time, of all states if none is named."""
        wanted: dict[str, Parameter] = {"symbol": symbol, "states": [int(state) for state in states] or None}
        rows = await self._spans(endpoints.PLAN_ORDERS, PlanOrderRow, span, wanted, MAX_PAGE_SIZE)
        if states and len(rows) >= MAX_PAGE_SIZE:
            rows += await self._spans(endpoints.PLAN_ORDERS, PlanOrderRow, span, wanted, MAX_PAGE_SIZE)
        return list({row.id: row for row in rows}.values())

    async def positions(self) -> list[PositionRow]:
        """Positions that are held."""
        return [row for row in await self._rows(endpoints.OPEN_POSITIONS, PositionRow) if row.hold_vol]

    async def assets(self) -> list[AssetRow]:
        """Money, a row a currency."""
        return await self._required(endpoints.ACCOUNT_ASSETS, list[AssetRow])

    async def position_mode(self) -> MexcPositionMode:
        """Hedge or one-way."""
        return await self._required(endpoints.POSITION_MODE, MexcPositionMode)

    async def leverage(self, symbol: str) -> list[LeverageRow]:
        """Leverage and margin mode of both sides of a contract."""
        return await self._required(endpoints.LEVERAGE, list[LeverageRow], {"symbol": symbol})

    async def _required[T](
        self, endpoint: Endpoint, into: type[T], parameters: Mapping[str, Parameter] | None = None
    ) -> T:
        value = await self._rest.get(endpoint, into, parameters=parameters)
        if value is None:
            raise MexcPayloadError(endpoint.name, "data", "the answer has no data")
        return value

    async def _rows[R](
        self,
        endpoint: Endpoint,
        row: type[R],
        parameters: Mapping[str, Parameter] | None = None,
        path: Mapping[str, str] | None = None,
    ) -> list[R]:
        data = await self._rest.get(endpoint, msgspec.Raw, path=path, parameters=parameters)
        return [] if data is None else decode_rows(bytes(data), row, endpoint.name)

    async def _spans[R](
        self, endpoint: Endpoint, row: type[R], span: Span, wanted: dict[str, Parameter], size: int
    ) -> list[R]:
        rows: list[R] = []
        for part in span.parts():
            times: dict[str, Parameter] = {"start_time": part.start_ms, "end_time": part.end_ms}
            rows += await self._pages(endpoint, row, wanted | times, size)
        return rows

    async def _pages[R](self, endpoint: Endpoint, row: type[R], wanted: dict[str, Parameter], size: int) -> list[R]:
        """All pages. Rows that come twice because the list moved meanwhile are sorted out by the caller."""
        rows: list[R] = []
        for number in range(1, MOST_PAGES):
            more = await self._rows(endpoint, row, wanted | {"page_num": number, "page_size": size})
            rows += more
            if len(more) < size:
                return rows
        raise MexcPayloadError(endpoint.name, "data", f"no end of the list after {MOST_PAGES} pages")
