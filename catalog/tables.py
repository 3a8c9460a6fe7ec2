"""The columns that flow from readers to the catalog.

A reader yields :class:`Chunk` objects: whole Arrow tables of one kind for one market, in the order of their
``ts_init``. Prices and sizes are exact decimals with 16 places (the scale of Nautilus's fixed-point numbers, so that
writing them is a reinterpretation of bytes, never a float). Times are UNIX nanoseconds. ``line`` is the 1-based line of
the source file and is dropped on writing.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DECIMAL = pa.decimal128(38, 16)


class Kind(StrEnum):
    """A kind of market data; the value is the folder of the Nautilus type in the catalog."""

    TRADES = "trade_tick"
    BOOK = "order_book_deltas"
    QUOTES = "quote_tick"
    MARKS = "mark_price_update"
    FUNDING = "funding_rate_update"
    OPEN_INTEREST = "custom_open_interest"
    BARS = "bar"


def _schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    times = (("ts_event", pa.int64()), ("ts_init", pa.int64()), ("line", pa.int64()))
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in (*fields, *times)])


SCHEMAS: dict[Kind, pa.Schema] = {
    Kind.TRADES: _schema(
        ("price", DECIMAL),
        ("size", DECIMAL),  # as the venue counts: base units, or contracts
        ("aggressor_side", pa.uint8()),  # AggressorSide: 1 buyer, 2 seller, 0 unknown
        ("trade_id", pa.string()),
    ),
    # One row a level. All rows of a frame share ts_event, ts_init, sequence and line; the last one has F_LAST.
    Kind.BOOK: _schema(
        ("action", pa.uint8()),  # BookAction: 1 add, 2 update, 3 delete, 4 clear
        ("side", pa.uint8()),  # OrderSide: 1 bid, 2 ask, 0 for clear
        ("price", DECIMAL),
        ("size", DECIMAL),
        ("flags", pa.uint8()),  # RecordFlag: 128 last row of its frame, 32 part of a snapshot
        ("sequence", pa.uint64()),  # the venue's final update id of the frame
    ),
    Kind.QUOTES: _schema(("bid_price", DECIMAL), ("ask_price", DECIMAL), ("bid_size", DECIMAL), ("ask_size", DECIMAL)),
    Kind.MARKS: _schema(("value", DECIMAL)),
    Kind.FUNDING: _schema(
        ("rate", DECIMAL),  # fraction per interval; positive: longs pay
        ("interval_minutes", pa.int64()),  # 0 where the source does not say
        ("next_funding_ns", pa.int64()),  # 0 where the source does not say
    ),
    Kind.OPEN_INTEREST: _schema(("value", DECIMAL)),  # as the venue counts: base units, or contracts
    Kind.BARS: _schema(
        ("step_seconds", pa.int64()),
        ("open", DECIMAL),
        ("high", DECIMAL),
        ("low", DECIMAL),
        ("close", DECIMAL),
        ("volume", DECIMAL),
    ),
}

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
NO_SIDE, BID, ASK = 0, 1, 2
NO_AGGRESSOR, BUYER, SELLER = 0, 1, 2
F_LAST, F_SNAPSHOT = 128, 32


@dataclass(frozen=True)
class Chunk:
    """A table of one kind. `file` names where its rows came from (one file a chunk)."""

    kind: Kind
    table: pa.Table
    file: str

    def __post_init__(self) -> None:
        if self.table.schema != SCHEMAS[self.kind]:
            raise TypeError(f"a chunk of {self.kind} must have the columns {SCHEMAS[self.kind].names} with their types")


def decimals(texts: list[str]) -> pa.Array:
    """Exact decimals from venue strings such as ``"63943.90"``. Raises pa.ArrowInvalid for what is no number."""
    return pa.array(texts, pa.string()).cast(DECIMAL)


def low_words(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """The unscaled integers of a decimal128 column of at most 18 digits."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [
        np.frombuffer(c.buffers()[1], dtype="<i8")[2 * c.offset : 2 * (c.offset + len(c)) : 2] for c in chunks if len(c)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
