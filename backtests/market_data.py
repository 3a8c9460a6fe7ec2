"""A catalog as one stream of Nautilus events in order of ``ts_init``, in memory that does not grow with the catalog.

Nautilus's Rust session decodes and merges the Parquet files. Book rows are handed on as whole frames
(``OrderBookDeltas``): the engine takes a frame five times faster than its rows one by one, and nothing ever sees half a
frame. Funding and open interest, which the session cannot decode, are few and are merged in here.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.core.nautilus_pyo3 import DataBackendSession, NautilusDataType, drop_cvec_pycapsule
from nautilus_trader.model.data import (
    CustomData,
    DataType,
    FundingRateUpdate,
    OrderBookDelta,
    OrderBookDeltas,
    TradeTick,
    capsule_to_list,
)
from nautilus_trader.model.enums import AggressorSide, RecordFlag
from nautilus_trader.serialization.arrow.serializer import ArrowSerializer

from backtests.book_seed import book_at
from catalog.data_types import OpenInterest
from catalog.ledger import SeriesEntry
from catalog.store import Catalog
from catalog.tables import Kind

SESSION_TYPES = {
    Kind.BOOK: NautilusDataType.OrderBookDelta,
    Kind.TRADES: NautilusDataType.TradeTick,
    Kind.MARKS: NautilusDataType.MarkPriceUpdate,
}
SLOW_KINDS = (Kind.FUNDING, Kind.OPEN_INTEREST)
REPLAYED = (*SESSION_TYPES, *SLOW_KINDS)
"""Quotes and bars stay in the catalog: the books say the first and the trades the second."""

CHUNK_ROWS = 20_000
EVERYTHING = (0, 2**63 - 1)


@dataclass(frozen=True)
class MarketData:
    """The part of a catalog that a replay reads: `start_ns` to `end_ns`, both inclusive, of some instruments."""

    catalog: Catalog
    instrument_ids: tuple[str, ...]
    start_ns: int = EVERYTHING[0]
    end_ns: int = EVERYTHING[1]

    def series(self) -> list[SeriesEntry]:
        """The files that hold events of the span, of the kinds that are replayed."""
        return [
            s
            for s in self.catalog.ledger.series()
            if s.kind in REPLAYED
            and s.instrument_id in self.instrument_ids
            and s.first_ns <= self.end_ns
            and s.last_ns >= self.start_ns
        ]

    def span(self) -> tuple[int, int] | None:
        """First and last event time of the data inside the asked span, or None where there is none."""
        series = self.series()
        if not series or self.start_ns > self.end_ns:
            return None
        return (
            max(self.start_ns, min(s.first_ns for s in series)),
            min(self.end_ns, max(s.last_ns for s in series)),
        )

    def rows(self) -> int:
        """Rows of the span (levels count one by one), for progress; whole row groups at its edges."""
        return sum(
            last - first
            for s in self.series()
            for first, last in [row_range(self._path(s), self.start_ns, self.end_ns)]
        )

    def events(self, on_rows: Callable[[int], None] | None = None) -> Iterator[list[Any]]:
        """Lists of events in order of ``ts_init``; `on_rows` is told the rows read of each.

        Where the span begins inside a book's file, that book first comes as one snapshot of its state at the start.
        """
        fast = frames(self._session_rows(), on_rows)
        slow = merge(*self._slow_streams(), key=_ts_init)
        return spliced(fast, slow)

    def _path(self, entry: SeriesEntry) -> Path:
        return self.catalog.root / entry.path

    def _session_rows(self) -> Iterator[list[Any]]:
        session = DataBackendSession(chunk_size=CHUNK_ROWS)
        any_file = False
        for number, entry in enumerate(s for s in self.series() if s.kind in SESSION_TYPES):
            first, last = row_range(self._path(entry), self.start_ns, self.end_ns)
            if first == last:
                continue
            table = f"t{number}"
            # LIMIT and OFFSET keep the order of rows that share a ts_init; a WHERE would not
            query = f"SELECT * FROM {table} LIMIT {last - first} OFFSET {first}"  # noqa: S608  # numbers of our own
            session.add_file(SESSION_TYPES[Kind(entry.kind)], table, str(self._path(entry)), query)
            any_file = True
        if any_file:
            for capsule in session.to_query_result():
                rows = capsule_to_list(capsule)
                drop_cvec_pycapsule(capsule)  # Rust's copy: its capsule has no destructor, 200 bytes a row would stay
                yield rows

    def _slow_streams(self) -> list[Iterator[Any]]:
        streams: list[Iterator[Any]] = []
        for entry in self.series():
            if entry.kind in SLOW_KINDS:
                streams.append(self._slow_rows(entry))
            elif entry.kind == Kind.BOOK and entry.first_ns < self.start_ns:
                seed = book_at(self._path(entry), entry.instrument_id, self.start_ns)
                streams.append(iter([seed] if seed is not None else []))
        return streams

    def _slow_rows(self, entry: SeriesEntry) -> Iterator[Any]:
        for events in slow_events(self._path(entry), Kind(entry.kind)):
            for event in events:
                if self.start_ns <= event.ts_init <= self.end_ns:
                    yield _custom(event) if isinstance(event, OpenInterest) else event


def slow_events(path: Path, kind: Kind) -> Iterator[list[Any]]:
    """The events of a file of one of SLOW_KINDS, decoded by Nautilus, in batches."""
    data_class = FundingRateUpdate if kind is Kind.FUNDING else OpenInterest
    for batch in pq.ParquetFile(path).iter_batches(batch_size=1_000):
        events = ArrowSerializer.deserialize(data_class, pa.Table.from_batches([batch]))
        yield [_with_decimal_rate(event) for event in events] if kind is Kind.FUNDING else events


def row_range(path: Path, start_ns: int, end_ns: int) -> tuple[int, int]:
    """First row and end row (exclusive) of a file whose ``ts_init`` lies in [start_ns, end_ns]."""
    file = pq.ParquetFile(path)
    return _rows_before(file, start_ns, "left"), _rows_before(file, end_ns, "right")


def _rows_before(file: pq.ParquetFile, ts: int, side: str) -> int:
    column = file.schema_arrow.names.index("ts_init")
    rows = 0
    for group in range(file.num_row_groups):
        meta = file.metadata.row_group(group)
        stats = meta.column(column).statistics
        if stats is None or not (stats.max < ts or (side == "right" and stats.max == ts)):
            times: npt.NDArray[np.integer] = file.read_row_group(group, ["ts_init"]).column(0).to_numpy()
            # in the column's own type, which is not that of every kind: numpy compares mixed ones as doubles
            found = int(np.searchsorted(times, times.dtype.type(ts), side="left" if side == "left" else "right"))
            return rows + found
        rows += meta.num_rows
    return rows


def frames(chunks: Iterator[list[Any]], on_rows: Callable[[int], None] | None = None) -> Iterator[list[Any]]:
    """Book rows gathered into whole ``OrderBookDeltas``; every other event is passed on in its place.

    Prints without a taker (insurance fund, ADL) are left out: nobody could trade with them, often far from the book,
    but the engine would fill resting orders and trigger stops at their price.
    """
    last_of_frame, no_taker = int(RecordFlag.F_LAST), AggressorSide.NO_AGGRESSOR
    open_frame: list[OrderBookDelta] = []
    for chunk in chunks:
        out: list[Any] = []
        for event in chunk:
            kind = type(event)
            if kind is not OrderBookDelta:
                if kind is not TradeTick or event.aggressor_side != no_taker:
                    out.append(event)
                continue
            open_frame.append(event)
            if event.flags & last_of_frame:
                out.append(OrderBookDeltas(event.instrument_id, open_frame))
                open_frame = []
        if on_rows is not None:
            on_rows(len(chunk))
        if out:
            yield out
    if open_frame:
        raise ValueError(
            f"{open_frame[0].instrument_id}: the book's last frame has no end: the catalog is damaged, ingest it anew"
        )


def spliced(fast: Iterator[list[Any]], slow: Iterator[Any]) -> Iterator[list[Any]]:
    """The few events of `slow` put into the lists of `fast` at their ``ts_init``."""
    pending = next(slow, None)
    for chunk in fast:
        due: list[Any] = []
        while pending is not None and pending.ts_init <= chunk[-1].ts_init:
            due.append(pending)
            pending = next(slow, None)
        for event in reversed(due):  # from the back, so that the places found before stay right
            chunk.insert(bisect_left(chunk, event.ts_init, key=_ts_init), event)
        yield chunk
    rest = ([pending] if pending is not None else []) + list(slow)
    if rest:
        yield rest


def _with_decimal_rate(event: FundingRateUpdate) -> FundingRateUpdate:
    """Nautilus decodes the rate as text, where every adapter gives a Decimal."""
    fields = FundingRateUpdate.to_dict(event)
    return FundingRateUpdate.from_dict(fields | {"rate": Decimal(event.rate)})


def _ts_init(event: Any) -> int:
    ts: int = event.ts_init
    return ts


def _custom(event: OpenInterest) -> CustomData:
    # a raw object of our own would be dropped without a word
    return CustomData(DataType(OpenInterest, metadata={"instrument_id": event.instrument_id.value}), event)
