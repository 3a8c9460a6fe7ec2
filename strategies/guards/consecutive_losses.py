"""A run of losses says that the market is not the one the strategy knows: pause."""

from collections.abc import Mapping
from dataclasses import replace

from strategies.guards.config import ConsecutiveLossesSettings
from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, SECOND_NS, Halt
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory


class ConsecutiveLosses(Guard):
    """Halts all entries for a time after so many losing trades in a row; the count then starts anew.

    Trades that close during the pause are counted, so another full run of losses prolongs it.
    """

    name = "consecutive_losses"

    def __init__(self, settings: ConsecutiveLossesSettings) -> None:
        self._settings = settings

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        if memory.losses < self._settings.max_losses:
            return {ALL: None}
        reason = f"{memory.losses} losses in a row: the limit is {self._settings.max_losses}"
        return {ALL: self._halt(reason, ALL, until=inputs.now_ns + self._settings.halt_seconds * SECOND_NS)}

    def tripped(self, memory: GuardMemory) -> GuardMemory:
        return replace(memory, losses=0)
