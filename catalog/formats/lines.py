"""Plain, gzip and zip files as bytes and as numbered lines."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from catalog.anomalies import AnomalyLog, Kind, Progress

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
UTF8_BOM = b"\xef\xbb\xbf"

BLOCK = 1 << 20
LONGEST_LINE = 64 << 20  # bytes; a REST depth reply of 5,000 levels is 0.3 MB
PROGRESS_STEP = 4 << 20  # compressed bytes between two calls of `progress`


class BrokenArchiveError(ValueError):
    """A compressed file that is damaged, or a zip that does not hold exactly one member.

    `truncated` tells a file that merely ends too early from one whose bytes are wrong.
    """

    def __init__(self, message: str, *, truncated: bool) -> None:
        super().__init__(message)
        self.truncated = truncated


class BinarySource:
    """The decompressed bytes of a file; whether it is compressed is told by its first bytes, not by its name.

    Use as a context manager. `read` raises BrokenArchiveError; all bytes before the damage have been returned by then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.closed = False
        self._raw: IO[bytes] = path.open("rb")
        try:
            self._stream = self._decompressed()
        except BaseException:
            self._raw.close()
            raise

    def _decompressed(self) -> IO[bytes]:
        magic = self._raw.read(4)
        self._raw.seek(0)
        if magic.startswith(GZIP_MAGIC):
            return cast(IO[bytes], gzip.GzipFile(fileobj=self._raw))
        if magic not in (ZIP_MAGIC, EMPTY_ZIP_MAGIC):
            return self._raw
        try:
            archive = zipfile.ZipFile(self._raw)
        except zipfile.BadZipFile as e:
            # the directory of a zip is at its end: a file that starts as one and has none was cut off
            raise BrokenArchiveError(f"the zip is cut off: {e}", truncated=True) from e
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) != 1:
            names = ", ".join(m.filename for m in members[:5]) or "none"
            raise BrokenArchiveError(
                f"the zip must hold exactly one file, it has {len(members)}: {names}", truncated=False
            )
        try:
            return archive.open(members[0])
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as e:  # encrypted, or an exotic compression
            raise BrokenArchiveError(f"the zip cannot be read: {e}", truncated=False) from e

    @property
    def consumed(self) -> int:
        """Bytes of the file on disk that have been read so far."""
        return self.size if self.closed else self._raw.tell()

    def readable(self) -> bool:
        return True

    def read(self, size: int = BLOCK) -> bytes:
        """At most `size` decompressed bytes (all that is left if negative); empty at the end."""
        if size < 0:
            return b"".join(iter(self.read, b""))
        try:
            # read1 hands over what it has before it meets the damage; read would lose it
            return self._stream.read1(size)  # type: ignore[attr-defined, no-any-return]
        except EOFError as e:
            raise BrokenArchiveError("the compressed data is cut off", truncated=True) from e
        except (zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as e:
            raise BrokenArchiveError(f"the compressed data is damaged: {e}", truncated=False) from e

    def close(self) -> None:
        self._stream.close()
        self._raw.close()
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_binary(path: Path) -> BinarySource:
    """Open a plain, gzip or zip file. Raises OSError, and BrokenArchiveError for a zip that cannot be one stream."""
    return BinarySource(path)


class Lines:
    """The lines of a file as ``(number, bytes)``: numbers count from 1, bytes are without the line end.

    Byte order mark and CR are removed, blank lines are passed over (but counted). What the archive itself has wrong is
    reported here: TRUNCATED or MALFORMED compression, and MALFORMED for a file without any line.
    """

    def __init__(self, path: Path, log: AnomalyLog, progress: Progress) -> None:
        self.path = path
        self.whole = True  # False while the last line of a file that does not end in a newline is out
        self.number = 0  # of the last whole line that was decompressed
        self._log = log
        self._progress = progress

    def report_unreadable(self, number: int, message: str) -> bool:
        """Report a line that does not parse: TRUNCATED if the file ends within it, MALFORMED otherwise."""
        kind = Kind.MALFORMED if self.whole else Kind.TRUNCATED
        ending = "" if self.whole else f"; the file ends inside this line, the last whole one is {number - 1}"
        return self._log.report(kind, self.path, number, f"{message}{ending}")

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        any_line = False
        try:
            with open_binary(self.path) as source:
                for lines in self._blocks(source):
                    first = self.number + 1
                    if first == 1:
                        lines[0] = lines[0].removeprefix(UTF8_BOM)
                    self.number += len(lines)
                    for number, line in enumerate(lines, first):
                        text = line.removesuffix(b"\r")
                        if text:
                            any_line = True
                            yield number, text
        except BrokenArchiveError as e:
            kind = Kind.TRUNCATED if e.truncated else Kind.MALFORMED
            self._log.report(kind, self.path, self.number, f"{e}; the last whole line is {self.number}")
            return
        if not any_line:
            self._log.report(Kind.MALFORMED, self.path, None, "the file has no rows")

    def _blocks(self, source: BinarySource) -> Iterator[list[bytes]]:
        """Whole lines, many at a time."""
        told = 0
        parts: list[bytes] = []  # of a line that runs over blocks
        held = 0
        while block := source.read(BLOCK):
            lines = block.split(b"\n")
            parts.append(lines[0])
            held += len(lines[0])
            if len(lines) > 1:
                lines[0] = b"".join(parts)
                parts = [lines.pop()]
                held = len(parts[0])
                yield lines
            if held > LONGEST_LINE:
                message = f"no line end within {LONGEST_LINE >> 20} MiB: not a text file"
                self._log.report(Kind.MALFORMED, self.path, self.number + 1, message)
                return
            if source.consumed - told >= PROGRESS_STEP:
                told = source.consumed
                self._progress(self.path.name, told, source.size)
        last = b"".join(parts)
        if last.removesuffix(b"\r"):
            self.whole = False
            yield [last]
        self._progress(self.path.name, source.size, source.size)


def read_lines(path: Path, log: AnomalyLog, progress: Progress) -> Lines:
    """The numbered lines of a plain, gzip or zip file; see :class:`Lines`."""
    return Lines(path, log, progress)
