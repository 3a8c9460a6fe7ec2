"""Before orders and positions are known to be the venue's, none may be added."""

from collections.abc import Mapping

from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, Halt
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory


class Reconciliation(Guard):
    """Halts all entries until reconciliation is finished."""

    name = "reconciliation"

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        if inputs.reconciled:
            return {ALL: None}
        return {ALL: self._halt("orders and positions are not yet reconciled with the venues", ALL)}
