"""What the venues of the built-in market publish on the clock: mark prices, predicted funding, open interest.

Each market publishes at its own phase within the second or the minute, as recorded feeds do. The index is the consensus
spot price.
"""

from dataclasses import dataclass

import numpy as np

from catalog.market_levels import TAKER, TRADE_PRICE, TRADE_SIZE, TRADE_TIME, per_taker
from catalog.market_price import BLOCK_NS, HOUR_NS, STEP_NS, FairBlock, Floats, Ints
from indicators.kernel import kernel

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
PREMIUM_NS = 5 * SECOND_NS  # between two samples of the premium
FUNDING_INTERVAL_NS = 8 * HOUR_NS
FUNDING_PLACES = 8  # decimals of a published rate
INTEREST_RATE = 0.0001  # per interval
FUNDING_CLAMP = 0.0005
BASIS_SECONDS = 30  # over which the mark price averages the basis
TURNOVER_SHARE = 0.3  # standard deviation of the share of a minute's volume that opens positions, where nobody says

INTERVAL, COUNT, WEIGHTED, SETTLED = range(4)  # of the running premium


@dataclass(frozen=True)
class ReportBlock:
    """The reports of one perp in one block, times in UNIX ns."""

    mark_times: Ints
    marks: Ints  # ticks
    minute_times: Ints  # of funding and open interest alike
    funding_rates: Ints  # units of 10^-FUNDING_PLACES per interval
    next_funding: Ints  # UNIX ns
    open_interest: Ints  # size steps


def premium_index(index: Floats, impact_bid: Floats, impact_ask: Floats) -> Floats:
    """How far the perp's impact prices are beyond the index, as a share of it: positive where longs will pay."""
    premium: Floats = (np.maximum(0.0, impact_bid - index) - np.maximum(0.0, index - impact_ask)) / index
    return premium


@kernel
def funding_rate(mean_premium: float) -> float:
    """The rate for one interval: the premium, drawn towards the interest rate by at most the clamp."""
    return mean_premium + min(max(INTEREST_RATE - mean_premium, -FUNDING_CLAMP), FUNDING_CLAMP)


@kernel
def predicted_rates(running: Floats, intervals: Ints, premiums: Floats, predicted: Floats, settled: Floats) -> None:
    """After each sample of the premium: the rate that it would settle at, and the one that was settled last.

    The mean over an interval weights its n-th sample with n. `running` (4,) is moved on; an interval of NaN has no
    samples yet, and before the first settlement the settled rate is the one put there.
    """
    for i in range(premiums.size):
        if intervals[i] != running[INTERVAL]:
            if running[COUNT] > 0.0:
                running[SETTLED] = funding_rate(_weighted_mean(running))
            running[INTERVAL] = intervals[i]
            running[COUNT] = 0.0
            running[WEIGHTED] = 0.0
        running[COUNT] += 1.0
        running[WEIGHTED] += running[COUNT] * premiums[i]
        predicted[i] = funding_rate(_weighted_mean(running))
        settled[i] = running[SETTLED]


@kernel
def _weighted_mean(running: Floats) -> float:
    mean: float = running[WEIGHTED] / (0.5 * running[COUNT] * (running[COUNT] + 1.0))
    return mean


