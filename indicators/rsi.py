"""Relative strength index (Wilder, New Concepts in Technical Trading Systems, 1978)."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole

RsiState = np.dtype(
    [
        ("value", "f8"),  # 0..100, NaN until `period` changes were seen
        ("gain", "f8"),  # sum while seeding, then Wilder's average
        ("loss", "f8"),
        ("last_close", "f8"),
        ("period", "i8"),
        ("count", "i8"),  # closes seen, stops at `period` + 1
    ]
)


def configure_rsi(state: State, period: int = 14) -> None:
    """Prepare a fresh record for `period` changes of the close."""
    state["period"] = whole("period", period)
    state["value"] = math.nan


@kernel
def update_rsi(state: State, close: float) -> float:
    """Take the next finite close and return the index."""
    change = close - state.last_close
    gain = change if change > 0.0 else 0.0
    loss = -change if change < 0.0 else 0.0
    state.last_close = close
    if state.count > state.period:
        state.gain = (state.gain * (state.period - 1) + gain) / state.period
        state.loss = (state.loss * (state.period - 1) + loss) / state.period
    else:
        state.count += 1
        if state.count == 1:
            return math.nan
        state.gain += gain
        state.loss += loss
        if state.count <= state.period:
            return math.nan
        state.gain /= state.period
        state.loss /= state.period
    moved = state.gain + state.loss
    state.value = 100.0 * (state.gain / moved) if moved > 0.0 else 0.0
    value: float = state.value
    return value


@kernel
def reset_rsi(state: State) -> None:
    """Forget every close, keep the period."""
    state.count = 0
    state.last_close = 0.0
    state.gain = 0.0
    state.loss = 0.0
    state.value = math.nan


@kernel
def update_rsi_single(states: States, close: float) -> float:
    return update_rsi(states[0], close)


@kernel
def update_rsi_many(states: States, i: int, closes: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(closes)):
        out[k] = update_rsi(state, closes[k])


class Rsi:
    """Wilder's RSI with TA-Lib's seed: the mean gain and loss of the first `period` changes.

    A market whose average gain and loss are both exactly zero gives 0, as in TA-Lib. TA-Lib takes anything below 1e-14
    for zero; here the scale of the price does not matter.
    """

    def __init__(self, period: int = 14) -> None:
        self._states = new_states(RsiState)
        configure_rsi(self._states[0], period)
        self.update: Callable[[float], float] = bound_entry(update_rsi_single, self._states, 0.0)
        """Take the next finite close and return the index."""

    @property
    def value(self) -> float:
        """The index, 0 to 100, NaN until initialised."""
        return float(self._states["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `period` + 1 closes were seen."""
        return bool(self._states["count"][0] > self._states["period"][0])

    def update_many(self, closes: npt.ArrayLike) -> Floats:
        """Take a column of closes, return the index after each: the same bits as `update` one by one."""
        column = float_column(closes)
        out = np.empty_like(column)
        update_rsi_many(self._states, 0, column, out)
        return out
