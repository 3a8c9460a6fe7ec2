"""The catalog's book-keeping: what was ingested from where, what was odd in it, and each series' time slot.

A Nautilus catalog is only folders of Parquet files. Beside them lies ``ledger.json``: it makes ingesting idempotent
(files are known by their content), keeps what was found wrong for ``inspect``, and gives every series a nanosecond slot
so that no two series ever share a ``ts_init``.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LEDGER = "ledger.json"
VERSION = 2
SLOTS = 999  # slot 0 belongs to timers: a scan at a whole microsecond never ties with an event
QUANTUM_NS = 1_000


class CatalogError(Exception):
    """The catalog cannot take or give what was asked."""


@dataclass(frozen=True)
class SourceFile:
    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class SeriesEntry:
    """One Parquet file: a span of one data type of one instrument. Times are UNIX ns of ``ts_init``, inclusive."""

    instrument_id: str
    kind: str
    path: str
    rows: int
    first_ns: int
    last_ns: int
    digest: str  # of the file's content, taken when it was written


@dataclass(frozen=True)
class IngestEntry:
    format: str
    options: dict[str, Any]
    files: list[SourceFile]
    series: list[SeriesEntry]
    counts: dict[str, int]  # anomalies by kind
    anomalies: list[dict[str, Any]]  # the first of them, for people
    unseeded_books: list[str]  # instruments whose book was never seeded by a snapshot in this ingest
    definition: str  # where the instrument definition came from


@dataclass
class Ledger:
    ingests: list[IngestEntry] = field(default_factory=list)
    slots: dict[str, int] = field(default_factory=dict)

    def slot(self, instrument_id: str, kind: str) -> int:
        """The series' own offset in ns, 1 to 999, given out on first use and kept for good."""
        key = f"{instrument_id}|{kind}"
        if key not in self.slots:
            taken = set(self.slots.values())
            free = next((n for n in range(1, SLOTS + 1) if n not in taken), None)
            if free is None:
                raise CatalogError(
                    f"the catalog has {SLOTS} series and no time slot left for {key}: start another catalog"
                )
            self.slots[key] = free
        return self.slots[key]

    def series(self) -> list[SeriesEntry]:
        return [s for ingest in self.ingests for s in ingest.series]

    def overlapping(self, instrument_id: str, kind: str, first_ns: int, last_ns: int) -> SeriesEntry | None:
        for s in self.series():
            if (s.instrument_id, s.kind) == (instrument_id, kind) and s.first_ns <= last_ns and first_ns <= s.last_ns:
                return s
        return None

    def find(self, instrument_id: str, files: Iterable[SourceFile], format_name: str) -> IngestEntry | None:
        """The earlier ingest of exactly these contents in the same format for the same instrument, if any."""
        digests = [f.digest for f in files]
        for ingest in self.ingests:
            same_market = ingest.options.get("instrument_id") == instrument_id
            if same_market and ingest.format == format_name and [f.digest for f in ingest.files] == digests:
                return ingest
        return None

    def to_json(self) -> str:
        body = {"version": VERSION, "slots": self.slots, "ingests": [asdict(i) for i in self.ingests]}
        return json.dumps(body, indent=1)

    @classmethod
    def load(cls, root: Path) -> "Ledger":
        """The catalog's ledger, empty where there is none yet. Raises CatalogError for a damaged one."""
        path = root / LEDGER
        if not path.exists():
            return cls()
        try:
            body = json.loads(path.read_text())
            if body["version"] != VERSION:
                raise CatalogError(f"{path}: version {body['version']} is not {VERSION}: ingest anew with this release")
            ingests = [
                IngestEntry(
                    **{
                        **i,
                        "files": [SourceFile(**f) for f in i["files"]],
                        "series": [SeriesEntry(**s) for s in i["series"]],
                    }
                )
                for i in body["ingests"]
            ]
            return cls(ingests=ingests, slots=body["slots"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise CatalogError(f"{path}: damaged ({error!r}): restore it or ingest into a new directory") from error


def fingerprint(path: Path) -> SourceFile:
    """Name, size and content digest of a source file."""
    return SourceFile(path.name, path.stat().st_size, content_digest(path))


def content_digest(path: Path) -> str:
    """A file's content in 32 hexadecimal digits (BLAKE2b, 16 bytes)."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
