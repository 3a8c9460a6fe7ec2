"""CSV files as blocks of exact columns, with every unreadable line named."""

import gzip
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.csv_blocks import Column, CsvBlock, Layout, read_blocks, to_decimals, to_doubles
from catalog.formats.csv_kernel import FieldKind

LAYOUT = Layout(
    (
        Column("id", FieldKind.INT, as_text=True),
        Column("price", FieldKind.DECIMAL),
        Column("side", FieldKind.CHOICE, ("buy", "sell")),
    ),
    headerless=(("id", "price", "side"), ("id", "price", "side", "more")),
)


def blocks_of(
    path: Path, content: bytes, layout: Layout = LAYOUT, block_bytes: int = 1 << 20
) -> tuple[list[CsvBlock], AnomalyLog]:
    path.write_bytes(content)
    log = AnomalyLog()
    return list(read_blocks(path, layout, log, lambda *_: None, block_bytes)), log


def rows_of(blocks: list[CsvBlock]) -> list[tuple[int, int, str, Decimal, int]]:
    return [
        row
        for block in blocks
        for row in zip(
            block.lines.tolist(),
            block.ints["id"].tolist(),
            block.texts["id"].to_pylist(),
            to_decimals(block.words["price"]).to_pylist(),
            block.codes["side"].tolist(),
            strict=True,
        )
    ]


def findings(log: AnomalyLog) -> list[tuple[Kind, int | None]]:
    return [(anomaly.kind, anomaly.line) for anomaly in (*log.refused, *log.tolerated)]


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("any.csv", content)
    return buffer.getvalue()


TEXT = b"7,1.50,buy\n8,0.00000001,sell\n"
ROWS = [(1, 7, "7", Decimal("1.5"), 0), (2, 8, "8", Decimal("0.00000001"), 1)]


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT), zipped(TEXT), TEXT[:-1]])
def test_rows_come_from_any_compression(tmp_path: Path, content: bytes) -> None:
    """Plain, gzip and zip give the same rows, and a missing last line end is no error."""
    blocks, log = blocks_of(tmp_path / "file", content)
    assert rows_of(blocks) == ROWS
    assert not log.counts


def test_header_finds_columns_by_name(tmp_path: Path) -> None:
    """With a header the columns may stand in any order among others; its line counts."""
    content = b"x,side,price,id\n-,buy,1.50,7\n-,sell,1e-8,8\n"
    blocks, log = blocks_of(tmp_path / "file", content)
    assert rows_of(blocks) == [(line + 1, *rest) for line, *rest in ROWS]
    assert not log.counts


def test_byte_order_mark_carriage_returns_and_blank_lines_are_no_content(tmp_path: Path) -> None:
    """BOM and CR are taken off, blank lines are passed over but counted."""
    content = b"\xef\xbb\xbf\r\nid,price,side\r\n7,1.50,buy\r\n\r\n8,0.00000001,sell\r\n\r\n\n"
    blocks, log = blocks_of(tmp_path / "file", content)
    assert [row[0] for row in rows_of(blocks)] == [3, 5]
    assert [row[1:] for row in rows_of(blocks)] == [row[1:] for row in ROWS]
    assert not log.counts


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,cost,side\n1,1,buy\n", "no column price; it has id, cost, side"),
        (b"1,1\n", "2 columns and no header, expected 3 or 4"),
    ],
)
def test_wrong_columns_are_malformed_on_line_one(tmp_path: Path, content: bytes, told: str) -> None:
    """A header without a wanted column, or another number of columns, ends the file with a finding that names it."""
    blocks, log = blocks_of(tmp_path / "file", content)
    assert not blocks
    assert findings(log) == [(Kind.MALFORMED, 1)]
    assert told in log.refused[0].message


def test_a_format_with_header_refuses_a_file_without(tmp_path: Path) -> None:
    """Where no positions are known a first line of data is MALFORMED."""
    _, log = blocks_of(tmp_path / "file", TEXT, Layout(LAYOUT.columns))
    assert findings(log) == [(Kind.MALFORMED, 1)]
    assert "no header" in log.refused[0].message


@pytest.mark.parametrize("content", [b"", b"\n\n", b"id,price,side\n", gzip.compress(b"")])
def test_a_file_without_rows_is_malformed(tmp_path: Path, content: bytes) -> None:
    """Nothing, blank lines or a lone header: the finding says that there are no rows."""
    blocks, log = blocks_of(tmp_path / "file", content)
    assert not blocks
    assert [a.message for a in log.refused] == ["the file has no rows"]


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        (b"x,1,buy", Kind.MALFORMED, "id 'x' is not an integer"),
        (b"1.5,1,buy", Kind.MALFORMED, "id '1.5'"),
        (b"9223372036854775808,1,buy", Kind.MALFORMED, "id '9223372036854775808'"),
        (b"1,,buy", Kind.MALFORMED, "price is empty"),
        (b"1,1.2.3,buy", Kind.MALFORMED, "price '1.2.3'"),
        (b'1,"1.5",buy', Kind.MALFORMED, "price '\"1.5\"'"),
        (b"1,0.12345678901234567,buy", Kind.MALFORMED, "price '0.12345678901234567'"),
        (b"1,1e,buy", Kind.MALFORMED, "price '1e'"),
        (b"1,-,buy", Kind.MALFORMED, "price '-'"),
        (b"1,NaN,buy", Kind.BAD_VALUE, "price is NaN"),
        (b"1,1,hold", Kind.BAD_VALUE, "side 'hold' is not buy or sell"),
        (b"1,1", Kind.MALFORMED, "2 fields, expected 3"),
        (b"1,1,buy,4", Kind.MALFORMED, "4 fields, expected 3"),
        (b"\xff\xfe\x00", Kind.MALFORMED, "1 fields"),
    ],
)
def test_an_unreadable_line_is_named_and_left_out(tmp_path: Path, line: bytes, kind: Kind, told: str) -> None:
    """The rows around it are kept; the finding has the line and what is wrong in it."""
    blocks, log = blocks_of(tmp_path / "file", b"7,1.50,buy\n" + line + b"\n8,0.00000001,sell\n")
    assert [row[1:] for row in rows_of(blocks)] == [row[1:] for row in ROWS]
    assert findings(log) == [(kind, 2)]
    assert told in log.refused[0].message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"-0.5", "-0.5"),
        (b"-0", "0"),
        (b"1e-7", "0.0000001"),
        (b"2.5E+3", "2500"),
        (b"17000000000000.00000000", "17000000000000"),
        (b"1.50000000000000000000000", "1.5"),
        (b"922337203685477580", "922337203685477580"),
        (b"-0.0000000000000001", "-0.0000000000000001"),
        (b"0.000000000000000000000", "0"),
    ],
)
def test_decimals_are_exact(tmp_path: Path, text: bytes, value: str) -> None:
    """Signs, exponents, trailing zeros and the outermost digits come out as written."""
    blocks, log = blocks_of(tmp_path / "file", b"1," + text + b",buy\n")
    assert not log.refused
    assert to_decimals(blocks[0].words["price"]).to_pylist() == [Decimal(value)]
    assert to_doubles(blocks[0].words["price"])[0] == pytest.approx(float(value))


