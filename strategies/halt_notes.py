"""What the guards did in a run: cause, action and end, a line each. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from strategies.guards import Event, Halt, What
from strategies.running_trade import RunningTrade


@dataclass(frozen=True)
class HaltNote:
    """`what` is tripped, expired, cleared, or flat: a lockout has closed all that it covers. `ts` is UNIX ns."""

    ts: int
    what: str
    guard: str
    scope: str
    reason: str
    action: str

    @property
    def row(self) -> dict[str, str | int]:
        """A row of a table."""
        return {
            "ts": self.ts,
            "what": self.what,
            "guard": self.guard,
            "scope": self.scope,
            "reason": self.reason,
            "action": self.action,
        }


def covered(halt: Halt, running: Iterable[RunningTrade]) -> list[RunningTrade]:
    """The trades in the scope of a halt."""
    return [one for one in running if halt.covers(one.trade.asset, one.trade.venue)]


def note_of(event: Event, running: Sequence[RunningTrade]) -> HaltNote:
    """An event of the journal, with what is done about it."""
    halt = event.halt
    if event.what is not What.TRIPPED:
        action = "entries are allowed again, unless another halt holds"
    elif not halt.lockout:
        action = "no entries; what is open keeps its exits"
    else:
        count = len(covered(halt, running))
        action = f"no entries; cancels and closes {count} trade{'' if count == 1 else 's'} at market until flat"
    return HaltNote(event.ts, event.what.value, halt.guard, halt.scope, event.reason, action)
