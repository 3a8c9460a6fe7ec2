"""What became of a request whose answer was lost: asked for until it is found, or until it can no longer arrive.

A request to the venue is valid for a while after its ``Request-Time``, so one that hangs in the network may still be
taken when its sender has given up. "The venue has no such order" is therefore an answer of the moment only. It is
final when the venue itself had passed the end of the window, and a margin for showing what it took, before it was
asked. Nothing is ever sent a second time. Pure: the venue's time is given, as read from ``contract/ping``; neither this
machine's clock nor its estimate of the venue's is trusted with the decision.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapters.mexc.assumptions import SHOWN_AFTER_SECONDS, SIGNATURE_TOLERANCE_SECONDS

FIRST_WAIT_MS = 250
LONGEST_WAIT_MS = 5_000


class Verdict(StrEnum):
    """What is known of the request."""

    UNKNOWN = "unknown"
    TAKEN = "taken"
    NOT_TAKEN = "not taken"


@dataclass
class OrderFate:
    """The search for one request. `signed_ms` is its ``Request-Time``: venue time as it was written, UNIX ms."""

    signed_ms: int
    verdict: Verdict = Verdict.UNKNOWN
    _tries: int = 0

    @property
    def final_from_ms(self) -> int:
        """Venue time from which "no such order" is final."""
        return self.signed_ms + round((SIGNATURE_TOLERANCE_SECONDS + SHOWN_AFTER_SECONDS) * 1000)

    def found(self) -> None:
        """The venue has shown it, by a query or a push."""
        self.verdict = Verdict.TAKEN

    def missing(self, venue_ms: int) -> None:
        """The venue was asked at `venue_ms` or later, by its own clock, and has no such order."""
        if self.verdict is Verdict.UNKNOWN and venue_ms >= self.final_from_ms:
            self.verdict = Verdict.NOT_TAKEN

    def next_wait_ms(self, venue_ms: int | None) -> int:
        """How long to wait before asking again: 250 ms, then twice as long each time, at most 5 s.

        `venue_ms` is the venue's time now. Where it is known, no wait goes beyond the moment from which the answer is
        final; None when the venue could not be asked.
        """
        wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(self._tries, 16))
        self._tries += 1
        if venue_ms is not None and venue_ms < self.final_from_ms:
            wait = min(wait, self.final_from_ms - venue_ms)
        return wait
