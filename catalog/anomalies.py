"""What can be wrong with recorded data, and what is done about it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """A kind of anomaly, by its effect on whoever reads the data."""

    GAP = "gap"  # the venue's sequence says that messages are missing
    CROSSED_BOOK = "crossed_book"  # best bid at or above best ask after a whole frame
    TIME_BACKWARDS = "time_backwards"  # a clock that must not step back did
    DUPLICATE = "duplicate"  # the same message, trade or row twice
    TRUNCATED = "truncated"  # the file ends inside a line or inside its compression
    MALFORMED = "malformed"  # a line or field that cannot be read
    BAD_VALUE = "bad_value"  # readable, but impossible: price -1, side 2, a time of another year
    WRONG_SYMBOL = "wrong_symbol"  # a row that belongs to another market
    # told, never refused:
    UNSEEDED_BOOK = "unseeded_book"  # diffs without a snapshot: only levels touched since are known
    CLOCK_SKEW = "clock_skew"  # received before it was sent: the recorder's clock is behind the venue's
    ID_JUMP = "id_jump"  # trade ids that the venue withholds (ADL and insurance fund fills)
    SKIPPED = "skipped"  # lines of other symbols or streams, not read on purpose


INFORMATIONAL = frozenset({Kind.UNSEEDED_BOOK, Kind.CLOCK_SKEW, Kind.ID_JUMP, Kind.SKIPPED})
CONTINUITY = frozenset({Kind.GAP, Kind.CROSSED_BOOK})


@dataclass(frozen=True)
class Anomaly:
    """One finding. `line` counts from 1 in the uncompressed file; None where a finding is about the whole file."""

    kind: Kind
    file: str
    line: int | None
    message: str
    ts: int | None = None  # UNIX ns of the event, where known

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.kind}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"kind": str(self.kind)}


class OnGap(StrEnum):
    """What a break in a book's continuity (a gap, a crossed book) does to the ingest."""

    REFUSE = "refuse"
    RESYNC = "resync"


class IngestRefusedError(Exception):
    """The data has anomalies that the policy does not accept. Nothing was written."""

    def __init__(self, anomalies: list[Anomaly], *, more: bool) -> None:
        self.anomalies = anomalies
        shown = "\n".join(f"  {a}" for a in anomalies[:20])
        tail = "\n  ... and more; reading stopped here" if more else ""
        super().__init__(f"refused, nothing was written: {len(anomalies)} anomalies\n{shown}{tail}")


class AnomalyLog:
    """Collects findings under a policy.

    `report` returns True when the finding is tolerated and the reader may go on by its resync rule. A finding that is
    not tolerated is remembered, so that a user sees every reason at once and not one a run; after `limit` of them
    reading stops. `raise_if_refused` ends the ingest.
    """

    def __init__(self, on_gap: OnGap = OnGap.REFUSE, limit: int = 50) -> None:
        self.on_gap = on_gap
        self.limit = limit
        self.refused: list[Anomaly] = []
        self.tolerated: list[Anomaly] = []
        self.counts: Counter[Kind] = Counter()

    def report(self, kind: Kind, file: Path | str, line: int | None, message: str, ts: int | None = None) -> bool:
        """Record a finding; True if the policy tolerates it. Raises IngestRefusedError past the limit."""
        anomaly = Anomaly(kind, Path(file).name, line, message, ts)
        self.counts[kind] += 1
        if kind in INFORMATIONAL or (kind in CONTINUITY and self.on_gap is OnGap.RESYNC):
            if len(self.tolerated) < 10_000:  # the counts stay exact; the list is for people
                self.tolerated.append(anomaly)
            return True
        self.refused.append(anomaly)
        if len(self.refused) >= self.limit:
            raise IngestRefusedError(self.refused, more=True)
        return False

    def raise_if_refused(self) -> None:
        """Raise IngestRefusedError if any finding was not tolerated."""
        if self.refused:
            raise IngestRefusedError(self.refused, more=False)


Progress = Callable[[str, int, int], None]  # file name, bytes read of it (compressed), its size in bytes
