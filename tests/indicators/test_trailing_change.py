import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.trailing_change import (
    TrailingChange,
    configure_trailing_change,
    read_trailing_change,
    reset_trailing_change,
    trailing_change_dtype,
    update_trailing_change,
)

MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000  # on a whole minute


def test_hand_worked():
    """Slots of 10, three of them: at 47 a horizon of 20 is read at 27, cut down to 20, where 3 was known since 15."""
    change = TrailingChange(10, 3, 100)
    assert math.isnan(change.value)
    assert not change.initialized
    for ts, value in ((12, 2.0), (15, 3.0), (28, 4.0), (41, 6.0)):
        change.update(ts, value)
    assert change.initialized
    assert change.value == 6.0
    assert change.read(47, 20) == 3.0
    assert change.absolute(47, 20) == 3.0
    assert change.relative(47, 20) == 1.0
    # 50 - 20 = 30 is a cut itself, 4 was known there; so it was at 47 - 10 = 37, cut down to 30
    assert change.read(50, 20) == 4.0
    assert change.read(47, 10) == 4.0
    assert change.relative(47, 10) == (6.0 - 4.0) / 4.0
    # 47 - 30 = 17, cut down to 10: nothing was known before 12
    assert math.isnan(change.read(47, 30))
    assert math.isnan(change.absolute(47, 30))
    assert math.isnan(change.relative(47, 30))


def test_a_value_on_the_cut_is_known_there():
    """A value of exactly the time that is read counts, the next one a nanosecond later does not."""
    change = TrailingChange(10, 2, 100)
    change.update(20, 1.0)
    change.update(21, 2.0)
    assert change.read(40, 20) == 1.0
    assert change.read(31, 10) == 1.0


def test_several_horizons_of_open_interest():
    """Open interest every 5 minutes, 1000 more each time: from one ring +1000 in 5 m, +3000 in 15 m, +12000 in 1 h."""
    change = TrailingChange(MINUTE, 60, 6 * MINUTE)
    for k in range(14):
        change.update(START + 5 * k * MINUTE + 1_700_000_000, 1e6 + 1000.0 * k)
    now = START + 67 * MINUTE
    assert [change.absolute(now, m * MINUTE) for m in (5, 15, 60)] == [1000.0, 3000.0, 12000.0]
    assert change.relative(now, 60 * MINUTE) == 12000.0 / 1_001_000.0


def test_stale_is_not_fresh():
    """Known for 25: at 27 the value of 2 is fresh, at 28 not; a read in the past judges by the age at that time."""
    change = TrailingChange(10, 6, 25)
    change.update(2, 5.0)
    assert change.absolute(27, 10) == 0.0
    assert math.isnan(change.absolute(28, 10))
    assert change.read(28, 10) == 5.0
    assert change.value == 5.0
    change.update(61, 8.0)
    # cuts 10 and 20 lie 8 and 18 after the value, cut 30 lies 28 after it
    assert [change.read(61, h) for h in (51, 41)] == [5.0, 5.0]
    assert math.isnan(change.read(61, 31))
    assert math.isnan(change.read(61, 10))
    assert change.absolute(61, 41) == 3.0


def test_a_long_silence_leaves_nothing_of_the_old_ring():
    """After a silence of many rings every horizon is unknown until new values have covered it."""
    change = TrailingChange(10, 3, 15)
    for ts in range(0, 100, 5):
        change.update(ts, float(ts))
    change.update(10_000_003, 7.0)
    for horizon in (10, 20, 30):
        assert math.isnan(change.read(10_000_003, horizon))
    change.update(10_000_012, 9.0)
    assert change.absolute(10_000_020, 10) == 2.0
    assert math.isnan(change.read(10_000_020, 20))


def test_an_older_value_changes_nothing():
    """A late value is superseded already, at its own time too; one of the same time replaces."""
    change = TrailingChange(10, 3, 100)
    change.update(5, 1.0)
    change.update(25, 2.0)
    change.update(15, 50.0)
    change.update(25, 3.0)
    assert (change.value, change.read(30, 10), change.read(40, 10)) == (3.0, 1.0, 3.0)


def test_no_fraction_of_what_is_not_positive():
    """A change from zero or below has no relative size: NaN; the absolute one has."""
    for before in (0.0, -4.0):
        change = TrailingChange(10, 2, 100)
        change.update(0, before)
        change.update(15, 2.0)
        assert change.absolute(15, 10) == 2.0 - before
        assert math.isnan(change.relative(15, 10))


@pytest.mark.parametrize("horizon", [0, -10, 31, 10.0])
def test_senseless_horizons_are_refused(horizon):
    """No horizon, one longer than three slots of 10, and one that is not a whole number."""
    change = TrailingChange(10, 3, 100)
    with pytest.raises(ValueError, match="horizon_ns"):
        change.read(50, horizon)


