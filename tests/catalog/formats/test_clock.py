"""Clock columns: units, steps back, and the distance between two clocks."""

import numpy as np
import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.clock import Clock, ClockValueError, EventClock, Latency, ReceiveClock, multiplier_of

NS = 1_721_347_021_080_832_061
MS = 1_000_000
MINUTE = 60_000 * MS


@pytest.mark.parametrize(
    ("value", "multiplier"),
    [
        (1_721_347_021, 10**9),
        (1_721_347_021_080, 10**6),
        (1_721_347_021_080_832, 10**3),
        (NS, 1),
        (0, None),
        (-1, None),
        (1, None),
        (999_999_999, None),
        (10**19, None),
    ],
)
def test_unit_is_told_from_magnitude(value: int, multiplier: int | None) -> None:
    """10, 13, 16 and 19 digits are s, ms, us and ns; anything else is no time."""
    assert multiplier_of(value) == multiplier


def test_unit_is_that_of_the_first_value() -> None:
    """A column keeps its unit, a time in another one is MALFORMED and no time at all BAD_VALUE."""
    clock = Clock("E")
    assert clock.ns(1_721_347_021_080) == 1_721_347_021_080 * MS
    with pytest.raises(ClockValueError, match="is in us, the column began in ms") as mixed:
        clock.ns(1_721_347_021_080_832)
    with pytest.raises(ClockValueError, match="E 0 is not a UNIX time") as zero:
        clock.ns(0)
    assert (mixed.value.kind, zero.value.kind) == (Kind.MALFORMED, Kind.BAD_VALUE)


def test_a_bad_first_value_does_not_set_the_unit() -> None:
    """The unit comes from the first value that is a time."""
    clock = Clock("E")
    with pytest.raises(ClockValueError):
        clock.ns(1)
    assert clock.ns(1_721_347_021) == 1_721_347_021 * 10**9


def test_receive_clock_adds_the_offset_and_reports_steps_back() -> None:
    """The offset goes on top; a step back is reported once and counted from there."""
    log = AnomalyLog()
    clock = ReceiveClock(5, log)
    assert clock.read(NS, "f", 1) == NS + 5
    assert clock.read(NS, "f", 2) == NS + 5
    assert clock.read(NS - 2 * MS, "f", 3) is None
    assert clock.read(NS - MS, "f", 4) == NS - MS + 5
    assert [(a.kind, a.line) for a in log.refused] == [(Kind.TIME_BACKWARDS, 3)]
    assert "2.000 ms before" in log.refused[0].message


def test_event_clock_gives_the_transaction_time() -> None:
    """ts_event is T where the venue tells it, E otherwise; the latency is that of E."""
    log = AnomalyLog()
    latency = Latency()
    clock = EventClock("trade", latency, log)
    event = NS // MS
    assert clock.read(event, event - 3, NS + MS, "f", 1) == (event - 3) * MS
    assert clock.read(event, event, NS + MS, "f", 2) == event * MS
    assert latency.median_ms() == 1
    assert not log.counts


@pytest.mark.parametrize(
    ("event_ms", "transaction_ms", "kind"),
    [
        (-6 * 60_000, 0, Kind.BAD_VALUE),
        (6 * 60_000, 0, Kind.BAD_VALUE),
        (0, -6 * 60_000, Kind.BAD_VALUE),
        (-1, 0, Kind.TIME_BACKWARDS),
    ],
    ids=["event long ago", "event in the future", "transaction long ago", "event before the last"],
)
def test_event_clock_refuses_impossible_times(event_ms: int, transaction_ms: int, kind: Kind) -> None:
    """Five minutes between the clocks and a step back of the venue's are too much."""
    log = AnomalyLog()
    clock = EventClock("trade", Latency(), log)
    now = NS // MS
    assert clock.read(now, now, NS, "f", 1) is not None
    assert clock.read(now + event_ms, now + transaction_ms, NS, "f", 2) is None
    assert [(a.kind, a.line) for a in log.refused] == [(kind, 2)]


def test_latency_is_reported_once_and_begins_anew() -> None:
    """CLOCK_SKEW gives count, minimum and median of all events; a second report has nothing to say."""
    log = AnomalyLog()
    latency = Latency()
    for ms in (-3, -2, 10):
        latency.add(ms * MS)
    latency.report(log, "f")
    latency.report(log, "f")
    (finding,) = log.tolerated
    assert finding.kind is Kind.CLOCK_SKEW
    assert "2 of 3 events" in finding.message
    assert "min -3.000 ms, median -2 ms" in finding.message


def test_positive_latency_is_no_finding() -> None:
    """A recorder behind the venue by the network's delay is normal."""
    log = AnomalyLog()
    latency = Latency()
    latency.add_many(np.array([0, 5 * MS], np.int64))
    latency.report(log, "f")
    assert not log.counts
