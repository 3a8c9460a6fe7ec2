import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.liquidity_walls import NO_TRADE_HIGH, NO_TRADE_LOW, OUTPUTS, LiquidityWalls
from indicators.sides import ASK, BID
from indicators.wall_memory import WallStatus
from tests.indicators.wall_markets import SECOND, book, naive_walls, spoofed_market

MID = 10_000  # one unit is one basis point
WALL = 9_990


class Tape:
    """Feeds an indicator a sample a second; by default 60 s is the half age and 5 units begin an approach."""

    def __init__(self, **parameters):
        self.walls = LiquidityWalls(**{"min_samples": 1, **parameters})
        self.ts = 0

    def show(self, sizes=None, mid=MID, low=NO_TRADE_LOW, high=NO_TRADE_HIGH, seconds=1, times=1, **shape):
        for _ in range(times):
            self.ts += seconds * SECOND
            self.walls.update(self.ts, *book(mid, sizes, **shape), low, high)
        return self

    def only(self, ended=True):
        (wall,) = self.walls.walls(ended=ended)
        return wall


def rested(size=10.0, **parameters):
    """A bid wall of 10 among levels of 1, 10 bps below the mid, seen standing for 60 s."""
    return Tape(**parameters).show({WALL: size}, times=61)


def test_nothing_is_said_before_warm():
    """Values are NaN until `min_samples` books were seen; a book of like levels then has no walls and no pressure.

    All 40 levels lie in the bin from 1 to 1.125, whose middle is the median.
    """
    tape = Tape(min_samples=3).show(times=2)
    assert math.isnan(tape.walls.value)
    assert math.isnan(tape.walls.threshold)
    assert not tape.walls.initialized
    tape.show()
    assert tape.walls.initialized
    assert tape.walls.value == 0.0
    assert tape.walls.typical == 1.0625
    assert tape.walls.threshold == 5.0 * 1.0625
    assert tape.walls.walls() == []
    assert tape.walls.nearest(BID) is None


def test_a_wall_appears_and_ages():
    """A size at the threshold opens a wall; untested it scores 0.6 age / (age + 60 s): real after five minutes."""
    tape = Tape().show({WALL: 10.0})
    wall = tape.only()
    assert (wall.side, wall.price_units, wall.size, wall.status) == (BID, WALL, 10.0, WallStatus.STANDING)
    assert (wall.first_ns, wall.age_seconds, wall.persistence) == (SECOND, 0.0, 0.0)
    assert wall.distance_bps == 10.0
    # of 39 ones 20 are needed from the top to the middle of 40
    assert wall.strength == pytest.approx(10.0 / (1.0 + 20.0 / 39.0 / 8.0))
    tape.show({WALL: 10.0}, times=60)
    assert tape.only().age_seconds == 60.0
    assert tape.only().persistence == pytest.approx(0.5 * 0.6)
    assert tape.walls.nearest(BID) is None
    tape.show({WALL: 10.0}, times=241)
    assert tape.only().persistence == pytest.approx(301.0 / 361.0 * 0.6)
    assert tape.walls.nearest(BID) == tape.only()
    assert tape.walls.nearest(ASK) is None


def test_samples_may_be_apart():
    """Age is time, not samples: 12 samples 5 s apart are 60 s."""
    tape = Tape().show({WALL: 10.0}).show({WALL: 10.0}, seconds=5, times=12)
    assert tape.only().age_seconds == 60.0
    assert tape.only().persistence == pytest.approx(0.3)


def test_a_wall_that_holds_gains():
    """Price comes within 3 units and leaves again: 0.4 held, for the wall and, by its age factor, for its side.

    At mid 9993 5 bps are 9 half units, and twice the distance is 6: 1 - 6 / (9 + 1) = 0.4. It counts when price is back
    at twice the limit, with the wall 62 s old: weight 62/122 for the side, whose base becomes (2.4 + w) / (4 + w).
    """
    tape = rested().show({WALL: 10.0}, mid=9_993)
    assert tape.only().approaches == 1
    assert tape.only().persistence == pytest.approx(61.0 / 121.0 * 0.6)
    tape.show({WALL: 10.0})
    side = 0.4 * 62.0 / 122.0
    assert tape.only().persistence == pytest.approx(62.0 / 122.0 * ((2.4 + side) / (4.0 + side) + 0.4) / 1.4)
    assert tape.walls.endings(BID).held_recently == pytest.approx(side)
    assert tape.walls.endings(ASK).held_recently == 0.0


