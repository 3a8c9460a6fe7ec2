"""Changes working orders, each time once, and takes the venue's word for what they are afterwards."""

import asyncio
from dataclasses import dataclass

import msgspec

from adapters.mexc import endpoints
from adapters.mexc.assumptions import SIGNATURE_TOLERANCE_SECONDS
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcError, MexcUnknownOutcomeError
from adapters.mexc.order_changes import Terms
from adapters.mexc.order_fate import OrderFate, Verdict
from adapters.mexc.order_room import OrderRoom
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.schemas.private_replies import decode_new_id

TOLERANCE_MS = round(SIGNATURE_TOLERANCE_SECONDS * 1000)
SHOWN_WAITS_SECONDS = (0.1, 0.3, 0.6, 1.0)
"""Waits for a read to show what was changed."""


@dataclass
class OrderChanger:
    """`change` returns when the order is known to be changed, over, or as it was."""

    room: OrderRoom

    async def change(self, track: OrderTrack, endpoint: Endpoint, body: object, terms: Terms) -> str | None:
        """Change an order; returns why it could not be done, None when it was (or the order is over)."""
        track.changing = True
        try:
            return await self._change(track, endpoint, body, terms)
        finally:
            track.on_change_over()
            self.room.touched(track)

    async def _change(self, track: OrderTrack, endpoint: Endpoint, body: object, terms: Terms) -> str | None:
        order_id = track.order_id
        try:
            data = await self.room.rest.post(endpoint, body, msgspec.Raw)
            if endpoint is endpoints.CHANGE_ORDER and data is not None:
                order_id = decode_new_id(bytes(data), endpoint.name).order_id
        except MexcUnknownOutcomeError as error:
            self.room.warn(f"change of {track.spec.key}: its outcome is asked for: {error}")
            return await self._find(track, terms, error)
        except MexcError as error:
            await self._try_to_read(track, track.order_id)
            return None if track.closed else str(error)
        for seconds in SHOWN_WAITS_SECONDS:
            await self._try_to_read(track, order_id)
            if track.closed or Terms.of(track.spec) == terms:
                break
            await asyncio.sleep(seconds)
        return None

    async def _find(self, track: OrderTrack, terms: Terms, error: MexcUnknownOutcomeError) -> str | None:
        """Look at the order until it is changed or over, or the change can no longer come."""
        fate = OrderFate(error.sent_ms)
        while True:
            venue_ms = await self._try_to_read(track, track.order_id)
            if track.ended and (track.ending or await self._adopt_successor(track, terms, error.sent_ms)):
                return None
            if track.closed or Terms.of(track.spec) == terms:
                return None
            if venue_ms is not None:
                fate.missing(venue_ms)
            if fate.verdict is Verdict.NOT_TAKEN:
                return f"the venue did not take it: {error}"
            await asyncio.sleep(fate.next_wait_ms(venue_ms) / 1000)

    async def _adopt_successor(self, track: OrderTrack, terms: Terms, signed_ms: int) -> bool:
        """Whether the venue has ended the order and goes on under another id: then that is the order from now on."""
        if track.spec.is_plan and not track.triggered:
            return False
        try:
            rows = await self.room.reader.open_orders()
        except MexcError as trouble:
            self.room.warn(f"no successor of {track.spec.key} could be looked for: {trouble}")
            return False
        for row in rows:
            unowned = self.room.fills.by_venue_id(row.order_id) is None and row.side == track.side
            fits = row.price == terms.price and row.vol in (terms.vol, terms.vol - track.filled)
            young = row.create_time >= signed_ms - TOLERANCE_MS
            if row.symbol == track.spec.symbol and unowned and fits and young:
                track.on_order(row)
                self.room.touched(track)
                return True
        return False

    async def _try_to_read(self, track: OrderTrack, order_id: str | None) -> int | None:
        """Ask for the order and tell its track; returns the venue's time before, None when it was not answered."""
        try:
            venue_ms = await self.room.reader.venue_ms()
            await self.room.look(track, order_id)
        except MexcError as error:
            self.room.warn(f"order {track.spec.key} could not be read: {error}")
            return None
        return venue_ms
