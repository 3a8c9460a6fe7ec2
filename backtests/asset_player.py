"""One asset of a catalog played through the compiled loop, in memory that does not grow with the span."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtests.book_seed import book_state
from backtests.bulk_kernel import NEVER, Clock, Feed, Stop, Stream, play
from backtests.replay_clock import clock_start_ns
from backtests.series_rows import BATCH_ROWS, SIDES, Rows, SeriesFile, chained_batches, seed_rows
from catalog.ledger import CatalogError
from catalog.tables import Kind
from catalog.times import format_ns
from indicators.kernel import Floats, Ints, entry, new_states
from indicators.ladder import new_levels
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket, first_sample_ns
from strategies.flow.groups import FEATURES
from strategies.flow.markets import SECOND_NS

FEEDS = {
    Kind.BOOK: Feed.BOOK,
    Kind.TRADES: Feed.TRADES,
    Kind.MARKS: Feed.MARKS,
    Kind.FUNDING: Feed.FUNDING,
    Kind.OPEN_INTEREST: Feed.OPEN_INTEREST,
}
OUT_ROWS = 4_096
LADDER_LEVELS = 4_096  # a side, at first


@dataclass(frozen=True)
class SeriesTask:
    """The files of one kind of one market, in order of time. `market` is its number, the lead's is 0."""

    market: int
    kind: Kind
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class AssetTask:
    """An asset over the data between `start_ns` and `end_ns`. `span` is that of the whole replay: it sets the clock."""

    asset: str
    markets: tuple[FlowMarket, ...]
    series: tuple[SeriesTask, ...]
    settings: FlowSettings
    start_ns: int
    end_ns: int
    span: tuple[int, int]

    def rows(self) -> int:
        """How many rows there are to play."""
        return sum(file.end - file.first for series in self.series for file in self.files(series))

    def files(self, series: SeriesTask) -> list[SeriesFile]:
        """The files of a series with the rows that lie in the span."""
        return [SeriesFile.of_span(path, series.kind, self.start_ns, self.end_ns) for path in series.paths]


class _Reader:
    """A series as batches, with the stretch of the common columns that its rows are kept in."""

    def __init__(self, task: AssetTask, series: SeriesTask) -> None:
        seed = None
        files = task.files(series)
        if series.kind is Kind.BOOK and files[0].first > 0:
            state = book_state(series.paths[0], task.start_ns)
            seed = None if state is None else seed_rows(state)
        self._batches = chained_batches(seed, files)
        self._seed_rows = 0 if seed is None else len(seed.ts)
        self.rows = 0
        """Read from the files so far; the rows of a seed are in none of them."""
        self.base = 0
        self.room = 0
        self.exhausted = False

    def next(self) -> Rows | None:
        """The next batch, None at the end."""
        batch = next(self._batches, None)
        self.exhausted = batch is None
        if batch is not None:
            self.rows += len(batch.ts) - self._seed_rows
            self._seed_rows = 0
        return batch