def test_to_be_the_best_level_is_to_be_tested():
    """As the best bid without a print a wall holds in full: (p + 1) / 2 with p = (2.4 + w) / (4 + w), w = 62/122."""
    tape = rested().show({WALL: 10.0}, mid=9_991).show({WALL: 10.0})
    w = 62.0 / 122.0
    assert tape.only().persistence == pytest.approx(w * ((2.4 + w) / (4.0 + w) + 1.0) / 2.0)


def test_price_that_stays_near_is_held_against_each_half_age():
    """A wall that is the best bid for 60 s has held once more, without a further approach."""
    tape = rested().show({WALL: 10.0}, mid=9_991, times=60)
    before = tape.only()
    assert before.persistence == pytest.approx(120.0 / 180.0 * 0.6)
    tape.show({WALL: 10.0}, mid=9_991)
    assert tape.only().approaches == 1
    w = 121.0 / 181.0
    assert tape.only().persistence == pytest.approx(w * ((2.4 + w) / (4.0 + w) + 1.0) / 2.0)


def test_a_spoof_is_pulled_before_the_touch():
    """Gone as price comes within 3 units: one failure for the wall, half of one (its age factor) for its side.

    0.5 x base / 2 with base = 2.4 / 4.5. The next wall of the side starts from that base, which recovers slowly.
    """
    tape = rested().show(mid=9_993)
    wall = tape.only()
    assert (wall.status, wall.size, wall.approaches, wall.real) == (WallStatus.PULLED, 1.0, 1, False)
    assert wall.persistence == pytest.approx(0.5 * (2.4 / 4.5) / 2.0)
    assert tape.walls.walls() == []
    assert tape.walls.endings(BID) == (0, 0, 1, 0.0, 0.5)
    tape.show({9_980: 10.0}, mid=9_993, times=61)
    fresh = tape.walls.walls()[0]
    assert fresh.price_units == 9_980
    assert fresh.persistence == pytest.approx(0.5 * 2.4 / (4.0 + 0.5 * 0.5 ** (61.0 / 900.0)))
    assert fresh.persistence < 0.3


def test_a_print_near_by_is_an_approach():
    """The mid stays, but a print comes within 4 units: a wall that is gone then was pulled."""
    assert rested().show(low=9_994, high=9_999).only().status == WallStatus.PULLED
    assert rested().show(low=9_996, high=9_999).only().status == WallStatus.CANCELLED


def test_price_that_falls_through_without_a_print():
    """The book is below the wall and nothing traded at it: it was pulled, not consumed."""
    assert rested().show(mid=9_980).only().status == WallStatus.PULLED
    assert rested().show(mid=9_980, low=9_991, high=9_999).only().status == WallStatus.PULLED
    assert rested().show(mid=9_980, low=9_990, high=9_999).only().status == WallStatus.CONSUMED


def test_what_appears_beside_the_price_has_not_been_approached():
    """A wall of the best bid that leaves as price moves on is cancelled: price has not come to it."""
    tape = Tape().show({9_999: 10.0}, times=5).show(mid=MID + 1)
    assert tape.only().status == WallStatus.CANCELLED
    assert tape.walls.endings(BID) == (0, 1, 0, 0.0, 0.0)


def test_a_wall_that_flickers_fails():
    """Cancelled away from price and back: it keeps its age, but (0 + 0.6) / (1 + 1) instead of 0.6."""
    tape = rested().show()
    assert tape.only().status == WallStatus.CANCELLED
    tape.show({WALL: 10.0})
    wall = tape.only()
    assert (wall.status, wall.flickers, wall.age_seconds) == (WallStatus.STANDING, 1, 60.0)
    assert wall.persistence == pytest.approx(0.5 * 0.6 / 2.0)


