import itertools
from unittest import mock

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.peaks import find_peaks, peaks, peaks_dtype

DISTANCE = st.integers(1, 12)


def scipy_peaks(values, distance, prominence):
    """Peaks by scipy with a stable sort: among equal heights its own choice depends on the processor (scipy #22906)."""
    sort = np.argsort
    with mock.patch("numpy.argsort", lambda heights: sort(heights, kind="stable")):
        return scipy.signal.find_peaks(values, distance=distance, prominence=prominence)[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([1], []),
        ([0, 1], []),
        ([0, 1, 0], [1]),
        ([2, 1, 0, 1, 2], []),  # the ends have one neighbour only
        ([0, 1, 1, 0], [1]),  # a top of samples 1 and 2: middle 1.5, rounded down
        ([0, 1, 1, 1, 0], [2]),
        ([0, 1, 1, 2, 2, 1, 1, 0], [3]),  # the shoulders are no tops
        ([0, 1, 1, 1], []),  # a top that runs to the end is not closed
        ([0, 1, 0, 1, 0, 1, 0], [1, 3, 5]),
    ],
)
def test_tops(values, expected):
    """A peak is a run of equal values with a lower one on either side, at its middle."""
    assert peaks(values).tolist() == expected


def test_distance_favours_the_highest():
    """The highest peak removes its neighbours first, and what is removed removes nothing itself."""
    values = [0, 2, 0, 3, 0, 4, 0, 1, 0, 2, 0]
    # at 3: the peak of 4 at 5 removes those at 3 and 7; the 3 would have removed the one at 1, which so stays
    assert peaks(values, distance=3).tolist() == [1, 5, 9]
    assert peaks(values, distance=2).tolist() == [1, 3, 5, 7, 9]


def test_of_equal_peaks_the_later_stays():
    """Of equally high peaks nearer than the distance the later stays."""
    assert peaks([0, 1, 0, 1, 0], distance=3).tolist() == [3]
    assert peaks([0, 1, 0, 1, 0, 1, 0, 1, 0], distance=3).tolist() == [3, 7]


def test_prominence_by_hand():
    """The prominence is the height above the higher of both bases, and just enough of it is enough."""
    values = [1, 4, 2, 6, 0, 5, 3]
    # 4: bases 1 and 2, so 4 - 2 = 2.  6: bases 1 and 0, so 6 - 1 = 5.  5: bases 0 and 3, so 5 - 3 = 2
    assert peaks(values, prominence=2.0).tolist() == [1, 3, 5]
    assert peaks(values, prominence=np.nextafter(2.0, 3.0)).tolist() == [3]
    assert peaks(values, prominence=np.nextafter(5.0, 6.0)).tolist() == []


def test_equal_peaks_share_their_prominence():
    """An equally high peak is seen across, only a higher value ends the search for the base."""
    # both stand on the zeros at the ends: 3 - 0, though only 1 above the valley between
    assert peaks([0, 3, 2, 3, 0], prominence=3.0).tolist() == [1, 3]


def test_distance_comes_before_prominence():
    """A peak that lacks prominence has already removed a prominent one near it."""
    # 9 stands 1 above its base of 8, the 7 stands 2 above its base of 5, two samples away
    values = [20, 8, 9, 5, 7, 5, 4]
    assert peaks(values, prominence=2.0).tolist() == [4]
    assert peaks(values, distance=3, prominence=2.0).tolist() == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), max_size=120), DISTANCE, st.integers(0, 4))
def test_equals_scipy_with_ties(values, distance, prominence):
    """With many plateaus and equal heights the peaks are scipy's with a stable sort."""
    column = np.array(values, dtype=float)
    assert np.array_equal(peaks(column, distance, prominence), scipy_peaks(column, distance, prominence))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), unique=True, max_size=120), DISTANCE, st.floats(0, 1e6))
def test_equals_scipy_without_ties(values, distance, prominence):
    """Where no two values are equal the peaks are scipy's as it stands."""
    column = np.array(values, dtype=float)
    expected, _ = scipy.signal.find_peaks(column, distance=distance, prominence=prominence)
    assert np.array_equal(peaks(column, distance, prominence), expected)


def test_prominence_is_exactly_scipys():
    """Each peak stays at the prominence that scipy gives it and goes at the next larger double."""
    values = np.cumsum(np.random.default_rng(7).normal(size=600))
    where = scipy.signal.find_peaks(values)[0]
    for prominence in scipy.signal.peak_prominences(values, where)[0]:
        for asked in (prominence, np.nextafter(prominence, np.inf)):
            assert np.array_equal(peaks(values, 1, asked), scipy.signal.find_peaks(values, prominence=asked)[0])


@pytest.mark.parametrize("distance", [1, 3])
def test_every_short_series_in_one_record(distance):
    """Every series of seven small integers is solved as by scipy in one used record, and nothing is written past it."""
    states = new_states(peaks_dtype(7), 2)
    for values in itertools.product((0.0, 1.0, 2.0), repeat=7):
        column = np.array(values)
        number = find_peaks(states[0], column, distance, 1.0)
        assert states[0]["found"][:number].tolist() == scipy_peaks(column, distance, 1.0).tolist()
    assert states[1].tobytes() == new_states(peaks_dtype(7)).tobytes()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-50, 50), max_size=80), DISTANCE, st.integers(0, 20), st.integers(-40, 40))
def test_scale_is_free(values, distance, prominence, power):
    """Heights and prominence in another unit, a power of two, give the same peaks."""
    column = np.array(values, dtype=float)
    unit = 2.0**power
    assert np.array_equal(peaks(column * unit, distance, prominence * unit), peaks(column, distance, prominence))


def test_infinite_values_have_a_height():
    """Infinite values are compared like any other, as scipy does."""
    column = np.array([0.0, np.inf, 0.0, 1.0, -np.inf, 1.0, -np.inf])
    # inf - 0; the 1 before -inf has bases 0 and -inf: 1 - 0; the 1 after it sees -inf on both sides: 1 + inf
    assert peaks(column, 1, 1.5).tolist() == scipy_peaks(column, 1, 1.5).tolist() == [1, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 1.0, np.nan],), "value 2 is NaN"),
        (([0.0], 0), "distance is 0"),
        (([0.0], 1, -1.0), "prominence is -1.0"),
        (([0.0], 1, np.nan), "prominence is nan"),
        (([[0.0]],), "shape"),
    ],
)
def test_refusals(arguments, message):
    """What has no peaks by definition is refused by name."""
    with pytest.raises(ValueError, match=message):
        peaks(*arguments)
