"""The journal of halts: an SQLite file that survives kill -9 and power loss. MemoryJournal is its twin."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Self

from strategies.guards.halt import Halt
from strategies.guards.journal import (
    Entry,
    Event,
    JournalBehindError,
    JournalError,
    NotInForceError,
    What,
    numbered,
    open_halts,
    why_not_in_force,
)
from strategies.guards.memory import GuardMemory

VERSION = 1
"""Of the schema. A file of another one is refused."""

_APPLICATION = 0x43464C4A  # marks the file as ours
_SIDE_FILES = ("-wal", "-shm")
_LOOK = (
    "look at the account before trading on, then put a backup in its place, or move it away (with its -wal and -shm "
    "files) to begin a new one: every halt and the day's reference are then forgotten"
)
_SCHEMA = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    what TEXT NOT NULL CHECK (what IN ('tripped', 'expired', 'cleared')),
    halt_id INTEGER NOT NULL REFERENCES events (id),
    ts_ns INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    guard TEXT,
    scope TEXT,
    until_ns INTEGER,
    lockout INTEGER CHECK (lockout IN (0, 1)),
    CHECK ((what = 'tripped') = (halt_id = id)),
    CHECK ((what = 'tripped') = (guard IS NOT NULL AND scope IS NOT NULL AND lockout IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX one_end ON events (halt_id) WHERE what <> 'tripped';
CREATE TRIGGER no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TABLE memory (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    day INTEGER NOT NULL,
    day_start TEXT,
    peak TEXT,
    losses INTEGER NOT NULL,
    counted_ns INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL
) STRICT;
INSERT INTO memory VALUES (1, -1, NULL, NULL, 0, 0, 0, 0);
"""
_STAMP = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"