def test_a_wall_that_shrinks_as_price_comes_fails_in_part():
    """Down to 6 of 10 without a print: 0.4 failed while price is near, and for good once it has left."""
    tape = rested().show({WALL: 6.0}, mid=9_993)
    assert tape.only().persistence == pytest.approx(61.0 / 121.0 * 0.6 / 1.4)
    assert tape.walls.endings(BID).failed_recently == 0.0
    tape.show({WALL: 6.0})
    assert tape.walls.endings(BID).failed_recently == pytest.approx(0.4 * 62.0 / 122.0)
    held = 0.6 * 0.4
    w = 62.0 / 122.0
    base = (2.4 + w * held) / (4.0 + w * (held + 0.4))
    assert tape.only().persistence == pytest.approx(w * (base + held) / (1.0 + held + 0.4))


def test_a_wall_is_eaten_and_refilled():
    """Prints take 4 of 10, which is no failure; back at 9, more than a quarter of 10 above 6, it is refilled.

    The refill counts as held, with weight 62/122 for the side.
    """
    tape = rested().show({WALL: 6.0}, mid=9_991, low=WALL, high=9_992)
    assert (tape.only().eaten, tape.only().refills) == (4.0, 0)
    assert tape.only().persistence == pytest.approx(61.0 / 121.0 * 0.6)
    tape.show({WALL: 9.0}, mid=9_991)
    wall = tape.only()
    assert (wall.eaten, wall.refills, wall.largest, wall.size) == (4.0, 1, 10.0, 9.0)
    w = 62.0 / 122.0
    assert wall.persistence == pytest.approx(w * ((2.4 + w) / (4.0 + w) + 1.0) / 2.0)


def test_a_wall_is_consumed_and_comes_back():
    """Gone with prints at its price it was real; back within `memory_ns` it goes on with its age and one refill."""
    tape = rested().show(mid=9_988, low=9_987, high=9_999)
    wall = tape.only()
    # below the book there is no level left at its price
    assert (wall.status, wall.size, wall.eaten) == (WallStatus.CONSUMED, 0.0, 10.0)
    assert tape.walls.endings(BID) == (1, 0, 0, 0.5, 0.0)
    tape.show({WALL: 10.0}, seconds=10)
    wall = tape.only()
    assert (wall.status, wall.refills, wall.age_seconds) == (WallStatus.STANDING, 1, 60.0)
    # the second outcome of a wall counts half for its side
    side = 0.5 * 0.5 ** (10.0 / 900.0) + 0.5 / 2.0
    assert wall.persistence == pytest.approx(0.5 * ((2.4 + side) / (4.0 + side) + 2.0) / 3.0)


def test_cancelled_after_a_touch_is_no_spoof():
    """Touched in one sample and gone without a print in the next: cancelled, neither consumed nor pulled."""
    tape = rested().show({WALL: 9.0}, mid=9_991, low=WALL, high=9_992).show(mid=9_991)
    assert tape.only().status == WallStatus.CANCELLED


def test_an_ended_wall_is_forgotten():
    """After `memory_ns` the price is like any other, and a wall there is new."""
    tape = rested(memory_ns=3 * SECOND).show(times=4)
    assert tape.only().status == WallStatus.CANCELLED
    tape.show()
    assert tape.walls.walls(ended=True) == []
    tape.show({WALL: 10.0})
    assert (tape.only().flickers, tape.only().age_seconds) == (0, 0.0)


