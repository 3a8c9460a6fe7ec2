"""All guards together, with the halts that are in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from strategies.guards.config import GuardSettings
from strategies.guards.consecutive_losses import ConsecutiveLosses
from strategies.guards.daily_drawdown import DAILY_DRAWDOWN, DailyDrawdown
from strategies.guards.equity import KnownEquity
from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, Halt, asset_scope
from strategies.guards.inputs import ClosedTrade, GuardInputs
from strategies.guards.journal import Entry, Event, HaltJournal, JournalBehindError, JournalError, What, open_halts
from strategies.guards.kill_file import KillFile
from strategies.guards.memory import GuardMemory
from strategies.guards.reconciliation import Reconciliation
from strategies.guards.reject_storm import RejectStorm
from strategies.guards.spread_blowout import SpreadBlowout
from strategies.guards.stale_data import StaleData

BY = "guards"


class TimeRunsBackwardsError(ValueError):
    """A check, or a question, before the one before it: nothing that depends on time can be answered."""


@dataclass(frozen=True)
class _Decision:
    memory: GuardMemory
    entries: tuple[Entry, ...]


class Guards:
    """Evaluates every guard and keeps the halts in force; what it starts with is what the journal has.

    A halt is written before it takes effect. Where the journal cannot be written, halts take effect all the same, all
    entries are halted besides, and every further check tries to write what is missing. While a guard has a halt in
    force on a scope it is not heeded there, so one cause is one halt. A cleared drawdown lockout starts the day's
    reference anew, at the next known equity. `changes` are the events that the last check wrote or read: for the log.
    """

    def __init__(self, settings: GuardSettings, journal: HaltJournal) -> None:
        self._settings = settings
        self._journal = journal
        self._guards = guards_of(settings)
        self._saved = self._memory = journal.memory()
        self._open = open_halts(e for e in journal.events() if e.id <= self._memory.event_id)
        self._unwritten: list[Entry] = []  # halts in force that the journal would not take
        self._no_journal: Halt | None = None
        self._trades: int | None = None  # of the list of trades, how many were counted
        self._last: GuardInputs | None = None
        self._now = self._memory.seen_ns
        self.changes: tuple[Event, ...] = ()
        self._catch_up()

    def check(self, inputs: GuardInputs) -> list[Halt]:
        """Evaluate all guards. Returns every halt in force, oldest first.

        Raises TimeRunsBackwardsError if `now_ns` is before the last check, also that of an earlier process, and
        ValueError if the list of trades has become shorter: errors of the caller. Entries are blocked until a check is
        finished again.
        """
        self._last, self.changes = None, ()  # a check that fails half-way is none
        self._forward(inputs.now_ns)
        closed = self._not_counted(inputs.trades)
        failure: JournalError | None = None
        while True:
            try:
                self._catch_up()
            except JournalError as error:
                failure = error
            decision = self._decide(inputs, closed)
            if failure is None:
                try:
                    decision = self._write(decision)
                except JournalBehindError:
                    continue
                except JournalError as error:
                    failure = error
            break
        self._memory, self._trades = decision.memory, len(inputs.trades)
        self._no_journal = None
        if failure is not None:
            self._unwritten = [entry for entry in decision.entries if entry.what is What.TRIPPED]
            self._no_journal = Halt(f"the journal cannot be used: {failure}", ALL, None, lockout=False, guard="journal")
        self._last = inputs
        return self.in_force(inputs.now_ns)

    def in_force(self, now_ns: int) -> list[Halt]:
        """The halts in force at `now_ns`, oldest first."""
        waiting = [entry.halt for entry in self._unwritten]
        broken = [] if self._no_journal is None else [self._no_journal]
        return [halt for halt in (*self._open.values(), *waiting, *broken) if halt.holds(now_ns)]

    def blocks(self, asset: str, venue: str, now_ns: int) -> Halt | None:
        """The halt that forbids an entry, a lockout before others; None where it is allowed.

        `now_ns` is of the clock that the checks go by, UNIX ns. Fails closed: before the first check, after one that
        raised, and for an asset that the last one had no data age or no spread of. Raises TimeRunsBackwardsError as
        `check` does.
        """
        self._forward(now_ns)
        if self._last is None:
            return Halt("no check of the guards has been finished", ALL, None, lockout=False, guard="check")
        halts = [halt for halt in self.in_force(now_ns) if halt.covers(asset, venue)]
        if halts:
            return next((halt for halt in halts if halt.lockout), halts[0])
        if self._settings.stale_data.enabled and all(age.asset != asset for age in self._last.data_ages):
            return Halt(
                f"no data age of {asset} was given", asset_scope(asset), None, lockout=False, guard="stale_data"
            )
        if self._settings.spread.enabled and asset not in self._last.spreads_bps:
            return Halt(
                f"no spread of {asset} was given", asset_scope(asset), None, lockout=False, guard="spread_blowout"
            )
        return None

    def _forward(self, now_ns: int) -> None:
        if now_ns < self._now:
            raise TimeRunsBackwardsError(
                f"{now_ns} is {self._now - now_ns} ns before the last check or question: the clock was set back, or "
                "the journal belongs to another run"
            )
        self._now = now_ns

    def _not_counted(self, trades: Sequence[ClosedTrade]) -> list[ClosedTrade]:
        if self._trades is None:  # a log that was restored with the process has what was counted before
            return [trade for trade in trades if trade.exit_ns > self._memory.counted_ns]
        if len(trades) < self._trades:
            raise ValueError(f"{len(trades)} closed trades after {self._trades}: the list must only grow")
        return list(trades[self._trades :])

    def _catch_up(self) -> None:
        """Take in what others wrote: halts tripped and cleared by hand."""
        events = self._journal.events(after=self._memory.event_id)
        if events:
            self._take_in(events)
            self.changes += tuple(events)

    def _take_in(self, events: Sequence[Event]) -> None:
        memory = replace(self._memory, event_id=events[-1].id)
        for event in events:
            if event.what is What.TRIPPED:
                self._open[event.halt_id] = event.halt
                continue
            self._open.pop(event.halt_id, None)
            if event.what is What.CLEARED and event.halt.guard == DAILY_DRAWDOWN:
                memory = memory.rebased()
        self._memory = memory

    def _decide(self, inputs: GuardInputs, closed: Iterable[ClosedTrade]) -> _Decision:
        """What this check makes of the inputs; nothing has taken effect yet."""
        now = inputs.now_ns
        memory = self._memory.advanced(now, inputs.equity, closed)
        entries = list(self._unwritten)
        held: dict[tuple[str, str], int | None] = {
            (entry.halt.guard, entry.halt.scope): None for entry in entries if entry.halt.holds(now)
        }
        for halt_id, halt in self._open.items():
            if halt.holds(now):
                held[halt.guard, halt.scope] = halt_id
            else:
                entries.append(Entry(What.EXPIRED, now, BY, "its time is over", halt, halt_id))
        for guard in self._guards:
            for scope, verdict in guard.judge(inputs, memory).items():
                key = (guard.name, scope)
                if verdict is None:
                    ending = held.get(key)
                    if ending is not None and _ends_with_its_cause(self._open[ending]):
                        entries.append(Entry(What.EXPIRED, now, BY, "its cause is gone", self._open[ending], ending))
                elif key not in held:
                    entries.append(Entry(What.TRIPPED, now, BY, verdict.reason, verdict))
                    memory = guard.tripped(memory)
        return _Decision(memory, tuple(entries))

    def _write(self, decision: _Decision) -> _Decision:
        """Write what must not be forgotten, then let it take effect."""
        if not decision.entries and decision.memory == self._saved:
            return decision
        events = self._journal.commit(decision.memory, decision.entries)
        memory = decision.memory
        self._unwritten = []
        if events:
            self._take_in(events)
            self.changes += tuple(events)
            memory = replace(memory, event_id=events[-1].id)
        self._saved = memory
        return _Decision(memory, decision.entries)


def _ends_with_its_cause(halt: Halt) -> bool:
    return halt.until is None and not halt.lockout


def guards_of(settings: GuardSettings) -> tuple[Guard, ...]:
    """The guards that are switched on, in the order in which they are evaluated."""
    guards: list[Guard] = [KillFile(), Reconciliation(), KnownEquity()]
    if settings.daily_drawdown.enabled:
        guards.append(DailyDrawdown(settings.daily_drawdown))
    if settings.consecutive_losses.enabled:
        guards.append(ConsecutiveLosses(settings.consecutive_losses))
    if settings.stale_data.enabled:
        guards.append(StaleData(settings.stale_data))
    if settings.spread.enabled:
        guards.append(SpreadBlowout(settings.spread))
    if settings.reject_storm.enabled:
        guards.append(RejectStorm(settings.reject_storm))
    return tuple(guards)
