"""What a file format is to the catalog: a reader of files into chunks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from catalog.anomalies import AnomalyLog, Progress
from catalog.markets import Market
from catalog.tables import Chunk

CHUNK_ROWS = 65_536  # rows that a reader gathers of one kind before it hands them on


class Reader(Protocol):
    """A file format bound to one market; implementations are frozen dataclasses.

    `read` takes the files as one stream in the given order and yields chunks whose ``ts_init`` never decreases within
    one kind. Memory is bounded whatever the size of the files. What is wrong with the data goes to `log`, each finding
    with its file and line; the row is left out and reading goes on, so that a user sees all reasons of a refusal. The
    caller ends with ``log.raise_if_refused()``. A file that cannot be opened raises OSError.
    """

    @property
    def market(self) -> Market: ...

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]: ...