def test_out_of_sight_is_not_gone():
    """Beyond the last level a wall keeps its age, leaves the pressure and goes on when the book reaches it again."""
    tape = rested()
    assert tape.walls.value == 1.0
    tape.show({WALL: 10.0}, mid=MID + 11, times=30)
    wall = tape.only()
    assert (wall.visible, wall.status, wall.age_seconds, wall.size) == (False, WallStatus.STANDING, 60.0, 10.0)
    assert tape.walls.value == 0.0
    tape.show({WALL: 10.0}, times=2)
    assert tape.only().visible
    # the sample that shows it again says nothing of the time before
    assert tape.only().age_seconds == 61.0
    assert tape.walls.endings(BID) == (0, 0, 0, 0.0, 0.0)


def test_what_left_out_of_sight_has_no_ending():
    """A wall that is not there when the book reaches its price again, or not seen for `memory_ns`, is forgotten."""
    tape = rested().show(mid=MID + 11).show()
    assert tape.walls.walls(ended=True) == []
    assert tape.walls.endings(BID) == (0, 0, 0, 0.0, 0.0)
    tape = rested(memory_ns=3 * SECOND).show({WALL: 10.0}, mid=MID + 11, times=5)
    assert tape.walls.walls(ended=True) == []


def test_levels_beyond_the_reach_are_out_of_sight():
    """With a reach of 9.5 bps a wall at 10 bps is none, and at 9 bps is one."""
    tape = Tape(reach_bps=9.5).show({WALL: 10.0})
    assert tape.walls.walls() == []
    tape.show({WALL: 10.0}, mid=MID - 1)
    assert tape.only().price_units == WALL
    tape.show({WALL: 10.0})
    assert not tape.only().visible


@pytest.mark.parametrize(
    "break_off",
    [
        lambda tape: tape.walls.lost(),
        lambda tape: tape.walls.update(tape.ts + SECOND, book(MID)[0], book(MID - 2)[1]),
        lambda tape: tape.walls.update(tape.ts + SECOND, ([], []), book(MID)[1]),
        lambda tape: tape.walls.update(tape.ts + SECOND, book(MID)[0], ([], [])),
    ],
    ids=["lost", "crossed", "no bids", "no asks"],
)
def test_a_lost_book_forgets_every_wall(break_off):
    """What comes after a lost, crossed or one-sided book begins anew; until then every value is NaN."""
    tape = rested()
    break_off(tape)
    assert math.isnan(tape.walls.value)
    assert tape.walls.walls(ended=True) == []
    assert tape.walls.initialized
    tape.show({WALL: 10.0})
    assert tape.walls.value == 0.0
    assert tape.only().age_seconds == 0.0


def test_a_gap_forgets_every_wall():
    """15 s between samples are bridged, more or going back are not."""
    assert rested().show({WALL: 10.0}, seconds=15).only().age_seconds == 75.0
    assert rested().show({WALL: 10.0}, seconds=16).only().age_seconds == 0.0
    assert rested().show({WALL: 10.0}, seconds=-1).only().age_seconds == 0.0


def test_a_market_that_grew_has_no_ending():
    """A wall that stands as it did while the other levels grow to 4 is no wall any more, but it has not gone."""
    tape = rested(span=2).show({WALL: 10.0}, level=4.0, times=6)
    assert tape.walls.walls(ended=True) == []
    assert tape.walls.endings(BID) == (0, 0, 0, 0.0, 0.0)


def test_the_weakest_goes_when_there_is_no_room():
    """Of 10, 20 and 30 two places keep 20 and 30; of equals the farther one gives way; a newcomer must be larger."""
    sizes = {9_995: 10.0, 9_990: 20.0, 9_985: 30.0}
    tape = Tape(q=0.9, capacity=2).show(sizes, times=2)
    assert [(wall.price_units, wall.age_seconds) for wall in tape.walls.walls()] == [(9_990, 1.0), (9_985, 1.0)]
    tape = Tape(q=0.9, capacity=2).show({9_995: 10.0, 9_990: 10.0, 9_985: 11.0})
    assert [wall.price_units for wall in tape.walls.walls()] == [9_995, 9_985]
    tape = Tape(q=0.9, capacity=1).show({9_995: 10.0, 9_990: 10.0})
    assert [wall.price_units for wall in tape.walls.walls()] == [9_995]
    # after 60 s a wall of persistence 0.3 is as strong as one of 13
    tape = rested(q=0.9, capacity=1).show({WALL: 10.0, 9_985: 13.0})
    assert tape.only().price_units == WALL
    assert tape.show({WALL: 10.0, 9_985: 13.5}).only().price_units == 9_985


