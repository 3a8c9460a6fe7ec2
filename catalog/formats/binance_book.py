"""Binance's diffs and REST snapshots as the frames that a live node would have applied, in the order that it would."""

from collections import deque
from enum import Enum
from typing import NamedTuple

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.frames import BookFrames, Levels, ReadLevels, check_levels
from catalog.formats.reader import CHUNK_ROWS
from catalog.formats.sequence import BookSequence, Step
from catalog.tables import Chunk

# Diffs that wait for a snapshot. Nodes ask for it when the stream opens and have it within seconds; whoever recorded
# none within a minute does not know the book.
BUFFER_DIFFS = 20_000
BUFFER_NS = 60 * 1_000_000_000


class Diff(NamedTuple):
    """One diff with its place in the capture; ids as venues name them U, u and pu (U - 1 on spot)."""

    file: str
    line: int
    first: int
    final: int
    previous: int
    ts_event: int
    ts_init: int
    bids: ReadLevels
    asks: ReadLevels


class Snapshot(NamedTuple):
    """One REST depth reply."""

    file: str
    line: int
    last_update_id: int
    ts_event: int
    ts_init: int
    bids: Levels
    asks: Levels


class _State(Enum):
    WAITING = "diffs are held back for the first snapshot"
    UNSEEDED = "no snapshot came in time: diffs are passed on, the book is known where they touched it"
    SEEDED = "the book is known"
    LOST = "after a gap: diffs are held back for the next snapshot"


