"""halts.py as operators run it: what it shows, changes and refuses."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from live.halts import app
from strategies.guards import ALL, Guards, GuardSettings, Halt, What
from strategies.guards.journal import Entry
from strategies.halt_journal import SqliteJournal
from tests.strategies.guard_views import view

ROOT = Path(__file__).parents[2]
SECOND = 1_000_000_000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "halts.sqlite"


@pytest.fixture
def node(path: Path) -> Iterator[SqliteJournal]:
    """The journal as a running node holds it."""
    with closing(SqliteJournal.open(path)) as journal:
        yield journal


def add(
    journal: SqliteJournal, guard: str, *, scope: str = ALL, until: int | None = None, lockout: bool = False
) -> int:
    halt = Halt(f"why of {guard}", scope, until, lockout, guard)
    return journal.append(Entry(What.TRIPPED, 1_704_110_400 * SECOND, "guards", halt.reason, halt)).halt_id


def listed(path: Path) -> dict[str, Any]:
    result = run("list", "--journal", path, "--json")
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def test_list_shows_reason_scope_begin_and_end(node: SqliteJournal, path: Path) -> None:
    """Halts in force first, then past ones with how they ended; one whose time is over is past, journaled or not."""
    later = time.time_ns() + 3600 * SECOND
    add(node, "stale_data", scope="asset:BTC")
    add(node, "reject_storm", scope="venue:BYBIT", until=later)
    add(node, "daily_drawdown", lockout=True)
    add(node, "consecutive_losses", until=1_704_114_000 * SECOND)
    result = run("list", "--journal", path)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert text.startswith("in force: 3 1 halt of asset:BTC since 2024-01-01 12:00:00 UTC by guards, while its cause")
    assert "3 LOCKOUT of all since 2024-01-01 12:00:00 UTC by guards, until cleared daily_drawdown: why of" in text
    assert "past: 1 4 halt of all since 2024-01-01 12:00:00 UTC by guards, until 2024-01-01 13:00:00 UTC" in text
    assert "expired 2024-01-01 13:00:00 UTC by time: its time is over" in text


def test_list_as_json_has_all_of_it(node: SqliteJournal, path: Path) -> None:
    """Times in UNIX ns, nothing left out."""
    add(node, "daily_drawdown", lockout=True)
    assert listed(path)["active"] == [
        {
            "id": 1,
            "guard": "daily_drawdown",
            "scope": "all",
            "lockout": True,
            "reason": "why of daily_drawdown",
            "tripped_ns": 1_704_110_400 * SECOND,
            "tripped_by": "guards",
            "until_ns": None,
        }
    ]
    assert listed(path)["past"] == []


def test_list_of_nothing(node: SqliteJournal, path: Path) -> None:
    """No halts is a result, too."""
    assert "in force: none" in run("list", "--journal", path).stdout


@pytest.mark.parametrize("reason", [None, "", "  \n "])
@pytest.mark.parametrize("guard", ["daily_drawdown", "kill_file", "manual"])
def test_a_lockout_is_not_cleared_without_a_reason(
    node: SqliteJournal, path: Path, guard: str, reason: str | None
) -> None:
    """Exit code 2, --reason is asked for, and the lockout holds."""
    add(node, guard, lockout=True)
    result = run("clear", 1, "--journal", path, *(() if reason is None else ("--reason", reason)))
    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert len(listed(path)["active"]) == 1


def test_clearing_is_journaled(node: SqliteJournal, path: Path) -> None:
    """Who, when and why; a halt that is no lockout needs no reason, but takes none that is empty."""
    add(node, "daily_drawdown", lockout=True)
    add(node, "stale_data", scope="asset:BTC")
    assert run("clear", 1, "--journal", path, "--reason", "a deposit\nwas late").exit_code == 0
    assert run("clear", 2, "--journal", path, "--reason", "").exit_code == 2
    assert run("clear", 2, "--journal", path).exit_code == 0
    first, second = listed(path)["past"]
    assert (first["ended"], first["ended_reason"], second["ended_reason"]) == (
        "cleared",
        "a deposit was late",
        "cleared by hand",
    )
    assert first["ended_by"]
    assert abs(first["ended_ns"] - time.time_ns()) < 60 * SECOND


def test_what_is_not_in_force_is_not_cleared(node: SqliteJournal, path: Path) -> None:
    """Exit code 1: unknown, cleared before, or over; it says which."""
    add(node, "kill_file", lockout=True)
    add(node, "consecutive_losses", until=1_704_114_000 * SECOND)
    run("clear", 1, "--journal", path, "--reason", "done")
    for halt_id, words in ((1, "cleared by"), (2, "its time was over at 2024-01-01 13:00:00 UTC"), (9, "no halt 9")):
        result = run("clear", halt_id, "--journal", path, "--reason", "again")
        assert result.exit_code == 1
        assert words in result.stderr


def test_trip_locks_a_running_node_out_until_cleared(node: SqliteJournal, path: Path) -> None:
    """The node obeys at its next check, and lets go at the one after the clearing."""
    guards = Guards(GuardSettings(), node)
    assert guards.check(view()) == []
    result = run("trip", "--journal", path, "--reason", "the exchange smells")
    assert (result.exit_code, result.stdout) == (
        0,
        "tripped halt 1: lockout of all until it is cleared: the exchange smells\n",
    )
    assert guards.check(view(1)) == [Halt("the exchange smells", ALL, None, lockout=True, guard="manual")]
    assert run("clear", 1, "--journal", path, "--reason", "aired").exit_code == 0
    assert guards.check(view(2)) == []


def test_trip_of_one_scope(node: SqliteJournal, path: Path) -> None:
    """Other assets and venues go on; a scope or a reason that is none is refused."""
    assert run("trip", "--journal", path, "--reason", "delisted", "--scope", "asset:BTC").exit_code == 0
    guards = Guards(GuardSettings(), node)
    guards.check(view())
    now = view().now_ns
    assert guards.blocks("ETH", "BINANCE", now) is None
    assert guards.blocks("BTC", "BINANCE", now) is not None
    for arguments, words in (
        (("--reason", "x", "--scope", "BTC"), "scope 'BTC' is unknown"),
        (("--reason", " "), "--reason is empty"),
        ((), "--reason"),
    ):
        result = run("trip", "--journal", path, *arguments)
        assert result.exit_code == 2
        assert words in result.stderr
    assert len(node.events()) == 1


def test_a_cleared_drawdown_is_measured_anew(node: SqliteJournal, path: Path) -> None:
    """The command and the node together: no second lockout at the same equity."""
    guards = Guards(GuardSettings(), node)
    guards.check(view())
    assert guards.check(view(1, equity=Decimal(90_000)))[0].lockout
    assert run("clear", 1, "--journal", path, "--reason", "fat finger, half size from now on").exit_code == 0
    assert guards.check(view(2, equity=Decimal(90_000))) == []


@pytest.mark.parametrize("command", [("list",), ("clear", "1", "--reason", "x"), ("trip", "--reason", "x")])
def test_a_journal_that_is_missing_or_damaged_is_exit_code_2(path: Path, command: tuple[str, ...]) -> None:
    """One line on stderr with the path and what to do; none is made by mistake."""
    result = run(*command, "--journal", path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {path}: there is no journal")
    assert not path.exists()
    path.write_text("nonsense " * 1000)
    result = run(*command, "--journal", path)
    assert result.exit_code == 2
    assert "damaged or no journal of halts" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_it_runs_as_a_script_from_anywhere(node: SqliteJournal, path: Path, tmp_path: Path) -> None:
    """`python path/to/live/halts.py list` works from another folder."""
    add(node, "kill_file", lockout=True)
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, str(ROOT / "live" / "halts.py"), "list", "--journal", str(path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "LOCKOUT of all" in done.stdout
