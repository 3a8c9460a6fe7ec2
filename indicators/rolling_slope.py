"""Least-squares slope over the last n samples, stable for any price level and any number of updates.

With the weights w = -(n - 1), -(n - 3), ..., n - 1 from the oldest value to the newest, the slope a sample is
6 sum(w x) / (n (n^2 - 1)). Sliding by one sample lowers every weight by two, so two running sums are enough. As in
:mod:`indicators.rolling_moments` they are sums of distances from a reference value and are taken anew once a window,
and at once when the spread of the window has collapsed. The reference is a member of the window: where the values are
whole numbers, or prices so high that they lie on the grid of the doubles, no sum is rounded at all.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole, window_of

_COLLAPSE = 1e-4
"""Share of the largest sum of squares below which the sums are taken anew; a spike has left the window then."""


def rolling_slope_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("slope", "f8"),  # per sample, NaN until the window is full
            ("reference", "f8"),
            ("total", "f8"),  # of distances from the reference
            ("weighted", "f8"),  # of distances times their weights
            ("total_squares", "f8"),  # tells when the sums have lost their digits
            ("peak", "f8"),  # largest total_squares since the sums were taken anew
            ("head", "i8"),  # where the next value goes, which is the oldest when full
            ("count", "i8"),
            ("ring", "f8", (whole("window", window, minimum=2),)),
        ]
    )


def configure_rolling_slope(state: State) -> None:
    """Prepare a fresh record."""
    state["slope"] = math.nan


@kernel
def update_rolling_slope(state: State, x: float) -> float:
    """Take the next finite value and return the slope a sample; the caller leaves out what is missing."""
    ring = state.ring
    window = len(ring)
    if state.count < window:
        state.count += 1
    else:
        distance = x - state.reference
        leaving = ring[state.head] - state.reference
        state.weighted += (window - 1) * (leaving + distance) - 2.0 * (state.total - leaving)
        state.total += distance - leaving
        state.total_squares += distance * distance - leaving * leaving
        state.peak = max(state.peak, state.total_squares)
    ring[state.head] = x
    state.head += 1
    if state.head == window:
        state.head = 0
        _sum_anew(state)
    if state.count == window:
        if state.total_squares - state.total * (state.total / window) < _COLLAPSE * state.peak:
            _sum_anew(state)
        state.slope = 6.0 * state.weighted / (window * (window * float(window) - 1.0))
    slope: float = state.slope
    return slope


@kernel
def _sum_anew(state: State) -> None:
    ring = state.ring
    window = len(ring)
    start = ring[0]
    total = 0.0
    for k in range(window):
        total += ring[k] - start
    average = start + total / window
    # the member next to the mean: from any other one an outlier could make the sums large for a whole window
    reference = start
    for k in range(window):
        if abs(ring[k] - average) < abs(reference - average):
            reference = ring[k]
    total = 0.0
    weighted = 0.0
    squares = 0.0
    weight = 1.0 - window
    for k in range(window):
        distance = ring[(state.head + k) % window] - reference
        total += distance
        weighted += weight * distance
        squares += distance * distance
        weight += 2.0
    state.reference = reference
    state.total = total
    state.weighted = weighted
    state.total_squares = squares
    state.peak = squares


@kernel
def reset_rolling_slope(state: State) -> None:
    """Forget every value."""
    state.slope = math.nan
    state.head = 0
    state.count = 0


@kernel
def update_rolling_slope_single(states: States, x: float) -> float:
    return update_rolling_slope(states[0], x)


@kernel
def update_rolling_slope_many(states: States, i: int, xs: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        out[k] = update_rolling_slope(state, xs[k])


class RollingSlope:
    """Least-squares slope of the last `window` values (at least 2) against their position."""

    def __init__(self, window: int) -> None:
        self._states = new_states(rolling_slope_dtype(window))
        configure_rolling_slope(self._states[0])
        self.update: Callable[[float], float] = bound_entry(update_rolling_slope_single, self._states, 0.0)
        """Take the next finite value and return the slope."""

    @property
    def value(self) -> float:
        """The slope in the unit of the input a sample, NaN until initialised."""
        return float(self._states["slope"][0])

    @property
    def initialized(self) -> bool:
        """True once the window is full."""
        return bool(self._states["count"][0] == window_of(self._states.dtype))

    def update_many(self, xs: npt.ArrayLike) -> Floats:
        """Take a column of values, return the slope after each: the same bits as `update` one by one."""
        column = float_column(xs)
        out = np.empty_like(column)
        update_rolling_slope_many(self._states, 0, column, out)
        return out
