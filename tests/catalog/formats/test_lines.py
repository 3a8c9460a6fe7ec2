"""Plain, gzip and zip files as numbered lines."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.lines import BrokenArchiveError, open_binary, read_lines


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def lines_of(path: Path) -> tuple[list[tuple[int, bytes]], AnomalyLog]:
    log = AnomalyLog()
    return list(read_lines(path, log, lambda *_: None)), log


TEXT = b"one\ntwo\nthree\n"
NUMBERED = [(1, b"one"), (2, b"two"), (3, b"three")]


@pytest.mark.parametrize(
    "content", [TEXT, gzip.compress(TEXT), zipped({"any name": TEXT})], ids=["plain", "gzip", "zip"]
)
def test_compression_is_told_by_content(tmp_path: Path, content: bytes) -> None:
    """The same lines come from plain, gzip and zip bytes, whatever the file is called."""
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    found, log = lines_of(path)
    assert found == NUMBERED
    assert not log.counts


def test_two_gzip_members_are_one_stream(tmp_path: Path) -> None:
    """Appending one gzip file to another gives the lines of both."""
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"one\ntw") + gzip.compress(b"o\nthree\n"))
    assert lines_of(path)[0] == NUMBERED


def test_byte_order_mark_carriage_returns_and_blank_lines_are_no_content(tmp_path: Path) -> None:
    """BOM and CR are taken off, blank lines are passed over but counted."""
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\r\nthree\r\n\n\n")
    found, log = lines_of(path)
    assert found == [(1, b"one"), (3, b"three")]
    assert not log.counts


def test_truncated_gzip_gives_its_whole_lines_and_a_finding(tmp_path: Path) -> None:
    """Lines before the cut are read, the cut is TRUNCATED with the last whole line, the partial line is dropped."""
    text = b"".join(b"line %06d of incompressible %d\n" % (i, i * 2654435761 % 2**32) for i in range(1, 20_001))
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(text)[:-5_000])
    found, log = lines_of(path)
    assert 1_000 < len(found) < 20_000
    assert found[-1] == (len(found), text.split(b"\n")[len(found) - 1])
    (finding,) = log.refused
    assert (finding.kind, finding.line) == (Kind.TRUNCATED, len(found))


def test_damaged_gzip_is_malformed(tmp_path: Path) -> None:
    """Wrong bytes inside the compression are MALFORMED, not TRUNCATED."""
    content = bytearray(gzip.compress(TEXT))
    content[-6] ^= 0xFF  # in the checksum
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    _, log = lines_of(path)
    assert [a.kind for a in log.refused] == [Kind.MALFORMED]


def test_truncated_zip_is_reported(tmp_path: Path) -> None:
    """A zip without its directory at the end is TRUNCATED."""
    path = tmp_path / "file.zip"
    path.write_bytes(zipped({"a": TEXT})[:-10])
    found, log = lines_of(path)
    assert not found
    assert [a.kind for a in log.refused] == [Kind.TRUNCATED]


@pytest.mark.parametrize("members", [{}, {"a": TEXT, "b": TEXT}], ids=["none", "two"])
def test_zip_must_hold_one_member(tmp_path: Path, members: dict[str, bytes]) -> None:
    """Which of several members is meant cannot be known: MALFORMED."""
    path = tmp_path / "file.zip"
    path.write_bytes(zipped(members))
    _, log = lines_of(path)
    assert [a.kind for a in log.refused] == [Kind.MALFORMED]
    assert "exactly one" in log.refused[0].message


@pytest.mark.parametrize("content", [b"", b"\n\r\n", gzip.compress(b"")], ids=["empty", "blank", "empty gzip"])
def test_file_without_lines_is_malformed(tmp_path: Path, content: bytes) -> None:
    """An empty file is no data, and says so."""
    path = tmp_path / "file"
    path.write_bytes(content)
    found, log = lines_of(path)
    assert not found
    assert [(a.kind, a.message) for a in log.refused] == [(Kind.MALFORMED, "the file has no rows")]


def test_unreadable_line_is_malformed_unless_the_file_ends_in_it(tmp_path: Path) -> None:
    """The same complaint is MALFORMED about a whole line and TRUNCATED about an unfinished last one."""
    path = tmp_path / "file"
    path.write_bytes(b"bad\nbad")
    log = AnomalyLog()
    lines = read_lines(path, log, lambda *_: None)
    for number, _ in lines:
        lines.report_unreadable(number, "no good")
    assert [(a.kind, a.line) for a in log.refused] == [(Kind.MALFORMED, 1), (Kind.TRUNCATED, 2)]
    assert "the last whole one is 1" in log.refused[1].message


def test_a_line_over_many_blocks_is_put_together(tmp_path: Path) -> None:
    """Lines longer than what is read at once come out whole."""
    long = b"x" * 3_000_000
    path = tmp_path / "file"
    path.write_bytes(b"a\n" + long + b"\nb")
    assert lines_of(path)[0] == [(1, b"a"), (2, long), (3, b"b")]


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    """The last report of progress is the file's size on disk."""
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(TEXT))
    told: list[tuple[str, int, int]] = []
    list(read_lines(path, AnomalyLog(), lambda *args: told.append(args)))
    assert told[-1] == ("file.gz", path.stat().st_size, path.stat().st_size)


def test_open_binary_reads_all_bytes(tmp_path: Path) -> None:
    """A negative size reads to the end, and `consumed` counts the bytes on disk."""
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(TEXT))
    with open_binary(path) as source:
        assert source.read(-1) == TEXT
        assert source.consumed == path.stat().st_size


def test_open_binary_raises_on_a_cut_stream(tmp_path: Path) -> None:
    """Without a log the cut is an error that tells truncation from damage."""
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(TEXT)[:-4])
    with open_binary(path) as source, pytest.raises(BrokenArchiveError) as caught:
        source.read(-1)
    assert caught.value.truncated
