"""How long a command is under way to a venue: a log-normal law, and a connection on which nothing overtakes."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

MS_NS = 1_000_000


@dataclass(frozen=True)
class LatencyLaw:
    """``floor + (median - floor) × exp(sigma × N(0, 1))`` milliseconds: a shifted log-normal around its median.

    Times over a network are bounded below by its path and have a long tail above, which a log-normal fits well
    (Karlsson and others, "Log-normal distribution of round-trip times", 2010, and many since). Raises ValueError for a
    negative number, or a floor above the median.
    """

    median_ms: float
    sigma: float = 0.0
    floor_ms: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("median_ms", self.median_ms), ("sigma", self.sigma), ("floor_ms", self.floor_ms)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"latency {name} is {value}: give a number from 0")
        if self.floor_ms > self.median_ms:
            raise ValueError(
                f"latency floor_ms {self.floor_ms} lies above median_ms {self.median_ms}: half of all commands "
                "would be faster than the fastest"
            )

    def sample_ns(self, rng: np.random.Generator) -> int:
        """Draw one latency, in whole nanoseconds."""
        beyond = (self.median_ms - self.floor_ms) * math.exp(self.sigma * rng.standard_normal())
        return round((self.floor_ms + beyond) * MS_NS)


@dataclass(frozen=True)
class Transit:
    """One command on its way. Times are UNIX ns; `drawn_ns` is the sample of the law, before anything was added."""

    sent_ns: int
    drawn_ns: int
    arrival_ns: int


class Connection:
    """The one connection over which a venue gets its commands: they arrive in the order in which they were sent.

    `feed_ns` is what market data take to get here. A replay runs on the clock of the receiver: the book that it shows
    at a time is the venue's of `feed_ns` before, so a command that reaches the venue after the drawn latency meets what
    the receiver will see `feed_ns` later still. Leaving it out would let orders trade on a book that is old already.

    `name` and `seed` give every connection a random stream of its own: another venue changes nothing here.
    """

    def __init__(self, name: str, law: LatencyLaw, *, seed: int, feed_ns: int = 0) -> None:
        if feed_ns < 0:
            raise ValueError(f"feed_ns of {name} is {feed_ns}: data cannot arrive before they were sent")
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
        self._rng = np.random.default_rng(np.random.SeedSequence([seed, key]))
        self._law = law
        self._feed_ns = feed_ns
        self._last_ns = 0
        self.transits: list[Transit] = []

    def send(self, now_ns: int) -> Transit:
        """Send a command now (UNIX ns): when it arrives. No two arrive at the same time."""
        drawn = self._law.sample_ns(self._rng)
        arrival = max(now_ns + drawn + self._feed_ns, self._last_ns + 1)
        self._last_ns = arrival
        transit = Transit(now_ns, drawn, arrival)
        self.transits.append(transit)
        return transit
