"""What a guard is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from strategies.guards.halt import Halt
from strategies.guards.inputs import GuardInputs
from strategies.guards.memory import GuardMemory


class Guard(ABC):
    """One rule. `name` is what its halts carry as `guard`."""

    name: ClassVar[str]

    @abstractmethod
    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        """By scope: a Halt, or None where all is well.

        A scope that is left out cannot be judged now: nothing trips there, and a halt that holds there goes on.
        """

    def tripped(self, memory: GuardMemory) -> GuardMemory:
        """The memory once a halt of this guard has tripped: what it was tripped by must not trip it again."""
        return memory

    def _halt(self, reason: str, scope: str, *, until: int | None = None, lockout: bool = False) -> Halt:
        return Halt(reason=reason, scope=scope, until=until, lockout=lockout, guard=self.name)
