"""Microprice: the mid pulled towards the side with less behind it, given as its distance from the mid in basis points.

At the best level it is (bid x ask size + ask x bid size) / (bid size + ask size) (Gatheral and Oomen, Zero-intelligence
realized variance estimation, Finance and Stochastics 14, 2010; the weighted mid of Stoikov, The micro-price,
Quantitative Finance 18, 2018). Over a band of depth the size-weighted mean price of each side takes the place of its
best price and the depth of the band that of its size; a band of one level a side gives the former.

Positive: bids outweigh, so the next price is likelier up. Prices are whole units, and only distances from the mid are
weighted: nothing cancels, and a mirrored book gives exactly the negated value.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, kernel
from indicators.parameters import float_column, int_column, same_length


@kernel
def microprice_bps(bid: int, bid_size: float, ask: int, ask_size: float) -> float:
    """Return the distance from the mid of the microprice of the best level; prices in units of any size.

    NaN where both sizes are zero and where the book is crossed.
    """
    depth = bid_size + ask_size
    if bid > ask or not depth > 0.0:
        return math.nan
    distance: float = 1e4 * (ask - bid) / (ask + bid) * ((bid_size - ask_size) / depth)
    return distance


@kernel
def best_microprice_bps(
    bid_prices: Ints, bid_sizes: Floats, bids: int, ask_prices: Ints, ask_sizes: Floats, asks: int
) -> float:
    """Return the distance of the best level's microprice from the mid of a book of `bids` and `asks` levels.

    Levels come best first, prices in units. NaN where a side is empty.
    """
    if bids == 0 or asks == 0:
        return math.nan
    return microprice_bps(bid_prices[0], bid_sizes[0], ask_prices[0], ask_sizes[0])


@kernel
def band_microprice_bps(
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
    lowest_bid: int,
    highest_ask: int,
) -> float:
    """Return the distance from the mid of the microprice of the band `lowest_bid` to `highest_ask`, both included.

    Levels come best first, prices in units. NaN where a side has no depth in the band and where the book is crossed.
    """
    if bids == 0 or asks == 0 or bid_prices[0] > ask_prices[0]:
        return math.nan
    twice_mid = bid_prices[0] + ask_prices[0]
    bid_depth = 0.0
    bid_moment = 0.0
    for k in range(bids):
        if bid_prices[k] < lowest_bid:
            break
        bid_depth += bid_sizes[k]
        bid_moment += (twice_mid - 2 * bid_prices[k]) * bid_sizes[k]
    ask_depth = 0.0
    ask_moment = 0.0
    for k in range(asks):
        if ask_prices[k] > highest_ask:
            break
        ask_depth += ask_sizes[k]
        ask_moment += (2 * ask_prices[k] - twice_mid) * ask_sizes[k]
    if not (bid_depth > 0.0 and ask_depth > 0.0):
        return math.nan
    # twice the mean distance of each side, weighted by the share of the other's depth
    pull = ask_moment / ask_depth * bid_depth - bid_moment / bid_depth * ask_depth
    distance: float = 1e4 * pull / (bid_depth + ask_depth) / twice_mid
    return distance


@kernel
def microprice_bps_many(bids: Ints, bid_sizes: Floats, asks: Ints, ask_sizes: Floats, out: Floats) -> None:
    for k in range(len(bids)):
        out[k] = microprice_bps(bids[k], bid_sizes[k], asks[k], ask_sizes[k])


class Microprice:
    """Distance of the microprice from the mid, of the best level or of a band, in basis points."""

    def __init__(self) -> None:
        self._value = math.nan

    @property
    def value(self) -> float:
        """The last distance, basis points, positive towards the ask; NaN where not known."""
        return self._value

    @property
    def initialized(self) -> bool:
        """True while the last distance was known."""
        return not math.isnan(self._value)

    def update(self, bid: int, bid_size: float, ask: int, ask_size: float) -> float:
        """Take the best level, prices in whole units, and return its distance."""
        self._value = float(microprice_bps(bid, float(bid_size), ask, float(ask_size)))
        return self._value

    def update_band(
        self,
        bid_prices: npt.ArrayLike,
        bid_sizes: npt.ArrayLike,
        ask_prices: npt.ArrayLike,
        ask_sizes: npt.ArrayLike,
        lowest_bid: int,
        highest_ask: int,
    ) -> float:
        """Take the levels of a book, best first, prices in whole units; return the distance over the band."""
        bids, asks = int_column(bid_prices), int_column(ask_prices)
        bid_size, ask_size = float_column(bid_sizes), float_column(ask_sizes)
        n_bids, n_asks = same_length(bids=bids, bid_sizes=bid_size), same_length(asks=asks, ask_sizes=ask_size)
        self._value = float(
            band_microprice_bps(bids, bid_size, n_bids, asks, ask_size, n_asks, lowest_bid, highest_ask)
        )
        return self._value

    def update_many(
        self, bids: npt.ArrayLike, bid_sizes: npt.ArrayLike, asks: npt.ArrayLike, ask_sizes: npt.ArrayLike
    ) -> Floats:
        """Take columns of best levels, return the distance of each: the same bits as `update` one by one."""
        bid, ask = int_column(bids), int_column(asks)
        bid_size, ask_size = float_column(bid_sizes), float_column(ask_sizes)
        out = np.empty(same_length(bids=bid, bid_sizes=bid_size, asks=ask, ask_sizes=ask_size))
        microprice_bps_many(bid, bid_size, ask, ask_size, out)
        if len(out):
            self._value = float(out[-1])
        return out
