"""Bybit's public dumps of order books (ob500, ob200), a zip of JSON lines a day.

A line is a message of the websocket topic ``orderbook.DEPTH.SYMBOL``: a snapshot replaces the book, a delta changes
levels and has the update id u of the message before plus one; u = 1 is a snapshot after a restart of the service.
``ts`` is when the venue pushed it, ``cts`` when the matching engine made it, both ms. Source: bybit-exchange.github.io
docs v5, Websocket Stream, Public, Orderbook.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.bybit_trades import bybit_market
from catalog.formats.clock import LARGEST_LATENCY_NS, Clock, ClockValueError, Latency
from catalog.formats.frames import BookFrames, Levels
from catalog.formats.lines import read_lines
from catalog.formats.reader import CHUNK_ROWS
from catalog.markets import Market
from catalog.tables import Chunk

RESTART_ID = 1


class _Book:
    """State over lines and files: the last update id, and whether the book is known."""

    def __init__(self, symbol: str, offset_ns: int, log: AnomalyLog) -> None:
        self._symbol = symbol
        self._offset_ns = offset_ns
        self._log = log
        self._path = Path()
        self.frames = BookFrames("", log)
        self._push, self._match = Clock("ts"), Clock("cts")
        self._latency = Latency()
        self._last_push = 0
        self._last_match = 0
        self._last_snapshot_push = 0
        self._update: int | None = None  # None: the book is not known
        self._dropped = 0
        self.seeded = False

    def begin_file(self, path: Path) -> None:
        self._path = path
        self.frames = BookFrames(path.name, self._log)
        self._push, self._match = Clock("ts"), Clock("cts")

    def end_file(self) -> None:
        if self._dropped:
            message = f"{self._dropped} deltas are left out: no snapshot came before them"
            self._log.report(Anomaly.SKIPPED, self._path, None, message)
        self._dropped = 0
        self._latency.report(self._log, self._path)

    def message(self, frame: dict[str, Any], line: int) -> None:
        """Take one message. Raises KeyError, TypeError, ValueError for what is none."""
        data = frame["data"]
        kind, symbol, update = frame["type"], data["s"], data["u"]
        bids, asks = data["b"], data["a"]
        if kind not in ("snapshot", "delta"):
            raise ValueError(f"type {kind!r} is neither snapshot nor delta")
        if not isinstance(update, int):
            raise TypeError(f"update id {update!r} is not an integer")
        if symbol != self._symbol:
            self._log.report(Anomaly.WRONG_SYMBOL, self._path, line, f"symbol {symbol!r} is not {self._symbol}")
            return
        push = self._push.ns(frame["ts"])
        match = self._match.ns(frame["cts"]) if "cts" in frame else push
        if self._is_out_of_time(push, match, line):
            if self._update is not None and update == self._update + 1:
                self._update = update  # it was there: no gap on top of its bad time
            return
        self._latency.add(push + self._offset_ns - match)
        times = {"ts_event": match, "ts_init": push + self._offset_ns, "line": line}
        if kind == "snapshot" or update == RESTART_ID:
            self._snapshot(bids, asks, update, push, times)
        else:
            self._delta(bids, asks, update, times)

    def _is_out_of_time(self, push: int, match: int, line: int) -> bool:
        if abs(push - match) > LARGEST_LATENCY_NS:
            message = f"cts is {(push - match) / 1e9:.0f} s away from ts"
            self._log.report(Anomaly.BAD_VALUE, self._path, line, message, match)
            return True
        last_push, last_match = self._last_push, self._last_match
        self._last_push, self._last_match = push, match
        if push >= last_push and match >= last_match:
            return False
        name, last, now = ("ts", last_push, push) if push < last_push else ("cts", last_match, match)
        message = f"{name} steps back from {last} to {now} ns"
        self._log.report(Anomaly.TIME_BACKWARDS, self._path, line, message, match)
        return True

    def _snapshot(self, bids: Levels, asks: Levels, update: int, push: int, times: dict[str, int]) -> None:
        if update == self._update and push == self._last_snapshot_push:
            message = f"the snapshot of update id {update} comes twice"
            self._log.report(Anomaly.DUPLICATE, self._path, times["line"], message, times["ts_event"])
            return
        self.frames.snapshot(bids, asks, sequence=update, **times)
        self._update = update
        self._last_snapshot_push = push
        self.seeded = True

    def _delta(self, bids: Levels, asks: Levels, update: int, times: dict[str, int]) -> None:
        last = self._update
        if last is None:
            self._dropped += 1
            return
        if update <= last:
            message = f"update id {update} comes after {last}"
            self._log.report(Anomaly.DUPLICATE, self._path, times["line"], message, times["ts_event"])
            return
        if update != last + 1:
            message = f"{update - last - 1} messages are missing between update ids {last} and {update}"
            self._log.report(Anomaly.GAP, self._path, times["line"], message, times["ts_event"])
            self.frames.clear(sequence=update, **times)
            self._update = None
            self._dropped += 1
            return
        self.frames.diff(bids, asks, sequence=update, **times)
        self._update = update


@dataclass(frozen=True)
class BybitBook:
    """Reader of ``DATE_SYMBOL_ob500.data.zip``; category is linear, spot or inverse.

    ts_init is ``ts`` plus `clock_offset_ns` (the files carry no receive time), ts_event is ``cts`` where present. The
    sequence is u. After a gap the book is cleared and deltas are left out until the next snapshot.

    Raises:
        ValueError: unknown category.
    """

    category: str
    symbol: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        bybit_market(self.category, self.symbol)

    @property
    def market(self) -> Market:
        return bybit_market(self.category, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        book = _Book(self.market.symbol, self.clock_offset_ns, log)
        for path in files:
            book.begin_file(path)
            lines = read_lines(path, log, progress)
            for number, line in lines:
                try:
                    book.message(orjson.loads(line), number)
                except ClockValueError as e:
                    log.report(e.kind, path, number, str(e))
                except KeyError as e:
                    lines.report_unreadable(number, f"the message has no {e}")
                except (TypeError, ValueError) as e:
                    lines.report_unreadable(number, f"not a message of an order book: {e}")
                if len(book.frames) >= CHUNK_ROWS:
                    yield book.frames.take()
            if len(book.frames):
                yield book.frames.take()
            book.end_file()
        if files and not book.seeded:
            log.report(Anomaly.UNSEEDED_BOOK, files[-1], None, "no snapshot in any file: no book was read")
