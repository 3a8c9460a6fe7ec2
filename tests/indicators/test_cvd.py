import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.cvd import Cvd
from indicators.sides import BUYER, SELLER, UNKNOWN


def test_hand_worked():
    """Buy 3, sell 1, unknown 5: delta 2, volume 9."""
    cvd = Cvd()
    assert math.isnan(cvd.value)
    assert not cvd.initialized
    assert [cvd.update(3.0, BUYER), cvd.update(1.0, SELLER), cvd.update(5.0, UNKNOWN)] == [3.0, 2.0, 2.0]
    assert (cvd.value, cvd.volume, cvd.buy_volume, cvd.sell_volume) == (2.0, 9.0, 3.0, 1.0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(1e-6, 1e4), st.integers(0, 2)), min_size=1, max_size=50))
def test_running_sums_and_their_mirror(trades):
    """The delta is the plain running sum of doubles; with the sides swapped it is negated, both bit for bit."""
    sizes, sides = np.array([t[0] for t in trades]), np.array([t[1] for t in trades])
    sign = np.choose(sides, [0.0, 1.0, -1.0])
    delta = Cvd().update_many(sizes, sides)
    assert np.array_equal(delta, np.cumsum(sizes * sign))
    assert np.array_equal(delta, -Cvd().update_many(sizes, np.choose(sides, [0, 2, 1])))
