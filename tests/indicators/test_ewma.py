import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.ewma import Ewma


def test_hand_worked():
    """Span 3 (alpha 1/2): 1, 3, 5 give mean 1, 2, 3.5 and variance 0, 1, 2.75; then 6 scores 2.5 / sqrt(2.75)."""
    ewma = Ewma(3)
    assert math.isnan(ewma.mean)
    assert math.isnan(ewma.variance)
    means, variances = [], []
    for x in (1.0, 3.0, 5.0):
        assert math.isnan(ewma.update(x))
        means.append(ewma.mean)
        variances.append(ewma.variance)
    assert means == [1.0, 2.0, 3.5]
    assert variances == [0.0, 1.0, 2.75]
    assert ewma.initialized
    assert ewma.update(6.0) == ewma.value == 2.5 / math.sqrt(2.75)


def test_constant_baseline_has_no_scale():
    """Against a baseline that never varied an equal value scores 0 and another one NaN."""
    assert Ewma(2).update_many([4.0, 4.0, 4.0])[-1] == 0.0
    assert math.isnan(Ewma(2).update_many([4.0, 4.0, 5.0])[-1])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0.0, 1e3).map(lambda x: round(x, 3)), min_size=5, max_size=60))
def test_equals_the_weighted_sums(values):
    """Mean and variance are those of explicit weights: 1/k at first, later alpha, decayed by what followed."""
    ewma, weights = Ewma(4), np.array([])
    for k, x in enumerate(values, start=1):
        newest = max(1.0 / k, 2.0 / 5.0)
        weights = np.append(weights * (1.0 - newest), newest)
        ewma.update(x)
        mean = weights @ values[:k]
        assert math.isclose(ewma.mean, mean, rel_tol=1e-12, abs_tol=1e-12)
        assert math.isclose(ewma.variance, weights @ (np.array(values[:k]) - mean) ** 2, rel_tol=1e-9, abs_tol=1e-9)
