"""One market's book as it stood at given times, straight from its file in the catalog."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.encoding import stored_units
from indicators.ladder import Ladder

type Ints = npt.NDArray[np.int64]

BOOK_COLUMNS = ["action", "side", "price", "size", "flags", "sequence", "ts_init"]


class BookFile:
    """A file of book rows. Prices and sizes come out as whole units of their last decimal places."""

    def __init__(self, path: Path) -> None:
        self.file = pq.ParquetFile(path)
        meta = {k.decode(): v.decode() for k, v in self.file.metadata.metadata.items()}
        self.price_places = int(meta["price_precision"])
        self.size_places = int(meta["size_precision"])

    def groups(self) -> int:
        """How many row groups there are."""
        return int(self.file.num_row_groups)

    def rows(self, group: int) -> pa.Table:
        """The rows of one group, with what a ladder needs."""
        return self.file.read_row_group(group, BOOK_COLUMNS)

    def apply(self, ladder: Ladder, rows: pa.Table) -> None:
        """Put rows into a ladder, without a check for a crossed book: that was done when they came in."""
        ladder.apply_rows(
            rows.column("action").to_numpy().astype(np.int64),
            rows.column("side").to_numpy().astype(np.int64),
            stored_units(rows.column("price"), self.price_places),
            stored_units(rows.column("size"), self.size_places).astype(np.float64),
            np.zeros(rows.num_rows, dtype=np.int64),
        )


def book_samples(paths: Sequence[Path], times: Ints) -> Iterator[tuple[int, Ladder]]:
    """The book after everything up to each of the rising `times` (UNIX ns, by ``ts_init``); one ladder that moves on.

    `paths` are the market's files in order of time. The book is empty until the first snapshot. Memory is that of one
    row group.
    """
    ladder, due = Ladder(), 0
    for book in map(BookFile, paths):
        for group in range(book.groups()):
            rows = book.rows(group)
            ts = rows.column("ts_init").to_numpy().astype(np.int64)
            done = 0
            while due < len(times) and times[due] < ts[-1]:
                end = int(np.searchsorted(ts, times[due], side="right"))
                book.apply(ladder, rows.slice(done, end - done))
                done = end
                yield int(times[due]), ladder
                due += 1
            book.apply(ladder, rows.slice(done))
    for time in times[due:]:
        yield int(time), ladder
