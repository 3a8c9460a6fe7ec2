"""The state of a book in the middle of its file: what a replay that starts there must be given first."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

from backtests.book_samples import BookFile
from catalog.ledger import QUANTUM_NS
from catalog.tables import CLEAR
from indicators.ladder import Ladder
from indicators.sides import ASK, BID


def book_at(path: Path, instrument_id: str, ts: int) -> OrderBookDeltas | None:
    """The book just before `ts` (UNIX ns) as one snapshot frame at `ts`, from the last CLEAR on; None if it is empty.

    Reads the file backwards only as far as that CLEAR. The frame keeps the series' slot, so it ties with no other.
    """
    book = BookFile(path)
    parts: list[pa.Table] = []
    for group in range(book.groups() - 1, -1, -1):
        table = book.rows(group)
        before = int(np.searchsorted(table.column("ts_init").to_numpy(), np.uint64(ts)))
        table = table.slice(0, before)
        clears = np.flatnonzero(table.column("action").to_numpy() == CLEAR)
        parts.append(table.slice(int(clears[-1])) if len(clears) else table)
        if len(clears):
            break
    rows = pa.concat_tables(reversed(parts))
    if not rows.num_rows:
        return None
    ladder = Ladder()
    book.apply(ladder, rows)
    slot = int(rows.column("ts_init")[-1].as_py()) % QUANTUM_NS
    at = ts // QUANTUM_NS * QUANTUM_NS + slot
    return _snapshot(
        ladder, instrument_id, book.price_places, book.size_places, int(rows.column("sequence")[-1].as_py()), at
    )


def _snapshot(
    ladder: Ladder, instrument_id: str, price_places: int, size_places: int, sequence: int, ts: int
) -> OrderBookDeltas | None:
    identity = InstrumentId.from_str(instrument_id)
    deltas = [OrderBookDelta.clear(identity, sequence, ts, ts)]
    price_unit, size_unit = (10 ** (FIXED_PRECISION - places) for places in (price_places, size_places))
    for code, side in ((BID, OrderSide.BUY), (ASK, OrderSide.SELL)):
        for key, size in zip(*ladder.levels(code), strict=True):
            price = Price.from_raw(int(key) * price_unit, price_places)
            quantity = Quantity.from_raw(int(size) * size_unit, size_places)
            order = BookOrder(side, price, quantity, 0)
            deltas.append(OrderBookDelta(identity, BookAction.ADD, order, int(RecordFlag.F_SNAPSHOT), sequence, ts, ts))
    if len(deltas) == 1:
        return None
    last = deltas.pop()
    flags = int(RecordFlag.F_SNAPSHOT | RecordFlag.F_LAST)
    deltas.append(OrderBookDelta(identity, last.action, last.order, flags, sequence, ts, ts))
    return OrderBookDeltas(identity, deltas)
