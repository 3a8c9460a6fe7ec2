"""Whether anything was known before its time: the future is cut off, and nothing before the cut may change.

A span is replayed whole, then again with data that end at a cut. All snapshots up to the cut must be the same, bit for
bit, and all decisions (:mod:`backtests.decisions`). The bulk driver, which costs a twentieth, is cut more often.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from backtests.bulk import write_features
from backtests.cut_times import Moment, cut_times
from backtests.decisions import Decisions, first_unequal
from backtests.identity import first_difference
from backtests.profile import Profile
from backtests.replay import disposing, run_replay
from backtests.replay_clock import SECOND_NS
from backtests.snapshot_file import read_snapshots
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.times import format_ns
from strategies.features import FlowSnapshot

BULK_CUTS = 4
"""So many cuts of the bulk driver come on one of the engine."""

type OnRows = Callable[[int, int], None]
"""Told rows done and, about, rows in all."""


@dataclass(frozen=True)
class Leak:
    """Something at `ts` that is not the same without the data after `cut_ns`. Times are UNIX ns.

    `feature` is None where an order, a trade or a whole snapshot differs; `what` says which. None among the values: it
    was not there.
    """

    driver: str  # "engine" or "bulk driver"
    cut_ns: int
    ts: int
    subject: str  # the asset, or the instrument of an order
    what: str
    feature: str | None
    whole: object
    cut: object

    def __str__(self) -> str:
        where = " ".join(part for part in (self.subject, "at", format_ns(self.ts), f"({self.ts})") if part)
        return (
            f"{where}: {self.what} is {_told(self.whole)} with the whole data and {_told(self.cut)} where the data end "
            f"at {format_ns(self.cut_ns)} ({self.cut_ns}): it depends on what comes later ({self.driver})"
        )


def _told(value: object) -> str:
    return "missing" if value is None else value if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class LookAhead:
    """What was compared, and the first leak if there is one. `snapshots` and `decisions` add up over all cuts."""

    engine_cuts: tuple[int, ...]
    bulk_cuts: tuple[int, ...]
    snapshots: int
    decisions: int  # what happened to orders
    orders: int  # sent in the whole run
    leak: Leak | None


def find_look_ahead(
    catalog: Catalog, profile: Profile, *, start_ns: int, end_ns: int, cuts: int = 6, on_rows: OnRows | None = None
) -> LookAhead:
    """Cut a span (UNIX ns, both ends included) in `cuts` places for the engine, and BULK_CUTS times as many in bulk.

    Raises CatalogError where the span has no snapshots: nothing could be compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _Search(catalog, profile, start_ns, end_ns, Path(folder)).run(cuts, on_rows)


class _Search:
    def __init__(self, catalog: Catalog, profile: Profile, start_ns: int, end_ns: int, folder: Path) -> None:
        self._catalog, self._profile = catalog, profile
        self._start_ns, self._end_ns = start_ns, end_ns
        self._folder = folder
        self._whole = {driver: folder / f"{driver}.parquet" for driver in ("engine", "bulk driver")}
        self._snapshots = self._decisions = 0
        self._done: dict[str, list[int]] = {"engine": [], "bulk driver": []}

    def run(self, cuts: int, on_rows: OnRows | None) -> LookAhead:
        engine, bulk = self._whole["engine"], self._whole["bulk driver"]
        progress = _Progress(on_rows, cuts)
        replay = run_replay(
            self._catalog, self._profile, start_ns=self._start_ns, end_ns=self._end_ns,
            snapshots=engine, on_rows=progress.of_whole,
        )  # fmt: skip
        with disposing(replay):
            decided, data = Decisions.of(replay), replay.data
        first = next(read_snapshots(engine), None)
        if first is None:
            raise CatalogError(
                f"{self._catalog.root}: the span has no snapshots to compare: it is too short for the profile's warm-up"
            )
        scan_ns = self._profile.flow.scan_seconds * SECOND_NS
        places = (data, first.ts, decided.stopped_ns)
        engine_cuts = cut_times(
            *places, cuts, (Moment.ORDER, Moment.SCAN, Moment.BURST), scan_ns=scan_ns, orders=decided.times()
        )
        bulk_cuts = cut_times(*places, BULK_CUTS * cuts, (Moment.SCAN, Moment.BURST), scan_ns=scan_ns)
        write_features(self._catalog, self._profile, bulk, start_ns=self._start_ns, end_ns=self._end_ns)
        leak = next((found for cut in bulk_cuts if (found := self._cut_bulk(cut)) is not None), None)
        if leak is None:
            searches = (self._cut_engine(cut, decided, progress) for cut in engine_cuts)
            leak = next((found for found in searches if found is not None), None)
        orders = len({step.order for step in decided.steps})
        return LookAhead(
            tuple(self._done["engine"]),
            tuple(self._done["bulk driver"]),
            self._snapshots,
            self._decisions,
            orders,
            leak,
        )

    def _cut_bulk(self, cut: int) -> Leak | None:
        out = self._folder / "cut.parquet"
        write_features(self._catalog, self._profile, out, start_ns=self._start_ns, end_ns=cut)
        return self._compare("bulk driver", out, cut)

    def _cut_engine(self, cut: int, whole: Decisions, progress: "_Progress") -> Leak | None:
        out = self._folder / "cut.parquet"
        replay = run_replay(
            self._catalog, self._profile, start_ns=self._start_ns, end_ns=cut, snapshots=out, on_rows=progress.of_cut
        )
        with disposing(replay):
            decided = Decisions.of(replay)
        progress.finished(replay.rows)
        leaks = [self._compare("engine", out, cut)]
        unequal = first_unequal(whole, decided)
        self._decisions += sum(step.ts <= decided.stopped_ns for step in whole.steps)
        if unequal is not None:
            u = unequal
            leaks.append(Leak("engine", cut, u.ts, u.subject, u.what, None, u.whole, u.cut))
        # of one time the snapshot comes first: the decision was made on it
        return min((leak for leak in leaks if leak is not None), key=lambda leak: leak.ts, default=None)

    def _compare(self, driver: str, out: Path, cut: int) -> Leak | None:
        self._done[driver].append(cut)
        same, found = first_difference(_until(self._whole[driver], cut), read_snapshots(out))
        self._snapshots += same
        if found is None:
            return None
        ts, asset, feature, whole, cut_value = found
        if feature is None:
            there = ["there" if value is not None else None for value in (whole, cut_value)]
            return Leak(driver, cut, ts, asset, "the snapshot", None, *there)
        return Leak(driver, cut, ts, asset, feature, feature, whole, cut_value)


def _until(path: Path, cut: int) -> Iterator[FlowSnapshot]:
    return takewhile(lambda snapshot: snapshot.ts <= cut, read_snapshots(path))


class _Progress:
    """Rows of all replays of the engine as one count; cuts that lie evenly come to half of the rows each."""

    def __init__(self, on_rows: OnRows | None, cuts: int) -> None:
        self._on_rows, self._cuts = on_rows, cuts
        self._before = self._total = 0

    def of_whole(self, rows: int, total: int) -> None:
        self._before, self._total = rows, total + total * self._cuts // 2
        self._tell(0)

    def of_cut(self, rows: int, _: int) -> None:
        self._tell(rows)

    def finished(self, rows: int) -> None:
        self._before += rows

    def _tell(self, rows: int) -> None:
        if self._on_rows is not None:
            self._on_rows(self._before + rows, self._total)
