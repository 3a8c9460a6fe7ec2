"""The latent price of the built-in market: one consensus log price per asset, and how each market follows it.

Returns on a 100 ms grid are Student-t shocks with a stochastic volatility whose logarithm is a sum of mean-reverting
parts with time scales from seconds to an hour; such a sum has an autocorrelation close to a power law, as measured
volatility has (Bouchaud, Bonart, Donier, Gould 2018, *Trades, Quotes and Prices*, ch. 2). A factor common to all assets
carries most of the variance of shocks and of log volatility. Nothing here knows of trades or books, and no direction
is predictable beyond the fraction of a second by which a market lags.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indicators.kernel import kernel

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]

STEP_NS = 100_000_000
STEPS = 6_000
BLOCK_NS = STEPS * STEP_NS
STEP_SECONDS = STEP_NS / 1e9
HOUR_NS = 3_600_000_000_000

CORRELATION = 0.6  # of shocks; of returns about 0.5, as volatilities differ
COMMON_VOLATILITY = 0.75  # share of the variance of log volatility
TAIL_FREEDOM = 4.0  # degrees of freedom of the shocks; mixed with the volatility this gives a tail index near 3
VOLATILITY_SCALES = np.array([5.0, 60.0, 600.0, 3600.0])  # seconds
LOG_VOLATILITY_VARIANCE = 0.5
PREMIUM_SD, PREMIUM_SCALE = 2.5e-4, 1800.0  # perp over spot, log; seconds
MEAN_PREMIUM_SD = 3.5e-4  # over assets
VENUE_BASIS_SD, VENUE_BASIS_SCALE = 0.5e-4, 1200.0
MOMENTUM_SCALE = 1.0  # seconds


def decay(seconds: float | Floats) -> Floats:
    """What is left after one step of a deviation that dies out with the time constant `seconds`."""
    kept: Floats = np.exp(-STEP_SECONDS / np.atleast_1d(np.asarray(seconds, dtype=np.float64)))
    return kept


@kernel
def relax(level: Floats, kept: Floats, shocks: Floats) -> Floats:
    """Run Ornstein-Uhlenbeck processes of unit variance; `level` (k,) is moved on, the result is their sum.

    `shocks` is (n, k) with unit variance, `kept` (k,) the share of a deviation that survives a step; returns (n,).
    """
    path = np.zeros(shocks.shape[0])
    for i in range(shocks.shape[0]):
        for k in range(level.size):
            level[k] = kept[k] * level[k] + np.sqrt(1.0 - kept[k] * kept[k]) * shocks[i, k]
            path[i] += level[k]
    return path


@kernel
def follow(level: Floats, path: Floats, share: float) -> Floats:
    """Close `share` of the distance to `path` at every step; `level` (1,) is moved on."""
    out = np.empty(path.size)
    for i in range(path.size):
        level[0] += share * (path[i] - level[0])
        out[i] = level[0]
    return out


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
    shocks: Floats = rng.standard_t(TAIL_FREEDOM, STEPS) * np.sqrt((TAIL_FREEDOM - 2.0) / TAIL_FREEDOM)
    return shocks


class LogVolatility:
    """The multi-scale part of log volatility, unit variance, carried from block to block."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._kept = decay(VOLATILITY_SCALES)
        self._level = rng.standard_normal(VOLATILITY_SCALES.size)

    def block(self, rng: np.random.Generator) -> Floats:
        shocks = rng.standard_normal((STEPS, VOLATILITY_SCALES.size))
        path: Floats = relax(self._level, self._kept, shocks) / np.sqrt(VOLATILITY_SCALES.size)
        return path


@dataclass(frozen=True)
class CommonBlock:
    """What all assets share in one block, on the grid: unit-variance return shocks and log volatility."""

    shocks: Floats
    log_volatility: Floats


class CommonFactor:
    """The market-wide factor."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._volatility = LogVolatility(rng)

    def block(self, rng: np.random.Generator) -> CommonBlock:
        return CommonBlock(_student(rng), self._volatility.block(rng))


@dataclass(frozen=True)
class AssetBlock:
    """One asset over one block. Entry i holds from i to i + 1 steps after the block's start; it knows no later entry.

    `log_price` is the consensus (spot) log price, `premium` what perps trade above it (log), `volatility` is relative
    to the asset's long-run mean, and `momentum` the return of about the last second in standard deviations.
    """

    log_price: Floats
    premium: Floats
    volatility: Floats
    momentum: Floats


class AssetPrice:
    """The consensus price of one asset, carried from block to block."""

    def __init__(self, rng: np.random.Generator, opening_price: float, volatility_bps: float) -> None:
        self._log_price = float(np.log(opening_price))
        self._step_sd = volatility_bps / 1e4 * np.sqrt(STEP_SECONDS / 60.0)
        self._volatility = LogVolatility(rng)
        self._mean_premium = MEAN_PREMIUM_SD * rng.standard_normal()
        self._premium = rng.standard_normal(1)
        self._momentum = np.zeros(1)

    def block(self, rng: np.random.Generator, common: CommonBlock, start_ns: int) -> AssetBlock:
        own = self._volatility.block(rng)
        mix = np.sqrt(COMMON_VOLATILITY) * common.log_volatility + np.sqrt(1.0 - COMMON_VOLATILITY) * own
        times = start_ns + STEP_NS * np.arange(STEPS, dtype=np.int64)
        # the mean of the square of a log-normal is removed, so that volatility_bps stays the long-run level
        volatility = np.exp(np.sqrt(LOG_VOLATILITY_VARIANCE) * mix - LOG_VOLATILITY_VARIANCE) * seasonality(times)
        shocks = np.sqrt(CORRELATION) * common.shocks + np.sqrt(1.0 - CORRELATION) * _student(rng)
        log_price = self._log_price + np.cumsum(self._step_sd * volatility * shocks)
        self._log_price = float(log_price[-1])
        premium = relax(self._premium, decay(PREMIUM_SCALE), rng.standard_normal((STEPS, 1)))
        momentum = relax(self._momentum, decay(MOMENTUM_SCALE), shocks[:, None])
        return AssetBlock(log_price, self._mean_premium + PREMIUM_SD * premium, volatility, momentum)


@dataclass(frozen=True)
class FairBlock:
    """One market over one block, on the grid: its fair price in ticks, and its log distance from the consensus."""

    ticks: Floats
    basis: Floats


class VenuePrice:
    """How one market follows its asset: late by an exponential lag, and off by a mean-reverting basis."""

    def __init__(self, rng: np.random.Generator, tick: float, lag_seconds: float, is_perp: bool) -> None:
        self._tick = tick
        self._share = float(1.0 - decay(lag_seconds)[0])
        self._is_perp = is_perp
        self._basis = rng.standard_normal(1)
        self._level: Floats | None = None

    def block(self, rng: np.random.Generator, asset: AssetBlock) -> FairBlock:
        if self._level is None:
            self._level = asset.log_price[:1].copy()
        noise = relax(self._basis, decay(VENUE_BASIS_SCALE), rng.standard_normal((STEPS, 1)))
        basis = VENUE_BASIS_SD * noise + (asset.premium if self._is_perp else 0.0)
        lagged = follow(self._level, asset.log_price, self._share)
        return FairBlock(np.exp(lagged + basis) / self._tick, basis)
