"""Checks of the system itself on a user's own data: ``python backtests/audit.py identity --catalog DIR``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backtests.command_line import bounds, errors, existing_catalog, failing, progress
from backtests.identity import compare
from backtests.look_ahead import find_look_ahead
from backtests.look_ahead_report import look_ahead_words, print_warm_up, to_json
from backtests.profile import DEFAULT_PROFILE, load_profile
from backtests.warm_up import TooShortError, Verdict, measure_warm_up
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
        difference = None
        if found is not None:
            values = {"engine": _in_json(found.engine), "bulk": _in_json(found.bulk)}
            difference = {**asdict(found), **values, "time": format_ns(found.ts)}
        print(json.dumps({"snapshots": result.snapshots, "rows": result.rows, "difference": difference}, indent=1))
    elif found is None and result.snapshots:
        print(f"identical: {result.snapshots:,} snapshots of {result.rows:,} rows, every feature bit for bit")
    elif found is not None:
        errors.print(f"{result.snapshots:,} snapshots are identical, then they differ.\n{found}")
    if found is not None:
        raise typer.Exit(1)
    if not result.snapshots:
        errors.print("error: the span has no snapshots to compare: it is too short for the profile's warm-up")
        raise typer.Exit(2)


@app.command("look-ahead")
def look_ahead(
    catalog: Annotated[Path, typer.Option(help="Catalog to check.")],
    profile: Annotated[Path, typer.Option(help="TOML profile.")] = DEFAULT_PROFILE,
    start: Annotated[str | None, typer.Option(help="First time, UTC, for example 2024-07-18T23:58.")] = None,
    end: Annotated[str | None, typer.Option(help="Last time, UTC.")] = None,
    cuts: Annotated[
        int, typer.Option(min=1, help="Cuts of the engine; the bulk driver is cut four times as often.")
    ] = 6,
    settle_seconds: Annotated[
        float | None, typer.Option(min=0, help="When every learnable feature must have forgotten a start.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Cut the future off and start later: nothing before a cut may change, and what a start did must fade.

    Exit code 0: so it is, 1: something depends on what comes later, or on the start for ever, 2: bad input, or a span
    too short to tell.
    """
    with failing():
        start_ns, end_ns = bounds(start, end)
        source, settings = existing_catalog(catalog), load_profile(profile)
        with progress("replays") as show:
            found = find_look_ahead(source, settings, start_ns=start_ns, end_ns=end_ns, cuts=cuts, on_rows=show)
        warm_up, too_short = None, None
        try:
            warm_up = measure_warm_up(source, settings, start_ns=start_ns, end_ns=end_ns, bound_seconds=settle_seconds)
        except TooShortError as error:
            too_short = error
    if as_json:
        print(json.dumps(to_json(found, warm_up), indent=1))
    else:
        # a leak is no result but an alarm, as the difference of `identity` is
        (print if found.leak is None else errors.print)(look_ahead_words(found))
        if warm_up is not None:
            print_warm_up(warm_up, Console())
    if too_short is not None:
        errors.print(f"error: {too_short}")
    if found.leak is not None or (warm_up is not None and warm_up.of(Verdict.DEPENDS)):
        raise typer.Exit(1)
    if too_short is not None:
        raise typer.Exit(2)


def _in_json(value: float | None) -> float | str | None:
    """JSON has no word for NaN and infinity: those become texts, and null is a snapshot that is not there."""
    return value if value is None or math.isfinite(value) else str(value)


if __name__ == "__main__":
    app()
