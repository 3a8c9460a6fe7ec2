"""Write the built-in market: ``python catalog/sample_market.py --seed 7 --hours 2 --assets 5 --out DIR``."""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from catalog.instruments import Definition, Source
from catalog.ledger import CatalogError, IngestEntry
from catalog.market_model import DEFAULT_EDGE, MONDAY_2026_01_05, SampleMarket
from catalog.market_specs import VENUES, MarketSpec
from catalog.market_truth import Truth, truth_beside, truth_path
from catalog.printing import print_summary
from catalog.store import Catalog
from catalog.times import parse_ns

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="The catalog's directory; must be new or empty.")],
    seed: Annotated[int, typer.Option(help="The same seed makes the same market.")] = 7,
    hours: Annotated[float, typer.Option(help="Length.")] = 2.0,
    assets: Annotated[int, typer.Option(help="How many assets, from BTC down.")] = 5,
    venues: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(VENUES),
    start: Annotated[str | None, typer.Option(help="First time, UTC, a full minute.")] = None,
    edge: Annotated[float, typer.Option(help="Strength of what can be predicted; 0: nothing.")] = DEFAULT_EDGE,
) -> None:
    """Make the built-in market. It is a simulation with a planted edge: rare episodes after which the price drifts.

    What a strategy earns on it says that it finds what was planted, and what trading costs; it promises nothing about
    real markets. With --edge 0 there is nothing to find. What was planted is written beside the catalog, to OUT.truth.
    """
    try:
        start_ns = parse_ns(start) if start is not None else MONDAY_2026_01_05
        names = tuple(v.strip() for v in venues.split(",") if v.strip())
        entry = write_sample_market(
            out, seed=seed, hours=hours, assets=assets, venues=names, start_ns=start_ns, edge=edge
        )
    except (CatalogError, ValueError, OSError) as error:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {error}")
        raise typer.Exit(2) from None
    print_summary(entry)
    Console(soft_wrap=True, highlight=False, markup=False).print(f"truth: {truth_path(out)}")


def write_sample_market(
    out: Path,
    *,
    seed: int,
    hours: float,
    assets: int,
    venues: tuple[str, ...] = VENUES,
    start_ns: int = MONDAY_2026_01_05,
    edge: float = DEFAULT_EDGE,
) -> IngestEntry:
    """Write the market into a new catalog at `out`, and what was planted beside it (:mod:`catalog.market_truth`).

    Raises CatalogError if one of them holds data already.
    """
    market = SampleMarket(seed=seed, hours=hours, assets=assets, venues=venues, start_ns=start_ns, edge=edge)
    catalog = Catalog(out)
    if catalog.ledger.ingests or (out / "data").exists():
        raise CatalogError(f"{out} holds data already: give a new directory, or delete it")
    specs = market.specs()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    truth = Truth()
    with (
        catalog.transaction() as transaction,
        truth_beside(out) as stage,
        Progress(*columns, console=Console(stderr=True), transient=True) as bars,
    ):
        task = bars.add_task("making", total=None)
        for spec, chunk in market.chunks(
            lambda name, n, total: bars.update(task, description=name, completed=n, total=total), truth
        ):
            transaction.append(spec.market, chunk)
        stage(truth)
        return transaction.commit(
            {spec.market: _definition(spec) for spec in specs},
            {
                "format": "sample-market",
                "options": {
                    "seed": seed,
                    "hours": hours,
                    "assets": assets,
                    "venues": list(venues),
                    "start_ns": start_ns,
                    "edge": edge,
                },
                "files": [],
                "counts": {},
                "anomalies": [],
                "unseeded_books": [],
                "definition": str(Source.BUILT_IN),
            },
        )


def _definition(spec: MarketSpec) -> Definition:
    quote = spec.market.symbol.replace("_", "").removeprefix(spec.asset)
    return Definition(
        base=spec.asset,
        quote=quote,
        price_tick=spec.price_tick,
        size_step=spec.size_step,
        multiplier=spec.multiplier,
        min_size=spec.size_step,
        min_notional=spec.min_notional or None,
        source=Source.BUILT_IN,
    )


if __name__ == "__main__":
    app()
