"""The state of a book in the middle of its file: what a replay that starts there must be given first."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

from backtests.book_samples import BookFile
from catalog.ledger import QUANTUM_NS, CatalogError
from catalog.tables import CLEAR
from indicators.ladder import Ladder
from indicators.sides import ASK, BID


@dataclass(frozen=True)
class BookState:
    """A book as it stood just before `ts` (UNIX ns): prices and sizes in units of its last decimal places."""

    ladder: Ladder
    price_places: int
    size_places: int
    sequence: int
    ts: int


def book_state(path: Path, ts: int) -> BookState | None:
    """The book just before `ts` (UNIX ns), from the last CLEAR on; None if it is empty.

    Reads the file backwards only as far as that CLEAR. Its time keeps the series' slot, so it ties with no other.
    Raises CatalogError for a row that is none.
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
    ladder = Ladder()
    try:
        book.apply(ladder, rows)
    except ValueError as error:
        raise CatalogError(f"{path}: {error}: the catalog is damaged, ingest it anew") from error
    if not ladder.count(BID) + ladder.count(ASK):
        return None
    slot = int(rows.column("ts_init")[-1].as_py()) % QUANTUM_NS
    at = ts // QUANTUM_NS * QUANTUM_NS + slot
    return BookState(ladder, book.price_places, book.size_places, int(rows.column("sequence")[-1].as_py()), at)


def book_at(path: Path, instrument_id: str, ts: int) -> OrderBookDeltas | None:
    """The book just before `ts` (UNIX ns) as one snapshot frame, see :func:`book_state`; None if it is empty."""
    state = book_state(path, ts)
    return None if state is None else _snapshot(state, instrument_id)


def _snapshot(state: BookState, instrument_id: str) -> OrderBookDeltas:
    identity, sequence, ts = InstrumentId.from_str(instrument_id), state.sequence, state.ts
    price_places, size_places = state.price_places, state.size_places
    deltas = [OrderBookDelta.clear(identity, sequence, ts, ts)]
    price_unit, size_unit = (10 ** (FIXED_PRECISION - places) for places in (price_places, size_places))
    for code, side in ((BID, OrderSide.BUY), (ASK, OrderSide.SELL)):
        for key, size in zip(*state.ladder.levels(code), strict=True):
            price = Price.from_raw(int(key) * price_unit, price_places)
            quantity = Quantity.from_raw(int(size) * size_unit, size_places)
            order = BookOrder(side, price, quantity, 0)
            deltas.append(OrderBookDelta(identity, BookAction.ADD, order, int(RecordFlag.F_SNAPSHOT), sequence, ts, ts))
    last = deltas.pop()
    flags = int(RecordFlag.F_SNAPSHOT | RecordFlag.F_LAST)
    deltas.append(OrderBookDelta(identity, last.action, last.order, flags, sequence, ts, ts))
    return OrderBookDeltas(identity, deltas)
