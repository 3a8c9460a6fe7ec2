"""Average true range (Wilder, New Concepts in Technical Trading Systems, 1978)."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, same_length, whole

AtrState = np.dtype(
    [
        ("value", "f8"),  # in the unit of the price, NaN until `period` true ranges were seen
        ("seed_total", "f8"),
        ("last_close", "f8"),
        ("period", "i8"),
        ("count", "i8"),  # bars seen, stops at `period` + 1
    ]
)


def configure_atr(state: State, period: int = 14) -> None:
    """Prepare a fresh record for `period` true ranges."""
    state["period"] = whole("period", period)
    state["value"] = math.nan


@kernel
def update_atr(state: State, high: float, low: float, close: float) -> float:
    """Take the next bar (finite, low <= close <= high) and return the average."""
    true_range = max(high, state.last_close) - min(low, state.last_close)
    state.last_close = close
    if state.count > state.period:
        state.value = (state.value * (state.period - 1) + true_range) / state.period
    else:
        state.count += 1
        # the first bar has no previous close, so no true range
        if state.count > 1:
            state.seed_total += true_range
        if state.count > state.period:
            state.value = state.seed_total / state.period
    value: float = state.value
    return value


@kernel
def reset_atr(state: State) -> None:
    """Forget every bar, keep the period."""
    state.count = 0
    state.last_close = 0.0
    state.seed_total = 0.0
    state.value = math.nan


@kernel
def update_atr_single(states: States, high: float, low: float, close: float) -> float:
    return update_atr(states[0], high, low, close)


@kernel
def update_atr_many(states: States, i: int, highs: Floats, lows: Floats, closes: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(closes)):
        out[k] = update_atr(state, highs[k], lows[k], closes[k])


class Atr:
    """Wilder's ATR with TA-Lib's seed: the mean of the first `period` true ranges."""

    def __init__(self, period: int = 14) -> None:
        self._states = new_states(AtrState)
        configure_atr(self._states[0], period)
        self.update: Callable[[float, float, float], float] = bound_entry(
            update_atr_single, self._states, 0.0, 0.0, 0.0
        )
        """Take the next bar (finite, low <= close <= high) and return the average."""

    @property
    def value(self) -> float:
        """The average true range in the unit of the price, NaN until initialised."""
        return float(self._states["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `period` + 1 bars were seen."""
        return bool(self._states["count"][0] > self._states["period"][0])

    def update_many(self, highs: npt.ArrayLike, lows: npt.ArrayLike, closes: npt.ArrayLike) -> Floats:
        """Take columns of bars, return the average after each: the same bits as `update` one by one."""
        high, low, close = float_column(highs), float_column(lows), float_column(closes)
        out = np.empty(same_length(highs=high, lows=low, closes=close))
        update_atr_many(self._states, 0, high, low, close, out)
        return out
