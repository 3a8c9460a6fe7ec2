"""Summed levels, walls, magnets and clusters of books made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.sides import BUYER, SELLER
from indicators.wall_memory import WallStatus
from strategies.config import FlowSettings
from strategies.flow.liquidity import price_step, sum_levels
from tests.strategies.flow.world import SMALL, Book, World, ns

FRACTION = 0.5e-4


@pytest.mark.parametrize(
    ("price_units", "step"),
    [
        (930_000, 20),  # 93000.0: at most 46.5 units of 0.1
        (9_300_000, 200),  # the same price in units of 0.01
        (1_000_000, 50),  # 50 is just half a basis point
        (999_999, 20),
        (15_000, 1),  # a tick is 0.67 bps: nothing to group
        (40_000, 2),
    ],
)
def test_a_step_is_the_largest_of_1_2_5_times_a_power_of_ten(price_units: int, step: int) -> None:
    """No more than half a basis point of the price, and never less than one unit."""
    assert price_step(price_units, FRACTION) == step


def summed(prices: list[int], sizes: list[float], step: int, is_ask: int, room: int = 50) -> list[tuple[int, float]]:
    to_prices, to_sizes = np.zeros(room, np.int64), np.zeros(room)
    count = sum_levels(np.array(prices, np.int64), np.array(sizes), step, is_ask, to_prices, to_sizes)
    return list(zip(to_prices[:count].tolist(), to_sizes[:count].tolist(), strict=True))


def test_levels_are_summed_away_from_the_other_side() -> None:
    """In steps of 5: bids at 99, 97, 95 belong to 95, 94 to 90; asks at 101 and 105 to 105, 106 to 110."""
    assert summed([99, 97, 95, 94], [1.0, 2.0, 4.0, 8.0], 5, 0) == [(95, 7.0), (90, 8.0)]
    assert summed([101, 105, 106], [1.0, 2.0, 4.0], 5, 1) == [(105, 3.0), (110, 4.0)]


def test_levels_beyond_the_room_are_left_out() -> None:
    """The farthest go."""
    assert summed([99, 98, 97], [1.0, 2.0, 4.0], 1, 0, room=2) == [(99, 1.0), (98, 2.0)]


@settings(deadline=None, max_examples=50)
@given(prices=st.lists(st.integers(1, 300), unique=True, max_size=40), step=st.sampled_from([1, 2, 5, 10]))
def test_mirrored_levels_give_mirrored_sums(prices: list[int], step: int) -> None:
    """Bids mirrored around a price of the grid are the asks, level by level."""
    bids = sorted(prices, reverse=True)
    sizes = [float(k + 1) for k in range(len(bids))]
    mirror = 1_000  # a multiple of every step
    asks = summed([mirror - p for p in bids], sizes, step, 1)
    assert asks == [(mirror - p, s) for p, s in summed(bids, sizes, step, 0)]


LADDER = 40  # levels a side, a unit apart: 40 units of 0.1 on 1000.0 are 40 bps


def ladder(mid_units: int = 10_000, **extra: float) -> Book:
    """One unit at every level, and more where `extra` says: b5=9.0 adds 9 to the fifth bid."""
    sides = [{mid_units + sign * k: 1.0 for k in range(1, LADDER + 1)} for sign in (-1, 1)]
    for name, size in extra.items():
        side, sign = (sides[0], -1) if name[0] == "b" else (sides[1], 1)
        side[mid_units + sign * int(name[1:])] += size
    return Book(*sides)


def stood(seconds: int, *books: Book) -> World:
    """The last of `books` for as long as `seconds`, those before it one second each."""
    world = World()
    world.trade(1, 1.0, BUYER)
    last = books[-1]
    for second in range(1, seconds + 1):
        world.books(second, books[min(second, len(books)) - 1] if second <= len(books) else last)
        world.trade(second + 0.5, 0.5, BUYER if second % 2 else SELLER)
    return world


def test_a_book_of_like_levels_has_no_walls() -> None:
    """Distances are the reach, strengths and pressure 0: there is none, which is not the same as not known."""
    snapshot = stood(400, ladder()).features(400)
    assert (snapshot["bid_wall_bps"], snapshot["ask_wall_bps"]) == (40.0, 40.0)
    assert (snapshot["bid_wall_strength"], snapshot["ask_wall_strength"]) == (0.0, 0.0)
    assert (snapshot["wall_pressure"], snapshot["cluster_skew"]) == (0.0, 0.0)


def test_a_wall_that_stays_is_found_where_it_stands() -> None:
    """20 at the thirtieth bid, 30 bps under the mid, for 400 seconds: strength 20 of the median level, pressure 1."""
    snapshot = stood(400, ladder(b30=19.0)).features(400)
    assert snapshot["bid_wall_bps"] == pytest.approx(30.0)
    assert snapshot["bid_wall_strength"] == pytest.approx(20.0, rel=0.1)  # the median is read off a histogram
    assert snapshot["ask_wall_strength"] == 0.0
    assert snapshot["wall_pressure"] == 1.0


def test_a_wall_that_has_just_come_is_not_proven() -> None:
    """The same size a few seconds old: it presses a little, but no target hangs on it."""
    world = stood(400, ladder())
    for second in range(401, 405):
        world.books(second, ladder(a30=19.0))
    snapshot = world.features(404)
    assert (snapshot["ask_wall_bps"], snapshot["ask_wall_strength"]) == (40.0, 0.0)
    assert snapshot["wall_pressure"] < 0.0


def test_magnets_and_clusters_lie_where_size_rests() -> None:
    """Bids crowd at 20 bps, asks at 10: the magnets are there, and the larger share of a side is the bids'."""
    crowded = {f"b{k}": 30.0 for k in (19, 20, 21)} | {f"a{k}": 10.0 for k in (9, 10, 11)}
    snapshot = stood(30, ladder(**crowded)).features(30)
    assert snapshot["bid_magnet_bps"] == pytest.approx(20.0, abs=1.0)
    assert snapshot["ask_magnet_bps"] == pytest.approx(10.0, abs=1.0)
    # beside three large levels, one that is core by them and one at the border: 93 + 4 of 130 bid, 33 + 4 of 70 asked
    assert snapshot["cluster_skew"] == pytest.approx(97 / 130 - 37 / 70)


