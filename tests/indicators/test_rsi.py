import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.rsi import Rsi, RsiState, configure_rsi, reset_rsi, update_rsi


def test_hand_worked():
    """Period 2 on 10, 12, 11, 14: gains (2 + 0)/2 = 1, losses 1/2: RSI 66.67; then (1 + 3)/2 = 2, 1/4: 88.89."""
    rsi = Rsi(2)
    assert math.isnan(rsi.update(10.0))
    assert math.isnan(rsi.update(12.0))
    assert not rsi.initialized
    assert rsi.update(11.0) == 100.0 * (1.0 / 1.5)
    assert rsi.initialized
    assert rsi.update(14.0) == rsi.value == 100.0 * (2.0 / 2.25)


def test_one_way_markets():
    """A market that only rises has 100, one that only falls 0, one that stands still 0 (TA-Lib's choice)."""
    assert Rsi(2).update_many([1.0, 2.0, 3.0])[-1] == 100.0
    assert Rsi(2).update_many([3.0, 2.0, 1.0])[-1] == 0.0
    assert Rsi(2).update_many([3.0, 3.0, 3.0])[-1] == 0.0


def test_scale_does_not_matter():
    """A coin quoted at 1e-15 has the RSI of one quoted at 1."""
    closes = np.array([3.0, 4.0, 2.0, 5.0, 4.5])
    np.testing.assert_allclose(Rsi(2).update_many(closes * 2.0**-50), Rsi(2).update_many(closes), rtol=0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1000), min_size=4, max_size=50))
def test_mirrored_closes_mirror_the_index(closes):
    """Turning every change around gives 100 minus the index, unless nothing moved; it stays within 0 and 100."""
    up = Rsi(3).update_many(np.array(closes, dtype=float))
    down = Rsi(3).update_many(2000.0 - np.array(closes, dtype=float))
    moved = np.cumsum(np.abs(np.diff(closes, prepend=closes[0]))) > 0
    known = ~np.isnan(up) & moved
    np.testing.assert_allclose(up[known], 100.0 - down[known], atol=1e-9)
    assert ((up[known] >= 0.0) & (up[known] <= 100.0)).all()


def test_reset_starts_afresh():
    """After a reset the warm-up begins again and the old closes are forgotten."""
    states = new_states(RsiState)
    configure_rsi(states[0], 2)
    for close in (1.0, 2.0, 3.0):
        update_rsi(states[0], close)
    reset_rsi(states[0])
    assert [update_rsi(states[0], close) for close in (9.0, 8.0, 7.0)][-1] == 0.0
