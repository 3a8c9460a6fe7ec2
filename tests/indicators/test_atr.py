import math

from indicators.atr import Atr, AtrState, configure_atr, reset_atr, update_atr
from indicators.kernel import new_states


def test_hand_worked():
    """Period 2: bar 1 has no true range; gap up 12..11 after 10: 2; 13..9 after 11: 4; mean 3; then (3 + 1)/2 = 2."""
    atr = Atr(2)
    assert math.isnan(atr.update(11.0, 9.0, 10.0))
    assert math.isnan(atr.update(12.0, 11.0, 11.0))
    assert not atr.initialized
    assert atr.update(13.0, 9.0, 12.0) == 3.0
    assert atr.initialized
    assert atr.update(12.5, 11.5, 12.0) == atr.value == 2.0


def test_gap_counts_from_the_last_close():
    """A bar wholly below the last close has the distance from that close to its low."""
    assert Atr(1).update_many([11.0, 6.0], [9.0, 5.0], [10.0, 5.5])[-1] == 5.0


def test_reset_starts_afresh():
    """After a reset the next bar has no previous close again."""
    states = new_states(AtrState)
    configure_atr(states[0], 1)
    update_atr(states[0], 11.0, 9.0, 10.0)
    assert update_atr(states[0], 12.0, 10.0, 11.0) == 2.0
    reset_atr(states[0])
    assert math.isnan(update_atr(states[0], 101.0, 100.0, 100.0))
    assert update_atr(states[0], 101.0, 100.0, 100.0) == 1.0
