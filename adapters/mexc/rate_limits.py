"""Rate limits per endpoint, and who goes first: pure, with the time given as an argument (monotonic seconds)."""

import heapq
from collections import deque
from dataclasses import dataclass, field

from adapters.mexc.assumptions import RATE_WINDOW_MARGIN_SECONDS
from adapters.mexc.endpoints import Endpoint, RateLimit


class SlidingWindow:
    """At most ``limit.count`` takes within any ``limit.seconds`` (and a margin for bunching on the way)."""

    def __init__(self, limit: RateLimit, margin_seconds: float = RATE_WINDOW_MARGIN_SECONDS) -> None:
        self._count = limit.count
        self._seconds = limit.seconds + margin_seconds
        self._taken: deque[float] = deque()
        self._paused_until = 0.0

    def free_at(self, now: float) -> float:
        """The earliest time, not before `now`, at which one more may be taken."""
        while self._taken and self._taken[0] + self._seconds <= now:
            self._taken.popleft()
        window = now if len(self._taken) < self._count else self._taken[0] + self._seconds
        return max(window, self._paused_until)

    def take(self, now: float) -> None:
        """Count one request. ValueError when the window is full: ask `free_at` first."""
        if self.free_at(now) > now:
            raise ValueError(f"no request is free at {now}: wait until {self.free_at(now)}")
        self._taken.append(now)

    def pause(self, until: float) -> None:
        """Let nothing pass before `until`; a shorter pause does not lift a longer one."""
        self._paused_until = max(self._paused_until, until)


@dataclass(order=True)
class Ticket:
    """A request that waits for its turn: sorted by priority, then by arrival."""

    priority: int
    number: int
    endpoint: Endpoint = field(compare=False)
    abandoned: bool = field(default=False, compare=False)


class RequestQueue:
    """Requests of all endpoints in line: a free one of the highest priority goes first.

    `max_in_flight` bounds what is under way at once; the last `reserved` of those places are for cancels, so that a
    cancel never waits behind slow reads or a burst of creates.
    """

    def __init__(self, max_in_flight: int, reserved_for_cancels: int) -> None:
        if not 0 <= reserved_for_cancels < max_in_flight:
            raise ValueError(
                f"{reserved_for_cancels} of {max_in_flight} places reserved for cancels leave none for other requests"
            )
        self._max_in_flight = max_in_flight
        self._reserved = reserved_for_cancels
        self._windows: dict[str, SlidingWindow] = {}
        self._waiting: dict[str, list[Ticket]] = {}
        self._in_flight = 0
        self._number = 0
        self._paused_until = 0.0

    def join(self, endpoint: Endpoint) -> Ticket:
        """Get in line."""
        self._number += 1
        ticket = Ticket(int(endpoint.priority), self._number, endpoint)
        heapq.heappush(self._waiting.setdefault(endpoint.name, []), ticket)
        return ticket

    def abandon(self, ticket: Ticket) -> None:
        """Leave the line without a request (its caller has given up)."""
        ticket.abandoned = True

    def ready(self, now: float) -> list[Ticket]:
        """Those whose turn it is, in order; they count as under way from now on."""
        started: list[Ticket] = []
        while (ticket := self._next(now)) is not None:
            heapq.heappop(self._waiting[ticket.endpoint.name])
            self._window(ticket.endpoint).take(now)
            self._in_flight += 1
            started.append(ticket)
        return started

    def finished(self) -> None:
        """A request under way has ended."""
        self._in_flight -= 1

    def wake_at(self, now: float) -> float | None:
        """When to ask `ready` again if nothing else happens before; None when no time will change anything."""
        times = [self._free_at(ticket.endpoint, now) for ticket in self._heads() if self._has_place(ticket)]
        return min(times, default=None)

    def pause(self, endpoint: Endpoint, until: float) -> None:
        """Hold one endpoint back."""
        self._window(endpoint).pause(until)

    def pause_all(self, until: float) -> None:
        """Hold everything back: the venue refuses this address or key as a whole."""
        self._paused_until = max(self._paused_until, until)

    def _next(self, now: float) -> Ticket | None:
        free = [t for t in self._heads() if self._has_place(t) and self._free_at(t.endpoint, now) <= now]
        return min(free, default=None)

    def _heads(self) -> list[Ticket]:
        heads = []
        for queue in self._waiting.values():
            while queue and queue[0].abandoned:
                heapq.heappop(queue)
            if queue:
                heads.append(queue[0])
        return heads

    def _has_place(self, ticket: Ticket) -> bool:
        places = self._max_in_flight if ticket.priority == 0 else self._max_in_flight - self._reserved
        return self._in_flight < places

    def _free_at(self, endpoint: Endpoint, now: float) -> float:
        return max(self._window(endpoint).free_at(now), self._paused_until)

    def _window(self, endpoint: Endpoint) -> SlidingWindow:
        window = self._windows.get(endpoint.name)
        if window is None:
            window = self._windows[endpoint.name] = SlidingWindow(endpoint.limit)
        return window
