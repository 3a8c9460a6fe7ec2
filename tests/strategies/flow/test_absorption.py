"""Absorption: sellers who do not move the price while positions are opened."""

import math
from collections.abc import Iterator

import numpy as np

from indicators.sides import BUYER, SELLER
from strategies.config import FlowSettings
from tests.strategies.flow.world import CONTRACTS, PERP, SMALL, World, around, ns

WINDOW = 10
SETTINGS = FlowSettings.model_validate(SMALL.model_dump() | {"absorption_scans": WINDOW})


def play(world: World, flows: Iterator[float], impact: float, interest_step: float, state: list[float]) -> None:
    """A second a flow: takers trade it, the price goes `impact` units with it, open interest by `interest_step`."""
    for flow in flows:
        state[0] += 1
        state[1] += impact * flow
        state[2] += interest_step
        world.trade(state[0] - 0.5, abs(flow), BUYER if flow > 0 else SELLER)
        world.flow.on_open_interest(0, state[2], ns(state[0] - 0.4))
        world.books(state[0], around(10_000 + round(state[1])))


def market(sign: int, *, held: bool) -> dict[str, float]:
    """Two minutes in which the price follows the flow, then a window of one-sided flow that it follows or does not."""
    world, state = World(config=SETTINGS), [0.0, 0.0, 1_000.0]
    noise = np.random.default_rng(3).normal(0.0, 2.0, 120)
    play(world, iter(sign * noise), 10.0, 1.0, state)
    play(world, iter([-2.0 * sign] * WINDOW), 0.0 if held else 10.0, 3.0, state)
    return world.values(state[0])


def test_held_against_sellers_is_absorption() -> None:
    """All sell, the price stands, open interest rises faster than it used to."""
    values = market(1, held=True)
    assert values["absorption"] > 0.7
    assert values["distribution"] == 0.0


def test_held_against_buyers_is_distribution() -> None:
    """The mirror."""
    values = market(-1, held=True)
    assert values["distribution"] > 0.7
    assert values["absorption"] == 0.0


def test_a_price_that_goes_with_the_flow_absorbs_nothing() -> None:
    """It fell as far as such flow takes it."""
    assert market(1, held=False)["absorption"] < 0.3


def test_without_open_interest_there_is_no_score() -> None:
    """Missing, not zero."""
    world = World(config=SETTINGS)
    for second in range(1, 60):
        world.trade(second - 0.5, 1.0 + second % 3, SELLER if second % 2 else BUYER)
        world.books(second, around(10_000 + second % 5))
    assert math.isnan(world.values(59)["absorption"])


def test_a_venue_that_begins_to_report_opens_nothing() -> None:
    """The sum jumps by what it holds: that scan has no open interest, and no window with it a score."""
    world, state = World(PERP, CONTRACTS, config=SETTINGS), [0.0, 0.0, 1_000.0]
    play(world, iter(np.random.default_rng(3).normal(0.0, 2.0, 120)), 10.0, 1.0, state)
    world.flow.on_open_interest(1, 4e6, ns(state[0] + 0.1))
    play(world, iter([-2.0]), 0.0, 0.0, state)
    assert math.isnan(world.values(state[0])["absorption"])
