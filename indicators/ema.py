"""Exponential moving average."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole

EmaState = np.dtype(
    [
        ("value", "f8"),  # NaN until `period` values were seen
        ("alpha", "f8"),
        ("seed_total", "f8"),
        ("period", "i8"),
        ("count", "i8"),  # stops at `period`
    ]
)


def configure_ema(state: State, period: int) -> None:
    """Prepare a fresh record for an average of `period` values (weight of the newest: 2 / (period + 1))."""
    state["period"] = whole("period", period)
    state["alpha"] = 2.0 / (period + 1)
    state["value"] = math.nan


@kernel
def update_ema(state: State, x: float) -> float:
    """Take the next finite value and return the average."""
    if state.count >= state.period:
        state.value += state.alpha * (x - state.value)
    else:
        state.count += 1
        state.seed_total += x
        if state.count == state.period:
            state.value = state.seed_total / state.period
    value: float = state.value
    return value


@kernel
def reset_ema(state: State) -> None:
    """Forget every value, keep the period."""
    state.count = 0
    state.seed_total = 0.0
    state.value = math.nan


@kernel
def update_ema_single(states: States, x: float) -> float:
    return update_ema(states[0], x)


@kernel
def update_ema_many(states: States, i: int, xs: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        out[k] = update_ema(state, xs[k])


class Ema:
    """Exponential moving average, seeded as TA-Lib does: with the plain mean of the first `period` values."""

    def __init__(self, period: int) -> None:
        self._states = new_states(EmaState)
        configure_ema(self._states[0], period)
        self.update: Callable[[float], float] = bound_entry(update_ema_single, self._states, 0.0)
        """Take the next finite value and return the average."""

    @property
    def value(self) -> float:
        """The average in the unit of the input, NaN until initialised."""
        return float(self._states["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `period` values were seen."""
        return bool(self._states["count"][0] == self._states["period"][0])

    def update_many(self, xs: npt.ArrayLike) -> Floats:
        """Take a column of values, return the average after each: the same bits as `update` one by one."""
        column = float_column(xs)
        out = np.empty_like(column)
        update_ema_many(self._states, 0, column, out)
        return out