def test_an_ended_wall_gives_way_first():
    """The place of a wall that was cancelled is taken by a small new one before any standing one's."""
    tape = rested(capacity=2, q=0.9).show({WALL: 10.0, 9_985: 50.0}).show({WALL: 10.0})
    assert [wall.status for wall in tape.walls.walls(ended=True)] == [WallStatus.STANDING, WallStatus.CANCELLED]
    tape.show({WALL: 10.0, 9_980: 9.9})
    assert [wall.price_units for wall in tape.walls.walls(ended=True)] == [WALL, 9_980]


def test_neighbours_are_merged_on_demand():
    """Two levels of 6 are no walls at 8 times the median, but one wall of 13 with the 1 above them.

    The excess counts: 6 + 6 + 1 less two medians of about 1.06, which is above 8.5. A step of one unit stays within.
    """
    split = {9_990: 6.0, 9_989: 6.0}
    assert Tape(min_ratio=8.0).show(split).walls.walls() == []
    tape = Tape(min_ratio=8.0, merge_units=1).show(split, times=5)
    assert (tape.only().price_units, tape.only().size) == (9_990, 13.0)
    tape.show({9_991: 6.0, 9_990: 6.0}, times=5)
    assert (tape.only().price_units, tape.only().size, tape.only().age_seconds) == (9_990, 13.0, 9.0)
    assert Tape(merge_units=3).show(times=3).walls.walls() == []


def test_a_wall_that_steps_is_another_wall():
    """Without merging, an order that moves by one unit has left its price."""
    tape = rested().show({WALL + 1: 10.0})
    statuses = [(wall.price_units, wall.status, wall.age_seconds) for wall in tape.walls.walls(ended=True)]
    assert statuses == [(WALL + 1, WallStatus.STANDING, 0.0), (WALL, WallStatus.CANCELLED, 60.0)]


def test_nearest_and_pressure():
    """The nearest real wall of each side, and (bid - ask) / (bid + ask) of size x persistence x closeness.

    All walls are of one age, so persistence cancels: 20 at 10 bps of 100 weighs 18, and 10 at 15 and 20 bps 8.5 and 8:
    (18 - 16.5) / (18 + 16.5).
    """
    sizes = {9_990: 20.0, 10_015: 10.0, 10_020: 10.0}
    tape = Tape(q=0.9).show(sizes, times=400)
    assert tape.walls.value == pytest.approx(1.5 / 34.5)
    assert tape.walls.nearest(BID).price_units == 9_990
    assert tape.walls.nearest(ASK).price_units == 10_015
    columns = dict(zip(OUTPUTS, np.asarray(last_outputs(tape)), strict=True))
    for side, name in ((BID, "bid"), (ASK, "ask")):
        wall = tape.walls.nearest(side)
        assert columns[f"{name}_price_units"] == wall.price_units
        assert columns[f"{name}_distance_bps"] == wall.distance_bps
        assert columns[f"{name}_strength"] == wall.strength
        assert columns[f"{name}_persistence"] == wall.persistence
        assert columns[f"{name}_age_seconds"] == wall.age_seconds == 399.0


def last_outputs(tape):
    bids, asks = book(MID, {9_990: 20.0, 10_015: 10.0, 10_020: 10.0})
    again = Tape(q=0.9).walls
    n = tape.ts // SECOND
    ts = np.arange(1, n + 1) * SECOND
    rows = [np.tile(column, (n, 1)) for column in (*bids, *asks)]
    full = np.full(n, 20)
    return again.update_many(ts, *rows[:2], full, *rows[2:], full, full * 0 + NO_TRADE_LOW, full * 0 + NO_TRADE_HIGH)[
        -1
    ]


