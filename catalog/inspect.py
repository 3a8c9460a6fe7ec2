"""What a catalog holds: ``python catalog/inspect.py DIR [--json]``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from catalog.anomalies import CONTINUITY
from catalog.ledger import CatalogError, IngestEntry, SeriesEntry
from catalog.printing import describe
from catalog.store import Catalog, definition_of
from catalog.times import format_ns

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The catalog's directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List instruments, types, rows, spans, gaps and anomalies of a catalog."""
    try:
        report = inspect_catalog(directory)
    except CatalogError as error:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {error}")
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        _print(report)


def inspect_catalog(directory: Path) -> dict[str, Any]:
    """The report as plain data. Times are UNIX ns. Raises CatalogError where there is no catalog."""
    if not (directory / "data").is_dir():
        raise CatalogError(f"{directory} is not a catalog (it has no data folder): fill one with catalog/ingest.py")
    catalog = Catalog(directory)
    spans: dict[tuple[str, str], list[SeriesEntry]] = defaultdict(list)
    for entry in catalog.ledger.series():
        spans[entry.instrument_id, entry.kind].append(entry)
    instruments = []
    for instrument in catalog.instruments():
        definition = definition_of(instrument)
        identity = str(instrument.id)
        instruments.append(
            {
                "instrument_id": identity,
                "tick": f"{definition.price_tick:f}",
                "step": f"{definition.size_step:f}",
                "multiplier": f"{definition.multiplier:f}",
                "definition": str(definition.source),
                "types": [_series(kind, parts) for (owner, kind), parts in sorted(spans.items()) if owner == identity],
            }
        )
    return {
        "catalog": str(directory),
        "instruments": instruments,
        "rows": sum(s.rows for s in catalog.ledger.series()),
        "ingests": [_ingest(i) for i in catalog.ledger.ingests],
    }


def _series(kind: str, parts: list[SeriesEntry]) -> dict[str, Any]:
    ordered = sorted(parts, key=lambda s: s.first_ns)
    between = [{"from_ns": a.last_ns, "to_ns": b.first_ns} for a, b in pairwise(ordered)]
    return {
        "type": kind,
        "rows": sum(s.rows for s in parts),
        "files": len(parts),
        "first_ns": ordered[0].first_ns,
        "last_ns": ordered[-1].last_ns,
        "between_files": between,
    }


def _ingest(entry: IngestEntry) -> dict[str, Any]:
    gaps = [a for a in entry.anomalies if a["kind"] in CONTINUITY]
    return {
        "format": entry.format,
        "options": entry.options,
        "files": [f.name for f in entry.files],
        "definition": entry.definition,
        "unseeded_books": entry.unseeded_books,
        "counts": entry.counts,
        "gaps": gaps,
        "anomalies": [a for a in entry.anomalies if a not in gaps],
    }


def _print(report: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"{report['catalog']}: {report['rows']:,} rows")
    for name in ("instrument", "tick", "step", "defined", "type", "rows", "first", "last"):
        table.add_column(name, justify="right" if name in ("tick", "step", "rows") else "left")
    for instrument in report["instruments"]:
        head = [instrument["instrument_id"], instrument["tick"], instrument["step"], instrument["definition"]]
        for series in instrument["types"] or [None]:
            cells = (
                ["(no data)", "0", "", ""]
                if series is None
                else [
                    series["type"],
                    f"{series['rows']:,}",
                    format_ns(series["first_ns"]),
                    format_ns(series["last_ns"]),
                ]
            )
            table.add_row(*head, *cells)
            head = ["", "", "", ""]
        table.add_section()
    console.print(table)
    for ingest in report["ingests"]:
        if not ingest["counts"]:
            continue
        counts = ", ".join(f"{n:,} {kind}" for kind, n in ingest["counts"].items())
        console.print(f"{', '.join(ingest['files'])}: {counts}", highlight=False, markup=False, soft_wrap=True)
        for anomaly in (*ingest["gaps"], *ingest["anomalies"]):
            console.print(f"  {describe(anomaly)}", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    app()
