"""What all who send something about orders work with, and the one way of looking at an order's state."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.mexc.account_reader import AccountReader, Span
from adapters.mexc.external_oid import ExternalOids
from adapters.mexc.fills import Fills
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private import OrderRow, PlanOrderRow

MINUTE_MS = 60_000
PLAN_LIFE_MS = 8 * 86_400_000
"""No trigger order is older: they expire after seven days."""


@dataclass(frozen=True)
class OrderRoom:
    """`now_ms` is this machine's time; `news` is called when the tracks may have something to tell; `warn` takes what
    a person should read."""

    rest: RestClient
    reader: AccountReader
    fills: Fills
    oids: ExternalOids
    now_ms: Callable[[], int]
    news: Callable[[], None]
    warn: Callable[[str], None]

    def touched(self, track: OrderTrack) -> None:
        """A track was told something directly."""
        self.fills.touch(track, self.now_ms())
        self.news()

    async def look(self, track: OrderTrack, order_id: str | None = None) -> OrderRow | None:
        """Ask the venue for an order's state and tell its track; returns the row of the order that trades, if any.

        `order_id` is an id that it has come to have. Raises a MexcError when the venue does not answer.
        """
        if track.spec.is_plan and (track.order_id is None or not track.triggered):
            plan = await self.plan_row(track)
            if plan is not None:
                track.on_plan(plan)
                self.touched(track)  # now, because the next question may fail
        order_id = order_id or track.order_id
        row = None if order_id is None else await self.reader.order(order_id)
        if row is not None:
            track.on_order(row)
        self.touched(track)
        return row

    async def plan_row(self, track: OrderTrack) -> PlanOrderRow | None:
        """The row of a trigger order. There is no query by id: it is looked for around the time of its birth."""
        born, now = track.born_ms, self.rest.venue_ms()
        span = Span(now - PLAN_LIFE_MS, now + MINUTE_MS) if born is None else Span(born - MINUTE_MS, born + MINUTE_MS)
        plans = await self.reader.plans(span, symbol=track.spec.symbol)
        return next((plan for plan in plans if plan.id == track.venue_order_id), None)
