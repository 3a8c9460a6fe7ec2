"""The setups of a run that were not taken, and why, in a Parquet file that is written while the run goes on.

A row a setup and venue that was asked; a setup that was passed over before any venue was asked has a row without one.
Row groups end between scans, so that what is counted by scan can be counted group by group.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from strategies.candidates import Passed, Why

BATCH_ROWS = 8_192
_NAMES = pa.dictionary(pa.int32(), pa.string())
PASSED_SCHEMA = pa.schema(
    [
        ("ts", pa.int64()),
        ("asset", _NAMES),
        ("side", _NAMES),
        ("venue", _NAMES),
        ("why", _NAMES),
        ("detail", pa.string()),
    ]
)
"""``ts`` is the scan (UNIX ns), ``side`` long or short, ``venue`` null where no venue was asked."""


class PassedFileError(ValueError):
    """A file of setups that were not taken that cannot be read."""


class PassedWriter:
    """Writes the file in batches; what was not closed is not there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._writer = pq.ParquetWriter(self._partial, PASSED_SCHEMA, compression="zstd")
        self._pending: list[Passed] = []

    def add(self, passed: Sequence[Passed]) -> None:
        """Take what a scan passed over."""
        self._pending += passed
        if len(self._pending) >= BATCH_ROWS:
            self._flush()

    def __enter__(self) -> "PassedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
            if kind is None:
                self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._pending:
            return
        columns = [list(column) for column in zip(*(one.row for one in self._pending), strict=True)]
        columns[3] = [venue or None for venue in columns[3]]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, PASSED_SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=PASSED_SCHEMA), row_group_size=len(self._pending))
        self._pending = []


def read_passed(path: Path) -> Iterator[pa.Table]:
    """The rows of a file, group by group. Raises PassedFileError for a file that was not written here."""
    try:
        file = pq.ParquetFile(path)
        if file.schema_arrow.names != PASSED_SCHEMA.names:
            raise PassedFileError(f"{path} has other columns than this release writes: run the replay anew")
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)
    except (OSError, pa.ArrowException) as error:
        raise PassedFileError(
            f"{path} cannot be read ({error}): give the folder of a replay's results, made by backtests/run.py"
        ) from error


def reasons_by_asset(path: Path) -> dict[str, Counter[Why]]:
    """How many setups of each asset were passed over for what, as :func:`strategies.candidates.why_not` counts: one
    that failed on two venues for two reasons counts once in each, for one reason once."""
    found: dict[str, Counter[Why]] = {}
    for rows in read_passed(path):
        setups = rows.select(["ts", "asset", "side", "why"]).group_by(["ts", "asset", "side", "why"]).aggregate([])
        counts = setups.group_by(["asset", "why"]).aggregate([([], "count_all")])
        for row in counts.to_pylist():
            found.setdefault(row["asset"], Counter())[Why(row["why"])] += row["count_all"]
    return {asset: found[asset] for asset in sorted(found)}
