"""Bars of the prints that a venue publishes, minute by minute; longer ones are put together when asked for."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from adapters.loopback.matching.order import ZERO

MINUTE_S = 60


@dataclass
class Bar:
    """`start_s` is UNIX seconds; `open` is the close of the bar before, `first` the first price that traded."""

    start_s: int
    open: Decimal
    first: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vol: Decimal = ZERO
    turnover: Decimal = ZERO  # quote currency

    @property
    def outer_high(self) -> Decimal:
        """With the close before."""
        return max(self.high, self.open)

    @property
    def outer_low(self) -> Decimal:
        return min(self.low, self.open)


class BarStore:
    """Minute bars by name (a symbol, or a symbol's index or fair price).

    `history` gives the bars from before the first print of a name; it is asked once, and only when somebody wants bars.
    """

    def __init__(self) -> None:
        self.history: Callable[[str], list[Bar]] = lambda _: []
        self._minutes: defaultdict[str, list[Bar]] = defaultdict(list)
        self._past: dict[str, list[Bar]] = {}
        self._days: dict[str, tuple[int, Bar | None]] = {}  # by name: minutes that are done, and all of them as one

    def add(self, name: str, ts_ms: int, price: Decimal, vol: Decimal = ZERO, turnover: Decimal = ZERO) -> None:
        """Take a price. One from before the last bar counts into the last bar."""
        bars = self._minutes[name]
        start = ts_ms // 1000 // MINUTE_S * MINUTE_S
        if not bars or start > bars[-1].start_s:
            bars.append(Bar(start, bars[-1].close if bars else price, price, price, price, price))
        bar = bars[-1]
        bar.high, bar.low = max(bar.high, price), min(bar.low, price)
        bar.close = price
        bar.vol += vol
        bar.turnover += turnover

    def bars(self, name: str, start_s: int, end_s: int, step_s: int) -> list[Bar]:
        """Bars of `step_s` that begin within `start_s` to `end_s`, inclusive; the last may be in progress.

        Minutes without a print have no bar.
        """
        if name not in self._past:
            self._past[name] = self.history(name)
        joined: dict[int, Bar] = {}
        for minute in (*self._past[name], *self._minutes[name]):
            start = minute.start_s // step_s * step_s
            if start_s <= start <= end_s:
                _join(joined, start, minute)
        return list(joined.values())

    def since_start(self, name: str) -> Bar | None:
        """All prints of a name as one bar; None while there are none."""
        minutes = self._minutes[name]
        if not minutes:
            return None
        done, whole = self._days.get(name, (0, None))
        joined = {} if whole is None else {0: whole}
        for minute in minutes[done:-1]:
            _join(joined, 0, minute)
        self._days[name] = (len(minutes) - 1, joined.get(0))
        now = {start: replace(bar) for start, bar in joined.items()}
        _join(now, 0, minutes[-1])
        return now[0]


def _join(joined: dict[int, Bar], start: int, minute: Bar) -> None:
    bar = joined.get(start)
    if bar is None:
        joined[start] = Bar(
            start, minute.open, minute.first, minute.high, minute.low, minute.close, minute.vol, minute.turnover
        )
        return
    bar.high, bar.low = max(bar.high, minute.high), min(bar.low, minute.low)
    bar.close = minute.close
    bar.vol += minute.vol
    bar.turnover += minute.turnover
