"""What the catalog's commands print."""

from typing import Any

from rich.console import Console
from rich.table import Table

from catalog.ledger import IngestEntry
from catalog.times import format_ns


def print_summary(entry: IngestEntry) -> None:
    """The closing table of an ingest."""
    table = Table(title=f"ingested as {entry.format} (instrument: {entry.definition})")
    for name in ("instrument", "type", "rows", "first", "last"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for s in entry.series:
        table.add_row(s.instrument_id, s.kind, f"{s.rows:,}", format_ns(s.first_ns), format_ns(s.last_ns))
    console = Console()
    console.print(table)
    for kind, count in entry.counts.items():
        console.print(f"{kind}: {count:,}", highlight=False)
    for anomaly in entry.anomalies[:20]:
        console.print(f"  {describe(anomaly)}", highlight=False, markup=False, soft_wrap=True)
    if len(entry.anomalies) > 20:
        console.print(f"  ... python catalog/inspect.py lists {len(entry.anomalies)} of them", highlight=False)


def describe(anomaly: dict[str, Any]) -> str:
    """A stored anomaly as one line: file, line, kind, message."""
    place = anomaly["file"] if anomaly["line"] is None else f"{anomaly['file']}:{anomaly['line']}"
    return f"{place}: {anomaly['kind']}: {anomaly['message']}"
