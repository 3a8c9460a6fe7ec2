"""CSV files as a stream of column blocks, with the line of every row and every unreadable line reported.

A file is read in blocks of a few MB of whole lines, so memory does not depend on its size, and each block is parsed by
one compiled pass (:mod:`catalog.formats.csv_kernel`). Columns are found by name where the file has a header and by
position where it has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.anomalies import AnomalyLog, Kind, Progress
from catalog.formats.csv_kernel import BLANK, WRONG_COUNT, FieldKind, count_lines, parse_rows
from catalog.formats.lines import (
    BLOCK,
    LONGEST_LINE,
    PROGRESS_STEP,
    UTF8_BOM,
    BinarySource,
    BrokenArchiveError,
    open_binary,
)
from catalog.tables import DECIMAL

BLOCK_BYTES = 4 << 20  # 65,000 rows of aggTrades
NO_NUMBERS = frozenset({"nan", "inf", "infinity"})
EXPECTED = {
    FieldKind.INT: "an integer",
    FieldKind.DECIMAL: "a decimal number of up to 18 significant digits, at most 16 of them after the point",
    FieldKind.SECONDS: "a time in seconds with at most 9 decimal places",
    FieldKind.TEXT: "ASCII text",
}

type Ints = npt.NDArray[np.int64]
type Words = npt.NDArray[np.int64]
"""Decimals as 128-bit integers in units of 1e-16: low and high word, shape (n, 2)."""


@dataclass(frozen=True)
class Column:
    """A column that a reader wants.

    `choices` are the words of a CHOICE, and `mismatch` is what any other word is; `as_text` keeps the venue's own text
    beside the number.
    """

    name: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    mismatch: Kind = Kind.BAD_VALUE
    optional: bool = False  # an empty field is no error (DECIMAL only)
    as_text: bool = False


@dataclass(frozen=True)
class Layout:
    """The columns of a format; `headerless` gives their names by position for each number of columns without header.

    A file whose first character is a digit has no header: every format here that comes without one starts its rows
    with a number.
    """

    columns: tuple[Column, ...]
    headerless: tuple[tuple[str, ...], ...] = ()

    def columns_of(self, names: tuple[str, ...]) -> tuple[Column, ...]:
        """The wanted columns of a file with these column names."""
        return self.columns


@dataclass(frozen=True)
class CsvBlock:
    """Parsed rows of one file, by column name. `lines` count from 1."""

    lines: Ints
    ints: dict[str, Ints]
    words: dict[str, Words]
    present: dict[str, npt.NDArray[np.bool_]]
    codes: dict[str, npt.NDArray[np.int8]]
    texts: dict[str, pa.StringArray]

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, rows: Ints | npt.NDArray[np.bool_]) -> "CsvBlock":
        """The rows at these positions, or those under a mask."""
        at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return CsvBlock(
            self.lines[at],
            {name: values[at] for name, values in self.ints.items()},
            {name: values[at] for name, values in self.words.items()},
            {name: values[at] for name, values in self.present.items()},
            {name: values[at] for name, values in self.codes.items()},
            {name: values.take(pa.array(at)) for name, values in self.texts.items()},
        )


def to_decimals(words: Words) -> pa.Decimal128Array:
    """A column of the catalog's decimals over the same bytes."""
    return pa.Array.from_buffers(DECIMAL, len(words), [None, pa.py_buffer(np.ascontiguousarray(words))])


def to_doubles(words: Words) -> npt.NDArray[np.float64]:
    """The nearest doubles or their neighbours: for comparing ratios, never for what is stored."""
    doubles: npt.NDArray[np.float64] = words[:, 1] * 18446744073709551616e-16 + words[:, 0].view(np.uint64) * 1e-16
    return doubles


def is_negative(words: Words) -> npt.NDArray[np.bool_]:
    negative: npt.NDArray[np.bool_] = words[:, 1] < 0
    return negative


def is_zero(words: Words) -> npt.NDArray[np.bool_]:
    zero: npt.NDArray[np.bool_] = (words[:, 0] | words[:, 1]) == 0
    return zero


