"""Why not: what was passed over, where and for what reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Why a setup was not traded, in the order in which it is asked."""

    BUSY = "busy"
    MISSING = "missing"
    PROBABILITY = "probability"
    UNIVERSE = "universe"
    HALTED = "halted"
    NO_BOOK = "no book"
    STALE = "stale"
    NO_STOP = "no stop"
    TOO_SMALL = "too small"
    NO_TARGET = "no target"
    COST = "cost"
    BREAK_EVEN = "break-even"
    CONFLICT = "conflict"
    VENUE_CAP = "venue cap"
    SIDE_CAP = "side cap"
    BUDGET = "budget"
    MAX_POSITIONS = "max positions"
    SEARCH = "search stopped"
    DRY_RUN = "dry run"
    NOT_FILLED = "entry not filled"


@dataclass(frozen=True)
class Passed:
    """A setup that was not traded: `side` +1 long, -1 short; `ts` UNIX ns; `venue` None where it is of no venue."""

    asset: str
    side: int
    ts: int
    venue: str | None
    why: Why
    detail: str

    @property
    def row(self) -> tuple[int, str, str, str, str, str]:
        """Time (UNIX ns), asset, side, venue, why, detail: a row of a table."""
        return self.ts, self.asset, "long" if self.side > 0 else "short", self.venue or "", self.why.value, self.detail


def why_not(passed: Iterable[Passed]) -> dict[Why, int]:
    """How many setups were passed over, by reason, in the order of `Why`.

    A setup that failed on two venues for two reasons counts once in each; for one reason, once.
    """
    counts = Counter(why for why, *_ in {(p.why, p.ts, p.asset, p.side) for p in passed})
    return {why: counts[why] for why in Why if why in counts}
