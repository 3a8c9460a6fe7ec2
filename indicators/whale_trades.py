"""Whale trades: single prints above a high quantile of the notional of the trades before them."""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length
from indicators.sides import BUYER, SELLER
from indicators.tail_quantile import configure_tail_quantile, tail_quantile_dtype, update_tail_quantile


def whale_trades_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for a window of `window` trades; each length is compiled on its own."""
    return np.dtype(
        [
            ("flow", "f8"),  # signed size of all whales so far, base units
            ("volume", "f8"),
            ("whales", "i8"),
            ("notional", tail_quantile_dtype(window)),  # of the last trades: its value is the next one's threshold
        ]
    )


def configure_whale_trades(state: State, q: float = 0.99, min_count: int = 200) -> None:
    """Prepare a fresh record: prints above the `q` quantile, judged once the window holds `min_count` trades."""
    configure_tail_quantile(state["notional"], q, min_count)


@kernel
def update_whale_trades(state: State, price: float, size: float, taker_side: int) -> int:
    """Judge a print by the window before it, then let it enter; return 1 for a whale, else 0.

    `price` times `size` must be finite. A whale of unknown side counts in the volume only.
    """
    notional = price * size
    # compared with NaN, which the quantile is at first, nothing is above
    whale = 1 if notional > state.notional.value else 0
    if whale == 1:
        state.whales += 1
        state.volume += size
        if taker_side == BUYER:
            state.flow += size
        elif taker_side == SELLER:
            state.flow -= size
    update_tail_quantile(state.notional, notional)
    return whale


@kernel
def update_whale_trades_single(states: States, price: float, size: float, taker_side: int) -> int:
    return update_whale_trades(states[0], price, size, taker_side)


@kernel
def update_whale_trades_many(
    states: States, i: int, prices: Floats, sizes: Floats, taker_sides: Ints, out: npt.NDArray[np.bool]
) -> None:
    state = states[i]
    for k in range(len(prices)):
        out[k] = update_whale_trades(state, prices[k], sizes[k], taker_sides[k]) == 1


class WhaleTrades:
    """Prints above the `q` quantile of the notional of the last `window` trades, and their signed flow."""

    def __init__(self, window: int = 1000, q: float = 0.99, min_count: int = 200) -> None:
        self._states = new_states(whale_trades_dtype(window))
        configure_whale_trades(self._states[0], q, min_count)
        self._update = entry(update_whale_trades_single, self._states, 0.0, 0.0, 0)

    @property
    def value(self) -> float:
        """Signed size of all whales since the first trade, base units; NaN until initialised."""
        return float(self._states["flow"][0]) if self.initialized else math.nan

    @property
    def volume(self) -> float:
        """Size of all whales, those of unknown side included."""
        return float(self._states["volume"][0])

    @property
    def count(self) -> int:
        """How many prints were whales."""
        return int(self._states["whales"][0])

    @property
    def threshold(self) -> float:
        """The notional that the next print must exceed; NaN until initialised."""
        return float(self._states["notional"]["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `min_count` trades were seen, so that the next one is judged."""
        notional = self._states["notional"]
        return bool(notional["count"][0] >= notional["min_count"][0])

    def update(self, price: float, size: float, taker_side: int) -> bool:
        """Take a trade (taker side 1 buyer, 2 seller, 0 unknown) and return whether it is a whale."""
        return self._update(self._states, price, size, taker_side) == 1

    def update_many(
        self, prices: npt.ArrayLike, sizes: npt.ArrayLike, taker_sides: npt.ArrayLike
    ) -> npt.NDArray[np.bool]:
        """Take columns of trades, return which are whales: the same as `update` one by one."""
        price, size, side = float_column(prices), float_column(sizes), int_column(taker_sides)
        out = np.empty(same_length(prices=price, sizes=size, taker_sides=side), dtype=np.bool)
        update_whale_trades_many(self._states, 0, price, size, side, out)
        return out
