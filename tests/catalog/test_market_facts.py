"""The built-in market's stylised facts over five seeds, each within bounds that its statement gives.

The figures aimed at are those of recorded BTC perps. Bounds are wide enough for five seeds, and tight enough that a
market of Gaussian, independent or leaking parts would fail. Prices are looked at over a day, books over an hour.
"""

import bisect
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats

from catalog.anomalies import AnomalyLog
from catalog.book_continuity import BookContinuity
from catalog.market_episodes import Episode, EpisodeKind, PlannedEpisode, episode_steps
from catalog.market_flow import clock_bursts
from catalog.market_model import SampleMarket
from catalog.market_price import (
    HOUR_NS,
    PRICE_STEP_NS,
    STEP_NS,
    AssetPrice,
    CommonFactor,
    Delay,
    VenuePrice,
    WallSteps,
    price_times,
)
from catalog.market_specs import VENUES, Listing, MarketSpec, listings
from catalog.market_truth import Truth
from catalog.market_walls import PlannedWall, Wall
from catalog.steps import near_doubles
from catalog.tables import ASK, BID, BUYER, CLEAR, DELETE, F_LAST, Chunk, Kind

SEEDS = (1, 2, 3, 4, 5)
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
STEPS_A_SECOND, STEPS_A_MINUTE = 10, 600
OUTCOME_STEPS = 15 * STEPS_A_MINUTE
LUNCH = SampleMarket(seed=1, hours=1, assets=1).start_ns + 12 * HOUR_NS
PERP, SPOT, BYBIT, MEXC = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE_SPOT", "BTCUSDT-LINEAR.BYBIT", "BTCUSDT-PERP.MEXC"

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]


# --- a day of latent prices ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """One asset over a day, every 100 ms."""

    start_ns: int
    log_price: Floats
    premium: Floats
    volatility: Floats
    perp_pressure: Floats
    spot_pressure: Floats
    episodes: list[Episode]
    walls: list[PlannedWall]  # as the price has settled them

    def returns_bps(self, steps: int, first: int = 0) -> Floats:
        return np.diff(self.log_price[first::steps]) * 1e4

    def step(self, ns: int) -> int:
        return (ns - self.start_ns) // PRICE_STEP_NS


@cache
def days(seed: int, edge: float) -> list[Day]:
    """A day of two assets."""
    market = SampleMarket(seed=seed, hours=24, assets=2, edge=edge)
    runs = market.asset_runs()
    blocks = defaultdict(list)
    walls: dict[int, dict[int, PlannedWall]] = defaultdict(dict)
    for index, start, shared in market.common_blocks():
        for asset, run in runs.items():
            block, standing = run.block(index, shared, start, market.end_ns)
            blocks[asset].append(block)
            walls[asset] |= {id(wall): wall for wall in standing}
    names = ("log_price", "premium", "volatility", "perp_pressure", "spot_pressure")
    return [
        Day(
            market.start_ns,
            *(np.concatenate([getattr(block, name) for block in blocks[asset]]) for name in names),
            run.record.episodes(),
            list(walls[asset].values()),
        )
        for asset, run in runs.items()
    ]


def correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def auc(score: Floats, outcome: Floats) -> tuple[float, float]:
    """The area under the ROC curve for outcome > 0, and its standard error without skill (Mann and Whitney)."""
    up = outcome > 0
    ranks = stats.rankdata(score)
    n, m = int(up.sum()), int((~up).sum())
    return float((ranks[up].sum() - n * (n + 1) / 2) / (n * m)), float(np.sqrt((n + m + 1) / (12.0 * n * m)))


def test_minute_returns_have_fat_tails() -> None:
    """Aimed at: deviation 6.5 bp, kurtosis 22 to 43 a day. Every day is above 10, the median of five 15 to 50."""
    minutes = [days(seed, 0.0)[0].returns_bps(STEPS_A_MINUTE) for seed in SEEDS]
    kurtosis = [float(stats.kurtosis(r, fisher=False)) for r in minutes]
    assert min(kurtosis) > 10.0
    assert 15.0 < np.median(kurtosis) < 50.0
    assert 4.5 < np.sqrt(np.mean([r.var() for r in minutes])) < 8.5


