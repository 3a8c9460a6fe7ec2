"""A value now against the value a horizon ago, for values that arrive irregularly (open interest, prices).

Time is cut at the multiples of `slot_ns`, and for each of the last cuts the value known then is kept: the last one at
or before it. A horizon is read at the last cut at or before `ts` - `horizon_ns`, so a change spans up to one slot more
than its horizon, and one ring serves every horizon that it covers.

Stale is not known: a value counts for `max_age_ns` from its own time, in the past as now.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole, window_of


def trailing_change_dtype(slots: int) -> np.dtype[np.void]:
    """Return the state's layout for horizons of up to `slots` slots; each number is compiled on its own."""
    return np.dtype(
        [
            ("newest", "f8"),
            ("newest_ns", "i8"),  # time of the newest value; -1 before the first
            ("slot_ns", "i8"),
            ("max_age_ns", "i8"),
            ("next_cut", "i8"),  # number of the first cut at or after the newest value: its time over slot_ns
            ("ring", "f8", (whole("slots", slots) + 1,)),  # cut c lies at c % len(ring); NaN where nothing was known
        ]
    )


def configure_trailing_change(state: State, slot_ns: int, max_age_ns: int) -> None:
    """Prepare a fresh record: slots of `slot_ns`, values known for `max_age_ns` after their time (nanoseconds)."""
    state["slot_ns"] = whole("slot_ns", slot_ns)
    state["max_age_ns"] = whole("max_age_ns", max_age_ns)
    state["newest"] = math.nan
    state["newest_ns"] = -1
    state["ring"] = math.nan


@kernel
def update_trailing_change(state: State, ts: int, value: float) -> None:
    """Take a finite value of the time `ts` (UNIX ns); one that is older than the newest changes nothing.

    After a silence every cut that has passed is filled, each once, and never more of them than the ring holds.
    """
    if ts < state.newest_ns:
        return
    if state.newest_ns < 0:
        state.next_cut = _cut_at_or_after(state, ts)
    elif ts > state.next_cut * state.slot_ns:
        ring = state.ring
        slots = len(ring)
        next_cut = _cut_at_or_after(state, ts)
        known_until = state.newest_ns + state.max_age_ns
        for cut in range(max(state.next_cut, next_cut - slots), next_cut):
            ring[cut % slots] = state.newest if cut * state.slot_ns <= known_until else math.nan
        state.next_cut = next_cut
    state.newest = value
    state.newest_ns = ts


@kernel
def _cut_at_or_after(state: State, ts: int) -> int:
    cut: int = (ts + state.slot_ns - 1) // state.slot_ns
    return cut


@kernel
def fresh_trailing_value(state: State, ts: int) -> float:
    """Return the newest value, NaN before the first and where it is older than `max_age_ns` at `ts`."""
    if state.newest_ns < 0 or ts - state.newest_ns > state.max_age_ns:
        return math.nan
    newest: float = state.newest
    return newest


@kernel
def read_trailing_change(state: State, ts: int, horizon_ns: int) -> float:
    """Return the value known at the last cut at or before `ts` - `horizon_ns`; `ts` is not before the newest value.

    NaN where none was known yet, where it was older than `max_age_ns` then, and for a horizon longer than the ring.
    """
    cut = (ts - horizon_ns) // state.slot_ns
    if cut >= state.next_cut:
        return fresh_trailing_value(state, cut * state.slot_ns)
    slots = len(state.ring)
    if cut < state.next_cut - slots:
        return math.nan
    before: float = state.ring[cut % slots]
    return before


@kernel
def absolute_trailing_change(state: State, ts: int, horizon_ns: int) -> float:
    """Return the newest value minus the one a horizon ago, NaN where either is not known."""
    return fresh_trailing_value(state, ts) - read_trailing_change(state, ts, horizon_ns)


@kernel
def relative_trailing_change(state: State, ts: int, horizon_ns: int) -> float:
    """Return the change as a fraction of the value a horizon ago; NaN where that is not positive or not known."""
    before = read_trailing_change(state, ts, horizon_ns)
    if before > 0.0:
        return (fresh_trailing_value(state, ts) - before) / before
    return math.nan


@kernel
def reset_trailing_change(state: State) -> None:
    """Forget every value, keep the parameters: for the caller that lost the feed."""
    state.newest = math.nan
    state.newest_ns = -1
    state.next_cut = 0
    for k in range(len(state.ring)):
        state.ring[k] = math.nan


