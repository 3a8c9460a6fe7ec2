"""Request limits by endpoint, as the reference lists them: so many in a sliding span of time."""

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """At most `count` requests in any `span_ms`."""

    count: int
    span_ms: int = 2_000


PUBLIC = Limit(20)
HEAVY_PUBLIC = Limit(10)
CREATE = Limit(4)
STOP_PLACE = Limit(5)
LEVERAGE = Limit(10, 10_000)
PRIVATE = Limit(20)


class Limiter:
    """Counts by who asks and what is asked. A refused request does not count.

    `factor` is how many times the listed numbers the account may ask: institutions can agree on more.
    """

    def __init__(self, factor: int = 1) -> None:
        self._factor = factor
        self._taken: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)

    def allows(self, who: str, endpoint: str, limit: Limit, now_ms: int) -> bool:
        """Take one request, if there is room."""
        taken = self._taken[who, endpoint]
        while taken and now_ms - taken[0] >= limit.span_ms:
            taken.popleft()
        if len(taken) >= limit.count * self._factor:
            return False
        taken.append(now_ms)
        return True
