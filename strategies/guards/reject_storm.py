"""A venue that refuses order after order is not made better by more orders."""

from collections import Counter
from collections.abc import Mapping

from strategies.guards.config import RejectStormSettings
from strategies.guards.guard import Guard
from strategies.guards.halt import SECOND_NS, Halt, venue_scope
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory


class RejectStorm(Guard):
    """Halts a venue for a time when it rejected `max_rejects` orders within the last `within_seconds`.

    The window is open at its old end: a reject that is exactly `within_seconds` old no longer counts.
    """

    name = "reject_storm"

    def __init__(self, settings: RejectStormSettings) -> None:
        self._settings = settings

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        limit, seconds = self._settings.max_rejects, self._settings.within_seconds
        since = inputs.now_ns - seconds * SECOND_NS
        until = inputs.now_ns + self._settings.halt_seconds * SECOND_NS
        counts = Counter(reject.venue for reject in inputs.rejects if reject.ts > since)
        return {
            (scope := venue_scope(venue)): self._halt(
                f"{venue} rejected {count} orders within {seconds} s: the limit is {limit}", scope, until=until
            )
            for venue, count in counts.items()
            if count >= limit
        }
