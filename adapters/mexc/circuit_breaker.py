"""A circuit breaker: while the venue fails, requests are refused here instead of queueing up there.

Closed, open and half-open, after M. Nygard, "Release It!" (2007). Pure: the time is given (monotonic seconds).
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from adapters.mexc.backoff import Backoff


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class BreakerRule:
    """Opens at `failures` within `window_seconds`; each failed probe doubles the time until the next, up to `most`."""

    failures: int = 5
    window_seconds: float = 30.0
    first_open_seconds: float = 2.0
    most_open_seconds: float = 60.0
    probes_to_close: int = 2


class CircuitBreaker:
    """Counts the venue's failures (no answer, 5xx, maintenance), never its refusals: those are answers.

    Open, it admits nothing until its time is over, then one probe at a time; `probes_to_close` good ones in a row
    close it, a bad one opens it for longer. Cancels are admitted always: what takes risk away must not be held back by
    our own guess about the venue.
    """

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self._rule = rule or BreakerRule()
        self._backoff = Backoff(self._rule.first_open_seconds, self._rule.most_open_seconds)
        self._failures: deque[float] = deque()
        self._state = BreakerState.CLOSED
        self._open_until = 0.0
        self._times_opened = 0
        self._probe_under_way = False
        self._good_probes = 0

    def state(self, now: float) -> BreakerState:
        if self._state is BreakerState.OPEN and now >= self._open_until:
            self._state = BreakerState.HALF_OPEN
            self._probe_under_way = False
            self._good_probes = 0
        return self._state

    def admits(self, now: float, *, urgent: bool = False) -> bool:
        """Whether a request may be sent now. In half-open a True is the probe, and must be answered for."""
        state = self.state(now)
        if state is BreakerState.CLOSED or urgent:
            return True
        if state is BreakerState.OPEN or self._probe_under_way:
            return False
        self._probe_under_way = True
        return True

    def retry_at(self) -> float:
        """When an open breaker lets the next probe through."""
        return self._open_until

    def succeeded(self, now: float) -> None:
        """A request was answered (a refusal is an answer)."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._probe_under_way = False
            self._good_probes += 1
            if self._good_probes >= self._rule.probes_to_close:
                self._state = BreakerState.CLOSED
                self._times_opened = 0
                self._failures.clear()

    def failed(self, now: float) -> None:
        """A request got no answer, or one that says that the venue is failing."""
        state = self.state(now)
        if state is BreakerState.HALF_OPEN:
            self._open(now)
            return
        if state is BreakerState.OPEN:
            return
        self._failures.append(now)
        while self._failures[0] + self._rule.window_seconds <= now:
            self._failures.popleft()
        if len(self._failures) >= self._rule.failures:
            self._open(now)

    def abandoned(self, now: float) -> None:
        """A request ended without telling anything about the venue (cancelled by its caller)."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._probe_under_way = False

    def _open(self, now: float) -> None:
        self._state = BreakerState.OPEN
        self._open_until = now + self._backoff.seconds(self._times_opened, uniform=lambda: 1.0)
        self._times_opened += 1
        self._failures.clear()
        self._probe_under_way = False
