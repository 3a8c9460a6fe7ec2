"""What the venues of the built-in market publish on the clock: mark prices, predicted funding, open interest.

Each market publishes at its own phase within the second or the minute, as recorded feeds do.
"""

from dataclasses import dataclass

import numpy as np

from catalog.market_price import BLOCK_NS, HOUR_NS, STEP_NS, FairBlock, Ints

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
FUNDING_INTERVAL_NS = 8 * HOUR_NS
FUNDING_PLACES = 8  # decimals of a published rate
INTEREST_RATE = 0.0001  # per interval
FUNDING_CLAMP = 0.0005
TURNOVER_SHARE = 0.3  # standard deviation of the open interest opened or closed, as a share of what traded


@dataclass(frozen=True)
class ReportBlock:
    """The reports of one perp in one block, times in UNIX ns."""

    mark_times: Ints
    marks: Ints  # ticks
    minute_times: Ints  # of funding and open interest alike
    funding_rates: Ints  # units of 10^-FUNDING_PLACES per interval
    next_funding: Ints  # UNIX ns
    open_interest: Ints  # size steps


class VenueReports:
    """The reports of one perp, carried from block to block. `open_interest` is the opening one in size steps.

    The predicted rate is ``P + clamp(I - P, -0.05 %, 0.05 %)`` with the mean premium P over the interval so far and
    I = 0.01 % (Binance, *Introduction to Binance Futures Funding Rates*). A sample that starts inside an interval knows
    the premium from its start on.
    """

    def __init__(self, rng: np.random.Generator, open_interest: float) -> None:
        self._second_phase = int(rng.integers(1, SECOND_NS))
        self._minute_phase = int(rng.integers(1, MINUTE_NS))
        self._open_interest = max(1, round(open_interest))
        self._volume_pending = 0
        self._interval = -1
        self._premium_sum = 0.0
        self._premium_count = 0

    def block(self, rng: np.random.Generator, fair: FairBlock, trades: Ints, start_ns: int) -> ReportBlock:
        """`trades` are the market's trades of the block: (m, 3) as time, ticks, steps."""
        mark_times = np.arange(start_ns + self._second_phase, start_ns + BLOCK_NS, SECOND_NS, dtype=np.int64)
        minute_times = np.arange(start_ns + self._minute_phase, start_ns + BLOCK_NS, MINUTE_NS, dtype=np.int64)
        minutes = (minute_times - start_ns) // STEP_NS
        return ReportBlock(
            mark_times=mark_times,
            marks=np.rint(fair.ticks[(mark_times - start_ns) // STEP_NS]).astype(np.int64),
            minute_times=minute_times,
            funding_rates=np.array(
                [
                    self._funding_rate(int(time), float(premium))
                    for time, premium in zip(minute_times, np.expm1(fair.basis[minutes]), strict=True)
                ],
                dtype=np.int64,
            ),
            next_funding=(minute_times // FUNDING_INTERVAL_NS + 1) * FUNDING_INTERVAL_NS,
            open_interest=self._open_interests(rng, minute_times, trades),
        )

    def _funding_rate(self, time: int, premium: float) -> int:
        if time // FUNDING_INTERVAL_NS != self._interval:
            self._interval = time // FUNDING_INTERVAL_NS
            self._premium_sum, self._premium_count = 0.0, 0
        self._premium_sum += premium
        self._premium_count += 1
        mean = self._premium_sum / self._premium_count
        rate = mean + min(max(INTEREST_RATE - mean, -FUNDING_CLAMP), FUNDING_CLAMP)
        return round(rate * 10.0**FUNDING_PLACES)

    def _open_interests(self, rng: np.random.Generator, times: Ints, trades: Ints) -> Ints:
        traded = np.concatenate(([0], np.cumsum(trades[:, 2])))
        seen = traded[np.searchsorted(trades[:, 0], times, side="right")]
        volumes = np.diff(seen, prepend=-self._volume_pending)
        self._volume_pending = int(traded[-1] - seen[-1])
        # no trade can open or close more than its size
        shares = np.clip(TURNOVER_SHARE * rng.standard_normal(times.size), -1.0, 1.0)
        values = np.empty(times.size, np.int64)
        for i, change in enumerate(np.rint(shares * volumes).astype(np.int64)):
            self._open_interest = max(1, self._open_interest + int(change))
            values[i] = self._open_interest
        return values
