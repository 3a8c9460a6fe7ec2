"""Taker flow on events made by hand."""

import math

import pytest

from indicators.sides import BUYER, SELLER, UNKNOWN
from tests.strategies.flow.world import CONTRACTS, PERP, SPOT, World, around


def test_cvd_sums_base_units_of_all_perps_and_of_all_spots() -> None:
    """8 contracts of 0.25 bought and 3 units sold are -1; spot is a sum of its own; no side counts for neither."""
    world = World(PERP, CONTRACTS, SPOT)
    world.trade(7, 3.0, SELLER)
    world.trade(7, 8.0, BUYER, market=1)
    world.trade(7, 5.0, UNKNOWN, market=1)
    for time in (9, 10):
        world.books(time, around(10_000))
    assert math.isnan(world.features(10)["cvd_spot"])
    world.trade(10.5, 0.5, BUYER, market=2)
    snapshot = world.features(11)
    assert (snapshot["cvd_perp"], snapshot["cvd_spot"]) == (-1.0, 0.5)
    assert [world.flow.cvd(market) for market in range(3)] == [-3.0, 2.0, 0.5]
    assert math.isnan(World().flow.cvd(0))


def test_flow_ratios() -> None:
    """Perp: 3 bought, 1 sold in two seconds, 4 more sold in four; spot: all bought. Their differences follow."""
    world = World(PERP, SPOT)
    for market in (0, 1):
        world.trade(5.5, 100.0, BUYER, market=market)
    world.trade(7.5, 4.0, SELLER)
    world.trade(9.5, 3.0, BUYER)
    world.trade(10.0, 1.0, SELLER)
    world.trade(9.2, 2.0, BUYER, market=1)
    for time in (9, 10):
        world.books(time, around(10_000))
    snapshot = world.features(10)
    assert snapshot["perp_flow_short"] == 0.5
    assert snapshot["perp_flow_long"] == (3 - 1 - 4) / 8
    assert (snapshot["spot_flow_short"], snapshot["spot_flow_long"]) == (1.0, 1.0)
    assert snapshot["spot_minus_perp"] == 1.25


def test_a_window_without_volume_has_no_ratio() -> None:
    """Nothing was traded in the short window: its ratio is missing, not zero."""
    world = World(PERP, SPOT)
    for market in (0, 1):
        world.trade(5.5, 1.0, BUYER, market=market)
    world.trade(8.5, 2.0, SELLER)
    for time in (9, 10):
        world.books(time, around(10_000))
    snapshot = world.features(10)
    assert math.isnan(snapshot["perp_flow_short"])
    assert snapshot["perp_flow_long"] == -1.0


def test_volume_surge() -> None:
    """Seconds of 2 and 4 units, then 7: a baseline of 10/3 with variance 8/9, so a score of 11/√8."""
    world = World()
    world.trade(6.5, 100.0, BUYER)  # seen in part: not used
    for time, size in ((7.5, 2.0), (8.5, 4.0), (9.5, 7.0)):
        world.trade(time, size, BUYER)
    for time in (9, 10):
        world.books(time, around(10_000))
    assert world.features(10)["volume_surge_z"] == pytest.approx(11 / math.sqrt(8))


def whale_world() -> World:
    """A hundred perp trades of one unit: the next larger one is a whale."""
    world = World()
    for k in range(100):
        world.trade(k / 20, 1.0, UNKNOWN)
    for time in (9, 10):
        world.books(time, around(10_000))
    return world


def test_whale_flow() -> None:
    """Whales of 6 bought and 3 sold among 12 units of volume in the window: a quarter."""
    world = whale_world()
    world.trade(6.0, 5.0, BUYER)  # the first whale, in a second that has left the window
    world.trade(9.0, 6.0, BUYER)
    world.trade(9.5, 1.0, SELLER)
    world.trade(9.6, 3.0, SELLER)
    world.trade(9.7, 1.0, BUYER)
    world.trade(9.8, 1.0, BUYER)
    assert world.features(10)["whale_flow_short"] == 3 / 12


def test_no_whale_is_no_whale_flow() -> None:
    """Ordinary prints alone give zero, which is not missing; without any volume it is missing."""
    world = whale_world()
    world.trade(9.5, 1.0, SELLER)
    assert world.features(10)["whale_flow_short"] == 0.0
    world.books(13, around(10_000))
    assert math.isnan(world.features(13)["whale_flow_short"])


def test_the_very_first_whale_counts() -> None:
    """The window has been covered by trades for long: a first whale of 6 in 8 units is three quarters."""
    world = whale_world()
    world.trade(9.5, 6.0, BUYER)
    world.trade(9.6, 2.0, UNKNOWN)
    assert world.features(10)["whale_flow_short"] == 6 / 8


def test_the_slope_of_the_smoothed_cvd() -> None:
    """4 bought in every second: the smoothed CVD climbs 4 a scan, and the long window trades 4 a scan: a ratio of 1."""
    world = World(PERP, SPOT)
    for second in range(1, 31):
        world.trade(second, 4.0, BUYER)
        world.trade(second, 2.0, SELLER, market=1)
        world.books(second, around(10_000))
    snapshot = world.features(30)
    assert snapshot["cvd_perp_slope"] == pytest.approx(1.0, rel=1e-3)
    assert snapshot["cvd_spot_slope"] == pytest.approx(-1.0, rel=1e-3)


def burst_world() -> World:
    """Fifty runs of one unit, each a second after the other: their 90 % quantile is 1000 quote."""
    world = World()
    for k in range(51):
        world.trade(k, 1.0, BUYER if k % 2 else SELLER)
    for time in (52, 53):
        world.books(time, around(10_000))
    return world


def test_a_run_that_grows_to_whale_size_counts_whole() -> None:
    """Five sales of 0.5, 50 ms apart, pass 1000 with the third: all 2.5 count, of 2.5 + 1.5 in the window."""
    world = burst_world()
    world.trade(52.2, 1.5, UNKNOWN)
    for k in range(5):
        world.trade(52.5 + 0.05 * k, 0.5, SELLER)
    assert world.features(53)["whale_burst_flow_short"] == -2.5 / 4.0


def test_slow_prints_are_no_burst() -> None:
    """The same prints 300 ms apart are five runs of 0.5."""
    world = burst_world()
    for k in range(3):
        world.trade(52.1 + 0.3 * k, 0.5, SELLER)
    assert world.features(53)["whale_burst_flow_short"] == 0.0
