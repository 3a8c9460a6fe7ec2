"""Price dispersion: how far apart the venues' prices of one asset are at one instant, in basis points.

The dispersion is (highest - lowest) / mean. Each market's deviation is its distance from the median, in basis points of
the median, so that one venue that is off does not shift the others. A price that is NaN is missing: the caller puts it
where a market is stale. Fewer than two prices have no dispersion.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, kernel
from indicators.parameters import float_column, whole


@kernel
def price_dispersion(prices: Floats, count: int, deviations: Floats) -> float:
    """Return the dispersion of the first `count` prices (quote per base), and fill their `deviations`.

    NaN where fewer than two are known, and then every deviation is NaN, as is that of each missing price. The order of
    the markets does not matter, to the bit. O(count^2), for the handful of markets that an asset has.
    """
    known = 0
    for k in range(count):
        price = prices[k]
        if price > 0.0:
            # the known prices in order, in the room of the deviations until these are known
            at = known
            while at > 0 and deviations[at - 1] > price:
                deviations[at] = deviations[at - 1]
                at -= 1
            deviations[at] = price
            known += 1
    dispersion = math.nan
    median = math.nan
    if known >= 2:
        lowest = deviations[0]
        total = 0.0
        for k in range(known):
            total += deviations[k] - lowest
        average = lowest + total / known
        dispersion = 1e4 * (deviations[known - 1] - lowest) / average
        median = 0.5 * (deviations[(known - 1) // 2] + deviations[known // 2])
    for k in range(count):
        price = prices[k]
        deviations[k] = 1e4 * (price - median) / median if price > 0.0 else math.nan
    return dispersion


@kernel
def price_dispersion_many(table: npt.NDArray[np.float64], out: Floats, deviations: npt.NDArray[np.float64]) -> None:
    for k in range(len(table)):
        out[k] = price_dispersion(table[k], table.shape[1], deviations[k])


class PriceDispersion:
    """Dispersion of the prices of `markets` markets, and each one's deviation from their median."""

    def __init__(self, markets: int) -> None:
        self._markets = whole("markets", markets, minimum=2)
        self._value = math.nan
        self._deviations = np.full(markets, math.nan)

    @property
    def value(self) -> float:
        """The last dispersion, basis points; NaN before the first and where fewer than two prices were known."""
        return self._value

    @property
    def deviations(self) -> Floats:
        """Each market's last deviation from the median, basis points, shape (markets,); NaN where missing."""
        return self._deviations.copy()

    @property
    def initialized(self) -> bool:
        """True while at least two of the last prices were known."""
        return not math.isnan(self._value)

    def update(self, prices: npt.ArrayLike) -> float:
        """Take one price a market (positive, NaN where missing) and return the dispersion."""
        column = float_column(prices)
        self._require(len(column))
        self._value = float(price_dispersion(column, self._markets, self._deviations))
        return self._value

    def update_many(self, prices: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.float64]]:
        """Take a row of prices per instant, shape (n, markets); return dispersions (n,) and deviations (n, markets)."""
        table = np.ascontiguousarray(prices, dtype=np.float64)
        self._require(table.shape[-1] if table.ndim == 2 else -1)
        out, deviations = np.empty(len(table)), np.empty_like(table)
        price_dispersion_many(table, out, deviations)
        if len(table):
            self._value = float(out[-1])
            self._deviations = deviations[-1].copy()
        return out, deviations

    def _require(self, given: int) -> None:
        if given != self._markets:
            raise ValueError(f"give a price for each of the {self._markets} markets, NaN where missing")
