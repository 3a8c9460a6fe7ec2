"""What the commands of this room share: errors, spans, progress."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from backtests.market_data import EVERYTHING
from backtests.profile import ProfileError
from backtests.snapshot_file import SnapshotFileError
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.times import parse_ns

# Nautilus 1.231 uses what a later pandas will drop: nothing that a user can do
warnings.filterwarnings("ignore", message=r"(Timestamp\.utcnow|'d') is deprecated|Discarding nonzero nanoseconds")

errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


@contextmanager
def failing() -> Iterator[None]:
    """Bad input becomes one line on stderr and exit code 2."""
    try:
        yield
    except (ProfileError, CatalogError, SnapshotFileError, ValueError, OSError) as error:
        errors.print(f"error: {error}")
        raise typer.Exit(2) from None


def bounds(start: str | None, end: str | None) -> tuple[int, int]:
    """The span that two options name, UNIX ns, both ends included. Raises ValueError for one that ends before it."""
    start_ns = parse_ns(start) if start else EVERYTHING[0]
    end_ns = parse_ns(end) if end else EVERYTHING[1]
    if start_ns > end_ns:
        raise ValueError(f"--start {start} is after --end {end}")
    return start_ns, end_ns


def existing_catalog(root: Path) -> Catalog:
    """The catalog in a directory. Raises CatalogError where there is none."""
    if not (root / "data").is_dir():
        raise CatalogError(f"{root} is not a catalog: fill one with catalog/ingest.py")
    return Catalog(root)


@contextmanager
def progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that is told rows done and rows in all."""
    columns = (TextColumn(name), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
