"""Unknown equity is not zero equity: nothing can be sized, and no drawdown measured."""

from collections.abc import Mapping

from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, Halt
from strategies.guards.inputs import GuardInputs, known_money
from strategies.guards.memory import GuardMemory


class KnownEquity(Guard):
    """Halts all entries while equity is unknown or not positive."""

    name = "equity"

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        equity = known_money(inputs.equity)
        if equity is None:
            return {ALL: self._halt(f"equity unknown ({inputs.equity}): wait for the account of every venue", ALL)}
        if equity <= 0:
            return {ALL: self._halt(f"equity {equity} is not positive: there is nothing to trade with", ALL)}
        return {ALL: None}
