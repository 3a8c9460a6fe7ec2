"""Replay a catalog through the flow and the scalper: ``python backtests/run.py [options]``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from backtests.attribution import attribute
from backtests.command_line import bounds, errors, existing_catalog, failing, progress
from backtests.depth_map import DepthMap, depth_map
from backtests.every_signal import selection_beside_every_signal, selection_rows
from backtests.honesty import comparison, easier_worlds, followed
from backtests.passed_file import reasons_by_asset
from backtests.profile import DEFAULT_PROFILE, load_profile
from backtests.replay import Replay, disposing, run_replay
from backtests.report import write_report
from backtests.result_files import write_executions, write_halts, write_trades
from backtests.summary import money_fault, summarise
from backtests.trade_scenes import charted, trade_scenes
from catalog.ledger import CatalogError
from catalog.market_model import MARKET_VERSION
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import Kind

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

ROOT = Path(__file__).resolve().parents[1]
# a folder a version of the market, with its truth beside the catalog: an old one is never taken for a new one
SAMPLE = ROOT / "data" / f"built_in_market_{MARKET_VERSION}" / "catalog"


@app.command()
def main(
    catalog: Annotated[
        Path | None, typer.Option(help="Catalog to replay; without it the built-in market, made if needed.")
    ] = None,
    profile: Annotated[Path, typer.Option(help="TOML profile.")] = DEFAULT_PROFILE,
    start: Annotated[str | None, typer.Option(help="First time, UTC, for example 2024-07-18T23:58.")] = None,
    end: Annotated[str | None, typer.Option(help="Last time, UTC.")] = None,
    out: Annotated[Path, typer.Option(help="Directory of the results.")] = ROOT / "reports" / "latest",
    snapshots: Annotated[
        Path | None, typer.Option(help="Decide on these snapshots of backtests/features.py: nothing is computed again.")
    ] = None,
    dump_snapshots: Annotated[Path | None, typer.Option(help="Also copy the snapshots to this Parquet file.")] = None,
    honesty: Annotated[
        bool,
        typer.Option(help="Replay again without latency, queue, fees and so on, one at a time: their costs."),
    ] = False,
    every_signal: Annotated[
        bool,
        typer.Option(help="Replay again with selection and without, taking every signal: what the choice is worth."),
    ] = False,
    bare: Annotated[
        bool, typer.Option(help="The engine alone, without our actor and strategy: what we cost ourselves.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")] = False,
) -> None:
    """Replay and report. Exit code 0: done, 2: bad input, 1: our fault."""
    with failing():
        if bare and (dump_snapshots is not None or snapshots is not None or honesty or every_signal):
            raise CatalogError(
                "--bare trades nothing: leave --dump-snapshots, --snapshots, --honesty and --every-signal out"
            )
        settings = load_profile(profile)
        start_ns, end_ns = bounds(start, end)
        source = Catalog(_sample_market()) if catalog is None else existing_catalog(catalog)
        with _results(out) as folder:
            seen, passed = (None, None) if bare else (folder / "snapshots.parquet", folder / "passed.parquet")
            with progress("replay") as show:
                replay = run_replay(
                    source, settings, start_ns=start_ns, end_ns=end_ns, bare=bare,
                    decide_on=snapshots, snapshots=seen, passed=passed, on_rows=show,
                )  # fmt: skip
            with disposing(replay):
                trades = replay.scalper.trades if replay.scalper is not None else []
                costs = attribute(trades, replay.venues, replay.engine.cache)
                summary = summarise(replay, settings, str(source.root), costs)
                if honesty and seen is not None:
                    with progress("easier worlds") as show:
                        worlds = easier_worlds(
                            source, settings, seen, followed(replay), start_ns=start_ns, end_ns=end_ns, on_rows=show,
                        )  # fmt: skip
                    summary["honesty"] = comparison(worlds)
                if every_signal and seen is not None:
                    with progress("every signal") as show:
                        summary["selection"] = selection_beside_every_signal(
                            source, settings, seen, start_ns=start_ns, end_ns=end_ns, on_rows=show
                        )
                (folder / "summary.json").write_text(json.dumps(summary, indent=1))
                fault = money_fault(replay)
                if fault is not None:
                    raise RuntimeError(fault)
                if replay.scalper is not None and passed is not None:
                    write_trades(folder / "trades.parquet", trades, costs)
                    write_halts(folder / "halts.parquet", replay.scalper.halts)
                    write_executions(folder, replay.venues)
                    frame = pd.read_parquet(folder / "snapshots.parquet")
                    scenes = trade_scenes(
                        source, {number: trades[number] for number in charted(trades)}, frame,
                        span_ns=replay.span_ns, reach_bps=settings.flow.levels_reach_bps,
                    )  # fmt: skip
                    write_report(
                        folder / "report.html", title=f"Crossflow replay of {source.root.name}", summary=summary,
                        trades=trades, costs=costs, scenes=scenes, halts=replay.scalper.halts,
                        reasons=reasons_by_asset(passed), snapshots=frame, engine=replay.engine,
                        depth=depth_maps(source, replay),
                    )  # fmt: skip
        if dump_snapshots is not None:
            dump_snapshots.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(out / "snapshots.parquet", dump_snapshots)
    if as_json:
        print(json.dumps(summary, indent=1))
    else:
        _print(summary, out, bare=bare)


def depth_maps(catalog: Catalog, replay: Replay) -> dict[str, DepthMap]:
    """The book of each asset's lead market over the replay, where its catalog has it."""
    books = sorted((s for s in catalog.ledger.series() if s.kind == Kind.BOOK), key=lambda s: s.first_ns)
    maps: dict[str, DepthMap] = {}
    for asset, markets in replay.universe.assets.items():
        lead = markets[0].id.value
        paths = [catalog.root / s.path for s in books if s.instrument_id == lead]
        found = depth_map(paths, *replay.span_ns) if paths else None
        if found is not None:
            maps[asset] = found
    return maps


