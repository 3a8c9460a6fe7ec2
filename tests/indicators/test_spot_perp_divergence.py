import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.flow_window import FlowWindow
from indicators.sides import BUYER, SELLER
from indicators.spot_perp_divergence import SpotPerpDivergence


def divergence_of(spot, perp):
    divergence = SpotPerpDivergence(10, 2)
    divergence.update_spot(0, 1.0, BUYER)
    divergence.update_perp(0, 1.0, BUYER)
    assert math.isnan(divergence.read(19))
    assert not divergence.initialized
    for size, side in spot:
        divergence.update_spot(20, size, side)
    for size, side in perp:
        divergence.update_perp(20, size, side)
    return divergence, divergence.read(25)


def test_hand_worked():
    """Spot buys 3 of 4 (ratio 1/2), perps sell 1 of 1 (ratio -1): the divergence is 1.5."""
    divergence, value = divergence_of([(3.5, BUYER), (0.5, SELLER), (0.0, BUYER)], [(1.0, SELLER)])
    assert value == divergence.value == (3.5 - 0.5) / 4.0 + 1.0
    assert divergence.initialized


def test_mirrored_sides_mirror_the_divergence():
    """Swapping buyers and sellers, or spot and perp, negates the value; the extremes are 2 and -2."""
    assert divergence_of([(3.0, BUYER)], [(2.0, SELLER)])[1] == 2.0
    assert divergence_of([(3.0, SELLER)], [(2.0, BUYER)])[1] == -2.0


def test_a_market_without_volume_leans_nowhere():
    """Without perp volume in the window there is no divergence, not one of 0."""
    divergence, value = divergence_of([(3.0, BUYER)], [])
    assert math.isnan(value)
    assert divergence.initialized


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 25), st.floats(1e-3, 1e3), st.integers(0, 2), st.booleans()), min_size=4, max_size=60
    ),
    power=st.integers(-20, 20),
)
def test_two_windows_mirrors_and_units(rows, power):
    """The difference of two bulk windows; other sides, and spot for perp, negate it to the bit; no unit matters."""
    ts = np.cumsum([row[0] for row in rows])
    sizes, sides = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    spot = np.array([row[3] for row in rows])
    reads = ts[0] + 10 * np.arange(12)

    def one_by_one(sizes, sides, spot):
        divergence, values, k = SpotPerpDivergence(10, 3), [], 0
        for at in reads.tolist():
            while k < len(ts) and ts[k] <= at:
                update = divergence.update_spot if spot[k] else divergence.update_perp
                update(int(ts[k]), float(sizes[k]), int(sides[k]))
                k += 1
            values.append(divergence.read(at))
        return np.array(values)

    value = one_by_one(sizes, sides, spot)
    ratios = [
        FlowWindow(10, 3).update_many(ts[which], sizes[which], sides[which], reads)[:, 2] for which in (spot, ~spot)
    ]
    assert np.array_equal(value, ratios[0] - ratios[1], equal_nan=True)
    assert np.array_equal(one_by_one(sizes, np.choose(sides, [0, 2, 1]), spot), -value, equal_nan=True)
    assert np.array_equal(one_by_one(sizes, sides, ~spot), -value, equal_nan=True)
    assert np.array_equal(one_by_one(sizes * 2.0**power, sides, spot), value, equal_nan=True)
    assert not (np.abs(value) > 2.0).any()
