"""Cumulative volume delta: buyer-initiated minus seller-initiated volume, in base units.

The sums are plain running sums of doubles in the order of the events, so that independent code gets the same bits.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, bound_entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length
from indicators.sides import taker_sign

CvdState = np.dtype(
    [
        ("delta", "f8"),
        ("volume", "f8"),  # of all trades, those of unknown side included
        ("buy_volume", "f8"),
        ("sell_volume", "f8"),
        ("trades", "i8"),
    ]
)


@kernel
def update_cvd(state: State, size: float, taker_side: int) -> float:
    """Take a trade of `size` base units (finite, positive) and return the delta.

    A trade whose side is neither BUYER nor SELLER counts in the volume only. A zeroed record is ready for use.
    """
    state.trades += 1
    state.volume += size
    sign = taker_sign(taker_side)
    state.buy_volume += max(sign, 0.0) * size
    state.sell_volume += max(-sign, 0.0) * size
    state.delta += sign * size
    delta: float = state.delta
    return delta


@kernel
def update_cvd_single(states: States, size: float, taker_side: int) -> float:
    return update_cvd(states[0], size, taker_side)


@kernel
def update_cvd_many(states: States, i: int, sizes: Floats, taker_sides: Ints, out: Floats) -> None:
    state = states[i]
    for k in range(len(sizes)):
        out[k] = update_cvd(state, sizes[k], taker_sides[k])


class Cvd:
    """Cumulative volume delta of one market since its first trade, in the unit of the sizes."""

    def __init__(self) -> None:
        self._states = new_states(CvdState)
        self.update: Callable[[float, int], float] = bound_entry(update_cvd_single, self._states, 0.0, 0)
        """Take a trade (taker side 1 buyer, 2 seller, 0 unknown) and return the delta."""

    @property
    def value(self) -> float:
        """The delta, NaN before the first trade."""
        return float(self._states["delta"][0]) if self.initialized else math.nan

    @property
    def volume(self) -> float:
        """All volume, that of unknown side included."""
        return float(self._states["volume"][0])

    @property
    def buy_volume(self) -> float:
        """Buyer-initiated volume."""
        return float(self._states["buy_volume"][0])

    @property
    def sell_volume(self) -> float:
        """Seller-initiated volume."""
        return float(self._states["sell_volume"][0])

    @property
    def initialized(self) -> bool:
        """True once a trade was seen."""
        return bool(self._states["trades"][0])

    def update_many(self, sizes: npt.ArrayLike, taker_sides: npt.ArrayLike) -> Floats:
        """Take columns of trades, return the delta after each: the same bits as `update` one by one."""
        size, side = float_column(sizes), int_column(taker_sides)
        out = np.empty(same_length(sizes=size, taker_sides=side))
        update_cvd_many(self._states, 0, size, side, out)
        return out
