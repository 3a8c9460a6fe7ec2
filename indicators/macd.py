"""Moving average convergence/divergence (Appel, 1979): MACD line, signal line and histogram."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.ema import EmaState, configure_ema, reset_ema, update_ema
from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole

MacdState = np.dtype(
    [
        ("value", "f8"),  # all three are NaN until `slow` + `signal` - 1 values were seen
        ("signal", "f8"),
        ("histogram", "f8"),
        ("fast_ema", EmaState),
        ("slow_ema", EmaState),
        ("signal_ema", EmaState),  # of the MACD line
        ("waited", "i8"),  # values kept from the fast average, so that both seeds end at the same value
    ]
)


def configure_macd(state: State, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
    """Prepare a fresh record for averages of `fast` and `slow` values and a signal line of `signal` MACD values.

    Raises:
        ValueError: `fast` is not below `slow`. TA-Lib would swap the two in silence.
    """
    whole("fast", fast)
    if whole("slow", slow) <= fast:
        raise ValueError(f"fast is {fast!r} and slow {slow!r}: the fast average must be the shorter one")
    configure_ema(state["fast_ema"], fast)
    configure_ema(state["slow_ema"], slow)
    configure_ema(state["signal_ema"], whole("signal", signal))
    state["value"] = math.nan
    state["signal"] = math.nan
    state["histogram"] = math.nan


@kernel
def update_macd(state: State, x: float) -> float:
    """Take the next finite value and return the MACD line."""
    slow = update_ema(state.slow_ema, x)
    if state.waited < state.slow_ema.period - state.fast_ema.period:
        state.waited += 1
        return math.nan
    fast = update_ema(state.fast_ema, x)
    if state.slow_ema.count < state.slow_ema.period:
        return math.nan
    line = fast - slow
    signal = update_ema(state.signal_ema, line)
    if state.signal_ema.count < state.signal_ema.period:
        return math.nan
    state.value = line
    state.signal = signal
    state.histogram = line - signal
    return line


@kernel
def reset_macd(state: State) -> None:
    """Forget every value, keep the periods."""
    reset_ema(state.fast_ema)
    reset_ema(state.slow_ema)
    reset_ema(state.signal_ema)
    state.waited = 0
    state.value = math.nan
    state.signal = math.nan
    state.histogram = math.nan


@kernel
def update_macd_single(states: States, x: float) -> float:
    return update_macd(states[0], x)


@kernel
def update_macd_many(states: States, i: int, xs: Floats, lines: Floats, signals: Floats, histograms: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        lines[k] = update_macd(state, xs[k])
        signals[k] = state.signal
        histograms[k] = state.histogram


class Macd:
    """MACD with TA-Lib's seeds and warm-up.

    Both averages are seeded with plain means that end at the `slow`-th value, the signal line with the mean of the
    first `signal` differences; all three values begin there, at value `slow` + `signal` - 1.
    """

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        self._states = new_states(MacdState)
        configure_macd(self._states[0], fast, slow, signal)
        self.update: Callable[[float], float] = bound_entry(update_macd_single, self._states, 0.0)
        """Take the next finite value and return the MACD line."""

    @property
    def value(self) -> float:
        """The MACD line, fast minus slow average, in the unit of the input; NaN until initialised."""
        return float(self._states["value"][0])

    @property
    def signal(self) -> float:
        """The exponential average of the MACD line, NaN until initialised."""
        return float(self._states["signal"][0])

    @property
    def histogram(self) -> float:
        """MACD line minus signal line, NaN until initialised."""
        return float(self._states["histogram"][0])

    @property
    def initialized(self) -> bool:
        """True once `slow` + `signal` - 1 values were seen."""
        signal = self._states["signal_ema"]
        return bool(signal["count"][0] == signal["period"][0])

    def update_many(self, xs: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Take a column, return MACD line, signal line and histogram after each value: the same bits as one by one."""
        column = float_column(xs)
        out = np.empty((3, len(column)))
        update_macd_many(self._states, 0, column, out[0], out[1], out[2])
        return out[0], out[1], out[2]
