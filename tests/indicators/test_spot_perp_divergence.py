import math

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
