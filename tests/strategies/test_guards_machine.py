"""Guards and their journal under random days: equity, losses, rejects, kill files, midnights, restarts, clearings."""

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from strategies.guards import ClosedTrade, Guards, Halt, MemoryJournal, OrderReject, What
from strategies.guards.journal import Entry, HaltJournal, open_halts
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import DAY, HOUR, NOON, SECOND, settings, view

SETTINGS = settings(reject_storm={"max_rejects": 3, "within_seconds": 10, "halt_seconds": 60})
PLACES = [(asset, venue) for asset in ("BTC", "ETH") for venue in ("BINANCE", "BYBIT")]


class Days(RuleBasedStateMachine):
    """A model that knows the rules of the drawdown and of losses in a row, beside guards on a file and on a list."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "halts.sqlite"
        self.left_open: list[SqliteJournal] = []
        self.file = SqliteJournal.open(self.path)
        self.list = MemoryJournal()
        self.now = NOON
        self.equity: Decimal | None = Decimal(100_000)
        self.trades: list[ClosedTrade] = []
        self.rejects: list[OrderReject] = []
        self.kill_file = False
        self.day = -1
        self.start: Decimal | None = None  # of the model's day
        self.losses = 0
        self.locks: set[str] = set()  # lockouts that the model expects
        self.pause = 0  # its end
        self.guards = self.twin = Guards(SETTINGS, self.list)  # made by _begin
        self._begin()

    def teardown(self) -> None:
        for journal in (self.file, *self.left_open):
            journal.close()
        self.folder.cleanup()

    def _begin(self) -> None:
        self.trades = []
        self.guards, self.twin = Guards(SETTINGS, self.file), Guards(SETTINGS, self.list)
        self._check()

    def _check(self) -> None:
        now = replace(
            view(),
            now_ns=self.now,
            equity=self.equity,
            trades=tuple(self.trades),
            rejects=tuple(self.rejects),
            kill_file=self.kill_file,
        )
        self._expect()
        halts = self.guards.check(now)
        assert halts == self.twin.check(now)
        assert self.guards.changes == self.twin.changes
        assert {h.guard for h in halts if h.lockout} == self.locks
        assert [h.until for h in halts if h.guard == "consecutive_losses"] == [self.pause] * (self.now < self.pause)
        assert (self.equity is None) == any(h.guard == "equity" for h in halts)

    def _expect(self) -> None:
        if self.now // DAY != self.day:
            self.day, self.start = self.now // DAY, None
        if self.equity is not None:
            self.start = self.equity if self.start is None else self.start
            if self.equity * 100 <= self.start * 95:
                self.locks.add("daily_drawdown")
        if self.kill_file:
            self.locks.add("kill_file")
        if self.losses >= 3 and self.now >= self.pause:
            self.pause, self.losses = self.now + HOUR, 0

    @rule(percent=st.sampled_from((94, 95, 96, 99, 100, 101, 104, 110)))
    def equity_moves(self, percent: int) -> None:
        self.equity = (self.equity or Decimal(100_000)) * percent / 100
        self._check()

    @rule()
    def equity_is_lost_from_sight(self) -> None:
        self.equity = None
        self._check()

    @rule(nets=st.lists(st.sampled_from((-3.0, -1.0, 0.0, 2.0, None)), min_size=1, max_size=7))
    def trades_close(self, nets: list[float | None]) -> None:
        self.now += SECOND
        for net in nets:
            self.trades.append(ClosedTrade(net, self.now, "BTC", "BINANCE"))
            self.losses = self.losses + 1 if net is None or net < 0 else 0
        self._check()

    @rule(venue=st.sampled_from(("BINANCE", "BYBIT")), times=st.integers(1, 4))
    def orders_are_rejected(self, venue: str, times: int) -> None:
        self.rejects += [OrderReject(self.now, venue)] * times
        self._check()

    @rule(there=st.booleans())
    def the_kill_file_comes_or_goes(self, there: bool) -> None:
        self.kill_file = there
        self._check()

    @rule(seconds=st.sampled_from((0, 1, 9, 10, 59, 60, 1800, 3600, 12 * 3600, 86_400, 3 * 86_400)))
    def time_goes_by(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self._check()

    @precondition(lambda self: self.now < self.pause)
    @rule()
    def the_pause_runs_out(self) -> None:
        self.now = self.pause - 1
        self._check()
        self.now += 1
        again = self.losses >= 3
        assert ("consecutive_losses" in {h.guard for h in self.guards.in_force(self.now)}) is False
        self._check()
        assert ("consecutive_losses" in {h.guard for h in self.guards.in_force(self.now)}) is again

    @rule()
    def the_process_starts_again(self) -> None:
        before = self.guards.in_force(self.now)
        self.file.close()
        self.file = SqliteJournal.open(self.path, must_exist=True)
        assert Guards(SETTINGS, self.file).in_force(self.now) == before
        self._begin()

    @rule()
    def the_process_dies_without_a_goodbye(self) -> None:
        self.left_open.append(self.file)
        self.file = SqliteJournal.open(self.path, must_exist=True)
        self._begin()

    @precondition(lambda self: self.locks)
    @rule(data=st.data())
    def a_person_clears_a_lockout(self, data: st.DataObject) -> None:
        lockouts = {i: h for i, h in open_halts(self.file.events()).items() if h.lockout}
        halt_id = data.draw(st.sampled_from(sorted(lockouts)))
        halt = lockouts[halt_id]
        _clear(self.list, halt_id, halt, self.now)
        person = SqliteJournal.open(self.path)
        _clear(person, halt_id, halt, self.now)
        person.close()
        self.locks.discard(halt.guard)
        if halt.guard == "daily_drawdown":
            self.start = None
        self._check()

    @invariant()
    def no_entry_in_a_lockout(self) -> None:
        """In any place, whatever else happened; and where nothing holds, entries are allowed."""
        halts = self.guards.in_force(self.now)
        for asset, venue in PLACES:
            blocked = self.guards.blocks(asset, venue, self.now)
            if self.locks:
                assert blocked is not None
                assert blocked.lockout
            elif self.equity is None or self.now < self.pause:
                assert blocked is not None
            else:
                assert (blocked is None) == (not any(h.scope == f"venue:{venue}" for h in halts))

    @invariant()
    def both_journals_tell_the_same(self) -> None:
        """Also what they would tell a process that starts now."""
        assert self.file.events() == self.list.events()
        assert self.file.memory() == self.list.memory()


def _clear(journal: HaltJournal, halt_id: int, halt: Halt, now: int) -> None:
    journal.append(Entry(What.CLEARED, now, "a test", "it was looked into", halt, halt_id))


Days.TestCase.settings = hypothesis_settings(max_examples=150, stateful_step_count=25, deadline=None)
TestDays = Days.TestCase
