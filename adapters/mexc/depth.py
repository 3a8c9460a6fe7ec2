"""The order of a book's changes: joining a snapshot, and telling a gap from a repetition. Pure: versions in, steps out.

After MEXC's book maintenance recipe (2025-12) and what live recordings showed: ``sub.depth`` sends no snapshot, the
REST snapshot is often some hundred versions behind the socket and can go back in time, rows are absolute sizes. A
merged frame spans versions ``begin`` to ``end``, an unmerged one is one version. The venue also offers single changes
to mend a gap, but for the liquid contracts they reach back less than half a second: a gap always means a new snapshot.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from adapters.mexc.schemas.public_rest import DepthSnapshot
from adapters.mexc.schemas.public_socket import DepthUpdate

MAX_HELD = 5_000
"""Frames kept while a snapshot is on its way: two seconds of the busiest unmerged book."""
MAX_STALE_IN_ROW = 10
"""So many old versions in a row are no repetition: the venue has begun to count anew."""


class Step(StrEnum):
    """What to do with a frame."""

    APPLY = "apply"
    HOLD = "hold"
    """Kept until a snapshot comes."""
    DROP = "drop"
    """Known already."""
    RESYNC = "resync"
    """The book is wrong from here on: empty it and get a snapshot. The frame is kept."""


@dataclass
class DepthCounters:
    """What the sequence of a book has been through."""

    applied: int = 0
    dropped: int = 0
    gaps: int = 0
    joins: int = 0
    refused_snapshots: int = 0


class DepthSequencer:
    """One book: `on_update` for every frame, `on_snapshot` for every snapshot, `reset` when the connection was lost."""

    def __init__(self) -> None:
        self.counters = DepthCounters()
        self._held: deque[DepthUpdate] = deque(maxlen=MAX_HELD)
        self._version: int | None = None
        self._chained = False
        self._stale_in_row = 0

    @property
    def is_live(self) -> bool:
        """A snapshot was joined, and no gap since."""
        return self._version is not None

    @property
    def version(self) -> int | None:
        """The last version applied; None while there is no book."""
        return self._version

    def reset(self) -> None:
        """Forget everything: what comes next does not follow on what came before."""
        self._version = None
        self._chained = False
        self._held.clear()
        self._stale_in_row = 0

    def on_update(self, update: DepthUpdate) -> Step:
        """Take a frame."""
        if self._version is None:
            self._hold(update)
            return Step.HOLD
        if update.last_version <= self._version:
            return self._stale(update)
        # the first frame after a snapshot may overlap it, and so may a repeated one: rows are absolute
        if update.first_version > self._version + 1:
            self.counters.gaps += 1
            return self._resync(update)
        self._apply(update)
        return Step.APPLY

    def on_snapshot(self, snapshot: DepthSnapshot) -> list[DepthUpdate] | None:
        """Join a snapshot: the held frames to apply after it, in order; None when it does not reach them.

        It is good when the first held frame beyond it begins at its next version or before. Otherwise changes are
        missing between the two, and a newer snapshot is needed.
        """
        newer = [update for update in self._held if update.last_version > snapshot.version]
        if newer and newer[0].first_version > snapshot.version + 1:
            self.counters.refused_snapshots += 1
            return None
        self._held.clear()
        self._version = snapshot.version
        self._chained = False
        self._stale_in_row = 0
        self.counters.joins += 1
        for update in newer:
            self._apply(update)
        return newer

    def _apply(self, update: DepthUpdate) -> None:
        self._version = update.last_version
        self._chained = True
        self._stale_in_row = 0
        self.counters.applied += 1

    def _stale(self, update: DepthUpdate) -> Step:
        self.counters.dropped += 1
        if self._chained:  # before the first frame has followed a snapshot, old ones are on their way
            self._stale_in_row += 1
            if self._stale_in_row >= MAX_STALE_IN_ROW:
                return self._resync(update)
        return Step.DROP

    def _resync(self, update: DepthUpdate) -> Step:
        self.reset()
        self._hold(update)
        return Step.RESYNC

    def _hold(self, update: DepthUpdate) -> None:
        """Keep a frame; frames before a gap can follow no snapshot that the later ones follow, so they go."""
        if self._held:
            last = self._held[-1].last_version
            if update.last_version <= last:
                self.counters.dropped += 1
                return
            if update.first_version > last + 1:
                self._held.clear()
        self._held.append(update)
