"""One market's best prices as they changed within given windows, straight from its book's files in the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backtests.best_prices_kernel import NO_PRICE, record_best
from backtests.book_samples import BookFile
from catalog.encoding import stored_units
from catalog.ledger import CatalogError
from indicators.ladder import Stop, new_levels

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Window = tuple[int, int]
"""First and last time (UNIX ns), both inclusive."""

CAPACITY = 4_096  # levels a side, doubled when they do not suffice


@dataclass(frozen=True)
class BestPrices:
    """`bid` and `ask` (quote per base, NaN where a side is empty) from each of the rising `ts` (UNIX ns) on."""

    ts: Ints
    bid: Floats
    ask: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def mid(self, ts: int) -> float:
        """The middle of the best prices at a time; NaN where one is not known, and before the first."""
        before = int(np.searchsorted(self.ts, ts, side="right")) - 1
        return float(self.bid[before] + self.ask[before]) / 2 if before >= 0 else float("nan")

    def thinned(self, buckets: int) -> "BestPrices":
        """At most four rows of each of so many equal stretches of time, those with the extremes of either side; the
        first and the last row stay.

        What is left out lies between what is kept: a chart of that many columns looks the same.
        """
        if len(self) <= 4 * buckets:
            return self
        bucket = (self.ts - self.ts[0]) * buckets // (self.ts[-1] - self.ts[0] + 1)
        keep = {0, len(self) - 1}
        for side in (self.bid, self.ask):
            for sign in (1.0, -1.0):
                order = np.lexsort((np.where(np.isnan(side), np.inf, sign * side), bucket))
                keep |= set(order[np.flatnonzero(np.diff(bucket[order], prepend=-1))].tolist())
        rows = np.array(sorted(keep))
        return BestPrices(self.ts[rows], self.bid[rows], self.ask[rows])


def best_prices(paths: Sequence[Path], windows: Sequence[Window]) -> list[BestPrices]:
    """The best prices within each window, in the order of the windows: what stood at its start, and every change.

    `paths` are the market's files in order of time. They are read once, up to the end of the last window; memory is
    that of one row group and of what the windows hold. Raises CatalogError for a row that is none.
    """
    kept = [_Kept(*window) for window in windows]
    last = max((end for _, end in windows), default=0)
    recorder = _Recorder()
    for path, book, rows in _row_groups(paths):
        if rows.column("ts_init")[0].as_py() > last:
            break
        before = recorder.best
        ts, changes = recorder.record(path, book, rows)
        for one in kept:
            one.take(before, ts, changes)
    scale = 10.0 ** BookFile(paths[0]).price_places if paths else 1.0
    return [one.prices(recorder.best, scale) for one in kept]


def _row_groups(paths: Sequence[Path]) -> Iterator[tuple[Path, BookFile, pa.Table]]:
    for path in paths:
        book = BookFile(path)
        for group in range(book.groups()):
            yield path, book, book.rows(group)


class _Kept:
    """What one window keeps of the changes that go by. Best prices have shape (n, 2), in units of the last decimal."""

    def __init__(self, first: int, end: int) -> None:
        self._first, self._end = first, end
        self._times: list[Ints] = []
        self._best: list[Ints] = []

    def take(self, before: Ints, ts: Ints, changes: Ints) -> None:
        """Take the next changes, and the best prices before the first of them."""
        low, high = np.searchsorted(ts, (self._first, self._end), side="right").tolist()
        if low == len(ts):  # what stands at the window's start is known once there is a later change
            return
        if not self._times:
            self._add(np.array([self._first]), changes[low - 1 : low] if low else before)
        self._add(ts[low:high], changes[low:high])

    def prices(self, standing: Ints, scale: float) -> BestPrices:
        """All that was kept; `standing` are the best prices in the end."""
        if not self._times:
            self._add(np.array([self._first]), standing)
        best = np.concatenate(self._best)
        prices = np.where(best == NO_PRICE, np.nan, best / scale)
        return BestPrices(np.concatenate(self._times), prices[:, 0], prices[:, 1])

    def _add(self, times: Ints, best: Ints) -> None:
        self._times.append(times)
        self._best.append(best.copy())  # not a view that would keep a whole row group


class _Recorder:
    """A ladder that notes its best prices, of shape (1, 2), as rows go through it."""

    def __init__(self) -> None:
        self._levels = new_levels(2, CAPACITY)
        self._counts = np.zeros(2, np.int64)
        self.best = np.full((1, 2), NO_PRICE)

    def record(self, path: Path, book: BookFile, rows: pa.Table) -> tuple[Ints, Ints]:
        """Times of the changes, and the best prices after each."""
        columns = (
            rows.column("action").to_numpy().astype(np.int64),
            rows.column("side").to_numpy().astype(np.int64),
            stored_units(rows.column("price"), book.price_places),
            stored_units(rows.column("size"), book.size_places).astype(np.float64),
            rows.column("flags").to_numpy().astype(np.int64),
        )
        to_rows, to_best = np.empty(rows.num_rows, np.int64), np.empty((rows.num_rows + 1, 2), np.int64)
        to_best[0] = self.best
        row = taken = 0
        while True:
            row, taken, reason = record_best(self._levels, self._counts, *columns, row, taken, to_rows, to_best)
            if reason == Stop.END:
                break
            if reason != Stop.FULL:
                raise CatalogError(f"{path}: a row that is no book row: the catalog is damaged, ingest it anew")
            outgrown = self._levels
            self._levels = new_levels(2, 2 * outgrown.shape[1])
            self._levels[:, : outgrown.shape[1]] = outgrown
        self.best = to_best[taken : taken + 1].copy()
        ts = rows.column("ts_init").to_numpy().astype(np.int64)
        return ts[to_rows[:taken]], to_best[1 : taken + 1]
