"""Gaussian kernel density of resting liquidity over the distance from the mid; its local maxima are magnets.

Each side on its own: points at distances x (bps from the mid, growing away from it) with weights w (size, or heat) give

    density(d) = sum w exp(-(d - x)^2 / (2 h^2)) / (h sqrt(2 pi) sum w)

per bps for the bandwidth h (Silverman, Density Estimation for Statistics and Data Analysis, 1986), read on a grid of
distances. A maximum is rated by its ratio to the uniform level, which is the mean density over the distances in view:
1 is nothing special. Neither depends on the scale of the sizes.

The sums are not cut short, though exp is called only twice a level, or not at all:

- Levels lie anywhere, so the kernel around the middle g of the grid is split as in fast Gaussian gridding (Greengard
  and Lee, Accelerating the Nonuniform Fast Fourier Transform, SIAM Review 46:3, 2004). With a = (x - g) / h and the
  grid's step s = spacing / h its height k steps from the middle is exp(-a^2 / 2) exp(a s)^k exp(-(k s)^2 / 2): the same
  number, and rounding leaves 12 of its digits as long as g is at most 25 bandwidths from the ends, which is required.
  Only levels with abs(a) above 37 are left out, at least 12 bandwidths past the ends: a kernel has fallen below
  exp(-72), 1e-31 of its height, where the grid begins.
- The buckets of a heatmap lie on a grid of their own, so there the density is read in the middles of the buckets, with
  one table of the kernel for good: a discrete convolution. Its distances are those in log price, in which the buckets
  are equally wide.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.book_columns import book_columns, book_tables, has_mid
from indicators.book_heatmap import BookHeatmap
from indicators.kernel import Floats, Ints, State, States, kernel, new_states
from indicators.parameters import float_column, positive, same_length, whole

_BPS = 1e4
_LANES = 4
_FARTHEST = 37.0
"""Bandwidths from the middle of the grid at which a kernel there has vanished."""

OUTPUTS = 4
"""Columns of the bulk result a side: nearest distance and ratio, strongest distance and ratio."""


def kernel_density_dtype(points: int) -> np.dtype[np.void]:
    """Return the state's layout for a grid of `points` (a multiple of 8); each number is compiled on its own."""
    if whole("points", points, minimum=8) % (2 * _LANES):
        raise ValueError(f"points is {points}: give a multiple of {2 * _LANES}")
    return np.dtype(
        [
            # row 0 bids, row 1 asks; NaN where a side has no size, or no maximum
            ("density", "f8", (2, points)),  # 1/bps
            ("start_bps", "f8", (2,)),  # distance of the grid's first point: 0 for levels, within a bucket for heat
            ("nearest_bps", "f8", (2,)),  # distance of the nearest maximum
            ("nearest_ratio", "f8", (2,)),  # its density over the uniform level
            ("strongest_bps", "f8", (2,)),
            ("strongest_ratio", "f8", (2,)),
            ("peaks", "i8", (2,)),  # how many maxima, nearest first in the two arrays that follow
            ("peak_bps", "f8", (2, points // 2)),
            ("peak_ratio", "f8", (2, points // 2)),
            ("spacing_bps", "f8"),
            ("bandwidth_bps", "f8"),
            ("gauss", "f8", (4 * points,)),  # height of the kernel k - 2 points steps of the grid from its middle
            ("outer", "f8", (points // 2,)),  # sums over levels: from the middle of the grid outwards, it included
            ("inner", "f8", (points // 2,)),  # and from the point before the middle inwards
        ]
    )


def configure_kernel_density(state: State, spacing_bps: float, bandwidth_bps: float) -> None:
    """Prepare a fresh record: a grid of `spacing_bps`, for heat the width of the heatmap's buckets.

    Raises:
        ValueError: a bandwidth below the spacing (the grid would miss maxima) or below 1/50 of the grid's length.
    """
    points = state.dtype["density"].shape[1]
    spacing, bandwidth = positive("spacing_bps", spacing_bps), positive("bandwidth_bps", bandwidth_bps)
    if bandwidth < spacing or bandwidth * 50.0 < spacing * points:
        raise ValueError(
            f"bandwidth_bps is {bandwidth_bps} for {points} points {spacing_bps} bps apart: "
            f"give at least {max(spacing, spacing * points / 50.0):g}"
        )
    state["spacing_bps"] = spacing
    state["bandwidth_bps"] = bandwidth
    steps = (np.arange(4 * points) - 2 * points) * (spacing / bandwidth)
    state["gauss"] = np.exp(-0.5 * steps * steps)
    for name in ("density", "start_bps", "nearest_bps", "nearest_ratio", "strongest_bps", "strongest_ratio"):
        state[name] = math.nan
    state["peak_bps"] = math.nan
    state["peak_ratio"] = math.nan


@kernel
def update_kernel_density(state: State, side: int, distances: Floats, weights: Floats, count: int) -> None:
    """Take the first `count` points of one side (0 bids, 1 asks): distances in bps, weights not negative.

    The order of the points matters to the last bits only.
    """
    _begin(state, side)
    total = 0.0
    near = 0.0
    farthest = 0.0
    reach = state.spacing_bps * (state.density.shape[1] - 1)
    for n in range(count):
        _add_point(state, distances[n], weights[n])
        total += weights[n]
        if distances[n] <= reach:
            near += weights[n]
        farthest = max(farthest, distances[n])
    _finish_points(state, side, total, near, farthest)


@kernel
def update_kernel_density_levels(
    state: State,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> None:
    """Take a book, prices in whole units and best first, and find the density of the sizes of its levels on both sides.

    A book with an empty side, or a crossed one, has no mid: all outputs are NaN then.
    """
    if not has_mid(bid_prices, bids, ask_prices, asks):
        forget_kernel_density(state)
        return
    twice_mid = bid_prices[0] + ask_prices[0]
    _take_levels(state, 0, twice_mid, bid_prices, bid_sizes, bids)
    _take_levels(state, 1, twice_mid, ask_prices, ask_sizes, asks)


@kernel
def _take_levels(state: State, side: int, twice_mid: int, prices: Ints, sizes: Floats, count: int) -> None:
    _begin(state, side)
    total = 0.0
    near = 0.0
    distance = 0.0
    reach = state.spacing_bps * (state.density.shape[1] - 1)
    for n in range(count):
        distance = abs(2 * prices[n] - twice_mid) * _BPS / twice_mid
        _add_point(state, distance, sizes[n])
        total += sizes[n]
        if distance <= reach:
            near += sizes[n]
    _finish_points(state, side, total, near, distance)


@kernel
def _begin(state: State, side: int) -> None:
    state.start_bps[side] = 0.0
    for k in range(len(state.inner)):
        state.inner[k] = 0.0
        state.outer[k] = 0.0


@kernel
def _add_point(state: State, distance: float, weight: float) -> None:
    inner = state.inner
    outer = state.outer
    half = len(inner)
    step = state.spacing_bps / state.bandwidth_bps
    offset = distance / state.bandwidth_bps - half * step
    if weight == 0.0 or abs(offset) > _FARTHEST:
        return
    height = weight * math.exp(-0.5 * offset * offset)
    # four powers a direction at a time: a single chain of products would wait for each of them
    outwards = math.exp(offset * step)
    outwards_2 = outwards * outwards
    outwards_4 = outwards_2 * outwards_2
    out_0 = height
    out_1 = height * outwards
    out_2 = height * outwards_2
    out_3 = out_1 * outwards_2
    inwards = 1.0 / outwards
    inwards_2 = inwards * inwards
    inwards_4 = inwards_2 * inwards_2
    in_0 = height * inwards
    in_1 = height * inwards_2
    in_2 = in_0 * inwards_2
    in_3 = in_1 * inwards_2
    for k in range(0, half, _LANES):
        outer[k] += out_0
        outer[k + 1] += out_1
        outer[k + 2] += out_2
        outer[k + 3] += out_3
        inner[k] += in_0
        inner[k + 1] += in_1
        inner[k + 2] += in_2
        inner[k + 3] += in_3
        out_0 *= outwards_4
        out_1 *= outwards_4
        out_2 *= outwards_4
        out_3 *= outwards_4
        in_0 *= inwards_4
        in_1 *= inwards_4
        in_2 *= inwards_4
        in_3 *= inwards_4


@kernel
def _finish_points(state: State, side: int, total: float, near: float, farthest: float) -> None:
    density = state.density[side]
    half = len(state.inner)
    zero = 4 * half  # where the table holds the kernel's middle
    for k in range(half):
        density[half + k] = state.outer[k] * state.gauss[zero + k]
        density[half - 1 - k] = state.inner[k] * state.gauss[zero + k + 1]
    _finish(state, side, total, near, farthest)


@kernel
def update_kernel_density_heat(state: State, heatmap: State) -> None:
    """Find the density of the heat of a book heatmap, whose buckets must be as wide as the grid's spacing.

    The grid begins with the mid's own bucket. Heat on the wrong side of that bucket is not counted, nor are buckets of
    unknown heat, nor those more than twice the grid's length away. All outputs are NaN before the first sample.
    """
    if math.isnan(heatmap.log_mid):
        forget_kernel_density(state)
        return
    points = state.density.shape[1]
    buckets = heatmap.heat.shape[1]
    number = math.floor(heatmap.log_mid / heatmap.width)
    middle = number - heatmap.first
    off_bps = ((number + 0.5) * heatmap.width - heatmap.log_mid) * _BPS
    for side in range(2):
        density = state.density[side]
        for k in range(points):
            density[k] = 0.0
        heat = heatmap.heat[side]
        outward = 1 if side == 1 else -1
        reachable = min(2 * points, buckets - middle if side == 1 else middle + 1)
        state.start_bps[side] = outward * off_bps
        total = 0.0
        near = 0.0
        farthest = 0.0
        for n in range(reachable):
            weight = heat[middle + outward * n]
            if math.isnan(weight):
                continue
            farthest = state.start_bps[side] + n * state.spacing_bps
            if weight == 0.0:
                continue
            total += weight
            if n < points:
                near += weight
            gauss = state.gauss[2 * points - n : 3 * points - n]
            for k in range(points):
                density[k] += weight * gauss[k]
        _finish(state, side, total, near, farthest)


@kernel
def forget_kernel_density(state: State) -> None:
    """Make all outputs NaN: for the caller that has no book."""
    for side in range(2):
        state.start_bps[side] = math.nan
        _clear_side(state, side)


@kernel
def _clear_side(state: State, side: int) -> None:
    for k in range(state.density.shape[1]):
        state.density[side, k] = math.nan
    _clear_peaks(state, side)


@kernel
def _clear_peaks(state: State, side: int) -> None:
    state.nearest_bps[side] = math.nan
    state.nearest_ratio[side] = math.nan
    state.strongest_bps[side] = math.nan
    state.strongest_ratio[side] = math.nan
    for k in range(state.peaks[side]):
        state.peak_bps[side, k] = math.nan
        state.peak_ratio[side, k] = math.nan
    state.peaks[side] = 0


@kernel
def _finish(state: State, side: int, total: float, near: float, farthest: float) -> None:
    """Turn sums of kernels into a density and find its maxima."""
    if not total > 0.0:
        _clear_side(state, side)
        return
    density = state.density[side]
    points = len(density)
    scale = 1.0 / (state.bandwidth_bps * math.sqrt(2.0 * math.pi))
    for k in range(points):
        density[k] = density[k] / total * scale
    reach = state.start_bps[side] + state.spacing_bps * (points - 1)
    # a view no longer than the bandwidth has no uniform level to speak of: it is taken as one bandwidth long
    in_view = max(state.bandwidth_bps, min(farthest, reach))
    _clear_peaks(state, side)
    if near > 0.0:
        _find_peaks(state, side, near / total / in_view)


@kernel
def _find_peaks(state: State, side: int, uniform: float) -> None:
    """Find the maxima strictly within the grid; a flat top counts once, in its middle, as in scipy's `find_peaks`."""
    density = state.density[side]
    last = len(density) - 1
    k = 1
    while k < last:
        end = k + 1
        if density[k] > density[k - 1]:
            while end < last and density[end] == density[k]:
                end += 1
            if density[end] < density[k]:
                _add_peak(state, side, (k + end - 1) // 2, uniform)
        k = end


@kernel
def _add_peak(state: State, side: int, k: int, uniform: float) -> None:
    density = state.density[side]
    position = 0.0
    height = density[k]
    if density[k - 1] > 0.0 and density[k + 1] > 0.0:
        # the logarithm of a Gaussian is a parabola: through three points it finds the top of a lone kernel exactly
        rise = math.log(density[k] / density[k - 1])
        fall = math.log(density[k] / density[k + 1])
        if rise + fall > 0.0:
            position = 0.5 * (rise - fall) / (rise + fall)
            height *= math.exp(0.25 * (rise - fall) * position)
    distance = state.start_bps[side] + (k + position) * state.spacing_bps
    ratio = height / uniform
    n = state.peaks[side]
    state.peak_bps[side, n] = distance
    state.peak_ratio[side, n] = ratio
    state.peaks[side] = n + 1
    if n == 0:
        state.nearest_bps[side] = distance
        state.nearest_ratio[side] = ratio
    if not ratio <= state.strongest_ratio[side]:
        state.strongest_bps[side] = distance
        state.strongest_ratio[side] = ratio


@kernel
def update_kernel_density_single(states: States, side: int, distances: Floats, weights: Floats, count: int) -> None:
    update_kernel_density(states[0], side, distances, weights, count)


@kernel
def update_kernel_density_levels_single(
    states: States,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
) -> None:
    update_kernel_density_levels(states[0], bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)


@kernel
def update_kernel_density_heat_single(states: States, heatmaps: States) -> None:
    update_kernel_density_heat(states[0], heatmaps[0])


@kernel
def update_kernel_density_levels_many(
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
        update_kernel_density_levels(state, bid_prices[n], bid_sizes[n], bids[n], ask_prices[n], ask_sizes[n], asks[n])
        for side in range(2):
            out[n, side, 0] = state.nearest_bps[side]
            out[n, side, 1] = state.nearest_ratio[side]
            out[n, side, 2] = state.strongest_bps[side]
            out[n, side, 3] = state.strongest_ratio[side]


class Peak(NamedTuple):
    """A local maximum of the density."""

    distance_bps: float
    """From the mid; between the points of the grid by a parabola through the logarithm."""

    ratio: float
    """Density over the uniform level."""


class KernelDensity:
    """Density of resting liquidity on `points` distances from the mid, `spacing_bps` apart, and its maxima."""

    def __init__(self, spacing_bps: float = 1.0, bandwidth_bps: float = 2.0, points: int = 64) -> None:
        self._states = new_states(kernel_density_dtype(points))
        configure_kernel_density(self._states[0], spacing_bps, bandwidth_bps)

    @property
    def states(self) -> States:
        """The state, for kernels that read it: an array of one record."""
        return self._states

    @property
    def value(self) -> Floats:
        """Distance of the strongest maximum in bps, bids and asks; NaN where there is none."""
        distances: Floats = self._states["strongest_bps"][0].copy()
        return distances

    @property
    def density(self) -> Floats:
        """Density in 1/bps, shape (2, points): bids and asks, nearest first; NaN where a side has no size."""
        density: Floats = self._states["density"][0].copy()
        return density

    @property
    def grid(self) -> Floats:
        """Distances in bps at which `density` is read, of the same shape; NaN before the first book."""
        state = self._states[0]
        steps = np.arange(state["density"].shape[1]) * state["spacing_bps"]
        distances: Floats = state["start_bps"][:, np.newaxis] + steps
        return distances

    @property
    def initialized(self) -> bool:
        """True if the last book had size on either side."""
        return not bool(np.isnan(self._states["density"][0]).all())

    def peaks(self, side: int) -> list[Peak]:
        """Return all maxima of one side (0 bids, 1 asks), nearest first."""
        self._require(side)
        state = self._states[0]
        count = int(state["peaks"][side])
        found = zip(state["peak_bps"][side, :count], state["peak_ratio"][side, :count], strict=True)
        return [Peak(float(distance), float(ratio)) for distance, ratio in found]

    def update(self, distances: npt.ArrayLike, weights: npt.ArrayLike, side: int = 0) -> float:
        """Take the points of one side (bps from the mid; weights not negative), return the strongest maximum in bps."""
        self._require(side)
        distance, weight = float_column(distances), float_column(weights)
        count = same_length(distances=distance, weights=weight)
        if not (np.isfinite(distance).all() and np.isfinite(weight).all() and (weight >= 0.0).all()):
            raise ValueError("distances and weights must be finite, and weights not negative")
        update_kernel_density_single(self._states, side, distance, weight, count)
        return float(self._states["strongest_bps"][0, side])

    def update_levels(
        self, bid_prices: npt.ArrayLike, bid_sizes: npt.ArrayLike, ask_prices: npt.ArrayLike, ask_sizes: npt.ArrayLike
    ) -> Floats:
        """Take a book (prices in units, best first) and return `value`. ValueError if a side is out of order."""
        book = book_columns(bid_prices, bid_sizes, ask_prices, ask_sizes)
        update_kernel_density_levels_single(self._states, *book)
        return self.value

    def update_heat(self, heatmap: BookHeatmap) -> Floats:
        """Take the heat of a heatmap and return `value`. ValueError unless its buckets are as wide as the grid's."""
        width_bps = float(heatmap.states["width"][0]) * _BPS
        spacing_bps = float(self._states["spacing_bps"][0])
        if not math.isclose(width_bps, spacing_bps, rel_tol=1e-9):
            raise ValueError(f"buckets of {width_bps:g} bps on a grid of {spacing_bps:g} bps: make them equal")
        update_kernel_density_heat_single(self._states, heatmap.states)
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

        Returns shape (n, 2, 4): for bids and asks distance and ratio of the nearest maximum, then of the strongest.
        """
        table = book_tables(bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)
        out = np.empty((len(table[2]), 2, OUTPUTS))
        update_kernel_density_levels_many(self._states, 0, *table, out)
        return out

    @staticmethod
    def _require(side: int) -> None:
        if side not in (0, 1):
            raise ValueError(f"side is {side!r}: give 0 for bids or 1 for asks")
