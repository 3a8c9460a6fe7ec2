"""Whale bursts: runs of prints of one taker side above a high quantile of the notional of the runs before them.

A large order that is split, or that sweeps many resting orders, arrives as a run of small prints. A burst is a run of
prints of one taker side, each at most `gap_ns` after the one before. A print of the other side ends it, and so does a
longer gap. A print of unknown side ends no burst and joins none.

A burst is judged while it runs, against completed bursts only, so never against itself.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole
from indicators.sides import BUYER, SELLER, UNKNOWN
from indicators.tail_quantile import configure_tail_quantile, tail_quantile_dtype, update_tail_quantile


def whale_bursts_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for a window of `window` completed bursts; each length is compiled on its own."""
    return np.dtype(
        [
            ("side", "i8"),  # of the burst that runs; UNKNOWN where none does
            ("notional", "f8"),  # of the burst that runs, quote units
            ("volume", "f8"),  # of the burst that runs, base units
            ("prints", "i8"),
            ("is_whale", "i8"),  # 1 once the burst that runs has outgrown the threshold
            ("last_ns", "i8"),  # of the burst's last print
            ("gap_ns", "i8"),
            ("flow", "f8"),  # signed volume of all whale bursts so far, base units
            ("whales", "i8"),
            ("completed", tail_quantile_dtype(window)),  # notional of the last bursts: its value is the threshold
        ]
    )


def configure_whale_bursts(state: State, gap_ns: int, q: float = 0.99, min_count: int = 200) -> None:
    """Prepare a fresh record: bursts above the `q` quantile, judged once `min_count` bursts are complete."""
    state["gap_ns"] = whole("gap_ns", gap_ns, minimum=0)
    configure_tail_quantile(state["completed"], q, min_count)


@kernel
def advance_whale_bursts(state: State, ts: int) -> None:
    """Complete the running burst if at `ts` (UNIX ns) no print can join it any more.

    Only for readers of the running burst: it makes no difference to any later print.
    """
    if state.side != UNKNOWN and ts - state.last_ns > state.gap_ns:
        update_tail_quantile(state.completed, state.notional)
        state.side = UNKNOWN
        state.notional = 0.0
        state.volume = 0.0
        state.prints = 0
        state.is_whale = 0


@kernel
def update_whale_bursts(state: State, ts: int, price: float, size: float, taker_side: int) -> int:
    """Take a print (UNIX ns) and return 1 if with it the running burst becomes a whale, else 0: once a burst.

    `price` times `size` must be finite. A print that comes late counts as one at the time of the last.
    """
    if taker_side != BUYER and taker_side != SELLER:
        return 0
    notional = price * size
    volume = size
    joins = taker_side == state.side and ts - state.last_ns <= state.gap_ns
    state.last_ns = max(ts, state.last_ns)
    if joins:
        notional += state.notional
        volume += state.volume
        state.prints += 1
    else:
        if state.side != UNKNOWN:
            update_tail_quantile(state.completed, state.notional)
        state.side = taker_side
        state.prints = 1
        state.is_whale = 0
    state.notional = notional
    state.volume = volume
    entering = size
    became = 0
    if state.is_whale == 0:
        # compared with NaN, which the quantile is at first, nothing is above
        if not notional > state.completed.value:
            return 0
        state.is_whale = 1
        state.whales += 1
        entering = volume
        became = 1
    if taker_side == BUYER:
        state.flow += entering
    else:
        state.flow -= entering
    return became


@kernel
def update_whale_bursts_single(states: States, ts: int, price: float, size: float, taker_side: int) -> int:
    return update_whale_bursts(states[0], ts, price, size, taker_side)


@kernel
def advance_whale_bursts_single(states: States, ts: int) -> None:
    advance_whale_bursts(states[0], ts)


@kernel
def update_whale_bursts_many(
    states: States, i: int, ts: Ints, prices: Floats, sizes: Floats, taker_sides: Ints, out: npt.NDArray[np.bool]
) -> None:
    state = states[i]
    for k in range(len(prices)):
        out[k] = update_whale_bursts(state, ts[k], prices[k], sizes[k], taker_sides[k]) == 1


class WhaleBursts:
    """Bursts above the `q` quantile of the notional of the last `window` completed bursts, and their signed flow."""

    def __init__(self, gap_ns: int, window: int = 1000, q: float = 0.99, min_count: int = 200) -> None:
        self._states = new_states(whale_bursts_dtype(window))
        configure_whale_bursts(self._states[0], gap_ns, q, min_count)
        self._update = entry(update_whale_bursts_single, self._states, 0, 0.0, 0.0, 0)
        self._advance = entry(advance_whale_bursts_single, self._states, 0)

    @property
    def value(self) -> float:
        """Signed volume of all whale bursts so far, base units, the running one's included; NaN until initialised."""
        return float(self._states["flow"][0]) if self.initialized else math.nan

    @property
    def count(self) -> int:
        """How many bursts were whales."""
        return int(self._states["whales"][0])

    @property
    def side(self) -> int:
        """Taker side of the running burst: 1 buyer, 2 seller, 0 where none runs."""
        return int(self._states["side"][0])

    @property
    def notional(self) -> float:
        """Notional of the running burst, quote units; 0 where none runs."""
        return float(self._states["notional"][0])

    @property
    def prints(self) -> int:
        """Number of prints of the running burst."""
        return int(self._states["prints"][0])

    @property
    def is_whale(self) -> bool:
        """True while the running burst is above the threshold that held when it began."""
        return bool(self._states["is_whale"][0])

    @property
    def threshold(self) -> float:
        """The notional that a burst must exceed; NaN until initialised."""
        return float(self._states["completed"]["value"][0])

    @property
    def initialized(self) -> bool:
        """True once `min_count` bursts are complete, so that the next one is judged."""
        completed = self._states["completed"]
        return bool(completed["count"][0] >= completed["min_count"][0])

    def update(self, ts: int, price: float, size: float, taker_side: int) -> bool:
        """Take a print (UNIX ns; taker side 1 buyer, 2 seller, 0 unknown); return if it makes its burst a whale."""
        return self._update(self._states, ts, price, size, taker_side) == 1

    def advance(self, ts: int) -> None:
        """Complete the running burst if at `ts` (UNIX ns) no print can join it any more."""
        self._advance(self._states, ts)

    def update_many(
        self, ts: npt.ArrayLike, prices: npt.ArrayLike, sizes: npt.ArrayLike, taker_sides: npt.ArrayLike
    ) -> npt.NDArray[np.bool]:
        """Take columns of prints, return which make their burst a whale: the same as `update` one by one."""
        times, price, size, side = int_column(ts), float_column(prices), float_column(sizes), int_column(taker_sides)
        out = np.empty(same_length(ts=times, prices=price, sizes=size, taker_sides=side), dtype=np.bool)
        update_whale_bursts_many(self._states, 0, times, price, size, side, out)
        return out
