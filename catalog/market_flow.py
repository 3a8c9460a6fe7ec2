"""The order flow of the built-in market: when takers come, on which side, for how much, and what they open.

Arrivals are a Hawkes process with an exponential kernel (Hawkes 1971; simulated by thinning, Ogata 1981), whose base
rate follows volatility, the script of episodes and the clock: many orders are sent on the minute. Sides come from the
pressure on takers (:mod:`catalog.market_price`) as the market sees it, which metaorders of power-law length make
persistent. Sizes are log-normal.
"""

from dataclasses import dataclass, field

import numpy as np

from catalog.market_price import FINER, STEP_NS, STEPS, AssetBlock, Floats, Ints, Late, price_times
from indicators.kernel import kernel

BRANCHING = 0.7  # children per trade
EXCITATION_DECAY = 4.0  # per second
RATE_EXPONENT = 0.8  # of volatility
MEAN_RATE = 0.8  # of the base rate relative to a quiet one, over the days: measured on the model itself
MINUTE_BURST, FIVE_MINUTE_BURST, BURST_SECONDS = 1.0, 1.5, 1.5  # of the rate, on top; their decay
LOG_SIZE_SD = 1.9  # as BTC and ETH perps show
LEAST_PRESSURE = 1e-6
NEUTRAL_SHARE = 0.4  # of trades pass a position on: one side opens what the other closes
MINUTE_NS = 60_000_000_000


@kernel
def arrivals(rng: np.random.Generator, excitation: Floats, base: Floats, step_seconds: float) -> Floats:
    """Times in seconds from the block's start of a Hawkes process.

    `base` is the rate per second in each step of the grid; `excitation` (1,) is the rate above it, moved on.
    """
    times = np.empty(1024)
    count = 0
    extra = excitation[0]
    for step in range(base.size):
        now = step * step_seconds
        end = now + step_seconds
        while True:
            bound = base[step] + extra
            wait = rng.standard_exponential() / bound
            if now + wait >= end:
                extra *= np.exp(-EXCITATION_DECAY * (end - now))
                break
            now += wait
            extra *= np.exp(-EXCITATION_DECAY * wait)
            if rng.random() * bound < base[step] + extra:
                if count == times.size:
                    times = np.concatenate((times, np.empty(times.size)))
                times[count] = now
                count += 1
                extra += BRANCHING * EXCITATION_DECAY
    excitation[0] = extra
    return times[:count]


def clock_bursts(times_ns: Ints) -> Floats:
    """The rate of arrivals relative to the rest of the minute: up at once on the minute, more on every fifth."""
    into_minute = times_ns % MINUTE_NS / 1e9
    fifth = times_ns % (5 * MINUTE_NS) < MINUTE_NS
    bursts: Floats = 1.0 + np.where(fifth, FIVE_MINUTE_BURST, MINUTE_BURST) * np.exp(-into_minute / BURST_SECONDS)
    return bursts


@dataclass(frozen=True)
class FlowBlock:
    """The taker orders of one block: UNIX ns, +1 buyer or -1 seller, and the size wished for in steps.

    `opening`, in [-1, 1], is the share of the trade's size by which it opens (+) or closes (-) positions in a perp.
    """

    times: Ints
    sides: Ints
    sizes: Ints
    opening: Floats = field(default_factory=lambda: np.empty(0))


class OrderFlow:
    """The takers of one market, carried from block to block. `median_size` is in size steps."""

    def __init__(self, trades_per_second: float, median_size: float, is_perp: bool) -> None:
        self._base_rate = trades_per_second * (1.0 - BRANCHING) / MEAN_RATE
        self._log_median = float(np.log(median_size))
        self._is_perp = is_perp
        self._excitation = np.array([trades_per_second * BRANCHING])
        self._rate, self._signs, self._opening = Late(), Late(), Late()

    def block(self, rng: np.random.Generator, asset: AssetBlock, sources: Ints, start_ns: int) -> FlowBlock:
        """`sources` are those of the market's delay: takers come as late as the price does."""
        perp = self._is_perp
        activity = asset.script.perp_activity if perp else asset.script.spot_activity
        # the script's own volatility is not what makes takers come
        moved = (asset.volatility / asset.script.volatility) ** RATE_EXPONENT
        pressure = asset.perp_pressure if perp else asset.spot_pressure
        signs = np.tanh(pressure)
        # takers of one side come in addition to, not in place of, those of the other: their net number is linear
        crowd = np.where(np.abs(pressure) > LEAST_PRESSURE, pressure / np.where(signs == 0.0, 1.0, signs), 1.0)
        rate = self._base_rate * activity * moved * crowd * clock_bursts(price_times(start_ns))
        rate, signs = self._rate.see(rate, sources), self._signs.see(signs, sources)
        opening = self._opening.see(asset.opening, sources)
        # the rate within a step of the price grid is that of its first finer step: it hardly changes in 100 ms
        seconds = arrivals(rng, self._excitation, rate[::FINER], STEP_NS * FINER / 1e9)
        steps = np.minimum((seconds * (1e9 / STEP_NS)).astype(np.int64), STEPS - 1)
        u = rng.random((3, seconds.size))
        sizes = np.exp(self._log_median + LOG_SIZE_SD * rng.standard_normal(seconds.size))
        opens = np.where(2.0 * u[1] < 1.0 + opening[steps], 1.0, -1.0)
        return FlowBlock(
            times=start_ns + (seconds * 1e9).astype(np.int64),
            sides=np.where(2.0 * u[0] < 1.0 + signs[steps], 1, -1),
            sizes=np.maximum(1, np.rint(sizes)).astype(np.int64),
            opening=np.where(u[2] < NEUTRAL_SHARE, 0.0, opens),
        )
