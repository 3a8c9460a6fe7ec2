"""Walls and spoofs of the built-in market: large resting orders, planned before the books render them.

A real wall rests for minutes at one price, is refilled when takers eat it, and goes when the price has broken through
or its time is over. A spoof is as large, but is there to be seen: it flees when the price comes near. When and how far
away they come is drawn without looking at the price; only an edge lets the real ones act on it. How many, how large and
how far away are assumptions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from catalog.market_episodes import EpisodeKind, PlannedEpisode
from catalog.market_price import (
    BLOCK_NS,
    PRICE_STEP_NS,
    STEP_NS,
    STEPS,
    Bools,
    FairBlock,
    Floats,
    Ints,
    WallSteps,
)

BP = 1e-4
SECOND_NS = 1_000_000_000
BID, ASK = 0, 1

WALL_SECONDS = (180.0, 480.0)
WALL_GAP_SECONDS = 660.0  # on the most active asset: a wall a side for a third of the time
WALL_BPS = (10.0, 40.0)
WALL_DEPTHS = 0.7  # median size, in what usually rests on one side within 10 bps
SPOOF_SECONDS = (3.0, 60.0)  # their logarithm is uniform
SPOOF_GAP_SECONDS = 100.0
SPOOF_BPS = (7.0, 20.0)
SPOOF_DEPTHS = 0.6
FLEE_BPS = (3.0, 6.0)
LOG_SIZE_SD = 0.3
EPISODE_DEPTHS = 1.5
EPISODE_MINUTE_SDS = 1.0  # how far from the price the wall of an absorption or a distribution stands


@dataclass(frozen=True)
class WallPlan:
    """The walls that one market's book shows in one block, in order of their starts; all arrays have one length.

    A wall that outlives the block is in the next block's plan too, under the same `number`, with the start it had (so
    before that block's start) and possibly an earlier end: an end beyond the block is what was planned, not yet fact.
    """

    number: Ints  # of the wall in its market, from 0
    start_ns: Ints
    end_ns: Ints  # it is gone from here on, at the latest
    side: Ints  # 0 bids, 1 asks
    ticks: Ints  # its price, in ticks of this market
    size: Ints  # resting at that price while it lives, in size steps of this market
    real: Bools
    flee_bps: Floats  # a spoof is gone once the mid is nearer than this; 0 for real walls


@dataclass
class PlannedWall:
    """A wall of an asset. Where it stands is known once the price is at its start; a break brings its end forward."""

    start_ns: int
    end_ns: int
    side: int
    distance: float  # log, from the price at its start
    real: bool
    venues: frozenset[int]  # the venue indices of the markets that show it
    depths: float
    flee_bps: float = 0.0
    level: float = np.nan


def _walls(
    rng: np.random.Generator, start_ns: int, side: int, shares: Floats, activity: float
) -> Iterator[PlannedWall]:
    now = start_ns
    while True:
        begin = now + _steps_ns(rng.standard_exponential() * WALL_GAP_SECONDS / activity**0.5)
        now = begin + _steps_ns(rng.uniform(*WALL_SECONDS))
        yield PlannedWall(
            start_ns=begin,
            end_ns=now,
            side=side,
            distance=BP * rng.uniform(*WALL_BPS),
            real=True,
            venues=frozenset((int(rng.choice(shares.size, p=shares)),)),
            depths=_depths(rng, WALL_DEPTHS),
        )


def _spoofs(
    rng: np.random.Generator, start_ns: int, side: int, shares: Floats, activity: float
) -> Iterator[PlannedWall]:
    now = start_ns
    while True:
        begin = now + _steps_ns(rng.standard_exponential() * SPOOF_GAP_SECONDS / activity**0.5)
        now = begin + _steps_ns(np.exp(rng.uniform(*np.log(SPOOF_SECONDS))))
        yield PlannedWall(
            start_ns=begin,
            end_ns=now,
            side=side,
            distance=BP * rng.uniform(*SPOOF_BPS),
            real=False,
            venues=frozenset((int(rng.choice(shares.size, p=shares)),)),
            depths=_depths(rng, SPOOF_DEPTHS),
            flee_bps=rng.uniform(*FLEE_BPS),
        )


def _depths(rng: np.random.Generator, median: float) -> float:
    return median * float(np.exp(LOG_SIZE_SD * rng.standard_normal()))


def _steps_ns(seconds: float) -> int:
    return max(1, round(seconds * SECOND_NS / PRICE_STEP_NS)) * PRICE_STEP_NS


class AssetWalls:
    """The walls of one asset, carried from block to block.

    `shares` are the probabilities of the venue indices to show a wall, `activity` is relative to the most active asset,
    `perps` are the venue indices of perps with a book: these show the walls of episodes.
    """

    def __init__(
        self,
        rngs: tuple[np.random.Generator, ...],
        start_ns: int,
        shares: Floats,
        activity: float,
        minute_sd: float,
        perps: frozenset[int],
    ) -> None:
        makers = (_walls, _walls, _spoofs, _spoofs)
        self._plans = [
            make(rng, start_ns, side, shares, activity)
            for make, rng, side in zip(makers, rngs, (BID, ASK, BID, ASK), strict=True)
        ]
        self._next = [next(plan) for plan in self._plans]
        self._live: list[PlannedWall] = []
        self._episodes_seen = start_ns - 1
        self._distance = EPISODE_MINUTE_SDS * minute_sd
        self._perps = perps

    def steps(self, start_ns: int, episodes: list[PlannedEpisode]) -> WallSteps:
        """The walls of the block from `start_ns`, for the price to act on; then call :meth:`settle`."""
        self._live = [wall for wall in self._live if wall.end_ns > start_ns]
        for i, plan in enumerate(self._plans):
            while self._next[i].start_ns < start_ns + BLOCK_NS:
                self._live.append(self._next[i])
                self._next[i] = next(plan)
        self._live += [wall for episode in episodes if (wall := self._of(episode, start_ns + BLOCK_NS)) is not None]
        self._live.sort(key=lambda wall: wall.start_ns)
        return WallSteps(
            start=np.array([(w.start_ns - start_ns) // PRICE_STEP_NS for w in self._live], np.int64),
            end=np.array([(w.end_ns - start_ns) // PRICE_STEP_NS for w in self._live], np.int64),
            side=np.array([w.side for w in self._live], np.int64),
            distance=np.array([w.distance for w in self._live], np.float64),
            level=np.array([w.level for w in self._live], np.float64),
            acts=np.array([w.real for w in self._live], np.int64),
        )

    def settle(self, steps: WallSteps, start_ns: int) -> list[PlannedWall]:
        """Take over what the price made of `steps`; returns the walls of the block in order of their starts."""
        for wall, level, end in zip(self._live, steps.level, steps.end, strict=True):
            wall.level = float(level)
            wall.end_ns = start_ns + int(end) * PRICE_STEP_NS
        return self._live

    def _of(self, episode: PlannedEpisode, end_ns: int) -> PlannedWall | None:
        held = episode.kind in (EpisodeKind.ABSORPTION, EpisodeKind.DISTRIBUTION)
        if not held or not self._episodes_seen < episode.start_ns < end_ns:
            return None
        self._episodes_seen = episode.start_ns
        return PlannedWall(
            start_ns=episode.start_ns,
            end_ns=episode.end_ns,
            side=BID if episode.kind is EpisodeKind.ABSORPTION else ASK,
            distance=self._distance,
            real=True,
            venues=self._perps,
            depths=EPISODE_DEPTHS,
        )


@dataclass(frozen=True)
class Wall:
    """A wall or a spoof as it stood in one market, part of the truth. Price and size are in the venue's own units."""

    instrument_id: str
    side: str  # bid or ask
    price: Decimal
    size: Decimal
    start_ns: int
    end_ns: int
    real: bool


