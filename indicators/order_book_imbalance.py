"""Order book imbalance per depth band, and its z-score over the last n samples of the book.

The imbalance of a band is (bid - ask) / (bid + ask) of the depth within it, in [-1, 1]: positive when bids outweigh.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, entry, kernel, new_states
from indicators.parameters import float_column, same_length, whole
from indicators.rolling_moments import (
    configure_rolling_moments,
    rolling_moments_dtype,
    rolling_zscore,
    update_rolling_moments,
)


def order_book_imbalance_dtype(bands: int, window: int) -> np.dtype[np.void]:
    """Return the state's layout for `bands` depth bands and a window of `window` samples; compiled for each pair."""
    return np.dtype(
        [
            ("value", "f8", (whole("bands", bands),)),  # of the last sample; NaN where both sides are empty
            ("zscore", "f8", (bands,)),
            ("history", rolling_moments_dtype(window), (bands,)),
        ]
    )


def configure_order_book_imbalance(state: State) -> None:
    """Prepare a fresh record."""
    state["value"] = math.nan
    state["zscore"] = math.nan
    for history in state["history"]:
        configure_rolling_moments(history)


@kernel
def update_order_book_imbalance(state: State, band: int, bid_depth: float, ask_depth: float) -> float:
    """Take a sample of one band (depths in base units, not negative) and return its imbalance.

    Where both sides are empty the imbalance and its score are NaN and the sample does not enter the window.
    """
    depth = bid_depth + ask_depth
    if depth > 0.0:
        history = state.history[band]
        state.value[band] = (bid_depth - ask_depth) / depth
        update_rolling_moments(history, state.value[band])
        state.zscore[band] = rolling_zscore(history)
    else:
        state.value[band] = math.nan
        state.zscore[band] = math.nan
    value: float = state.value[band]
    return value


@kernel
def update_order_book_imbalance_single(states: States, band: int, bid_depth: float, ask_depth: float) -> float:
    return update_order_book_imbalance(states[0], band, bid_depth, ask_depth)


@kernel
def update_order_book_imbalance_many(
    states: States, i: int, band: int, bid_depths: Floats, ask_depths: Floats, values: Floats, zscores: Floats
) -> None:
    state = states[i]
    for k in range(len(bid_depths)):
        values[k] = update_order_book_imbalance(state, band, bid_depths[k], ask_depths[k])
        zscores[k] = state.zscore[band]


class OrderBookImbalance:
    """Imbalance of `bands` depth bands, each with its z-score over its last `window` samples."""

    def __init__(self, bands: int = 1, window: int = 300) -> None:
        self._states = new_states(order_book_imbalance_dtype(bands, window))
        configure_order_book_imbalance(self._states[0])
        self._bands = bands
        self._update = entry(update_order_book_imbalance_single, self._states, 0, 0.0, 0.0)

    @property
    def value(self) -> Floats:
        """The last imbalance of each band, NaN before its first sample and where both sides were empty."""
        return self._column("value")

    @property
    def zscore(self) -> Floats:
        """The last imbalance's z-score of each band, NaN until its window is full."""
        return self._column("zscore")

    @property
    def initialized(self) -> bool:
        """True once every band's window is full."""
        return not bool(np.isnan(self._states["history"]["average"][0]).any())

    def update(self, bid_depth: float, ask_depth: float, band: int = 0) -> float:
        """Take a sample of one band and return its imbalance. Raises ValueError for a band that does not exist."""
        self._require(band)
        return self._update(self._states, band, bid_depth, ask_depth)

    def update_many(self, bid_depths: npt.ArrayLike, ask_depths: npt.ArrayLike, band: int = 0) -> tuple[Floats, Floats]:
        """Take columns of samples of one band, return imbalance and z-score after each: the same bits as one by one."""
        self._require(band)
        bids, asks = float_column(bid_depths), float_column(ask_depths)
        out = np.empty((2, same_length(bid_depths=bids, ask_depths=asks)))
        update_order_book_imbalance_many(self._states, 0, band, bids, asks, out[0], out[1])
        return out[0], out[1]

    def _column(self, field: str) -> Floats:
        values: Floats = self._states[field][0].copy()
        return values

    def _require(self, band: int) -> None:
        if not 0 <= band < self._bands:
            raise ValueError(f"band is {band}, but there are {self._bands}: give 0 to {self._bands - 1}")
