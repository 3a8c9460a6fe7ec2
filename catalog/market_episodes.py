"""The script of episodes of the built-in market: rare patterns in the flow after which, at an edge, the price drifts.

The patterns come whatever the edge is, and the market prices their flow in as it comes: without an edge nothing follows
from them. Where they come and how long they last is drawn without looking at the price. Sizes and frequencies are
assumptions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from catalog.market_price import (
    AFTER,
    BLOCK_NS,
    DRIFT,
    PRICE_STEP_NS,
    PRICE_STEPS,
    RUN,
    EpisodeSteps,
    Floats,
)

MINUTE_NS = 60_000_000_000
MEAN_GAP_MINUTES = 90.0  # from the end of an outcome to the next episode: about one episode in 111 minutes
SHORTEST_MINUTES, LONGEST_MINUTES = 4.0, 8.0
OUTCOME_NS = 15 * MINUTE_NS
OPENING_SHARE = 0.6  # of a squeeze, in which its positions are opened; in the rest they are closed


class EpisodeKind(StrEnum):
    SPOT_ACCUMULATION = "spot accumulation"  # spot buyers lead; up afterwards
    SPOT_DISTRIBUTION = "spot distribution"
    ABSORPTION = "absorption"  # perp sellers open shorts against a wall at a floor; up afterwards
    DISTRIBUTION = "distribution"  # perp buyers open longs against a wall at a ceiling; down afterwards
    SQUEEZE = "squeeze"  # a run in perps alone, as the price decides; back afterwards


@dataclass(frozen=True)
class Pattern:
    """What one kind asks for, with the signs of an episode after which the price rises."""

    spot_push: float = 0.0
    perp_push: float = 0.0
    spot_activity: float = 1.0
    perp_activity: float = 1.0
    volatility: float = 1.0
    opening: float = 0.0
    spot_led: bool = False


_SPOT_LED = Pattern(spot_push=1.2, perp_push=0.15, spot_activity=1.6, spot_led=True)
_ABSORBED = Pattern(spot_push=0.1, perp_push=-1.2, perp_activity=1.5, volatility=0.45, opening=0.5)
PATTERNS = {
    EpisodeKind.SPOT_ACCUMULATION: _SPOT_LED,
    EpisodeKind.SPOT_DISTRIBUTION: _SPOT_LED,
    EpisodeKind.ABSORPTION: _ABSORBED,
    EpisodeKind.DISTRIBUTION: _ABSORBED,
    EpisodeKind.SQUEEZE: Pattern(perp_activity=1.6, spot_activity=0.7, volatility=2.5, opening=0.5),
}
_DIRECTIONS = {
    EpisodeKind.SPOT_ACCUMULATION: 1,
    EpisodeKind.SPOT_DISTRIBUTION: -1,
    EpisodeKind.ABSORPTION: 1,
    EpisodeKind.DISTRIBUTION: -1,
    EpisodeKind.SQUEEZE: 0,
}


@dataclass(frozen=True)
class PlannedEpisode:
    """An episode and its outcome, times in UNIX ns. A squeeze has no direction until the price has run."""

    kind: EpisodeKind
    start_ns: int
    end_ns: int

    @property
    def direction(self) -> int:
        """Of what follows: +1 up, -1 down, 0 as the price decides."""
        return _DIRECTIONS[self.kind]

    @property
    def outcome_end_ns(self) -> int:
        return self.end_ns + OUTCOME_NS


def _plan(rng: np.random.Generator, start_ns: int) -> Iterator[PlannedEpisode]:
    free = start_ns
    kinds = list(EpisodeKind)
    while True:
        begin = free + _steps_ns(rng.standard_exponential() * MEAN_GAP_MINUTES)
        kind = kinds[int(rng.integers(len(kinds)))]
        end = begin + _steps_ns(rng.uniform(SHORTEST_MINUTES, LONGEST_MINUTES))
        episode = PlannedEpisode(kind, begin, end)
        free = episode.outcome_end_ns
        yield episode


def _steps_ns(minutes: float) -> int:
    return round(minutes * MINUTE_NS / PRICE_STEP_NS) * PRICE_STEP_NS


class EpisodeScript:
    """The episodes of one asset from `start_ns` on, one after the other, never before the last outcome is over."""

    def __init__(self, rng: np.random.Generator, start_ns: int) -> None:
        self._plan = _plan(rng, start_ns)
        self._known = [next(self._plan)]

    def during(self, start_ns: int, end_ns: int) -> list[PlannedEpisode]:
        """The episodes of which the pattern or the outcome touches the span; spans must not step back."""
        while self._known[-1].start_ns < end_ns:
            self._known.append(next(self._plan))
        self._known = [episode for episode in self._known if episode.outcome_end_ns > start_ns]
        return [episode for episode in self._known if episode.start_ns < end_ns]


def episode_steps(episodes: list[PlannedEpisode], start_ns: int) -> EpisodeSteps:
    """What `episodes` ask for in the block that starts at `start_ns`."""
    steps = EpisodeSteps(
        spot_push=np.zeros(PRICE_STEPS),
        perp_push=np.zeros(PRICE_STEPS),
        spot_activity=np.ones(PRICE_STEPS),
        perp_activity=np.ones(PRICE_STEPS),
        volatility=np.ones(PRICE_STEPS),
        opening=np.zeros(PRICE_STEPS),
        drift=np.zeros(PRICE_STEPS),
        phase=np.zeros(PRICE_STEPS, np.int64),
        spot_led=np.zeros(PRICE_STEPS, np.int64),
    )
    for episode in episodes:
        _write(steps, episode, start_ns)
    return steps


def _write(steps: EpisodeSteps, episode: PlannedEpisode, start_ns: int) -> None:
    pattern = PATTERNS[episode.kind]
    squeeze = episode.kind is EpisodeKind.SQUEEZE
    sign = episode.direction
    inside = _span(episode.start_ns, episode.end_ns, start_ns)
    steps.spot_push[inside] = sign * pattern.spot_push
    steps.perp_push[inside] = sign * pattern.perp_push
    steps.spot_activity[inside] = pattern.spot_activity
    steps.perp_activity[inside] = pattern.perp_activity
    steps.volatility[inside] = pattern.volatility
    steps.opening[inside] = pattern.opening
    steps.spot_led[inside] = pattern.spot_led
    outcome = _span(episode.end_ns, episode.outcome_end_ns, start_ns)
    per_step = DRIFT / np.sqrt(OUTCOME_NS / PRICE_STEP_NS)
    steps.drift[outcome] = per_step if squeeze else sign * per_step
    if squeeze:
        steps.phase[inside], steps.phase[outcome] = RUN, AFTER
        turn = episode.start_ns + _whole_steps(OPENING_SHARE * (episode.end_ns - episode.start_ns))
        steps.opening[_span(turn, episode.end_ns, start_ns)] = -pattern.opening


def _whole_steps(ns: float) -> int:
    return round(ns / PRICE_STEP_NS) * PRICE_STEP_NS


def _span(begin_ns: int, end_ns: int, start_ns: int) -> slice:
    """The steps of a block in [begin_ns, end_ns)."""
    first, last = ((min(max(t - start_ns, 0), BLOCK_NS)) // PRICE_STEP_NS for t in (begin_ns, end_ns))
    return slice(first, last)


@dataclass(frozen=True)
class Episode:
    """An episode as it happened, part of the truth.

    `direction` is that of the outcome, 0 for a squeeze that failed or has not ended. `drift` is the log return that
    the edge added to the asset's price in the part of the outcome that lies in the sample.
    """

    asset: str
    kind: EpisodeKind
    direction: int
    start_ns: int
    end_ns: int
    outcome_end_ns: int
    drift: float


class EpisodeRecord:
    """Collects the episodes of one asset, block by block."""

    def __init__(self, asset: str) -> None:
        self._asset = asset
        self._planned: dict[int, PlannedEpisode] = {}
        self._directions: dict[int, int] = {}
        self._drifts: dict[int, float] = {}

    def add(self, episodes: list[PlannedEpisode], start_ns: int, end_ns: int, drift: Floats, squeezed: int) -> None:
        """Note the block from `start_ns`, cut at `end_ns`: its `drift`, and where the last squeeze ran at its end."""
        for episode in episodes:
            key = episode.start_ns
            if key >= end_ns:
                continue
            self._planned[key] = episode
            if episode.end_ns >= end_ns:
                continue
            reverts = episode.kind is EpisodeKind.SQUEEZE
            if key not in self._directions:
                self._directions[key] = -squeezed if reverts else episode.direction
            outcome = _span(episode.end_ns, min(episode.outcome_end_ns, end_ns), start_ns)
            self._drifts[key] = self._drifts.get(key, 0.0) + float(drift[outcome].sum())

    def episodes(self) -> list[Episode]:
        """In order of time."""
        return [
            Episode(
                asset=self._asset,
                kind=planned.kind,
                direction=self._directions.get(key, planned.direction),
                start_ns=planned.start_ns,
                end_ns=planned.end_ns,
                outcome_end_ns=planned.outcome_end_ns,
                drift=self._drifts.get(key, 0.0),
            )
            for key, planned in sorted(self._planned.items())
        ]
