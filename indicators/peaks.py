"""Peaks of a series by distance and prominence, those of ``scipy.signal.find_peaks(x, distance=d, prominence=p)``.

A peak is a run of equal values (often one) with a lower neighbour on either side; its position is the run's middle,
rounded down. First the distance rule: from the highest peak down, each removes those nearer than `distance` to it. Then
the prominence rule, measured on the whole series: how far a peak stands above the higher of the two lowest points that
lie between it and the next higher value, or the end, on either side.

Of equally high peaks that are too near each other the later stays. SciPy leaves that to numpy's unstable sort, whose
order of equal values depends on the processor; where that sort happens to be stable the two agree.

Troughs are the peaks of the negated series.
"""

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, kernel, new_states
from indicators.parameters import float_column, whole


def peaks_dtype(length: int) -> np.dtype[np.void]:
    """Return the layout of what :func:`find_peaks` writes, for series of up to `length` values; fresh records will do.

    Only the first entries of `found` mean anything, as many as the call returned.
    """
    most = max(1, (whole("length", length) - 1) // 2)  # every other value, the two ends excepted
    return np.dtype(
        [
            ("found", "i8", (most,)),  # positions, ascending
            ("height", "f8", (most,)),
            ("valley", "f8", (most + 1,)),  # the lowest value between neighbouring peaks, and between them and the ends
            ("saddle", "f8", (most,)),  # what each peak's prominence is measured from
            ("kept", "i8", (most,)),
            ("order", "i8", (most,)),  # the peaks by height
            ("spare", "i8", (most,)),
            ("stack", "i8", (most,)),
            ("low", "f8", (most,)),  # of each peak on the stack, the lowest value this side of the next higher one
        ]
    )


@kernel
def find_peaks(state: State, values: Floats, distance: int, prominence: float) -> int:
    """Write the peaks' positions to ``state.found``, ascending, and return how many there are. O(n log n) at worst.

    `values` may be infinite but never NaN, and at most as many as the state was laid out for. Peaks are at least
    `distance` positions apart (1 or 2 leaves all) and at least `prominence` prominent, in the units of `values`.
    """
    number = _find_local_maxima(state, values)
    kept = state.kept
    kept[:number] = 1
    if distance > 2:
        _keep_distance(state, number, distance)
    _find_saddles(state, number)
    found = state.found
    height = state.height
    saddle = state.saddle
    left = 0
    for j in range(number):
        if kept[j] == 1 and height[j] - saddle[j] >= prominence:
            found[left] = found[j]
            left += 1
    return left


@kernel
def _find_local_maxima(state: State, values: Floats) -> int:
    found = state.found
    height = state.height
    valley = state.valley
    number = 0
    rise = -1  # where the series rose last, negative once it has fallen
    for k in range(1, len(values)):
        step_from = values[k - 1]
        if values[k] > step_from:
            if rise < 0:
                valley[number] = step_from
            rise = k
        elif values[k] < step_from:
            if rise >= 0:
                found[number] = (rise + k - 1) // 2
                height[number] = step_from
                number += 1
            rise = -1
    if number > 0 and rise < 0:
        valley[number] = values[len(values) - 1]
    return number


@kernel
def _keep_distance(state: State, number: int, distance: int) -> None:
    found = state.found
    kept = state.kept
    _sort_by_height(state, number)
    order = state.order
    for place in range(number - 1, -1, -1):
        j = order[place]
        if kept[j] == 1:
            k = j - 1
            while k >= 0 and found[j] - found[k] < distance:
                kept[k] = 0
                k -= 1
            k = j + 1
            while k < number and found[k] - found[j] < distance:
                kept[k] = 0
                k += 1


@kernel
def _sort_by_height(state: State, number: int) -> None:
    """Merge sort, lowest first, equal heights in order of position."""
    height = state.height
    order = state.order
    spare = state.spare
    for j in range(number):
        order[j] = j
    width = 1
    while width < number:
        for start in range(0, number, 2 * width):
            middle = min(start + width, number)
            end = min(middle + width, number)
            a = start
            b = middle
            for place in range(start, end):
                if a < middle and (b == end or height[order[a]] <= height[order[b]]):
                    spare[place] = order[a]
                    a += 1
                else:
                    spare[place] = order[b]
                    b += 1
        for place in range(number):
            order[place] = spare[place]
        width *= 2


@kernel
def _find_saddles(state: State, number: int) -> None:
    # between a peak and the next higher value lie whole valleys, so the valleys' lowest values are all that counts
    valley = state.valley
    saddle = state.saddle
    depth = 0
    for j in range(number):
        depth = _push(state, depth, j, valley[j])
        saddle[j] = state.low[depth - 1]
    depth = 0
    for j in range(number - 1, -1, -1):
        depth = _push(state, depth, j, valley[j + 1])
        saddle[j] = max(saddle[j], state.low[depth - 1])


@kernel
def _push(state: State, depth: int, j: int, low: float) -> int:
    """Put a peak on the stack in place of those it overlooks, with the valleys between; return the new depth.

    The stack's heights fall strictly from bottom to top. Every peak leaves it once at most, so all pushes are O(n).
    """
    height = state.height
    stack = state.stack
    lows = state.low
    while depth > 0 and height[stack[depth - 1]] <= height[j]:
        depth -= 1
        low = min(low, lows[depth])
    stack[depth] = j
    lows[depth] = low
    return depth + 1


def peaks(values: npt.ArrayLike, distance: int = 1, prominence: float = 0.0) -> Ints:
    """Return the positions of the peaks of a column, at least `distance` positions apart, in ascending order.

    `prominence` is in the units of `values`. Raises ValueError for NaN, which has no height.
    """
    column = float_column(values)
    if np.isnan(column).any():
        raise ValueError(f"value {int(np.isnan(column).argmax())} is NaN: cut the series at its gaps")
    if not prominence >= 0.0:
        raise ValueError(f"prominence is {prominence!r}: give a number of at least 0")
    # each layout is compiled on its own: powers of two make few of them
    state = new_states(peaks_dtype(1 << max(8, len(column).bit_length())))[0]
    number = find_peaks(state, column, whole("distance", distance), float(prominence))
    found: Ints = state["found"][:number].copy()
    return found
