"""Time bars built from trades, aligned to the UNIX epoch.

One trade through :func:`add_trade` costs a comparison unless it completes bars. The number of bars that it completes is
returned, and the caller takes them one by one with :func:`take_bar` before the next event::

    completed = add_trade(state.bars, ts, price, size)
    if completed == SILENCE:
        reset_rsi(state.rsi)
    for _ in range(completed):
        take_bar(state.bars)
        update_rsi(state.rsi, state.bars.taken.close)

A step without trades is a flat bar at the last close with volume 0. After more than `max_flat` such bars in a row the
market counts as silent: no bars are made up any more, the caller is told once, and the next trade starts afresh.
Whether the clock was advanced between trades changes none of this. The first bar of a series starts with its first
trade, so it may cover less than a whole step.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole

SILENCE = -1
"""Returned instead of a number of bars when a silence has ended the series: reset what was fed from it."""

BarState = np.dtype(
    [
        ("start_ns", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
        ("trades", "i8"),
    ]
)

BarsState = np.dtype(
    [
        ("taken", BarState),  # the bar that `take_bar` has handed out last
        ("building", BarState),
        ("end_ns", "i8"),  # of the bar being built; 0 while there is none
        ("step_ns", "i8"),
        ("max_flat", "i8"),
        ("flat_bars", "i8"),  # completed bars without a trade in a row
        ("waiting", "i8"),  # 1 while `taken` holds the first of the completed bars, not yet handed out
    ]
)


def configure_bars(state: State, step_ns: int, max_flat: int = 60) -> None:
    """Prepare a fresh record for bars of `step_ns` nanoseconds, at most `max_flat` of them in a row without a trade."""
    state["step_ns"] = whole("step_ns", step_ns)
    state["max_flat"] = whole("max_flat", max_flat, minimum=0)


@kernel
def advance_bars(state: State, ts: int) -> int:
    """Complete the bars that end at or before `ts` (UNIX ns); return how many are to be taken, or SILENCE."""
    if ts < state.end_ns or state.end_ns == 0:
        return 0
    completed: int = 1 + (ts - state.end_ns) // state.step_ns
    building = state.building
    flat_before = state.flat_bars + 1 if building.trades == 0 else 0
    if flat_before + completed - 1 > state.max_flat:
        state.end_ns = 0
        state.flat_bars = 0
        return SILENCE
    state.flat_bars = flat_before + completed - 1
    state.waiting = 1
    taken = state.taken
    taken.start_ns = building.start_ns
    taken.open = building.open
    taken.high = building.high
    taken.low = building.low
    taken.close = building.close
    taken.volume = building.volume
    taken.trades = building.trades
    state.end_ns += completed * state.step_ns
    _make_flat(building, state.end_ns - state.step_ns, taken.close)
    return completed


@kernel
def add_trade(state: State, ts: int, price: float, size: float) -> int:
    """Complete the bars that end at or before `ts`, then add the trade; return as :func:`advance_bars`.

    A trade older than the bar being built (a late print) belongs to a bar that is gone: it counts in the current one.
    """
    completed = advance_bars(state, ts)
    building = state.building
    if state.end_ns == 0:
        start_ns = ts - ts % state.step_ns
        state.end_ns = start_ns + state.step_ns
        _make_flat(building, start_ns, price)
    if building.trades == 0:
        building.open = price
        building.high = price
        building.low = price
    else:
        building.high = max(building.high, price)
        building.low = min(building.low, price)
    building.close = price
    building.volume += size
    building.trades += 1
    return completed


@kernel
def take_bar(state: State) -> None:
    """Put the next completed bar into ``state.taken``. Call it as often as bars were completed."""
    if state.waiting == 1:
        state.waiting = 0
    else:
        _make_flat(state.taken, state.taken.start_ns + state.step_ns, state.taken.close)


@kernel
def _make_flat(bar: State, start_ns: int, price: float) -> None:
    bar.start_ns = start_ns
    bar.open = price
    bar.high = price
    bar.low = price
    bar.close = price
    bar.volume = 0.0
    bar.trades = 0


@kernel
def add_trade_single(states: States, ts: int, price: float, size: float) -> int:
    return add_trade(states[0], ts, price, size)


@kernel
def advance_bars_single(states: States, ts: int) -> int:
    return advance_bars(states[0], ts)


@kernel
def take_bar_single(states: States) -> None:
    take_bar(states[0])


@kernel
def count_bars(states: States, i: int, ts: Ints, prices: Floats, sizes: Floats) -> int:
    state = states[i]
    total = 0
    for k in range(len(ts)):
        total += max(0, add_trade(state, ts[k], prices[k], sizes[k]))
    return total


@kernel
def fill_bars(states: States, i: int, ts: Ints, prices: Floats, sizes: Floats, out: States) -> int:
    state = states[i]
    row = 0
    silences = 0
    for k in range(len(ts)):
        completed = add_trade(state, ts[k], prices[k], sizes[k])
        silences += completed == SILENCE
        for _ in range(completed):
            take_bar(state)
            out[row] = state.taken
            row += 1
    return silences


class Bar(NamedTuple):
    """A completed bar: `start_ns` in UNIX ns, prices in quote per base, volume in the unit of the sizes."""

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


class TimeBars:
    """Bars of `step_ns` from trades; a series ends after more than `max_flat` bars without a trade.

    `silences` counts the series that ended so.
    """

    def __init__(self, step_ns: int, max_flat: int = 60) -> None:
        self._states = new_states(BarsState)
        configure_bars(self._states[0], step_ns, max_flat)
        self._add = entry(add_trade_single, self._states, 0, 0.0, 0.0)
        self._advance = entry(advance_bars_single, self._states, 0)
        self._take = entry(take_bar_single, self._states)
        self.silences = 0

    @property
    def initialized(self) -> bool:
        """True while a bar is being built."""
        return bool(self._states["end_ns"][0])

    def update(self, ts: int, price: float, size: float) -> list[Bar]:
        """Take a trade (UNIX ns, finite price and size), return the bars that it completed, oldest first."""
        return self._taken(self._add(self._states, ts, price, size))

    def advance(self, ts: int) -> list[Bar]:
        """Return the bars that end at or before `ts`, without a trade."""
        return self._taken(self._advance(self._states, ts))

    def update_many(self, ts: npt.ArrayLike, prices: npt.ArrayLike, sizes: npt.ArrayLike) -> States:
        """Take columns of trades, return the completed bars as an array with the fields of :class:`Bar`.

        A silence shows as a gap in ``start_ns``.
        """
        times, price, size = int_column(ts), float_column(prices), float_column(sizes)
        same_length(ts=times, prices=price, sizes=size)
        out = new_states(BarState, count_bars(self._states.copy(), 0, times, price, size))
        self.silences += fill_bars(self._states, 0, times, price, size, out)
        return out

    def _taken(self, completed: int) -> list[Bar]:
        if completed == SILENCE:
            self.silences += 1
            return []
        bars = []
        for _ in range(completed):
            self._take(self._states)
            bars.append(Bar(*self._states["taken"][0].item()))
        return bars
