"""The journal of halts: what is written stays, and what cannot be trusted is refused."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from strategies.guards import ALL, Guards, GuardSettings, Halt, HaltJournal, JournalError, MemoryJournal, What
from strategies.guards.journal import Entry, JournalBehindError, NotInForceError
from strategies.guards.memory import GuardMemory
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import LOCKOUT, NOON, SECOND, closed, settings, tripped, view

ROOT = Path(__file__).parents[2]
HALT = Halt("why", "asset:BTC", NOON + SECOND, lockout=False, guard="by hand")
MEMORY = GuardMemory(19_723, Decimal("100000.10"), Decimal("100000.20"), losses=2, counted_ns=NOON, seen_ns=NOON + 1)

type Open = Callable[[], HaltJournal]


def ended(halt_id: int, what: What = What.CLEARED, halt: Halt = LOCKOUT) -> Entry:
    return Entry(what, NOON + 1, "a test", "enough", halt, halt_id)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "halts.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal.open(path)) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "memory"])
def either(request: pytest.FixtureRequest) -> HaltJournal:
    """Both journals: they must not differ in anything but how long they last."""
    if request.param == "memory":
        return MemoryJournal()
    opened: SqliteJournal = request.getfixturevalue("journal")
    return opened


def test_it_gives_back_what_was_written(either: HaltJournal) -> None:
    """Events in order with their ids, halts whole, decimals exact, the memory with the last event's id."""
    written = either.commit(MEMORY, [tripped(HALT), tripped(LOCKOUT), ended(1, What.EXPIRED, HALT)])
    assert either.events() == written
    assert [(e.id, e.what, e.halt_id, e.halt) for e in written] == [
        (1, What.TRIPPED, 1, HALT),
        (2, What.TRIPPED, 2, LOCKOUT),
        (3, What.EXPIRED, 1, HALT),
    ]
    memory = either.memory()
    assert (memory, memory.seen_ns) == (replace(MEMORY, event_id=3), NOON + 1)
    assert either.events(after=2) == written[2:]


def test_a_commit_that_has_not_read_everything_is_refused(either: HaltJournal) -> None:
    """Nothing of it is written: it was decided on what is no longer so."""
    either.append(tripped())
    with pytest.raises(JournalBehindError):
        either.commit(MEMORY, [tripped(HALT)])
    assert (len(either.events()), either.memory()) == (1, GuardMemory())


def test_a_halt_ends_once(either: HaltJournal) -> None:
    """To end it again, or one that never was, says who ended it or that there is none."""
    either.append(tripped())
    either.append(ended(1))
    with pytest.raises(NotInForceError, match=r"halt 1 is not in force: cleared by a test \(enough\)"):
        either.append(ended(1))
    with pytest.raises(NotInForceError, match="there is no halt 7"):
        either.append(ended(7))
    assert len(either.events()) == 2


