"""A price that is old is not a price."""

import math
from collections.abc import Mapping

from strategies.guards.config import StaleDataSettings
from strategies.guards.guard import Guard
from strategies.guards.halt import Halt, asset_scope
from strategies.guards.inputs import DataAge, GuardInputs
from strategies.guards.memory import GuardMemory


class StaleData(Guard):
    """Halts an asset while any of its markets has been silent for longer than `stale_seconds`.

    An age that is unknown, or below zero (the future), is no age: the asset is halted.
    """

    name = "stale_data"

    def __init__(self, settings: StaleDataSettings) -> None:
        self._settings = settings

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        found: dict[str, Halt | None] = {}
        for age in inputs.data_ages:
            scope = asset_scope(age.asset)
            if found.get(scope) is None:
                found[scope] = self._of(age, scope)
        return found

    def _of(self, age: DataAge, scope: str) -> Halt | None:
        limit = self._settings.stale_seconds
        if age.seconds is None or math.isnan(age.seconds):
            return self._halt(f"{age.market} has had no data yet", scope)
        if age.seconds < 0:
            return self._halt(f"{age.market} has data {-age.seconds:g} s from the future: check the clocks", scope)
        if age.seconds > limit:
            return self._halt(f"{age.market} has been silent for {age.seconds:.1f} s: the limit is {limit:g} s", scope)
        return None