@contextmanager
def _results(out: Path) -> Iterator[Path]:
    """A folder beside `out` whose files replace those of `out` only when all of them are written."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=out) as partial:
        yield Path(partial)
        for file in Path(partial).iterdir():
            file.replace(out / file.name)


def _sample_market() -> Path:
    if not (SAMPLE / "data").is_dir():
        errors.print(f"making the built-in market in {SAMPLE.relative_to(ROOT)} ...")
        write_sample_market(SAMPLE, seed=7, hours=1.0, assets=5)
    return SAMPLE


def _print(summary: dict[str, Any], out: Path, *, bare: bool) -> None:
    console = Console()
    table = Table(title=f"replay of {summary['catalog']}", show_header=False)
    for name in ("start", "end", "rows", "snapshots", "wall_seconds", "cpu_seconds", "rows_per_cpu_second"):
        value = summary[name]
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
    if not bare:
        for name, value in summary["trades"].items():
            table.add_row(
                f"trades: {name}", "-" if value is None else f"{value:,.3f}" if isinstance(value, float) else str(value)
            )
    console.print(table)
    if "honesty" in summary:
        console.print(_honesty_table(summary["honesty"]))
    if "selection" in summary:
        console.print(_selection_table(summary["selection"]))
    for name, why in summary["not_simulated"].items():
        console.print(f"not simulated: {name}: {why}", highlight=False)
    for name, why in summary["left_out"].items():
        console.print(f"left out: {name}: {why}", highlight=False)
    console.print(
        f"results in {out}" + ("" if bare else f", report: {out / 'report.html'}"), highlight=False, soft_wrap=True
    )


def _honesty_table(rows: dict[str, dict[str, float | int]]) -> Table:
    table = Table("world", "trades", "net", "what the part costs", title="what honesty costs")
    for name, row in rows.items():
        table.add_row(name, str(row["trades"]), f"{row['net']:,.2f}", f"{row['costs']:,.2f}")
    return table


def _selection_table(selection: dict[str, dict[str, Any]]) -> Table:
    rows = selection_rows(selection)
    shown = ("trades", "net", "expectancy, R", "win rate")
    table = Table("rule", *shown, title="what the choice is worth, after costs")
    for name, row in rows.items():
        table.add_row(name, *(row[column] for column in shown))
    return table


if __name__ == "__main__":
    app()
