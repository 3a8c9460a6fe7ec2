"""Exact quantile of the last n values (:mod:`indicators.window_quantile`), for high quantiles.

It takes a third of the time of :mod:`indicators.rolling_quantile` where the tail above the quantile is short. Only the
largest values are kept in order: those above the quantile and as many again in reserve. A value that enters or leaves
below them costs a comparison, one among them a shift of at most the tail, n (1 - q) values. When the reserve is used up
it is filled again from the window: O(n), but rarely. For a quantile in the middle of a long window take the other one.
"""

import math

import numpy as np

from indicators.kernel import Floats, State, States, kernel, new_states
from indicators.parameters import whole, window_of
from indicators.window_quantile import WindowQuantile, configure_window_quantile


def tail_quantile_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("value", "f8"),  # NaN until `min_count` values were seen
            ("floor", "f8"),  # values below it come and go without a trace; -inf while there are none such
            ("head", "i8"),  # where the next value goes, which is the oldest when full
            ("count", "i8"),
            ("kept", "i8"),
            ("depth", "i8"),  # how many values are kept in order after the reserve was filled
            ("q", "f8"),
            ("min_count", "i8"),
            ("ring", "f8", (whole("window", window),)),
            ("largest", "f8", (window,)),  # the `kept` largest values of the window, ascending
        ]
    )


def configure_tail_quantile(state: State, q: float, min_count: int) -> None:
    """Prepare a fresh record for the `q` quantile, defined once the window holds `min_count` values."""
    configure_window_quantile(state, q, min_count)
    window = window_of(state.dtype)
    state["depth"] = min(window, 2 * (window - math.ceil(q * (window - 1))) + 16)
    state["floor"] = -math.inf


@kernel
def update_tail_quantile(state: State, x: float) -> float:
    """Take the next finite value and return the quantile of the window that it completes."""
    if state.ring[state.head] < state.floor and x <= state.floor:
        # most values: what leaves and what enters lies below all that is kept
        _replace_oldest(state, x)
    else:
        _update_kept(state, x)
    value: float = state.value
    return value


@kernel
def _replace_oldest(state: State, x: float) -> None:
    state.ring[state.head] = x
    state.head = state.head + 1 if state.head + 1 < len(state.ring) else 0


@kernel
def _update_kept(state: State, x: float) -> None:
    window = len(state.ring)
    if state.count == window:
        if state.ring[state.head] >= state.largest[0]:
            _remove(state, state.ring[state.head])
    else:
        state.count += 1
    # while nothing lies outside the kept values, a new smallest one is kept too
    if state.kept == state.count - 1 or x > state.largest[0]:
        _insert(state, x)
        if state.kept > 2 * state.depth:
            _drop_smallest(state, state.kept - state.depth)
    _replace_oldest(state, x)
    if state.count >= state.min_count:
        above = state.count - 1 - math.ceil(state.q * (state.count - 1))
        if state.kept <= above:
            _fill_reserve(state)
        state.value = state.largest[state.kept - 1 - above]
    state.floor = state.largest[0] if state.count == window and state.kept < window - 1 else -math.inf


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


class TailQuantile(WindowQuantile):
    """Exact `q` quantile of the last `window` values, defined once `min_count` of them were seen (default: all)."""

    def __init__(self, window: int, q: float, min_count: int | None = None) -> None:
        states = new_states(tail_quantile_dtype(window))
        configure_tail_quantile(states[0], q, window if min_count is None else min_count)
        super().__init__(states, update_tail_quantile_single, update_tail_quantile_many)
