"""One series of a catalog as plain columns of numbers, batch by batch: what compiled code can walk.

All kinds share four columns, so that one kernel reads them side by side:

===============  =========================  ====================  =============================
kind             ``whole`` (int64)          ``amount`` (double)   ``code`` (int64)
===============  =========================  ====================  =============================
book             price, units               size, units           256 x action + side
trades           price, units               size, units           taker side
marks            0                          price                 0
funding          next settlement, UNIX ns   rate                  0
open interest    0                          value                 0
===============  =========================  ====================  =============================

Units are whole steps of the market's last decimal place. Amounts that are no units are the doubles nearest to their
decimals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backtests.book_seed import BookState
from backtests.market_data import SLOW_KINDS, row_range, slow_events
from catalog.encoding import stored_units
from catalog.ledger import CatalogError
from catalog.tables import ADD, BID, CLEAR, F_LAST, NO_SIDE, Kind
from indicators.kernel import Floats, Ints

BATCH_ROWS = 32_768
SIDES = 256  # a book row's code is SIDES x action + side; the catalog keeps either in a byte

_COLUMNS: dict[Kind, list[str]] = {
    Kind.BOOK: ["action", "side", "price", "size", "flags", "ts_init"],
    Kind.TRADES: ["price", "size", "aggressor_side", "ts_init"],
    Kind.MARKS: ["value", "ts_init"],
}


class Rows(NamedTuple):
    """Rows in order of ``ts`` (UNIX ns, the catalog's ``ts_init``); the columns are of one length."""

    ts: Ints
    whole: Ints
    amount: Floats
    code: Ints


@dataclass(frozen=True)
class SeriesFile:
    """A Parquet file of a catalog, of which rows `first` to `end` - 1 are wanted."""

    path: Path
    kind: Kind
    first: int
    end: int

    @classmethod
    def of_span(cls, path: Path, kind: Kind, start_ns: int, end_ns: int) -> "SeriesFile":
        """The rows of the file whose time lies in the span, both ends included."""
        return cls(path, kind, *row_range(path, start_ns, end_ns))

    def batches(self) -> Iterator[Rows]:
        """Raises CatalogError for a book whose last frame has no end."""
        if self.kind in SLOW_KINDS:
            yield from self._slow_batches()
            return
        file = pq.ParquetFile(self.path)
        places = _places(file)
        row = 0
        last_flags = F_LAST
        for batch in file.iter_batches(BATCH_ROWS, columns=_COLUMNS[self.kind], use_threads=False):
            start, stop = max(self.first - row, 0), min(self.end - row, batch.num_rows)
            row += batch.num_rows
            if start < stop:
                table = batch.slice(start, stop - start)
                if self.kind is Kind.BOOK:
                    last_flags = table.column("flags")[-1].as_py()
                yield _rows(self.kind, table, places)
            if row >= self.end:
                break
        if not last_flags & F_LAST:
            raise CatalogError(f"{self.path}: the book's last frame has no end: the catalog is damaged, ingest it anew")

    def _slow_batches(self) -> Iterator[Rows]:
        row = 0
        for events in slow_events(self.path, self.kind):
            wanted = events[max(self.first - row, 0) : max(self.end - row, 0)]
            row += len(events)
            if wanted:
                ts = np.array([event.ts_init for event in wanted], np.int64)
                if self.kind is Kind.FUNDING:
                    whole = [event.next_funding_ns or 0 for event in wanted]
                    amount = [float(event.rate) for event in wanted]
                else:
                    whole, amount = [0] * len(wanted), [event.value for event in wanted]
                yield Rows(ts, np.array(whole, np.int64), np.array(amount, np.float64), np.zeros(len(ts), np.int64))


def seed_rows(seed: BookState) -> Rows:
    """The state of a book as rows: it is cleared, and every level added."""
    parts = [seed.ladder.levels(side) for side in (BID, BID + 1)]
    codes = [np.full(len(prices), SIDES * ADD + BID + row) for row, (prices, _) in enumerate(parts)]
    count = 1 + sum(len(prices) for prices, _ in parts)
    return Rows(
        np.full(count, seed.ts),
        np.concatenate([[0], *(prices for prices, _ in parts)]).astype(np.int64),
        np.concatenate([[0.0], *(sizes for _, sizes in parts)]),
        np.concatenate([[SIDES * CLEAR + NO_SIDE], *codes]).astype(np.int64),
    )


def _places(file: pq.ParquetFile) -> tuple[int, int]:
    meta = file.metadata.metadata or {}
    return int(meta.get(b"price_precision", b"0")), int(meta.get(b"size_precision", b"0"))


def _rows(kind: Kind, batch: pa.RecordBatch, places: tuple[int, int]) -> Rows:
    price_places, size_places = places
    ts = _ints(batch.column("ts_init"))
    if kind is Kind.BOOK:
        code = SIDES * _ints(batch.column("action")) + _ints(batch.column("side"))
        size = stored_units(batch.column("size"), size_places).astype(np.float64)
        return Rows(ts, stored_units(batch.column("price"), price_places), size, code)
    if kind is Kind.TRADES:
        size = stored_units(batch.column("size"), size_places).astype(np.float64)
        price = stored_units(batch.column("price"), price_places)
        return Rows(ts, price, size, _ints(batch.column("aggressor_side")))
    nothing = np.zeros(len(ts), np.int64)
    return Rows(ts, nothing, stored_units(batch.column("value"), price_places) / 10.0**price_places, nothing)


def _ints(column: pa.Array) -> Ints:
    values: Ints = column.to_numpy(zero_copy_only=False).astype(np.int64)
    return values


def chained_batches(seed: Rows | None, files: Sequence[SeriesFile]) -> Iterator[Rows]:
    """The batches of a series in order of time, after the state of its book at the start if it has one."""
    if seed is not None:
        yield seed
    for file in files:
        yield from file.batches()
