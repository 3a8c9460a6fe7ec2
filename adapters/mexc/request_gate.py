"""The turnstile in front of the venue: callers wait here until their request's turn has come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcNotSentError
from adapters.mexc.rate_limits import RequestQueue, Ticket

MAX_IN_FLIGHT = 16
RESERVED_FOR_CANCELS = 4


class RequestGate:
    """`RequestQueue` on the event loop: one gate for all clients of a venue in a process."""

    def __init__(self, queue: RequestQueue | None = None) -> None:
        self._queue = queue or RequestQueue(MAX_IN_FLIGHT, RESERVED_FOR_CANCELS)
        self._turns: dict[int, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, endpoint: Endpoint, max_wait_seconds: float) -> AsyncIterator[None]:
        """Wait for the turn and hold the place while the block runs. MexcNotSentError after `max_wait_seconds`."""
        loop = asyncio.get_running_loop()
        ticket = self._queue.join(endpoint)
        turn: asyncio.Future[None] = loop.create_future()
        self._turns[ticket.number] = turn
        self._pump()
        try:
            await asyncio.wait_for(asyncio.shield(turn), max_wait_seconds)
        except TimeoutError:
            if self._give_up(ticket, turn):
                raise MexcNotSentError(
                    f"{endpoint.name}: waited {max_wait_seconds} s for its turn under the venue's rate limit: not sent"
                ) from None
        except asyncio.CancelledError:
            if not self._give_up(ticket, turn):
                self._finished()
            raise
        try:
            yield
        finally:
            self._finished()

    def pause(self, endpoint: Endpoint, seconds: float) -> None:
        """Hold one endpoint back for so long."""
        self._queue.pause(endpoint, asyncio.get_running_loop().time() + seconds)
        self._pump()

    def pause_all(self, seconds: float) -> None:
        """Hold every request back for so long: cancels too, because asking on makes a ban longer."""
        self._queue.pause_all(asyncio.get_running_loop().time() + seconds)
        self._pump()

    def _give_up(self, ticket: Ticket, turn: "asyncio.Future[None]") -> bool:
        """Leave the line; False when the turn came at this very moment."""
        if turn.done():
            return False
        self._queue.abandon(ticket)
        del self._turns[ticket.number]
        return True

    def _finished(self) -> None:
        self._queue.finished()
        self._pump()

    def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for ticket in self._queue.ready(now):
            self._turns.pop(ticket.number).set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        wake = self._queue.wake_at(now)
        self._timer = None if wake is None else loop.call_at(wake, self._pump)
