"""Sends new orders, each once, and finds out what became of it when the venue's answer is lost."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from adapters.mexc import assumptions
from adapters.mexc.account_reader import Span
from adapters.mexc.errors import MexcDuplicateOrderError, MexcError, MexcPayloadError, MexcUnknownOutcomeError
from adapters.mexc.order_fate import OrderFate, Verdict
from adapters.mexc.order_room import OrderRoom
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.orders import OrderRequest
from adapters.mexc.plan_match import Content, content_of, content_of_row, find_plan
from adapters.mexc.schemas.private import PlanOrderRow
from adapters.mexc.schemas.private_replies import decode_new_id
from adapters.mexc.turns import Turns

TOLERANCE_MS = round(assumptions.SIGNATURE_TOLERANCE_SECONDS * 1000)


@dataclass
class _Sending:
    """One request on its way. `begun_ms` and `offset_ns` are venue time and clock offset before it was signed."""

    track: OrderTrack
    request: OrderRequest
    begun_ms: int
    offset_ns: int


@dataclass
class OrderSender:
    """`place` returns when it is known what became of the order: at once as a rule, after some 15 s at the worst."""

    room: OrderRoom
    _turns: Turns[Content] = field(default_factory=Turns)

    async def place(self, request: OrderRequest) -> MexcError | None:
        """Send an order. What becomes of it is told by its track; returns why it was refused, None when it was not."""
        track = self.room.fills.expect(request.spec, self.room.now_ms())
        if not request.spec.is_plan:
            return await self._send(track, request)
        async with self._turns.of(content_of(request.body)):  # equal ones cannot be told apart: one at a time
            return await self._send(track, request)

    def awaits(self, plan: PlanOrderRow) -> bool:
        """Whether a trigger order of this content is under way: then this may be it."""
        return content_of_row(plan) in self._turns

    async def _send(self, track: OrderTrack, request: OrderRequest) -> MexcError | None:
        rest = self.room.rest
        sending = _Sending(track, request, rest.venue_ms(), rest.clock.offset_ns)
        refusal: MexcError | None = None
        try:
            data = await rest.post(request.endpoint, request.body, msgspec.Raw)
            reply = decode_new_id(b"" if data is None else bytes(data), request.endpoint.name)
        except (MexcUnknownOutcomeError, MexcDuplicateOrderError, MexcPayloadError) as error:
            self.room.warn(f"order {track.spec.key}: its fate is asked for: {error}")
            await self._find(sending, error)
        except MexcError as error:
            refusal = error
            track.on_refused(str(error), rest.venue_ms())
        else:
            track.on_acknowledged(reply.order_id, reply.ts or rest.venue_ms())
        self.room.touched(track)
        return refusal

    async def _find(self, sending: _Sending, error: MexcError) -> None:
        """Ask until the order is there, or can no longer come."""
        track, fate = sending.track, OrderFate(self._signed_ms(sending, error))
        while not track.accepted:
            venue_ms = None
            try:
                venue_ms = await self.room.reader.venue_ms()
                if not await self._look(sending, fate.signed_ms):
                    fate.missing(venue_ms)
            except MexcError as trouble:
                self.room.warn(f"order {track.spec.key}: its fate is still unknown: {trouble}")
            if fate.verdict is Verdict.NOT_TAKEN:
                track.on_refused(f"the venue did not take it: {error}", self.room.rest.venue_ms())
                return
            self.room.news()
            if not track.accepted:
                await asyncio.sleep(fate.next_wait_ms(venue_ms) / 1000)

    async def _look(self, sending: _Sending, signed_ms: int) -> bool:
        """Whether the venue shows the order; its track is told."""
        room, track, spec = self.room, sending.track, sending.request.spec
        if not spec.is_plan:
            row = await room.reader.order_by_name(spec.symbol, room.oids.encode(spec.key))
            if row is not None:
                track.on_order(row)
                room.fills.touch(track, room.now_ms())
            return row is not None
        span = Span(signed_ms - TOLERANCE_MS, signed_ms + 3 * TOLERANCE_MS)
        plans = await room.reader.plans(span, symbol=spec.symbol)
        taken = [plan.id for plan in plans if room.fills.knows_plan(plan.id)]
        plan = find_plan(plans, content_of(sending.request.body), signed_ms, taken)
        if plan is not None:
            track.on_plan(plan)
            room.fills.touch(track, room.now_ms())
        return plan is not None

    def _signed_ms(self, sending: _Sending, error: MexcError) -> int:
        """The latest ``Request-Time`` that the request can have had."""
        rest = self.room.rest
        told = error.sent_ms if isinstance(error, MexcUnknownOutcomeError) else rest.venue_ms()
        if rest.clock.offset_ns == sending.offset_ns:
            return told
        # the clock was set meanwhile: the time was written by the old one
        elapsed = rest.venue_ms() - sending.begun_ms - (rest.clock.offset_ns - sending.offset_ns) // 1_000_000
        return max(told, sending.begun_ms + elapsed)
