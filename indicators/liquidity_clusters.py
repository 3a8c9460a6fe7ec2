"""Clusters of resting liquidity on both sides of the price: weighted DBSCAN in one dimension, exact and in O(n).

DBSCAN (Ester, Kriegel, Sander and Xu, KDD 1996) whose points are the levels of one side, weighted by their sizes:

- a level is core if the size within `eps` of it, both ends and itself included, is at least `min_weight`;
- core levels at most `eps` apart belong to one cluster;
- a level that is not core but within `eps` of a core level is a border level of its cluster; if it could join two, of
  the one nearer to the best price, as in scikit-learn with points that are sorted from the best price outwards;
- all others are noise.

On sorted levels every cluster is a run of neighbours, so two pointers find them. Prices are compared as integers. Sizes
are summed with twice the digits of a double and rounded once, so a sum does not depend on the levels beside it; against
a plain sum its last bit may differ, which matters only to a size that meets `min_weight` to that bit.

Both parameters are free of scale. `eps` is given in bps of the mid. `min_weight` is `multiple` times the size expected
within `eps` of a level if the side's levels were equal and evenly spaced:

    min_weight = multiple x (total size / n) x min(n, 1 + 2 eps (n - 1) / span)

for n levels and the span from the first to the last. Where `eps` is less than the distance between levels this is
`multiple` times the mean size. A side whose whole span lies within `eps` has no cluster at a `multiple` above 1: there
is nothing for it to stand out from. Only levels within `reach_bps` of the mid count.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.book_columns import book_columns, book_tables, has_mid
from indicators.kernel import Floats, Ints, State, States, kernel, new_states
from indicators.parameters import finite, positive, whole

_BPS = 1e4
NOISE = -1

OUTPUTS = 6
"""Columns of the bulk result a side: near edge, centre and share of the nearest cluster, then of the strongest."""


def liquidity_clusters_dtype(levels: int) -> np.dtype[np.void]:
    """Return the state's layout for at most `levels` levels a side; each number is compiled on its own."""
    return np.dtype(
        [
            # row 0 bids, row 1 asks; NaN where a side has no cluster
            ("nearest_edge_bps", "f8", (2,)),  # from the mid to the nearest cluster's level that is nearest to it
            ("nearest_centre_bps", "f8", (2,)),  # to its size-weighted mean price
            ("nearest_share", "f8", (2,)),  # its part of the side's size within reach
            ("strongest_edge_bps", "f8", (2,)),  # the same of the cluster with the most size, the nearest of equals
            ("strongest_centre_bps", "f8", (2,)),
            ("strongest_share", "f8", (2,)),
            ("total", "f8", (2,)),  # size within reach, base units
            ("min_weight", "f8", (2,)),  # base units
            ("clusters", "i8", (2,)),  # how many, nearest first in the arrays that follow
            ("near", "i8", (2, whole("levels", levels))),  # price of the level nearest to the mid, units
            ("far", "i8", (2, levels)),
            ("centre_offset", "f8", (2, levels)),  # of the size-weighted mean price from `near`, outwards, units
            ("weight", "f8", (2, levels)),  # base units
            ("counted", "i8", (2,)),  # levels within reach
            ("label", "i8", (2, levels)),  # the cluster's number of every counted level, -1 for noise
            ("eps_bps", "f8"),
            ("multiple", "f8"),
            ("reach_bps", "f8"),
            ("distance", "i8", (levels,)),  # from the best price outwards, units
            ("core", "i8", (levels,)),
            ("prefix", "f8", (levels + 1,)),  # sum of the sizes before a level
            ("residue", "f8", (levels + 1,)),  # what rounding has cut off it
        ]
    )


