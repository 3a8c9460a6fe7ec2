"""One replay: a catalog and a profile become an engine run with our actor and strategy, or without (`bare`)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.identifiers import TraderId

from backtests.market_data import MarketData
from backtests.passed_file import PassedWriter
from backtests.profile import Profile
from backtests.replay_clock import clock_start_ns
from backtests.simulation import SimulatedVenue, add_venues, maintenance_rates
from backtests.snapshot_file import Origin, SnapshotWriter
from backtests.snapshot_player import SnapshotPlayer, SnapshotPlayerConfig
from backtests.snapshot_recorder import SnapshotRecorder
from backtests.universe import Universe, universe
from catalog.ledger import CatalogError
from catalog.store import Catalog
from strategies.candidates import Candidate
from strategies.features import AssetFlow, FlowMarket, schema_id
from strategies.flow_actor import FlowActor, FlowActorConfig
from strategies.scalper import Scalper, ScalperConfig


@dataclass
class Replay:
    """A finished run, with what the report needs of it."""

    engine: BacktestEngine
    universe: Universe
    data: MarketData
    span_ns: tuple[int, int]
    rows: int
    cpu_seconds: float
    wall_seconds: float
    scalper: Scalper | None
    actor: FlowActor | None
    recorder: SnapshotRecorder | None
    venues: dict[str, SimulatedVenue]  # that are traded


def run_replay(
    catalog: Catalog,
    profile: Profile,
    *,
    start_ns: int,
    end_ns: int,
    bare: bool = False,
    decide_on: Path | None = None,
    snapshots: Path | None = None,
    passed: Path | None = None,
    follow: Sequence[Candidate] | None = None,
    on_rows: Callable[[int, int], None] | None = None,
) -> Replay:
    """Replay the span. `on_rows` is told rows done and rows in all.

    With `decide_on`, a file of snapshots, nothing is computed: the strategy is given those. `snapshots` is where those
    that it was given are written, `passed` where the setups that it did not take are. With `follow` nothing is
    decided: these are entered, at their times.

    Raises CatalogError where the span has no data, SnapshotFileError where `decide_on` is of something else.
    """
    markets = universe(catalog, profile)
    data = MarketData(catalog, tuple(i.id.value for i in markets.instruments), start_ns, end_ns)
    span = data.span()
    if span is None:
        raise CatalogError(f"{catalog.root} has no data between the given start and end")
    clock_ns = clock_start_ns(span)
    origin = snapshot_origin(catalog, profile, markets, span, start_ns)
    if decide_on is not None:
        Origin.read(decide_on).require(origin, decide_on)
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("CROSSFLOW-001"),
            # else the matching engine formats every event for a debug log that nobody reads
            logging=LoggingConfig(bypass_logging=True),
        )
    )
    venues = add_venues(engine, catalog, markets, profile, span, bare=bare)
    total, done = data.rows(), 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        if on_rows is not None:
            on_rows(done, total)

    with ExitStack() as stack:
        writer = stack.enter_context(SnapshotWriter(snapshots, origin)) if snapshots is not None else None
        components = None if bare else _add_components(engine, markets, profile, writer, decide_on)
        if components is not None and follow is not None:
            components.scalper.follow(follow)
        if components is not None and passed is not None:
            components.scalper.on_passed = stack.enter_context(PassedWriter(passed)).add
        engine.add_data_iterator("catalog", data.events(count))
        load_kernels(profile)
        cpu, wall = time.process_time(), time.perf_counter()
        # without a start the engine's clock would begin in 1970 and every timer fire since
        engine.run(start=_utc(clock_ns), end=_utc(span[1]))
        if components is not None:
            components.recorder.flush()
    return Replay(
        engine=engine,
        universe=markets,
        data=data,
        span_ns=span,
        rows=done,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        scalper=components.scalper if components is not None else None,
        actor=components.actor if components is not None else None,
        recorder=components.recorder if components is not None else None,
        venues=venues,
    )


def snapshot_origin(
    catalog: Catalog, profile: Profile, markets: Universe, span: tuple[int, int], start_ns: int
) -> Origin:
    """What the snapshots of a replay of `span` are computed from, of which the start was asked for as `start_ns`."""
    return Origin(
        schema_id=schema_id(profile.flow),
        catalog=catalog.digest(),
        assets=markets.ids,
        without_book=markets.without_book,
        start_ns=max(clock_start_ns(span), start_ns),
        end_ns=span[1],
    )


def load_kernels(profile: Profile) -> None:
    """Compile the flow's kernels, or load them from numba's cache, before the clock of the run starts."""
    AssetFlow("none", [FlowMarket("none", is_perp=True, price_places=0, size_places=0)], profile.flow)


@dataclass(frozen=True)
class _Components:
    actor: FlowActor | None
    recorder: SnapshotRecorder
    scalper: Scalper


def _add_components(
    engine: BacktestEngine, markets: Universe, profile: Profile, writer: SnapshotWriter | None, decide_on: Path | None
) -> _Components:
    flow = profile.flow.model_dump(mode="json")
    tradable = {asset: tuple(i.id.value for i in perps) for asset, perps in markets.tradable.items()}
    actor = None
    if decide_on is None:
        actor = FlowActor(FlowActorConfig(assets=markets.ids, flow=flow, without_book=markets.without_book))
        engine.add_actor(actor)
    else:
        names = tuple(name for perps in tradable.values() for name in perps)
        played = SnapshotPlayerConfig(path=str(decide_on), assets=tuple(markets.assets), tradable=names, flow=flow)
        engine.add_actor(SnapshotPlayer(played))
    recorder = SnapshotRecorder(writer)
    engine.add_actor(recorder)
    scalper = Scalper(
        ScalperConfig(
            instruments=tradable,
            maintenance_rates=maintenance_rates(markets, profile),
            flow=flow,
            scalper=profile.scalper.model_dump(mode="json"),
            guards=profile.guards.model_dump(mode="json"),
            order_id_tag="001",
        )
    )
    engine.add_strategy(scalper)
    return _Components(actor, recorder, scalper)


def _utc(ns: int) -> pd.Timestamp:
    return pd.Timestamp(ns, unit="ns", tz="UTC")


@contextmanager
def disposing(replay: Replay) -> Iterator[Replay]:
    """Dispose of the engine at the end."""
    try:
        yield replay
    finally:
        replay.engine.dispose()
