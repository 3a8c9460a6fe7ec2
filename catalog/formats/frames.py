"""Order book frames, gathered level by level, as a table.

A frame is what one message did to the book. The lists grow by whole frames (a level costs two list slots), and the
columns are made at once from all of them.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.tables import (
    ADD,
    ASK,
    BID,
    CLEAR,
    DECIMAL,
    DELETE,
    F_LAST,
    F_SNAPSHOT,
    NO_SIDE,
    SCHEMAS,
    UPDATE,
    Chunk,
    Kind,
    decimals,
)

Levels = Sequence[Sequence[str]]  # [[price, size], ...] as venues send them

_SIDES = np.array([NO_SIDE, BID, ASK], np.uint8)
_CLEAR_LEVEL = ("0", "0")


def check_levels(bids: Levels, asks: Levels) -> None:
    """Raise ValueError unless every level is a [price, size] pair."""
    for levels in (bids, asks):
        try:
            pairs = not levels or set(map(len, levels)) == {2}
        except TypeError:
            pairs = False
        if not pairs:
            raise ValueError("book levels must be [price, size] pairs")


def read_decimals(texts: list[str]) -> tuple[pa.Array, list[int]]:
    """Exact decimals, and the positions of the texts that are no numbers (their value is 0)."""
    try:
        return decimals(texts), []
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        unreadable = [i for i, text in enumerate(texts) if not _is_decimal(text)]
        readable = list(texts)
        for i in unreadable:
            readable[i] = "0"
        return decimals(readable), unreadable


def _is_decimal(text: object) -> bool:
    """True if the column can hold the text exactly: 22 digits before the point, 16 after it."""
    try:
        if not isinstance(text, str) or not Decimal(text).is_finite():
            return False
        decimals([text])
    except (InvalidOperation, pa.ArrowInvalid):
        return False
    return True


def raw_decimals(column: pa.Array) -> npt.NDArray[np.int64]:
    """The 128-bit integers of a decimal column as (low, high) words, shape (n, 2): sign and zero without a float."""
    words: npt.NDArray[np.int64] = np.frombuffer(column.buffers()[1], np.int64)
    return words.reshape(-1, 2)[column.offset : column.offset + len(column)]


def _from_raw(words: npt.NDArray[np.int64]) -> pa.Array:
    return pa.Array.from_buffers(DECIMAL, len(words), [None, pa.py_buffer(np.ascontiguousarray(words))])


class BookFrames:
    """Collects frames of one file; `take` makes the chunk and begins anew.

    `bids` and `asks` are [price, size] pairs of venue texts; times are UNIX ns. Frames raise ValueError if a level is
    no pair. Levels that are no numbers are reported MALFORMED by `take`, prices at or below zero, negative sizes and
    empty levels of a snapshot BAD_VALUE; those levels are left out and the rest of their frame is kept.
    """

    def __init__(self, file: str, log: AnomalyLog) -> None:
        self._file = file
        self._log = log
        self._texts: list[str] = []  # price, size, price, size, ...
        # (clear rows, bids, asks, is snapshot, sequence, ts_event, ts_init, line)
        self._frames: list[tuple[int, int, int, int, int, int, int, int]] = []

    def __len__(self) -> int:
        return len(self._texts) // 2

    def snapshot(self, bids: Levels, asks: Levels, *, sequence: int, ts_event: int, ts_init: int, line: int) -> None:
        """The whole book: CLEAR, then ADD for every level."""
        check_levels(bids, asks)
        self._texts.extend(_CLEAR_LEVEL)
        self._extend(bids, asks)
        self._frames.append((1, len(bids), len(asks), 1, sequence, ts_event, ts_init, line))

    def diff(self, bids: Levels, asks: Levels, *, sequence: int, ts_event: int, ts_init: int, line: int) -> None:
        """Changed levels: size zero is DELETE, any other UPDATE. A frame without levels adds nothing."""
        check_levels(bids, asks)
        if bids or asks:
            self._extend(bids, asks)
            self._frames.append((0, len(bids), len(asks), 0, sequence, ts_event, ts_init, line))

    def clear(self, *, sequence: int, ts_event: int, ts_init: int, line: int) -> None:
        """A lone CLEAR: from here the book is not known."""
        self._texts.extend(_CLEAR_LEVEL)
        self._frames.append((1, 0, 0, 1, sequence, ts_event, ts_init, line))

    def _extend(self, bids: Levels, asks: Levels) -> None:
        self._texts.extend(chain.from_iterable(bids))
        self._texts.extend(chain.from_iterable(asks))

    def take(self) -> Chunk:
        """The frames so far as one chunk of book rows."""
        clears, bids, asks, snapshots, sequences, ts_event, ts_init, lines = (
            np.array(self._frames, np.int64).reshape(-1, 8).T
        )
        segments = np.stack([clears, bids, asks], axis=1)
        side = np.repeat(np.tile(_SIDES, len(segments)), segments.ravel())
        frame = np.repeat(np.arange(len(segments)), segments.sum(axis=1))
        is_snapshot = snapshots[frame].astype(bool)

        numbers, unreadable = read_decimals(self._texts)
        words = raw_decimals(numbers).reshape(-1, 2, 2)
        is_zero = ~words.any(axis=2)
        is_negative = words[:, :, 1] < 0
        bad = is_zero[:, 0] | is_negative.any(axis=1) | (is_snapshot & is_zero[:, 1])
        bad[[i // 2 for i in unreadable]] = True
        bad &= side != NO_SIDE
        if bad.any():
            self._report(np.flatnonzero(bad), {i // 2 for i in unreadable}, lines[frame], ts_event[frame])
            keep = ~bad
            side, frame, is_snapshot, words, is_zero = (
                side[keep],
                frame[keep],
                is_snapshot[keep],
                words[keep],
                is_zero[keep],
            )

        changed = np.where(is_zero[:, 1], DELETE, UPDATE)
        action = np.where(side == NO_SIDE, CLEAR, np.where(is_snapshot, ADD, changed))
        last = np.append(frame[1:] != frame[:-1], True)[: len(frame)]
        flags = np.where(last, F_LAST, 0) | np.where(is_snapshot, F_SNAPSHOT, 0)
        columns = [
            pa.array(action.astype(np.uint8)),
            pa.array(side),
            _from_raw(words[:, 0]),
            _from_raw(words[:, 1]),
            pa.array(flags.astype(np.uint8)),
            pa.array(sequences[frame].astype(np.uint64)),
            pa.array(ts_event[frame]),
            pa.array(ts_init[frame]),
            pa.array(lines[frame]),
        ]
        self._texts = []
        self._frames = []
        return Chunk(Kind.BOOK, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.BOOK]), self._file)

    def _report(
        self,
        rows: npt.NDArray[np.int64],
        unreadable: set[int],
        lines: npt.NDArray[np.int64],
        ts: npt.NDArray[np.int64],
    ) -> None:
        for row in rows.tolist():
            price, size = self._texts[2 * row : 2 * row + 2]
            kind = Anomaly.MALFORMED if row in unreadable else Anomaly.BAD_VALUE
            why = "is not a pair of numbers" if row in unreadable else "cannot be in a book"
            message = f"the level of price {price!r}, size {size!r} {why}"
            self._log.report(kind, self._file, int(lines[row]), message, int(ts[row]))
