"""Walls in a book: raised, eaten and refilled, broken, and spoofs that flee."""

from typing import Any

import numpy as np
import pytest

from catalog.market_levels import BookState, open_frame
from catalog.market_makers import cancel_ended
from catalog.market_price import BLOCK_NS, STEP_NS, STEPS
from catalog.market_wall_orders import (
    BROKEN,
    adopt_ends,
    held_mid,
    is_broken,
    no_walls,
    raise_walls,
    tend_walls,
    wall_frame_times,
    wall_records,
)
from catalog.market_walls import WallPlan
from catalog.tables import ADD, ASK, BID, DELETE, UPDATE
from tests.catalog.small_books import ASKS, BIDS, blank_rows, levels_of, small_book, told

HALF_SPREAD = 1.0


def plan_of(*walls: dict[str, Any]) -> WallPlan:
    """Walls of size 100 on the ask side that live from 10 to 1000 ns, unless they say otherwise; real without flee."""
    usual = {"number": 0, "start_ns": 10, "end_ns": 1000, "side": ASKS, "size": 100, "flee_bps": 0.0}
    full = [{**usual, **wall} for wall in walls]
    columns = {name: np.array([wall[name] for wall in full]) for name in (*usual, "ticks")}
    return WallPlan(**columns, real=columns["flee_bps"] == 0.0)


class Scene:
    """A small book with walls, frame by frame."""

    def __init__(self, book: BookState, *walls: dict[str, Any]) -> None:
        self.book, self.walls, self.plan = book, no_walls(), wall_records(plan_of(*walls))
        self.rng, self.next = np.random.default_rng(0), 0

    def frame(self, now: int, mid: float) -> list[tuple[int, int, int, int]]:
        """What a frame tells of walls alone."""
        rows = blank_rows()
        open_frame(self.book, now)
        n, mid = tend_walls(self.rng, self.book, self.walls, rows, 0, HALF_SPREAD, mid)
        n, self.next = raise_walls(self.book, self.walls, self.plan, self.next, rows, n, HALF_SPREAD, mid)
        for side in (BIDS, ASKS):
            n = cancel_ended(self.book, rows, n, side)
        return told(rows, n)

    @property
    def live(self) -> list[int]:
        return [int(wall["number"]) for wall in self.walls if wall["planned"]]


def test_a_wall_appears_in_the_frame_after_its_start_and_goes_with_its_end() -> None:
    """Nothing at 9, added at 10, silent while nothing happens, deleted at 1000."""
    scene = Scene(small_book({100: 5, 99: 5}, {102: 4, 103: 4}), {"ticks": 110})
    assert scene.frame(9, 101.0) == []
    assert scene.frame(10, 101.0) == [(ADD, ASK, 110, 100)]
    assert scene.frame(500, 101.0) == []
    assert scene.frame(1000, 101.0) == [(DELETE, ASK, 110, 0)]
    assert levels_of(scene.book, ASKS) == {102: 4, 103: 4}
    assert scene.live == []
    assert scene.frame(1001, 101.0) == []


def test_a_level_that_is_there_grows_into_the_wall_and_a_bid_wall_has_its_price() -> None:
    """Bids at 99 get the wall's size as an update; when it ends nothing is left there."""
    scene = Scene(small_book({100: 5, 99: 5}, {102: 4}), {"ticks": 99, "side": BIDS})
    assert scene.frame(10, 101.0) == [(UPDATE, BID, 99, 100)]
    assert scene.frame(1000, 101.0) == [(DELETE, BID, 99, 0)]


def test_a_real_wall_refills_what_takers_eat_until_they_ate_it_twice() -> None:
    """100 - 60 = 40, and 0.3 of the 60 missing come back: 58; 0.3 of 42 rounded up: 71. At 200 eaten it is gone."""
    scene = Scene(small_book({100: 5}, {102: 4}), {"ticks": 102})
    assert scene.frame(10, 101.0) == [(UPDATE, ASK, 102, 100)]
    scene.book.size[ASKS, 0] -= 60
    assert scene.frame(20, 101.0) == [(UPDATE, ASK, 102, 58)]
    assert scene.frame(30, 101.0) == [(UPDATE, ASK, 102, 71)]
    scene.book.size[ASKS, 0] -= 70  # 130 so far; 1 is left, 0.3 of 99 rounded up come back
    assert scene.frame(40, 101.0) == [(UPDATE, ASK, 102, 31)]
    scene.book.size[ASKS, 0] -= 25  # 155; 6 + 29
    assert scene.frame(50, 101.0) == [(UPDATE, ASK, 102, 35)]
    scene.book.size[ASKS, 0] -= 30  # 185; 5 + 29
    assert scene.frame(60, 101.0) == [(UPDATE, ASK, 102, 34)]
    scene.book.size[ASKS, 0] -= 15  # 200
    assert scene.frame(70, 101.0) == [(DELETE, ASK, 102, 0)]
    assert scene.live == []


def test_a_wall_that_was_eaten_at_once_is_over() -> None:
    """The level is gone before the next frame: it does not come back, although its time is not over."""
    scene = Scene(small_book({100: 5}, {102: 4, 110: 1}), {"ticks": 103})
    scene.frame(10, 101.0)
    scene.book.key[ASKS, :2], scene.book.levels[ASKS] = (102, 110), 2
    scene.book.end[ASKS, :2] = 10**9
    assert scene.frame(20, 101.0) == []
    assert scene.live == []


