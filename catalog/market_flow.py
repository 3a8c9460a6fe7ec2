"""The order flow of the built-in market: when takers come, on which side, and for how much.

Arrivals are a Hawkes process with an exponential kernel whose base rate follows volatility (Hawkes 1971; simulated by
thinning, Ogata 1981). Sides come from a handful of concurrent parent orders of power-law length (Lillo, Mike, Farmer
2005), so that they are persistent, and partly from the return of the last second. Sizes are log-normal.
"""

from dataclasses import dataclass

import numpy as np

from catalog.market_price import STEP_SECONDS, AssetBlock, Floats, Ints
from indicators.kernel import kernel

BRANCHING = 0.7  # children per trade
EXCITATION_DECAY = 4.0  # per second
RATE_EXPONENT = 0.8  # of volatility
PARENTS = 4
STAY_SHARE = 0.7  # of trades that come from the same parent as the trade before
PARENT_TAIL = 1.5  # Pareto exponent of the number of trades of a parent
FOLLOW_SHARE = 0.35  # of trades that go with the last second's return
LOG_SIZE_SD = 1.9  # as BTC and ETH perps show


@kernel
def arrivals(rng: np.random.Generator, excitation: Floats, base: Floats) -> Floats:
    """Times in seconds from the block's start of a Hawkes process.

    `base` is the rate per second in each step of the grid; `excitation` (1,) is the rate above it, moved on.
    """
    times = np.empty(1024)
    count = 0
    extra = excitation[0]
    for step in range(base.size):
        now = step * STEP_SECONDS
        end = now + STEP_SECONDS
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


@kernel
def taker_sides(rng: np.random.Generator, remaining: Ints, direction: Ints, steps: Ints, momentum: Floats) -> Ints:
    """+1 for a buyer, -1 for a seller, for trades in the given steps of the grid.

    `remaining` and `direction` (PARENTS,) are the parent orders at work, moved on.
    """
    sides = np.empty(steps.size, np.int64)
    parent = 0
    for i in range(steps.size):
        if rng.random() < FOLLOW_SHARE:
            sides[i] = 1 if rng.random() < 0.5 + 0.5 * np.tanh(momentum[steps[i]]) else -1
            continue
        if rng.random() >= STAY_SHARE:
            parent = int(rng.random() * PARENTS)
        if remaining[parent] == 0:
            length = (1.0 - rng.random()) ** (-1.0 / PARENT_TAIL)
            remaining[parent] = int(min(length, 100_000.0))
            direction[parent] = 1 if rng.random() < 0.5 else -1
        remaining[parent] -= 1
        sides[i] = direction[parent]
    return sides


@dataclass(frozen=True)
class FlowBlock:
    """The taker orders of one block: UNIX ns, +1 buyer or -1 seller, and the size wished for in steps."""

    times: Ints
    sides: Ints
    sizes: Ints


class OrderFlow:
    """The takers of one market, carried from block to block. `median_size` is in size steps."""

    def __init__(self, trades_per_second: float, median_size: float) -> None:
        self._base_rate = trades_per_second * (1.0 - BRANCHING)
        self._log_median = float(np.log(median_size))
        self._excitation = np.array([trades_per_second * BRANCHING])
        self._remaining = np.zeros(PARENTS, np.int64)
        self._direction = np.ones(PARENTS, np.int64)

    def block(self, rng: np.random.Generator, asset: AssetBlock, start_ns: int) -> FlowBlock:
        seconds = arrivals(rng, self._excitation, self._base_rate * asset.volatility**RATE_EXPONENT)
        steps = (seconds / STEP_SECONDS).astype(np.int64)
        sides = taker_sides(rng, self._remaining, self._direction, steps, asset.momentum)
        sizes = np.exp(self._log_median + LOG_SIZE_SD * rng.standard_normal(seconds.size))
        return FlowBlock(
            times=start_ns + (seconds * 1e9).astype(np.int64),
            sides=sides,
            sizes=np.maximum(1, np.rint(sizes)).astype(np.int64),
        )
