"""What was planted in a built-in market, written beside its catalog and never into it: ``<catalog>.truth``.

Two Parquet files: ``episodes.parquet`` and ``walls.parquet``, their columns the fields of
:class:`catalog.market_episodes.Episode` and :class:`catalog.market_walls.Wall`. They are for tests and reports that
judge what a strategy found. A strategy that reads them has cheated.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.ledger import CatalogError
from catalog.market_episodes import Episode, EpisodeKind
from catalog.market_walls import Wall

EPISODES = pa.schema(
    [
        ("asset", pa.string()),
        ("kind", pa.string()),
        ("direction", pa.int8()),
        ("start_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("outcome_end_ns", pa.int64()),
        ("drift", pa.float64()),
    ]
)
WALLS = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("side", pa.string()),
        ("price", pa.string()),  # exact decimals as text
        ("size", pa.string()),
        ("start_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("real", pa.bool_()),
    ]
)
_EPISODES_FILE, _WALLS_FILE = "episodes.parquet", "walls.parquet"


@dataclass
class Truth:
    """The episodes and walls of a sample, each asset's and each market's in order of time."""

    episodes: list[Episode] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)


def truth_path(catalog: Path) -> Path:
    """Where the truth of the catalog at `catalog` is: beside it."""
    resolved = catalog.resolve()  # "." and ".." have no name to put a suffix to
    return resolved.with_name(resolved.name + ".truth")


@contextmanager
def truth_beside(catalog: Path) -> Iterator[Callable[[Truth], None]]:
    """Yields what stages a truth; it gets its name beside the catalog when the block ends well, else it is removed.

    Raises CatalogError if there is a truth already.
    """
    path = truth_path(catalog)
    if path.exists():
        raise CatalogError(f"{path} holds the truth of another sample: give a new directory, or delete it")
    staging = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        yield lambda truth: write_truth(staging, truth)
        if staging.exists():
            staging.rename(path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_truth(path: Path, truth: Truth) -> None:
    """Write `truth` into a new directory `path`."""
    path.mkdir(parents=True)
    episodes = [vars(episode) | {"kind": str(episode.kind)} for episode in truth.episodes]
    walls = [vars(wall) | {"price": f"{wall.price:f}", "size": f"{wall.size:f}"} for wall in truth.walls]
    pq.write_table(pa.Table.from_pylist(episodes, EPISODES), path / _EPISODES_FILE)
    pq.write_table(pa.Table.from_pylist(walls, WALLS), path / _WALLS_FILE)


def load_truth(path: Path) -> Truth:
    """The truth in directory `path`. Raises CatalogError where there is none."""
    for name in (_EPISODES_FILE, _WALLS_FILE):
        if not (path / name).is_file():
            raise CatalogError(f"{path} holds no truth: {name} is missing")
    episodes = pq.read_table(path / _EPISODES_FILE).to_pylist()
    walls = pq.read_table(path / _WALLS_FILE).to_pylist()
    return Truth(
        episodes=[Episode(**row | {"kind": EpisodeKind(row["kind"])}) for row in episodes],
        walls=[Wall(**row | {"price": Decimal(row["price"]), "size": Decimal(row["size"])}) for row in walls],
    )