def test_the_tail_index_is_near_three() -> None:
    """Hill's estimate over the largest hundredth of five days of minutes, each in its own deviation: 2.2 to 4.2."""
    pooled = np.concatenate([np.abs(r) / r.std() for r in (days(s, 0.0)[0].returns_bps(STEPS_A_MINUTE) for s in SEEDS)])
    largest = np.sort(pooled)[-pooled.size // 100 :]
    assert 2.2 < 1.0 / np.log(largest[1:] / largest[0]).mean() < 4.2


def test_volatility_remembers_for_an_hour_and_returns_do_not() -> None:
    """Ranks of |returns| correlate at every lag up to an hour and decay like a power: far slower than exponentially.

    The correlation after 60 minutes is at least a twentieth of that after 1; an exponential that halves in the first
    ten minutes would have a hundredth. Ranks of returns themselves correlate by less than 0.05 at lags of 1 to 3.
    """
    lags = (1, 10, 30, 60)
    memory = np.zeros(len(lags))
    for seed in SEEDS:
        day = days(seed, 0.0)[0]
        minutes = day.returns_bps(STEPS_A_MINUTE)
        ranks = stats.rankdata(np.abs(minutes))
        memory += [correlation(ranks[:-lag], ranks[lag:]) / len(SEEDS) for lag in lags]
    assert (np.diff(memory) < 0.0).all()
    assert memory[0] > 0.3
    assert memory[3] > 0.05 * memory[0]
    signed = [stats.rankdata(days(seed, 0.0)[0].returns_bps(STEPS_A_MINUTE)) for seed in SEEDS]
    for lag in (1, 2, 3):
        assert abs(np.mean([correlation(ranks[:-lag], ranks[lag:]) for ranks in signed])) < 0.05


def test_assets_move_together() -> None:
    """Minutes of BTC and ETH correlate by 0.35 to 0.9 in ranks."""
    both = [[day.returns_bps(STEPS_A_MINUTE) for day in days(seed, 0.0)] for seed in SEEDS]
    assert 0.35 < np.mean([stats.spearmanr(*pair).statistic for pair in both]) < 0.9


def test_the_sides_of_takers_are_persistent() -> None:
    """Pressure, less the waves of a second, is still correlated after a minute: metaorders of power-law length."""
    after_ten, after_minute = (
        np.mean([correlation(p[:-lag], p[lag:]) for p in (days(s, 0.0)[0].perp_pressure for s in SEEDS)])
        for lag in (10 * STEPS_A_SECOND, 60 * STEPS_A_SECOND)
    )
    assert 0.02 < after_minute < after_ten < 0.2


def test_the_premium_reverts() -> None:
    """Its change over an hour is against its deviation at the start, by about 1 - exp(-2) of that; sd 1 to 5 bp."""
    starts, changes = [], []
    for seed in SEEDS:
        for day in days(seed, 0.0):
            hourly = day.premium[:: 60 * STEPS_A_MINUTE] * 1e4
            starts.append(hourly[:-1] - hourly.mean())
            changes.append(np.diff(hourly))
            assert 0.8 < day.premium.std() * 1e4 < 6.0
    slope = float(np.polyfit(np.concatenate(starts), np.concatenate(changes), 1)[0])
    assert -1.3 < slope < -0.6


def quarter_hours(seed: int, edge: float) -> tuple[Floats, Floats]:
    """What may be known at every quarter of an hour, and the return of the perps over the next one."""
    known, ahead = [], []
    for day in days(seed, edge):
        steps = np.arange(2 * OUTCOME_STEPS, day.log_price.size - OUTCOME_STEPS, OUTCOME_STEPS)
        sums = {name: np.cumsum(getattr(day, name)) for name in ("perp_pressure", "spot_pressure")}
        running = np.zeros(day.log_price.size)
        for episode in day.episodes:
            running[day.step(episode.start_ns) : day.step(episode.outcome_end_ns)] = episode.direction
        columns = [
            *(total[steps - 1] - total[steps - 1 - back] for total in sums.values() for back in (600, 6000)),
            *(day.log_price[steps - 1] - day.log_price[steps - 1 - back] for back in (600, 3000, 9000)),
            day.premium[steps - 1] - day.premium.mean(),
            running[steps - 1],
        ]
        known.append(np.stack([stats.rankdata(column) / column.size - 0.5 for column in columns], axis=1))
        ahead.append(day.log_price[steps - 1 + OUTCOME_STEPS] - day.log_price[steps - 1])
    return np.concatenate(known), np.concatenate(ahead)


def test_without_an_edge_there_is_nothing_to_find() -> None:
    """A model of flows, returns, premium and running episodes, fitted on four seeds, tells nothing about the fifth.

    All seeds in turn; the pooled AUC of the direction of the next 15 minutes has 0.5 inside two standard errors.
    """
    samples = {seed: quarter_hours(seed, 0.0) for seed in SEEDS}
    scores, outcomes = [], []
    for left_out in SEEDS:
        known = np.concatenate([samples[s][0] for s in SEEDS if s != left_out])
        signs = np.sign(np.concatenate([samples[s][1] for s in SEEDS if s != left_out]))
        weights, *_ = np.linalg.lstsq(known, signs, rcond=None)
        scores.append(samples[left_out][0] @ weights)
        outcomes.append(samples[left_out][1])
    area, error = auc(np.concatenate(scores), np.concatenate(outcomes))
    assert abs(area - 0.5) < 2.0 * error


@cache
def outcomes(edge: float) -> tuple[Floats, Floats]:
    """Directions that episodes promised, and log returns from their ends over the next 15 minutes."""
    found = [
        (episode.direction, day.log_price[day.step(episode.outcome_end_ns)] - day.log_price[day.step(episode.end_ns)])
        for seed in SEEDS
        for day in days(seed, edge)
        for episode in day.episodes
        if episode.direction and day.step(episode.outcome_end_ns) < day.log_price.size
    ]
    directions, returns = zip(*found, strict=True)
    return np.array(directions, np.float64), np.array(returns)


def test_episodes_are_worth_trading_with_an_edge_and_worth_nothing_without() -> None:
    """AUC of their direction: 0.5 within two errors at edge 0; 0.7 to 0.9 at edge 1, and 10 bp on average."""
    area, error = auc(*outcomes(0.0))
    assert abs(area - 0.5) < 2.0 * error
    area, error = auc(*outcomes(1.0))
    assert 0.7 < area < 0.9
    directions, returns = outcomes(1.0)
    assert (directions * returns).mean() * 1e4 > 10.0


def test_who_knows_the_script_still_has_little_over_the_whole_day() -> None:
    """Known from the middle of each episode on, the drift that is left gives an AUC of 0.51 to 0.56 over all minutes.

    That is the bound for any model: what it must find is rare.
    """
    scores, ahead = [], []
    for seed in SEEDS:
        for day in days(seed, 1.0):
            steps = np.arange(STEPS_A_MINUTE, day.log_price.size - OUTCOME_STEPS, STEPS_A_MINUTE)
            left = np.zeros(steps.size)
            for episode in day.episodes:
                middle, end, over = map(
                    day.step, ((episode.start_ns + episode.end_ns) // 2, episode.end_ns, episode.outcome_end_ns)
                )
                inside = (steps >= middle) & (steps < over)
                drifts = np.minimum(over, steps + OUTCOME_STEPS) - np.maximum(end, steps)
                left[inside] = episode.direction * drifts[inside]
            scores.append(left)
            ahead.append(day.log_price[steps + OUTCOME_STEPS] - day.log_price[steps])
            assert (left != 0.0).mean() < 0.25
    area, _ = auc(np.concatenate(scores), np.concatenate(ahead))
    assert 0.51 < area < 0.56


def broken_share(edge: float) -> float:
    """Of the real walls to which the price came within 2.5 bp, the share that it broke before their time."""
    near = broken = 0
    for seed in SEEDS:
        for day in days(seed, edge):
            for wall in day.walls:
                first, last = day.step(wall.start_ns), min(day.step(wall.end_ns) + 1, day.log_price.size)
                gap = (2 * wall.side - 1) * (wall.level - day.log_price[first:last])
                if wall.real and gap.size and gap.min() < 2.5e-4:
                    near += 1
                    broken += bool(gap.min() < 0.0)
    assert near > 200
    return broken / near


def test_walls_hold_with_an_edge() -> None:
    """Of walls that the price comes close to, more than 0.7 break without an edge, fewer than 0.6 of that with one."""
    without = broken_share(0.0)
    assert without > 0.7
    assert broken_share(1.0) < 0.6 * without


def test_an_edge_leaves_the_rest_as_it_is() -> None:
    """Volatility and the pressure on takers are the same draws; minutes have the same deviation within 15 %."""
    for seed in SEEDS:
        without, with_edge = days(seed, 0.0)[0], days(seed, 1.0)[0]
        assert (without.volatility == with_edge.volatility).all()
        outside = np.ones(without.log_price.size, bool)
        for episode in without.episodes:
            if episode.kind is EpisodeKind.SQUEEZE:
                outside[without.step(episode.start_ns) : without.step(episode.outcome_end_ns)] = False
        assert (without.spot_pressure == with_edge.spot_pressure)[outside].mean() > 0.999
        ratio = with_edge.returns_bps(STEPS_A_MINUTE).std() / without.returns_bps(STEPS_A_MINUTE).std()
        assert 0.85 < ratio < 1.15


# --- markets that follow ---------------------------------------------------------------------------------------------


def fair_prices(seed: int, episodes: list[PlannedEpisode]) -> dict[int, Floats]:
    """The fair log prices of BTC's markets over ten minutes, every 20 ms, by venue index."""
    start = LUNCH
    price = AssetPrice(np.random.default_rng([seed, 1]), 93_000.0, 6.5, 0.0)
    common = CommonFactor(np.random.default_rng([seed, 2])).block(np.random.default_rng([seed, 3]))
    nothing = np.empty(0, np.int64)
    walls = WallSteps(nothing, nothing, nothing, np.empty(0), np.empty(0), nothing)
    asset = price.block(np.random.default_rng([seed, 4]), common, start, episode_steps(episodes, start), walls)
    fair = {}
    for listing in btc_listings():
        sources = Delay(listing.temper.lag_ms * 10**6, listing.temper.spot_led_lag_ms * 10**6).sources(asset.script)
        rngs = (np.random.default_rng([seed, part, listing.venue_index]) for part in (5, 6))
        venue = VenuePrice(next(rngs), float(listing.spec.price_tick), listing.spec.is_perp)
        fair[listing.venue_index] = np.log(venue.block(next(rngs), asset, sources).ticks)
    return fair


def btc_listings() -> list[Listing]:
    return listings(1, VENUES)


@pytest.mark.parametrize("spot_led", [False, True])
def test_venues_lag_by_their_milliseconds(spot_led: bool) -> None:
    """The cross-correlation of 20 ms returns of every pair peaks at the difference of the set lags, in every seed.

    Perps of Binance lead by 40 to 220 ms; while spot leads, Binance's spot does.
    """
    episodes = [PlannedEpisode(EpisodeKind.SPOT_ACCUMULATION, LUNCH, LUNCH + 11 * MINUTE_NS)] if spot_led else []
    lags = {
        listing.venue_index: listing.temper.spot_led_lag_ms if spot_led else listing.temper.lag_ms
        for listing in btc_listings()
    }
    assert lags[1 if spot_led else 0] == 0
    for seed in SEEDS:
        moves = {index: np.diff(fair)[100:] for index, fair in fair_prices(seed, episodes).items()}
        for a, b in combinations(moves, 2):
            shifts = range(-20, 21)
            peaks = [correlation(moves[a][30:-30], np.roll(moves[b], -shift)[30:-30]) for shift in shifts]
            assert shifts[int(np.argmax(peaks))] * STEP_NS == (lags[b] - lags[a]) * 10**6
            assert max(peaks) > 0.5


# --- an hour of books and trades -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Touch:
    """The best prices and sizes after every frame of a book."""

    times: Ints
    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats

    @property
    def mid(self) -> Floats:
        return (self.bid + self.ask) / 2.0


@dataclass(frozen=True)
class Hour:
    """All tables of one hour of BTC, by market and kind."""

    market: SampleMarket
    tables: dict[tuple[str, Kind], pa.Table]
    truth: Truth

    def specs(self) -> list[MarketSpec]:
        return self.market.specs()


@cache
def hour(seed: int) -> Hour:
    market, truth = SampleMarket(seed=seed, hours=1, assets=1, start_ns=LUNCH), Truth()
    parts: dict[tuple[str, Kind], list[pa.Table]] = defaultdict(list)
    for spec, chunk in market.chunks(truth=truth):
        parts[spec.market.instrument_id, chunk.kind].append(chunk.table)
    return Hour(market, {key: pa.concat_tables(tables) for key, tables in parts.items()}, truth)


@cache
def touch(seed: int, name: str) -> Touch:
    table = hour(seed).tables[name, Kind.BOOK]
    columns = [table[column].to_numpy().tolist() for column in ("action", "side", "flags", "ts_event")]
    values = [near_doubles(table[column]).tolist() for column in ("price", "size")]
    sizes: dict[int, dict[float, float]] = {BID: {}, ASK: {}}
    sorted_prices: dict[int, list[float]] = {BID: [], ASK: []}
    found = []
    for action, side, flags, time, price, size in zip(*columns, *values, strict=True):
        if action == CLEAR:
            sizes, sorted_prices = {BID: {}, ASK: {}}, {BID: [], ASK: []}
        elif action == DELETE:
            del sizes[side][price]
            sorted_prices[side].pop(bisect.bisect_left(sorted_prices[side], price))
        else:
            if price not in sizes[side]:
                bisect.insort(sorted_prices[side], price)
            sizes[side][price] = size
        if flags & F_LAST:
            bid, ask = sorted_prices[BID][-1], sorted_prices[ASK][0]
            found.append((time, bid, sizes[BID][bid], ask, sizes[ASK][ask]))
    times, *rest = zip(*found, strict=True)
    return Touch(np.array(times), *(np.array(column) for column in rest))


def trades(seed: int, name: str) -> tuple[Ints, Floats, Floats]:
    """Times, signs of the takers, sizes."""
    table = hour(seed).tables[name, Kind.TRADES]
    signs = np.where(table["aggressor_side"].to_numpy() == BUYER, 1.0, -1.0)
    return table["ts_event"].to_numpy(), signs, near_doubles(table["size"])


def mids_at(seed: int, name: str, times: Ints) -> Floats:
    book = touch(seed, name)
    mids: Floats = book.mid[np.maximum(np.searchsorted(book.times, times, side="right") - 1, 0)]
    return mids


def per_window(times: Ints, values: Floats, seconds: int) -> Floats:
    return np.bincount((times - LUNCH) // (seconds * SECOND_NS), values, 3600 // seconds)


def touch_flow(book: Touch) -> Floats:
    """Order-flow imbalance at the touch (Cont, Kukanov, Stoikov 2014), one value for each frame but the first."""
    bid, ask = np.diff(book.bid), np.diff(book.ask)
    bids = np.where(bid >= 0, book.bid_size[1:], 0.0) - np.where(bid <= 0, book.bid_size[:-1], 0.0)
    asks = np.where(ask <= 0, book.ask_size[1:], 0.0) - np.where(ask >= 0, book.ask_size[:-1], 0.0)
    return bids - asks


@pytest.mark.parametrize("seed", SEEDS)
def test_books_never_cross(seed: int) -> None:
    """The check of every ingest finds no frame after which the best bid is at or above the best ask."""
    for spec in hour(seed).specs():
        if spec.has_book:
            log = AnomalyLog()
            table = hour(seed).tables[spec.market.instrument_id, Kind.BOOK]
            assert BookContinuity(log).check(Chunk(Kind.BOOK, table, "sample")).table.num_rows == table.num_rows
            assert not log.counts


@pytest.mark.parametrize("seed", SEEDS)
def test_every_price_and_size_is_on_its_grid(seed: int) -> None:
    """Exact decimals, all kinds of all markets."""
    for (name, kind), table in hour(seed).tables.items():
        spec = next(spec for spec in hour(seed).specs() if spec.market.instrument_id == name)
        grids = {"price": spec.price_tick, "size": spec.size_step}
        if kind in (Kind.MARKS, Kind.OPEN_INTEREST):
            grids = {"value": spec.price_tick if kind is Kind.MARKS else spec.size_step}
        for column, grid in grids.items():
            if column in table.column_names:
                assert all(value % grid == 0 for value in pc.unique(table[column]).to_pylist()), (name, kind)


def test_markets_agree_from_minute_to_minute() -> None:
    """Aimed at 0.994 to 0.996. Over five hours the mean is 0.993 for perps; for spot, updated once a second, 0.98.

    What is missing to the aim is the age of the last frame, and squeezes, in which spot stays behind.
    """
    grid = LUNCH + MINUTE_NS * np.arange(61)
    for name, least in ((BYBIT, 0.988), (MEXC, 0.985), (SPOT, 0.97)):
        agreement = [
            correlation(*(np.diff(np.log(mids_at(seed, market, grid))) for market in (PERP, name))) for seed in SEEDS
        ]
        assert least < np.mean(agreement) < 0.9995


def lead_ms(seed: int, leader: str, follower: str) -> int:
    """By how much `leader` must be late for its mid to go best with `follower`'s (Hayashi and Yoshida 2005)."""

    def changes(name: str) -> tuple[Ints, Floats]:
        book = touch(seed, name)
        kept = np.flatnonzero(np.diff(book.mid, prepend=0.0))
        return book.times[kept], np.log(book.mid[kept])

    (times, prices), (others, followed) = changes(leader), changes(follower)
    shifts = np.arange(-300, 601, 20)
    contrasts = []
    for shift in shifts:
        late = times + shift * 10**6
        first = np.clip(np.searchsorted(others, late[:-1], side="right") - 1, 0, others.size - 1)
        last = np.clip(np.searchsorted(others, late[1:]), 0, others.size - 1)
        contrasts.append(abs(np.sum(np.diff(prices) * (followed[last] - followed[first]))))
    return int(shifts[int(np.argmax(contrasts))])


def test_lags_are_found_again_in_the_books() -> None:
    """Bybit's perp is 60 ms late and MEXC's 180: the medians of five hours are within 60 ms of that, and in order.

    A single hour is off by up to 100 ms and at times more, as books update every 400 ms on average.
    """
    bybit, mexc = (float(np.median([lead_ms(seed, PERP, name) for seed in SEEDS])) for name in (BYBIT, MEXC))
    assert abs(bybit - 60.0) <= 60.0
    assert abs(mexc - 180.0) <= 60.0
    assert bybit < mexc


def test_order_flow_explains_the_same_ten_seconds_and_not_the_next() -> None:
    """Aimed at: 0.5 to 0.7 of the variance of the same 10 s, 0 to 0.03 of the next. Means over seeds on Binance's perp:

    imbalance at the touch 0.35 to 0.7 (it is 0.43), signed count of trades 0.3 to 0.7 (0.48, and 0.15 in an hour in
    which a ceiling held against buyers), either of the next 10 s below 0.02. The touch falls short of the aim, as
    sizes that makers cancel and refill there say nothing of the price.
    """
    same_book, same_count, next_ten = [], [], []
    for seed in SEEDS:
        returns = np.diff(np.log(mids_at(seed, PERP, LUNCH + 10 * SECOND_NS * np.arange(361))))
        book = touch(seed, PERP)
        imbalance = per_window(book.times[1:], touch_flow(book), 10)
        times, signs, _ = trades(seed, PERP)
        count = per_window(times, signs, 10)
        same_book.append(correlation(returns, imbalance) ** 2)
        same_count.append(correlation(returns, count) ** 2)
        next_ten += [correlation(returns[1:], flow[:-1]) ** 2 for flow in (imbalance, count)]
    assert 0.35 < np.mean(same_book) < 0.7
    assert 0.3 < np.mean(same_count) < 0.7
    assert np.mean(next_ten) < 0.02


def test_trading_is_as_busy_and_as_uneven_as_recorded() -> None:
    """Aimed at about 31 trades a second: 15 to 70 over five hours at noon; counts of 10 s have a Fano factor above 10.

    The largest hundredth of trades has more than a tenth of the volume.
    """
    rates, fanos, shares = [], [], []
    for seed in SEEDS:
        times, _, sizes = trades(seed, PERP)
        counts = per_window(times, np.ones(times.size), 10)
        rates.append(times.size / 3600)
        fanos.append(counts.var() / counts.mean())
        shares.append(np.sort(sizes)[-sizes.size // 100 :].sum() / sizes.sum())
    assert 15.0 < np.mean(rates) < 70.0
    assert np.mean(fanos) > 10.0
    assert min(shares) > 0.1


def test_takers_burst_on_the_minute() -> None:
    """In the first second of a minute 1.3 to 3 times as many trades as in its second half, over all seeds."""
    into_minute = np.concatenate([trades(seed, PERP)[0] % MINUTE_NS / 1e9 for seed in SEEDS])
    ratio = (into_minute < 1.0).sum() / ((into_minute > 30.0).sum() / 30.0)
    assert 1.3 < ratio < 3.0
    assert clock_bursts(price_times(LUNCH))[:600].max() == 2.5


def test_mexc_is_thinner_and_dearer() -> None:
    """In every seed a wider spread and a smaller touch than on Binance (whose spread is 0.1 to 0.4 bp), dearer fees."""
    for seed in SEEDS:
        binance, mexc = touch(seed, PERP), touch(seed, MEXC)
        spreads = [float(np.median((book.ask - book.bid) / book.mid)) * 1e4 for book in (binance, mexc)]
        assert 0.1 < spreads[0] < 0.4
        assert spreads[1] > 1.3 * spreads[0]
        # MEXC counts in contracts of 0.0001 BTC
        assert np.median(mexc.bid_size) * 1e-4 < 0.6 * np.median(binance.bid_size)
    fees = {spec.market.instrument_id: spec.taker_fee for spec in hour(1).specs()}
    assert fees[MEXC] > max(fees[PERP], fees[BYBIT])


def standing(seed: int, wall: Wall) -> float:
    """The mean share of a wall's size that rests at its price, over the frames between its start and its end."""
    table = hour(seed).tables[wall.instrument_id, Kind.BOOK]
    rows = table.filter(pc.equal(table["price"], pa.scalar(wall.price, table["price"].type)))
    rows = rows.filter(pc.equal(rows["side"], ASK if wall.side == "ask" else BID))
    times, sizes = rows["ts_event"].to_numpy(), near_doubles(rows["size"])
    middle = np.linspace(wall.start_ns + SECOND_NS, wall.end_ns - SECOND_NS, 20)
    at = np.searchsorted(times, middle, side="right") - 1
    return float(np.where(at >= 0, sizes[at], 0.0).mean() / float(wall.size))


def test_walls_and_spoofs_stand_where_they_were_planned() -> None:
    """Of those that lived for more than 5 s, nine of ten show most of their size all along; after their end nothing.

    (One that would have stood on another's price, or was eaten twice over, is not there or not to its end.)
    """
    for real in (True, False):
        shares, left = [], []
        for seed in SEEDS:
            for wall in hour(seed).truth.walls:
                if (
                    wall.real is real
                    and wall.end_ns - wall.start_ns > 5 * SECOND_NS
                    and wall.end_ns < hour(seed).market.end_ns
                ):
                    shares.append(standing(seed, wall))
                    after = Wall(
                        **vars(wall) | {"start_ns": wall.end_ns + SECOND_NS, "end_ns": wall.end_ns + 4 * SECOND_NS}
                    )
                    left.append(standing(seed, after))
        assert len(shares) > 10
        assert np.mean(np.array(shares) > 0.6) > 0.9
        assert np.mean(np.array(left) < 0.5) > 0.9


# --- episodes as they look from outside ------------------------------------------------------------------------------

# each kind's first seed whose first episode of BTC begins in minutes 10 to 14 (and, of squeezes, does not fail)
SEED_OF = {
    EpisodeKind.SPOT_ACCUMULATION: 65,
    EpisodeKind.SPOT_DISTRIBUTION: 135,
    EpisodeKind.ABSORPTION: 21,
    EpisodeKind.DISTRIBUTION: 3,
    EpisodeKind.SQUEEZE: 415,
}


@dataclass(frozen=True)
class Seen:
    """What an onlooker sees of an episode on Binance."""

    episode: Episode
    walls: list[Wall]
    perp_imbalance: float  # mean sign of takers, less that of the ten minutes before
    spot_imbalance: float
    perp_move: float  # log returns
    spot_move: float
    half_hour_deviation: float  # of the perp's minutes before the end, as a log return
    opened: float  # relative change of open interest
    most_opened: float


@cache
def seen(kind: EpisodeKind) -> Seen:
    market, truth = SampleMarket(seed=SEED_OF[kind], hours=0.5, assets=1, venues=("BINANCE",)), Truth()
    parts: dict[tuple[str, Kind], list[pa.Table]] = defaultdict(list)
    for spec, chunk in market.chunks(truth=truth):
        parts[spec.market.instrument_id, chunk.kind].append(chunk.table)
    tables = {key: pa.concat_tables(chunks) for key, chunks in parts.items()}
    episode = truth.episodes[0]
    assert episode.kind is kind

    def during(table: pa.Table, start: int, end: int) -> pa.Table:
        times = table["ts_event"].to_numpy()
        return table.slice(
            *(int(n) for n in (np.searchsorted(times, start), np.diff(np.searchsorted(times, [start, end]))[0]))
        )

    def imbalance(name: str) -> float:
        before, inside = (
            np.where(
                during(tables[name, Kind.TRADES], start, end)["aggressor_side"].to_numpy() == BUYER, 1.0, -1.0
            ).mean()
            for start, end in ((market.start_ns, episode.start_ns), (episode.start_ns, episode.end_ns))
        )
        return float(inside - before)

    def move(name: str) -> float:
        prices = near_doubles(during(tables[name, Kind.TRADES], episode.start_ns, episode.end_ns)["price"])
        return float(np.log(prices[-1] / prices[0]))

    marks = near_doubles(during(tables[PERP, Kind.MARKS], market.start_ns, episode.end_ns)["value"])
    interest = tables[PERP, Kind.OPEN_INTEREST]
    before = near_doubles(during(interest, market.start_ns, episode.start_ns)["value"])[-1]
    inside = near_doubles(during(interest, episode.start_ns, episode.end_ns + MINUTE_NS)["value"])
    return Seen(
        episode=episode,
        walls=[w for w in truth.walls if w.start_ns == episode.start_ns and w.real],
        perp_imbalance=imbalance(PERP),
        spot_imbalance=imbalance(SPOT),
        perp_move=move(PERP),
        spot_move=move(SPOT),
        half_hour_deviation=float(np.diff(np.log(marks[::60])).std()),
        opened=float(inside[-1] / before - 1.0),
        most_opened=float(inside.max() / before - 1.0),
    )


@pytest.mark.parametrize("kind", [EpisodeKind.SPOT_ACCUMULATION, EpisodeKind.SPOT_DISTRIBUTION])
def test_a_spot_led_episode_is_seen_in_the_takers_of_spot(kind: EpisodeKind) -> None:
    """Seven of ten or more take the episode's side in spot, and perps are far more even."""
    saw = seen(kind)
    assert saw.spot_imbalance * saw.episode.direction > 0.4
    assert abs(saw.perp_imbalance) < 0.6 * abs(saw.spot_imbalance)
    assert saw.episode.direction == (1 if kind is EpisodeKind.SPOT_ACCUMULATION else -1)


@pytest.mark.parametrize("kind", [EpisodeKind.ABSORPTION, EpisodeKind.DISTRIBUTION])
def test_takers_run_into_a_wall_and_open_positions(kind: EpisodeKind) -> None:
    """Perps are sold at a floor, bought at a ceiling; open interest rises, the price hardly gives way, spot is calm."""
    saw = seen(kind)
    assert saw.perp_imbalance * saw.episode.direction < -0.4
    assert abs(saw.spot_imbalance) < 0.5 * abs(saw.perp_imbalance)
    assert saw.opened > 0.002
    assert abs(saw.perp_move) < 3.0 * saw.half_hour_deviation
    assert [(w.instrument_id, w.side) for w in saw.walls] == [
        (PERP, "bid" if kind is EpisodeKind.ABSORPTION else "ask")
    ]


def test_a_squeeze_is_a_run_of_perps_that_opens_and_closes_positions() -> None:
    """Takers of perps go with the run, spot moves less and its takers are even; open interest rises, then falls."""
    saw = seen(EpisodeKind.SQUEEZE)
    run = -saw.episode.direction
    assert saw.perp_move * run > 0.0
    assert saw.perp_imbalance * run > 0.3
    assert abs(saw.spot_imbalance) < 0.5 * abs(saw.perp_imbalance)
    assert saw.spot_move * run < 0.8 * saw.perp_move * run
    assert saw.most_opened > 0.002
    assert saw.opened < 0.85 * saw.most_opened
