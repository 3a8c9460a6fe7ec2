"""A market out of a catalog: its books, trades, marks, funding and open interest, as they were received."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.data import FundingRateUpdate
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.serialization.arrow.serializer import ArrowSerializer

from adapters.loopback.bars import MINUTE_S, Bar, BarStore
from adapters.loopback.feed.events import BookUpdate, FeedEvent, FundingUpdate, InterestUpdate, PriceUpdate, TradeUpdate
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import ZERO, Side
from catalog.data_types import OpenInterest
from catalog.encoding import stored_units
from catalog.ledger import CatalogError, SeriesEntry
from catalog.store import Catalog
from catalog.tables import BID, BUYER, CLEAR, F_LAST, NO_AGGRESSOR, Kind

SECOND_NS = 1_000_000_000
BATCH_ROWS = 8_192
type Timed = tuple[int, FeedEvent]


class CatalogFeed:
    """The perpetuals of one venue in the catalog at `root`.

    The first `warm_up_minutes` are history: their trades are bars, their book is where the market starts from. Raises
    CatalogError for a catalog without a perpetual of that venue.
    """

    def __init__(self, root: Path, *, venue: str = "MEXC", warm_up_minutes: int = 0) -> None:
        self._catalog = Catalog(root)
        found = [i for i in self._catalog.instruments() if i.id.venue.value == venue]
        self._instruments = {str(i.id): i for i in found if isinstance(i, CryptoPerpetual)}
        if not self._instruments:
            raise CatalogError(f"{root} has no perpetual of {venue}: ingest some, or make the built-in market there")
        series = self._series()
        if not series:
            raise CatalogError(f"{root} has no data of the perpetuals of {venue}: ingest some")
        self._start_ns = min(entry.first_ns for entry in series) + warm_up_minutes * MINUTE_S * SECOND_NS

    def contracts(self) -> list[Contract]:
        return [_contract(instrument) for instrument in self._instruments.values()]

    def history(self, symbol: str, end_s: int) -> list[Bar]:
        """Bars of the warm-up, moved in time so that it ends at `end_s`."""
        bars = BarStore()
        end_s = end_s // MINUTE_S * MINUTE_S - 1
        for entry in self._series():
            instrument = self._instruments[entry.instrument_id]
            if entry.kind != Kind.TRADES or instrument.raw_symbol.value != symbol:
                continue
            size = _contract(instrument).size
            for ts, event in _trades(self._catalog.root / entry.path, instrument):
                if ts >= self._start_ns:
                    break
                if isinstance(event, TradeUpdate):
                    ts_ms = end_s * 1000 - (self._start_ns - ts) // 1_000_000
                    bars.add(symbol, ts_ms, event.price, event.vol, event.price * event.vol * size)
        return bars.bars(symbol, 0, end_s, MINUTE_S)

    def events(self) -> Iterator[tuple[float, FeedEvent]]:
        """In order of receipt; what lies in the warm-up comes at time 0, without its trades."""
        for ts, event in merge(*map(self._stream, self._series()), key=lambda timed: timed[0]):
            if ts >= self._start_ns:
                yield (ts - self._start_ns) / SECOND_NS, event
            elif not isinstance(event, TradeUpdate):
                yield 0.0, event

    def _stream(self, entry: SeriesEntry) -> Iterator[Timed]:
        return _READERS[Kind(entry.kind)](self._catalog.root / entry.path, self._instruments[entry.instrument_id])

    def _series(self) -> list[SeriesEntry]:
        entries = self._catalog.ledger.series()
        return [e for e in entries if e.instrument_id in self._instruments and e.kind in set(_READERS)]


def _contract(instrument: Instrument) -> Contract:
    definition = {
        "size": instrument.multiplier.as_decimal().normalize(),
        "tick": instrument.price_increment.as_decimal().normalize(),
        "step": instrument.size_increment.as_decimal().normalize(),
        "min_vol": instrument.size_increment.as_decimal().normalize(),
    }
    base, quote = instrument.base_currency.code, instrument.quote_currency.code
    return Contract(instrument.raw_symbol.value, base, quote, **definition)


def _books(path: Path, instrument: Instrument) -> Iterator[Timed]:
    """Frame by frame; one that begins by clearing the book is a snapshot."""
    symbol = instrument.raw_symbol.value
    price, vol = _Scale(instrument.price_precision), _Scale(instrument.size_precision)
    rows: list[tuple[Side, Decimal, Decimal]] = []
    snapshot = False
    for batch in _batches(path, ["action", "side", "price", "size", "flags", "ts_init"]):
        columns = (batch.column(name).to_pylist() for name in ("action", "side", "flags", "ts_init"))
        prices, vols = price.units(batch.column("price")), vol.units(batch.column("size"))
        for action, side, flags, ts, p, v in zip(*columns, prices, vols, strict=True):
            if action == CLEAR:
                rows, snapshot = [], True
            else:
                rows.append((Side.BUY if side == BID else Side.SELL, price.value(p), vol.value(v)))
            if flags & F_LAST:
                yield ts, BookUpdate(symbol, tuple(rows), snapshot)
                rows, snapshot = [], False


def _trades(path: Path, instrument: Instrument) -> Iterator[Timed]:
    """Those with a public taker."""
    symbol = instrument.raw_symbol.value
    price, vol = _Scale(instrument.price_precision), _Scale(instrument.size_precision)
    for batch in _batches(path, ["price", "size", "aggressor_side", "ts_init"]):
        columns = (batch.column(name).to_pylist() for name in ("aggressor_side", "ts_init"))
        prices, vols = price.units(batch.column("price")), vol.units(batch.column("size"))
        for taker, ts, p, v in zip(*columns, prices, vols, strict=True):
            if taker != NO_AGGRESSOR:
                yield ts, TradeUpdate(symbol, Side.BUY if taker == BUYER else Side.SELL, price.value(p), vol.value(v))


def _marks(path: Path, instrument: Instrument) -> Iterator[Timed]:
    """Mark prices; the index is taken to be the same, for catalogs have none."""
    metadata = pq.ParquetFile(path).metadata.metadata or {}
    scale = _Scale(int(metadata.get(b"price_precision", b"0")))
    for batch in _batches(path, ["value", "ts_init"]):
        for ts, units in zip(batch.column("ts_init").to_pylist(), scale.units(batch.column("value")), strict=True):
            price = scale.value(units)
            yield ts, PriceUpdate(instrument.raw_symbol.value, fair=price, index=price)


def _funding(path: Path, instrument: Instrument) -> Iterator[Timed]:
    for update in _objects(path, FundingRateUpdate):
        yield update.ts_init, FundingUpdate(instrument.raw_symbol.value, Decimal(str(update.rate)))


def _interest(path: Path, instrument: Instrument) -> Iterator[Timed]:
    for update in _objects(path, OpenInterest):
        yield update.ts_init, InterestUpdate(instrument.raw_symbol.value, Decimal(str(update.value)))


class _Scale:
    """Stored fixed-point numbers as decimals; equal numbers are one object."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._values: dict[int, Decimal] = {0: ZERO}

    def units(self, column: pa.Array) -> list[int]:
        return list(map(int, stored_units(column, self._places)))

    def value(self, units: int) -> Decimal:
        value = self._values.get(units)
        if value is None:
            value = self._values[units] = Decimal(units).scaleb(-self._places)
        return value


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=columns, use_threads=False)


def _objects(path: Path, data_class: type) -> Iterator[Any]:
    for batch in pq.ParquetFile(path).iter_batches(1_000):
        yield from ArrowSerializer.deserialize(data_class, pa.Table.from_batches([batch]))


_READERS: dict[Kind, Callable[[Path, Instrument], Iterator[Timed]]] = {
    Kind.BOOK: _books,
    Kind.TRADES: _trades,
    Kind.MARKS: _marks,
    Kind.FUNDING: _funding,
    Kind.OPEN_INTEREST: _interest,
}
