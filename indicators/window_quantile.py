"""Exact quantile of the last n values: the definition and the public face of the two ways to it.

The definition is ``numpy.quantile(window, q, method="higher")``: the member of the window at sorted position
ceil(q (m - 1)) of m, so the quantile is always a value that occurred.

:mod:`indicators.rolling_quantile` keeps two heaps, for any quantile; :mod:`indicators.tail_quantile` keeps the tail in
order, for high ones. Both give the same numbers.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, entry
from indicators.parameters import float_column, fraction, whole, window_of


def configure_window_quantile(state: State, q: float, min_count: int) -> None:
    """Prepare the fields that both ways share: the `q` quantile, defined once the window holds `min_count` values."""
    window = window_of(state.dtype)
    if whole("min_count", min_count) > window:
        raise ValueError(f"min_count is {min_count}, but the window holds {window}: give at most {window}")
    state["q"] = fraction("q", q)
    state["min_count"] = min_count
    state["value"] = math.nan


class WindowQuantile:
    """A quantile of the last values, over a configured state and its kernels: one value, and a column of them."""

    def __init__(
        self,
        states: States,
        update: Callable[[States, float], float],
        update_many: Callable[[States, int, Floats, Floats], None],
    ) -> None:
        self._states = states
        self._update = entry(update, states, 0.0)
        self._update_many = update_many

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
        self._update_many(self._states, 0, column, out)
        return out