class BinanceBook:
    """Turns diffs and snapshots of one market into book frames, under the venue's sequence rule.

    - Diffs before the first snapshot are held back. The snapshot is emitted with its receive time as ts_init, and after
      it, with the same ts_init, the held diffs that it does not contain yet: that is when a live node applies them.
    - A snapshot that does not come within BUFFER_DIFFS diffs or BUFFER_NS, or not at all: UNSEEDED_BOOK is reported, a
      lone CLEAR goes before the first diff and the diffs keep their own ts_init. The diffs of the last minute are kept;
      if a snapshot comes after all, those that it does not contain are emitted again on top of it.
    - A gap: a lone CLEAR, and where the book was known diffs are held back until the next snapshot. An unseeded book
      goes on unseeded.
    - A snapshot while the book is known restarts it if it is not older than the book.

    Diffs and snapshots left out by these rules are counted and reported as SKIPPED by `end_file`. Chunks are appended
    to `ready`; their ts_init never decreases if that of the calls does not.
    """

    def __init__(self, sequence: BookSequence, log: AnomalyLog, ready: list[Chunk]) -> None:
        self._ready = ready
        self._sequence = sequence
        self._log = log
        self._state = _State.WAITING
        self._recent: deque[Diff] = deque()  # an unbroken chain; empty while SEEDED
        self._was_unseeded = False
        self._file = ""
        self._frames = BookFrames("", log)
        self._old_diffs = 0
        self._lost_diffs = 0
        self._old_snapshots = 0

    def diff(self, diff: Diff) -> None:
        """Take the next diff. Raises ValueError if its levels are no pairs: it has then not been seen."""
        check_levels(diff.bids, diff.asks)
        last = self._sequence.last
        step = self._sequence.step(diff.first, diff.final, diff.previous)
        if self._state is _State.SEEDED and step is Step.APPLY:
            self._apply(diff, diff.ts_init)
            return
        if step is Step.DUPLICATE:
            message = f"the diff U={diff.first} u={diff.final} has been seen, the last one ended in {last}"
            self._log.report(Kind.DUPLICATE, diff.file, diff.line, message, diff.ts_init)
            return
        if step is Step.OLD:
            self._old_diffs += 1
            return
        if step is Step.GAP:
            self._gap(diff, last)
        self._recent.append(diff)
        self._hold()

    def snapshot(self, snapshot: Snapshot) -> None:
        """Take a REST reply. Raises ValueError if its levels are no pairs."""
        check_levels(snapshot.bids, snapshot.asks)
        reached = snapshot.last_update_id
        last = self._sequence.last
        joined = [d for d in self._recent if not self._sequence.is_old(d.final, reached)]
        too_old = self._state is _State.SEEDED and last is not None and reached < last
        if too_old or (
            joined and not self._sequence.joins(joined[0].first, joined[0].final, joined[0].previous, reached)
        ):
            self._old_snapshots += 1
            return
        self._frames_of(snapshot.file).snapshot(
            snapshot.bids,
            snapshot.asks,
            sequence=reached,
            ts_event=snapshot.ts_event,
            ts_init=snapshot.ts_init,
            line=snapshot.line,
        )
        for diff in joined:
            self._apply(diff, snapshot.ts_init)
        if self._state is not _State.UNSEEDED:  # where the older ones were emitted long ago
            self._old_diffs += len(self._recent) - len(joined)
        self._sequence.seed(reached, joined=bool(joined))
        self._recent.clear()
        self._state = _State.SEEDED

    def end_file(self, file: str) -> None:
        """Report what was left out since the last call, and close the chunk: a chunk is of one file."""
        for count, what in (
            (self._old_diffs, "diffs older than the snapshot"),
            (self._lost_diffs, "diffs after a gap without a snapshot"),
            (self._old_snapshots, "snapshots older than the book, or than the first diff held for them"),
        ):
            if count:
                self._log.report(Kind.SKIPPED, file, None, f"{count} {what}")
        self._old_diffs = self._lost_diffs = self._old_snapshots = 0
        self._take()

    def finish(self) -> None:
        """Let go of what still waits for a snapshot. To be followed by `end_file`."""
        if self._state is _State.WAITING and self._recent:
            self._release()
        elif self._state is _State.LOST:
            self._lost_diffs += len(self._recent)
        self._recent.clear()

    def _gap(self, diff: Diff, last: int | None) -> None:
        ids = f"U={diff.first} u={diff.final} pu={diff.previous}"
        message = f"updates are missing: the book ends in {last}, the next diff has {ids}"
        self._log.report(Kind.GAP, diff.file, diff.line, message, diff.ts_init)
        if self._state is _State.LOST:
            self._lost_diffs += len(self._recent)
            self._recent.clear()
            return
        if self._state is _State.WAITING:
            self._release()
        self._recent.clear()
        self._clear(diff)
        if self._state is _State.SEEDED:
            self._state = _State.LOST

    def _hold(self) -> None:
        """Deal with the newest of the recent diffs, and keep them within bounds."""
        newest = self._recent[-1]
        if self._state is _State.UNSEEDED:
            self._apply(newest, newest.ts_init)
        while len(self._recent) > BUFFER_DIFFS or newest.ts_init - self._recent[0].ts_init > BUFFER_NS:
            if self._state is _State.WAITING:
                self._release()
            self._lost_diffs += self._state is _State.LOST
            self._recent.popleft()

    def _release(self) -> None:
        first = self._recent[0]
        if not self._was_unseeded:
            self._was_unseeded = True
            message = "no snapshot to join the diffs to: the book is known only where they touch it"
            self._log.report(Kind.UNSEEDED_BOOK, first.file, first.line, message, first.ts_init)
        self._state = _State.UNSEEDED
        self._clear(first)
        for diff in self._recent:
            self._apply(diff, diff.ts_init)

    def _clear(self, before: Diff) -> None:
        frames = self._frames_of(before.file)
        frames.clear(sequence=before.first - 1, ts_event=before.ts_event, ts_init=before.ts_init, line=before.line)

    def _apply(self, diff: Diff, ts_init: int) -> None:
        self._frames_of(diff.file).diff(
            diff.bids, diff.asks, sequence=diff.final, ts_event=diff.ts_event, ts_init=ts_init, line=diff.line
        )

    def _frames_of(self, file: str) -> BookFrames:
        if file != self._file or len(self._frames) >= CHUNK_ROWS:
            self._take()
            self._file = file
            self._frames = BookFrames(file, self._log)
        return self._frames

    def _take(self) -> None:
        if len(self._frames):
            self._ready.append(self._frames.take())
