"""Venues side by side."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.lead_lag import LeadLag
from indicators.sides import BUYER
from strategies.config import FlowSettings
from strategies.flow.venues import LAGS, STALE_SECONDS
from tests.strategies.flow.world import CONTRACTS, PERP, SECOND, SMALL, SPOT, World, around, ns

SETTINGS = FlowSettings.model_validate(SMALL.model_dump() | {"lead_span_seconds": 20.0})


def test_dispersion_is_of_fresh_perp_mids() -> None:
    """1000 and 1001 are 1 / 1000.5 apart; a book that went stale has no say, and one mid alone is not dispersed."""
    world = World(PERP, CONTRACTS, SPOT)
    world.warm(10)
    world.books(11, around(10_000), around(10_010), around(200_000))
    assert world.features(11)["dispersion_bps"] == pytest.approx(1 / 1000.5 * 1e4)
    world.books(15, around(10_000), None, around(200_000))
    assert math.isnan(world.features(15)["dispersion_bps"])


def led(leader: int, follower: int, seconds: int = 60) -> World:
    """A walk of prices every 100 ms, which the follower prints 100 ms after the leader."""
    world = World(PERP, CONTRACTS, SPOT, config=SETTINGS)
    steps = np.random.default_rng(5).choice([-0.5, 0.5], 10 * seconds)
    path = 1000.0 + np.cumsum(steps)
    for k in range(1, len(path)):
        world.trade(0.1 * k + 0.01, 1.0, BUYER, price=path[k], market=leader)
        world.trade(0.1 * k + 0.02, 1.0, BUYER, price=path[k - 1], market=follower)
    for time in (seconds - 1, seconds):
        world.books(time, around(10_000))
    return world


def test_the_market_that_moves_first_leads() -> None:
    """The lead perp before the second perp: above 0, and below when it follows; the spot market likewise."""
    assert led(0, 1).features(60)["perp_lead"] > 0.5
    assert led(1, 0).features(60)["perp_lead"] < -0.5
    assert led(2, 0).features(60)["spot_lead"] > 0.5
    assert led(0, 2).features(60)["spot_lead"] < -0.5


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.0, 0.004, 0.03, 0.1, 0.25, 11.0]), st.integers(0, 3), st.integers(9_990, 10_010)
        ),
        min_size=60,
        max_size=150,
    ),
    st.integers(1, 40),
)
def test_leads_are_those_of_pairs_told_every_print(prints: list[tuple[float, int, int]], every: int) -> None:
    """Ties, bursts and silences; whenever it is read: the scores of pairs that are told each print as it comes."""
    world = World(PERP, CONTRACTS, SPOT, SPOT, config=SMALL.model_copy(update={"lead_span_seconds": 0.5}))
    perps, spot = (LeadLag(SECOND // 10, LAGS, 5, round(STALE_SECONDS * SECOND)) for _ in range(2))
    time = 10.0
    for number, (pause, market, units) in enumerate(prints):
        time, price = time + pause, units / 10
        world.trade(time, 1.0, BUYER, price=price, market=market)
        if market == 0:
            perps.update_a(ns(time), price)
            spot.update_b(ns(time), price)
        elif market == 1:
            perps.update_b(ns(time), price)
        elif market == 2:
            spot.update_a(ns(time), price)
        if number % every == 0 or number == len(prints) - 1:
            values = world.values(time)
            np.testing.assert_array_equal(
                [values["perp_lead"], values["spot_lead"]], [perps.read(ns(time)), spot.read(ns(time))]
            )


def test_one_market_has_nobody_to_lead() -> None:
    """Without a second stream the score is missing."""
    snapshot = led(0, 1).features(60)
    assert math.isnan(snapshot["spot_lead"])
    assert math.isnan(led(0, 2).features(60)["perp_lead"])
