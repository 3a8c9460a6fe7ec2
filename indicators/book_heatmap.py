"""Book heatmap: how much size rests in each price bucket over time, one market, bids and asks apart.

Buckets are equally wide in log price, on a grid that starts at the price of one unit: bucket b holds the prices whose
logarithm lies in [b x width, (b + 1) x width), so it stays where it is when the mid moves. The heat of a bucket is the
exponential moving average over time of the size resting in it (Eckner, Algorithms for Unevenly Spaced Time Series:
Moving Averages and Other Rolling Operators, 2014, the form that gives the newest sample to the whole step before it):

    heat <- size + (heat - size) x 2 ** (-seconds since the bucket was last seen / half life)

Size that stays makes its bucket hot; size that flashes for a second hardly does. Unknown is not zero: a bucket that
lies beyond the deepest sampled level, even in part, keeps its heat and its time, and one that has not been seen since
it came into range is NaN. What is known to be empty counts as 0: the gaps between levels, and the far side of the best
price, so that liquidity which was traded through cools.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.book_columns import book_columns, book_tables, has_mid
from indicators.kernel import Floats, Ints, State, States, kernel, new_states
from indicators.parameters import int_column, positive, same_length, whole

_BPS = 1e-4
_LOG_HIGHEST = 43.6
"""No price is above exp(43.6), 8.6e18, the largest int64 or nearly so."""

_FAINTEST = 1e-280
"""Heat below it becomes 0: halving for ever would end in subnormal numbers, which are slow."""


def book_heatmap_dtype(buckets: int) -> np.dtype[np.void]:
    """Return the state's layout for a range of `buckets` (odd) price buckets; each number is compiled on its own."""
    if whole("buckets", buckets, minimum=3) % 2 == 0:
        raise ValueError(f"buckets is {buckets}: give an odd number, so that as many lie above the mid as below")
    return np.dtype(
        [
            ("heat", "f8", (2, buckets)),  # base units, row 0 bids, row 1 asks, prices rising; NaN where unknown
            ("first", "i8"),  # number of the lowest bucket in range on the absolute grid
            ("log_mid", "f8"),  # of the last sample's mid in price units; NaN before it
            ("width", "f8"),  # of a bucket, in log price
            ("half_life_ns", "f8"),
            ("slack", "i8"),
            ("edges", "i8", (buckets + 1,)),  # bucket k holds the prices edges[k] to edges[k + 1] - 1
            ("seen_ns", "i8", (2, buckets)),  # when a bucket was last observed
            ("resting", "f8", (2, buckets)),  # of the sample being taken
        ]
    )


def configure_book_heatmap(state: State, width_bps: float, half_life_seconds: float, slack: int) -> None:
    """Prepare a fresh record: buckets of `width_bps`, and a range that moves when the mid is more than `slack` off.

    So at least (buckets - 1) / 2 - `slack` buckets lie on either side of the mid's bucket. When the range moves it is
    centred on the mid, so a mid that goes to and fro does not make the buckets at the ends forget.
    """
    half = state.dtype["heat"].shape[1] // 2
    if whole("slack", slack, minimum=0) >= half:
        raise ValueError(f"slack is {slack}, but the range has {half} buckets on either side of its middle")
    state["slack"] = slack
    state["width"] = positive("width_bps", width_bps) * _BPS
    state["half_life_ns"] = positive("half_life_seconds", half_life_seconds) * 1e9
    state["log_mid"] = math.nan
    state["heat"] = math.nan