def test_the_constructed_pair():
    """A wall that rests, is approached, eaten and refilled scores above 0.8; a spoof that flees below 0.2.

    Both rest for two minutes between three visits of price; the spoof leaves at each and is back one unit beside.
    """
    real, spoof = rested(), rested()
    for visit in range(3):
        for mid in (9_996, 9_993, 9_991):
            real.show({WALL: 10.0}, mid=mid, low=mid - 1, high=mid + 1)
        real.show({WALL: 5.5}, mid=9_991, low=WALL, high=9_992)
        real.show({WALL: 10.0}, mid=9_993).show({WALL: 10.0}, times=120)
        elsewhere = WALL - visit % 2
        spoof.show({elsewhere: 10.0}, mid=9_996)
        spoof.show(mid=9_993, times=3)
        spoof.show({WALL - 1 + visit % 2: 10.0}, times=120)
        assert spoof.walls.nearest(BID) is None
    assert real.only().persistence > 0.8
    assert real.walls.nearest(BID) == real.only()
    assert real.only().refills == 3
    assert max(wall.persistence for wall in spoof.walls.walls(ended=True)) < 0.2


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_spoofs_are_told_from_real_walls(seed):
    """Half of the large levels are spoofed: the naive rule is right in about half, the score nearly always.

    It finds the walls that price reaches; those that no price ever tests stay unproven where spoofs are common.
    """
    walls = LiquidityWalls(q=0.95)
    found = {"naive": [0, 0], "scored": [0, 0]}
    reachable = [0, 0]
    for sample in spoofed_market(seed):
        walls.update(sample.ts, sample.bids, sample.asks, sample.low, sample.high)
        if sample.ts < 600 * SECOND:
            continue
        scored = {wall.price_units for wall in walls.walls() if wall.real and wall.visible}
        for name, prices in (("naive", naive_walls(sample.bids, sample.asks)), ("scored", scored)):
            found[name][0] += len(prices & sample.real)
            found[name][1] += len(prices)
        reachable[0] += len(scored & {9_980, 10_018})
        reachable[1] += 2
    assert found["naive"][0] / found["naive"][1] < 0.6
    assert found["scored"][0] / found["scored"][1] > 0.95
    assert reachable[0] / reachable[1] > 0.9


def test_bad_input_is_refused():
    """Parameters out of range, levels that are not best first, negative sizes and shapes that do not fit."""
    for name, value in (
        ("q", 0.5),
        ("min_ratio", 0.5),
        ("approach_bps", 100.0),
        ("merge_units", -1),
        ("real_score", 1),
    ):
        with pytest.raises(ValueError, match=name if name != "q" else "median"):
            LiquidityWalls(**{name: value})
    with pytest.raises(ValueError, match="capacity is 0"):
        LiquidityWalls(capacity=0)
    walls = LiquidityWalls()
    bids, asks = book(MID)
    for sides in ((asks, asks), (bids, bids)):
        with pytest.raises(ValueError, match="levels out of order"):
            walls.update(0, *sides)
    with pytest.raises(ValueError, match="sizes must be finite and not negative"):
        walls.update(0, (bids[0], bids[1] * -1.0), asks)
    with pytest.raises(ValueError, match="differ in length"):
        walls.update(0, (bids[0], bids[1][1:]), asks)
    one = [0]
    with pytest.raises(ValueError, match="bid counts from 2 to 2, but there are 1 levels"):
        walls.update_many(one, [[1]], [[1.0]], [2], [[2]], [[1.0]], [1], one, one)
    with pytest.raises(ValueError, match="ask prices"):
        walls.update_many(one, [[1]], [[1.0]], [1], [[2, 3]], [[1.0]], [1], one, one)