def test_levels_that_were_not_read_for_long_are_missing() -> None:
    """One second of cadence and three of staleness after the last read, all is NaN, not zero."""
    world = stood(30, ladder())
    names = ("bid_wall_bps", "ask_wall_strength", "wall_pressure", "bid_magnet_bps", "cluster_skew")
    quiet = Book({9_999: 1.0}, {})
    for second in range(31, 35):
        world.books(second, quiet)
    # the last read was at 30: it counts for the second to the next and three more
    fresh, stale = (world.values(after) for after in (34, 35))
    assert not any(math.isnan(fresh[name]) for name in names)
    assert all(math.isnan(stale[name]) for name in names)


def test_a_print_inside_a_summed_level_has_reached_it() -> None:
    """In steps of 5 the bid at 9968 stands at 9965: a print at 9967 touched it, so it was consumed and not pulled."""
    world = World(config=FlowSettings.model_validate(SMALL.model_dump() | {"level_group_bps": 6.0}))
    for second in range(1, 31):
        world.books(second, ladder(b32=60.0))
    world.trade(30.5, 60.0, SELLER, price=996.7)
    world.books(31, ladder())
    walls = world.flow._states[0]["liquidity"]["walls"]["sides"][0]["walls"]
    assert [int(wall["status"]) for wall in walls if wall["key"] == 9_965] == [WallStatus.CONSUMED]


def test_a_book_that_lost_a_side_forgets_its_walls() -> None:
    """What stood before is not known to have stood through."""
    world = World()
    for second in range(1, 31):
        world.books(second, ladder(b30=19.0))
    world.flow._on_levels(*Book({9_999: 1.0}, {}).levels_down_to(1), *_nothing(), ns(31))
    walls = world.flow._states[0]["liquidity"]["walls"]["sides"][0]["walls"]
    assert all(wall["status"] == WallStatus.FREE for wall in walls)


def _nothing():
    return np.empty(0, np.int64), np.empty(0)