@kernel
def update_book_heatmap(
    state: State,
    ts: int,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> int:
    """Take a sample of the book at `ts` (UNIX ns) and return 1; 0 if it was refused.

    Prices are whole units of the market's last decimal, best first, sizes base units (finite, not negative); `bids` and
    `asks` are how many levels are filled. A book with an empty side, a crossed one and one with a price of 0 is
    refused. A time that is not after a bucket's last one adds nothing to it.
    """
    if not has_mid(bid_prices, bids, ask_prices, asks):
        return 0
    log_mid = math.log(0.5 * (bid_prices[0] + ask_prices[0]))
    _follow(state, log_mid)
    edges = state.edges
    buckets = len(edges) - 1

    resting = state.resting
    for k in range(buckets):
        resting[0, k] = 0.0
        resting[1, k] = 0.0
    at = buckets - 1
    for n in range(bids):
        price = bid_prices[n]
        if price < edges[0]:
            break
        while price < edges[at]:
            at -= 1
        resting[0, at] += bid_sizes[n]
    at = 0
    for n in range(asks):
        price = ask_prices[n]
        if price >= edges[buckets]:
            break
        while price >= edges[at + 1]:
            at += 1
        resting[1, at] += ask_sizes[n]

    # only buckets whose every price is at least as good as the deepest level are known in full
    start = buckets
    while start > 0 and edges[start - 1] >= bid_prices[bids - 1]:
        start -= 1
    stop = 0
    while stop < buckets and edges[stop + 1] - 1 <= ask_prices[asks - 1]:
        stop += 1
    _observe(state, 0, start, buckets, ts)
    _observe(state, 1, 0, stop, ts)
    return 1


@kernel
def _observe(state: State, side: int, start: int, stop: int, ts: int) -> None:
    heat = state.heat[side]
    resting = state.resting[side]
    seen_ns = state.seen_ns[side]
    elapsed = 0
    decay = 1.0
    for k in range(start, stop):
        if math.isnan(heat[k]):
            heat[k] = resting[k]
            seen_ns[k] = ts
        elif ts > seen_ns[k]:
            if ts - seen_ns[k] != elapsed:  # nearly all buckets were last seen together
                elapsed = ts - seen_ns[k]
                decay = 2.0 ** (-elapsed / state.half_life_ns)
            warmth = resting[k] + (heat[k] - resting[k]) * decay
            heat[k] = warmth if warmth > _FAINTEST else 0.0
            seen_ns[k] = ts


@kernel
def _follow(state: State, log_mid: float) -> None:
    """Centre the range on the mid if that has left the slack; buckets that come into range are unknown."""
    edges = state.edges
    heat = state.heat
    seen_ns = state.seen_ns
    buckets = len(edges) - 1
    first = math.floor(log_mid / state.width) - buckets // 2
    shift = buckets + 1
    if not math.isnan(state.log_mid):
        shift = first - state.first
    state.log_mid = log_mid
    if abs(shift) <= state.slack:
        return
    state.first = first
    for n in range(buckets + 1):
        k = n if shift > 0 else buckets - n  # away from where the values come from, so that none is lost
        source = k + shift
        if 0 <= source <= buckets:
            edges[k] = edges[source]
        else:
            edges[k] = math.ceil(math.exp(min(_LOG_HIGHEST, (first + k) * state.width)))
        if k < buckets:
            for side in range(2):
                if 0 <= source < buckets:
                    heat[side, k] = heat[side, source]
                    seen_ns[side, k] = seen_ns[side, source]
                else:
                    heat[side, k] = math.nan


@kernel
def reset_book_heatmap(state: State) -> None:
    """Forget all heat, keep the configuration: for the caller that lost the feed."""
    state.log_mid = math.nan
    state.heat[:] = math.nan


def book_heatmap_row(state: State) -> tuple[Floats, Floats, Floats]:
    """Return the middle price of every bucket in range (price units, rising), bid heat and ask heat (base units).

    The middle is the geometric one. Prices are NaN before the first sample, heat is NaN where unknown.
    """
    bids, asks = state["heat"].copy()
    numbers = np.arange(len(bids)) + (state["first"] + 0.5)
    prices: Floats = (
        np.exp(numbers * state["width"]) if not math.isnan(state["log_mid"]) else np.full(len(bids), np.nan)
    )
    return prices, bids, asks


@kernel
def update_book_heatmap_many(
    states: States,
    i: int,
    ts: Ints,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: Ints,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: Ints,
    firsts: Ints,
    heats: Floats,
) -> None:
    state = states[i]
    for n in range(len(ts)):
        update_book_heatmap(state, ts[n], bid_prices[n], bid_sizes[n], bids[n], ask_prices[n], ask_sizes[n], asks[n])
        firsts[n] = state.first
        heats[n] = state.heat


@kernel
def update_book_heatmap_single(
    states: States,
    ts: int,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> int:
    return update_book_heatmap(states[0], ts, bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)


class BookHeatmap:
    """Size resting in `buckets` price buckets of `width_bps` around the mid, averaged with a half-life in seconds."""

    def __init__(
        self, width_bps: float = 1.0, buckets: int = 145, half_life_seconds: float = 30.0, slack: int = 8
    ) -> None:
        self._states = new_states(book_heatmap_dtype(buckets))
        configure_book_heatmap(self._states[0], width_bps, half_life_seconds, slack)

    @property
    def states(self) -> States:
        """The state, for kernels that read the heat: an array of one record."""
        return self._states

    @property
    def value(self) -> Floats:
        """Heat of the buckets in range, shape (2, buckets): bids and asks, prices rising; NaN where unknown."""
        heat: Floats = self._states["heat"][0].copy()
        return heat

    @property
    def initialized(self) -> bool:
        """True once a sample was taken."""
        return not math.isnan(self._states["log_mid"][0])

    def row(self) -> tuple[Floats, Floats, Floats]:
        """Return what one column of pixels of a heatmap needs: bucket prices (in units), bid heat and ask heat."""
        return book_heatmap_row(self._states[0])

    def update(
        self,
        ts: int,
        bid_prices: npt.ArrayLike,
        bid_sizes: npt.ArrayLike,
        ask_prices: npt.ArrayLike,
        ask_sizes: npt.ArrayLike,
    ) -> bool:
        """Take a book (time in UNIX ns; prices in units, best first) and return whether it could be used.

        Raises:
            ValueError: columns of different length, or a side that is not in order from its best price.
        """
        book = book_columns(bid_prices, bid_sizes, ask_prices, ask_sizes)
        return update_book_heatmap_single(self._states, ts, *book) == 1

    def update_many(
        self,
        ts: npt.ArrayLike,
        bid_prices: npt.ArrayLike,
        bid_sizes: npt.ArrayLike,
        bids: npt.ArrayLike,
        ask_prices: npt.ArrayLike,
        ask_sizes: npt.ArrayLike,
        asks: npt.ArrayLike,
    ) -> tuple[Ints, Floats]:
        """Take n books: prices and sizes of shape (n, levels), of which each row uses its first `bids` or `asks`.

        Returns the number of the lowest bucket and the heat, shape (n, 2, buckets), after each: as `update` one by one.
        """
        times = int_column(ts)
        table = book_tables(bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)
        rows = same_length(ts=times, bids=table[2])
        firsts = np.empty(rows, dtype=np.int64)
        heats = np.empty((rows, *self._states["heat"].shape[1:]))
        update_book_heatmap_many(self._states, 0, times, *table, firsts, heats)
        return firsts, heats
