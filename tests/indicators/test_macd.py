import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.macd import Macd, MacdState, configure_macd, reset_macd, update_macd


def test_hand_worked():
    """Periods 1, 3, 2 on 1, 2, 6, 4, 0, warm at the fourth value.

    Fast is the value itself. Slow (alpha 1/2) starts with the mean 3, then (3 + 4) / 2 = 3.5, (3.5 + 0) / 2 = 1.75.
    MACD is 6 - 3 = 3, 4 - 3.5 = 0.5, 0 - 1.75 = -1.75. The signal (alpha 2/3) starts with (3 + 0.5) / 2 = 1.75, then
    1.75 - 2/3 x 3.5 = -7/12.
    """
    macd = Macd(1, 3, 2)
    for x in (1.0, 2.0, 6.0):
        assert math.isnan(macd.update(x))
    assert not macd.initialized
    assert math.isnan(macd.value)
    assert math.isnan(macd.signal)
    assert math.isnan(macd.histogram)
    assert macd.update(4.0) == macd.value == 0.5
    assert macd.initialized
    assert (macd.signal, macd.histogram) == (1.75, -1.25)
    assert macd.update(0.0) == -1.75
    assert math.isclose(macd.signal, -7 / 12, rel_tol=1e-15)
    assert math.isclose(macd.histogram, -7 / 6, rel_tol=1e-15)


def test_both_seeds_end_at_the_same_value():
    """Periods 2, 4, 1 on 1, 10, 2, 4: the fast seed is the mean of the last two, 3, not of the first two; slow 4.25."""
    assert Macd(2, 4, 1).update_many([1.0, 10.0, 2.0, 4.0])[0][-1] == 3.0 - 4.25


def test_straight_line_has_a_constant_macd():
    """On a line of slope 1 each average trails by (period - 1) / 2: MACD is (26 - 12) / 2 = 7, its histogram 0."""
    line, signal, histogram = Macd().update_many(np.arange(400.0))
    assert np.isnan(line[:33]).all()
    np.testing.assert_allclose(line[33:], 7.0, rtol=1e-12)
    np.testing.assert_allclose(signal[33:], 7.0, rtol=1e-12)
    np.testing.assert_allclose(histogram[33:], 0.0, atol=1e-12)


@pytest.mark.parametrize("periods", [(26, 12, 9), (12, 12, 9), (0, 26, 9), (12, 26, 0), (12.0, 26, 9)])
def test_senseless_periods_are_refused(periods):
    """A fast average that is not the shorter one, and periods that are not whole numbers above 0."""
    with pytest.raises(ValueError, match=r"fast|signal"):
        Macd(*periods)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=40))
def test_mirrored_values_mirror_all_three(values):
    """Negating the input negates MACD line, signal and histogram bit for bit."""
    plus, minus = Macd(2, 4, 3).update_many(values), Macd(2, 4, 3).update_many(-np.array(values))
    for a, b in zip(plus, minus, strict=True):
        assert np.array_equal(a, -b, equal_nan=True)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0.0 or abs(x) > 1e-200), min_size=7))
def test_a_power_of_two_scales_all_three(values):
    """Prices times 8 give all three values times 8, bit for bit."""
    once, scaled = Macd(2, 4, 3).update_many(values), Macd(2, 4, 3).update_many(8.0 * np.array(values))
    for a, b in zip(once, scaled, strict=True):
        assert np.array_equal(8.0 * a, b, equal_nan=True)


def test_reset_forgets_everything():
    """After a reset the record gives the values of a fresh one."""
    states = new_states(MacdState, 2)
    for state in states:
        configure_macd(state, 2, 4, 3)
    values = np.random.default_rng(1).normal(100.0, 1.0, 20).tolist()
    for x in values:
        update_macd(states[0], x + 5.0)
    reset_macd(states[0])
    assert math.isnan(states["histogram"][0])
    for x in values:
        update_macd(states[0], x)
        update_macd(states[1], x)
        assert states[0].tobytes() == states[1].tobytes()
