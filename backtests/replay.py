"""One replay: a catalog and a profile become an engine run with our actor and strategy, or without (`bare`)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.model.objects import Money

from backtests.market_data import MarketData
from backtests.profile import Profile
from backtests.snapshot_recorder import SnapshotRecorder, SnapshotRecorderConfig
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.tables import Kind
from strategies.features import AssetFlow, FlowMarket
from strategies.flow_actor import FlowActor, FlowActorConfig
from strategies.scalper import Scalper, ScalperConfig

SPOT_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD")  # quotes whose flow counts as flow of the asset


@dataclass(frozen=True)
class Universe:
    """The markets of a replay. `assets` maps an asset to its instruments, the lead first; `left_out` says why not."""

    assets: dict[str, tuple[Instrument, ...]]
    tradable: dict[str, Instrument]
    left_out: dict[str, str]

    @property
    def instruments(self) -> list[Instrument]:
        return [i for markets in self.assets.values() for i in markets]


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


def universe(catalog: Catalog, profile: Profile) -> Universe:
    """The catalog's markets by asset. Raises CatalogError where none can be replayed."""
    kinds: dict[str, set[str]] = {}
    for s in catalog.ledger.series():
        kinds.setdefault(s.instrument_id, set()).add(s.kind)
    left_out: dict[str, str] = {}
    groups: dict[str, list[Instrument]] = {}
    for instrument in catalog.instruments():
        name = instrument.id.value
        asset = (instrument.info or {}).get("asset") or instrument.base_currency.code
        if profile.replay.assets and asset not in profile.replay.assets:
            left_out[name] = f"asset {asset} is not in replay.assets"
        elif instrument.is_inverse:
            left_out[name] = "inverse: counts in quote currency, only linear markets are replayed"
        elif instrument.quote_currency.code not in SPOT_QUOTES:
            left_out[name] = f"quoted in {instrument.quote_currency.code}, not in {', '.join(SPOT_QUOTES)}"
        elif not kinds.get(name, set()) & {Kind.TRADES, Kind.BOOK}:
            left_out[name] = "has neither trades nor a book"
        else:
            groups.setdefault(asset, []).append(instrument)
    missing = set(profile.replay.assets) - set(groups)
    if missing or not groups:
        known = ", ".join(sorted(groups)) or "none"
        raise CatalogError(
            f"{catalog.root}: nothing to replay for {', '.join(sorted(missing)) or 'any asset'} "
            f"(assets that can be: {known}); left out: "
            + ("; ".join(f"{k}: {v}" for k, v in left_out.items()) or "nothing")
        )

    def rank(instrument: Instrument) -> tuple[bool, bool, int, str]:
        venues = profile.replay.lead_venues
        venue = instrument.id.venue.value
        place = venues.index(venue) if venue in venues else len(venues)
        has_book = Kind.BOOK in kinds[instrument.id.value]
        return (not isinstance(instrument, CryptoPerpetual), not has_book, place, instrument.id.value)

    assets = {asset: tuple(sorted(markets, key=rank)) for asset, markets in sorted(groups.items())}
    tradable = {a: m[0] for a, m in assets.items() if _tradable(m[0], kinds[m[0].id.value], profile)}
    return Universe(assets, tradable, left_out)


def _tradable(lead: Instrument, kinds: set[str], profile: Profile) -> bool:
    return (
        isinstance(lead, CryptoPerpetual)
        and lead.settlement_currency == USDT
        and Kind.BOOK in kinds
        and lead.id.venue.value in profile.venues
        and lead.id.venue.value in profile.replay.lead_venues
    )


