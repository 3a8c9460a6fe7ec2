"""Writing into a catalog: all of an ingest, or nothing.

Files are written into a staging folder inside the catalog and moved into place at the end. The decision is one file,
``commit.json``: a staging folder that has it is rolled forward on the next opening, one that has not is thrown away.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from catalog.encoding import STORED, bar_step, encode, file_metadata, objects
from catalog.instruments import Definition, Source, to_nautilus
from catalog.ledger import LEDGER, QUANTUM_NS, CatalogError, IngestEntry, Ledger, SeriesEntry, content_digest
from catalog.markets import Market
from catalog.tables import Chunk, Kind

STAGING = ".staging"
COMMIT = "commit.json"
LOCK = ".lock"
ROW_GROUP = 131_072
OBJECT_ROWS = 50_000
DICTIONARY_COLUMNS = frozenset({"price", "bid_price", "ask_price", "aggressor_side", "action", "side", "flags"})


class CatalogLockedError(CatalogError):
    """Another process is writing."""


class Catalog:
    """A Nautilus Parquet catalog with our ledger beside it."""

    def __init__(self, root: Path) -> None:
        """Open `root` (which need not exist yet), finishing an ingest that was interrupted while moving its files."""
        self.root = root
        _recover(root)
        self.ledger = Ledger.load(root)

    @property
    def nautilus(self) -> ParquetDataCatalog:
        return ParquetDataCatalog(str(self.root))

    def instruments(self) -> list[Instrument]:
        """All instruments, by id."""
        if not (self.root / "data").exists():
            return []
        return sorted(self.nautilus.instruments(), key=lambda i: str(i.id))

    def definition(self, market: Market) -> Definition | None:
        """The market's definition as the catalog has it, or None."""
        for instrument in self.instruments():
            if str(instrument.id) == market.instrument_id:
                return definition_of(instrument)
        return None

    def digest(self) -> str:
        """What the catalog holds, as 16 hexadecimal digits: another content is another digest.

        The contents are those that the ledger noted when they were written; of the files only sizes and footers are
        read again, so that it takes milliseconds however long they are. Who edits a file in place, against the rules
        of this room, and keeps both the same, is not found out.
        """
        digest = hashlib.blake2b(digest_size=8)
        for instrument in self.instruments():
            digest.update(repr(type(instrument).to_dict(instrument)).encode())
        for entry in sorted(self.ledger.series(), key=lambda s: s.path):
            digest.update(f"{entry.instrument_id} {entry.kind} {entry.path} {entry.digest}".encode())
            digest.update(_footer(self.root / entry.path))
        digest.update(repr(sorted(name for i in self.ledger.ingests for name in i.unseeded_books)).encode())
        return digest.hexdigest()

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """A staging area. What was not committed when the block ends is removed without a trace."""
        made = [folder for folder in (self.root, *self.root.parents) if not folder.exists()]
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with _lock(self.root):
                _settle(self.root)  # another process may have written since, or died while it did
                self.ledger = Ledger.load(self.root)
                transaction = Transaction(self)
                try:
                    yield transaction
                finally:
                    transaction.close()
        finally:
            for folder in made:
                _remove_if_empty(folder)