CENTRE = 1_000_000
DEPTH = 15
# boundaries between half units, so that the mid's small share in a basis point decides nothing
SMALL = {
    "q": 0.9,
    "span": 10,
    "min_samples": 2,
    "min_ratio": 3.0,
    "reach_bps": 0.1525,
    "approach_bps": 0.0525,
    "half_age_ns": 5 * SECOND,
    "memory_ns": 6 * SECOND,
    "spoof_half_life_ns": 20 * SECOND,
    "max_gap_ns": 10 * SECOND,
    "capacity": 4,
}


@st.composite
def tapes(draw, steps=(-3, -1, 0, 0, 1, 3), nearest=1):
    """Books around a wandering mid in which a few sizes change, prints or none between them, sometimes a gap.

    Sizes change from `nearest` units off the mid on: with 2 the best levels, and so the mid, stay where they are.
    """
    rows, mid, ts, sizes = [], CENTRE, 0, {}
    for _ in range(draw(st.integers(3, 40))):
        mid += draw(st.sampled_from(steps))
        ts += draw(st.sampled_from([1, 1, 1, 2, 4, 11])) * SECOND
        for _ in range(draw(st.integers(0, 3))):
            offset = draw(st.integers(nearest, 8)) * draw(st.sampled_from([-1, 1]))
            sizes[mid + offset] = draw(st.sampled_from([0.0, 1.0, 3.0, 10.0, 10.0, 17.3]))
        low, high = NO_TRADE_LOW, NO_TRADE_HIGH
        if draw(st.booleans()):
            low, high = mid - draw(st.integers(-1, 9)), mid + draw(st.integers(1, 9))
        rows.append((ts, *book(mid, dict(sizes), DEPTH), low, high))
    return rows


def columns(rows):
    def padded(side):
        prices = np.zeros((len(rows), DEPTH), dtype=np.int64)
        sizes = np.full((len(rows), DEPTH), 99.0)
        counts = np.array([len(row[side][0]) for row in rows])
        for k, row in enumerate(rows):
            prices[k, : counts[k]], sizes[k, : counts[k]] = row[side]
        return prices, sizes, counts

    ts, low, high = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 3, 4))
    return ts, *padded(1), *padded(2), low, high


def played(rows, **parameters):
    """Pressure and all walls after each sample."""
    walls = LiquidityWalls(**{**SMALL, **parameters})
    return [(walls.update(*row), walls.walls(ended=True)) for row in rows], walls


@pytest.mark.parametrize("merge", [0, 2])
@settings(deadline=None, max_examples=60)
@given(rows=tapes())
def test_mirrored_books_have_mirrored_walls(merge, rows):
    """Sides swapped and prices mirrored at a level: the same walls bit for bit, but for the mid in basis points."""

    def mirrored(side):
        return 2 * CENTRE - side[0], side[1]

    mirror = [
        (ts, mirrored(asks), mirrored(bids), 2 * CENTRE - high, 2 * CENTRE - low) for ts, bids, asks, low, high in rows
    ]
    one, walls = played(rows, merge_units=merge)
    other, mirrored_walls = played(mirror, merge_units=merge)
    for (pressure, found), (mirrored_pressure, mirrored_found) in zip(one, other, strict=True):
        assert pressure == pytest.approx(-mirrored_pressure, rel=1e-3, abs=1e-3, nan_ok=True)
        turned = [
            wall._replace(side=BID + ASK - wall.side, price_units=2 * CENTRE - wall.price_units, distance_bps=0.0)
            for wall in mirrored_found
        ]
        turned.sort(key=lambda wall: (wall.side, abs(wall.price_units - CENTRE), wall.price_units))
        found = [wall._replace(distance_bps=0.0) for wall in found]
        found.sort(key=lambda wall: (wall.side, abs(wall.price_units - CENTRE), wall.price_units))
        assert found == turned
    assert walls.endings(BID) == mirrored_walls.endings(ASK)
    assert walls.endings(ASK) == mirrored_walls.endings(BID)