def run_replay(
    catalog: Catalog,
    profile: Profile,
    *,
    start_ns: int,
    end_ns: int,
    bare: bool = False,
    snapshots: Path | None = None,
    on_rows: Callable[[int, int], None] | None = None,
) -> Replay:
    """Replay the span. `on_rows` is told rows done and rows in all. Raises CatalogError where the span has no data."""
    markets = universe(catalog, profile)
    data = MarketData(catalog, tuple(i.id.value for i in markets.instruments), start_ns, end_ns)
    span = data.span()
    if span is None:
        raise CatalogError(f"{catalog.root} has no data between the given start and end")
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("CROSSFLOW-001"),
            # else the matching engine formats every event for a debug log that nobody reads
            logging=LoggingConfig(bypass_logging=True),
        )
    )
    _add_venues(engine, markets, profile)
    scalper = actor = recorder = None
    if not bare:
        actor, recorder, scalper = _add_components(engine, catalog, markets, profile, snapshots)
    total, done = data.rows(), 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        if on_rows is not None:
            on_rows(done, total)

    engine.add_data_iterator("catalog", data.events(count))
    load_kernels(profile)
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        # without a start the engine's clock would begin in 1970 and every timer fire since
        engine.run(start=_utc(span[0] // 1_000_000_000 * 1_000_000_000), end=_utc(span[1]))
    finally:
        if recorder is not None:
            recorder.close()
    return Replay(
        engine=engine,
        universe=markets,
        data=data,
        span_ns=span,
        rows=done,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        scalper=scalper,
        actor=actor,
        recorder=recorder,
    )


def load_kernels(profile: Profile) -> None:
    """Compile the flow's kernels, or load them from numba's cache, before the clock of the run starts."""
    AssetFlow("none", [FlowMarket("none", is_perp=True, price_places=0, size_places=0)], profile.flow)


def _add_components(
    engine: BacktestEngine, catalog: Catalog, markets: Universe, profile: Profile, snapshots: Path | None
) -> tuple[FlowActor, SnapshotRecorder, Scalper]:
    names = {asset: tuple(i.id.value for i in found) for asset, found in markets.assets.items()}
    actor = FlowActor(
        FlowActorConfig(
            assets=names,
            flow=profile.flow.model_dump(mode="json"),
            without_book=without_book(catalog, markets),
        )
    )
    recorder = SnapshotRecorder(SnapshotRecorderConfig(path=str(snapshots) if snapshots is not None else None))
    scalper = Scalper(
        ScalperConfig(
            instruments={asset: i.id.value for asset, i in markets.tradable.items()},
            scalper=profile.scalper.model_dump(mode="json"),
            order_id_tag="001",
        )
    )
    engine.add_actor(actor)
    engine.add_actor(recorder)
    engine.add_strategy(scalper)
    return actor, recorder, scalper


def without_book(catalog: Catalog, markets: Universe) -> tuple[str, ...]:
    """Instruments without a book, or with one that was ingested without a snapshot and is known in part only."""
    booked = {s.instrument_id for s in catalog.ledger.series() if s.kind == Kind.BOOK}
    partial = {name for ingest in catalog.ledger.ingests for name in ingest.unseeded_books}
    return tuple(i.id.value for i in markets.instruments if i.id.value not in booked - partial)


def _add_venues(engine: BacktestEngine, markets: Universe, profile: Profile) -> None:
    for venue in sorted({i.id.venue.value for i in markets.instruments}):
        settings = profile.venues.get(venue)
        engine.add_venue(
            venue=Venue(venue),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            # a venue whose markets are only read still has an account in Nautilus: empty
            starting_balances=[Money(settings.starting_balance if settings else 0, USDT)],
            default_leverage=settings.leverage if settings else Decimal(1),
            book_type=BookType.L2_MBP,
            fill_model=FillModel(random_seed=profile.replay.seed),
            liquidity_consumption=True,  # else two orders take the same level twice
            queue_position=True,
        )
    for instrument in markets.instruments:
        engine.add_instrument(with_fees(instrument, profile))


def with_fees(instrument: Instrument, profile: Profile) -> Instrument:
    """The instrument with the profile's fees; margin is its whole notional divided by the account's leverage."""
    settings = profile.venues.get(instrument.id.venue.value)
    if settings is None or not isinstance(instrument, CryptoPerpetual):
        return instrument
    fields: dict[str, Any] = CryptoPerpetual.to_dict(instrument)
    fields |= {
        "maker_fee": str(settings.maker_fee),
        "taker_fee": str(settings.taker_fee),
        "margin_init": "1",
        "margin_maint": "0.5",
    }
    return CryptoPerpetual.from_dict(fields)


def _utc(ns: int) -> pd.Timestamp:
    return pd.Timestamp(ns, unit="ns", tz="UTC")


@contextmanager
def disposing(replay: Replay) -> Iterator[Replay]:
    """Dispose of the engine at the end."""
    try:
        yield replay
    finally:
        replay.engine.dispose()
