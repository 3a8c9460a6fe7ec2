"""Anybody who can make a file can stop the system."""

from collections.abc import Mapping

from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, Halt
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory

KILL_FILE = "kill_file"


class KillFile(Guard):
    """Locks everything out once the kill file exists. Removing the file does not end it."""

    name = KILL_FILE

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        if not inputs.kill_file:
            return {ALL: None}
        return {ALL: self._halt("the kill file exists: remove it, then clear this halt", ALL, lockout=True)}
