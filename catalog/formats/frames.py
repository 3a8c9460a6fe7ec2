"""Order book frames, gathered level by level, as a table.

A frame is what one message did to the book. The lists grow by whole frames (a level costs two list slots, or none where
a compiled parser has read it already), and the columns are made at once from all of them.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.formats.csv_blocks import to_decimals
from catalog.formats.level_kernel import LevelWords
from catalog.tables import (
    ADD,
    CLEAR,
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
from indicators.kernel import kernel

Levels = Sequence[Sequence[str]]  # [[price, size], ...] as venues send them
type ReadLevels = Levels | LevelWords  # or read already

_CLEAR_LEVEL = ("0", "0")
_NO_LEVELS = np.empty((0, 2, 2), np.int64)


def check_levels(bids: ReadLevels, asks: ReadLevels) -> None:
    """Raise ValueError unless every level is a [price, size] pair."""
    for levels in (bids, asks):
        if isinstance(levels, np.ndarray):
            continue
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


# fields of a frame: rows of its three segments, whether bids and asks came as numbers, and what all its rows share
CLEARS, BIDS, ASKS, BIDS_READ, ASKS_READ, IS_SNAPSHOT, SEQUENCE, TS_EVENT, TS_INIT, LINE = range(10)
FIELDS = LINE + 1
SEGMENTS = 3  # in the order of the sides NO_SIDE, BID, ASK


@kernel
def find_impossible(frames: npt.NDArray[np.int64], words: npt.NDArray[np.int64], found: npt.NDArray[np.bool_]) -> None:
    """Mark the levels that no book can have: a price at or below zero, a size below it, size zero in a snapshot."""
    row = 0
    for frame in frames:
        row += frame[CLEARS]
        for _ in range(frame[BIDS] + frame[ASKS]):
            price_low, price_high = words[row, 0]
            size_low, size_high = words[row, 1]
            is_empty = frame[IS_SNAPSHOT] and size_low == 0 and size_high == 0
            found[row] = price_high < 0 or (price_low == 0 and price_high == 0) or size_high < 0 or is_empty
            row += 1


@kernel
def fill_rows(
    frames: npt.NDArray[np.int64],
    words: npt.NDArray[np.int64],
    action: npt.NDArray[np.uint8],
    side: npt.NDArray[np.uint8],
    flags: npt.NDArray[np.uint8],
) -> None:
    """What the rows of all frames do, in the catalog's numbers."""
    row = 0
    for frame in frames:
        begin = row
        for segment in range(SEGMENTS):
            for _ in range(frame[segment]):
                side[row] = segment
                flags[row] = F_SNAPSHOT if frame[IS_SNAPSHOT] else 0
                if segment == NO_SIDE:
                    action[row] = CLEAR
                elif frame[IS_SNAPSHOT]:
                    action[row] = ADD
                else:
                    action[row] = DELETE if words[row, 1, 0] == 0 and words[row, 1, 1] == 0 else UPDATE
                row += 1
        if row > begin:
            flags[row - 1] |= F_LAST