@kernel
def update_trailing_change_single(states: States, ts: int, value: float) -> None:
    update_trailing_change(states[0], ts, value)


@kernel
def read_trailing_change_single(states: States, ts: int, horizon_ns: int) -> float:
    return read_trailing_change(states[0], ts, horizon_ns)


@kernel
def absolute_trailing_change_single(states: States, ts: int, horizon_ns: int) -> float:
    return absolute_trailing_change(states[0], ts, horizon_ns)


@kernel
def relative_trailing_change_single(states: States, ts: int, horizon_ns: int) -> float:
    return relative_trailing_change(states[0], ts, horizon_ns)


@kernel
def update_trailing_change_many(
    states: States, i: int, ts: Ints, values: Floats, at: Ints, horizon_ns: int, out: Floats
) -> None:
    state = states[i]
    k = 0
    for n in range(len(at)):
        while k < len(ts) and ts[k] <= at[n]:
            update_trailing_change(state, ts[k], values[k])
            k += 1
        out[n, 0] = read_trailing_change(state, at[n], horizon_ns)
        out[n, 1] = absolute_trailing_change(state, at[n], horizon_ns)
        out[n, 2] = relative_trailing_change(state, at[n], horizon_ns)
    while k < len(ts):
        update_trailing_change(state, ts[k], values[k])
        k += 1


class TrailingChange:
    """Change of a value over horizons of up to `slots` x `slot_ns` nanoseconds.

    A value is known from its time on for `max_age_ns`: give somewhat more than the longest usual wait for the next one.
    """

    def __init__(self, slot_ns: int, slots: int, max_age_ns: int) -> None:
        self._states = new_states(trailing_change_dtype(slots))
        configure_trailing_change(self._states[0], slot_ns, max_age_ns)
        self._update = entry(update_trailing_change_single, self._states, 0, 0.0)
        self._read = entry(read_trailing_change_single, self._states, 0, 0)
        self._absolute = entry(absolute_trailing_change_single, self._states, 0, 0)
        self._relative = entry(relative_trailing_change_single, self._states, 0, 0)
        self._longest_ns = (window_of(self._states.dtype) - 1) * slot_ns

    @property
    def value(self) -> float:
        """The newest value however old it is, NaN before the first."""
        return float(self._states["newest"][0])

    @property
    def initialized(self) -> bool:
        """True once a value was seen."""
        return bool(self._states["newest_ns"][0] >= 0)

    def update(self, ts: int, value: float) -> None:
        """Take a finite value of the time `ts` (UNIX ns); one that is older than the newest changes nothing."""
        self._update(self._states, ts, value)

    def read(self, ts: int, horizon_ns: int) -> float:
        """Return the value a horizon before `ts`, NaN where it was not known.

        Raises:
            ValueError: the horizon is not positive or longer than the slots cover.
        """
        return self._read(self._states, ts, self._require(horizon_ns))

    def absolute(self, ts: int, horizon_ns: int) -> float:
        """Return the newest value minus that of :meth:`read`, NaN where either is not known at its time."""
        return self._absolute(self._states, ts, self._require(horizon_ns))

    def relative(self, ts: int, horizon_ns: int) -> float:
        """Return the change as a fraction of the value of :meth:`read`, NaN where that is not positive or not known."""
        return self._relative(self._states, ts, self._require(horizon_ns))

    def update_many(self, ts: npt.ArrayLike, values: npt.ArrayLike, at: npt.ArrayLike, horizon_ns: int) -> Floats:
        """Take columns of times and values, read at the ascending times `at`, each after the values up to it.

        Returns an array of shape (len(at), 3): value before, absolute and relative change; the same bits as one by one.
        """
        times, value, reads = int_column(ts), float_column(values), int_column(at)
        same_length(ts=times, values=value)
        out = np.empty((len(reads), 3))
        update_trailing_change_many(self._states, 0, times, value, reads, self._require(horizon_ns), out)
        return out

    def _require(self, horizon_ns: int) -> int:
        if whole("horizon_ns", horizon_ns) > self._longest_ns:
            raise ValueError(f"horizon_ns is {horizon_ns}: the slots reach back {self._longest_ns}; give more slots")
        return horizon_ns
