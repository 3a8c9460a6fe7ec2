import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.resting_liquidity import MAGNET_STRENGTH, seen_to, walls_of
from strategies.targets import Source, Wall

D = Decimal
MID = D(200)
REACH = 40.0
NOTHING = {
    "bid_wall_bps": REACH,
    "ask_wall_bps": REACH,
    "bid_wall_strength": 0.0,
    "ask_wall_strength": 0.0,
    "bid_magnet_bps": REACH,
    "ask_magnet_bps": REACH,
}
"""The flow sees no wall and no magnet on either side."""
UNKNOWN = dict.fromkeys(NOTHING, math.nan)


def test_walls_and_magnets_by_hand() -> None:
    """10 bps below 200 and 25 above, 5 and 12.5 bps for the magnets; bids are below the mid, asks above."""
    told = {
        "bid_wall_bps": 10.0,
        "ask_wall_bps": 25.0,
        "bid_wall_strength": 6.5,
        "ask_wall_strength": 3.0,
        "bid_magnet_bps": 5.0,
        "ask_magnet_bps": 12.5,
    }
    assert walls_of(told, MID, REACH) == (
        Wall(D("199.8"), D("6.5")),
        Wall(D("199.9"), MAGNET_STRENGTH, Source.MAGNET),
        Wall(D("200.5"), D(3)),
        Wall(D("200.25"), MAGNET_STRENGTH, Source.MAGNET),
    )


def test_another_venue_has_them_at_the_same_distances() -> None:
    """Its mid is half: 10 bps of it are half as far."""
    told = NOTHING | {"ask_wall_bps": 10.0, "ask_wall_strength": 6.5}
    assert walls_of(told, MID / 2, REACH) == (Wall(D("100.1"), D("6.5")),)


def test_where_none_is_seen_there_is_none() -> None:
    """A wall of no strength, and a magnet at the end of what is read."""
    assert walls_of(NOTHING, MID, REACH) == ()


def test_what_is_not_known_is_no_wall() -> None:
    """The walls are not warm yet, or the book is stale."""
    assert walls_of(UNKNOWN, MID, REACH) == ()


def test_a_magnet_at_the_mid_is_nothing_to_aim_at() -> None:
    """Its distance is 0."""
    assert walls_of(NOTHING | {"bid_magnet_bps": 0.0}, MID, REACH) == ()


@pytest.mark.parametrize(("side", "wall", "end"), [(1, "200.5", "200.8"), (-1, "199.5", "199.2")])
def test_how_far_walls_are_known(side: int, wall: str, end: str) -> None:
    """To the nearest one, 25 bps away, behind which none is told; without one to the 40 bps that are read."""
    name = "ask" if side > 0 else "bid"
    told = NOTHING | {f"{name}_wall_bps": 25.0, f"{name}_wall_strength": 3.0}
    assert seen_to(told, MID, side, REACH) == D(wall)
    assert seen_to(told, MID, -side, REACH) == 400 - D(end)
    assert seen_to(NOTHING, MID, side, REACH) == D(end)


def test_of_what_is_not_known_nothing_is_seen() -> None:
    """No wall of an asset without a book is one that has gone."""
    assert seen_to(UNKNOWN, MID, 1, REACH) is None
    assert seen_to(UNKNOWN, MID, -1, REACH) is None


DISTANCES = st.floats(0, REACH, allow_nan=False)
STRENGTHS = st.sampled_from((0.0, math.nan)) | st.floats(0.1, 1000, allow_nan=False)


@given(st.tuples(DISTANCES, DISTANCES, DISTANCES, DISTANCES), st.tuples(STRENGTHS, STRENGTHS), st.integers(1, 10**7))
def test_every_wall_is_within_reach_and_none_is_beyond_what_was_seen(
    bps: tuple[float, float, float, float], strength: tuple[float, float], cents: int
) -> None:
    """On its own side of the mid, and with a side that is known no wall lies farther than `seen_to`."""
    told = {
        "bid_wall_bps": bps[0],
        "ask_wall_bps": bps[1],
        "bid_wall_strength": strength[0],
        "ask_wall_strength": strength[1],
        "bid_magnet_bps": bps[2],
        "ask_magnet_bps": bps[3],
    }
    mid = D(cents) / 100
    found = walls_of(told, mid, REACH)
    slack = mid * D("1e-20")
    assert all(abs(wall.price - mid) <= mid * D(REACH) / 10_000 + slack for wall in found)
    assert sum(wall.source is Source.WALL for wall in found) == sum(one > 0 for one in strength)
    for side, known in zip((-1, 1), strength, strict=True):
        end = seen_to(told, mid, side, REACH)
        assert (end is None) == math.isnan(known)
        if end is not None:
            walls = [w for w in found if w.source is Source.WALL and side * (w.price - mid) > 0]
            assert all(side * (end - wall.price) >= 0 for wall in walls)
