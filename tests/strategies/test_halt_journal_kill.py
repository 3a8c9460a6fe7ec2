"""The journal among processes: killed while it writes, read while it is written."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from strategies.guards import Guards, GuardSettings
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import LOCKOUT, NOON, SECOND, tripped, view

ROOT = Path(__file__).parents[2]

LOCKED = """
import sys, time
from decimal import Decimal
from pathlib import Path
from strategies.guards import Guards, GuardSettings
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import view

guards = Guards(GuardSettings(), SqliteJournal.open(Path(sys.argv[1])))
guards.check(view(0))
assert guards.check(view(1, equity=Decimal(94_000)))[0].lockout
print("locked", flush=True)
time.sleep(600)
"""

WRITING = """
import sys
from itertools import count
from pathlib import Path
from strategies.guards import Guards, GuardSettings
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import view

guards = Guards(GuardSettings(), SqliteJournal.open(Path(sys.argv[1])))
for n in count():
    guards.check(view(n, reconciled=n % 2 == 1))
    print(guards.changes[-1].id, flush=True)
"""


def started(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", script, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def lines(process: subprocess.Popen[str], n: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(n)]


def test_killed_in_lockout_it_comes_back_locked(tmp_path: Path) -> None:
    """kill -9 right after a drawdown lockout: the next process blocks from its first check, and the next day too."""
    path = tmp_path / "halts.sqlite"
    with started(LOCKED, path) as process:
        assert lines(process, 1) == ["locked"]
        process.kill()
    with closing(SqliteJournal.open(path, must_exist=True)) as journal:
        guards = Guards(GuardSettings(), journal)
        for seconds in (2, 86_402):
            assert [h.guard for h in guards.check(view(seconds))] == ["daily_drawdown"]
            blocked = guards.blocks("ETH", "BYBIT", NOON + seconds * SECOND)
            assert blocked is not None
            assert blocked.lockout


def test_killed_while_writing_it_has_all_that_was_written(tmp_path: Path) -> None:
    """Whatever a check has returned from is there, several times over, and the file is whole."""
    path = tmp_path / "halts.sqlite"
    said = 0
    for n in (3, 17, 40):
        path.unlink(missing_ok=True)
        for side in ("-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)
        with started(WRITING, path) as process:
            said = int(lines(process, n)[-1])
            process.kill()
        with closing(SqliteJournal.open(path, must_exist=True)) as journal:
            ids = [event.id for event in journal.events()]
            assert ids == list(range(1, len(ids) + 1))
            assert len(ids) >= said == n
            assert journal.memory().event_id == len(ids)


def test_it_is_read_and_written_at_once(tmp_path: Path) -> None:
    """While one process writes without pause, another reads whole events in order and appends a lockout of its own."""
    path = tmp_path / "halts.sqlite"
    with started(WRITING, path) as process:
        lines(process, 3)
        with closing(SqliteJournal.open(path, must_exist=True, busy_seconds=10.0)) as reader:
            seen = [len(reader.events()) for _ in range(30)]
            mine = reader.append(tripped())
            lines(process, mine.id + 20)
            process.kill()
            events = reader.events()
    assert seen == sorted(seen)
    assert seen[0] >= 3
    assert [e.id for e in events] == list(range(1, len(events) + 1))
    assert events[mine.id - 1].halt == LOCKOUT
    assert len(events) > mine.id + 10
