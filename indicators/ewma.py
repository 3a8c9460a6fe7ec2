"""Exponentially weighted mean and variance (West, Updating mean and variance estimates, CACM 22:9, 1979).

The weight of the newest value is 1/k for the k-th value until that falls below alpha = 2 / (span + 1): the first values
count alike, and no single one of them hangs on as a seed.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, whole

EwmaState = np.dtype(
    [
        ("zscore", "f8"),  # of the newest value against the baseline before it; NaN until initialised
        ("average", "f8"),
        ("variance", "f8"),
        ("alpha", "f8"),
        ("span", "i8"),
        ("count", "i8"),  # stops at `span`
    ]
)


def configure_ewma(state: State, span: int) -> None:
    """Prepare a fresh record with the weight 2 / (span + 1); scores begin after `span` values."""
    state["span"] = whole("span", span, minimum=2)
    state["alpha"] = 2.0 / (span + 1)
    state["zscore"] = math.nan


@kernel
def update_ewma(state: State, x: float) -> float:
    """Score the next finite value against the baseline, then let it enter the baseline; return the score.

    NaN until `span` values have entered. Against a baseline that never varied the score of an equal value is 0 and of
    any other NaN: there is no scale to measure it by.
    """
    distance = x - state.average
    state.zscore = math.nan
    if state.count == state.span:
        if state.variance > 0.0:
            state.zscore = distance / math.sqrt(state.variance)
        elif distance == 0.0:
            state.zscore = 0.0
    else:
        state.count += 1
    weight = max(state.alpha, 1.0 / state.count)
    step = weight * distance
    state.average += step
    state.variance = (1.0 - weight) * (state.variance + distance * step)
    zscore: float = state.zscore
    return zscore


@kernel
def reset_ewma(state: State) -> None:
    """Forget the baseline, keep the span."""
    state.zscore = math.nan
    state.average = 0.0
    state.variance = 0.0
    state.count = 0


@kernel
def update_ewma_single(states: States, x: float) -> float:
    return update_ewma(states[0], x)


@kernel
def update_ewma_many(states: States, i: int, xs: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(xs)):
        out[k] = update_ewma(state, xs[k])


class Ewma:
    """z-score of each value against the exponentially weighted mean and variance of those before it."""

    def __init__(self, span: int) -> None:
        self._states = new_states(EwmaState)
        configure_ewma(self._states[0], span)
        self.update: Callable[[float], float] = bound_entry(update_ewma_single, self._states, 0.0)
        """Take the next finite value and return its score against the baseline before it."""

    @property
    def value(self) -> float:
        """The newest value's score, NaN until initialised."""
        return float(self._states["zscore"][0])

    @property
    def mean(self) -> float:
        """The baseline's mean, the newest value included; NaN before the first."""
        return float(self._states["average"][0]) if self._states["count"][0] else math.nan

    @property
    def variance(self) -> float:
        """The baseline's variance, the newest value included; NaN before the first."""
        return float(self._states["variance"][0]) if self._states["count"][0] else math.nan

    @property
    def initialized(self) -> bool:
        """True once `span` values have entered the baseline, so that the next one is scored."""
        return bool(self._states["count"][0] == self._states["span"][0])

    def update_many(self, xs: npt.ArrayLike) -> Floats:
        """Take a column of values, return each one's score: the same bits as `update` one by one."""
        column = float_column(xs)
        out = np.empty_like(column)
        update_ewma_many(self._states, 0, column, out)
        return out
