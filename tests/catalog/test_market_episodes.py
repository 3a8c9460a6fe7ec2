"""The script of episodes: rare, one after the other, drawn without looking at the price."""

from itertools import pairwise

import numpy as np
import pytest

from catalog.market_episodes import (
    OUTCOME_NS,
    PATTERNS,
    EpisodeKind,
    EpisodeRecord,
    EpisodeScript,
    PlannedEpisode,
    episode_steps,
)
from catalog.market_price import AFTER, BLOCK_NS, HOUR_NS, PRICE_STEP_NS, PRICE_STEPS, RUN

START = 1_767_571_200_000_000_000
MINUTE_NS = 60_000_000_000


def planned(hours: int, seed: int = 1) -> list[PlannedEpisode]:
    return EpisodeScript(np.random.default_rng(seed), START).during(START, START + hours * HOUR_NS)


def test_episodes_are_rare_and_never_overlap() -> None:
    """One in 90 + 6 + 15 = 111 minutes on average, of four to eight minutes, all kinds as often, none in an outcome."""
    episodes = planned(5000)
    assert len(episodes) == pytest.approx(5000 * 60 / 111, rel=0.05)
    assert all(4 * MINUTE_NS <= e.end_ns - e.start_ns <= 8 * MINUTE_NS for e in episodes)
    assert all(e.outcome_end_ns - e.end_ns == OUTCOME_NS == 15 * MINUTE_NS for e in episodes)
    assert all(before.outcome_end_ns <= after.start_ns for before, after in pairwise(episodes))
    assert all(t % PRICE_STEP_NS == 0 for e in episodes for t in (e.start_ns, e.end_ns))
    counts = [sum(e.kind is kind for e in episodes) for kind in EpisodeKind]
    assert min(counts) > 0.8 * len(episodes) / 5


def test_spans_find_the_same_episodes_whatever_their_length() -> None:
    """Asked block by block, each episode is in every block that its pattern or outcome touches, and in no other."""
    whole, script = planned(50), EpisodeScript(np.random.default_rng(1), START)
    for start in range(START, START + 50 * HOUR_NS, BLOCK_NS):
        end = start + BLOCK_NS
        expected = [e for e in whole if e.start_ns < end and e.outcome_end_ns > start]
        assert script.during(start, end) == expected


def test_a_pattern_is_written_from_its_first_step_to_its_last() -> None:
    """A spot distribution from minute 2 to 7: pushes, activity and lead there, and the drift down from 7 to the end."""
    episode = PlannedEpisode(EpisodeKind.SPOT_DISTRIBUTION, START + 2 * MINUTE_NS, START + 7 * MINUTE_NS)
    steps = episode_steps([episode], START)
    pattern = PATTERNS[episode.kind]
    inside = np.zeros(PRICE_STEPS, bool)
    inside[1200:4200] = True
    assert (steps.spot_push == np.where(inside, -pattern.spot_push, 0.0)).all()
    assert (steps.spot_activity == np.where(inside, pattern.spot_activity, 1.0)).all()
    assert (steps.spot_led == inside).all()
    # 0.8 standard deviations of the outcome's 9000 steps in all: 0.8 / sqrt(9000) a step
    assert steps.drift == pytest.approx(np.where(np.arange(PRICE_STEPS) >= 4200, -0.8 / 9000**0.5, 0.0))
    assert (steps.phase == 0).all()
    later = episode_steps([episode], START + 2 * BLOCK_NS)  # the outcome ends at minute 22
    assert (later.drift != 0.0).sum() == 1200
    assert (later.spot_push == 0.0).all()


def test_absorption_and_distribution_are_mirror_images() -> None:
    """Sellers at a floor, up afterwards; buyers at a ceiling, down afterwards; both open positions, both calm."""
    up, down = (
        episode_steps([PlannedEpisode(kind, START, START + 4 * MINUTE_NS)], START)
        for kind in (EpisodeKind.ABSORPTION, EpisodeKind.DISTRIBUTION)
    )
    assert up.perp_push[0] < -1.0
    assert up.opening[0] > 0.0
    assert up.volatility[0] < 1.0
    assert up.drift[3000] > 0.0
    for mirrored in ("spot_push", "perp_push", "drift"):
        assert (getattr(up, mirrored) == -getattr(down, mirrored)).all()
    for same in ("spot_activity", "perp_activity", "volatility", "opening", "spot_led", "phase"):
        assert (getattr(up, same) == getattr(down, same)).all()


def test_a_squeeze_opens_positions_and_closes_them() -> None:
    """Of five minutes, three open and two close; the direction is left to the price."""
    episode = PlannedEpisode(EpisodeKind.SQUEEZE, START, START + 5 * MINUTE_NS)
    steps = episode_steps([episode], START)
    opening = PATTERNS[episode.kind].opening
    assert (steps.opening[:1800] == opening).all()
    assert (steps.opening[1800:3000] == -opening).all()
    assert (steps.opening[3000:] == 0.0).all()
    assert (steps.phase[:3000] == RUN).all()
    assert (steps.phase[3000:] == AFTER).all()
    assert episode.direction == 0


def test_the_record_sums_the_drift_inside_the_sample() -> None:
    """A drift of 1e-6 a step over an outcome that reaches into three blocks, of which the sample ends in the second."""
    episode = PlannedEpisode(EpisodeKind.ABSORPTION, START + 4 * MINUTE_NS, START + 8 * MINUTE_NS)
    record, drift = EpisodeRecord("BTC"), np.full(PRICE_STEPS, 1e-6)
    record.add([episode], START, START + BLOCK_NS, drift, 0)
    assert record.episodes()[0].drift == pytest.approx(1200e-6)  # two minutes
    record.add([episode], START + BLOCK_NS, START + 13 * MINUTE_NS, drift, 0)
    (found,) = record.episodes()
    assert found.drift == pytest.approx(3000e-6)  # five minutes
    assert (found.asset, found.kind, found.direction) == ("BTC", EpisodeKind.ABSORPTION, 1)
    assert (found.start_ns, found.end_ns, found.outcome_end_ns) == (
        START + 4 * MINUTE_NS,
        START + 8 * MINUTE_NS,
        START + 23 * MINUTE_NS,
    )


@pytest.mark.parametrize(("ran", "direction"), [(1, -1), (-1, 1), (0, 0)])
def test_a_squeeze_gets_its_direction_once_it_has_ended(ran: int, direction: int) -> None:
    """Against the run; before its end, and where it failed, there is none."""
    episode = PlannedEpisode(EpisodeKind.SQUEEZE, START + 8 * MINUTE_NS, START + 14 * MINUTE_NS)
    record, drift = EpisodeRecord("BTC"), np.zeros(PRICE_STEPS)
    record.add([episode], START, START + BLOCK_NS, drift, 1)
    assert record.episodes()[0].direction == 0
    record.add([episode], START + BLOCK_NS, START + 2 * BLOCK_NS, drift, ran)
    record.add([episode], START + 2 * BLOCK_NS, START + 3 * BLOCK_NS, drift, -ran)  # of another squeeze, later
    assert record.episodes()[0].direction == direction


def test_what_begins_after_the_sample_is_not_recorded() -> None:
    """The last block is made whole, the truth ends where the sample does."""
    episode = PlannedEpisode(EpisodeKind.ABSORPTION, START + 6 * MINUTE_NS, START + 10 * MINUTE_NS)
    record = EpisodeRecord("BTC")
    record.add([episode], START, START + 6 * MINUTE_NS, np.ones(PRICE_STEPS), 0)
    assert record.episodes() == []