class BookFrames:
    """Collects frames of one file; `take` makes the chunk and begins anew.

    `bids` and `asks` are [price, size] pairs of venue texts, those of a diff may also be numbers that a LevelReader has
    read; times are UNIX ns. Frames raise ValueError if a level is no pair. Levels that are no numbers are reported
    MALFORMED by `take`, prices at or below zero, negative sizes and empty levels of a snapshot BAD_VALUE; those levels
    are left out and the rest of their frame is kept.
    """

    def __init__(self, file: str, log: AnomalyLog) -> None:
        self._file = file
        self._log = log
        self._rows = 0
        self._texts: list[str] = []  # price, size, price, size, ...
        self._words: list[LevelWords] = []
        self._frames: list[int] = []  # the fields of all

    def __len__(self) -> int:
        return self._rows

    def snapshot(self, bids: Levels, asks: Levels, *, sequence: int, ts_event: int, ts_init: int, line: int) -> None:
        """The whole book: CLEAR, then ADD for every level."""
        check_levels(bids, asks)
        self._texts.extend(_CLEAR_LEVEL)
        self._extend(bids)
        self._extend(asks)
        self._frames.extend((1, len(bids), len(asks), False, False, True, sequence, ts_event, ts_init, line))
        self._rows += 1 + len(bids) + len(asks)

    def diff(
        self, bids: ReadLevels, asks: ReadLevels, *, sequence: int, ts_event: int, ts_init: int, line: int
    ) -> None:
        """Changed levels: size zero is DELETE, any other UPDATE. A frame without levels adds nothing."""
        check_levels(bids, asks)
        rows = len(bids) + len(asks)
        if rows:
            read = self._extend(bids), self._extend(asks)
            self._frames.extend((0, len(bids), len(asks), *read, False, sequence, ts_event, ts_init, line))
            self._rows += rows

    def clear(self, *, sequence: int, ts_event: int, ts_init: int, line: int) -> None:
        """A lone CLEAR: from here the book is not known."""
        self.snapshot([], [], sequence=sequence, ts_event=ts_event, ts_init=ts_init, line=line)

    def _extend(self, levels: ReadLevels) -> bool:
        """True if they came as numbers."""
        if isinstance(levels, np.ndarray):
            self._words.append(levels)
            return True
        self._texts.extend(chain.from_iterable(levels))
        return False

    def take(self) -> Chunk:
        """The frames so far as one chunk of book rows."""
        frames = np.array(self._frames, np.int64).reshape(-1, FIELDS)
        words = self._good_words(frames)
        counts = frames[:, :SEGMENTS].sum(axis=1)
        action, side, flags = np.empty((3, len(words)), np.uint8)
        fill_rows(frames, words, action, side, flags)
        sequence, *times = (np.repeat(frames[:, field], counts) for field in (SEQUENCE, TS_EVENT, TS_INIT, LINE))
        columns = [
            pa.array(action),
            pa.array(side),
            to_decimals(words[:, 0]),
            to_decimals(words[:, 1]),
            pa.array(flags),
            pa.array(sequence.view(np.uint64)),
            *map(pa.array, times),
        ]
        self._rows = 0
        self._texts = []
        self._words = []
        self._frames = []
        return Chunk(Kind.BOOK, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.BOOK]), self._file)

    def _good_words(self, frames: npt.NDArray[np.int64]) -> LevelWords:
        """The numbers of all rows; what is reported is taken out of them, and out of the counts of `frames`."""
        read = np.concatenate([_NO_LEVELS, *self._words])
        if not self._texts:
            return read
        segments = frames[:, :SEGMENTS].ravel()
        is_read = np.insert(frames[:, [BIDS_READ, ASKS_READ]], 0, False, axis=1).ravel().astype(bool)
        at_text = np.flatnonzero(~np.repeat(is_read, segments))
        words = np.empty((self._rows, 2, 2), np.int64)
        words[np.repeat(is_read, segments)] = read
        numbers, unreadable = read_decimals(self._texts)
        words[at_text] = raw_decimals(numbers).reshape(-1, 2, 2)

        bad = np.zeros(self._rows, np.bool_)
        find_impossible(frames, words, bad)
        bad[at_text[[i // 2 for i in unreadable]]] = True
        if not bad.any():
            return words
        segment_of = np.repeat(np.arange(len(segments)), segments)
        frame_of = segment_of[at_text] // SEGMENTS
        levels = np.flatnonzero(bad[at_text])  # those that came as numbers are good
        self._report(levels, {i // 2 for i in unreadable}, frames[frame_of, LINE], frames[frame_of, TS_EVENT])
        frames[:, :SEGMENTS] -= np.bincount(segment_of[bad], minlength=len(segments)).reshape(-1, SEGMENTS)
        return words[~bad]

    def _report(
        self,
        levels: npt.NDArray[np.int64],
        unreadable: set[int],
        lines: npt.NDArray[np.int64],
        ts: npt.NDArray[np.int64],
    ) -> None:
        """Report levels that came as texts, by their positions among these."""
        for level in levels.tolist():
            price, size = self._texts[2 * level : 2 * level + 2]
            kind = Anomaly.MALFORMED if level in unreadable else Anomaly.BAD_VALUE
            why = "is not a pair of numbers" if level in unreadable else "cannot be in a book"
            message = f"the level of price {price!r}, size {size!r} {why}"
            self._log.report(kind, self._file, int(lines[level]), message, int(ts[level]))
