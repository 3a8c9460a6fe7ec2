"""Incremental order books of Tardis.dev: the four common columns, then ``is_snapshot,side,price,amount``.

A row is a level; rows of one message share both timestamps. Amount 0 removes a level. A message of snapshot rows
discards what was known, as Tardis's own book does (github tardis-dev/tardis-node, src/orderbook.ts). Source:
docs.tardis.dev, Downloadable CSV files, Data types.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.column_checks import Findings, Mask, decimal_text, reject_negative, reject_not_positive
from catalog.formats.csv_blocks import Column, CsvBlock, Ints, Layout, Words, is_zero, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.tardis import TRUE_OR_FALSE, TardisClocks, common_columns, skipped, tardis_market
from catalog.markets import Market
from catalog.tables import ADD, BID, CLEAR, DELETE, F_LAST, F_SNAPSHOT, SCHEMAS, UPDATE, Chunk, Kind


@dataclass(frozen=True)
class _Levels:
    """Level rows by column; one entry a row."""

    ts_event: Ints
    ts_init: Ints
    snapshot: Mask
    side: npt.NDArray[np.uint8]
    price: Words
    amount: Words
    line: Ints

    def __len__(self) -> int:
        return len(self.line)

    def at(self, rows: slice | Mask | Ints) -> Self:
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def then(self, more: Self) -> Self:
        """These rows and then more of them."""
        pairs = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return type(self)(*map(np.concatenate, pairs))

    def message_starts(self) -> Mask:
        """Rows that begin a message: one of both times, or what the message is, differs from the row before."""
        starts = np.ones(len(self), np.bool_)
        starts[1:] = (
            (self.ts_init[1:] != self.ts_init[:-1])
            | (self.ts_event[1:] != self.ts_event[:-1])
            | (self.snapshot[1:] != self.snapshot[:-1])
        )
        return starts


class _Frames:
    """Whole messages as book rows. State over blocks and files: whether the book is known, and the frame number."""

    def __init__(self) -> None:
        self._held: _Levels | None = None  # the last message of a block may go on in the next one
        self._seeded = False
        self._frame = 0
        self.dropped = 0  # rows before the first snapshot

    def add(self, levels: _Levels, path: Path) -> Chunk | None:
        """The messages that are whole by now."""
        if self._held is not None:
            levels = self._held.then(levels)
        if not len(levels):
            return None
        last_start = int(np.flatnonzero(levels.message_starts())[-1])
        self._held = levels.at(slice(last_start, None))
        return self._chunk(levels.at(slice(last_start)), path)

    def end_file(self, path: Path) -> Chunk | None:
        """The message that was held back."""
        held, self._held = self._held, None
        return None if held is None else self._chunk(held, path)

    @property
    def seeded(self) -> bool:
        return self._seeded

    def _chunk(self, levels: _Levels, path: Path) -> Chunk | None:
        if not self._seeded:
            first = int(np.argmax(levels.snapshot)) if levels.snapshot.any() else len(levels)
            self.dropped += first
            levels = levels.at(slice(first, None))
        if not len(levels):
            return None
        self._seeded = True
        starts = levels.message_starts()
        clears = starts & levels.snapshot
        # every CLEAR is a row of its own before the first level of its message
        source = np.repeat(np.arange(len(levels)), 1 + clears)
        is_clear = np.zeros(len(source), np.bool_)
        is_clear[np.flatnonzero(clears) + np.arange(np.count_nonzero(clears))] = True
        frame = self._frame + np.cumsum(starts)[source]
        self._frame = int(frame[-1])

        rows = levels.at(source)
        known = ~is_clear[:, np.newaxis]
        changed = np.where(is_zero(rows.amount), DELETE, UPDATE)
        action = np.where(is_clear, CLEAR, np.where(rows.snapshot, ADD, changed))
        last = np.append(frame[1:] != frame[:-1], True)
        flags = np.where(last, F_LAST, 0) | np.where(rows.snapshot, F_SNAPSHOT, 0)
        columns = [
            pa.array(action.astype(np.uint8)),
            pa.array(np.where(is_clear, 0, rows.side).astype(np.uint8)),
            to_decimals(rows.price * known),
            to_decimals(rows.amount * known),
            pa.array(flags.astype(np.uint8)),
            pa.array(frame.astype(np.uint64)),
            pa.array(rows.ts_event),
            pa.array(rows.ts_init),
            # the rows of a frame share one line: that of its first level
            pa.array(levels.line[starts][np.cumsum(starts)[source] - 1]),
        ]
        return Chunk(Kind.BOOK, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.BOOK]), path.name)


@dataclass(frozen=True)
class TardisBook:
    """Reader of ``EXCHANGE_incremental_book_L2_DATE_SYMBOL.csv.gz``; `exchange` is Tardis's, as ``binance-futures``.

    ts_init is local_timestamp plus `clock_offset_ns`. The files have no update ids: the sequence is a running number of
    the frame. Rows before the first snapshot are left out and counted as SKIPPED.

    Raises:
        ValueError: an exchange that has no venue here.
    """

    symbol: str
    exchange: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        tardis_market(self.exchange, self.symbol)

    @property
    def market(self) -> Market:
        return tardis_market(self.exchange, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        layout = Layout(
            (
                *common_columns(self.exchange, self.market),
                Column("is_snapshot", FieldKind.CHOICE, TRUE_OR_FALSE),
                Column("side", FieldKind.CHOICE, ("bid", "ask")),
                Column("price", FieldKind.DECIMAL),
                Column("amount", FieldKind.DECIMAL),
            )
        )
        clocks = TardisClocks(self.clock_offset_ns, log)
        frames = _Frames()
        for path in files:
            clocks.begin_file()
            frames.dropped = 0
            for block in read_blocks(path, layout, log, progress):
                findings = Findings(block, path, log)
                ts_event, ts_init = clocks.read(block, findings)
                _check_levels(block, findings)
                findings.report(ts_event)
                chunk = frames.add(_levels(block, ts_event, ts_init).at(findings.good), path)
                if chunk is not None:
                    yield chunk
            chunk = frames.end_file(path)
            if chunk is not None:
                yield chunk
            clocks.end_file(path)
            skipped(frames.dropped, "levels before the first snapshot", path, log)
        if files and not frames.seeded:
            log.report(Anomaly.UNSEEDED_BOOK, files[-1], None, "no snapshot in any file: no book was read")


def _check_levels(block: CsvBlock, findings: Findings) -> None:
    reject_not_positive("price", block.words["price"], findings)
    reject_negative("amount", block.words["amount"], findings)
    findings.reject(
        is_zero(block.words["amount"]) & (block.codes["is_snapshot"] == 1),
        Anomaly.BAD_VALUE,
        lambda row: f"the level at {decimal_text(block.words['price'][row])} of a snapshot is empty",
    )


def _levels(block: CsvBlock, ts_event: Ints, ts_init: Ints) -> _Levels:
    return _Levels(
        ts_event,
        ts_init,
        block.codes["is_snapshot"] == 1,
        (block.codes["side"] + BID).astype(np.uint8),
        block.words["price"],
        block.words["amount"],
        block.lines,
    )
