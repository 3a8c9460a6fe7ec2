"""Whether the bulk driver and the engine give the same snapshots, bit for bit, and if not, where they part."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtests.asset_player import AssetTask
from backtests.bulk import Plan, write_features
from backtests.profile import Profile
from backtests.replay import disposing, run_replay
from backtests.series_rows import SIDES, SeriesFile
from backtests.snapshot_file import read_snapshots
from catalog.store import Catalog
from catalog.tables import Kind
from catalog.times import format_ns
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES

LAST_EVENTS = 12
LOOK_BACK_NS = 60_000_000_000


@dataclass(frozen=True)
class Difference:
    """The first snapshot that is not the same. `feature` is None where only one of the two has the snapshot."""

    ts: int
    asset: str
    feature: str | None
    engine: float | None
    bulk: float | None
    events: tuple[str, ...]  # the asset's last before it

    def __str__(self) -> str:
        where = f"{self.asset} at {format_ns(self.ts)} ({self.ts})"
        if self.feature is None:
            missing, has = ("engine", "bulk driver") if self.engine is None else ("bulk driver", "engine")
            what = f"the {has} has a snapshot and the {missing} has none"
        else:
            what = f"{self.feature} is {self.engine!r} in the engine and {self.bulk!r} in bulk"
        return "\n".join([f"{where}: {what}", "last events:", *(f"  {event}" for event in self.events)])


@dataclass(frozen=True)
class Identity:
    """What was compared, and the first difference if there is one."""

    snapshots: int
    rows: int
    difference: Difference | None


def compare(
    catalog: Catalog,
    profile: Profile,
    *,
    start_ns: int,
    end_ns: int,
    jobs: int = 1,
    on_rows: Callable[[int, int], None] | None = None,
) -> Identity:
    """Replay the span in the engine, compute it in bulk, and compare every snapshot. `on_rows` hears of the replay."""
    with tempfile.TemporaryDirectory() as folder:
        replayed, computed = Path(folder) / "engine.parquet", Path(folder) / "bulk.parquet"
        replay = run_replay(catalog, profile, start_ns=start_ns, end_ns=end_ns, snapshots=replayed, on_rows=on_rows)
        with disposing(replay):
            rows = replay.rows
        write_features(catalog, profile, computed, start_ns=start_ns, end_ns=end_ns, jobs=jobs)
        same, found = first_difference(read_snapshots(replayed), read_snapshots(computed))
    if found is None:
        return Identity(same, rows, None)
    ts, asset, feature, engine, bulk = found
    task = next(t for t in Plan.of(catalog, profile, start_ns, end_ns, [asset]).tasks)
    return Identity(same, rows, Difference(ts, asset, feature, engine, bulk, last_events(task, ts)))


type _Found = tuple[int, str, str | None, float | None, float | None]


def first_difference(engine: Iterator[FlowSnapshot], bulk: Iterator[FlowSnapshot]) -> tuple[int, _Found | None]:
    """How many snapshots are the same, in order, and the first that is not. NaN is equal to NaN, 0 not to -0."""
    same = 0
    while True:
        mine, other = next(engine, None), next(bulk, None)
        if mine is None and other is None:
            return same, None
        if mine is None or other is None or (mine.ts, mine.asset) != (other.ts, other.asset):
            alone = min((s for s in (mine, other) if s is not None), key=lambda s: (s.ts, s.asset))
            in_engine = alone is mine
            present = float(alone.values[0])
            return same, (alone.ts, alone.asset, None, present if in_engine else None, None if in_engine else present)
        bits = mine.values.view(np.int64) != other.values.view(np.int64)
        wrong = np.flatnonzero(bits & ~(np.isnan(mine.values) & np.isnan(other.values)))
        if len(wrong):
            k = int(wrong[0])
            return same, (mine.ts, mine.asset, FEATURES[k].name, float(mine.values[k]), float(other.values[k]))
        same += 1


def last_events(task: AssetTask, ts: int) -> tuple[str, ...]:
    """The asset's last events up to `ts`, in words, the latest last; book rows by their frame's last level."""
    found: list[tuple[int, str]] = []
    for series in task.series:
        name = task.markets[series.market].name
        for path in series.paths:
            file = SeriesFile.of_span(path, series.kind, max(task.start_ns, ts - LOOK_BACK_NS), min(task.end_ns, ts))
            if file.end == file.first:
                continue
            file = SeriesFile(path, series.kind, max(file.first, file.end - LAST_EVENTS), file.end)
            for rows in file.batches():
                for at, whole, amount, code in zip(*(column.tolist() for column in rows), strict=True):
                    found.append((at, f"{format_ns(at)} {name} {_words(series.kind, whole, amount, code)}"))
    return tuple(words for _, words in sorted(found)[-LAST_EVENTS:])


def _words(kind: Kind, whole: int, amount: float, code: int) -> str:
    if kind is Kind.BOOK:
        action = ("", "add", "update", "delete", "clear")[code // SIDES]
        return f"book {action} {('', 'bid', 'ask')[code % SIDES]} price {whole} size {amount:.0f} units"
    if kind is Kind.TRADES:
        return f"trade {('nobody', 'buyer', 'seller')[code]} price {whole} size {amount:.0f} units"
    if kind is Kind.FUNDING:
        return f"funding rate {amount!r} due {whole}"
    return f"{kind} {amount!r}"