def test_events_are_append_only(journal: SqliteJournal, path: Path) -> None:
    """The file itself refuses to change or drop an event."""
    journal.append(tripped())
    with closing(sqlite3.connect(path)) as other:
        for statement in ("UPDATE events SET lockout = 0", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(statement)


def test_it_is_a_synchronous_write_ahead_log(journal: SqliteJournal, path: Path) -> None:
    """WAL, with FULL synchronisation; after a halt the file alone, without its log, has it."""
    assert journal._sqlite.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._sqlite.execute("PRAGMA synchronous").fetchone() == (2,)
    journal.commit(MEMORY, [tripped()])
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    with closing(SqliteJournal.open(copy, must_exist=True)) as copied:
        assert [e.halt for e in copied.events()] == [LOCKOUT]


def test_a_halt_is_written_before_it_takes_effect(path: Path) -> None:
    """While the journal is asked to write a lockout, the guards do not yet have it."""
    seen: list[list[Halt]] = []

    class Watched(MemoryJournal):
        def commit(self, memory, entries):  # type: ignore[no-untyped-def]
            seen.append(guards.in_force(NOON))
            return super().commit(memory, entries)

    guards = Guards(GuardSettings(), Watched())
    assert guards.check(view(kill_file=True)) == guards.in_force(NOON) != []
    assert seen == [[]]


def test_a_restart_remembers(path: Path) -> None:
    """A lockout, the day's start and peak, and the losses come back; the last two trip where they would have."""
    with closing(SqliteJournal.open(path)) as opened:
        guards = Guards(settings(daily_drawdown={"reference": "peak"}), opened)
        guards.check(view(1, equity=Decimal(100_000)))
        guards.check(view(2, equity=Decimal(110_000), trades=closed(-1, -1)))
    with closing(SqliteJournal.open(path, must_exist=True)) as opened:
        memory = opened.memory()
        assert (memory.day_start, memory.peak, memory.losses) == (Decimal(100_000), Decimal(110_000), 2)
        guards = Guards(settings(daily_drawdown={"reference": "peak"}), opened)
        loss = closed(-1, first_ns=NOON + 3 * SECOND)
        halts = guards.check(view(4, equity=Decimal(104_500), trades=loss))
        assert [h.guard for h in halts] == ["daily_drawdown", "consecutive_losses"]
    with closing(SqliteJournal.open(path, must_exist=True)) as opened:
        guards = Guards(GuardSettings(), opened)
        assert guards.in_force(NOON + 5 * SECOND) == halts
        assert guards.check(view(86_400)) == halts[:1]


@pytest.mark.parametrize("running", [True, False])
def test_clearing_a_drawdown_starts_its_reference_anew(path: Path, running: bool) -> None:
    """Else it would trip again at once; a further 5 % trips again. The same for a node that was down meanwhile."""
    node = SqliteJournal.open(path)
    guards = Guards(GuardSettings(), node)
    guards.check(view())
    guards.check(view(1, equity=Decimal(95_000)))
    with closing(SqliteJournal.open(path)) as person:
        (trip,) = person.events()
        person.append(ended(trip.id, halt=trip.halt))
    if not running:
        guards = Guards(GuardSettings(), node)
    assert guards.check(view(2, equity=Decimal(94_000))) == []
    assert guards.check(view(3, equity=Decimal("89300.01"))) == []
    assert [h.guard for h in guards.check(view(4, equity=Decimal(89_300)))] == ["daily_drawdown"]
    node.close()


def test_what_a_person_writes_is_obeyed_at_the_next_check(journal: SqliteJournal, path: Path) -> None:
    """A lockout by hand blocks, and its clearing lets go; both are among the changes."""
    guards = Guards(GuardSettings(), journal)
    assert guards.check(view()) == []
    with closing(SqliteJournal.open(path)) as person:
        person.append(tripped())
        assert guards.check(view(1)) == [LOCKOUT]
        assert [e.by for e in guards.changes] == ["a test"]
        assert guards.blocks("BTC", "BINANCE", NOON + SECOND) == LOCKOUT
        person.append(ended(1))
    assert guards.check(view(2)) == []
    assert [(e.what, e.reason) for e in guards.changes] == [(What.CLEARED, "enough")]


def test_a_write_between_reading_and_writing_is_not_lost(path: Path) -> None:
    """A person's lockout that comes while the guards decide is read before they write."""

    class Interrupted(MemoryJournal):
        def commit(self, memory, entries):  # type: ignore[no-untyped-def]
            if not self.events():
                self.append(tripped())
            return super().commit(memory, entries)

    guards = Guards(GuardSettings(), Interrupted())
    assert [h.guard for h in guards.check(view(kill_file=True))] == ["by hand", "kill_file"]


def test_a_journal_that_cannot_be_written_halts_and_is_tried_again(path: Path) -> None:
    """A lockout takes effect all the same, entries stop, nothing is forgotten once there is a journal again."""
    with closing(SqliteJournal.open(path, busy_seconds=0.01)) as node, closing(sqlite3.connect(path)) as other:
        guards = Guards(GuardSettings(), node)
        guards.check(view(equity=Decimal(100_000)))
        other.execute("BEGIN IMMEDIATE")
        halts = guards.check(view(1, equity=Decimal(120_000)))
        assert [(h.guard, h.scope, h.lockout) for h in halts] == [("journal", ALL, False)]
        assert str(path) in halts[0].reason
        for second in (2, 3):
            halts = guards.check(view(second, kill_file=True))
            assert [h.guard for h in halts] == ["kill_file", "journal"]
        other.rollback()
        assert [h.guard for h in guards.check(view(4))] == ["kill_file"]
        assert [e.halt.guard for e in node.events()] == ["kill_file"]
        assert node.memory().peak == 120_000


def corrupt_header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 400)


def corrupt_page(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4096:8192] = bytes(4096)
    path.write_bytes(body)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE events (id)")


def of_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 2")


def lose(path: Path) -> None:
    path.unlink()


def bend_a_number(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE memory SET peak = 'much'")
        other.commit()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (corrupt_header, "damaged or no journal"),
        (corrupt_page, "damaged"),
        (truncate, "damaged"),
        (empty, "is empty"),
        (of_another_program, "another program's database"),
        (of_a_later_version, "schema version 2, this program reads 1"),
        (lose, "there is no journal, and there should be one"),
        (bend_a_number, "damaged"),
    ],
)
def test_a_journal_that_cannot_be_trusted_is_refused(path: Path, harm: Callable[[Path], None], words: str) -> None:
    """The message names the file, what is wrong and what to do; the file is left as it is."""
    with closing(SqliteJournal.open(path)) as opened:
        opened.commit(MEMORY, [tripped()])
    harm(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(JournalError, match=words) as caught:
        SqliteJournal.open(path, must_exist=True)
    assert str(path) in str(caught.value)
    assert "look at the account" in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_log_without_its_file_is_refused(path: Path) -> None:
    """The file was deleted under the node: a new one would forget its halts, and swallow the old log."""
    path.with_name(path.name + "-wal").write_bytes(b"something")
    with pytest.raises(JournalError, match="is gone, but"):
        SqliteJournal.open(path)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder that is missing, a file in its place, a folder where the file should be: said at the start."""
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "no" / "folder", tmp_path / "file" / "halts.sqlite", tmp_path):
        with pytest.raises(JournalError, match="cannot be") as caught:
            SqliteJournal.open(bad)
        assert str(bad) in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    """Also where the journal is there and was readable."""
    SqliteJournal.open(tmp_path / "halts.sqlite").close()
    (tmp_path / "halts.sqlite").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        for name in ("halts.sqlite", "new.sqlite"):
            with pytest.raises(JournalError, match="permission"):
                SqliteJournal.open(tmp_path / name)
    finally:
        tmp_path.chmod(0o700)
