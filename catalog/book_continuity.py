"""A book that crosses is a wrong book: found with a compiled ladder while its rows pass through."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as AnomalyKind
from catalog.steps import near_doubles
from catalog.tables import CLEAR, DECIMAL, F_LAST, F_SNAPSHOT, NO_SIDE, SCHEMAS, Chunk, Kind
from indicators.ladder import Ladder


class BookContinuity:
    """Follows one market's book over its chunks.

    A frame after which best bid >= best ask is reported CROSSED_BOOK. Where that is tolerated (resync) the frame is
    replaced by a lone CLEAR and everything up to the next snapshot is left out; where it is refused, the check begins
    anew at the next snapshot, so that one fault is not reported a thousand times.
    """

    def __init__(self, log: AnomalyLog) -> None:
        self._log = log
        self._ladder = Ladder()
        self._waiting = False  # for a snapshot

    def check(self, chunk: Chunk) -> Chunk:
        """The chunk without what a resync leaves out."""
        table = chunk.table
        action: npt.NDArray[np.int64] = table.column("action").to_numpy().astype(np.int64)
        columns = (
            action,
            table.column("side").to_numpy().astype(np.int64),
            # doubles of positive prices sort as their bits do: exact keys for any number of decimals
            near_doubles(table.column("price")).view(np.int64),
            near_doubles(table.column("size")),
            table.column("flags").to_numpy().astype(np.int64),
        )
        parts: list[pa.Table] = []
        row, rows = 0, table.num_rows
        while row < rows:
            if self._waiting:
                snapshots = np.flatnonzero(action[row:] == CLEAR)
                if not len(snapshots):
                    break
                row += int(snapshots[0])
                self._waiting = False
            crossed = self._ladder.apply_rows(*columns, start=row)
            if crossed < 0:
                parts.append(table.slice(row))
                break
            first = self._first_of_frame(columns[4], crossed)
            tolerated = self._report(chunk, crossed)
            parts.append(table.slice(row, first - row))
            if tolerated:
                parts.append(_lone_clear(table, crossed))
            self._waiting = True
            row = crossed + 1
        return Chunk(Kind.BOOK, pa.concat_tables(parts) if parts else table.slice(0, 0), chunk.file)

    def _report(self, chunk: Chunk, row: int) -> bool:
        bid, ask = (np.int64(key).view(np.float64) for key in self._ladder.best() if key is not None)
        table = chunk.table
        return self._log.report(
            AnomalyKind.CROSSED_BOOK,
            chunk.file,
            table.column("line")[row].as_py(),
            f"best bid {bid} is not below best ask {ask} after update {table.column('sequence')[row].as_py()}",
            table.column("ts_event")[row].as_py(),
        )

    @staticmethod
    def _first_of_frame(flags: npt.NDArray[np.int64], row: int) -> int:
        ends = np.flatnonzero(flags[:row] & F_LAST)
        return int(ends[-1]) + 1 if len(ends) else 0


def _lone_clear(table: pa.Table, row: int) -> pa.Table:
    source = table.slice(row, 1)
    zero = pa.array([0], pa.int64()).cast(DECIMAL)
    replaced = {
        "action": pa.array([CLEAR], pa.uint8()),
        "side": pa.array([NO_SIDE], pa.uint8()),
        "price": zero,
        "size": zero,
        "flags": pa.array([F_LAST | F_SNAPSHOT], pa.uint8()),
    }
    schema = SCHEMAS[Kind.BOOK]
    return pa.table([replaced.get(name, source.column(name)) for name in schema.names], schema=schema)
