"""Features in bulk: a catalog's columns through the compiled kernels, without an engine. For research, not for trading.

The numbers are those of a replay to the last bit: the same kernels, fed in the same order, on the same clock
(``backtests/audit.py identity`` shows it for any catalog). What is proven here about decisions is nothing: orders,
latency and fills need the engine.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from backtests.asset_player import AssetPlayer, AssetTask, SeriesTask
from backtests.market_data import EVERYTHING, MarketData
from backtests.profile import Profile, load_profile
from backtests.replay import snapshot_origin
from backtests.replay_clock import SECOND_NS
from backtests.snapshot_file import Origin, SnapshotFileError, SnapshotWriter, read_batches
from backtests.state_fields import state_fields
from backtests.universe import Universe, universe
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.tables import Kind
from catalog.times import parse_ns
from indicators.kernel import Floats, Ints
from strategies.flow.groups import asset_dtype

DAY_NS = 86_400 * SECOND_NS
type OnRows = Callable[[int, int], None]
"""Told rows done and rows in all."""


@dataclass(frozen=True)
class BulkRun:
    """What a run in bulk did. `seconds` are of a clock on the wall."""

    rows: int
    snapshots: int
    assets: tuple[str, ...]
    seconds: float
    origin: Origin


def write_features(
    catalog: Catalog,
    profile: Profile,
    out: Path,
    *,
    start_ns: int = EVERYTHING[0],
    end_ns: int = EVERYTHING[1],
    assets: Sequence[str] = (),
    jobs: int = 1,
    days_apart: bool = False,
    on_rows: OnRows | None = None,
) -> BulkRun:
    """Write the snapshots of a span (UNIX ns, both ends included) of some assets (none named: all) to a Parquet file.

    Assets run in parallel. A day's features depend on the days before it, so one asset's span is one piece of work,
    unless `days_apart`: then every UTC day begins cold, as a replay of that day alone would, and days are parallel too.

    Raises CatalogError where there is nothing to compute, or an asset is not in the catalog; SnapshotFileError where
    `out` is a directory.
    """
    if out.is_dir():
        raise SnapshotFileError(f"{out} is a directory: name a file")
    began = time.perf_counter()
    plan = Plan.of(catalog, profile, start_ns, end_ns, assets, days_apart=days_apart)
    total = sum(task.rows() for task in plan.tasks)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=out.parent) as folder:
        parts = [Path(folder) / f"{number}.parquet" for number in range(len(plan.tasks))]
        work = list(zip(plan.tasks, parts, strict=True))
        done = 0
        if jobs == 1:
            for task, part in work:
                _write_part(task, part, plan.origin, None if on_rows is None else _shifted(on_rows, done, total))
                done += task.rows()
        else:
            calls = (joblib.delayed(_write_part)(task, part, plan.origin) for task, part in work)
            for rows in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(calls):
                done += rows
                if on_rows is not None:
                    on_rows(done, total)
        snapshots = _join(plan, parts, out)
    return BulkRun(total, snapshots, tuple(plan.origin.assets), time.perf_counter() - began, plan.origin)


@dataclass(frozen=True)
class Plan:
    """The pieces of work of a run: an asset over a span each, in order of time and then of asset."""

    tasks: tuple[AssetTask, ...]
    origin: Origin

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        profile: Profile,
        start_ns: int,
        end_ns: int,
        assets: Sequence[str] = (),
        *,
        days_apart: bool = False,
    ) -> "Plan":
        """Plan a span of a catalog."""
        markets = universe(catalog, profile)
        unknown = sorted(set(assets) - set(markets.assets))
        if unknown:
            raise CatalogError(f"{catalog.root} has no {', '.join(unknown)}: choose among {', '.join(markets.assets)}")
        chosen = tuple(asset for asset in markets.assets if not assets or asset in assets)
        names = tuple(i.id.value for i in markets.instruments)
        whole = MarketData(catalog, names, start_ns, end_ns)
        span = whole.span()
        if span is None:
            raise CatalogError(f"{catalog.root} has no data between the given start and end")
        origin = snapshot_origin(catalog, profile, markets, span, start_ns)
        origin = replace(origin, assets={a: origin.assets[a] for a in chosen}, days_apart=days_apart)
        spans = [(start_ns, end_ns)]
        if days_apart:
            first, last = span[0] // DAY_NS, span[1] // DAY_NS
            bounds = [(day * DAY_NS, (day + 1) * DAY_NS - 1) for day in range(first, last + 1)]
            spans = [(max(start, start_ns), min(end, end_ns)) for start, end in bounds]
        tasks = [
            _task(catalog, profile, markets, asset, MarketData(catalog, names, start, end))
            for start, end in spans
            if MarketData(catalog, names, start, end).span() is not None
            for asset in chosen
        ]
        return cls(tuple(tasks), origin)


def _task(catalog: Catalog, profile: Profile, markets: Universe, asset: str, data: MarketData) -> AssetTask:
    span = data.span()
    if span is None:
        raise CatalogError(f"{catalog.root} has no data between the given start and end")
    ids = markets.ids[asset]
    flow_markets = markets.flow_markets(asset)
    series: list[SeriesTask] = []
    for number, name in enumerate(ids):
        for kind in Kind:
            entries = sorted(
                (s for s in data.series() if s.instrument_id == name and s.kind == kind), key=lambda s: s.first_ns
            )
            if not entries or (kind is Kind.BOOK and not flow_markets[number].has_book):
                continue
            if kind in (Kind.MARKS, Kind.FUNDING, Kind.OPEN_INTEREST) and not flow_markets[number].is_perp:
                continue
            series.append(SeriesTask(number, kind, tuple(catalog.root / s.path for s in entries)))
    return AssetTask(asset, flow_markets, tuple(series), profile.flow, data.start_ns, data.end_ns, span)


def _shifted(on_rows: OnRows, done: int, total: int) -> OnRows:
    return lambda rows, _: on_rows(done + rows, total)


def _write_part(task: AssetTask, part: Path, origin: Origin, on_rows: OnRows | None = None) -> int:
    with SnapshotWriter(part, origin) as writer:
        number = int(writer.numbers([task.asset])[0])
        for ts, values in AssetPlayer(task, on_rows=on_rows).snapshots():
            writer.write(ts, np.full(len(ts), number), values)
    return task.rows()


def _join(plan: Plan, parts: Sequence[Path], out: Path) -> int:
    """Put the parts of all assets into one file in order of time, in memory that does not grow with them."""
    with SnapshotWriter(out, plan.origin) as writer:
        for first in range(0, len(parts), len(plan.origin.assets)):
            for ts, assets, values in _merged(
                [read_batches(p) for p in parts[first : first + len(plan.origin.assets)]]
            ):
                writer.write(ts, assets, values)
        return writer.rows


def _merged(streams: Sequence[Iterator[tuple[Ints, Ints, Floats]]]) -> Iterator[tuple[Ints, Ints, Floats]]:
    held = [next(stream, None) for stream in streams]
    while any(batch is not None for batch in held):
        horizon = min(batch[0][-1] for batch in held if batch is not None)
        taken = []
        for k, batch in enumerate(held):
            if batch is None:
                continue
            ready = int(np.searchsorted(batch[0], horizon, side="right"))
            taken.append(tuple(column[:ready] for column in batch))
            rest = tuple(column[ready:] for column in batch)
            held[k] = rest if len(rest[0]) else next(streams[k], None)  # type: ignore[assignment]  # of three columns
        ts, assets, values = (np.concatenate([t[column] for t in taken]) for column in range(3))
        order = np.lexsort((assets, ts))
        yield ts[order], assets[order], values[order]


def features(
    catalog: str | Path,
    *,
    profile: str | Path | Profile | None = None,
    start: str | None = None,
    end: str | None = None,
    assets: Sequence[str] = (),
    jobs: int = 1,
    days_apart: bool = False,
) -> pd.DataFrame:
    """Return the snapshots of a catalog for a notebook: columns ``time`` (UTC), ``asset`` and one a feature.

    Times are texts such as ``"2024-07-18T23:58"``, both ends included; a profile is a TOML file, and the default one if
    left out. The frame is in memory: for long spans write a file (:func:`write_features`) and read parts of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "features.parquet"
        write_features(
            Catalog(Path(catalog)),
            _profile(profile),
            out,
            start_ns=EVERYTHING[0] if start is None else parse_ns(start),
            end_ns=EVERYTHING[1] if end is None else parse_ns(end),
            assets=assets,
            jobs=jobs,
            days_apart=days_apart,
        )
        frame = pd.read_parquet(out)
    times = pd.to_datetime(frame.pop("ts"), utc=True)
    frame.insert(0, "time", times)
    return frame


