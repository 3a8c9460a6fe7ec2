"""Divergence of price and flow."""

import math

from indicators.sides import BUYER, SELLER
from tests.strategies.flow.world import World, around

# two peaks of price, the second higher; under them the flow makes a high and a lower one
PRICES = (0, 0, 4, 8, 4, 0, 4, 8, 10, 6, 2, 0, 0, 0)
FLOWS = (1.0, 1.0, 5.0, 5.0, -6.0, -6.0, 2.0, 2.0, 2.0, -4.0, -4.0, -1.0, -1.0, -1.0)


def played(sign: int) -> World:
    world = World()
    world.trade(0.5, 1.0, BUYER)
    for second, (price, flow) in enumerate(zip(PRICES, FLOWS, strict=True), start=1):
        side = BUYER if sign * flow > 0 else SELLER
        world.trade(second - 0.2, abs(flow), side)
        world.books(second, around(10_000 + 10 * sign * price))
    return world


def test_a_higher_price_on_weaker_flow_is_bearish() -> None:
    """And nothing is bullish about it."""
    snapshot = played(1).features(len(PRICES))
    assert snapshot["bearish_divergence"] > 0.3
    assert snapshot["bullish_divergence"] == 0.0


def test_its_mirror_is_bullish() -> None:
    """By the same strength."""
    snapshot = played(-1).features(len(PRICES))
    assert snapshot["bullish_divergence"] == played(1).features(len(PRICES))["bearish_divergence"]
    assert snapshot["bearish_divergence"] == 0.0


def test_a_price_that_was_lost_starts_the_window_anew() -> None:
    """A stale book is a missing sample: nothing is known until the window is full again."""
    world = played(1)
    world.books(len(PRICES) + 4, None)
    world.books(len(PRICES) + 5, around(10_000))
    assert math.isnan(world.features(len(PRICES) + 5)["bearish_divergence"])
