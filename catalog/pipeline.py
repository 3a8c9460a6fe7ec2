"""From source files to a catalog: read, check, define, store. One market an ingest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import Anomaly, AnomalyLog, OnGap, Progress
from catalog.anomalies import Kind as AnomalyKind
from catalog.book_continuity import BookContinuity
from catalog.encoding import units
from catalog.formats.reader import Reader
from catalog.instruments import Definition, InstrumentMetadataError, Source, read_definition, split_symbol
from catalog.ledger import CatalogError, IngestEntry, fingerprint
from catalog.markets import Market
from catalog.store import Catalog, decimal_places
from catalog.tables import Chunk, Kind

LISTED_ANOMALIES = 200
PRICES = {
    Kind.TRADES: ("price",),
    Kind.BOOK: ("price",),
    Kind.QUOTES: ("bid_price", "ask_price"),
    Kind.BARS: ("open", "high", "low", "close"),
}
SIZES = {Kind.TRADES: ("size",), Kind.BOOK: ("size",), Kind.QUOTES: ("bid_size", "ask_size"), Kind.BARS: ("volume",)}


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did. `already` is True when the very same contents were in the catalog and nothing was done."""

    entry: IngestEntry
    already: bool


def ingest(
    root: Path,
    format_name: str,
    reader: Reader,
    files: Sequence[Path],
    *,
    on_gap: OnGap = OnGap.REFUSE,
    instruments: Path | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Read `files` as one stream into the catalog at `root`.

    The instrument's definition is `instruments` (the venue's metadata JSON) if given, else what the catalog has, else
    it is inferred from the data. Raises IngestRefusedError (anomalies that the policy does not accept), CatalogError and
    InstrumentMetadataError; in every case the catalog stays as it was.
    """
    market = reader.market
    missing = [str(f) for f in files if not f.is_file()]
    if missing or not files:
        raise CatalogError(f"no such file: {', '.join(missing) or '(none given)'}")
    catalog = Catalog(root)
    sources = [fingerprint(f) for f in files]
    earlier = catalog.ledger.find(market.instrument_id, sources, format_name)
    if earlier is not None:
        return IngestResult(earlier, already=True)
    given = read_definition(instruments, market) if instruments is not None else catalog.definition(market)
    log = AnomalyLog(on_gap)
    steps = GivenSteps(given, log) if given is not None else InferredSteps(market)
    continuity = BookContinuity(log)
    with catalog.transaction() as transaction:
        for chunk in reader.read(files, log, progress or (lambda _name, _read, _size: None)):
            checked = continuity.check(chunk) if chunk.kind is Kind.BOOK else chunk
            steps.check(checked)
            if not log.refused:  # else read on only to find every reason
                transaction.append(market, checked)
        log.raise_if_refused()
        if not transaction.rows():
            raise CatalogError(
                f"{', '.join(f.name for f in files)}: no rows for {market.symbol}: wrong --symbol or --market?"
            )
        definition = steps.definition()
        entry = transaction.commit(
            {market: definition},
            {
                "format": format_name,
                "options": {"instrument_id": market.instrument_id, **reader_options(reader), "on_gap": str(on_gap)},
                "files": sources,
                "counts": {str(k): n for k, n in sorted(log.counts.items())},
                "anomalies": [a.to_dict() for a in _worth_listing(log.tolerated)],
                "unseeded_books": [market.instrument_id] if log.counts[AnomalyKind.UNSEEDED_BOOK] else [],
                "definition": str(definition.source),
            },
        )
    return IngestResult(entry, already=False)


def reader_options(reader: Reader) -> dict[str, Any]:
    """The options that a reader was made with, as the ledger keeps them."""
    names = [f.name for f in fields(reader)]  # type: ignore[arg-type]  # readers are dataclasses
    return {name: str(getattr(reader, name)) for name in names}


def _worth_listing(anomalies: Iterable[Anomaly]) -> list[Anomaly]:
    return list(anomalies)[:LISTED_ANOMALIES]


@dataclass
class GivenSteps:
    """Holds the data against a known definition: every price on its tick, every size on its step."""

    given: Definition
    log: AnomalyLog
    _tick: int = field(init=False)
    _step: int = field(init=False)

    def __post_init__(self) -> None:
        self._tick = _in_units(self.given.price_tick, self.given.price_places)
        self._step = _in_units(self.given.size_step, self.given.size_places)

    def check(self, chunk: Chunk) -> None:
        places, size_places = self.given.price_places, self.given.size_places
        for name in PRICES.get(chunk.kind, ()):
            self._hold(chunk, name, places, self._tick, f"tick {self.given.price_tick}")
        for name in SIZES.get(chunk.kind, ()):
            self._hold(chunk, name, size_places, self._step, f"step {self.given.size_step}")

    def definition(self) -> Definition:
        return self.given

    def _hold(self, chunk: Chunk, name: str, places: int, step: int, what: str) -> None:
        column = chunk.table.column(name)
        try:
            bad = np.flatnonzero(units(column, places) % step) if step > 1 else np.empty(0, dtype=np.int64)
            if step == 1:
                column.cast(pa.decimal128(38, places))
        except pa.ArrowInvalid:
            scale = Decimal(1).scaleb(-places) * step
            bad = np.array([i for i, v in enumerate(column.to_pylist()) if v % scale], dtype=np.int64)
        for i in bad[:50]:
            line = chunk.table.column("line")[int(i)].as_py()
            self.log.report(
                AnomalyKind.BAD_VALUE,
                chunk.file,
                line,
                f"{name} {column[int(i)].as_py().normalize():f} is not a multiple of {what} ({self.given.source}): "
                "metadata of another time or market?",
            )


@dataclass
class InferredSteps:
    """Finds the coarsest tick and step on which all the data lies."""

    market: Market
    _price: "_CommonStep" = field(default_factory=lambda: _CommonStep())
    _size: "_CommonStep" = field(default_factory=lambda: _CommonStep())

    def check(self, chunk: Chunk) -> None:
        for name in PRICES.get(chunk.kind, ()):
            self._price.add(chunk.table.column(name))
        for name in SIZES.get(chunk.kind, ()):
            self._size.add(chunk.table.column(name))

    def definition(self) -> Definition:
        """Raises InstrumentMetadataError where the data has no prices or sizes to infer from."""
        if not (self._price.divisor and self._size.divisor):
            raise InstrumentMetadataError(
                f"{self.market.instrument_id} is not in the catalog and this format has no prices and sizes to infer it "
                "from: give --instruments, or ingest its trades or book first"
            )
        base, quote = split_symbol(self.market)
        return Definition(base, quote, self._price.step, self._size.step, source=Source.INFERRED)


@dataclass
class _CommonStep:
    places: int = 0
    divisor: int = 0  # of all values, in units of 10^-places; 0: nothing seen

    def add(self, column: pa.ChunkedArray) -> None:
        places = decimal_places(column, self.places)
        self.divisor *= 10 ** (places - self.places)
        self.places = places
        values: npt.NDArray[np.int64] = np.unique(units(column, places))
        self.divisor = int(np.gcd(np.gcd.reduce(values), self.divisor)) if len(values) else self.divisor

    @property
    def step(self) -> Decimal:
        return Decimal(self.divisor).scaleb(-self.places).normalize()


def _in_units(step: Decimal, places: int) -> int:
    return int(step.scaleb(places))
