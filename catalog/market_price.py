"""The latent price of the built-in market: one consensus log price per asset, and how each market follows it.

The consensus is the perps' price. At edge 0 it is a martingale: every term of a return has mean zero given all that
came before, whatever the order flow did, so no direction can be predicted. (The basis reverts, and what moves then is
spot.) The terms are

- shocks with Student tails on a 100 ms grid, times a volatility whose logarithm is a sum of mean-reverting parts with
  time scales from seconds to hours; such a sum has an autocorrelation close to a power law, as measured volatility has
  (Bouchaud, Bonart, Donier, Gould 2018, *Trades, Quotes and Prices*, ch. 2);
- the impact of metaorders whose lengths have a Pareto tail (Lillo, Mike, Farmer 2005, "Theory for long memory in supply
  and demand"): the square root of the time at work, a third of which is lost at the end. That is what makes both the
  price and the execution of such orders fair (Farmer, Gerig, Lillo, Waelbroeck 2013, "How efficiency shapes market
  impact"): only what is unexpected in the flow moves the price, although the flow itself can be predicted for hours;
- rare jumps.

The pressure on takers, half the log odds of a buyer, comes from the metaorders at work, from waves of about a second
that rise with the shocks, and from the script of episodes, which the market has priced in: it moves no price. With an
edge the outcome of an episode gets a drift, and walls attract and hold.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.kernel import kernel

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]
type Bools = npt.NDArray[np.bool_]

STEP_NS = 20_000_000  # the grid on which a market follows; its delays are whole steps
STEPS = 30_000
BLOCK_NS = STEPS * STEP_NS
PRICE_STEP_NS = 100_000_000  # the grid on which the consensus moves
PRICE_STEPS = 6_000
PRICE_STEP_SECONDS = PRICE_STEP_NS / 1e9
HOUR_NS = 3_600_000_000_000
FINER = PRICE_STEP_NS // STEP_NS
MOST_LAG_STEPS = 50

# measured on recorded markets: the sizes of seasonality, the tail index, what flow explains of 10 s returns; the other
# values are assumptions, chosen so that the whole shows what was measured
CORRELATION = 0.75  # of the shocks of any two assets
COMMON_VOLATILITY = 0.75  # share of the variance of log volatility
TAIL_FREEDOM = 4.0  # degrees of freedom of the shocks; mixed with the volatility this gives a tail index near 3
VOLATILITY_SCALES = np.array([45.0, 150.0, 600.0, 2400.0, 9600.0])  # seconds
VOLATILITY_SHARES = np.array([0.25, 0.25, 0.25, 0.15, 0.1])  # of the variance of its logarithm
LOG_VOLATILITY_VARIANCE = 0.9
SEASONAL_RMS = 1.074  # of `seasonality` over a day
JUMPS_PER_DAY = 4.0  # of an asset of its own, and as many that all share
JUMP_SIZE, JUMP_TAIL, LARGEST_JUMP = 2.5, 3.0, 10.0  # one-minute deviations: the least size, Pareto exponent, the most
PREMIUM_SD, PREMIUM_SCALE = 2.5e-4, 1800.0  # perp over spot, log; seconds
MEAN_PREMIUM_SD = 3.5e-4  # over assets
VENUE_BASIS_SD, VENUE_BASIS_SCALE = 0.3e-4, 1200.0

METAORDERS = 2.5  # at work at a time, on average
METAORDER_TAIL = 1.5  # Pareto exponent of their lengths
METAORDER_LEAST_STEPS = 20.0
METAORDER_SHARE = 0.2  # of the variance of returns
METAORDER_LOSS = 1.0 - 1.0 / METAORDER_TAIL  # of the impact, at the end: then impact grows as length ** (tail - 1)
MOST_METAORDERS = 64
ONE_SEGMENT = 0.25  # of metaorders work in perps alone, and as many in spot alone
METAORDER_PUSH = 0.15  # on takers, of each

WAVE_SCALE = 1.0  # seconds
WAVE_PUSH = 1.0
WAVE_PRICED = 0.98  # correlation of a wave's innovations with the shocks of the price
LARGEST_RISE = 20.0  # of a wave within a step
WAVE_OWN = 0.1  # share of a segment's wave that is its own

APPETITE_SD, APPETITE_SCALE = 0.1, 600.0  # of the mean of what trades open; seconds

SQUEEZE_PUSH = 1.5
SQUEEZE_RUN = 1.0  # one-minute deviations of run at which takers are at two thirds of that push
SQUEEZE_LEAST_RUN = 0.7  # a run that ends smaller has failed: nothing follows
SQUEEZE_PREMIUM = 0.6  # of the run is in the perps alone
SQUEEZE_DECAY = 300.0  # seconds

DRIFT = 0.8  # at edge 1 over an outcome, in long-run deviations of a return of that length
ATTRACTION = 0.15  # at edge 1, in deviations of a return over five minutes
ATTRACTION_STEPS = 3_000.0
HOLD = 0.25  # at edge 1, deviations of a step
HOLD_RANGE = 0.4  # one-minute deviations from a wall


def decay(seconds: float | Floats) -> Floats:
    """What is left after one step of the price grid of a deviation that dies out with the time constant `seconds`."""
    kept: Floats = np.exp(-PRICE_STEP_SECONDS / np.atleast_1d(np.asarray(seconds, dtype=np.float64)))
    return kept


@kernel
def relax(level: Floats, kept: Floats, shocks: Floats) -> Floats:
    """Run Ornstein-Uhlenbeck processes; `level` (k,) is moved on, the result is their sum (n,).

    `kept` (k,) is the share of a deviation that survives a step. Each process has the variance of its `shocks` (n, k).
    """
    path = np.zeros(shocks.shape[0])
    for i in range(shocks.shape[0]):
        for k in range(level.size):
            level[k] = kept[k] * level[k] + np.sqrt(1.0 - kept[k] * kept[k]) * shocks[i, k]
            path[i] += level[k]
    return path


def price_times(start_ns: int) -> Ints:
    """The price grid of the block that starts at `start_ns`, UNIX ns."""
    return start_ns + PRICE_STEP_NS * np.arange(PRICE_STEPS, dtype=np.int64)


def seasonality(times_ns: Ints) -> Floats:
    """Volatility relative to its daily mean at a UTC time: a peak at 16:30, bursts at the quarter hours, funding hours.

    The bursts at full hours are larger than those at the quarters, and the hour after a funding settlement (00, 08,
    16 UTC) is 1.14 times as volatile as others; the sizes are those measured on BTC perps.
    """
    hours = times_ns / HOUR_NS % 24.0
    daily = 1.0 + 0.3 * np.cos((hours - 16.5) * (2.0 * np.pi / 24.0))
    into_hour = hours % 1.0 * 3600.0
    into_quarter = into_hour % 900.0
    burst = 1.0 + np.where(into_hour < 900.0, 0.8, 0.3) * np.exp(-into_quarter / 60.0)
    funding = np.where(hours % 8.0 < 1.0, 1.14, 1.0)
    seasonal: Floats = daily * burst * funding
    return seasonal


def _student(rng: np.random.Generator) -> Floats:
    shocks: Floats = rng.standard_t(TAIL_FREEDOM, PRICE_STEPS) * np.sqrt((TAIL_FREEDOM - 2.0) / TAIL_FREEDOM)
    return shocks


def _jumps(rng: np.random.Generator) -> Floats:
    """In one-minute deviations, mostly zero."""
    jumps = np.zeros(PRICE_STEPS)
    count = rng.poisson(JUMPS_PER_DAY * BLOCK_NS / (24.0 * HOUR_NS))
    sizes = np.minimum(JUMP_SIZE * (1.0 + rng.pareto(JUMP_TAIL, count)), LARGEST_JUMP)
    np.add.at(jumps, rng.integers(0, PRICE_STEPS, count), sizes * rng.choice([-1.0, 1.0], count))
    return jumps


class LogVolatility:
    """The multi-scale part of log volatility, unit variance, carried from block to block."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._kept = decay(VOLATILITY_SCALES)
        self._level = rng.standard_normal(VOLATILITY_SCALES.size) * np.sqrt(VOLATILITY_SHARES)

    def block(self, rng: np.random.Generator) -> Floats:
        shocks = rng.standard_normal((PRICE_STEPS, VOLATILITY_SCALES.size))
        return relax(self._level, self._kept, shocks * np.sqrt(VOLATILITY_SHARES))