class AssetPlayer:
    """Plays a task once. `trace` are words of the asset's record to be noted each `trace_ns`."""

    def __init__(
        self,
        task: AssetTask,
        *,
        trace: Sequence[int] = (),
        trace_ns: int = NEVER,
        on_rows: Callable[[int, int], None] | None = None,
    ) -> None:
        self._task = task
        self._on_rows = on_rows
        self._total = 0 if on_rows is None else task.rows()
        settings = task.settings
        self.flow = AssetFlow(task.asset, task.markets, settings)
        self._states = self.flow.states
        self._readers = [_Reader(task, series) for series in task.series]
        self._streams = new_states(Stream, max(1, len(task.series)))[: len(task.series)]
        for stream, series in zip(self._streams, task.series, strict=True):
            stream["feed"], stream["market"] = FEEDS[series.kind], series.market
        self._clock = new_states(Clock)
        step_ns = settings.sample_seconds * SECOND_NS
        self._clock["step_ns"] = step_ns
        self._clock["scan_ns"] = settings.scan_seconds * SECOND_NS
        self._clock["next_ns"] = first_sample_ns(clock_start_ns(task.span), step_ns)
        self._clock["trace_ns"] = trace_ns
        self._columns = Rows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
        self._reserve([BATCH_ROWS] * len(self._readers))
        markets = len(task.markets)
        self._counts = np.zeros((markets, 2), np.int64)
        self._ladders = new_levels(markets, 2, 0)
        self._changed = np.zeros(markets, np.int64)
        self._grow_ladders(LADDER_LEVELS)
        self._heads = np.empty((2, max(1, len(self._readers))), np.int64)
        self._out_ts, self._out = np.empty(OUT_ROWS, np.int64), np.empty((OUT_ROWS, len(FEATURES)))
        self._trace_at = np.array(trace, np.int64)
        self._trace_ts, self._trace = np.empty(OUT_ROWS, np.int64), np.empty((OUT_ROWS, len(trace)), np.int64)
        self._play = entry(play, *self._arguments(0))

    def snapshots(self) -> Iterator[tuple[Ints, Floats]]:
        """Times (UNIX ns) and values, shape (rows, features), in batches of at most OUT_ROWS."""
        for _ in self._played():
            rows = int(self._clock["rows"][0])
            if rows:
                yield self._out_ts[:rows].copy(), self._out[:rows].copy()

    def traces(self) -> Iterator[tuple[Ints, Ints]]:
        """Times (UNIX ns) and the traced words, shape (rows, words), in batches of at most OUT_ROWS."""
        for _ in self._played():
            rows = int(self._clock["traces"][0])
            if rows:
                yield self._trace_ts[:rows].copy(), self._trace[:rows].copy()

    def _played(self) -> Iterator[None]:
        """Yield whenever the output is full, and at the end."""
        while True:
            horizon = self._fill()
            while True:
                stop = Stop(self._play(*self._arguments(horizon)))
                if stop is Stop.HORIZON:
                    break
                if stop is Stop.OUT_FULL:
                    yield
                    self._clock["rows"] = self._clock["traces"] = 0
                elif stop is Stop.LADDER_FULL:
                    self._grow_ladders(2 * self._ladders.shape[2])
                else:
                    raise CatalogError(self._complaint())
            if horizon == self._task.span[1]:
                break
        yield

    def _fill(self) -> int:
        """Read on wherever there is room; return up to when all rows are there."""
        readers, streams = self._readers, self._streams
        for k, reader in enumerate(readers):
            while not reader.exhausted and streams["end"][k] - streams["cursor"][k] <= BATCH_ROWS // 2:
                self._read(k)
        while True:
            # the last time of a stream may go on in its next batch
            ends = {
                k: int(self._columns.ts[self._streams["end"][k] - 1]) for k, r in enumerate(readers) if not r.exhausted
            }
            horizon = min(ends.values(), default=self._task.span[1] + 1) - 1
            if not ends or horizon >= self._clock["next_ns"][0]:
                return horizon
            # a stretch of more rows than are read at once
            self._read(min(ends, key=lambda k: ends[k]))

    def _read(self, number: int) -> None:
        stream, reader = self._streams[number], self._readers[number]
        batch = reader.next()
        if batch is None:
            return
        left = int(stream["end"] - stream["cursor"])
        if left + len(batch.ts) > reader.room:
            self._reserve([2 * (left + len(batch.ts)) if r is reader else r.room for r in self._readers])
        for column, values in zip(self._columns, batch, strict=True):
            column[reader.base : reader.base + left] = column[stream["cursor"] : stream["end"]].copy()
            column[reader.base + left : reader.base + left + len(values)] = values
        stream["cursor"], stream["end"] = reader.base, reader.base + left + len(batch.ts)
        if self._on_rows is not None:
            self._on_rows(sum(r.rows for r in self._readers), self._total)

    def _reserve(self, rooms: Sequence[int]) -> None:
        """Lay the columns out anew, with so much room for each stream."""
        rows = sum(rooms)
        fresh = Rows(np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows, np.int64))
        base = 0
        for stream, reader, room in zip(self._streams, self._readers, rooms, strict=True):
            left = int(stream["end"] - stream["cursor"])
            for column, old in zip(fresh, self._columns, strict=True):
                column[base : base + left] = old[stream["cursor"] : stream["end"]]
            stream["cursor"], stream["end"] = base, base + left
            reader.base, reader.room = base, room
            base += room
        self._columns = fresh

    def _grow_ladders(self, levels: int) -> None:
        outgrown = self._ladders
        self._ladders = new_levels(len(self._task.markets), 2, levels)
        self._ladders[:, :, : outgrown.shape[2]] = outgrown
        self._level_prices, self._level_sizes = np.empty((2, levels), np.int64), np.empty((2, levels))

    def _arguments(self, horizon: int) -> tuple[Any, ...]:
        return (
            self._states,
            self._states.view(np.int64),
            self._streams,
            self._clock,
            horizon,
            *self._columns,
            self._ladders,
            self._counts,
            self._changed,
            self._level_prices,
            self._level_sizes,
            self._heads,
            self._out_ts,
            self._out,
            self._trace_at,
            self._trace_ts,
            self._trace,
        )

    def _complaint(self) -> str:
        for stream, series in zip(self._streams, self._task.series, strict=True):
            if stream["feed"] == Feed.BOOK and stream["cursor"] < stream["end"]:
                k = int(stream["cursor"])
                ts, price, size, code = (column[k].item() for column in self._columns)
                if ts <= self._clock["next_ns"][0]:
                    name = self._task.markets[series.market].name
                    return (
                        f"{name}: action {code // SIDES}, side {code % SIDES}, price {price}, size {size:.0f} (units) "
                        f"at {format_ns(ts)} is no row of a book: the catalog is damaged, ingest it anew"
                    )
        return f"{self._task.asset}: a book has a row that is none: the catalog is damaged, ingest it anew"
