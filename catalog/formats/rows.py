"""Events of one row each (trades, quotes, marks, funding), gathered row by row, as a table."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.formats.frames import raw_decimals, read_decimals
from catalog.tables import DECIMAL, SCHEMAS, Chunk, Kind

# Sizes of a quote may be zero (one side of the book is empty), and funding has either sign.
POSITIVE = {
    Kind.TRADES: frozenset({"price", "size"}),
    Kind.QUOTES: frozenset({"bid_price", "ask_price"}),
    Kind.MARKS: frozenset({"value"}),
    Kind.FUNDING: frozenset[str](),
}
NOT_NEGATIVE = {Kind.QUOTES: frozenset({"bid_size", "ask_size"})}


class Rows:
    """Collects rows of one kind and one file; `take` makes the chunk and begins anew.

    Decimal columns come as venue texts. `take` leaves out the rows that it reports: MALFORMED for a text that is no
    number or has more places than the column, BAD_VALUE for a price, mark or traded size that is not above zero and
    for a quoted size below it.
    """

    def __init__(self, kind: Kind, file: str, log: AnomalyLog) -> None:
        self._kind = kind
        self._file = file
        self._log = log
        self._rows: list[Sequence[str | int]] = []
        self.add = self._rows.append  # values in the order of the kind's schema

    def __len__(self) -> int:
        return len(self._rows)

    def take(self) -> Chunk:
        """The rows so far as one chunk."""
        schema = SCHEMAS[self._kind]
        values = list(zip(*self._rows, strict=True)) or [()] * len(schema)
        columns = []
        bad: dict[int, tuple[Anomaly, str]] = {}
        for field, column in zip(schema, values, strict=True):
            if field.type == DECIMAL:
                numbers, unreadable = read_decimals(list(column))
                columns.append(numbers)
                bad |= {
                    i: (Anomaly.BAD_VALUE, f"{field.name} {column[i]} {why}")
                    for i, why in self._impossible(field.name, numbers).items()
                }
                bad |= {i: (Anomaly.MALFORMED, f"{field.name} {column[i]!r} is not a number") for i in unreadable}
            else:
                columns.append(pa.array(column, field.type))
        table = pa.Table.from_arrays(columns, schema=schema)
        for i, (kind, message) in sorted(bad.items()):
            self._log.report(kind, self._file, table["line"][i].as_py(), message, table["ts_event"][i].as_py())
        if bad:
            keep = np.ones(len(table), bool)
            keep[list(bad)] = False
            table = table.filter(pa.array(keep))
        self._rows.clear()
        return Chunk(self._kind, table, self._file)

    def _impossible(self, name: str, numbers: pa.Array) -> dict[int, str]:
        """Positions of the values that a column of this name cannot have, and why."""
        low, high = raw_decimals(numbers).T
        if name in POSITIVE[self._kind]:
            return dict.fromkeys(np.flatnonzero((high < 0) | ((high == 0) & (low == 0))).tolist(), "must be above zero")
        if name in NOT_NEGATIVE.get(self._kind, ()):
            return dict.fromkeys(np.flatnonzero(high < 0).tolist(), "must not be below zero")
        return {}