@dataclass(frozen=True)
class CommonBlock:
    """What all assets share in one block: unit-variance return shocks, jumps, and log volatility."""

    shocks: Floats
    jumps: Floats
    log_volatility: Floats


class CommonFactor:
    """The market-wide factor."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._volatility = LogVolatility(rng)

    def block(self, rng: np.random.Generator) -> CommonBlock:
        return CommonBlock(_student(rng), _jumps(rng), self._volatility.block(rng))


class EpisodeSteps(NamedTuple):
    """What the script of episodes asks for at each step of one block; all arrays are (PRICE_STEPS,).

    Pushes are terms of the pressure on takers. `opening` is the mean of what trades open (+) or close (-). `phase` is
    `RUN` or `AFTER` in a squeeze and its outcome, whose direction the price decides, else 0. `drift` is in long-run
    deviations of a step, at edge 1. `spot_led` is 1 where perps follow spot.
    """

    spot_push: Floats
    perp_push: Floats
    spot_activity: Floats
    perp_activity: Floats
    volatility: Floats
    opening: Floats
    drift: Floats
    phase: Ints
    spot_led: Ints


RUN, AFTER = 1, 2


class WallSteps(NamedTuple):
    """The walls that may act on the price in one block; the price fills in `level` and shortens `end`.

    Steps count from the block's start and may lie outside of it. `level` is a log price, NaN until the wall is there.
    """

    start: Ints
    end: Ints
    side: Ints  # 0 bids, 1 asks
    distance: Floats  # log, from the price at its start
    level: Floats
    acts: Ints  # 1 for real walls


class PriceState(NamedTuple):
    """Where the price is between blocks."""

    values: Floats  # by the names below
    age: Ints  # (MOST_METAORDERS,) steps at work, 0 for an empty slot
    direction: Ints
    segment: Ints  # 0 both, 1 perps alone, 2 spot alone
    impact: Floats  # reached, in units of that of the first step


LOG_PRICE, WAVE, PERP_WAVE, SPOT_WAVE, ANCHOR, RAN, SQUEEZED, PREMIUM_LEFT = range(8)


def _price_state(log_price: float) -> PriceState:
    values = np.zeros(8)
    values[LOG_PRICE] = log_price
    values[ANCHOR] = np.nan  # no squeeze runs
    age, direction, segment = (np.zeros(MOST_METAORDERS, np.int64) for _ in range(3))
    return PriceState(values, age, direction, segment, np.zeros(MOST_METAORDERS))


class PricePath(NamedTuple):
    """What :func:`run_price` fills, each (PRICE_STEPS,): entry i holds from step i to i + 1."""

    log_price: Floats
    drift: Floats  # log return that the edge added for an outcome
    premium: Floats  # what squeezes add to it
    spot_pressure: Floats
    perp_pressure: Floats


@kernel
def run_metaorders(rng: np.random.Generator, state: PriceState, arrival: float) -> float:
    """Move the metaorders on by one step; returns what their surprises are worth, in first steps of one."""
    surprise = 0.0
    for k in range(MOST_METAORDERS):
        if state.age[k] == 0:
            continue
        age = float(state.age[k])
        stays = 1.0
        if age >= METAORDER_LEAST_STEPS:
            stays = (age / (age + 1.0)) ** METAORDER_TAIL
        if rng.random() < stays:
            more = (1.0 - stays) / stays * METAORDER_LOSS * state.impact[k]
            state.impact[k] += more
            state.age[k] += 1
            surprise += state.direction[k] * more
        else:
            surprise -= state.direction[k] * METAORDER_LOSS * state.impact[k]
            state.age[k] = 0
    if rng.random() < arrival:
        for k in range(MOST_METAORDERS):
            if state.age[k] == 0:
                state.age[k] = 1
                state.direction[k] = 1 if rng.random() < 0.5 else -1
                u = rng.random()
                state.segment[k] = 1 if u < ONE_SEGMENT else 2 if u < 2.0 * ONE_SEGMENT else 0
                state.impact[k] = 1.0
                surprise += state.direction[k]
                break
    return surprise


@kernel
def net_metaorders(state: PriceState) -> tuple[float, float]:
    """How many more buy than sell at the moment, in perps and in spot."""
    perps, spot = 0.0, 0.0
    for k in range(MOST_METAORDERS):
        if state.age[k] > 0:
            if state.segment[k] != 2:
                perps += state.direction[k]
            if state.segment[k] != 1:
                spot += state.direction[k]
    return perps, spot


@kernel
def move_waves(values: Floats, shock: float, noise: Floats) -> None:
    """The waves of takers rise with the price and die out; `noise` (3,) is what the price has no part in."""
    kept = np.exp(-PRICE_STEP_SECONDS / WAVE_SCALE)
    fresh = np.sqrt(1.0 - kept * kept)
    rise = WAVE_PRICED * shock + np.sqrt(1.0 - WAVE_PRICED * WAVE_PRICED) * noise[0]
    values[WAVE] = kept * values[WAVE] + fresh * min(max(rise, -LARGEST_RISE), LARGEST_RISE)
    values[PERP_WAVE] = kept * values[PERP_WAVE] + fresh * noise[1]
    values[SPOT_WAVE] = kept * values[SPOT_WAVE] + fresh * noise[2]


@kernel
def wall_drift(walls: WallSteps, i: int, price: float, minute_sd: float, edge: float) -> float:
    """In deviations of a step; sets the level of walls that start and the end of those that broke."""
    drift = 0.0
    for w in range(walls.start.size):
        if i < walls.start[w] or i >= walls.end[w]:
            continue
        outward = 2.0 * walls.side[w] - 1.0
        if np.isnan(walls.level[w]):
            walls.level[w] = price + outward * walls.distance[w]
        if walls.acts[w] == 0:
            continue
        gap = outward * (walls.level[w] - price)
        if gap < 0.0:
            walls.end[w] = i
        elif gap < HOLD_RANGE * minute_sd:
            drift -= outward * edge * HOLD
        else:
            drift += outward * edge * ATTRACTION / np.sqrt(ATTRACTION_STEPS)
    return drift


@kernel
def run_price(
    rng: np.random.Generator,
    state: PriceState,
    minute_sd: float,
    edge: float,
    volatility: Floats,
    shocks: Floats,
    jumps: Floats,
    noise: Floats,
    script: EpisodeSteps,
    walls: WallSteps,
    path: PricePath,
) -> None:
    """Fill `path` and move `state` on.

    `volatility`, `shocks` and `jumps` are (PRICE_STEPS,), the last in one-minute deviations; `noise` (PRICE_STEPS, 3)
    is standard normal, for the waves.
    """
    v = state.values
    arrival = METAORDERS * (METAORDER_TAIL - 1.0) / METAORDER_TAIL / METAORDER_LEAST_STEPS
    # starts, and ends after a mean square of tail / (tail - 1) first steps
    spread = arrival * (1.0 + METAORDER_LOSS * METAORDER_LOSS * METAORDER_TAIL / (METAORDER_TAIL - 1.0))
    impact = np.sqrt(METAORDER_SHARE / spread)
    shock_share = np.sqrt(1.0 - METAORDER_SHARE)
    step_sd = minute_sd * np.sqrt(PRICE_STEP_SECONDS / 60.0)
    premium_kept = np.exp(-PRICE_STEP_SECONDS / SQUEEZE_DECAY)
    for i in range(shocks.size):
        sd = step_sd * volatility[i] * script.volatility[i]
        phase = script.phase[i]
        if phase == RUN and np.isnan(v[ANCHOR]):
            v[ANCHOR] = v[LOG_PRICE]
        if phase == AFTER and not np.isnan(v[ANCHOR]):
            v[SQUEEZED] = np.sign(v[RAN]) if abs(v[RAN]) > SQUEEZE_LEAST_RUN * minute_sd else 0.0
            v[ANCHOR] = np.nan
        # a squeeze reverts; the drift of every other outcome is in the script
        drift = edge * (script.drift[i] if phase != AFTER else -v[SQUEEZED] * script.drift[i])
        # less uneven than volatility, so that the outcomes of quiet hours are worth their costs too
        path.drift[i] = drift * step_sd * np.sqrt(volatility[i])
        pull = wall_drift(walls, i, v[LOG_PRICE], minute_sd, edge)
        surprise = impact * run_metaorders(rng, state, arrival)
        v[LOG_PRICE] += sd * (shock_share * shocks[i] + surprise + pull) + path.drift[i]
        v[LOG_PRICE] += minute_sd * volatility[i] * jumps[i]
        path.log_price[i] = v[LOG_PRICE]

        move_waves(v, shocks[i] + jumps[i] / np.sqrt(PRICE_STEP_SECONDS / 60.0), noise[i])
        perp_push, spot_push = script.perp_push[i], script.spot_push[i]
        in_spot = 1.0  # how much of the shared wave reaches spot
        if phase == RUN:
            v[RAN] = v[LOG_PRICE] - v[ANCHOR]
            v[PREMIUM_LEFT] = SQUEEZE_PREMIUM * v[RAN]
            perp_push += SQUEEZE_PUSH * np.tanh(v[RAN] / (SQUEEZE_RUN * minute_sd))
            in_spot = 0.0
        else:
            v[PREMIUM_LEFT] *= premium_kept
        path.premium[i] = v[PREMIUM_LEFT]
        perp_orders, spot_orders = net_metaorders(state)
        shared, own = np.sqrt(1.0 - WAVE_OWN), np.sqrt(WAVE_OWN)
        perp_wave, spot_wave = shared * v[WAVE] + own * v[PERP_WAVE], shared * in_spot * v[WAVE] + own * v[SPOT_WAVE]
        path.perp_pressure[i] = WAVE_PUSH * perp_wave + METAORDER_PUSH * perp_orders + perp_push
        path.spot_pressure[i] = WAVE_PUSH * spot_wave + METAORDER_PUSH * spot_orders + spot_push


@dataclass(frozen=True)
class AssetBlock:
    """One asset over one block on the price grid. Entry i holds from step i to i + 1; it knows no later entry.

    `log_price` is the consensus (the perps') log price, `drift` the log return that the edge added to it for an
    outcome, `premium` what perps trade above spot (log), `volatility` is relative to the asset's long-run mean,
    pressures are half the log odds of a buyer among takers, `opening` is the mean of what their trades open.
    """

    log_price: Floats
    drift: Floats
    premium: Floats
    volatility: Floats
    spot_pressure: Floats
    perp_pressure: Floats
    opening: Floats
    script: EpisodeSteps


class AssetPrice:
    """The consensus price of one asset, carried from block to block."""

    def __init__(self, rng: np.random.Generator, opening_price: float, volatility_bps: float, edge: float) -> None:
        self._state = _price_state(float(np.log(opening_price)))
        self._minute_sd = volatility_bps / 1e4
        self._edge = edge
        self._volatility = LogVolatility(rng)
        self._mean_premium = MEAN_PREMIUM_SD * rng.standard_normal()
        self._premium = rng.standard_normal(1)
        self._appetite = rng.standard_normal(1)

    @property
    def squeezed(self) -> int:
        """The direction in which the latest squeeze that has ended ran, 0 if it failed."""
        return int(self._state.values[SQUEEZED])

    def block(
        self, rng: np.random.Generator, common: CommonBlock, start_ns: int, script: EpisodeSteps, walls: WallSteps
    ) -> AssetBlock:
        own = self._volatility.block(rng)
        mix = np.sqrt(COMMON_VOLATILITY) * common.log_volatility + np.sqrt(1.0 - COMMON_VOLATILITY) * own
        # the mean of the square of a log-normal is removed, so that volatility_bps stays the long-run level
        smooth = np.exp(np.sqrt(LOG_VOLATILITY_VARIANCE) * mix - LOG_VOLATILITY_VARIANCE)
        volatility = smooth * seasonality(price_times(start_ns)) / SEASONAL_RMS
        shocks = np.sqrt(CORRELATION) * common.shocks + np.sqrt(1.0 - CORRELATION) * _student(rng)
        loose = volatility[:, None]  # markets come apart when they move
        premium = relax(self._premium, decay(PREMIUM_SCALE), loose * rng.standard_normal((PRICE_STEPS, 1)))
        appetite = relax(self._appetite, decay(APPETITE_SCALE), rng.standard_normal((PRICE_STEPS, 1)))
        path = PricePath(*(np.empty(PRICE_STEPS) for _ in PricePath._fields))
        run_price(
            rng, self._state, self._minute_sd, self._edge, volatility, shocks, common.jumps + _jumps(rng),
            rng.standard_normal((PRICE_STEPS, 3)), script, walls, path,
        )  # fmt: skip
        return AssetBlock(
            log_price=path.log_price,
            drift=path.drift,
            premium=self._mean_premium + PREMIUM_SD * premium + path.premium,
            volatility=volatility * script.volatility,
            spot_pressure=path.spot_pressure,
            perp_pressure=path.perp_pressure,
            opening=APPETITE_SD * appetite + script.opening,
            script=script,
        )


@dataclass(frozen=True)
class FairBlock:
    """One market over one block, each (STEPS,): its fair price in ticks, and what it trades above spot (log)."""

    ticks: Floats
    basis: Floats


class Delay:
    """What a market sees of the price grid, whole steps of the finer one late; carried from block to block.

    Perps and spot change the lead when the script says so: then the second of the two lags holds.
    """

    def __init__(self, lag_ns: int, lag_spot_led_ns: int) -> None:
        for lag in (lag_ns, lag_spot_led_ns):
            if lag % STEP_NS or not 0 <= lag <= MOST_LAG_STEPS * STEP_NS:
                raise ValueError(f"lag is {lag} ns: give a multiple of {STEP_NS}, at most {MOST_LAG_STEPS * STEP_NS}")
        self._lags = np.array([lag_ns, lag_spot_led_ns]) // STEP_NS

    def sources(self, script: EpisodeSteps) -> Ints:
        """For each of STEPS the step of the price grid that is seen, negative in the block before."""
        finer = np.arange(STEPS, dtype=np.int64)
        lags = np.repeat(self._lags[script.spot_led], FINER)
        seen: Ints = (finer - lags) // FINER
        return seen


class Late:
    """A column of the price grid as a market sees it; remembers the end of the block before."""

    def __init__(self) -> None:
        self._tail: Floats | None = None

    def see(self, column: Floats, sources: Ints) -> Floats:
        kept = -(-MOST_LAG_STEPS // FINER)
        tail = self._tail if self._tail is not None else np.full(kept, column[0])
        self._tail = column[-kept:]
        seen: Floats = np.concatenate((tail, column))[sources + kept]
        return seen


class VenuePrice:
    """How one market follows its asset: late by a set delay, and off by a basis that reverts."""

    def __init__(self, rng: np.random.Generator, tick: float, is_perp: bool) -> None:
        self._tick = tick
        self._is_perp = is_perp
        self._noise = rng.standard_normal(1)
        self._ticks, self._basis = Late(), Late()

    def block(self, rng: np.random.Generator, asset: AssetBlock, sources: Ints) -> FairBlock:
        """`sources` are those of the market's :class:`Delay`."""
        loose = asset.volatility[:, None]
        noise = relax(self._noise, decay(VENUE_BASIS_SCALE), loose * rng.standard_normal((PRICE_STEPS, 1)))
        off = VENUE_BASIS_SD * noise
        premium = asset.premium if self._is_perp else np.zeros(PRICE_STEPS)
        log_price = asset.log_price + off - (0.0 if self._is_perp else asset.premium)
        return FairBlock(
            ticks=self._ticks.see(np.exp(log_price) / self._tick, sources),
            basis=self._basis.see(off + premium, sources),
        )
