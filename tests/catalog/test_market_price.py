"""The latent price: a martingale without an edge, metaorders with fair impact, markets that lag by set times."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.market_episodes import EpisodeKind, PlannedEpisode, episode_steps
from catalog.market_model import AssetRun, SampleMarket
from catalog.market_price import (
    ATTRACTION,
    ATTRACTION_STEPS,
    BLOCK_NS,
    FINER,
    HOLD,
    HOUR_NS,
    METAORDER_LEAST_STEPS,
    METAORDER_LOSS,
    METAORDER_TAIL,
    MOST_METAORDERS,
    PRICE_STEP_NS,
    PRICE_STEPS,
    STEP_NS,
    STEPS,
    AssetBlock,
    AssetPrice,
    CommonBlock,
    Delay,
    FairBlock,
    Floats,
    Late,
    PriceState,
    VenuePrice,
    WallSteps,
    decay,
    relax,
    run_metaorders,
    seasonality,
    wall_drift,
)

START = 1_767_571_200_000_000_000  # Monday 2026-01-05 00:00 UTC
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
NO_WALLS = WallSteps(*(np.empty(0, np.int64) for _ in range(3)), np.empty(0), np.empty(0), np.empty(0, np.int64))


def one_metaorder() -> PriceState:
    age = np.zeros(MOST_METAORDERS, np.int64)
    age[0] = 1
    direction = np.ones(MOST_METAORDERS, np.int64)
    return PriceState(np.zeros(8), age, direction, np.zeros(MOST_METAORDERS, np.int64), np.ones(MOST_METAORDERS))


def no_common() -> CommonBlock:
    return CommonBlock(np.zeros(PRICE_STEPS), np.zeros(PRICE_STEPS), np.zeros(PRICE_STEPS))


def asset_block(episodes: list[PlannedEpisode], edge: float = 0.0, walls: WallSteps = NO_WALLS) -> AssetBlock:
    price = AssetPrice(np.random.default_rng(5), 100.0, 6.5, edge)
    return price.block(np.random.default_rng(6), no_common(), START, episode_steps(episodes, START), walls)


def test_the_impact_of_a_metaorder_grows_as_the_square_root_of_its_length() -> None:
    """Tail 1.5: four times as long at work is twice the impact; the first steps have no risk of ending."""
    impacts: dict[int, float] = {}
    for seed in range(400):
        state, rng = one_metaorder(), np.random.default_rng(seed)
        while state.age[0] and state.age[0] < 400:
            impacts[int(state.age[0])] = float(state.impact[0])
            run_metaorders(rng, state, 0.0)
    assert METAORDER_TAIL == 1.5
    assert impacts[int(METAORDER_LEAST_STEPS)] == 1.0
    assert impacts[320] / impacts[80] == pytest.approx(2.0, rel=0.02)
    assert impacts[160] / impacts[40] == pytest.approx(2.0, rel=0.02)


def test_a_metaorder_moves_the_price_by_nothing_on_average() -> None:
    """What it gains by going on, times the chance of that, is what it loses by ending, times the chance of that.

    At the end a third of the impact goes, two thirds stay.
    """
    state, rng = one_metaorder(), np.random.default_rng(1)
    while True:
        age, before = float(state.age[0]), float(state.impact[0])
        surprise = run_metaorders(rng, state, 0.0)
        stays = (age / (age + 1.0)) ** 1.5 if age >= METAORDER_LEAST_STEPS else 1.0
        if state.age[0] == 0:
            assert surprise == pytest.approx(-before / 3.0)
            break
        assert surprise * stays == pytest.approx((1.0 - stays) * METAORDER_LOSS * before, abs=1e-15)


def test_the_share_of_metaorders_in_the_variance_is_the_one_set() -> None:
    """Without shocks, jumps and episodes the variance of a step is METAORDER_SHARE of the whole: 0.2 within 15 %."""
    flat = SampleMarket(seed=1, hours=1, assets=1)
    shares = []
    for seed in range(20):
        run = AssetPrice(np.random.default_rng(seed), 100.0, 6.5, 0.0)
        asset = run.block(
            np.random.default_rng(100 + seed), no_common(), flat.start_ns, episode_steps([], START), NO_WALLS
        )
        steps = np.diff(asset.log_price) / asset.volatility[1:]
        shares.append(float((steps**2).mean()))
    step_variance = (6.5e-4) ** 2 / 600.0
    own_shocks = 0.8 * 0.25  # what is left of them when the common ones are zero: (1 - 0.2) (1 - 0.75)
    assert np.mean(shares) / step_variance - own_shocks == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("side", [0, 1])
def test_walls_attract_and_hold_only_with_an_edge(side: int) -> None:
    """Away from it the drift is towards the wall, within 0.4 one-minute deviations away from it, none at edge 0."""
    minute_sd = 1e-3

    def drift(gap: float, edge: float) -> tuple[float, int]:
        level = (2 * side - 1) * gap  # of a price at 0
        walls = WallSteps(
            start=np.array([0]), end=np.array([100]), side=np.array([side]), distance=np.array([1.0]),
            level=np.array([level]), acts=np.array([1]),
        )  # fmt: skip
        return wall_drift(walls, 5, 0.0, minute_sd, edge), int(walls.end[0])

    outward = 2 * side - 1
    assert drift(2e-3, 1.0) == (pytest.approx(outward * ATTRACTION / ATTRACTION_STEPS**0.5), 100)
    assert drift(3e-4, 1.0) == (-outward * HOLD, 100)
    assert drift(3e-4, 0.0)[0] == drift(2e-3, 0.0)[0] == 0.0
    assert drift(-1e-9, 1.0) == (0.0, 5)  # broken: it ends here


def test_a_wall_stands_at_its_distance_from_the_price_at_its_start() -> None:
    """Ten basis points below the price of the step before; a spoof is placed too, but never ends by the price."""
    walls = WallSteps(
        start=np.array([100, 100]), end=np.array([200, 9000]), side=np.array([0, 1]), distance=np.array([1e-3, 1e-9]),
        level=np.full(2, np.nan), acts=np.array([1, 0]),
    )  # fmt: skip
    asset = asset_block([], walls=walls)
    assert walls.level[0] == asset.log_price[99] - 1e-3
    assert walls.level[1] == asset.log_price[99] + 1e-9
    assert walls.end[1] == 9000


def test_the_drift_of_an_outcome_scales_with_the_edge_and_nothing_else_changes() -> None:
    """The same draws at edge 0, 1 and 2: the paths differ by the drifts that are reported, and those are 0, 1 and 2."""
    episode = PlannedEpisode(EpisodeKind.SPOT_DISTRIBUTION, START + MINUTE_NS, START + 5 * MINUTE_NS)
    none, one, two = (asset_block([episode], edge) for edge in (0.0, 1.0, 2.0))
    assert (none.drift == 0.0).all()
    assert (one.drift[:3000] == 0.0).all()
    assert (one.drift[3000:] < 0.0).all()  # spot was distributed: down
    np.testing.assert_allclose(two.drift, 2.0 * one.drift, rtol=1e-12)
    np.testing.assert_allclose(one.log_price - none.log_price, np.cumsum(one.drift), atol=1e-13)
    assert (one.perp_pressure == none.perp_pressure).all()
    assert (one.spot_pressure == none.spot_pressure).all()


def test_a_squeeze_runs_where_the_price_goes_and_reverts_with_an_edge() -> None:
    """Takers push perps along the run, the premium takes 0.6 of it, and the drift afterwards is against it."""
    squeeze = PlannedEpisode(EpisodeKind.SQUEEZE, START + MINUTE_NS, START + 6 * MINUTE_NS)
    quiet, asset = asset_block([]), asset_block([squeeze], edge=1.0)
    run = asset.log_price[3599] - asset.log_price[599]
    pushed = (asset.perp_pressure - quiet.perp_pressure)[1200:3600].mean()
    premium = (asset.premium - asset.premium[599])[3599] - (quiet.premium - quiet.premium[599])[3599]
    assert abs(run) > 6.5e-4
    assert np.sign(pushed) == np.sign(run)
    assert np.sign(premium) == np.sign(run)
    assert (np.sign(asset.drift[3600:]) == -np.sign(run)).all()
    assert np.abs(asset.spot_pressure[600:3600]).mean() < np.abs(quiet.spot_pressure[600:3600]).mean()


def test_blocks_join_without_a_seam() -> None:
    """The first return of a block is as small as any other, and a metaorder goes on across the border."""
    market = SampleMarket(seed=3, hours=1, assets=1)
    run: AssetRun = market.asset_runs()[0]
    blocks = [run.block(index, shared, start, market.end_ns)[0] for index, start, shared in market.common_blocks()]
    for before, after in pairwise(blocks):
        assert abs(after.log_price[0] - before.log_price[-1]) < 12 * np.diff(after.log_price).std()
        assert abs(after.premium[0] - before.premium[-1]) < 1e-5


def test_seasonality_is_that_of_recorded_markets() -> None:
    """The peak of the day is between 16 and 17 UTC; a full hour bursts more than a quarter; funding hours 1.14."""
    hours = START + HOUR_NS * np.arange(24) + 10 * MINUTE_NS  # away from the bursts
    daily = seasonality(hours)
    assert int(np.argmax(daily)) == 16
    at = seasonality(START + 11 * HOUR_NS + MINUTE_NS * np.array([0, 15, 30, 45, 10]))
    assert at[0] > 1.3 * at[1:4].max()
    assert at[1:4].min() > 1.1 * at[4]
    # 08:00 to 09:00 against the same function without it: cosines of 8.5 h and of 9.5 h
    smooth = [1.0 + 0.3 * np.cos((h + 1 / 6 - 16.5) * np.pi / 12.0) for h in (8, 9)]
    assert daily[8] / daily[9] * smooth[1] / smooth[0] == pytest.approx(1.14)


def test_relaxing_keeps_the_variance_and_forgets_at_the_rate_set() -> None:
    """Two processes of variances 1 and 4 sum to 5; the correlation after one time constant is exp(-1)."""
    rng = np.random.default_rng(0)
    path = relax(np.zeros(2), decay(np.array([1.0, 1.0])), rng.standard_normal((200_000, 2)) * [1.0, 2.0])
    assert path.var() == pytest.approx(5.0, rel=0.05)
    assert np.corrcoef(path[:-10], path[10:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.03)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, PRICE_STEPS))
def test_a_market_sees_the_price_exactly_its_lag_later(lag: int, led: int, switch: int) -> None:
    """Each 20 ms step sees the 100 ms step that was current a lag ago, the other lag once spot leads."""
    script = episode_steps([], START)
    script.spot_led[switch:] = 1
    sources = Delay(lag * STEP_NS, led * STEP_NS).sources(script)
    for i in (0, 7, FINER * switch - 1, FINER * switch, STEPS - 1):
        if 0 <= i < STEPS:
            assert sources[i] == (i - (led if i >= FINER * switch else lag)) // FINER


def test_what_a_market_sees_goes_on_across_blocks() -> None:
    """Entries 0 to 5999 and 6000 to 11999 seen 120 ms late: six steps of 20 ms, so 5999 - 1 at first in block two."""
    late, delay = Late(), Delay(120_000_000, 0)
    sources = delay.sources(episode_steps([], START))
    column = np.arange(2.0 * PRICE_STEPS)
    first, second = late.see(column[:PRICE_STEPS], sources), late.see(column[PRICE_STEPS:], sources)
    assert (first[:12] == [0.0] * 11 + [1.0]).all()  # before the start: the first; then 0 from 120 ms, 1 from 220 ms
    assert second[0] == 5998.0  # at 0 ms of the block: what was current 120 ms before, of the step from -200 ms
    assert second[1] == 5999.0


@pytest.mark.parametrize("lag", [10_000_000, -STEP_NS, 51 * STEP_NS])
def test_a_lag_off_the_grid_is_refused(lag: int) -> None:
    """The error names the lag and the grid."""
    with pytest.raises(ValueError, match=f"lag is {lag} ns: give a multiple of 20000000"):
        Delay(lag, 0)


def test_perps_follow_the_consensus_and_spot_is_below_by_the_premium() -> None:
    """Both without lag: the ratio of their prices is the premium, but for venue bases of a fraction of a bp."""
    asset = asset_block([])
    sources = Delay(0, 0).sources(asset.script)

    def fair(is_perp: bool) -> FairBlock:
        return VenuePrice(np.random.default_rng(1), 0.01, is_perp).block(np.random.default_rng(2), asset, sources)

    def per_step(column: Floats) -> Floats:
        return column[::FINER]

    perp, spot = fair(True), fair(False)
    np.testing.assert_allclose(per_step(np.log(perp.ticks / spot.ticks)), asset.premium, atol=1e-12)
    np.testing.assert_allclose(per_step(np.log(perp.ticks * 0.01)) - asset.log_price, 0.0, atol=2e-4)
    np.testing.assert_allclose(per_step(perp.basis - spot.basis), asset.premium, atol=1e-12)
    assert BLOCK_NS == STEPS * STEP_NS == PRICE_STEPS * PRICE_STEP_NS
