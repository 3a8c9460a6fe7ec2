"""Minute bars of an asset from the prices of its scans: returns for correlation, and swings for stops.

A scan sees a price every few seconds, so highs and lows are those of what was seen, never more extreme than the
market's own.
"""

import math
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from strategies.selection import shrunk_correlation
from strategies.stops import SwingTracker

MINUTE_NS = 60_000_000_000


class MinuteHistory:
    """The last `minutes` closes of an asset, with its swings of `swing_bars` bars on either side.

    A minute without a price has none; the swings then begin anew. Raises ValueError for fewer than 2 minutes.
    """

    def __init__(self, minutes: int, swing_bars: int) -> None:
        if minutes < 2:
            raise ValueError(f"minutes must be at least 2, got {minutes}: a return needs two closes")
        self.swings = SwingTracker(swing_bars)
        self._closes = np.full(minutes + 1, math.nan)
        self._minute = -1
        self._high = self._low = math.nan

    @property
    def minute(self) -> int:
        """The minute since 1970 that is being made; -1 before the first price."""
        return self._minute

    def update(self, ts: int, price: float) -> None:
        """Take the price of a scan at `ts` (UNIX ns, never before the last); one that is not known changes nothing."""
        if not (math.isfinite(price) and price > 0):
            return
        minute = ts // MINUTE_NS
        if minute != self._minute:
            self._turn(minute)
            self._high = self._low = price
        self._high, self._low = max(self._high, price), min(self._low, price)
        self._closes[minute % len(self._closes)] = price

    def returns(self, minute: int) -> NDArray[np.float64]:
        """Returns of the minutes before `minute`, oldest first, shape (minutes - 1,): NaN where a close is missing, or
        is too old to be remembered."""
        size = len(self._closes)
        order = np.arange(minute - size + 1, minute)
        known = (order <= self._minute) & (order > self._minute - size)
        closes = np.where(known, self._closes[order % size], math.nan)
        return np.asarray(closes[1:] / closes[:-1] - 1)

    def _turn(self, minute: int) -> None:
        """End the minute that was being made, and clear those that had no price."""
        if self._minute >= 0:
            self.swings.update(Decimal(repr(self._high)), Decimal(repr(self._low)))
            skipped = min(minute - self._minute - 1, len(self._closes))
            for k in range(1, skipped + 1):
                self._closes[(minute - k) % len(self._closes)] = math.nan
            if skipped:
                self.swings.reset()
        self._minute = minute


class Correlations:
    """Correlation of minute returns between assets, shrunk towards 1: see `shrunk_correlation`.

    Computed once a minute and pair. An asset that was never seen correlates with NaN, which counts as 1.
    """

    def __init__(self, minutes: int, min_minutes: int, shrink: float, swing_bars: int) -> None:
        self._minutes, self._min_count, self._shrink, self._swing_bars = minutes, min_minutes, shrink, swing_bars
        self._histories: dict[str, MinuteHistory] = {}
        self._known: dict[tuple[str, str], float] = {}
        self._minute = -1

    def update(self, asset: str, ts: int, price: float) -> None:
        """Take an asset's price at a scan."""
        history = self._histories.get(asset)
        if history is None:
            history = self._histories[asset] = MinuteHistory(self._minutes, self._swing_bars)
        history.update(ts, price)
        if history.minute > self._minute:
            self._minute = history.minute
            self._known.clear()

    def swings(self, asset: str) -> SwingTracker | None:
        """The swings of an asset; None before its first price."""
        history = self._histories.get(asset)
        return None if history is None else history.swings

    def between(self, a: str, b: str) -> float:
        """The correlation of two assets."""
        pair = (a, b) if a < b else (b, a)
        if pair not in self._known:
            self._known[pair] = self._computed(*pair)
        return self._known[pair]

    def _computed(self, a: str, b: str) -> float:
        if a not in self._histories or b not in self._histories:
            return math.nan
        one, other = (self._histories[name].returns(self._minute) for name in (a, b))
        return shrunk_correlation(one, other, min_count=self._min_count, shrink=self._shrink)
