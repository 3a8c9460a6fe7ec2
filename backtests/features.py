"""Features in bulk: ``python backtests/features.py --catalog DIR --out FILE [options]``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backtests.bulk import write_features
from backtests.command_line import bounds, existing_catalog, failing, progress
from backtests.profile import DEFAULT_PROFILE, load_profile
from catalog.times import format_ns

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    catalog: Annotated[Path, typer.Option(help="Catalog to read.")],
    out: Annotated[Path, typer.Option(help="Parquet file of the snapshots.")],
    profile: Annotated[Path, typer.Option(help="TOML profile: its flow settings and markets.")] = DEFAULT_PROFILE,
    start: Annotated[str | None, typer.Option(help="First time, UTC, for example 2024-07-18T23:58.")] = None,
    end: Annotated[str | None, typer.Option(help="Last time, UTC.")] = None,
    assets: Annotated[str, typer.Option(help="Assets with commas between, for example BTC,ETH; all if left out.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Processes; an asset is one piece of work.")] = 1,
    days_apart: Annotated[
        bool, typer.Option(help="Begin every UTC day cold, so that days run in parallel. Not for run.py --snapshots.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON instead of a table.")] = False,
) -> None:
    """Compute all features of a catalog without an engine. Exit code 0: done, 2: bad input, 1: our fault."""
    with failing():
        start_ns, end_ns = bounds(start, end)
        source, settings = existing_catalog(catalog), load_profile(profile)
        with progress("features") as show:
            run = write_features(
                source,
                settings,
                out,
                start_ns=start_ns,
                end_ns=end_ns,
                assets=tuple(name.strip() for name in assets.split(",") if name.strip()),
                jobs=jobs,
                days_apart=days_apart,
                on_rows=show,
            )
    done = {
        "catalog": str(source.root),
        "out": str(out),
        "assets": ", ".join(run.assets),
        "start": format_ns(run.origin.start_ns),
        "end": format_ns(run.origin.end_ns),
        "rows": run.rows,
        "snapshots": run.snapshots,
        "seconds": round(run.seconds, 3),
        "rows_per_second": round(run.rows / run.seconds),
        "schema_id": run.origin.schema_id,
        "catalog_digest": run.origin.catalog,
    }
    if as_json:
        print(json.dumps(done, indent=1))
        return
    table = Table(title="features in bulk", show_header=False)
    for name, value in done.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    app()