class Transaction:
    """Series being staged. Chunks of one series must come in non-decreasing order of ``ts_init``."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._staging = catalog.root / STAGING / uuid4().hex
        self._staging.mkdir(parents=True)
        self._slots = dict(catalog.ledger.slots)
        self._ledger = Ledger(ingests=list(catalog.ledger.ingests), slots=self._slots)
        self._series: dict[tuple[str, str], _Series] = {}  # by instrument and label

    def append(self, market: Market, chunk: Chunk) -> None:
        """Stage a chunk. Raises CatalogError when its times step back."""
        if not chunk.table.num_rows:
            return
        label = _label(chunk)
        key = (market.instrument_id, label)
        if key not in self._series:
            slot = self._ledger.slot(market.instrument_id, label)
            self._series[key] = _Series(self._staging, market, chunk.kind, label, slot)
        self._series[key].append(chunk.table)

    def rows(self) -> int:
        return sum(s.rows for s in self._series.values())

    def commit(self, definitions: dict[Market, Definition], entry: dict[str, Any]) -> IngestEntry:
        """Move everything staged into the catalog and write the ledger entry (`entry`: its other fields).

        Raises CatalogError if a series overlaps what the catalog has, or an instrument is defined otherwise there. An
        error while files are moved (OSError) leaves the rest to the next opening of the catalog.
        """
        instruments = [i for m, d in definitions.items() if (i := self._new_instrument(m, d)) is not None]
        for (instrument_id, kind), series in self._series.items():
            other = self._ledger.overlapping(instrument_id, kind, series.first, series.last)
            if other is not None:
                raise CatalogError(
                    f"{instrument_id} {kind}: {_span(series.first, series.last)} overlaps "
                    f"{_span(other.first_ns, other.last_ns)} that the catalog has from {_origin(self._ledger, other)}: "
                    "ingest into another catalog, or leave the overlap out"
                )
        if instruments:
            ParquetDataCatalog(str(self._staging)).write_data(instruments)
        written = [e for s in self._series.values() for e in s.finish(definitions[s.market])]
        ingest = IngestEntry(series=written, **entry)
        self._ledger.ingests.append(ingest)
        moves = sorted(str(p.relative_to(self._staging)) for p in self._staging.rglob("*.parquet"))
        _write_json(self._staging / COMMIT, {"moves": moves, "ledger": json.loads(self._ledger.to_json())})
        _roll_forward(self._catalog.root, self._staging)
        self._catalog.ledger = Ledger.load(self._catalog.root)
        return ingest

    def close(self) -> None:
        for series in self._series.values():
            series.abandon()
        if not (self._staging / COMMIT).exists():  # else decided, and interrupted while moving
            shutil.rmtree(self._staging, ignore_errors=True)
        _remove_if_empty(self._staging.parent)

    def _new_instrument(self, market: Market, definition: Definition) -> Instrument | None:
        have = self._catalog.definition(market)
        if have is None:
            first = min((s.first for s in self._series.values() if s.market == market), default=0)
            return to_nautilus(market, definition, first)
        if (have.price_tick, have.size_step, have.multiplier) != (
            definition.price_tick,
            definition.size_step,
            definition.multiplier,
        ):
            raise CatalogError(
                f"{market.instrument_id} is in the catalog with tick {have.price_tick:f}, step {have.size_step:f}, "
                f"multiplier {have.multiplier:f} ({have.source}); this ingest has tick {definition.price_tick:f}, "
                f"step {definition.size_step:f}, multiplier {definition.multiplier:f} ({definition.source}): "
                "use one --instruments file for both, or another catalog"
            )
        return None


class _Series:
    """One series on its way to disk: buffered to whole row groups, its precisions known only at the end."""

    def __init__(self, staging: Path, market: Market, kind: Kind, label: str, slot: int) -> None:
        self.market, self.kind, self.label = market, kind, label
        self.rows = 0
        self.first = self.last = 0
        self._staging, self._slot = staging, slot
        self._buffer: list[pa.Table] = []
        self._buffered = 0
        self._writer: pq.ParquetWriter | None = None
        self._path = staging / f"{market.instrument_id}.{kind}.partial"  # only kinds that are stored whole
        self._mark_places = 0
        self._raw_rows: list[tuple[dict[str, Any], int]] = []

    def append(self, table: pa.Table) -> None:
        base = table.column("ts_init").to_numpy()
        ts_init = base // QUANTUM_NS * QUANTUM_NS + self._slot
        if ts_init[0] < self.last or (np.diff(ts_init) < 0).any():
            raise CatalogError(
                f"{self.market.instrument_id} {self.kind}: times step back near line {table.column('line')[0]}: "
                "the source is not sorted"
            )
        if not self.rows:
            self.first = int(ts_init[0])
        self.rows += len(ts_init)
        self.last = int(ts_init[-1])
        if self.kind not in STORED:
            self._raw_rows += zip(table.to_pylist(), ts_init.tolist(), strict=True)
            return
        if self.kind is Kind.MARKS:
            self._mark_places = decimal_places(table.column("value"), self._mark_places)
        self._buffer.append(encode(self.kind, table, ts_init))
        self._buffered += len(ts_init)
        if self._buffered >= ROW_GROUP:
            self._flush()

    def finish(self, definition: Definition) -> list[SeriesEntry]:
        """Close the file under its final name. Returns its ledger entries."""
        instrument_id = self.market.instrument_id
        if self.kind not in STORED:
            return self._finish_objects(definition)
        self._flush()
        assert self._writer is not None  # a series exists only once rows came  # noqa: S101
        self._writer.add_key_value_metadata(file_metadata(self.kind, instrument_id, definition, self._mark_places))
        self._writer.close()
        self._writer = None
        relative = Path("data") / self.kind / instrument_id / f"{_stamp(self.first)}_{_stamp(self.last)}.parquet"
        (self._staging / relative).parent.mkdir(parents=True)
        self._path.rename(self._staging / relative)
        return [self._entry(relative, self.rows, self.first, self.last)]

    def abandon(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        if not self._buffer:
            return
        if self._writer is None:
            # dictionaries pay off for few distinct values only: ids and times are all different
            repeated = [n for n in STORED[self.kind].names if n in DICTIONARY_COLUMNS]
            self._writer = pq.ParquetWriter(
                self._path,
                STORED[self.kind],
                compression="lz4",  # half as much again on disk as zstd, a third less time to write
                use_dictionary=repeated or False,
                write_statistics=["ts_init"],
            )
        self._writer.write_table(pa.concat_tables(self._buffer), row_group_size=ROW_GROUP)
        self._buffer, self._buffered = [], 0

    def _finish_objects(self, definition: Definition) -> list[SeriesEntry]:
        catalog = ParquetDataCatalog(str(self._staging))
        entries = []
        for start in range(0, len(self._raw_rows), OBJECT_ROWS):
            part = self._raw_rows[start : start + OBJECT_ROWS]
            before = set(self._staging.rglob("*.parquet"))
            catalog.write_data([objects(self.kind, self.market.instrument_id, definition, row, ts) for row, ts in part])
            (new,) = set(self._staging.rglob("*.parquet")) - before
            entries.append(self._entry(new.relative_to(self._staging), len(part), part[0][1], part[-1][1]))
        return entries

    def _entry(self, path: Path, rows: int, first: int, last: int) -> SeriesEntry:
        digest = content_digest(self._staging / path)
        return SeriesEntry(self.market.instrument_id, self.label, path.as_posix(), rows, first, last, digest)


def _label(chunk: Chunk) -> str:
    """What a series is called in the ledger: its kind; bars of another length are another series."""
    if chunk.kind is not Kind.BARS:
        return str(chunk.kind)
    return f"{chunk.kind} {bar_step(chunk.table.column('step_seconds')[0].as_py())}"


def decimal_places(column: pa.ChunkedArray | pa.Array, at_least: int = 0) -> int:
    """The fewest places, not below `at_least`, that hold every value of a decimal column exactly."""
    for places in range(at_least, 17):
        try:
            column.cast(pa.decimal128(38, places))
        except pa.ArrowInvalid:
            continue
        return places
    raise CatalogError("a value has more than 16 decimal places, which Nautilus cannot hold")


def definition_of(instrument: Instrument) -> Definition:
    """A Definition back from a stored instrument."""
    info = instrument.info or {}
    return Definition(
        base=str(instrument.base_currency.code),
        quote=str(instrument.quote_currency.code),
        price_tick=instrument.price_increment.as_decimal().normalize(),
        size_step=instrument.size_increment.as_decimal().normalize(),
        multiplier=instrument.multiplier.as_decimal().normalize() if instrument.multiplier is not None else Decimal(1),
        source=Source(info.get("definition", Source.METADATA)),
    )


def _recover(root: Path) -> None:
    if not (root / STAGING).exists():
        return
    try:
        with _lock(root):
            _settle(root)
    except CatalogLockedError:
        return  # not left behind: its process is at work


def _settle(root: Path) -> None:
    """Finish or throw away what dead processes left. To be called under the lock."""
    for staging in sorted((root / STAGING).glob("*")):
        if (staging / COMMIT).exists():
            _roll_forward(root, staging)
        else:
            shutil.rmtree(staging)
    _remove_if_empty(root / STAGING)


def _roll_forward(root: Path, staging: Path) -> None:
    plan = json.loads((staging / COMMIT).read_text())
    for move in plan["moves"]:
        if (staging / move).exists():  # else moved before an interruption
            (root / move).parent.mkdir(parents=True, exist_ok=True)
            (staging / move).replace(root / move)
    _write_json(root / LEDGER, plan["ledger"])
    shutil.rmtree(staging)


def _write_json(path: Path, body: Any) -> None:
    """Replace a file in one step: a reader sees the old one or the new one."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w") as out:
        json.dump(body, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    path = root / LOCK
    if path.exists() and _stale(path):
        path.unlink()
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        raise CatalogLockedError(f"{root} is being written by process {path.read_text()}: wait for it to end") from None
    with os.fdopen(handle, "w") as out:
        out.write(str(os.getpid()))
    try:
        yield
    finally:
        path.unlink()


def _stale(lock: Path) -> bool:
    text = lock.read_text()
    return text.isdigit() and not psutil.pid_exists(int(text))


def _remove_if_empty(folder: Path) -> None:
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


def _footer(path: Path) -> bytes:
    """The size of a Parquet file and its footer, whose length is in the 8 bytes at the end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size - 8)
        file.seek(size - 8 - int.from_bytes(file.read(4), "little"))
        return size.to_bytes(8, "little") + file.read()


def _stamp(ns: int) -> str:
    whole, rest = divmod(ns, 1_000_000_000)
    return f"{np.datetime64(whole, 's').item():%Y-%m-%dT%H-%M-%S}-{rest:09d}Z"


def _span(first: int, last: int) -> str:
    return f"{_stamp(first)} to {_stamp(last)}"


def _origin(ledger: Ledger, series: SeriesEntry) -> str:
    for ingest in ledger.ingests:
        if series in ingest.series:
            return ", ".join(f.name for f in ingest.files) or ingest.format
    return "elsewhere"
