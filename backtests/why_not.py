"""Why setups were not taken in a replay: ``python backtests/why_not.py [--out DIR] [--asset BTC] [--why cost]``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.table import Table

from backtests.command_line import failing
from backtests.passed_file import read_passed
from catalog.times import format_ns
from strategies.candidates import Why

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Found:
    """`reasons` counts all rows that were asked for; `rows` are the newest of them, the oldest of these first."""

    reasons: dict[str, int]
    rows: list[dict[str, Any]]


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Directory of the results of a replay.")] = ROOT / "reports" / "latest",
    asset: Annotated[str | None, typer.Option(help="Only setups of this asset, for example BTC.")] = None,
    why: Annotated[Why | None, typer.Option(help="Only setups that were not taken for this.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to list at most: the newest ones.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of tables.")] = False,
) -> None:
    """List setups that were not taken, a row for each venue that was asked. Exit code 0: done, 2: bad input, 1: our
    fault."""
    with failing():
        path = out / "passed.parquet"
        if not path.is_file():
            raise ValueError(f"{path} is not there: give the --out of a replay by backtests/run.py (not a --bare one)")
        found = find(path, asset, why, limit)
    if as_json:
        count = sum(found.reasons.values())
        print(json.dumps({"file": str(path), "count": count, "reasons": found.reasons, "rows": found.rows}, indent=1))
    else:
        _print(path, found)


def find(path: Path, asset: str | None, why: Why | None, limit: int) -> Found:
    """What the file has of an asset and a reason (None: of all). Raises ValueError for an asset that is not in it."""
    reasons: Counter[str] = Counter()
    newest: deque[dict[str, Any]] = deque(maxlen=limit)
    assets: set[str] = set()
    for rows in read_passed(path):
        assets |= set(rows.column("asset").unique().to_pylist())
        for column, value in (("asset", asset), ("why", why)):
            if value is not None:
                rows = rows.filter(pc.equal(rows.column(column).cast("string"), str(value)))
        reasons.update(rows.column("why").to_pylist())
        newest.extend(rows.slice(max(0, rows.num_rows - limit)).to_pylist())
    if asset is not None and asset not in assets:
        known = f"it has {', '.join(sorted(assets))}" if assets else "it has no row at all"
        raise ValueError(f"no setup of {asset} in {path}: {known}")
    return Found(dict(reasons.most_common()), list(newest))


def _print(path: Path, found: Found) -> None:
    console = Console()
    console.print(f"{sum(found.reasons.values()):,} rows of {path}", highlight=False, soft_wrap=True)
    reasons = Table("why", "rows")
    for why, count in found.reasons.items():
        reasons.add_row(why, f"{count:,}")
    console.print(reasons)
    if not found.rows:
        return
    rows = Table(title=f"the newest {len(found.rows):,}")
    for name in ("time, UTC", "asset", "side", "venue", "why"):
        rows.add_column(name, no_wrap=True)
    rows.add_column("detail", overflow="fold")
    for row in found.rows:
        time, venue = format_ns(row["ts"])[:19], row["venue"] or "-"
        rows.add_row(time, row["asset"], row["side"], venue, row["why"], row["detail"])
    console.print(rows)


if __name__ == "__main__":
    app()
