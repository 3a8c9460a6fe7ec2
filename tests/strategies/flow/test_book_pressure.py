"""Book pressure on events made by hand."""

import math

import pytest

from indicators.sides import BUYER
from tests.strategies.flow.world import CONTRACTS, PERP, SPOT, Book, World, around

BANDED = Book({9_999: 3.0, 9_995: 1.0, 9_990: 4.0, 9_975: 8.0, 9_974: 99.0}, {10_001: 1.0, 10_005: 1.0, 10_025: 2.0})


def test_depth_and_imbalance_by_band() -> None:
    """Around 1000.0, within 5, 10 and 25 bps inclusive: 4, 8 and 16 are bid, 2, 2 and 4 offered."""
    world = World()
    world.warm()
    world.books(11, BANDED)
    snapshot = world.features(11)
    assert [snapshot[f"bid_depth_{band}"] for band in ("near", "mid", "far")] == [4.0, 8.0, 16.0]
    assert [snapshot[f"ask_depth_{band}"] for band in ("near", "mid", "far")] == [2.0, 2.0, 4.0]
    assert [snapshot[f"obi_{band}"] for band in ("near", "mid", "far")] == [2 / 6, 6 / 10, 12 / 20]


def test_depth_is_that_of_all_perps_in_base_units() -> None:
    """4 contracts of 0.25 bid at the second venue are one unit more; the spot book does not count."""
    world = World(PERP, CONTRACTS, SPOT)
    world.warm()
    world.books(11, BANDED, Book({9_998: 4.0}, {10_001: 8.0}), around(100_000, size=1e6))
    snapshot = world.features(11)
    assert (snapshot["bid_depth_near"], snapshot["ask_depth_near"]) == (5.0, 4.0)
    assert snapshot["obi_near"] == 1 / 9


def test_a_book_that_was_not_sampled_has_no_depth() -> None:
    """When the second venue falls silent, the depth is that of the first alone."""
    world = World(PERP, CONTRACTS)
    world.warm()
    world.books(11, BANDED, around(10_000, size=4.0))
    world.books(12, BANDED, None)
    assert world.features(12)["bid_depth_near"] == 4.0


def test_between_samples_the_last_depth_stands() -> None:
    """Nothing was sampled now: the depth is that of the last sample until it is stale, and then missing, never zero."""
    world = World(SPOT, PERP)
    world.trade(7, 1.0, BUYER)
    for time in (9, 10):
        world.books(time, around(100_000), around(10_000, size=4.0))
    for time in (13, 14):
        world.books(time, around(100_000), None)
    snapshot = world.features(13)
    assert (snapshot["bid_depth_near"], snapshot["obi_near"]) == (4.0, 0.0)
    assert math.isnan(world.features(14)["bid_depth_near"])


def test_imbalance_z_score() -> None:
    """Imbalances 0, 0, 0 and 1/3: the last is 3/4 of a third above the mean, in population deviations √3."""
    world = World()
    world.warm(10)
    world.books(11, around(10_000))
    assert math.isnan(world.features(11)["obi_near_z"])
    world.books(12, Book({9_999: 2.0}, {10_001: 1.0}))
    snapshot = world.features(12)
    assert [snapshot[f"obi_{band}_z"] for band in ("near", "mid", "far")] == pytest.approx([math.sqrt(3)] * 3)


def test_microprice() -> None:
    """3 bid and 1 offered, each 1 bp from the mid: (3 - 1) / 4 of a basis point up."""
    world = World()
    world.warm()
    world.books(11, Book({9_999: 3.0}, {10_001: 1.0}))
    snapshot = world.features(11)
    assert snapshot["microprice_near_bps"] == pytest.approx(0.5)
    assert snapshot["microprice_far_bps"] == pytest.approx(0.5)
    # of two reads, 0 and 0.5, the last is a deviation above the mean
    assert snapshot["microprice_near_z"] == pytest.approx(1.0)


def test_the_far_microprice_sees_further() -> None:
    """Within 25 bps 8 more are bid at 20 bps: bids 12 bps away in the mean of 11, asks 1 bp away with 3."""
    world = World()
    world.warm()
    world.books(11, Book({9_999: 3.0, 9_980: 8.0}, {10_001: 3.0}))
    snapshot = world.features(11)
    assert snapshot["microprice_near_bps"] == 0.0
    bid_distance, ask_distance = (3 * 1 + 8 * 20) / 11, 1.0
    assert snapshot["microprice_far_bps"] == pytest.approx((ask_distance * 11 - bid_distance * 3) / 14)
