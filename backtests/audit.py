"""Checks of the system itself on a user's own data: ``python backtests/audit.py identity --catalog DIR``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from backtests.command_line import bounds, errors, existing_catalog, failing, progress
from backtests.identity import compare
from backtests.profile import DEFAULT_PROFILE, load_profile
from catalog.times import format_ns

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Checks of the system itself on your own data."""


@app.command()
def identity(
    catalog: Annotated[Path, typer.Option(help="Catalog to check.")],
    profile: Annotated[Path, typer.Option(help="TOML profile.")] = DEFAULT_PROFILE,
    start: Annotated[str | None, typer.Option(help="First time, UTC, for example 2024-07-18T23:58.")] = None,
    end: Annotated[str | None, typer.Option(help="Last time, UTC.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of the bulk driver.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Replay in the engine, compute in bulk, and compare every snapshot bit for bit.

    Exit code 0: all the same, 1: they differ (the first difference is printed), 2: bad input.
    """
    with failing():
        start_ns, end_ns = bounds(start, end)
        source, settings = existing_catalog(catalog), load_profile(profile)
        with progress("replay") as show:
            result = compare(source, settings, start_ns=start_ns, end_ns=end_ns, jobs=jobs, on_rows=show)
    found = result.difference
    if as_json:
        difference = None if found is None else {**asdict(found), "time": format_ns(found.ts)}
        print(json.dumps({"snapshots": result.snapshots, "rows": result.rows, "difference": difference}, indent=1))
    elif found is None:
        print(f"identical: {result.snapshots:,} snapshots of {result.rows:,} rows, every feature bit for bit")
    else:
        errors.print(f"{result.snapshots:,} snapshots are identical, then they differ.\n{found}")
    if found is not None:
        raise typer.Exit(1)
    if not result.snapshots:
        errors.print("error: the span has no snapshots to compare: it is too short for the profile's warm-up")
        raise typer.Exit(2)


if __name__ == "__main__":
    app()
