"""Clock columns: their unit, and how the receive clock stands to the venue's.

Recorders write seconds, milliseconds, microseconds or nanoseconds, and the same recorder changes its mind between
years. A UNIX time between 2001-09-09 and 2262 has 10, 13, 16 or 19 digits in these units, so the magnitude tells.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catalog.anomalies import AnomalyLog, Kind

EARLIEST_NS = 10**18  # 2001-09-09: the first time with 19 digits
LATEST_NS = 2**63 - 1  # 2262-04-11: the last one that fits
MULTIPLIERS = (1, 1_000, 1_000_000, 1_000_000_000)  # ns, us, ms and s in ns
UNIT_NAMES = {1: "ns", 1_000: "us", 1_000_000: "ms", 1_000_000_000: "s"}
LARGEST_LATENCY_NS = 5 * 60 * 1_000_000_000  # a recorder's clock may be off by seconds, not by hours
NS_PER_MS = 1_000_000
HISTOGRAM_BATCH = 65_536


class ClockValueError(ValueError):
    """A value that is no time of its column; `kind` is how to report it."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def multiplier_of(value: int) -> int | None:
    """Nanoseconds in the unit of a UNIX time, told from its magnitude; None for what is no time after 2001."""
    return next((m for m in MULTIPLIERS if EARLIEST_NS <= value * m <= LATEST_NS), None)


class Clock:
    """One clock column of a stream. Its unit is that of its first value that is a time, and may not change."""

    __slots__ = ("_earliest", "_latest", "multiplier", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.multiplier = 0  # not known yet
        self._earliest = 1
        self._latest = 0  # an empty range: the first value takes the slow path

    def ns(self, value: int) -> int:
        """The time in ns. Raises ClockValueError: BAD_VALUE for no time at all, MALFORMED for another unit."""
        if self._earliest <= value <= self._latest:
            return value * self.multiplier
        multiplier = multiplier_of(value)
        if multiplier is None:
            raise ClockValueError(Kind.BAD_VALUE, f"{self.name} {value} is not a UNIX time after 2001")
        if self.multiplier:
            now, before = UNIT_NAMES[multiplier], UNIT_NAMES[self.multiplier]
            raise ClockValueError(Kind.MALFORMED, f"{self.name} {value} is in {now}, the column began in {before}")
        self.multiplier = multiplier
        self._earliest = EARLIEST_NS // multiplier
        self._latest = LATEST_NS // multiplier
        return value * multiplier


class ReceiveClock:
    """The recorder's clock over all files of a stream: unit, offset, and that it never steps back."""

    def __init__(self, offset_ns: int, log: AnomalyLog) -> None:
        self._clock = Clock("receive time")
        self._offset_ns = offset_ns
        self._log = log
        self._last = 0

    def read(self, value: int, file: str, line: int) -> int | None:
        """ts_init in ns; None, and a finding, if the value cannot be one."""
        # soon after the one before, in the column's own unit, is proof enough of a good value
        ts = value * self._clock.multiplier + self._offset_ns
        if self._clock.multiplier and 0 <= ts - self._last <= LARGEST_LATENCY_NS:
            self._last = ts
            return ts
        try:
            ts = self._clock.ns(value) + self._offset_ns
        except ClockValueError as e:
            self._log.report(e.kind, file, line, str(e))
            return None
        last, self._last = self._last, ts
        if ts < last:
            message = f"receive time {value} is {(last - ts) / NS_PER_MS:.3f} ms before the one of the line before"
            self._log.report(Kind.TIME_BACKWARDS, file, line, message, ts)
            return None
        return ts


class Latency:
    """Receive time minus the venue's time over one file, kept as a histogram of whole milliseconds."""

    def __init__(self) -> None:
        self._values: list[int] = []  # not in the histogram yet
        self._histogram: Counter[int] = Counter()
        self._negative = 0
        self._lowest_ns = 0

    def add(self, latency_ns: int) -> None:
        self._values.append(latency_ns)
        if len(self._values) >= HISTOGRAM_BATCH:
            self._count()

    def add_many(self, latency_ns: npt.NDArray[np.int64]) -> None:
        """The same for an array."""
        if not len(latency_ns):
            return
        values, counts = np.unique(latency_ns // NS_PER_MS, return_counts=True)
        self._histogram.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self._negative += int(np.count_nonzero(latency_ns < 0))
        self._lowest_ns = min(self._lowest_ns, int(latency_ns.min()))

    def _count(self) -> None:
        values, self._values = self._values, []
        self.add_many(np.array(values, np.int64))

    def median_ms(self) -> int:
        """The median of all events in whole milliseconds, rounded down. Raises ValueError without events."""
        self._count()
        half = (self._histogram.total() + 1) // 2
        seen = 0
        for value in sorted(self._histogram):
            seen += self._histogram[value]
            if seen >= half > 0:
                return value
        raise ValueError("no events, no median: add latencies first")

    def report(self, log: AnomalyLog, file: Path | str) -> None:
        """Report CLOCK_SKEW if any event was received before it was sent, and begin anew."""
        self._count()
        if self._negative:
            message = (
                f"{self._negative} of {self._histogram.total()} events were received before they were sent: latency "
                f"min {self._lowest_ns / NS_PER_MS:.3f} ms, median {self.median_ms()} ms; clock_offset_ns corrects it"
            )
            log.report(Kind.CLOCK_SKEW, file, None, message)
        self._histogram.clear()
        self._negative = 0
        self._lowest_ns = 0


class EventClock:
    """The venue's clock of one stream, held against the receive clock: Binance's E, and T of the matching engine."""

    def __init__(self, stream: str, latency: Latency, log: AnomalyLog) -> None:
        self._stream = stream
        self._event = Clock(f"event time of {stream}")
        self._transaction = Clock(f"transaction time of {stream}")
        self._latency = latency
        self._log = log
        self._last = 0

    def read(self, event: int, transaction: int, ts_init: int, file: str, line: int) -> int | None:
        """ts_event in ns: the transaction time, which is `event` again where the venue tells none.

        None, and a finding, if a value is no time, is too far from `ts_init`, or if the event time steps back.
        """
        # near the receive time in the column's own unit is proof enough of a good value
        sent = event * self._event.multiplier
        happened = transaction * self._transaction.multiplier
        latency = ts_init - sent
        if (
            -LARGEST_LATENCY_NS <= latency <= LARGEST_LATENCY_NS
            and -LARGEST_LATENCY_NS <= ts_init - happened <= LARGEST_LATENCY_NS
            and sent >= self._last
        ):
            self._last = sent
            self._latency.add(latency)
            return happened
        return self._judge(event, transaction, ts_init, file, line)

    def _judge(self, event: int, transaction: int, ts_init: int, file: str, line: int) -> int | None:
        try:
            sent, happened = self._event.ns(event), self._transaction.ns(transaction)
        except ClockValueError as e:
            self._log.report(e.kind, file, line, str(e), ts_init)
            return None
        for value, ts in ((event, sent), (transaction, happened)):
            if abs(ts_init - ts) > LARGEST_LATENCY_NS:
                seconds = (ts_init - ts) / 1e9
                message = f"the time {value} of {self._stream} is {seconds:.0f} s before its receive time"
                self._log.report(Kind.BAD_VALUE, file, line, message, ts_init)
                return None
        last, self._last = self._last, sent
        if sent < last:
            message = f"event time of {self._stream} steps back from {last} to {sent} ns"
            self._log.report(Kind.TIME_BACKWARDS, file, line, message, ts_init)
            return None
        self._latency.add(ts_init - sent)
        return happened
