"""Exact quantile of the last n values.

The definition is ``numpy.quantile(window, q, method="higher")``: the member of the window at sorted position
ceil(q (m - 1)) of m, so the quantile is always a value that occurred.

The twin of :mod:`indicators.rolling_quantile` for high quantiles, in a third of its time where the tail above the
quantile is short. Only the largest values are kept in order: those above the quantile and as many again in reserve. A
value that enters or leaves below them costs a comparison, one among them a shift of at most the tail, n (1 - q) values.
When the reserve is used up it is filled again from the window: O(n), but rarely. For a quantile in the middle of a long
window take the other one.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, entry, kernel, new_states
from indicators.parameters import float_column, fraction, whole, window_of


def tail_quantile_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("value", "f8"),  # NaN until `min_count` values were seen
            ("q", "f8"),
            ("min_count", "i8"),
            ("head", "i8"),  # where the next value goes, which is the oldest when full
            ("count", "i8"),
            ("ring", "f8", (whole("window", window),)),
            ("depth", "i8"),  # how many values are kept in order after the reserve was filled
            ("kept", "i8"),
            ("largest", "f8", (window,)),  # the `kept` largest values of the window, ascending
        ]
    )


def configure_tail_quantile(state: State, q: float, min_count: int) -> None:
    """Prepare a fresh record for the `q` quantile, defined once the window holds `min_count` values."""
    window = window_of(state.dtype)
    if whole("min_count", min_count) > window:
        raise ValueError(f"min_count is {min_count}, but the window holds {window}: give at most {window}")
    state["q"] = fraction("q", q)
    state["min_count"] = min_count
    state["depth"] = min(window, 2 * (window - math.ceil(q * (window - 1))) + 16)
    state["value"] = math.nan


@kernel
def update_tail_quantile(state: State, x: float) -> float:
    """Take the next finite value and return the quantile of the window that it completes."""
    ring = state.ring
    if state.count == len(ring):
        if ring[state.head] >= state.largest[0]:
            _remove(state, ring[state.head])
    else:
        state.count += 1
    # while nothing lies outside the kept values, a new smallest one is kept too
    if state.kept == state.count - 1 or x > state.largest[0]:
        _insert(state, x)
        if state.kept > 2 * state.depth:
            _drop_smallest(state, state.kept - state.depth)
    ring[state.head] = x
    state.head = state.head + 1 if state.head + 1 < len(ring) else 0
    if state.count >= state.min_count:
        above = state.count - 1 - math.ceil(state.q * (state.count - 1))
        if state.kept <= above:
            _fill_reserve(state)
        state.value = state.largest[state.kept - 1 - above]
    value: float = state.value
    return value


@kernel
def _insert(state: State, x: float) -> None:
    largest = state.largest
    k = state.kept
    while k > 0 and largest[k - 1] > x:
        largest[k] = largest[k - 1]
        k -= 1
    largest[k] = x
    state.kept += 1


@kernel
def _remove(state: State, x: float) -> None:
    largest = state.largest
    k = state.kept - 1
    moving = largest[k]
    while moving > x:
        k -= 1
        below = largest[k]
        largest[k] = moving
        moving = below
    state.kept -= 1


@kernel
def _drop_smallest(state: State, dropped: int) -> None:
    largest = state.largest
    state.kept -= dropped
    for k in range(state.kept):
        largest[k] = largest[k + dropped]


@kernel
def _fill_reserve(state: State) -> None:
    state.kept = 0
    for k in range(state.count):
        x = state.ring[k]
        if state.kept < state.depth:
            _insert(state, x)
        elif x > state.largest[0]:
            _drop_smallest(state, 1)
            _insert(state, x)


@kernel
def update_tail_quantile_single(states: States, x: float) -> float:
    return update_tail_quantile(states[0], x)


@kernel
def update_tail_quantile_many(states: States, i: int, xs: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        out[k] = update_tail_quantile(state, xs[k])


class TailQuantile:
    """Exact `q` quantile of the last `window` values, defined once `min_count` of them were seen (default: all)."""

    def __init__(self, window: int, q: float, min_count: int | None = None) -> None:
        self._states = new_states(tail_quantile_dtype(window))
        configure_tail_quantile(self._states[0], q, window if min_count is None else min_count)
        self._update = entry(update_tail_quantile_single, self._states, 0.0)

    @property
    def value(self) -> float:
        """The quantile, a member of the window; NaN until initialised."""
        return float(self._states["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `min_count` values were seen."""
        return bool(self._states["count"][0] >= self._states["min_count"][0])

    def update(self, x: float) -> float:
        """Take the next value and return the quantile. Raises ValueError for NaN, which has no place in an order."""
        if x != x:
            raise ValueError("x is NaN, which has no place in an order: leave missing values out")
        return self._update(self._states, x)

    def update_many(self, xs: npt.ArrayLike) -> Floats:
        """Take a column of values, return the quantile after each: the same bits as `update` one by one.

        Raises:
            ValueError: a value is NaN.
        """
        column = float_column(xs)
        missing = np.flatnonzero(np.isnan(column))
        if len(missing):
            raise ValueError(f"xs[{missing[0]}] is NaN, which has no place in an order: leave missing values out")
        out = np.empty_like(column)
        update_tail_quantile_many(self._states, 0, column, out)
        return out
