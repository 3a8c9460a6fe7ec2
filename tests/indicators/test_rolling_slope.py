import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.rolling_slope import (
    RollingSlope,
    configure_rolling_slope,
    reset_rolling_slope,
    rolling_slope_dtype,
    update_rolling_slope,
)


def exact(values):
    """Return the slope by its definition, in rational arithmetic."""
    numbers = [Fraction(v) for v in values]
    middle = Fraction(len(numbers) - 1, 2)
    mean = sum(numbers) / len(numbers)
    return sum((k - middle) * (v - mean) for k, v in enumerate(numbers)) / sum(
        (k - middle) ** 2 for k in range(len(numbers))
    )


def test_hand_worked():
    """Window 3 on 1, 2, 6: (-1 x 1 + 0 x 2 + 1 x 6) / 2 = 2.5; then 2, 6, 4: (4 - 2) / 2 = 1."""
    slope = RollingSlope(3)
    assert math.isnan(slope.value)
    assert math.isnan(slope.update(1.0))
    assert math.isnan(slope.update(2.0))
    assert not slope.initialized
    assert slope.update(6.0) == 2.5
    assert slope.initialized
    assert slope.update(4.0) == slope.value == 1.0


def test_two_values_give_their_difference():
    """The shortest window has the slope of a step: 5 - 2 = 3, 1 - 5 = -4."""
    assert RollingSlope(2).update_many([2.0, 5.0, 1.0])[1:].tolist() == [3.0, -4.0]


def test_straight_line():
    """A line of 0.25 a sample has that slope for ever, and a flat line exactly none."""
    assert RollingSlope(7).update_many(1000.0 + 0.25 * np.arange(500.0))[6:].tolist() == [0.25] * 494
    assert RollingSlope(7).update_many(np.full(50, 0.1))[6:].tolist() == [0.0] * 44


@pytest.mark.parametrize("window", [2, 5, 60])
def test_equals_polyfit(window):
    """numpy's least squares finds the same slope in every window."""
    xs = 50.0 + np.cumsum(np.random.default_rng(5).normal(0.0, 1.0, 400))
    slopes = RollingSlope(window).update_many(xs)
    assert np.isnan(slopes[: window - 1]).all()
    for end in range(window, len(xs) + 1):
        expected = np.polyfit(np.arange(window), xs[end - window : end], 1)[0]
        assert math.isclose(slopes[end - 1], expected, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("window", [20, 997])
def test_million_updates_on_a_high_price(window):
    """Prices of 1e8 with a tick of 0.01: after a million updates every checked slope is right to 1e-9."""
    rng = np.random.default_rng(3)
    prices = np.round(1e8 + 0.01 * np.cumsum(rng.integers(-1, 2, 1_000_000)), 2)
    slopes = RollingSlope(window).update_many(prices)
    for end in (window, window + 1, 2 * window - 1, 2 * window, *range(999_990, 1_000_001)):
        expected = exact(prices[end - window : end].tolist())
        assert math.isclose(slopes[end - 1], expected, rel_tol=1e-9, abs_tol=0.0)
    # 64-bit mantissas on distances from 1e8 hold these sums without rounding
    windows = np.lib.stride_tricks.sliding_window_view((prices[-10_000:] - 1e8).astype("g"), window)
    weights = np.arange(1 - window, window, 2).astype("g")
    expected = 6 * (windows @ weights) / (window * (window**2 - 1))
    np.testing.assert_allclose(slopes[-len(expected) :], expected, rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("at", [100, 130, 199])
def test_a_spike_leaves_no_trace(at):
    """After a bad print of a million times the price has left the window, the slope is that of the rest."""
    rng = np.random.default_rng(4)
    prices = 100.0 + np.round(rng.normal(0.0, 0.5, 400), 1)
    prices[at] = 1e8
    slopes = RollingSlope(100).update_many(prices)
    for end in range(at + 101, 400):
        # 0.5 / sqrt(100^3 / 12) is the spread of such slopes
        expected = exact(prices[end - 100 : end].tolist())
        assert math.isclose(slopes[end - 1], expected, rel_tol=1e-9, abs_tol=1e-12 * 0.0017)


def test_an_outlier_is_no_reference():
    """Distances are taken from the member next to the mean: of 103, 0, 1, 2 with mean 26.5 that is 2."""
    states = new_states(rolling_slope_dtype(4))
    configure_rolling_slope(states[0])
    for x in (103.0, 0.0, 1.0, 2.0):
        update_rolling_slope(states[0], x)
    assert states[0]["reference"] == 2.0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)), min_size=4, max_size=40))
def test_equals_exact_arithmetic(values):
    """The slope is that of rational arithmetic on any input, as far as the window's own spread allows."""
    slopes = RollingSlope(4).update_many(values)
    for end in range(4, len(values) + 1):
        window = values[end - 4 : end]
        spread, scale = max(window) - min(window), max(map(abs, window))
        assert math.isclose(slopes[end - 1], exact(window), rel_tol=1e-9, abs_tol=1e-10 * spread + 1e-15 * scale)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=5, max_size=40))
def test_whole_numbers_are_exact(values):
    """On whole numbers the slope is the double next to the exact one, so a window without a slope has exactly 0."""
    slopes = RollingSlope(5).update_many(np.array(values, dtype=float))
    assert slopes[4:].tolist() == [float(exact(values[end - 5 : end])) for end in range(5, len(values) + 1)]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=40))
def test_mirrored_values_mirror_the_slope(values):
    """Negating the input negates the slope bit for bit."""
    plus, minus = RollingSlope(4).update_many(values), RollingSlope(4).update_many(-np.array(values))
    assert np.array_equal(plus, -minus, equal_nan=True)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-290 else 0.0), min_size=4, max_size=40))
def test_a_power_of_two_scales_the_slope(values):
    """Values times 8 have 8 times the slope, bit for bit, where no double runs out of digits."""
    once, scaled = RollingSlope(4).update_many(values), RollingSlope(4).update_many(8.0 * np.array(values))
    assert np.array_equal(8.0 * once, scaled, equal_nan=True)


def test_reset_forgets_everything():
    """After a reset the record gives the slopes of a fresh one."""
    states = new_states(rolling_slope_dtype(5), 2)
    for state in states:
        configure_rolling_slope(state)
    values = np.random.default_rng(1).normal(100.0, 1.0, 30).tolist()
    for x in values[:13]:
        update_rolling_slope(states[0], 1e6 * x)
    reset_rolling_slope(states[0])
    got = [[update_rolling_slope(state, x) for x in values] for state in states]
    assert np.array_equal(got[0], got[1], equal_nan=True)
