"""The venue's clock, from pings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.clock_sync import MS_NS, ClockSync, PingSample


def ping(sent_ms: int, round_trip_ms: int, venue_ms: int) -> PingSample:
    return PingSample(sent_ms * MS_NS, (sent_ms + round_trip_ms) * MS_NS, venue_ms)


def test_offset_is_from_the_middle_of_the_round_trip() -> None:
    """Sent at 1000, back at 1100, venue says 3050: the venue is 2000 ms ahead."""
    clock = ClockSync()
    clock.add(ping(1_000, 100, 3_050))
    assert clock.offset_ns == 2_000 * MS_NS
    assert clock.venue_ms(5_000 * MS_NS) == 7_000


def test_the_shortest_round_trip_counts() -> None:
    """Slow exchanges are off by up to half of what they took."""
    clock = ClockSync()
    clock.add(ping(1_000, 10, 1_005))
    clock.add(ping(2_000, 800, 2_800))
    assert clock.offset_ns == 0


def test_old_samples_leave() -> None:
    """The clock drifts: only the last samples count."""
    clock = ClockSync(samples=2)
    clock.add(ping(0, 2, 1))
    for sent in (1_000, 2_000):
        clock.add(ping(sent, 20, sent + 510))
    assert clock.offset_ns == 500 * MS_NS


def test_without_samples_this_machines_clock_counts() -> None:
    """And after the venue has refused our time."""
    clock = ClockSync()
    assert not clock.synced
    assert clock.venue_ms(1_500 * MS_NS) == 1_500
    clock.add(ping(0, 0, 900))
    clock.forget()
    assert (clock.synced, clock.offset_ns) == (False, 0)


def test_a_clock_set_back_in_between_is_refused() -> None:
    """Received before it was sent."""
    with pytest.raises(ValueError, match="the clock was set back"):
        ClockSync().add(PingSample(10, 5, 1))


@given(st.integers(-100_000, 100_000), st.integers(0, 2_000), st.floats(0.0, 1.0))
def test_error_is_at_most_half_a_round_trip(offset_ms: int, round_trip_ms: int, share: float) -> None:
    """However the way there and the way back share the time."""
    clock = ClockSync()
    there = round(round_trip_ms * share)
    sent = 1_000_000
    clock.add(ping(sent, round_trip_ms, sent + there + offset_ms))
    assert abs(clock.offset_ns / MS_NS - offset_ms) <= round_trip_ms / 2 + 1
