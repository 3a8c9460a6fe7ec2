"""Faults that a local venue commits: asked for one by one, or at rates. The same seed makes the same draws.

Each kind of fault draws from a stream of its own, so that switching one on does not move the others.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

RATE_POWERS = (-3.0, -1.0)
"""Rates of drawn schedules are ten to a power between these."""
LARGEST_SKEW_MS = 20_000
"""Of drawn schedules: twice what venues usually put up with."""


class Fault(StrEnum):
    """What can go wrong."""

    DROP_FRAME = "a public frame is not sent"
    DELAY_FRAME = "a socket stands still for a while"
    DEPTH_GAP = "a depth frame is not sent"
    STALE_SNAPSHOT = "a book by REST is old"
    DROP_PRIVATE = "a private frame is not sent"
    DUPLICATE_PRIVATE = "a private frame is sent twice"
    REORDER_PRIVATE = "a private frame is sent after the next one"
    DELAY_REPLY = "a reply is late"
    LOST_ACK = "a request is carried out and never answered"
    ERROR_AFTER = "a request is carried out and answered by a server error"
    ERROR_BEFORE = "a request is not carried out and answered by a server error"
    RATE_LIMITED = "a request is refused as too frequent"
    DISCONNECT = "a socket is closed"


@dataclass(frozen=True)
class Committed:
    """A fault that happened. `where` is an endpoint or a channel."""

    fault: Fault
    where: str


class Faults:
    """Decides, at every opportunity, whether a fault happens.

    Without a rate and unarmed nothing ever goes wrong. `clock_skew_ms` is added to the venue's clock; `delay_s` bounds
    delays, `staleness` is how many versions a stale book may be behind.
    """

    def __init__(self, seed: int = 0) -> None:
        self.clock_skew_ms = 0
        self.delay_s = (0.05, 0.5)
        self.staleness = 400
        self.committed: list[Committed] = []
        self._rates: dict[Fault, float] = {}
        self._armed: list[tuple[Fault, str]] = []
        self._draws = {fault: random.Random(f"{seed} {fault.name}") for fault in Fault}  # noqa: S311  # no secret

    @classmethod
    def drawn(cls, seed: int) -> "Faults":
        """A schedule out of a seed: about half of all faults, each at a rate of its own, and a clock that is wrong."""
        faults = cls(seed)
        rng = random.Random(f"{seed} schedule")  # noqa: S311  # no secret
        for fault in Fault:
            if rng.random() < 0.5:
                faults.rate(fault, 10 ** rng.uniform(*RATE_POWERS))
        faults.clock_skew_ms = rng.randint(-LARGEST_SKEW_MS, LARGEST_SKEW_MS)
        return faults

    def arm(self, fault: Fault, where: str = "", *, times: int = 1) -> None:
        """Let the fault happen at its next opportunities; `where`: only at endpoints or channels that contain it."""
        self._armed += [(fault, where)] * times

    def rate(self, fault: Fault, probability: float) -> None:
        """Let the fault happen with this probability at every opportunity. Raises ValueError outside of 0 to 1."""
        if not 0 <= probability <= 1:
            raise ValueError(f"rate of {fault.name} is {probability}: give a probability from 0 to 1")
        self._rates[fault] = probability

    def rates(self, probabilities: Mapping[Fault, float]) -> None:
        """As `rate`, for several."""
        for fault, probability in probabilities.items():
            self.rate(fault, probability)

    def calm(self) -> None:
        """No more faults; the clock is right again."""
        self._rates.clear()
        self._armed.clear()
        self.clock_skew_ms = 0

    def happens(self, fault: Fault, where: str) -> bool:
        """Whether the fault happens here and now; noted if so."""
        if not self._armed and not self._rates:
            return False
        armed = next((item for item in self._armed if item[0] is fault and item[1] in where), None)
        if armed is not None:
            self._armed.remove(armed)
        elif self._draws[fault].random() >= self._rates.get(fault, 0.0):
            return False
        self.committed.append(Committed(fault, where))
        return True

    def delay(self, fault: Fault) -> float:
        """How long a delay lasts, in seconds."""
        return self._draws[fault].uniform(*self.delay_s)

    def versions_behind(self) -> int:
        """How old a stale book is."""
        return self._draws[Fault.STALE_SNAPSHOT].randint(1, self.staleness)