class SqliteJournal:
    """A journal in a file. Write-ahead log and full synchronisation: what was written is on the disk.

    One process commits, the node; any number may read and append meanwhile. Every method raises JournalError where the
    file cannot be used.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._sqlite = connection

    @classmethod
    def open(cls, path: Path, *, must_exist: bool = False, busy_seconds: float = 0.5) -> Self:
        """Open the journal at `path`, or make it there unless it `must_exist`.

        `busy_seconds` is how long a write waits for another process, and a node with it. Raises JournalError where the
        file is missing and must exist, is damaged, is no journal, has another schema version, or cannot be written.
        """
        if not _exists(path):
            if must_exist:
                raise JournalError(f"{path}: there is no journal, and there should be one: check the path; {_LOOK}")
            _create(path)
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=busy_seconds
            )
        except sqlite3.Error as error:
            raise JournalError(f"{path}: cannot be opened ({error}): it must be a file that can be written") from error
        journal = cls(path, connection)
        try:
            journal._check()
        except JournalError:
            journal.close()
            raise
        return journal

    def memory(self) -> GuardMemory:
        with self._reading():
            row = self._sqlite.execute(
                "SELECT day, day_start, peak, losses, counted_ns, event_id, seen_ns FROM memory"
            ).fetchone()
            day, start, peak, *rest = row
            return GuardMemory(day, _decimal(start), _decimal(peak), *rest)

    def events(self, after: int = 0) -> list[Event]:
        with self._reading():
            rows = self._sqlite.execute(
                "SELECT e.id, e.what, e.halt_id, e.ts_ns, e.by, e.reason, t.reason, t.scope, t.until_ns, t.lockout, "
                "t.guard FROM events e LEFT JOIN events t ON t.id = e.halt_id WHERE e.id > ? ORDER BY e.id",
                (after,),
            )
            return [_event(row) for row in rows]

    def commit(self, memory: GuardMemory, entries: Sequence[Entry]) -> list[Event]:
        with self._writing():
            last = self._last_id()
            if last != memory.event_id:
                raise JournalBehindError(f"{self.path}: has {last} events, {memory.event_id} were taken in")
            written = [self._insert(entry, last + n) for n, entry in enumerate(entries, start=1)]
            self._sqlite.execute(
                "UPDATE memory SET day = ?, day_start = ?, peak = ?, losses = ?, counted_ns = ?, event_id = ?, "
                "seen_ns = ?",
                (
                    memory.day,
                    _text(memory.day_start),
                    _text(memory.peak),
                    memory.losses,
                    memory.counted_ns,
                    last + len(entries),
                    memory.seen_ns,
                ),
            )
        if written:
            self._fold_log()
        return written

    def append(self, entry: Entry) -> Event:
        with self._writing():
            if entry.halt_id is not None:
                events = self.events()
                if entry.halt_id not in open_halts(events):
                    raise NotInForceError(why_not_in_force(entry.halt_id, events))
            event = self._insert(entry, self._last_id() + 1)
        self._fold_log()
        return event

    def close(self) -> None:
        """Close the file. What was written is kept, closed or not."""
        with suppress(sqlite3.Error):
            self._sqlite.close()

    def _check(self) -> None:
        with self._reading():
            (application,) = self._sqlite.execute("PRAGMA application_id").fetchone()
            (version,) = self._sqlite.execute("PRAGMA user_version").fetchone()
            if application != _APPLICATION:
                what = "is empty" if self.path.stat().st_size == 0 else "is another program's database"
                raise JournalError(f"{self.path}: {what}, no journal of halts: check the path; {_LOOK}")
            if version != VERSION:
                raise JournalError(
                    f"{self.path}: is a journal of schema version {version}, this program reads {VERSION}: use the "
                    f"program that wrote it; else {_LOOK}"
                )
            faults = [row[0] for row in self._sqlite.execute("PRAGMA integrity_check(3)")]
            if faults != ["ok"]:
                raise JournalError(f"{self.path}: is damaged ({'; '.join(faults)}): {_LOOK}")
            (mode,) = self._sqlite.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise JournalError(f"{self.path}: its disk does not do write-ahead logs ({mode}): use a local one")
            self._sqlite.execute("PRAGMA synchronous = FULL")
            self._sqlite.execute("PRAGMA foreign_keys = ON")
        self.events()
        self.memory()
        with self._writing():
            pass

    def _last_id(self) -> int:
        (last,) = self._sqlite.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
        return int(last)

    def _insert(self, entry: Entry, number: int) -> Event:
        event, halt = numbered(entry, number), entry.halt
        trip = (halt.guard, halt.scope, halt.until, int(halt.lockout))
        self._sqlite.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event.id, event.what.value, event.halt_id, event.ts, event.by, event.reason)
            + (trip if event.what is What.TRIPPED else (None,) * len(trip)),
        )
        return event

    def _fold_log(self) -> None:
        """Move the write-ahead log into the file, so that a copy of the file alone has every halt."""
        with suppress(sqlite3.Error):  # it is durable in the log already
            self._sqlite.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise JournalError(f"{self.path}: cannot be read ({error}): check the disk and its permissions") from error
        except (sqlite3.Error, ValueError, TypeError, InvalidOperation) as error:
            raise JournalError(f"{self.path}: is damaged or no journal of halts ({error}): {_LOOK}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing, and on the disk when it is left."""
        try:
            self._sqlite.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._sqlite.execute("ROLLBACK")
                raise
            try:
                self._sqlite.execute("COMMIT")
            except sqlite3.Error:
                with suppress(sqlite3.Error):
                    self._sqlite.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise JournalError(
                f"{self.path}: cannot be written ({error}): check the disk's space and permissions, and that no other "
                "program holds it"
            ) from error


def _create(path: Path) -> None:
    """Make an empty journal in one step, so that a half-made one is never found."""
    left = [name for suffix in _SIDE_FILES if (name := Path(f"{path}{suffix}")).exists()]
    if left:
        raise JournalError(f"{path}: is gone, but {left[0].name} of it is still there: {_LOOK}")
    partial = Path(f"{path}.new-{os.getpid()}")
    try:
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {_SCHEMA} {_STAMP} COMMIT;")
        _place(partial, path)
        _sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise JournalError(
            f"{path}: cannot be made ({error}): its folder must exist, with permission to write and room on the disk"
        ) from error


def _place(partial: Path, path: Path) -> None:
    """Give a file its name, unless another process was faster and has given it to its own."""
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    except OSError:  # a disk without hard links
        partial.rename(path)
        return
    partial.unlink()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise JournalError(f"{path}: cannot be reached ({error}): check the path and its permissions") from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and its entries are journaled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _event(row: tuple[Any, ...]) -> Event:
    number, what, halt_id, ts, by, reason, trip_reason, scope, until, lockout, guard = row
    halt = Halt(trip_reason, scope, until, bool(lockout), guard)
    return Event(number, What(what), halt_id, halt, ts, by, reason)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
