import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.rolling_moments import RollingMoments


def exact(values):
    numbers = [Fraction(v) for v in values]
    mean = sum(numbers) / len(numbers)
    return mean, sum((v - mean) ** 2 for v in numbers) / len(numbers)


def test_hand_worked():
    """Window 3 on 1, 2, 6, 4: mean 3, variance 14/3; then 2, 6, 4: mean 4, variance 8/3, z of 4 is 0."""
    moments = RollingMoments(3)
    for x in (1.0, 2.0):
        assert math.isnan(moments.update(x))
        assert math.isnan(moments.variance)
        assert math.isnan(moments.zscore)
    assert not moments.initialized
    assert moments.update(6.0) == 3.0
    assert moments.initialized
    assert math.isclose(moments.variance, 14 / 3, rel_tol=1e-15)
    assert math.isclose(moments.zscore, 3 / math.sqrt(14 / 3), rel_tol=1e-15)
    assert moments.update(4.0) == moments.value == 4.0
    assert math.isclose(moments.variance, 8 / 3, rel_tol=1e-15)
    assert moments.zscore == 0.0


def test_equal_values_have_no_variance_at_all():
    """Once all values are equal the variance is exactly 0 and so is the score, whatever was there before."""
    moments = RollingMoments(3)
    averages, variances, zscores = moments.update_many([0.1, 1e9, 7.7, 0.3, 0.3, 0.3, 0.3])
    assert averages[-2:].tolist() == [0.3, 0.3]
    assert variances[-2:].tolist() == [0.0, 0.0]
    assert zscores[-2:].tolist() == [0.0, 0.0]


def test_million_updates_on_a_high_price():
    """Prices of 1e8 with a tick of 0.01: after a million updates the variance is right to 1e-9, the mean to 1e-15."""
    rng = np.random.default_rng(3)
    prices = np.round(1e8 + 0.01 * np.cumsum(rng.integers(-1, 2, 1_000_000)), 2)
    averages, variances, _ = RollingMoments(20).update_many(prices)
    for end in (20, 21, 500_000, 999_990, 1_000_000):
        mean, variance = exact(prices[end - 20 : end].tolist())
        assert math.isclose(averages[end - 1], mean, rel_tol=1e-15)
        assert math.isclose(variances[end - 1], variance, rel_tol=1e-9, abs_tol=0.0)


def test_a_spike_leaves_no_trace():
    """After a bad print of twice the price has left the window, the variance is that of the rest to 1e-9."""
    rng = np.random.default_rng(4)
    prices = 1e5 + np.round(rng.normal(0.0, 0.5, 400), 1)
    prices[130] = 2e5
    _, variances, _ = RollingMoments(100).update_many(prices)
    for end in range(231, 400):
        _, variance = exact(prices[end - 100 : end].tolist())
        assert math.isclose(variances[end - 1], variance, rel_tol=1e-9)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)), min_size=4, max_size=40))
def test_equals_exact_arithmetic(values):
    """Mean and variance are those of rational arithmetic on any input, as far as the values' own digits go."""
    averages, variances, _ = RollingMoments(4).update_many(values)
    for end in range(4, len(values) + 1):
        window = values[end - 4 : end]
        mean, variance = exact(window)
        scale = max(map(abs, window))
        assert math.isclose(averages[end - 1], mean, rel_tol=1e-9, abs_tol=1e-15 * scale)
        # the rounding of the reference price itself: its square is all that a window of doubles can not resolve
        assert math.isclose(variances[end - 1], variance, rel_tol=1e-9, abs_tol=(1e-15 * scale) ** 2)
        assert variances[end - 1] >= 0.0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-1000, 1000), min_size=4, max_size=40))
def test_mirrored_values_mirror_the_score(values):
    """Negating the input negates mean and score and keeps the variance, bit for bit."""
    plus = RollingMoments(4).update_many(np.array(values, dtype=float))
    minus = RollingMoments(4).update_many(-np.array(values, dtype=float))
    assert np.array_equal(plus[0], -minus[0], equal_nan=True)
    assert np.array_equal(plus[1], minus[1], equal_nan=True)
    assert np.array_equal(plus[2], -minus[2], equal_nan=True)