class VenueReports:
    """The reports of one perp, carried from block to block. `open_interest` is the opening one in size steps.

    Funding is Binance's: the premium index of impact prices every five seconds, averaged over the interval with weights
    1 to n, is drawn towards 0.01 % by at most 0.05 %. A sample that starts inside an interval knows the premium from
    its start on, and takes 0.01 % for the rate settled last. The mark price is the median of three, as on Binance and
    Bybit: the index with the settled rate for the time that is left, the index with the fair price's mean distance from
    it over 30 s, and the last trade.
    """

    def __init__(self, rng: np.random.Generator, open_interest: float) -> None:
        self._second_phase = int(rng.integers(1, SECOND_NS))
        self._minute_phase = int(rng.integers(1, MINUTE_NS))
        self._first_open_interest = max(1, round(open_interest))
        self._opened = 0.0  # since then
        self._running = np.array([np.nan, 0.0, 0.0, INTEREST_RATE])
        self._bases = np.empty(0)  # of the last marks
        self._last_price = np.nan

    def block(
        self,
        rng: np.random.Generator,
        fair: FairBlock,
        trades: Ints,
        start_ns: int,
        opening: Floats | None = None,
        impact: Floats | None = None,
    ) -> ReportBlock:
        """Report on `trades` as :class:`catalog.market_book.BookBlock` has them.

        `opening` is the share of each taker's trades, in [-1, 1], that opens (+) or closes (-) positions; without it a
        random share of a minute's volume does. `impact` (n, 2) are the impact bid and ask in ticks every PREMIUM_NS
        from the start on; without it the fair price stands for both.
        """
        index = fair.ticks * np.exp(-fair.basis)
        mark_times = np.arange(start_ns + self._second_phase, start_ns + BLOCK_NS, SECOND_NS, dtype=np.int64)
        minute_times = np.arange(start_ns + self._minute_phase, start_ns + BLOCK_NS, MINUTE_NS, dtype=np.int64)
        samples = np.arange(start_ns, start_ns + BLOCK_NS, PREMIUM_NS, dtype=np.int64)
        steps = (samples - start_ns) // STEP_NS
        bid, ask = (impact[:, 0], impact[:, 1]) if impact is not None else (fair.ticks[steps], fair.ticks[steps])
        predicted, settled = np.empty(samples.size), np.empty(samples.size)
        premiums = premium_index(index[steps], bid, ask)
        predicted_rates(self._running, samples // FUNDING_INTERVAL_NS, premiums, predicted, settled)
        rates = predicted[(minute_times - start_ns) // PREMIUM_NS]
        mark_steps = (mark_times - start_ns) // STEP_NS
        marks = self._marks(
            mark_times,
            fair.ticks[mark_steps],
            index[mark_steps],
            settled[(mark_times - start_ns) // PREMIUM_NS],
            trades,
        )
        return ReportBlock(
            mark_times=mark_times,
            marks=marks,
            minute_times=minute_times,
            funding_rates=np.rint(rates * 10.0**FUNDING_PLACES).astype(np.int64),
            next_funding=_next_funding(minute_times),
            open_interest=self._open_interests(rng, minute_times, trades, opening),
        )

    def _marks(self, times: Ints, fair: Floats, index: Floats, settled: Floats, trades: Ints) -> Ints:
        to_funding = (_next_funding(times) - times) / FUNDING_INTERVAL_NS
        bases = np.concatenate((self._bases, fair - index))
        self._bases = bases[-(BASIS_SECONDS - 1) :]
        sums = np.concatenate(([0.0], np.cumsum(bases)))
        last = np.arange(bases.size - times.size, bases.size) + 1
        first = np.maximum(0, last - BASIS_SECONDS)
        prices = np.concatenate(([self._last_price], trades[:, TRADE_PRICE].astype(np.float64)))
        self._last_price = float(prices[-1])
        traded = prices[np.searchsorted(trades[:, TRADE_TIME], times, side="right")]
        candidates = (
            index * (1.0 + settled * to_funding),
            index + (sums[last] - sums[first]) / (last - first),
            np.where(np.isnan(traded), fair, traded),
        )
        marks: Ints = np.rint(np.median(candidates, axis=0)).astype(np.int64)
        return marks

    def _open_interests(self, rng: np.random.Generator, times: Ints, trades: Ints, opening: Floats | None) -> Ints:
        counts = np.searchsorted(trades[:, TRADE_TIME], times, side="right")
        if opening is None:
            shares = np.clip(TURNOVER_SHARE * rng.standard_normal(times.size + 1), -1.0, 1.0)
            opened = np.repeat(shares, np.diff(counts, prepend=0, append=len(trades)))
        else:
            opened = per_taker(opening, 0.0, 0.0)[trades[:, TAKER]]
        total = self._opened + np.concatenate(([0.0], np.cumsum(opened * trades[:, TRADE_SIZE])))
        self._opened = float(total[-1])
        # rounded by one rule everywhere, so that no report moves by more than what was traded
        values: Ints = self._first_open_interest + np.floor(total[counts] + 0.5).astype(np.int64)
        return np.maximum(1, values)


def _next_funding(times: Ints) -> Ints:
    following: Ints = (times // FUNDING_INTERVAL_NS + 1) * FUNDING_INTERVAL_NS
    return following
