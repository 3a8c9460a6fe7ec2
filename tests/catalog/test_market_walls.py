"""The plan of walls and spoofs: how many, where, how long, and what the price does to them."""

from decimal import Decimal

import numpy as np
import pytest

from catalog.market_episodes import EpisodeKind, PlannedEpisode
from catalog.market_price import BLOCK_NS, HOUR_NS, STEP_NS, STEPS, FairBlock, WallSteps
from catalog.market_walls import ASK, BID, AssetWalls, MarketWalls, PlannedWall, Wall

START = 1_767_571_200_000_000_000
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
SHARES = np.array([0.75, 0.25, 0.0])


def asset_walls(seed: int = 1, activity: float = 1.0) -> AssetWalls:
    rngs = tuple(np.random.default_rng([seed, i]) for i in range(4))
    return AssetWalls(rngs, START, SHARES, activity, minute_sd=6.5e-4, perps=frozenset((0, 1)))


def all_walls(walls: AssetWalls, hours: int, episodes: list[PlannedEpisode] | None = None) -> list[PlannedWall]:
    """Every wall of some hours in which the price does nothing."""
    seen: dict[int, PlannedWall] = {}
    for start in range(START, START + hours * HOUR_NS, BLOCK_NS):
        touching = [e for e in episodes or [] if e.start_ns < start + BLOCK_NS and e.outcome_end_ns > start]
        for wall in walls.settle(walls.steps(start, touching), start):
            seen[id(wall)] = wall
    return list(seen.values())


def flat(ticks: float = 100_000.0) -> FairBlock:
    return FairBlock(np.full(STEPS, ticks), np.zeros(STEPS))


def wall(**changes: object) -> PlannedWall:
    fields = {
        "start_ns": START + MINUTE_NS, "end_ns": START + 5 * MINUTE_NS, "side": BID, "distance": 1e-3, "real": True,
        "venues": frozenset((0,)), "depths": 0.5,
    }  # fmt: skip
    return PlannedWall(**(fields | changes))  # type: ignore[arg-type]  # fields of many types in one dict


@pytest.mark.parametrize("side", [BID, ASK])
def test_walls_are_there_a_third_of_the_time_and_spoofs_come_more_often(side: int) -> None:
    """5.5 minutes of a wall after 11 without; spoofs of 3 to 60 s after 100 s without, about 30 an hour."""
    hours = 400
    planned = [w for w in all_walls(asset_walls(), hours) if w.side == side]
    real, spoofs = [w for w in planned if w.real], [w for w in planned if not w.real]
    lived = sum(w.end_ns - w.start_ns for w in real) / (hours * HOUR_NS)
    assert lived == pytest.approx(1 / 3, rel=0.1)
    # the mean of a log-uniform life is (60 - 3) / ln 20 = 19 s
    assert len(spoofs) / hours == pytest.approx(3600 / 119, rel=0.05)
    assert all(180 * SECOND_NS <= w.end_ns - w.start_ns <= 480 * SECOND_NS for w in real)
    assert all(3 * SECOND_NS <= w.end_ns - w.start_ns <= 60 * SECOND_NS for w in spoofs)
    assert all(10e-4 <= w.distance <= 40e-4 for w in real)
    assert all(7e-4 <= w.distance <= 20e-4 for w in spoofs)
    assert all(w.distance * 1e4 > w.flee_bps > 0.0 for w in spoofs)
    assert np.median([w.depths for w in planned]) > 0.5


def test_walls_are_spread_over_venues_by_their_shares() -> None:
    """Three of four on the first venue, none on the one without a book; a quiet asset has half as many or so."""
    walls = all_walls(asset_walls(), 300)
    on_first = sum(0 in w.venues for w in walls) / len(walls)
    assert on_first == pytest.approx(0.75, abs=0.02)
    assert not any(2 in w.venues for w in walls)
    quiet = all_walls(asset_walls(activity=0.25), 300)
    assert 0.4 < len(quiet) / len(walls) < 0.7


def test_each_wall_is_in_the_steps_of_every_block_that_it_touches() -> None:
    """Steps count from the block's start: negative for a wall that stands already; the level is handed on."""
    walls = asset_walls()
    for start in range(START, START + 6 * HOUR_NS, BLOCK_NS):
        steps = walls.steps(start, [])
        assert (steps.end > 0).all()
        assert (steps.start < 6000).all()
        assert (np.diff(steps.start) >= 0).all()
        assert (np.isnan(steps.level) == (steps.start >= 0)).all()
        steps.level[:] = 11.0
        assert all(w.level == 11.0 for w in walls.settle(steps, start))


def test_an_absorption_stands_on_a_wall_of_all_perps() -> None:
    """Bids one one-minute deviation below, from its first to its last moment, once; a distribution has asks above."""
    episodes = [
        PlannedEpisode(EpisodeKind.ABSORPTION, START + 9 * MINUTE_NS, START + 14 * MINUTE_NS),
        PlannedEpisode(EpisodeKind.DISTRIBUTION, START + 60 * MINUTE_NS, START + 65 * MINUTE_NS),
        PlannedEpisode(EpisodeKind.SQUEEZE, START + 120 * MINUTE_NS, START + 125 * MINUTE_NS),
    ]
    found = [w for w in all_walls(asset_walls(), 3, episodes) if len(w.venues) == 2]
    assert [(w.start_ns, w.end_ns, w.side) for w in found] == [
        (episodes[0].start_ns, episodes[0].end_ns, BID),
        (episodes[1].start_ns, episodes[1].end_ns, ASK),
    ]
    assert all(w.real and w.distance == 6.5e-4 for w in found)


