"""Arrow tables of readers turned into the columns that Nautilus stores, without a Python object a row.

Nautilus keeps a price as a fixed-point integer (value × 10^16 as little-endian int128 on the usual builds, 10^9 as
int64 on others), which is exactly the memory of an Arrow decimal of that scale: encoding reinterprets bytes.
The precision of an instrument is only metadata of the file. `tests/catalog/test_encoding.py` holds this against
Nautilus's own writer, so that a new engine version cannot break it unseen.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nautilus_trader.model.data import Bar, BarType, CustomData, DataType, FundingRateUpdate
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION, FIXED_PRECISION_BYTES, Price, Quantity

from catalog.data_types import OpenInterest
from catalog.instruments import Definition
from catalog.tables import Kind, low_words

RAW = pa.binary(FIXED_PRECISION_BYTES)


def _columns(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    times = (("ts_event", pa.uint64()), ("ts_init", pa.uint64()))
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in (*fields, *times)])


STORED: dict[Kind, pa.Schema] = {
    Kind.TRADES: _columns(("price", RAW), ("size", RAW), ("aggressor_side", pa.uint8()), ("trade_id", pa.string())),
    Kind.BOOK: _columns(
        ("action", pa.uint8()),
        ("side", pa.uint8()),
        ("price", RAW),
        ("size", RAW),
        ("order_id", pa.uint64()),
        ("flags", pa.uint8()),
        ("sequence", pa.uint64()),
    ),
    Kind.QUOTES: _columns(("bid_price", RAW), ("ask_price", RAW), ("bid_size", RAW), ("ask_size", RAW)),
    Kind.MARKS: _columns(("value", RAW)),
}
"""The kinds that are stored as whole Arrow tables; the others are few and go through Nautilus's own writer."""


def encode(kind: Kind, table: pa.Table, ts_init: npt.NDArray[np.int64]) -> pa.Table:
    """The stored columns of `table`, with `ts_init` (UNIX ns) in place of its own."""
    rows = table.num_rows
    columns: list[pa.Array] = []
    for field in STORED[kind]:
        if field.name == "ts_init":
            columns.append(pa.array(ts_init.astype(np.uint64)))
        elif field.name == "order_id":  # books here are by price level: there are no orders to name
            columns.append(pa.array(np.zeros(rows, dtype=np.uint64)))
        elif field.type == RAW:
            columns.append(raw_fixed(table.column(field.name)))
        else:
            columns.append(table.column(field.name).cast(field.type))
    return pa.table(columns, schema=STORED[kind])


def raw_fixed(column: pa.ChunkedArray) -> pa.Array:
    """A decimal column as Nautilus's raw fixed-point bytes. Raises pa.ArrowInvalid where a value has more places."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(values, pa.ChunkedArray):  # combine_chunks keeps an empty column chunked
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], pa.decimal128(38, 16))
    values = values.cast(pa.decimal128(38, FIXED_PRECISION))
    data = values.buffers()[1]
    if FIXED_PRECISION_BYTES == 16:
        return pa.Array.from_buffers(RAW, len(values), [None, data], offset=values.offset)
    low = np.frombuffer(data, dtype="<i8")[::2][values.offset : values.offset + len(values)]
    return pa.Array.from_buffers(RAW, len(values), [None, pa.py_buffer(np.ascontiguousarray(low))])


def units(column: pa.ChunkedArray | pa.Array, places: int) -> npt.NDArray[np.int64]:
    """A decimal column as integers of 10^-places.

    Raises pa.ArrowInvalid where a value has more places than that, or more than 18 digits: an int64 would wrap.
    """
    return low_words(column.cast(pa.decimal128(18, places)))


def stored_units(column: pa.ChunkedArray | pa.Array, places: int) -> npt.NDArray[np.int64]:
    """A stored column of raw fixed-point bytes as integers of 10^-places."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    parts = [_units_of_bytes(c, places) for c in chunks if len(c)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _units_of_bytes(values: pa.Array, places: int) -> npt.NDArray[np.int64]:
    if FIXED_PRECISION_BYTES == 16:
        scaled = pa.decimal128(38, FIXED_PRECISION)
        return units(
            pa.Array.from_buffers(scaled, len(values), [None, values.buffers()[1]], offset=values.offset), places
        )
    raw = np.frombuffer(values.buffers()[1], dtype="<i8")[values.offset : values.offset + len(values)]
    whole: npt.NDArray[np.int64] = raw // 10 ** (FIXED_PRECISION - places)
    return whole


def file_metadata(kind: Kind, instrument_id: str, definition: Definition, mark_places: int) -> dict[str, str]:
    """The file metadata from which Nautilus restores precisions."""
    price_places = mark_places if kind is Kind.MARKS else definition.price_places
    meta = {"instrument_id": instrument_id, "price_precision": str(price_places)}
    if kind is not Kind.MARKS:
        meta["size_precision"] = str(definition.size_places)
    return meta


def objects(kind: Kind, instrument_id: str, definition: Definition, row: dict[str, Any], ts_init: int) -> Any:
    """One Nautilus object of a kind that is stored row by row."""
    return _BUILDERS[kind](InstrumentId.from_str(instrument_id), definition, row, ts_init)


def _funding(instrument_id: InstrumentId, _: Definition, row: dict[str, Any], ts_init: int) -> FundingRateUpdate:
    return FundingRateUpdate(
        instrument_id=instrument_id,
        rate=_plain(row["rate"]),
        ts_event=row["ts_event"],
        ts_init=ts_init,
        interval=row["interval_minutes"] or None,
        next_funding_ns=row["next_funding_ns"] or None,
    )


def _open_interest(instrument_id: InstrumentId, _: Definition, row: dict[str, Any], ts_init: int) -> CustomData:
    value = OpenInterest(
        instrument_id=instrument_id, value=float(row["value"]), ts_event=row["ts_event"], ts_init=ts_init
    )
    return CustomData(DataType(OpenInterest, metadata={"instrument_id": instrument_id.value}), value)


def _bar(instrument_id: InstrumentId, definition: Definition, row: dict[str, Any], ts_init: int) -> Bar:
    p, v = definition.price_places, definition.size_places
    return Bar(
        BarType.from_str(f"{instrument_id}-{bar_step(row['step_seconds'])}-LAST-EXTERNAL"),
        # their constructors go through a double, which changes the last of more than 15 digits
        *(Price.from_str(f"{row[name]:.{p}f}") for name in ("open", "high", "low", "close")),
        Quantity.from_str(f"{row['volume']:.{v}f}"),
        row["ts_event"],
        ts_init,
    )


_BUILDERS: dict[Kind, Callable[[InstrumentId, Definition, dict[str, Any], int], Any]] = {
    Kind.FUNDING: _funding,
    Kind.OPEN_INTEREST: _open_interest,
    Kind.BARS: _bar,
}


def bar_step(seconds: int) -> str:
    """A bar length in Nautilus's words: 60 is ``1-MINUTE``. Raises ValueError for lengths it has no word for."""
    for size, word in ((604_800, "WEEK"), (86_400, "DAY"), (3_600, "HOUR"), (60, "MINUTE"), (1, "SECOND")):
        if seconds > 0 and seconds % size == 0:
            return f"{seconds // size}-{word}"
    raise ValueError(f"a bar of {seconds} seconds has no name: use whole seconds")


def _plain(value: Decimal) -> Decimal:
    return Decimal(f"{value:f}").normalize() if value else Decimal(0)