@dataclass
class _Standing:
    wall: PlannedWall
    number: int
    ticks: int
    size: int
    end_ns: int


class MarketWalls:
    """The walls of one market, carried from block to block. `depth` is what usually rests within 10 bps, in steps."""

    def __init__(self, venue_index: int, depth: float) -> None:
        self._venue_index = venue_index
        self._depth = depth
        self._standing: list[_Standing] = []
        self._all: list[_Standing] = []

    def block(self, fair: FairBlock, walls: list[PlannedWall], start_ns: int) -> WallPlan:
        """`walls` are those of the asset in this block, settled."""
        self._standing = [s for s in self._standing if s.end_ns > start_ns]
        for wall in walls:
            if self._venue_index in wall.venues and start_ns <= wall.start_ns < wall.end_ns:
                self._standing.append(self._stand(wall, fair, start_ns))
        for standing in self._standing:
            standing.end_ns = min(standing.wall.end_ns, _gone(standing, fair, start_ns))
        return WallPlan(
            number=np.array([s.number for s in self._standing], np.int64),
            start_ns=np.array([s.wall.start_ns for s in self._standing], np.int64),
            end_ns=np.array([s.end_ns for s in self._standing], np.int64),
            side=np.array([s.wall.side for s in self._standing], np.int64),
            ticks=np.array([s.ticks for s in self._standing], np.int64),
            size=np.array([s.size for s in self._standing], np.int64),
            real=np.array([s.wall.real for s in self._standing], np.bool_),
            flee_bps=np.array([s.wall.flee_bps for s in self._standing], np.float64),
        )

    def truth(self, instrument_id: str, price_tick: Decimal, size_step: Decimal, end_ns: int) -> list[Wall]:
        """All walls so far of a sample that ends at `end_ns`, in order of their starts."""
        return [
            Wall(
                instrument_id=instrument_id,
                side="ask" if s.wall.side == ASK else "bid",
                price=s.ticks * price_tick,
                size=s.size * size_step,
                start_ns=s.wall.start_ns,
                end_ns=min(s.end_ns, end_ns),
                real=s.wall.real,
            )
            for s in self._all
            if s.wall.start_ns < end_ns and s.wall.start_ns < s.end_ns
        ]

    def _stand(self, wall: PlannedWall, fair: FairBlock, start_ns: int) -> _Standing:
        outward = 2 * wall.side - 1
        away = fair.ticks[(wall.start_ns - start_ns) // STEP_NS] * np.exp(outward * wall.distance)
        ticks = int(np.ceil(away)) if wall.side == ASK else max(1, int(np.floor(away)))
        taken = {s.ticks for s in self._standing if s.wall.side == wall.side}
        while ticks in taken:
            ticks += outward
        size = max(1, round(wall.depths * self._depth))
        standing = _Standing(wall, len(self._all), ticks, size, wall.end_ns)
        self._all.append(standing)
        return standing


def _gone(standing: _Standing, fair: FairBlock, start_ns: int) -> int:
    """When the market's price breaks a wall or scares a spoof away, at the latest the planned end."""
    wall = standing.wall
    first = max(0, (wall.start_ns - start_ns) // STEP_NS)
    last = min(STEPS, (wall.end_ns - start_ns) // STEP_NS)
    outward = 2 * wall.side - 1
    gap = outward * (standing.ticks - fair.ticks[first:last])
    near = np.flatnonzero(gap <= BP * wall.flee_bps * fair.ticks[first:last])
    return start_ns + (first + int(near[0])) * STEP_NS if near.size else wall.end_ns