def test_seconds_become_whole_nanoseconds(tmp_path: Path) -> None:
    """Decimal seconds of any length up to nine places are exact; a tenth place is MALFORMED."""
    layout = Layout((Column("t", FieldKind.SECONDS),))
    content = b"t\n1585180700.0647\n1585180700\n1585180700.123456789\n1585180700.1234567891\n1585180700.0647000000000\n"
    blocks, log = blocks_of(tmp_path / "file", content, layout)
    assert blocks[0].ints["t"].tolist() == [
        1585180700_064700000,
        1585180700_000000000,
        1585180700_123456789,
        1585180700_064700000,
    ]
    assert findings(log) == [(Kind.MALFORMED, 5)]


def test_optional_fields_may_be_empty(tmp_path: Path) -> None:
    """An empty optional field is zero and not present."""
    layout = Layout((Column("a", FieldKind.DECIMAL, optional=True), Column("b", FieldKind.DECIMAL, optional=True)))
    blocks, log = blocks_of(tmp_path / "file", b"a,b\n1,\n,2\n,\n", layout)
    assert not log.counts
    assert blocks[0].present["a"].tolist() == [True, False, False]
    assert blocks[0].present["b"].tolist() == [False, True, False]
    assert to_decimals(blocks[0].words["b"]).to_pylist() == [0, 2, 0]


def test_a_file_that_ends_inside_a_line_is_truncated(tmp_path: Path) -> None:
    """A last line without line end that does not parse is TRUNCATED, and the rows before it are kept."""
    blocks, log = blocks_of(tmp_path / "file", TEXT + b"9,1.")
    assert rows_of(blocks) == ROWS
    assert findings(log) == [(Kind.TRUNCATED, 3)]


def test_a_cut_gzip_gives_its_whole_lines(tmp_path: Path) -> None:
    """The rows before the cut come out, the finding has the last whole line, and half a line is no row."""
    text = b"".join(b"%d,%d.5,buy\n" % (i, i * 7919 % 1009) for i in range(1, 5001))
    whole = gzip.compress(text)
    blocks, log = blocks_of(tmp_path / "file", whole[: len(whole) // 2], block_bytes=1 << 12)
    rows = rows_of(blocks)
    assert 0 < len(rows) < 5000
    assert [row[1] for row in rows] == list(range(1, len(rows) + 1))
    assert findings(log) == [(Kind.TRUNCATED, len(rows))]


def test_a_cut_zip_is_truncated(tmp_path: Path) -> None:
    """A zip that lost its end cannot be opened: TRUNCATED."""
    whole = zipped(TEXT)
    _, log = blocks_of(tmp_path / "file", whole[:-30])
    assert [a.kind for a in log.refused] == [Kind.TRUNCATED]


def test_take_keeps_rows_together(tmp_path: Path) -> None:
    """Every column of a block is cut alike."""
    blocks, _ = blocks_of(tmp_path / "file", TEXT)
    assert rows_of([blocks[0].take(np.array([False, True]))]) == ROWS[1:]
    assert rows_of([blocks[0].take(np.array([1, 0]))]) == ROWS[::-1]


VALUES = st.tuples(
    st.integers(-(2**63) + 10, 2**63 - 10),
    st.decimals(-(10**9), 10**9, places=8, allow_nan=False, allow_infinity=False),
    st.sampled_from(["buy", "sell"]),
)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(VALUES, min_size=1, max_size=30),
    block_bytes=st.integers(1, 200),
    end=st.sampled_from([b"\n", b"\r\n"]),
    header=st.booleans(),
)
def test_written_rows_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, Decimal, str]],
    block_bytes: int,
    end: bytes,
    header: bool,
) -> None:
    """Whatever the block size and the line end, rows written as text come back exactly, with their lines."""
    lines = [f"{i},{price:f},{side}".encode() for i, price, side in rows]
    start = [b"id,price,side"] if header or rows[0][0] < 0 else []
    content = end.join([*start, *lines, b""])
    blocks, log = blocks_of(tmp_path_factory.mktemp("csv") / "file", content, block_bytes=block_bytes)
    assert not log.counts
    assert rows_of(blocks) == [
        (line, i, str(i), price, ("buy", "sell").index(side))
        for line, (i, price, side) in enumerate(rows, 1 + len(start))
    ]
