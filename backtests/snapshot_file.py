"""Snapshots in a Parquet file, with what they were made of: nothing is decided on snapshots of something else.

Columns are ``ts`` (UNIX ns), ``asset`` and a double for each feature, in order of ``ts`` and then asset.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indicators.kernel import Floats, Ints
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES

BATCH_ROWS = 8_192
_ORIGIN = b"crossflow"
SCHEMA = pa.schema([("ts", pa.int64()), ("asset", pa.string()), *((f.name, pa.float64()) for f in FEATURES)])


class SnapshotFileError(Exception):
    """A file of snapshots that cannot be read, or not be used here."""


@dataclass(frozen=True)
class Origin:
    """What snapshots were computed from. Two equal origins have the same snapshots."""

    schema_id: str
    catalog: str  # :meth:`catalog.store.Catalog.digest`
    assets: dict[str, tuple[str, ...]]  # the markets of each asset, the lead first
    without_book: tuple[str, ...]  # markets of which nothing but trades was read
    start_ns: int  # the clock's start, or the asked one where that is later: data before it was left out
    end_ns: int
    days_apart: bool = False  # every day began cold, as a replay of that day alone would

    def to_metadata(self) -> dict[bytes, bytes]:
        """For the file's schema."""
        return {_ORIGIN: json.dumps(asdict(self)).encode()}

    @classmethod
    def read(cls, path: Path) -> "Origin":
        """Raises SnapshotFileError for a file that was not written here."""
        try:
            metadata = pq.read_schema(path).metadata or {}
            body = json.loads(metadata[_ORIGIN])
            body["assets"] = {asset: tuple(markets) for asset, markets in body["assets"].items()}
            body["without_book"] = tuple(body["without_book"])
            return cls(**body)
        except (OSError, pa.ArrowException, AttributeError, KeyError, TypeError, ValueError) as error:
            raise SnapshotFileError(
                f"{path} is no file of snapshots ({error!r}): make one with backtests/features.py"
            ) from error

    def require(self, wanted: "Origin", path: Path) -> None:
        """Raise SnapshotFileError, naming every difference, unless these snapshots are those of `wanted`.

        They may go on for longer than `wanted`, and hold more assets.
        """
        wrong = []
        if self.schema_id != wanted.schema_id:
            wrong.append(f"its features have schema {self.schema_id}, the profile's {wanted.schema_id}")
        if self.catalog != wanted.catalog:
            wrong.append(f"it was made from catalog {self.catalog}, this one is {wanted.catalog}")
        if self.days_apart:
            wrong.append("its days were computed apart, each beginning cold, which a replay does not")
        for asset, markets in wanted.assets.items():
            if asset not in self.assets:
                wrong.append(f"it has no {asset}")
            elif self.assets[asset] != markets:
                wrong.append(f"its {asset} is made of {', '.join(self.assets[asset])}, here it is {', '.join(markets)}")
        named = {name for names in wanted.assets.values() for name in names}
        if set(self.without_book) & named != set(wanted.without_book) & named:
            wrong.append("it read other books")
        if self.start_ns != wanted.start_ns:
            wrong.append(f"it begins at {_utc(self.start_ns)}, the replay at {_utc(wanted.start_ns)}")
        if self.end_ns < wanted.end_ns:
            wrong.append(f"it ends at {_utc(self.end_ns)}, the replay at {_utc(wanted.end_ns)}")
        if wrong:
            raise SnapshotFileError(
                f"{path} cannot be used: {'; '.join(wrong)}. Make it anew with backtests/features.py "
                f"from the same catalog, profile, --start and --end"
            )


def _utc(ns: int) -> str:
    return f"{np.datetime64(ns, 'ns')}Z"


class SnapshotWriter:
    """Writes a file of snapshots; what was not closed is not there."""

    def __init__(self, path: Path, origin: Origin) -> None:
        self.path = path
        self.rows = 0
        self._assets = sorted(origin.assets)
        self._numbers = {asset: number for number, asset in enumerate(self._assets)}
        self._schema = SCHEMA.with_metadata(origin.to_metadata())
        path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = path.with_name(path.name + ".partial")
        self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")

    def numbers(self, assets: Sequence[str]) -> Ints:
        """The numbers of assets, which are in order of their names."""
        return np.array([self._numbers[asset] for asset in assets], np.int64)

    def write(self, ts: Ints, assets: Ints, values: Floats) -> None:
        """Append rows: times, numbers of assets and values of shape (rows, features)."""
        if not len(ts):
            return
        names = pa.DictionaryArray.from_arrays(pa.array(assets, pa.int32()), self._assets).cast(pa.string())
        columns = [pa.array(ts), names, *(pa.array(np.ascontiguousarray(column)) for column in values.T)]
        self._writer.write_table(pa.table(columns, schema=self._schema))
        self.rows += len(ts)

    def close(self) -> None:
        """Finish the file and put it in its place."""
        try:
            self._writer.close()
            self._partial.replace(self.path)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    def discard(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> "SnapshotWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def read_snapshots(path: Path) -> Iterator[FlowSnapshot]:
    """The snapshots of a file in their order. Raises SnapshotFileError for columns that do not fit."""
    origin = Origin.read(path)
    assets = sorted(origin.assets)
    for times, numbers, values in read_batches(path):
        values.flags.writeable = False
        for row, (ts, number) in enumerate(zip(times.tolist(), numbers.tolist(), strict=True)):
            yield FlowSnapshot(ts, assets[number], values[row], origin.schema_id)


def read_batches(path: Path) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Times, numbers of assets in order of their names, and values of shape (rows, features), batch by batch."""
    assets = sorted(Origin.read(path).assets)
    file = pq.ParquetFile(path)
    if file.schema_arrow.names != SCHEMA.names:
        raise SnapshotFileError(f"{path} has other columns than this release writes: make it anew")
    for batch in file.iter_batches(BATCH_ROWS):
        numbers = pc.index_in(batch.column("asset"), value_set=pa.array(assets)).to_numpy().astype(np.int64)
        yield batch.column("ts").to_numpy(), numbers, np.stack([batch.column(f.name).to_numpy() for f in FEATURES], 1)
