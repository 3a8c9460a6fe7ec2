"""Show and manage the halts of a node, running or not: ``python live/halts.py list|clear|trip --journal FILE``"""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import getpass
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from strategies.guards.halt import ALL, SECOND_NS, Halt
from strategies.guards.journal import Entry, Event, JournalError, NotInForceError, What, open_halts, why_not_in_force
from strategies.halt_journal import SqliteJournal

BUSY_SECONDS = 10.0  # a person can wait longer than a node
NO_REASON = "cleared by hand"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

JournalOption = Annotated[Path, typer.Option("--journal", help="The node's journal of halts.")]


@app.callback()
def halts() -> None:
    """Halts of a node: what stops entries, why, and until when. Works while the node runs.

    Exit code 0: done, 1: there is no such halt in force, 2: bad input, or a journal that cannot be used.
    """


@app.command("list")
def list_halts(
    journal: JournalOption,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """List the halts in force and those of the past."""
    with _opened(journal) as opened:
        events = opened.events()
    now = time.time_ns()
    active, past = _rows(events, now)
    if as_json:
        print(json.dumps({"journal": str(journal), "now_ns": now, "active": active, "past": past}, indent=1))
        return
    print(f"in force: {len(active)}" if active else "in force: none, as far as the journal knows")
    for row in active:
        print(_words(row))
    if past:
        print(f"past: {len(past)}")
    for row in past:
        print(
            f"{_words(row)}\n      {row['ended']} {_utc(row['ended_ns'])} by {row['ended_by']}: {row['ended_reason']}"
        )


@app.command()
def clear(
    halt_id: Annotated[int, typer.Argument(metavar="ID", help="Of a halt in force, as `list` shows it.")],
    journal: JournalOption,
    reason: Annotated[str | None, typer.Option(help="Why; a lockout is not cleared without. It is journaled.")] = None,
) -> None:
    """End a halt. A running node obeys at its next check; a cause that goes on trips it again.

    Clearing a drawdown lockout starts the day's reference anew, at the equity of the node's next check.
    """
    with _opened(journal) as opened:
        events, now = opened.events(), time.time_ns()
        halt = open_halts(events).get(halt_id)
        if halt is None:
            raise NotInForceError(why_not_in_force(halt_id, events))
        if not halt.holds(now):
            raise NotInForceError(f"halt {halt_id} is not in force: its time was over at {_utc(halt.until)}")
        if halt.lockout and reason is None:
            raise ValueError(f"halt {halt_id} is a lockout ({halt.guard}): say why it may end, with --reason TEXT")
        opened.append(Entry(What.CLEARED, now, _me(), _said(reason, NO_REASON), halt, halt_id))
    print(f"cleared halt {halt_id}: {halt.guard} on {halt.scope}: {halt.reason}")


@app.command()
def trip(
    journal: JournalOption,
    reason: Annotated[str, typer.Option(help="Why. It is journaled.")],
    scope: Annotated[str, typer.Option(help="all, asset:BTC or venue:BINANCE.")] = ALL,
) -> None:
    """Lock out by hand: a running node cancels and closes what is in the scope at its next check."""
    with _opened(journal) as opened:
        halt = Halt(_said(reason), scope, None, lockout=True, guard="manual")
        event = opened.append(Entry(What.TRIPPED, time.time_ns(), _me(), halt.reason, halt))
    print(f"tripped halt {event.halt_id}: lockout of {scope} until it is cleared: {halt.reason}")


@contextmanager
def _opened(path: Path) -> Iterator[SqliteJournal]:
    """The journal; what goes wrong with it becomes one line on stderr and an exit code."""
    try:
        # a journal that is made here by mistake would be one that no node reads
        with closing(SqliteJournal.open(path, must_exist=True, busy_seconds=BUSY_SECONDS)) as journal:
            yield journal
    except NotInForceError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(1) from None
    except (JournalError, ValueError) as error:
        errors.print(f"error: {error}")
        raise typer.Exit(2) from None


def _said(reason: str | None, otherwise: str | None = None) -> str:
    """A reason on one line. Raises ValueError for an empty one."""
    text = " ".join((otherwise if reason is None and otherwise else reason or "").split())
    if not text:
        raise ValueError("--reason is empty: say why, it is what the journal will tell")
    return text


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name for this user id
        return "unknown"


def _rows(events: list[Event], now: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Halts in force at `now` (UNIX ns) and past ones, each oldest first."""
    ends = {event.halt_id: event for event in events if event.what is not What.TRIPPED}
    active: list[dict[str, Any]] = []
    past: list[dict[str, Any]] = []
    for event in events:
        if event.what is not What.TRIPPED:
            continue
        halt, end = event.halt, ends.get(event.halt_id)
        row: dict[str, Any] = {
            "id": event.halt_id,
            "guard": halt.guard,
            "scope": halt.scope,
            "lockout": halt.lockout,
            "reason": halt.reason,
            "tripped_ns": event.ts,
            "tripped_by": event.by,
            "until_ns": halt.until,
        }
        if end is not None:
            past.append(row | _ended(end.what, end.ts, end.by, end.reason))
        elif not halt.holds(now):  # no node was running to write it down
            past.append(row | _ended(What.EXPIRED, halt.until, "time", "its time is over"))
        else:
            active.append(row)
    return active, past


def _ended(what: What, ts: int | None, by: str, reason: str) -> dict[str, Any]:
    return {"ended": what.value, "ended_ns": ts, "ended_by": by, "ended_reason": reason}


def _words(row: dict[str, Any]) -> str:
    kind = "LOCKOUT" if row["lockout"] else "halt"
    until = "until cleared" if row["lockout"] else "while its cause lasts"
    if row["until_ns"] is not None:
        until = f"until {_utc(row['until_ns'])}"
    since = f"since {_utc(row['tripped_ns'])} by {row['tripped_by']}"
    return f"{row['id']:>4}  {kind} of {row['scope']} {since}, {until}\n      {row['guard']}: {row['reason']}"


def _utc(ns: int | None) -> str:
    return "-" if ns is None else f"{datetime.fromtimestamp(ns // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"


if __name__ == "__main__":
    app()
