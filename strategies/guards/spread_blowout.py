"""A spread that is blown out makes both the entry and the stop cost more than was planned."""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping

from strategies.guards.config import SpreadSettings
from strategies.guards.guard import Guard
from strategies.guards.halt import SECOND_NS, Halt, asset_scope
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory


class SpreadBlowout(Guard):
    """Halts an asset while its spread is too wide, absolutely or against its own rolling median (`SpreadSettings`).

    The median is of the spreads before the one that is judged. Wide ones enter it as well: a market that stays wide is
    normal after half a window, and `max_bps` remains. Medians are not kept over a restart: until one is warm again,
    `max_bps` alone trips, and a halt from before goes on.
    """

    name = "spread_blowout"

    def __init__(self, settings: SpreadSettings) -> None:
        self._settings = settings
        self._windows: dict[str, _Window] = {}

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        found: dict[str, Halt | None] = {}
        for asset, spread in inputs.spreads_bps.items():
            scope = asset_scope(asset)
            if spread is None or not math.isfinite(spread) or spread < 0:
                found[scope] = self._halt(f"the spread of {asset} is not known ({spread})", scope)
                continue
            window = self._windows.setdefault(asset, _Window(self._settings))
            median = window.median()
            if spread > self._settings.max_bps:
                reason = f"the spread of {asset} is {spread:.2f} bps: the limit is {self._settings.max_bps:g} bps"
                found[scope] = self._halt(reason, scope)
            elif median is not None:
                found[scope] = self._against(median, asset, spread)
            window.add(inputs.now_ns, spread)
        return found

    def _against(self, median: float, asset: str, spread: float) -> Halt | None:
        times = self._settings.median_multiple
        if spread <= max(self._settings.floor_bps, times * median):
            return None
        reason = f"the spread of {asset} is {spread:.2f} bps: more than {times:g} times its median of {median:.2f} bps"
        return self._halt(reason, asset_scope(asset))


class _Window:
    """The last spreads of one asset, in bps, in order of time and of size."""

    def __init__(self, settings: SpreadSettings) -> None:
        self._settings = settings
        self._order: deque[float] = deque()
        self._sorted: list[float] = []
        self._next_ns = 0

    def add(self, now_ns: int, spread: float) -> None:
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + round(self._settings.sample_seconds * SECOND_NS)
        self._order.append(spread)
        insort(self._sorted, spread)
        if len(self._order) > self._settings.window_samples:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]

    def median(self) -> float | None:
        """None until there are enough spreads to tell."""
        n = len(self._sorted)
        if n < self._settings.min_samples:
            return None
        return (self._sorted[(n - 1) // 2] + self._sorted[n // 2]) / 2