def kernel_series(
    catalog: str | Path,
    asset: str,
    fields: Sequence[str],
    *,
    profile: str | Path | Profile | None = None,
    start: str | None = None,
    end: str | None = None,
    seconds: int | None = None,
) -> pd.DataFrame:
    """Return what any kernel of an asset held at every sample, for plotting: columns named by `fields`, index ``time``.

    A field is a path into the asset's record, such as ``technical.rsi.value`` or ``liquidity.walls.distance_bps[0]``
    (:func:`kernel_fields` lists them). `seconds` is the time between two rows, a multiple of the profile's
    ``sample_seconds``, which is the default. Rows begin with the first sample, long before there are snapshots.

    Raises ValueError for a field that is none or seconds that do not fit.
    """
    settings = _profile(profile)
    step = settings.flow.sample_seconds if seconds is None else seconds
    if step <= 0 or step % settings.flow.sample_seconds:
        raise ValueError(f"seconds is {step}: give a multiple of sample_seconds, {settings.flow.sample_seconds}")
    known = state_fields(asset_dtype(settings.flow))
    unknown = [field for field in fields if field not in known]
    if unknown:
        raise ValueError(f"no field {', '.join(unknown)}: kernel_fields() lists what there is")
    bounds = EVERYTHING[0] if start is None else parse_ns(start), EVERYTHING[1] if end is None else parse_ns(end)
    plan = Plan.of(Catalog(Path(catalog)), settings, *bounds, [asset])
    player = AssetPlayer(plan.tasks[0], trace=[known[field].word for field in fields], trace_ns=step * SECOND_NS)
    parts = list(player.traces())
    ts = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
    words = np.concatenate([np.empty((0, len(fields)), np.int64), *(part[1] for part in parts)])
    columns = {field: words[:, k].copy().view(known[field].dtype) for k, field in enumerate(fields)}
    return pd.DataFrame(columns, index=pd.to_datetime(ts, utc=True).rename("time"))


def kernel_fields(profile: str | Path | Profile | None = None) -> list[str]:
    """Return the paths of all numbers that the kernels of an asset hold."""
    return list(state_fields(asset_dtype(_profile(profile).flow)))


def _profile(profile: str | Path | Profile | None) -> Profile:
    if isinstance(profile, Profile):
        return profile
    return load_profile() if profile is None else load_profile(Path(profile))