@pytest.mark.parametrize(("side", "outward"), [(ASKS, 1), (BIDS, -1)])
def test_a_spoof_flees_from_the_mid(side: int, outward: int) -> None:
    """10 bps are about 10 ticks: a spoof 20 from 10 000 stays while the mid is 11 away, and goes when that is 9."""
    ticks = 10_000 + 20 * outward
    wall = {"ticks": ticks, "side": side, "flee_bps": 10.0}
    scene = Scene(small_book({9_985: 5}, {10_015: 4}), wall)
    assert scene.frame(10, 10_000.0) == [(ADD, side + 1, ticks, 100)]
    scene.frame(20, 10_000.0 + 9 * outward)
    assert scene.live == [0]
    assert scene.frame(30, 10_000.0 + 11 * outward) == [(DELETE, side + 1, ticks, 0)]
    assert scene.frame(40, 10_000.0) == []


def test_a_spoof_only_flickers() -> None:
    """It changes its size by at most 15 % now and then, and never by what was planned for a real wall."""
    scene = Scene(
        small_book({9_990: 5}, {10_015: 4}), {"ticks": 10_020, "size": 1000, "end_ns": 10_000, "flee_bps": 5.0}
    )
    sizes = [row[3] for now in range(10, 1010) for row in scene.frame(now, 10_000.0)]
    assert 20 < len(sizes) < 90  # 1 and one in twenty of 999
    assert all(850 <= size <= 1150 for size in sizes)
    assert len(set(sizes)) > 10


@pytest.mark.parametrize(
    "wall",
    [{"ticks": 101}, {"ticks": 99}, {"ticks": 110, "end_ns": 10}, {"ticks": 101, "flee_bps": 300.0}],
    ids=["inside the spread", "beyond the mid", "over before it starts", "nearer than it flees"],
)
def test_walls_that_cannot_stand_are_not_raised(wall: dict[str, Any]) -> None:
    """Half a spread from the mid is the least; the plan goes on behind them."""
    scene = Scene(small_book({100: 5}, {102: 4}), wall, {"number": 1, "ticks": 120})
    assert scene.frame(10, 100.5) == [(ADD, ASK, 120, 100)]
    assert scene.live == [1]


def test_one_wall_a_price() -> None:
    """The second of two at 110 is ignored; one on another side or price is not."""
    scene = Scene(
        small_book({100: 5}, {102: 4}),
        {"ticks": 110},
        {"number": 1, "ticks": 110},
        {"number": 2, "ticks": 90, "side": BIDS},
    )
    assert scene.frame(10, 101.0) == [(ADD, ASK, 110, 100), (ADD, BID, 90, 100)]
    assert scene.live == [0, 2]


def test_makers_keep_half_a_spread_from_real_walls() -> None:
    """An ask wall at 110 holds their fair price at 109, a bid wall at 90 at 91; spoofs hold nothing."""
    scene = Scene(
        small_book({100: 5}, {102: 4}),
        {"ticks": 110},
        {"number": 1, "ticks": 90, "side": BIDS},
        {"number": 2, "ticks": 105, "flee_bps": 100.0},
    )
    scene.frame(10, 101.0)
    assert scene.live == [0, 1, 2]
    assert [held_mid(scene.walls, HALF_SPREAD, mid) for mid in (115.0, 105.0, 101.0, 80.0)] == [
        109.0,
        105.0,
        101.0,
        91.0,
    ]


def test_when_a_wall_is_broken() -> None:
    """Far beyond it at any time, and at its end where the price has come to it; spoofs never are."""
    scene = Scene(small_book({100: 5}, {102: 4}), {"ticks": 110}, {"number": 1, "ticks": 112, "flee_bps": 10.0})
    assert not any(is_broken(wall, 10, HALF_SPREAD, 500.0) for wall in scene.walls)
    scene.frame(10, 101.0)
    real, spoof = scene.walls[0], scene.walls[1]
    assert not is_broken(real, 999, HALF_SPREAD, 110.0 + BROKEN)
    assert is_broken(real, 999, HALF_SPREAD, 110.5 + BROKEN)
    assert is_broken(real, 1000, HALF_SPREAD, 109.0)
    assert not is_broken(real, 1000, HALF_SPREAD, 108.9)
    assert not is_broken(spoof, 1000, HALF_SPREAD, 500.0)


def test_a_later_plan_moves_the_end_of_a_live_wall() -> None:
    """Walls are known by their number; those that the plan does not name keep their end."""
    scene = Scene(small_book({100: 5}, {102: 4}), {"ticks": 110}, {"number": 1, "ticks": 111})
    scene.frame(10, 101.0)
    adopt_ends(
        scene.walls, wall_records(plan_of({"number": 1, "ticks": 111, "end_ns": 700}, {"number": 9, "ticks": 1}))
    )
    assert scene.walls["end"][:2].tolist() == [1000, 700]


def test_frames_for_walls() -> None:
    """One at each start, end and flight inside the block; the carried wall's start counts as the block's."""
    start = 5 * BLOCK_NS
    mids = np.full(STEPS, 10_000.0)
    mids[700:800] = 10_012.0  # 8 ticks from the spoof at 10 020, which flees at 10 bps: 10 ticks
    records = wall_records(
        plan_of(
            {"ticks": 1, "side": BIDS, "start_ns": start - 7, "end_ns": start + 100 * STEP_NS},
            {"ticks": 10_020, "start_ns": start + 50, "end_ns": start + BLOCK_NS, "flee_bps": 10.0},
            {"ticks": 10_020, "start_ns": start + 900 * STEP_NS, "end_ns": start + 950 * STEP_NS, "flee_bps": 10.0},
        )
    )
    steps = [0, 100 * STEP_NS, 50, 700 * STEP_NS, 900 * STEP_NS, 950 * STEP_NS]
    assert wall_frame_times(records, mids, start).tolist() == [start + step for step in sorted(steps)]
    assert wall_frame_times(wall_records(None), mids, start).size == 0
