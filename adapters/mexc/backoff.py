"""How long to wait before the next try: doubling, capped, with jitter, and never shorter than the venue asked."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """``first × 2^n`` seconds, at most `most`, of which a random half is kept so that clients do not march in step.

    "Equal jitter" of the AWS architecture blog ("Exponential backoff and jitter", 2015): between half and all of the
    full delay.
    """

    first_seconds: float
    most_seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.first_seconds <= self.most_seconds:
            raise ValueError(
                f"backoff from {self.first_seconds} s to {self.most_seconds} s: the first must be above 0 and the "
                "most not below it"
            )

    def seconds(
        self, attempt: int, at_least: float | None = None, uniform: Callable[[], float] = random.random
    ) -> float:
        """The wait after failure number `attempt` (from 0). `at_least` is what the venue asked for (Retry-After)."""
        full = min(self.most_seconds, self.first_seconds * 2.0 ** min(attempt, 32))
        return max(full * (0.5 + 0.5 * uniform()), at_least or 0.0)
