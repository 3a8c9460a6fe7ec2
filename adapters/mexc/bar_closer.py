"""When a bar is over. The venue pushes the bar in progress at every trade and never says that it is closed. Pure."""

from dataclasses import dataclass

from adapters.mexc.bars import BarRow


@dataclass(frozen=True)
class Closed:
    """What to publish: the closed bar if it is whole, and the span to ask REST for if something was missed.

    `missing` is a span of bar starts, UNIX seconds, first and last included.
    """

    row: BarRow | None = None
    missing: tuple[int, int] | None = None


class BarCloser:
    """The bars of one type: a bar is closed by a later one, or when its time and a grace are over without one.

    What is pushed is always the whole bar so far, so a lost connection only costs what changed in a bar after the last
    push that came through: such a bar, and those that had no push at all, are asked for.
    """

    def __init__(self, seconds: int, grace_seconds: float) -> None:
        self._seconds = seconds
        self._grace = grace_seconds
        self._open: BarRow | None = None
        self._last_closed = 0
        self._broken = False

    def on_row(self, row: BarRow) -> Closed | None:
        """A pushed bar; returns what it closes."""
        before = self._open
        if row.start <= self._last_closed or (before is not None and row.start < before.start):
            return None  # late: its bar has been published
        self._open = row
        broken, self._broken = self._broken, False
        if before is not None and row.start == before.start:
            return None
        if broken:
            return self._ask_for(before.start if before else self._last_closed + self._seconds, row.start)
        if before is None:
            return None
        self._last_closed = before.start
        return Closed(row=before)

    def on_time(self, now_seconds: float) -> Closed | None:
        """The clock (the venue's, UNIX seconds); returns what is over."""
        row = self._open
        if row is None or now_seconds < row.start + self._seconds + self._grace:
            return None
        self._open = None
        if self._broken:
            return self._ask_for(row.start, row.start + self._seconds)
        self._last_closed = row.start
        return Closed(row=row)

    def on_disconnected(self) -> None:
        """The connection was lost: from the bar in progress on, something may be missing."""
        self._broken = self._open is not None or self._last_closed > 0

    def _ask_for(self, first: int, end: int) -> Closed | None:
        """The bars that start from `first` to before `end`."""
        last = end - self._seconds
        if last < first:
            return None
        self._last_closed = last
        return Closed(missing=(first, last))
