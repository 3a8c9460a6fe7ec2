"""Fill a catalog from recorded market data: ``python catalog/ingest.py FORMAT [options] --out DIR FILE...``"""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from catalog.anomalies import IngestRefusedError, OnGap
from catalog.formats.registry import FORMATS, FormatOptionError, make_reader
from catalog.instruments import InstrumentMetadataError
from catalog.ledger import CatalogError
from catalog.pipeline import ingest
from catalog.printing import print_summary

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

FORMAT_HELP = "One of: " + ", ".join(FORMATS)


@app.command()
def main(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help=FORMAT_HELP)],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Read as one stream in this order.")],
    out: Annotated[Path, typer.Option(help="The catalog's directory; made if it does not exist.")],
    symbol: Annotated[str, typer.Option(help="The venue's own symbol, for example BTCUSDT.")],
    market: Annotated[
        str | None, typer.Option(help="spot, usdm or coinm (Binance); linear, spot or inverse (Bybit).")
    ] = None,
    exchange: Annotated[
        str | None, typer.Option(help="Tardis's name of the exchange, for example binance-futures.")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="Length of klines, for example 1m or 1h.")] = None,
    instruments: Annotated[
        Path | None, typer.Option(help="The venue's metadata JSON (exchangeInfo and the like).")
    ] = None,
    on_gap: Annotated[OnGap, typer.Option(help="What a gap or a crossed book does.")] = OnGap.REFUSE,
    clock_offset_ms: Annotated[
        float, typer.Option(help="Added to every receive time, for a recorder whose clock was off.")
    ] = 0.0,
) -> None:
    """Ingest FILEs of one market into the catalog. Nothing is written unless all of it can be."""
    options = {"market": market, "exchange": exchange, "interval": interval}
    try:
        reader = make_reader(format_name, symbol, round(clock_offset_ms * 1e6), options)
        with _progress() as bars:
            task = bars.add_task("reading", total=sum(f.stat().st_size for f in files if f.is_file()))
            done: dict[str, int] = {}

            def show(name: str, read: int, _size: int) -> None:
                done[name] = read
                bars.update(task, completed=sum(done.values()), description=name)

            result = ingest(out, format_name, reader, files, on_gap=on_gap, instruments=instruments, progress=show)
    except IngestRefusedError as error:
        errors.print(str(error))
        errors.print(f"the catalog {out} is as it was. A gap or a crossed book can be resynced with --on-gap resync.")
        raise typer.Exit(2) from None
    except (FormatOptionError, InstrumentMetadataError, CatalogError, OSError) as error:
        errors.print(f"error: {error}")
        raise typer.Exit(2) from None
    if result.already:
        Console().print(
            f"already ingested, nothing changed: {', '.join(f.name for f in result.entry.files)}", highlight=False
        )
    else:
        print_summary(result.entry)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


if __name__ == "__main__":
    app()
