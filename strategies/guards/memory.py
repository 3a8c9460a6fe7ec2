"""What the guards must not forget in a restart. The journal keeps it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from strategies.guards.halt import DAY_NS
from strategies.guards.inputs import ClosedTrade, Money, known_money


@dataclass(frozen=True)
class GuardMemory:
    """Equity of the day in account currency, the run of losses, and how far trades, time and journal have been read.

    `day` counts UTC days since 1970 (-1: none yet). `day_start` and `peak` are None until equity was known that day.
    `counted_ns` is the latest exit of a trade that was counted, `seen_ns` the last check that was written (UNIX ns),
    `event_id` the last event of the journal that was taken in.
    """

    day: int = -1
    day_start: Decimal | None = None
    peak: Decimal | None = None
    losses: int = 0
    counted_ns: int = 0
    event_id: int = 0
    seen_ns: int = field(default=0, compare=False)  # alone no reason to write

    def advanced(self, now_ns: int, equity: Money, closed: Iterable[ClosedTrade]) -> Self:
        """The memory after a check at `now_ns`, with `closed` the trades that were not counted before.

        A result that is not known counts as a loss. Equity that is unknown or not positive is no reference.
        """
        day, start, peak = now_ns // DAY_NS, self.day_start, self.peak
        if day != self.day:
            start = peak = None
        amount = known_money(equity)
        if amount is not None and amount > 0:
            start = amount if start is None else start
            peak = amount if peak is None else max(peak, amount)
        losses, counted = self.losses, self.counted_ns
        for trade in closed:
            net = known_money(trade.net)
            losses = losses + 1 if net is None or net < 0 else 0
            counted = max(counted, trade.exit_ns)
        return type(self)(day, start, peak, losses, counted, self.event_id, now_ns)

    def rebased(self) -> Self:
        """Forget the day's references: the next known equity is both."""
        return replace(self, day_start=None, peak=None)
