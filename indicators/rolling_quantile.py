"""Exact quantile of the last n values (:mod:`indicators.window_quantile`), in O(log n) an update.

Two heaps share the window: what lies below the quantile has its largest on top, the quantile and what lies above it
their smallest. A new value takes the place of the oldest in whichever heap that lies, and moves along one path; most
values belong near the bottom of the larger heap and hardly move, so a high quantile costs a few nanoseconds.
"""

import math

import numpy as np

from indicators.kernel import Floats, State, States, kernel, new_states
from indicators.parameters import whole
from indicators.window_quantile import WindowQuantile, configure_window_quantile


def rolling_quantile_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("value", "f8"),  # NaN until `min_count` values were seen
            ("q", "f8"),
            ("min_count", "i8"),
            ("head", "i8"),  # where the next value goes, which is the oldest when full
            ("count", "i8"),
            ("below", "i8"),  # how many values lie in the heap below the quantile
            ("ring", "f8", (whole("window", window),)),
            # places of the ring: the heap below from the front on, that above from the back on
            ("heap", "i8", (window,)),
            ("at", "i8", (window,)),  # where each place of the ring stands in `heap`
        ]
    )


@kernel
def update_rolling_quantile(state: State, x: float) -> float:
    """Take the next finite value and return the quantile of the window that it completes."""
    ring, heap, at = state.ring, state.heap, state.at
    place = state.head
    state.head = place + 1 if place + 1 < len(ring) else 0
    ring[place] = x
    if state.count == len(ring):
        k = at[place]
        if k < state.below:
            _settle_below(state, k)
        else:
            _settle_above(state, k)
    else:
        # the heap above grows by one, and gives its smallest away where the quantile has moved up
        state.count += 1
        k = len(heap) - (state.count - state.below)
        heap[k] = place
        at[place] = k
        _settle_above(state, k)
        if state.below < math.ceil(state.q * (state.count - 1)):
            _move_down(state)
    last = len(heap) - 1
    if state.below > 0 and ring[heap[0]] > ring[heap[last]]:
        low, high = heap[0], heap[last]
        heap[0], heap[last] = high, low
        at[high], at[low] = 0, last
        _settle_below(state, 0)
        _settle_above(state, last)
    if state.count >= state.min_count:
        state.value = ring[heap[last]]
    value: float = state.value
    return value


@kernel
def _settle_below(state: State, k: int) -> None:
    """Move the value at `k` of the heap below up or down until none below it is larger."""
    ring, heap, at = state.ring, state.heap, state.at
    place = heap[k]
    x = ring[place]
    start = k
    while k > 0:
        parent = (k - 1) // 2
        if ring[heap[parent]] >= x:
            break
        heap[k] = heap[parent]
        at[heap[k]] = k
        k = parent
    if k == start:
        while True:
            child = 2 * k + 1
            if child >= state.below:
                break
            if child + 1 < state.below and ring[heap[child + 1]] > ring[heap[child]]:
                child += 1
            if ring[heap[child]] <= x:
                break
            heap[k] = heap[child]
            at[heap[k]] = k
            k = child
    heap[k] = place
    at[place] = k


@kernel
def _settle_above(state: State, k: int) -> None:
    """Move the value at `k` of the heap above up or down until none below it is smaller; its top is at the back."""
    ring, heap, at = state.ring, state.heap, state.at
    last = len(heap) - 1
    size = state.count - state.below
    place = heap[k]
    x = ring[place]
    n = start = last - k  # its number from the top
    while n > 0:
        parent = (n - 1) // 2
        if ring[heap[last - parent]] <= x:
            break
        heap[last - n] = heap[last - parent]
        at[heap[last - n]] = last - n
        n = parent
    if n == start:
        while True:
            child = 2 * n + 1
            if child >= size:
                break
            if child + 1 < size and ring[heap[last - child - 1]] < ring[heap[last - child]]:
                child += 1
            if ring[heap[last - child]] >= x:
                break
            heap[last - n] = heap[last - child]
            at[heap[last - n]] = last - n
            n = child
    heap[last - n] = place
    at[place] = last - n


@kernel
def _move_down(state: State) -> None:
    """Hand the top of the heap above to the heap below, which has the value's room in the middle."""
    heap, at = state.heap, state.at
    last = len(heap) - 1
    smallest = heap[last]
    end = len(heap) - (state.count - state.below)
    heap[last] = heap[end]
    at[heap[last]] = last
    state.below += 1
    if end != last:
        _settle_above(state, last)
    k = state.below - 1
    heap[k] = smallest
    at[smallest] = k
    _settle_below(state, k)


@kernel
def update_rolling_quantile_single(states: States, x: float) -> float:
    return update_rolling_quantile(states[0], x)


@kernel
def update_rolling_quantile_many(states: States, i: int, xs: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        out[k] = update_rolling_quantile(state, xs[k])


class RollingQuantile(WindowQuantile):
    """Exact `q` quantile of the last `window` values, defined once `min_count` of them were seen (default: all)."""

    def __init__(self, window: int, q: float, min_count: int | None = None) -> None:
        states = new_states(rolling_quantile_dtype(window))
        configure_window_quantile(states[0], q, window if min_count is None else min_count)
        super().__init__(states, update_rolling_quantile_single, update_rolling_quantile_many)
