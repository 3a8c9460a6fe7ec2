"""Funding pressure: what crowded positions are about to pay, the nearer the settlement the more it counts.

    pressure = rate x 10^4 x (8 h / interval) x exp(-time left / tau)

in basis points per 8 hours, positive when longs pay shorts. A rate alone looks the same a minute and seven hours before
it falls due; the weight is 1 at the settlement and halves with every 0.69 tau before it.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, kernel
from indicators.parameters import float_column, int_column, same_length, whole

EIGHT_HOURS_NS = 28_800_000_000_000


@kernel
def funding_rate_bps_8h(rate: float, interval_ns: int) -> float:
    """Return a funding rate (fraction per interval) in basis points per 8 hours; NaN where either is not known.

    `interval_ns` is the time between settlements, 0 where it is not known.
    """
    if interval_ns <= 0:
        return math.nan
    scaled: float = 1e4 * rate * (EIGHT_HOURS_NS / interval_ns)
    return scaled


@kernel
def funding_pressure(rate: float, interval_ns: int, next_funding_ns: int, ts: int, tau_ns: int) -> float:
    """Return the pressure at `ts` (UNIX ns) of a rate that is settled at `next_funding_ns` (0: not known).

    NaN where rate, interval or next settlement is not known, and once the settlement has passed: the rate then
    belongs to an interval that is over.
    """
    left = next_funding_ns - ts
    if next_funding_ns <= 0 or left < 0:
        return math.nan
    pressure: float = funding_rate_bps_8h(rate, interval_ns) * math.exp(-left / tau_ns)
    return pressure


@kernel
def funding_pressure_many(
    rates: Floats, interval_ns: Ints, next_funding_ns: Ints, ts: Ints, tau_ns: int, out: Floats
) -> None:
    for k in range(len(rates)):
        out[k] = funding_pressure(rates[k], interval_ns[k], next_funding_ns[k], ts[k], tau_ns)


class FundingPressure:
    """Funding pressure of one market, weighted with the time constant `tau_ns` (default: two hours)."""

    def __init__(self, tau_ns: int = 7_200_000_000_000) -> None:
        self._tau_ns = whole("tau_ns", tau_ns)
        self._value = math.nan

    @property
    def value(self) -> float:
        """The last pressure, basis points per 8 hours, positive when longs pay; NaN where not known."""
        return self._value

    @property
    def initialized(self) -> bool:
        """True while the last pressure was known."""
        return not math.isnan(self._value)

    def update(self, rate: float, interval_ns: int, next_funding_ns: int, ts: int) -> float:
        """Take the rate (fraction per interval), both times (UNIX ns) and the interval; return the pressure."""
        self._value = float(funding_pressure(float(rate), interval_ns, next_funding_ns, ts, self._tau_ns))
        return self._value

    def update_many(
        self, rates: npt.ArrayLike, interval_ns: npt.ArrayLike, next_funding_ns: npt.ArrayLike, ts: npt.ArrayLike
    ) -> Floats:
        """Take columns, return the pressure of each row: the same bits as `update` one by one."""
        rate, interval = float_column(rates), int_column(interval_ns)
        due, times = int_column(next_funding_ns), int_column(ts)
        out = np.empty(same_length(rates=rate, interval_ns=interval, next_funding_ns=due, ts=times))
        funding_pressure_many(rate, interval, due, times, self._tau_ns, out)
        if len(out):
            self._value = float(out[-1])
        return out
