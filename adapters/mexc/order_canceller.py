"""Cancels orders, one or many, plain or waiting for their trigger. A cancel may be repeated: it takes nothing twice."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched, filterfalse

import msgspec

from adapters.mexc import endpoints
from adapters.mexc.backoff import Backoff
from adapters.mexc.constants import MAX_CANCEL_BATCH
from adapters.mexc.errors import MexcError, MexcNotSentError, MexcRefusedError, MexcUnknownOutcomeError
from adapters.mexc.order_room import OrderRoom
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.schemas.private import CancelResult
from adapters.mexc.schemas.private_replies import decode_rows

PATIENCE_MS = 20_000
"""How long a cancel is tried for. Nautilus takes a cancel without answer for done after some 30 s: be before it."""
AGAIN = Backoff(0.25, 4.0)


@dataclass
class OrderCanceller:
    """Every method returns when the venue has taken the cancel, or the order has turned out to be over."""

    room: OrderRoom

    async def cancel(self, track: OrderTrack) -> str | None:
        """Cancel one order; returns why it could not be done, None when it was (or the order is over)."""
        until = self.room.now_ms() + PATIENCE_MS
        problem = "the venue has not answered"
        for attempt in range(1_000):
            if track.closed:
                return None
            try:
                if await self._try(track):
                    track.on_cancel_taken()
                    return None
                problem = "the venue refuses to cancel it, and shows it open"
            except MexcError as error:
                problem = str(error)
            if self.room.now_ms() >= until:
                break
            await asyncio.sleep(AGAIN.seconds(attempt))
        track.doubt()
        return problem

    async def cancel_many(self, tracks: Iterable[OrderTrack]) -> dict[str, str]:
        """Cancel several with few requests; returns the reasons of those that could not be, by client order id."""
        todo = [track for track in tracks if not track.closed]
        alone = [track for track in todo if not track.accepted or (track.triggered and track.order_id is None)]
        together = [track for track in todo if track not in alone]
        for plans in batched(filter(_is_waiting_plan, together), MAX_CANCEL_BATCH):
            if not await self._try_plans(plans):
                alone += plans
        for orders in batched(filterfalse(_is_waiting_plan, together), MAX_CANCEL_BATCH):
            alone += await self._try_orders(orders)
        reasons = await asyncio.gather(*(self.cancel(track) for track in alone))
        return {track.spec.key: reason for track, reason in zip(alone, reasons, strict=True) if reason is not None}

    async def cancel_all(self, symbol: str, tracks: Iterable[OrderTrack]) -> dict[str, str]:
        """Cancel everything of a contract, whoever placed it; `tracks` are those that are known to be there."""
        known = list(tracks)
        try:
            # trigger orders first: what they become meanwhile is cancelled by the second request
            await self.room.rest.post(endpoints.CANCEL_ALL_PLAN_ORDERS, {"symbol": symbol}, msgspec.Raw)
            await self.room.rest.post(endpoints.CANCEL_ALL_ORDERS, {"symbol": symbol}, msgspec.Raw)
        except MexcError as error:
            self.room.warn(f"{symbol}: cancel-all failed, its orders are cancelled one by one: {error}")
            return await self.cancel_many(known)
        for track in known:
            if track.accepted:
                track.on_cancel_taken()
        return await self.cancel_many([track for track in known if not track.accepted])

    # -- one attempt ---------------------------------------------------------------------------------------------------

    async def _try(self, track: OrderTrack) -> bool:
        """Whether the venue has taken it. False when it says no and the order is open all the same."""
        if not track.accepted:
            return await self._try_by_name(track)
        if track.triggered and track.order_id is None:
            await self.room.look(track)  # what it became is to be cancelled: its id is asked for first
            return track.closed
        if _is_waiting_plan(track):
            done = await self._try_plans([track])
        else:
            done = not await self._try_orders([track])
        if not done:
            await self.room.look(track)
        return done or track.closed

    async def _try_by_name(self, track: OrderTrack) -> bool:
        """Cancel an order whose sending has not been answered: the venue may have it already."""
        if track.spec.is_plan:
            return False
        body = [{"symbol": track.spec.symbol, "externalOid": self.room.oids.encode(track.spec.key)}]
        data = await self.room.rest.post(endpoints.CANCEL_BY_CLIENT_ID, body, msgspec.Raw)
        rows = [] if data is None else decode_rows(bytes(data), CancelResult, endpoints.CANCEL_BY_CLIENT_ID.name)
        return bool(rows) and all(row.error_code == 0 for row in rows)

    async def _try_orders(self, tracks: Iterable[OrderTrack]) -> list[OrderTrack]:
        """Cancel orders by id; returns those that the venue did not cancel."""
        by_id = {track.order_id: track for track in tracks if track.order_id is not None}
        endpoint = endpoints.CANCEL_ORDERS
        data = await self._post(endpoint, [int(order_id) for order_id in by_id])
        rows = [] if data is None else decode_rows(data, CancelResult, endpoint.name)
        done = {row.order_id for row in rows if row.error_code == 0 and row.order_id is not None}
        for order_id in done & by_id.keys():
            by_id[order_id].on_cancel_taken()
        return [track for order_id, track in by_id.items() if order_id not in done]

    async def _try_plans(self, tracks: Iterable[OrderTrack]) -> bool:
        """Cancel trigger orders: all of them, or none is known to be."""
        chosen = list(tracks)
        body = [{"symbol": track.spec.symbol, "orderId": track.venue_order_id} for track in chosen]
        done = await self._post(endpoints.CANCEL_PLAN_ORDERS, body) is not None
        if done:
            for track in chosen:
                track.on_cancel_taken()
        return done

    async def _post(self, endpoint: endpoints.Endpoint, body: object) -> bytes | None:
        """The reply's data; None when the venue refused, or may have refused."""
        try:
            data = await self.room.rest.post(endpoint, body, msgspec.Raw)
        except (MexcRefusedError, MexcUnknownOutcomeError, MexcNotSentError) as error:
            self.room.warn(f"cancel: {error}")
            return None
        return b"[]" if data is None else bytes(data)


def _is_waiting_plan(track: OrderTrack) -> bool:
    return track.spec.is_plan and not track.triggered
