"""How far this machine's clock is from the venue's, estimated from ``contract/ping``. Pure: times are given."""

from collections import deque
from dataclasses import dataclass

MS_NS = 1_000_000


@dataclass(frozen=True)
class PingSample:
    """One exchange: sent and received on this machine's clock (UNIX ns), and what the venue's clock said (UNIX ms)."""

    sent_ns: int
    received_ns: int
    venue_ms: int

    @property
    def round_trip_ns(self) -> int:
        return self.received_ns - self.sent_ns

    @property
    def offset_ns(self) -> int:
        """Venue minus this machine, if the way there took as long as the way back. Off by half a round trip at most."""
        return self.venue_ms * MS_NS - (self.sent_ns + self.received_ns) // 2


class ClockSync:
    """The offset of the exchange with the shortest round trip among the last `samples` (Cristian, 1989).

    Until the first exchange the offset is 0: this machine's clock is taken as it is.
    """

    def __init__(self, samples: int = 8) -> None:
        self._samples: deque[PingSample] = deque(maxlen=samples)

    def add(self, sample: PingSample) -> None:
        """Take an exchange. ValueError when it was received before it was sent (the clock was set in between)."""
        if sample.round_trip_ns < 0:
            raise ValueError(f"ping received {-sample.round_trip_ns} ns before it was sent: the clock was set back")
        self._samples.append(sample)

    def forget(self) -> None:
        """Drop all exchanges: the venue has refused our time, so what they say is wrong."""
        self._samples.clear()

    @property
    def synced(self) -> bool:
        return bool(self._samples)

    @property
    def offset_ns(self) -> int:
        """Nanoseconds to add to this machine's clock to have the venue's."""
        if not self._samples:
            return 0
        return min(self._samples, key=lambda sample: sample.round_trip_ns).offset_ns

    def venue_ms(self, now_ns: int) -> int:
        """The venue's time, UNIX milliseconds, at `now_ns` of this machine."""
        return (now_ns + self.offset_ns) // MS_NS