@settings(deadline=None, max_examples=40)
@given(rows=tapes(steps=(0,), nearest=2))
def test_mirrored_at_the_mid_every_bit_is_mirrored(rows):
    """Mirrored at the mid itself the outputs of the sides change places and the pressure its sign, bit for bit."""
    ts, bid_p, bid_s, bids, ask_p, ask_s, asks, low, high = columns(rows)
    mirror = 2 * CENTRE - ask_p, ask_s, asks, 2 * CENTRE - bid_p, bid_s, bids, 2 * CENTRE - high, 2 * CENTRE - low
    one = LiquidityWalls(**SMALL).update_many(ts, bid_p, bid_s, bids, ask_p, ask_s, asks, low, high)
    other = LiquidityWalls(**SMALL).update_many(ts, *mirror)
    assert np.array_equal(one[:, 1:5], other[:, 6:10], equal_nan=True)
    assert np.array_equal(one[:, 6:10], other[:, 1:5], equal_nan=True)
    assert np.array_equal(one[:, 0], 2 * CENTRE - other[:, 5], equal_nan=True)
    assert np.array_equal(one[:, 10], -other[:, 10], equal_nan=True)


@settings(deadline=None, max_examples=40)
@given(rows=tapes(), k=st.integers(-20, 20))
def test_the_unit_of_size_does_not_matter(rows, k):
    """Sizes times 2^k: the same scores, ages and endings bit for bit, sizes times 2^k."""
    scale = 2.0**k
    scaled = [(ts, (bids[0], bids[1] * scale), (asks[0], asks[1] * scale), *prints) for ts, bids, asks, *prints in rows]
    one, walls = played(rows)
    other, scaled_walls = played(scaled)
    for (pressure, found), (scaled_pressure, scaled_found) in zip(one, other, strict=True):
        assert np.array_equal(pressure, scaled_pressure, equal_nan=True)
        assert scaled_found == [
            wall._replace(size=wall.size * scale, largest=wall.largest * scale, eaten=wall.eaten * scale)
            for wall in found
        ]
    assert walls.endings(BID) == scaled_walls.endings(BID)
    assert walls.endings(ASK) == scaled_walls.endings(ASK)


@settings(deadline=None, max_examples=60)
@given(rows=tapes(), data=st.data())
def test_per_event_equals_bulk(rows, data):
    """One by one, in bulk and in bulk cut in two: the same bits; and the cut-off future has changed nothing."""
    cut = data.draw(st.integers(0, len(rows)))
    table = columns(rows)
    one, walls = played(rows)
    bulk, halves = LiquidityWalls(**SMALL), LiquidityWalls(**SMALL)
    whole = bulk.update_many(*table)
    first = halves.update_many(*(column[:cut] for column in table))
    second = halves.update_many(*(column[cut:] for column in table))
    assert whole.tobytes() == np.concatenate([first, second]).tobytes()
    assert whole[:, 10].tobytes() == np.array([pressure for pressure, _ in one]).tobytes()
    assert walls.walls(ended=True) == bulk.walls(ended=True) == halves.walls(ended=True)


@settings(deadline=None, max_examples=60)
@given(rows=tapes(), merge=st.integers(0, 2))
def test_what_always_holds(rows, merge):
    """Scores and pressure are bounded, places limited, sizes exact, and no two walls of a side share a price."""
    walls = LiquidityWalls(**SMALL, merge_units=merge)
    for row in rows:
        pressure = walls.update(*row)
        assert math.isnan(pressure) or -1.0 <= pressure <= 1.0
        found = walls.walls(ended=True)
        for side, (prices, sizes) in ((BID, row[1]), (ASK, row[2])):
            mine = [wall for wall in found if wall.side == side]
            assert len(mine) <= SMALL["capacity"]
            assert len({wall.price_units for wall in mine}) == len(mine)
            for wall in mine:
                assert 0.0 <= wall.persistence <= 1.0
                assert 0.0 <= wall.size <= wall.largest
                assert wall.age_seconds * SECOND <= row[0] - wall.first_ns + 1
                if wall.visible and wall.status == WallStatus.STANDING:
                    assert wall.size == sizes[np.abs(prices - wall.price_units) <= merge].sum()