@pytest.mark.parametrize("parameters", [(0, 3, 100), (10, 0, 100), (10, 3, 0), (10.0, 3, 100)])
def test_senseless_parameters_are_refused(parameters):
    """Slots, their number and the age are whole numbers above 0."""
    with pytest.raises(ValueError, match=r"slot_ns|slots|max_age_ns"):
        TrailingChange(*parameters)


EVENTS = st.lists(st.tuples(st.integers(0, 40), st.integers(-50, 50)), min_size=1, max_size=40)


def model(events, ts, horizon, slot, max_age):
    """Search all values for those known now and at the cut."""

    def known(at):
        seen = [(t, v) for t, v in events if t <= at]
        return seen[-1][1] if seen and at - seen[-1][0] <= max_age else math.nan

    return known(ts), known((ts - horizon) // slot * slot)


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.integers(1, 60), st.integers(1, 120), st.lists(st.integers(0, 200), min_size=1, max_size=3))
def test_equals_a_search_through_all_values(steps, horizon, max_age, waits):
    """At any time after any silence, value before and change are those found by searching the whole past."""
    change = TrailingChange(10, 6, max_age)
    times = np.cumsum([step for step, _ in steps]).tolist()
    events = [(t, float(v)) for t, (_, v) in zip(times, steps, strict=True)]
    for k, (t, value) in enumerate(events):
        change.update(t, value)
        # until just before the next value, and some time after the last one
        reads = [t, times[k + 1] - 1] if k + 1 < len(times) else np.cumsum([t, *waits]).tolist()
        for at in reads:
            if at < t:
                continue
            now, before = model(events[: k + 1], at, horizon, 10, max_age)
            assert np.array_equal(change.read(at, horizon), before, equal_nan=True)
            assert np.array_equal(change.absolute(at, horizon), now - before, equal_nan=True)
            relative = (now - before) / before if before > 0.0 else math.nan
            assert np.array_equal(change.relative(at, horizon), relative, equal_nan=True)


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.lists(st.integers(0, 900), max_size=20).map(sorted), st.integers(0, 40), st.integers(1, 60))
def test_bulk_equals_one_by_one(steps, reads, cut, horizon):
    """In bulk, and in bulk cut in two, the same bits as one by one; what comes after a read changes nothing."""
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps], dtype=float)
    one_by_one, bulk, halves = (TrailingChange(10, 6, 70) for _ in range(3))
    expected, k = [], 0
    for at in reads:
        while k < len(times) and times[k] <= at:
            one_by_one.update(int(times[k]), float(values[k]))
            k += 1
        expected.append(
            [one_by_one.read(at, horizon), *(f(at, horizon) for f in (one_by_one.absolute, one_by_one.relative))]
        )
    reads = np.array(reads, dtype=np.int64)
    whole = bulk.update_many(times, values, reads, horizon)
    assert whole.tobytes() == np.array(expected, dtype=float).reshape(-1, 3).tobytes()
    split = times[min(cut, len(times) - 1)]
    early, soon = times < split, reads < split
    parts = [
        halves.update_many(times[early], values[early], reads[soon], horizon),
        halves.update_many(times[~early], values[~early], reads[~soon], horizon),
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@settings(deadline=None, max_examples=40)
@given(EVENTS, st.integers(1, 60))
def test_mirrored_values_mirror_the_change(steps, horizon):
    """Negated values give the negated change bit for bit."""
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps]) / 8.0
    plus = TrailingChange(10, 6, 70).update_many(times, values, times, horizon)
    minus = TrailingChange(10, 6, 70).update_many(times, -values, times, horizon)
    assert np.array_equal(plus[:, :2], -minus[:, :2], equal_nan=True)


def test_longer_than_the_ring_is_not_covered():
    """A kernel can not refuse: three slots of 10 give NaN for a horizon of 40, not the value of another time."""
    states = new_states(trailing_change_dtype(3))
    configure_trailing_change(states[0], 10, 1000)
    for ts in range(0, 200, 10):
        update_trailing_change(states[0], ts, float(ts))
    update_trailing_change(states[0], 191, 191.0)
    assert read_trailing_change(states[0], 191, 30) == 160.0
    assert math.isnan(read_trailing_change(states[0], 191, 40))


def test_reset_forgets_everything():
    """After a reset nothing is known, and the past before it does not come back."""
    states = new_states(trailing_change_dtype(3))
    state = states[0]
    configure_trailing_change(state, 10, 1000)
    for ts in range(0, 60, 7):
        update_trailing_change(state, ts, 5.0)
    reset_trailing_change(state)
    assert math.isnan(read_trailing_change(state, 60, 10))
    update_trailing_change(state, 61, 6.0)
    assert math.isnan(read_trailing_change(state, 75, 20))
    assert read_trailing_change(state, 80, 10) == 6.0
