import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.volume_surge import VolumeSurge


def feed(surge, volumes, start=0):
    """One trade at the beginning of each bucket of 10, none where the volume is 0."""
    for k, volume in enumerate(volumes):
        surge.advance(start + 10 * k)
        if volume:
            surge.update(start + 10 * k, volume)


def test_hand_worked():
    """Span 3, baseline of 1, 3, 5 (mean 3.5, variance 2.75): a bucket of 8 scores 2.71 and is flagged, 7.5 is not."""
    for volume, flagged in ((8.0, True), (7.5, False)):
        surge = VolumeSurge(10, span=3)
        surge.update(5, 99.0)
        feed(surge, [1.0, 3.0, 5.0, volume], start=10)
        assert surge.initialized
        # the score belongs to a whole bucket: it is not there before the bucket has ended
        assert math.isnan(surge.advance(49))
        assert not surge.flag
        assert surge.advance(50) == surge.value == pytest.approx((volume - 3.5) / math.sqrt(2.75))
        assert surge.flag is flagged


def test_first_bucket_is_not_used():
    """The bucket in which the series starts was seen in part only: its volume is no baseline."""
    with_huge, with_tiny = VolumeSurge(10, 3), VolumeSurge(10, 3)
    with_huge.update(5, 1e6)
    with_tiny.update(9, 1e-6)
    for surge in (with_huge, with_tiny):
        feed(surge, [1.0, 3.0, 5.0, 8.0], start=10)
    assert with_huge.advance(50) == with_tiny.advance(50) == pytest.approx(4.5 / math.sqrt(2.75))


def test_empty_buckets_are_zero_volume():
    """A bucket without trades after 4 and 2 pulls the baseline down to 1.5, against which the next empty one scores."""
    surge = VolumeSurge(10, span=3)
    surge.update(0, 1.0)
    feed(surge, [4.0, 2.0, 0.0, 0.0], start=10)
    # alpha is 1/2, the third value has the weight 1/2 against a mean of 3 and a variance of 1
    mean, variance = 1.5, 0.5 * (1.0 + 3.0 * 1.5)
    assert surge.advance(50) == pytest.approx((0.0 - mean) / math.sqrt(variance))


def test_silence_forgets_the_baseline():
    """More than `max_empty` empty buckets in a row end the series; the next trade begins another."""
    surge = VolumeSurge(10, span=2, max_empty=3)
    surge.update(0, 1.0)
    feed(surge, [1.0, 3.0, 0.0, 0.0, 0.0], start=10)
    assert not math.isnan(surge.advance(60))
    assert math.isnan(surge.advance(70))
    assert not surge.initialized
    assert math.isnan(surge.advance(10**15))
    surge.update(10**15, 1.0)
    assert not surge.initialized


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 70), st.floats(0.1, 10.0)), min_size=1, max_size=40), st.integers(1, 5))
def test_advancing_between_trades_changes_nothing(steps, max_empty):
    """A clock that ticks between trades changes no score that a trade sees."""
    ts = np.cumsum([s for s, _ in steps]).tolist()
    plain, ticking = VolumeSurge(10, 2, max_empty=max_empty), VolumeSurge(10, 2, max_empty=max_empty)
    before = 0
    for time, (_, size) in zip(ts, steps, strict=True):
        for tick in range(before, time, 7):
            ticking.advance(tick)
        before = time
        plain.update(time, size)
        ticking.update(time, size)
        assert np.array_equal(plain.value, ticking.value, equal_nan=True)
        assert plain.flag == ticking.flag