def configure_liquidity_clusters(state: State, eps_bps: float, multiple: float, reach_bps: float) -> None:
    """Prepare a fresh record; see the module's text for the parameters. `reach_bps` may be infinite."""
    if not finite("eps_bps", eps_bps) >= 0.0:
        raise ValueError(f"eps_bps is {eps_bps!r}: give a number of at least 0")
    if not reach_bps > 0.0:
        raise ValueError(f"reach_bps is {reach_bps!r}: give a number above 0")
    state["eps_bps"] = eps_bps
    state["multiple"] = positive("multiple", multiple)
    state["reach_bps"] = reach_bps
    for name in ("nearest_edge_bps", "nearest_centre_bps", "nearest_share"):
        state[name] = math.nan
        state[name.replace("nearest", "strongest")] = math.nan
    state["total"] = math.nan
    state["min_weight"] = math.nan


@kernel
def update_liquidity_clusters(
    state: State,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> None:
    """Take a book, prices in whole units and best first, sizes in base units, and find the clusters of both sides.

    A book with an empty side, or a crossed one, has no mid: all outputs are NaN and there is no cluster. Levels beyond
    the number that the state holds are left out.
    """
    if not has_mid(bid_prices, bids, ask_prices, asks):
        forget_liquidity_clusters(state)
        return
    twice_mid = bid_prices[0] + ask_prices[0]
    _take_side(state, 0, twice_mid, bid_prices, bid_sizes, bids)
    _take_side(state, 1, twice_mid, ask_prices, ask_sizes, asks)


@kernel
def forget_liquidity_clusters(state: State) -> None:
    """Make all outputs NaN: for the caller that has no book."""
    for side in range(2):
        state.total[side] = math.nan
        state.min_weight[side] = math.nan
        state.counted[side] = 0
        _clear(state, side)


@kernel
def _clear(state: State, side: int) -> None:
    state.clusters[side] = 0
    state.nearest_edge_bps[side] = math.nan
    state.nearest_centre_bps[side] = math.nan
    state.nearest_share[side] = math.nan
    state.strongest_edge_bps[side] = math.nan
    state.strongest_centre_bps[side] = math.nan
    state.strongest_share[side] = math.nan


@kernel
def _take_side(state: State, side: int, twice_mid: int, prices: Ints, sizes: Floats, count: int) -> None:
    twice_reach = twice_mid * state.reach_bps / _BPS
    count = min(count, len(state.distance))
    levels = 0
    while levels < count and abs(2 * prices[levels] - twice_mid) <= twice_reach:
        levels += 1
    eps = int(twice_mid * state.eps_bps / (2.0 * _BPS))  # as good as its fraction between whole prices
    load_levels(state, prices, sizes, levels)
    min_weight = min_cluster_weight(state, levels, eps)
    find_clusters(state, side, prices, sizes, levels, eps, min_weight)
    _find_magnets(state, side, twice_mid)


@kernel
def load_levels(state: State, prices: Ints, sizes: Floats, levels: int) -> None:
    """Take the first `levels` of one side: distances from the best price, and running sums of the sizes."""
    distance = state.distance
    prefix = state.prefix
    residue = state.residue
    prefix[0] = 0.0
    residue[0] = 0.0
    total = 0.0
    lost = 0.0
    for k in range(levels):
        distance[k] = abs(prices[k] - prices[0])
        # two-sum (Knuth, The Art of Computer Programming 2, 4.2.2): what the sum's rounding loses, exactly
        size = sizes[k]
        new = total + size
        taken = new - total
        lost += (total - (new - taken)) + (size - taken)
        total = new
        prefix[k + 1] = total
        residue[k + 1] = lost


@kernel
def _weight_between(state: State, start: int, stop: int) -> float:
    weight: float = (state.prefix[stop] - state.prefix[start]) + (state.residue[stop] - state.residue[start])
    return weight


@kernel
def min_cluster_weight(state: State, levels: int, eps: int) -> float:
    """Return `multiple` times the size expected within `eps` units of one of the loaded levels; NaN without size."""
    if levels == 0:
        return math.nan
    total = _weight_between(state, 0, levels)
    span = state.distance[levels - 1]
    expected = 1.0
    if span > 0:
        expected = min(1.0 * levels, 1.0 + 2.0 * eps * (levels - 1) / span)
    min_weight: float = state.multiple * (total / levels) * expected if total > 0.0 else math.nan
    return min_weight


@kernel
def find_clusters(
    state: State, side: int, prices: Ints, sizes: Floats, levels: int, eps: int, min_weight: float
) -> None:
    """Label the loaded levels and list their clusters: DBSCAN with `eps` units and `min_weight` base units."""
    distance = state.distance
    core = state.core
    label = state.label[side]
    state.counted[side] = levels
    state.total[side] = _weight_between(state, 0, levels) if levels > 0 else math.nan
    state.min_weight[side] = min_weight
    start = 0
    stop = 0
    for k in range(levels):
        label[k] = NOISE
        while distance[k] - distance[start] > eps:
            start += 1
        while stop < levels and distance[stop] - distance[k] <= eps:
            stop += 1
        core[k] = 1 if _weight_between(state, start, stop) >= min_weight else 0

    found = 0
    free = 0  # the first level after the last cluster
    k = 0
    while k < levels:
        if core[k] == 0:
            k += 1
            continue
        start = k
        while start > free and distance[k] - distance[start - 1] <= eps:
            start -= 1
        last_core = k
        stop = k + 1
        while stop < levels and distance[stop] - distance[last_core] <= eps:
            if core[stop] == 1:
                last_core = stop
            stop += 1
        moment = 0.0
        for n in range(start, stop):
            label[n] = found
            moment += sizes[n] * (distance[n] - distance[start])
        weight = _weight_between(state, start, stop)
        state.near[side, found] = prices[start]
        state.far[side, found] = prices[stop - 1]
        state.centre_offset[side, found] = moment / weight
        state.weight[side, found] = weight
        found += 1
        free = stop
        k = stop
    state.clusters[side] = found


@kernel
def _find_magnets(state: State, side: int, twice_mid: int) -> None:
    """Fill the outputs from the list of clusters."""
    clusters = state.clusters[side]
    _clear(state, side)
    state.clusters[side] = clusters
    if clusters == 0:
        return
    strongest = 0
    for k in range(1, clusters):
        if state.weight[side, k] > state.weight[side, strongest]:
            strongest = k
    state.nearest_edge_bps[side] = _edge_bps(state, side, 0, twice_mid)
    state.nearest_centre_bps[side] = _centre_bps(state, side, 0, twice_mid)
    state.nearest_share[side] = state.weight[side, 0] / state.total[side]
    state.strongest_edge_bps[side] = _edge_bps(state, side, strongest, twice_mid)
    state.strongest_centre_bps[side] = _centre_bps(state, side, strongest, twice_mid)
    state.strongest_share[side] = state.weight[side, strongest] / state.total[side]


@kernel
def _edge_bps(state: State, side: int, k: int, twice_mid: int) -> float:
    edge: float = abs(2 * state.near[side, k] - twice_mid) * _BPS / twice_mid
    return edge


@kernel
def _centre_bps(state: State, side: int, k: int, twice_mid: int) -> float:
    twice = abs(2 * state.near[side, k] - twice_mid) + 2.0 * state.centre_offset[side, k]
    centre: float = twice * _BPS / twice_mid
    return centre


@kernel
def update_liquidity_clusters_single(
    states: States,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> None:
    update_liquidity_clusters(states[0], bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)


@kernel
def update_liquidity_clusters_many(
    states: States,
    i: int,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: Ints,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: Ints,
    out: Floats,
) -> None:
    state = states[i]
    for n in range(len(bids)):
        update_liquidity_clusters(state, bid_prices[n], bid_sizes[n], bids[n], ask_prices[n], ask_sizes[n], asks[n])
        for side in range(2):
            out[n, side, 0] = state.nearest_edge_bps[side]
            out[n, side, 1] = state.nearest_centre_bps[side]
            out[n, side, 2] = state.nearest_share[side]
            out[n, side, 3] = state.strongest_edge_bps[side]
            out[n, side, 4] = state.strongest_centre_bps[side]
            out[n, side, 5] = state.strongest_share[side]


class Cluster(NamedTuple):
    """A cluster of levels; prices in units of the market's last decimal."""

    low: int
    high: int
    centre: float
    """Size-weighted mean price."""

    total: float
    """Size of all its levels, base units."""

    share: float
    """Its part of the side's size within reach."""


class LiquidityClusters:
    """Clusters of resting size on either side of a book, and the nearest and the strongest of each side.

    Of each side the best `levels` levels within `reach_bps` of the mid count. `eps_bps` and `multiple` say how close
    and how dense the levels of a cluster are; see the module's text.
    """

    def __init__(
        self, levels: int = 200, eps_bps: float = 1.0, multiple: float = 3.0, reach_bps: float = 100.0
    ) -> None:
        self._states = new_states(liquidity_clusters_dtype(levels))
        configure_liquidity_clusters(self._states[0], eps_bps, multiple, reach_bps)

    @property
    def states(self) -> States:
        """The state, for kernels that read it: an array of one record."""
        return self._states

    @property
    def value(self) -> Floats:
        """Distance in bps to the near edge of the strongest cluster, bids and asks; NaN where there is none."""
        return self._output("strongest_edge_bps")

    @property
    def nearest(self) -> Floats:
        """Distance to the near edge, distance to the centre (bps) and share of the nearest cluster, shape (2, 3)."""
        return self._outputs("nearest")

    @property
    def strongest(self) -> Floats:
        """The same of the cluster with the most size."""
        return self._outputs("strongest")

    @property
    def min_weight(self) -> Floats:
        """Size within `eps` that makes a core level, bids and asks, base units; NaN where a side has no size."""
        return self._output("min_weight")

    @property
    def initialized(self) -> bool:
        """True if the last book had size within reach on either side."""
        return not bool(np.isnan(self._states["min_weight"][0]).all())

    def clusters(self, side: int) -> list[Cluster]:
        """Return all clusters of one side (0 bids, 1 asks), nearest first."""
        state = self._side(side)
        found = []
        for k in range(int(state["clusters"][side])):
            near, far = int(state["near"][side, k]), int(state["far"][side, k])
            outwards = float(state["centre_offset"][side, k])
            weight = float(state["weight"][side, k])
            centre = near + outwards if side == 1 else near - outwards
            share = weight / float(state["total"][side])
            found.append(Cluster(min(near, far), max(near, far), centre, weight, share))
        return found

    def labels(self, side: int) -> Ints:
        """Return the number of the cluster of every level within reach, best first; -1 for noise."""
        state = self._side(side)
        labels: Ints = state["label"][side, : state["counted"][side]].copy()
        return labels

    def update(
        self, bid_prices: npt.ArrayLike, bid_sizes: npt.ArrayLike, ask_prices: npt.ArrayLike, ask_sizes: npt.ArrayLike
    ) -> Floats:
        """Take a book (prices in units, best first) and return `value`. ValueError if a side is out of order."""
        book = book_columns(bid_prices, bid_sizes, ask_prices, ask_sizes)
        update_liquidity_clusters_single(self._states, *book)
        return self.value

    def update_many(
        self,
        bid_prices: npt.ArrayLike,
        bid_sizes: npt.ArrayLike,
        bids: npt.ArrayLike,
        ask_prices: npt.ArrayLike,
        ask_sizes: npt.ArrayLike,
        asks: npt.ArrayLike,
    ) -> Floats:
        """Take n books: prices and sizes of shape (n, levels), of which each row uses its first `bids` or `asks`.

        Returns shape (n, 2, 6): for bids and asks what `nearest` and `strongest` hold after each book.
        """
        table = book_tables(bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)
        out = np.empty((len(table[2]), 2, OUTPUTS))
        update_liquidity_clusters_many(self._states, 0, *table, out)
        return out

    def _output(self, field: str) -> Floats:
        values: Floats = self._states[field][0].copy()
        return values

    def _outputs(self, which: str) -> Floats:
        return np.stack([self._output(f"{which}_{what}") for what in ("edge_bps", "centre_bps", "share")], axis=1)

    def _side(self, side: int) -> State:
        if side not in (0, 1):
            raise ValueError(f"side is {side!r}: give 0 for bids or 1 for asks")
        return self._states[0]
