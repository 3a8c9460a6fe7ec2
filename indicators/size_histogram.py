"""Which sizes are usual: a decayed histogram of the level sizes of book samples, and quantiles read from it.

A window of the last n samples with 400 levels each would have to keep and order all of their sizes. Here each sample is
binned and weighs (1 - 2 / (span + 1)) of the sample after it, as in an exponentially weighted mean. Bins split every
octave in eight equal parts, so that a bin is three bits of a double's mantissa below its exponent: a shift finds it,
its edges are exact, and sizes times 2^k give bins shifted by 8 k. A quantile is at most an eighth above its bin's lower
edge. Cost: O(levels) to add, O(bins in use) to read, which is 8 for every doubling between smallest and largest size.
"""

import math

import numpy as np

from indicators.kernel import Floats, State, kernel
from indicators.parameters import fraction, whole

_OCTAVES = 128  # from 2^-64 to 2^64: sizes of every coin and lot; what lies beyond enters the outermost bins
_LOWEST_EXPONENT = -64
_PARTS_BITS = 3
_PARTS = 1 << _PARTS_BITS
_BINS = _OCTAVES * _PARTS
_SHIFT = 52 - _PARTS_BITS
_FIRST = (1023 + _LOWEST_EXPONENT) << _PARTS_BITS  # the shifted bits of the lowest edge
_NEGLIGIBLE = 1e-9  # weight, in levels of the newest sample: dropped before products reach the slow subnormal numbers

SizeHistogramState = np.dtype(
    [
        ("threshold", "f8"),  # lower edge of the bin that holds the `q` quantile
        ("typical", "f8"),  # median, interpolated within its bin
        ("q", "f8"),
        ("keep", "f8"),  # what a sample weighs when the next one has entered
        ("total", "f8"),
        ("lowest", "i8"),  # bins in use
        ("highest", "i8"),
        ("weights", "f8", (_BINS,)),
    ]
)


def configure_size_histogram(state: State, q: float, span: int) -> None:
    """Prepare a fresh record for the `q` quantile, above the median, over about `span` samples.

    Raises:
        ValueError: `q` is not a fraction above 1/2, or `span` no integer of at least 2.
    """
    if fraction("q", q) <= 0.5:
        raise ValueError(f"q is {q!r}: give a quantile above the median, 0.5")
    state["q"] = q
    state["keep"] = 1.0 - 2.0 / (whole("span", span, minimum=2) + 1)
    state["lowest"] = _BINS
    state["highest"] = -1
    state["threshold"] = math.nan
    state["typical"] = math.nan


@kernel
def decay_sizes(state: State) -> None:
    """Let the samples so far weigh less: to be called once before the levels of a sample are added."""
    for b in range(state.lowest, state.highest + 1):
        weight = state.weights[b] * state.keep
        state.weights[b] = weight if weight > _NEGLIGIBLE else 0.0
    state.total *= state.keep


@kernel
def add_sizes(state: State, sizes: Floats, count: int) -> None:
    """Add the first `count` of contiguous `sizes`; those that are not above zero have no level and are left out."""
    bits = sizes.view(np.int64)
    weights = state.weights
    lowest = state.lowest
    highest = state.highest
    added = 0
    for k in range(count):
        if sizes[k] > 0.0:
            b = min(max((bits[k] >> _SHIFT) - _FIRST, 0), _BINS - 1)
            weights[b] += 1.0
            lowest = min(lowest, b)
            highest = max(highest, b)
            added += 1
    state.lowest = lowest
    state.highest = highest
    state.total += added


@kernel
def read_sizes(state: State) -> None:
    """Bring `threshold` and `typical` up to date; NaN without any level.

    The threshold is rounded down to the edge of its bin: in a small book one resting wall is itself the top of the
    distribution, and interpolation would place the quantile within the wall's bin, above or below it by chance.
    """
    if not state.total > 0.0:
        return
    above = 0.0
    b = state.highest + 1
    while b > state.lowest and above < (1.0 - state.q) * state.total:
        b -= 1
        above += state.weights[b]
    state.threshold = _lower_edge(b)
    while b > state.lowest and above < 0.5 * state.total:
        b -= 1
        above += state.weights[b]
    edge = _lower_edge(b)
    # the total's rounding can differ from the sum's by more than an emptied bin
    share = min(max((above - 0.5 * state.total) / state.weights[b], 0.0), 1.0) if state.weights[b] > 0.0 else 0.0
    state.typical = edge + share * (_lower_edge(b + 1) - edge)


@kernel
def _lower_edge(b: int) -> float:
    edge: float = math.ldexp(1.0 + (b & (_PARTS - 1)) / _PARTS, int(b >> _PARTS_BITS) + _LOWEST_EXPONENT)
    return edge