class _RowParser:
    """The kernel bound to the columns of one file."""

    def __init__(self, names: tuple[str, ...], columns: tuple[Column, ...]) -> None:
        self.names = names
        self._columns = {column.name: column for column in columns}
        self._kinds = np.full(len(names), FieldKind.SKIP, np.int64)
        self._slots = np.zeros(len(names), np.int64)
        self._text_slots = np.full(len(names), -1, np.int64)
        self._optional = np.zeros(len(names), np.bool_)
        self._by_kind: dict[FieldKind, list[str]] = {kind: [] for kind in FieldKind}
        self._as_text: list[str] = []
        words: list[bytes] = []
        first_words = [0]
        for column in columns:
            field = names.index(column.name)
            self._kinds[field] = column.kind
            self._optional[field] = column.optional
            stored_as = FieldKind.INT if column.kind is FieldKind.SECONDS else column.kind
            self._slots[field] = len(self._by_kind[stored_as])
            self._by_kind[stored_as].append(column.name)
            if column.as_text or column.kind is FieldKind.TEXT:
                self._text_slots[field] = len(self._as_text)
                self._as_text.append(column.name)
            if column.kind is FieldKind.CHOICE:
                words.extend(choice.encode() for choice in column.choices)
                first_words.append(len(words))
        self._vocabulary = np.frombuffer(b"".join(words) or b"\0", np.uint8)
        self._word_ends = np.cumsum([0, *map(len, words)], dtype=np.int64)
        self._first_words = np.array(first_words, np.int64)

    def parse(self, buffer: bytes, first_line: int) -> tuple[CsvBlock, list[tuple[int, str, Kind]], int]:
        """Parse whole lines: the good rows, the unreadable ones as (line, what is wrong, kind), and how many lines."""
        data = np.frombuffer(buffer, np.uint8)
        count = count_lines(data)
        ints = np.empty((len(self._by_kind[FieldKind.INT]), count), np.int64)
        words = np.empty((len(self._by_kind[FieldKind.DECIMAL]), count, 2), np.uint64)
        present = np.empty((len(self._by_kind[FieldKind.DECIMAL]), count), np.bool_)
        codes = np.empty((len(self._by_kind[FieldKind.CHOICE]), count), np.int8)
        texts = np.empty((len(self._as_text), len(buffer)), np.uint8)
        text_ends = np.zeros((len(self._as_text), count + 1), np.int32)
        starts = np.empty(count, np.int64)
        errors = np.empty(count, np.int64)
        parse_rows(
            data,
            self._kinds,
            self._slots,
            self._text_slots,
            self._optional,
            self._vocabulary,
            self._word_ends,
            self._first_words,
            ints,
            words,
            present,
            codes,
            texts,
            text_ends,
            starts,
            errors,
        )
        block = CsvBlock(
            np.arange(first_line, first_line + count),
            dict(zip(self._by_kind[FieldKind.INT], ints, strict=True)),
            dict(zip(self._by_kind[FieldKind.DECIMAL], words.view(np.int64), strict=True)),
            dict(zip(self._by_kind[FieldKind.DECIMAL], present, strict=True)),
            dict(zip(self._by_kind[FieldKind.CHOICE], codes, strict=True)),
            {
                name: pa.StringArray.from_buffers(count, pa.py_buffer(text_ends[k]), pa.py_buffer(texts[k]))
                for k, name in enumerate(self._as_text)
            },
        )
        if not errors.any():
            return block, [], count
        unreadable = []
        for row in np.flatnonzero((errors != 0) & (errors != BLANK)).tolist():
            line = buffer[starts[row] :].split(b"\n", 1)[0].removesuffix(b"\r")
            unreadable.append((first_line + row, *self._diagnose(line, int(errors[row]))))
        return block.take(errors == 0), unreadable, count

    def _diagnose(self, line: bytes, error: int) -> tuple[str, Kind]:
        fields = line.decode("utf-8", "backslashreplace").split(",")
        if error == WRONG_COUNT:
            return f"the line has {len(fields)} fields, expected {len(self.names)}", Kind.MALFORMED
        name, text = self.names[error - 1], fields[error - 1]
        if text.lower().lstrip("+-") in NO_NUMBERS:
            return f"{name} is {text}", Kind.BAD_VALUE
        if not text:
            return f"{name} is empty", Kind.MALFORMED
        column = self._columns[name]
        if column.kind is FieldKind.CHOICE:
            return f"{name} {text[:60]!r} is not {' or '.join(column.choices)}", column.mismatch
        return f"{name} {text[:60]!r} is not {EXPECTED[column.kind]}", Kind.MALFORMED


