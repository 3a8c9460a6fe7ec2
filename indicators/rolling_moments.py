"""Mean, variance and z-score over the last n values, stable for any price level and any number of updates.

Sums of distances from a reference value are kept, not sums of the values. The sums are taken anew around the current
mean once a window, so rounding does not pile up, and at once when the variance has collapsed against what the sums have
held since (a spike or a price jump leaving the window), because then they have no correct digits left.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole, window_of

_COLLAPSE = 1e-4
"""Share of the largest sum of squares below which the sums are taken anew: 12 of a double's 16 digits stay correct."""


def rolling_moments_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("average", "f8"),  # NaN until the window is full, as is the variance
            ("variance", "f8"),  # of the population: divided by n
            ("newest", "f8"),
            ("reference", "f8"),
            ("total", "f8"),  # of distances from the reference
            ("total_squares", "f8"),
            ("peak", "f8"),  # largest total_squares since the sums were taken anew
            ("head", "i8"),  # where the next value goes, which is the oldest when full
            ("count", "i8"),
            ("ring", "f8", (whole("window", window, minimum=2),)),
        ]
    )


def configure_rolling_moments(state: State) -> None:
    """Prepare a fresh record."""
    state["average"] = math.nan
    state["variance"] = math.nan


@kernel
def update_rolling_moments(state: State, x: float) -> None:
    """Take the next finite value; the caller leaves out what is missing."""
    ring = state.ring
    window = len(ring)
    if state.count == 0:
        state.reference = x
    distance = x - state.reference
    state.newest = x
    if state.count < window:
        state.count += 1
        state.total += distance
        state.total_squares += distance * distance
    else:
        leaving = ring[state.head] - state.reference
        state.total += distance - leaving
        state.total_squares += distance * distance - leaving * leaving
    ring[state.head] = x
    state.head += 1
    state.peak = max(state.peak, state.total_squares)
    if state.head == window:
        state.head = 0
        _sum_anew(state)
    if state.count == window:
        shift = state.total / window
        squares = state.total_squares - state.total * shift
        if squares < _COLLAPSE * state.peak:
            _sum_anew(state)
            shift = state.total / window
            squares = max(0.0, state.total_squares - state.total * shift)
        state.average = state.reference + shift
        state.variance = squares / window


@kernel
def _sum_anew(state: State) -> None:
    ring = state.ring
    # distances from a member: equal values sum to exactly zero
    start = ring[0]
    total = 0.0
    for k in range(len(ring)):
        total += ring[k] - start
    reference = start + total / len(ring)
    total = 0.0
    squares = 0.0
    for k in range(len(ring)):
        distance = ring[k] - reference
        total += distance
        squares += distance * distance
    state.reference = reference
    state.total = total
    state.total_squares = squares
    state.peak = squares


@kernel
def reset_rolling_moments(state: State) -> None:
    """Forget every value."""
    state.count = 0
    state.head = 0
    state.total = 0.0
    state.total_squares = 0.0
    state.peak = 0.0
    state.average = math.nan
    state.variance = math.nan


@kernel
def rolling_zscore(state: State) -> float:
    """Return the newest value's distance from the window's mean (itself included) in standard deviations.

    NaN until the window is full. Where all values are equal the distance is zero by any measure, so the score is 0.
    """
    if state.variance == 0.0:
        return 0.0
    # the mean as a distance from the reference: the mean itself is rounded to the digits of the values
    distance = state.newest - state.reference - state.total / len(state.ring)
    score: float = distance / math.sqrt(state.variance)
    return score


@kernel
def rolling_zscore_single(states: States) -> float:
    return rolling_zscore(states[0])


@kernel
def update_rolling_moments_single(states: States, x: float) -> float:
    state = states[0]
    update_rolling_moments(state, x)
    value: float = state.average
    return value


@kernel
def update_rolling_moments_many(
    states: States, i: int, xs: Floats, averages: Floats, variances: Floats, zscores: Floats
) -> None:
    state = states[i]
    for k in range(len(xs)):
        update_rolling_moments(state, xs[k])
        averages[k] = state.average
        variances[k] = state.variance
        zscores[k] = rolling_zscore(state)


class RollingMoments:
    """Mean, population variance and z-score of the last `window` values. Memory and reading are O(1) an update."""

    def __init__(self, window: int) -> None:
        self._states = new_states(rolling_moments_dtype(window))
        configure_rolling_moments(self._states[0])
        self.update: Callable[[float], float] = bound_entry(update_rolling_moments_single, self._states, 0.0)
        """Take the next finite value and return the mean."""
        self._zscore = bound_entry(rolling_zscore_single, self._states)

    @property
    def value(self) -> float:
        """The mean, NaN until initialised."""
        return float(self._states["average"][0])

    @property
    def variance(self) -> float:
        """The population variance (divided by n), NaN until initialised."""
        return float(self._states["variance"][0])

    @property
    def zscore(self) -> float:
        """The newest value's z-score within the window, NaN until initialised, 0 where all values are equal."""
        return self._zscore()

    @property
    def initialized(self) -> bool:
        """True once the window is full."""
        return bool(self._states["count"][0] == window_of(self._states.dtype))

    def update_many(self, xs: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Take a column of values, return mean, variance and z-score after each: the same bits as one by one."""
        column = float_column(xs)
        out = np.empty((3, len(column)))
        update_rolling_moments_many(self._states, 0, column, out[0], out[1], out[2])
        return out[0], out[1], out[2]
