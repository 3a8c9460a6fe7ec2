"""Bollinger bands (Bollinger on Bollinger Bands, 2001) on :mod:`indicators.rolling_moments`, which does not drift.

%b and bandwidth are taken from the deviation itself. Where the price is high and the band narrow, a difference of the
two bands would have few correct digits left.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import finite, float_column
from indicators.rolling_moments import (
    configure_rolling_moments,
    reset_rolling_moments,
    rolling_moments_dtype,
    update_rolling_moments,
)


def bollinger_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` values; each window length is compiled on its own."""
    return np.dtype(
        [
            ("middle", "f8"),  # all five are NaN until the window is full
            ("upper", "f8"),
            ("lower", "f8"),
            ("percent_b", "f8"),
            ("bandwidth", "f8"),
            ("deviations", "f8"),
            ("moments", rolling_moments_dtype(window)),
        ]
    )


def configure_bollinger(state: State, deviations: float = 2.0) -> None:
    """Prepare a fresh record for bands `deviations` (above 0) population standard deviations from the mean."""
    if finite("deviations", deviations) <= 0.0:
        raise ValueError(f"deviations is {deviations!r}: give a number above 0")
    state["deviations"] = deviations
    for name in ("middle", "upper", "lower", "percent_b", "bandwidth"):
        state[name] = math.nan
    configure_rolling_moments(state["moments"])


@kernel
def update_bollinger(state: State, x: float) -> float:
    """Take the next finite value and return the middle band.

    %b is NaN where the band has no width, since all values of the window are equal; bandwidth is NaN where the mean is
    zero.
    """
    moments = state.moments
    update_rolling_moments(moments, x)
    window = len(moments.ring)
    if moments.count == window:
        half_width = state.deviations * math.sqrt(moments.variance)
        state.middle = moments.average
        state.upper = moments.average + half_width
        state.lower = moments.average - half_width
        state.percent_b = math.nan
        if half_width > 0.0:
            # the mean as a distance from the reference: the mean itself is rounded to the digits of the price
            state.percent_b = 0.5 + 0.5 * ((x - moments.reference - moments.total / window) / half_width)
        state.bandwidth = 2.0 * half_width / moments.average if moments.average != 0.0 else math.nan
    middle: float = state.middle
    return middle


@kernel
def reset_bollinger(state: State) -> None:
    """Forget every value, keep the width in deviations."""
    reset_rolling_moments(state.moments)
    state.middle = math.nan
    state.upper = math.nan
    state.lower = math.nan
    state.percent_b = math.nan
    state.bandwidth = math.nan


@kernel
def update_bollinger_single(states: States, x: float) -> float:
    return update_bollinger(states[0], x)


@kernel
def update_bollinger_many(
    states: States,
    i: int,
    xs: Floats,
    middles: Floats,
    uppers: Floats,
    lowers: Floats,
    percent_bs: Floats,
    bandwidths: Floats,
) -> None:
    state = states[i]
    for k in range(len(xs)):
        middles[k] = update_bollinger(state, xs[k])
        uppers[k] = state.upper
        lowers[k] = state.lower
        percent_bs[k] = state.percent_b
        bandwidths[k] = state.bandwidth


class BollingerColumns(NamedTuple):
    """The five values after each value of a column."""

    middle: Floats
    upper: Floats
    lower: Floats
    percent_b: Floats
    bandwidth: Floats


class Bollinger:
    """Mean of the last `window` values and bands `deviations` population standard deviations around it (as TA-Lib)."""

    def __init__(self, window: int = 20, deviations: float = 2.0) -> None:
        self._states = new_states(bollinger_dtype(window))
        configure_bollinger(self._states[0], deviations)
        self.update: Callable[[float], float] = bound_entry(update_bollinger_single, self._states, 0.0)
        """Take the next finite value and return the middle band."""

    @property
    def value(self) -> float:
        """The middle band, which is the mean of the window, NaN until initialised."""
        return float(self._states["middle"][0])

    @property
    def upper(self) -> float:
        """The upper band in the unit of the input, NaN until initialised."""
        return float(self._states["upper"][0])

    @property
    def lower(self) -> float:
        """The lower band in the unit of the input, NaN until initialised."""
        return float(self._states["lower"][0])

    @property
    def percent_b(self) -> float:
        """Where the newest value stands: 0 on the lower band, 1 on the upper one, beyond them outside.

        NaN until initialised and where the band has no width.
        """
        return float(self._states["percent_b"][0])

    @property
    def bandwidth(self) -> float:
        """Upper minus lower band as a fraction of the middle one, NaN until initialised and where the mean is zero."""
        return float(self._states["bandwidth"][0])

    @property
    def initialized(self) -> bool:
        """True once the window is full."""
        return not math.isnan(self.value)

    def update_many(self, xs: npt.ArrayLike) -> BollingerColumns:
        """Take a column of values, return all five values after each: the same bits as `update` one by one."""
        column = float_column(xs)
        out = np.empty((5, len(column)))
        update_bollinger_many(self._states, 0, column, out[0], out[1], out[2], out[3], out[4])
        return BollingerColumns(*out)
