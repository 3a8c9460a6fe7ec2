import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.bollinger import Bollinger, bollinger_dtype, configure_bollinger, reset_bollinger, update_bollinger
from indicators.kernel import new_states


def test_hand_worked():
    """Window 4 on 1, 3, 3, 5: mean 3, variance (4 + 0 + 0 + 4) / 4 = 2; bands 3 -+ 2 sqrt(2).

    %b of 5 is (5 - 3 + 2 sqrt(2)) / (4 sqrt(2)) = 1/2 + sqrt(2) / 4, the bandwidth 4 sqrt(2) / 3.
    """
    bands = Bollinger(4)
    for x in (1.0, 3.0, 3.0):
        assert math.isnan(bands.update(x))
    assert not bands.initialized
    assert math.isnan(bands.upper)
    assert math.isnan(bands.percent_b)
    assert bands.update(5.0) == bands.value == 3.0
    assert bands.initialized
    root = math.sqrt(2.0)
    assert math.isclose(bands.upper, 3.0 + 2.0 * root, rel_tol=1e-15)
    assert math.isclose(bands.lower, 3.0 - 2.0 * root, rel_tol=1e-14)
    assert math.isclose(bands.percent_b, 0.5 + root / 4.0, rel_tol=1e-15)
    assert math.isclose(bands.bandwidth, 4.0 * root / 3.0, rel_tol=1e-15)


def test_percent_b_of_the_bands_themselves():
    """Window 2 with one deviation on 1, 3: the value stands on its upper band, %b 1; then 3, 1: on the lower, %b 0."""
    assert Bollinger(2, 1.0).update_many([1.0, 3.0, 1.0]).percent_b[1:].tolist() == [1.0, 0.0]


def test_equal_values_have_no_percent_b():
    """A band without width: all three bands on the price, bandwidth 0, and %b NaN, for 0/0 has no place between."""
    bands = Bollinger(3)
    bands.update_many([7.0, 0.1, 0.1, 0.1])
    assert (bands.value, bands.upper, bands.lower, bands.bandwidth) == (0.1, 0.1, 0.1, 0.0)
    assert math.isnan(bands.percent_b)
    assert bands.initialized


def test_a_width_below_every_double_is_none():
    """The squares of 1e-170 vanish, and with them the width: %b is NaN, not infinite."""
    bands = Bollinger(2)
    bands.update_many([1e-170, 2e-170])
    assert bands.upper == bands.lower
    assert math.isnan(bands.percent_b)


def test_no_bandwidth_around_zero():
    """Where the mean is zero there is nothing to measure the width by: NaN, not infinite."""
    bands = Bollinger(2)
    bands.update_many([-1.0, 1.0])
    assert (bands.value, bands.upper, bands.lower) == (0.0, 2.0, -2.0)
    assert math.isnan(bands.bandwidth)


@pytest.mark.parametrize("deviations", [0.0, -2.0, math.nan, math.inf])
def test_senseless_deviations_are_refused(deviations):
    """A width of zero, below zero or not finite is no band."""
    with pytest.raises(ValueError, match="deviations"):
        Bollinger(20, deviations)


def test_million_updates_on_a_high_price():
    """Prices of 1e8 with a tick of 0.01: after a million updates the bands are right to 1e-15, their ratios to 1e-9.

    The exact values are those of 64-bit mantissas on distances from 1e8, which doubles and they hold without rounding.
    Taken from the bands themselves, which are rounded to 1.5e-8, %b would be right to 1e-7 only.
    """
    rng = np.random.default_rng(3)
    prices = np.round(1e8 + 0.01 * np.cumsum(rng.integers(-1, 2, 1_000_000)), 2)
    bands = Bollinger(20).update_many(prices)
    for start in (0, 500_000, 980_000):
        windows = np.lib.stride_tricks.sliding_window_view((prices[start : start + 20_000] - 1e8).astype("g"), 20)
        mean = windows.sum(axis=1) / 20
        deviation = np.sqrt(((windows - mean[:, None]) ** 2).sum(axis=1) / 20)
        price = mean + np.longdouble(1e8)
        exact = [price, price + 2 * deviation, price - 2 * deviation]
        now = [column[start + 19 : start + 20_000] for column in bands]
        for ours, theirs in zip(now[:3], exact, strict=True):
            np.testing.assert_allclose(ours.astype("g"), theirs, rtol=1e-15)
        np.testing.assert_allclose(now[3], 0.5 + (windows[:, -1] - mean) / (4 * deviation), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(now[4], 4 * deviation / price, rtol=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-1000, 1000), min_size=4, max_size=40))
def test_mirrored_values_mirror_the_bands(values):
    """Negating the input negates bands (swapped) and bandwidth bit for bit; %b becomes 1 - %b as rounded."""
    plus = Bollinger(4).update_many(np.array(values, dtype=float))
    minus = Bollinger(4).update_many(-np.array(values, dtype=float))
    assert np.array_equal(plus.middle, -minus.middle, equal_nan=True)
    assert np.array_equal(plus.upper, -minus.lower, equal_nan=True)
    assert np.array_equal(plus.lower, -minus.upper, equal_nan=True)
    np.testing.assert_allclose(
        plus.percent_b + minus.percent_b, np.where(plus.upper > plus.lower, 1.0, np.nan), rtol=3e-16
    )
    assert np.array_equal(plus.bandwidth, -minus.bandwidth, equal_nan=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(1e-3, 1e6), min_size=4, max_size=40))
def test_bands_hold_together(values):
    """Lower <= middle <= upper; with two deviations a member of four lies within: 0 <= %b <= 1 up to rounding.

    The largest score in a window of n is sqrt(n - 1), which is 1.73 here and less than 2.
    """
    bands = Bollinger(4).update_many(values)
    warm = ~np.isnan(bands.middle)
    assert np.array_equal(warm, np.arange(len(values)) >= 3)
    assert (bands.lower[warm] <= bands.middle[warm]).all()
    assert (bands.middle[warm] <= bands.upper[warm]).all()
    inside = bands.percent_b[warm & (bands.bandwidth > 1e-12)]
    assert ((inside > 0.0) & (inside < 1.0)).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(1e-3, 1e6), min_size=4, max_size=40))
def test_a_power_of_two_changes_no_ratio(values):
    """Prices times 8 give bands times 8 and the same %b and bandwidth, bit for bit."""
    once, scaled = Bollinger(4).update_many(values), Bollinger(4).update_many(8.0 * np.array(values))
    for a, b in zip(once, scaled, strict=True):
        factor = 8.0 if a is once.middle or a is once.upper or a is once.lower else 1.0
        assert np.array_equal(factor * a, b, equal_nan=True)


def test_reset_forgets_everything():
    """After a reset all five are NaN, and the record gives the values of a fresh one."""
    states = new_states(bollinger_dtype(5), 2)
    for state in states:
        configure_bollinger(state, 1.5)
    values = np.random.default_rng(1).normal(100.0, 1.0, 30).tolist()
    for x in values[:13]:
        update_bollinger(states[0], 1e6 * x)
    reset_bollinger(states[0])
    names = ("middle", "upper", "lower", "percent_b", "bandwidth")
    assert all(math.isnan(states[0][name]) for name in names)
    for x in values:
        update_bollinger(states[0], x)
        update_bollinger(states[1], x)
        assert np.array_equal(*([state[name] for name in names] for state in states), equal_nan=True)