def test_a_break_ends_a_wall() -> None:
    """What the price made of the steps becomes the wall's own end, and it is gone in the next block."""
    walls = asset_walls()
    start = START
    while not (steps := walls.steps(start, [])).acts.any():
        walls.settle(steps, start)
        start += BLOCK_NS
    k = int(np.flatnonzero(steps.acts)[0])
    broken = WallSteps(*(column.copy() for column in steps))
    broken.end[k] = max(int(steps.start[k]), 0) + 1
    settled = walls.settle(broken, start)[k]
    assert settled.end_ns == start + int(broken.end[k]) * 100_000_000
    assert settled not in walls.settle(walls.steps(start + BLOCK_NS, []), start + BLOCK_NS)


def test_a_market_shows_the_wall_on_its_own_ticks() -> None:
    """10 bps below 100000 ticks: 99900.05, so 99900 for bids; above: 100100.05, so 100101. Half of the depth of 800."""
    market = MarketWalls(venue_index=0, depth=800.0)
    plan = market.block(flat(), [wall(), wall(side=ASK, venues=frozenset((0, 1)))], START)
    assert plan.ticks.tolist() == [99900, 100101]
    assert plan.side.tolist() == [BID, ASK]
    assert plan.size.tolist() == [400, 400]
    assert plan.number.tolist() == [0, 1]
    assert plan.real.tolist() == [True, True]
    assert plan.start_ns.tolist() == [START + MINUTE_NS] * 2
    assert plan.end_ns.tolist() == [START + 5 * MINUTE_NS] * 2
    assert MarketWalls(1, 800.0).block(flat(), [wall()], START).number.size == 0  # of another venue


def test_two_walls_never_share_a_price() -> None:
    """The second steps outward by a tick."""
    plan = MarketWalls(0, 800.0).block(flat(), [wall(), wall(), wall(side=ASK), wall(side=ASK)], START)
    assert plan.ticks.tolist() == [99900, 99899, 100101, 100102]


def test_a_real_wall_ends_when_the_price_is_there_and_a_spoof_before() -> None:
    """The price falls by a tick every 20 ms from minute 2 on: at 99900 after 100 steps, within 4 bps of it after 60.

    At step k it is 100000 - k; 4 bps of that is 39.98 at k = 60, where 99940 - 99900 = 40 is not yet less: k = 61.
    """
    ticks = np.full(STEPS, 100_000.0)
    first = 2 * MINUTE_NS // STEP_NS
    ticks[first:] -= np.minimum(np.arange(STEPS - first), 500)
    real, spoof = wall(), wall(real=False, flee_bps=4.0, distance=1e-3)
    plan = MarketWalls(0, 800.0).block(FairBlock(ticks, ticks), [real, spoof], START)
    moved = START + 2 * MINUTE_NS
    assert plan.ticks.tolist() == [99900, 99899]
    assert plan.end_ns.tolist() == [moved + 100 * STEP_NS, moved + 62 * STEP_NS]
    assert plan.flee_bps.tolist() == [0.0, 4.0]


def test_a_wall_goes_on_in_the_next_block_with_its_number_and_price() -> None:
    """From minute 9 to 13: planned until then in block one, broken in block two when the price has come down."""
    market = MarketWalls(0, 800.0)
    lasting = wall(start_ns=START + 9 * MINUTE_NS, end_ns=START + 13 * MINUTE_NS)
    first = market.block(flat(), [lasting], START)
    assert first.end_ns.tolist() == [START + 13 * MINUTE_NS]
    second = market.block(flat(99_900.0), [lasting], START + BLOCK_NS)
    assert second.number.tolist() == first.number.tolist() == [0]
    assert second.ticks.tolist() == first.ticks.tolist()
    assert second.end_ns.tolist() == [START + BLOCK_NS]
    assert market.block(flat(), [], START + 2 * BLOCK_NS).number.size == 0
    assert market.truth("X", Decimal("0.1"), Decimal("0.001"), START + HOUR_NS) == [
        Wall("X", "bid", Decimal("9990.0"), Decimal("0.400"), START + 9 * MINUTE_NS, START + BLOCK_NS, real=True)
    ]


def test_the_truth_ends_where_the_sample_does() -> None:
    """A wall that lives then has that as its end, one that comes later is not in it."""
    market = MarketWalls(0, 800.0)
    market.block(flat(), [wall(), wall(start_ns=START + 3 * MINUTE_NS)], START)
    (found,) = market.truth("X", Decimal(1), Decimal(1), START + 2 * MINUTE_NS)
    assert (found.start_ns, found.end_ns) == (START + MINUTE_NS, START + 2 * MINUTE_NS)