def _whole_lines(source: BinarySource, block_bytes: int) -> Iterator[bytes]:
    """Blocks of whole lines; the last one lacks its line end if the file does. Raises BrokenArchiveError after them."""
    held: list[bytes] = []
    size = 0
    broken: BrokenArchiveError | None = None
    while True:
        try:
            piece = source.read(min(BLOCK, block_bytes))
        except BrokenArchiveError as e:
            broken = e
            piece = b""
        held.append(piece)
        size += len(piece)
        if piece and size < block_bytes:
            continue
        block = b"".join(held)
        end = block.rfind(b"\n") + 1
        if not piece and broken is None:
            end = len(block)
        if end:
            yield block[:end]
        held = [block[end:]]
        size = len(block) - end
        if broken is not None:
            raise broken
        if not piece:
            return
        if size > LONGEST_LINE:
            raise BrokenArchiveError(f"no line end within {LONGEST_LINE >> 20} MiB: not a text file", truncated=False)


def _file_parser(first_line: str, layout: Layout) -> tuple[_RowParser | None, bool, str]:
    """The parser for a file that begins with this line, whether the line is a header, and what is wrong with it."""
    fields = tuple(field.strip() for field in first_line.split(","))
    has_header = not first_line[:1].isdigit()
    if has_header:
        names = fields
    else:
        by_count = {len(names): names for names in layout.headerless}
        if not by_count:
            return None, False, f"the file has no header, its first line is {first_line[:80]!r}"
        if len(fields) not in by_count:
            allowed = " or ".join(map(str, by_count))
            return None, False, f"the file has {len(fields)} columns and no header, expected {allowed}"
        names = by_count[len(fields)]
    columns = layout.columns_of(names)
    if missing := [column.name for column in columns if column.name not in names]:
        return None, has_header, f"the header has no column {', '.join(missing)}; it has {', '.join(names)}"
    return _RowParser(names, columns), has_header, ""


def read_blocks(
    path: Path, layout: Layout, log: AnomalyLog, progress: Progress, block_bytes: int = BLOCK_BYTES
) -> Iterator[CsvBlock]:
    """The rows of one plain, gzip or zip file.

    Lines that do not parse are left out and reported: TRUNCATED where the file ends inside them, BAD_VALUE for NaN,
    else MALFORMED; so are cut off or damaged archives, wrong headers and files without rows. Blank lines are passed
    over. Raises OSError.
    """
    parser: _RowParser | None = None
    next_line = 1
    any_row = False
    told = 0
    try:
        with open_binary(path) as source:
            for block in _whole_lines(source, block_bytes):
                buffer = block
                if parser is None:
                    buffer = buffer.removeprefix(UTF8_BOM)
                    blank = len(buffer) - len(buffer.lstrip(b"\r\n"))
                    next_line += buffer[:blank].count(b"\n")
                    buffer = buffer[blank:]
                    if not buffer:
                        continue
                    first, _, rest = buffer.partition(b"\n")
                    text = first.decode("utf-8", "backslashreplace").rstrip("\r")
                    parser, has_header, problem = _file_parser(text, layout)
                    if parser is None:
                        log.report(Kind.MALFORMED, path, next_line, problem)
                        return
                    if has_header:
                        buffer = rest
                        next_line += 1
                if not buffer:
                    continue
                whole = buffer.endswith(b"\n")
                rows, unreadable, count = parser.parse(buffer if whole else buffer + b"\n", next_line)
                last = next_line + count - 1
                next_line += count
                for line, problem, kind in unreadable:
                    if line == last and not whole:
                        log.report(Kind.TRUNCATED, path, line, f"the file ends inside this line: {problem}")
                    else:
                        log.report(kind, path, line, problem)
                any_row = any_row or len(rows) > 0 or bool(unreadable)
                if len(rows):
                    yield rows
                if source.consumed - told >= PROGRESS_STEP:
                    told = source.consumed
                    progress(path.name, told, source.size)
            progress(path.name, source.size, source.size)
    except BrokenArchiveError as e:
        kind = Kind.TRUNCATED if e.truncated else Kind.MALFORMED
        log.report(kind, path, next_line - 1, f"{e}; the last whole line is {next_line - 1}")
        return
    if not any_row:
        log.report(Kind.MALFORMED, path, None, "the file has no rows")
