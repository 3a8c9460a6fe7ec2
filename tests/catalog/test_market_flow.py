"""Takers: Hawkes arrivals, bursts on the minute, sides and sizes as asked for."""

import numpy as np
import pytest

from catalog.market_episodes import EpisodeKind, PlannedEpisode, episode_steps
from catalog.market_flow import BRANCHING, EXCITATION_DECAY, LOG_SIZE_SD, FlowBlock, OrderFlow, arrivals, clock_bursts
from catalog.market_price import BLOCK_NS, PRICE_STEPS, AssetBlock, Delay

START = 1_767_571_200_000_000_000
MINUTE_NS = 60_000_000_000


def still_asset(
    pressure: float = 0.0, opening: float = 0.0, episodes: list[PlannedEpisode] | None = None
) -> AssetBlock:
    """An asset whose price rests, whose takers feel one pressure all the time."""
    flat = np.zeros(PRICE_STEPS)
    return AssetBlock(
        log_price=flat, drift=flat, premium=flat, volatility=flat + 1.0, spot_pressure=flat - pressure,
        perp_pressure=flat + pressure, opening=flat + opening, script=episode_steps(episodes or [], START),
    )  # fmt: skip


def flow(asset: AssetBlock, rate: float = 20.0, is_perp: bool = True, seed: int = 1) -> FlowBlock:
    sources = Delay(0, 0).sources(asset.script)
    return OrderFlow(rate, 100.0, is_perp).block(np.random.default_rng(seed), asset, sources, START)


def test_counts_of_hawkes_arrivals_have_the_rate_and_the_fano_factor_of_the_process() -> None:
    """A steady base of 3/s and 0.7 children a trade: 3 / 0.3 = 10/s, and Fano 1 / 0.3^2 = 11.1 in long windows.

    In windows of T seconds it is 11.1 less the edges, 10.1 (1 - e^(-0.3 b T)) / (0.3 b T), b = 4/s (Hawkes 1971): at
    T = 60 that is 11.1 - 0.14 = 10.97.
    """
    rng, excitation = np.random.default_rng(0), np.array([7.0])
    times = arrivals(rng, excitation, np.full(60_000, 3.0), 1.0)
    assert (BRANCHING, EXCITATION_DECAY) == (0.7, 4.0)
    assert times.size / 60_000 == pytest.approx(10.0, rel=0.03)
    counts = np.bincount((times // 60.0).astype(int), minlength=1000)
    assert counts.var() / counts.mean() == pytest.approx(10.97, rel=0.15)
    assert (np.diff(times) > 0.0).all()
    short = np.bincount((times // 0.01).astype(int))
    assert short.var() / short.mean() < 1.5  # within 10 ms they have hardly excited each other


def test_the_excitation_goes_on_across_blocks() -> None:
    """Without a base rate nothing comes but the children of what was: 100/s, and each trade has 0.7 children.

    100 / 4 decays in all, times 1 / (1 - 0.7): 83 trades, nearly all in the first seconds.
    """
    counts = [
        arrivals(np.random.default_rng(seed), np.array([100.0]), np.full(600, 1e-9), 0.1).size for seed in range(200)
    ]
    assert np.mean(counts) == pytest.approx(100.0 / 4.0 / 0.3, rel=0.05)


def test_the_clock_brings_bursts() -> None:
    """Twice the rate at the start of a minute, 2.5 times on every fifth, gone after ten seconds."""
    times = START + np.array([MINUTE_NS, 5 * MINUTE_NS, MINUTE_NS + 10_000_000_000, MINUTE_NS - 1])
    assert clock_bursts(times) == pytest.approx([2.0, 2.5, 1.0, 1.0], abs=2e-3)


def test_takers_burst_on_the_minute() -> None:
    """In the first second of a minute there are clearly more than in the 30 to 60 after it, by about 1.8 times."""
    seconds = np.concatenate([(flow(still_asset(), seed=s).times - START) / 1e9 % 60.0 for s in range(12)])
    first = ((seconds > 0.3) & (seconds < 1.3)).sum()
    rest = (seconds > 30.0).sum() / 30.0
    assert 1.4 < first / rest < 2.6


@pytest.mark.parametrize("pressure", [-1.0, 0.0, 0.4])
def test_sides_follow_the_pressure_of_their_segment(pressure: float) -> None:
    """The mean sign is tanh(pressure), in spot of the other sign here; the net number of takers is linear in it."""
    asset = still_asset(pressure)
    perps = np.concatenate([flow(asset, seed=s).sides for s in range(10)])
    spot = np.concatenate([flow(asset, is_perp=False, seed=s).sides for s in range(10)])
    assert perps.mean() == pytest.approx(np.tanh(pressure), abs=0.02)
    assert spot.mean() == pytest.approx(-np.tanh(pressure), abs=0.02)
    quiet = np.concatenate([flow(still_asset(), seed=s).sides for s in range(10)])
    assert perps.sum() == pytest.approx(pressure * quiet.size, rel=0.08, abs=0.02 * quiet.size)


def test_what_trades_open_has_the_mean_asked_for() -> None:
    """Two of five trades pass positions on (0), the others open or close all: the mean is 0.6 times the bias."""
    opening = np.concatenate([flow(still_asset(opening=0.5), seed=s).opening for s in range(10)])
    assert set(np.unique(opening)) == {-1.0, 0.0, 1.0}
    assert (opening == 0.0).mean() == pytest.approx(0.4, abs=0.02)
    assert opening.mean() == pytest.approx(0.3, abs=0.02)


def test_sizes_are_log_normal_with_a_heavy_tail() -> None:
    """Median 100 steps, deviation of the logarithm 1.9: the largest hundredth has a good part of the volume."""
    sizes = np.concatenate([flow(still_asset(), seed=s).sizes for s in range(10)])
    assert np.median(sizes) == pytest.approx(100.0, rel=0.05)
    assert np.log(sizes[sizes > 1]).std() == pytest.approx(LOG_SIZE_SD, rel=0.06)
    assert np.sort(sizes)[-sizes.size // 100 :].sum() > 0.2 * sizes.sum()
    assert sizes.min() >= 1


def test_an_episode_brings_takers_to_its_segment() -> None:
    """A spot-led episode: 1.6 times the trades in spot, as many as ever in perps; its volatility is not a reason."""
    episode = PlannedEpisode(EpisodeKind.SPOT_ACCUMULATION, START, START + BLOCK_NS)

    def count(is_perp: bool, episodes: list[PlannedEpisode]) -> int:
        return sum(flow(still_asset(episodes=episodes), is_perp=is_perp, seed=s).times.size for s in range(10))

    assert count(False, [episode]) / count(False, []) == pytest.approx(1.6, rel=0.05)
    assert count(True, [episode]) / count(True, []) == pytest.approx(1.0, rel=0.05)


def test_takers_are_as_late_as_their_market() -> None:
    """A step of pressure reaches a market after its lag: 220 ms of the old side."""
    asset = still_asset()
    asset.perp_pressure[:] = 8.0
    asset.perp_pressure[3000:] = -8.0
    sources = Delay(220_000_000, 0).sources(asset.script)
    flow_block = OrderFlow(200.0, 100.0, True).block(np.random.default_rng(3), asset, sources, START)
    turned = START + 300 * 10**9 + 220_000_000
    assert (flow_block.sides[flow_block.times < turned] == 1).all()
    assert (flow_block.sides[flow_block.times >= turned] == -1).all()
