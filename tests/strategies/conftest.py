"""Hand-made markets in a real engine: a few book frames, a script of snapshots, and the components under test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig, SimulationModuleConfig
from nautilus_trader.backtest.engine import BacktestEngine, SimulatedExchange
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import BookOrder, FundingRateUpdate, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, BookAction, BookType, OmsType, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.model.objects import Money
from nautilus_trader.risk.config import RiskEngineConfig

from catalog.data_types import FlowSnapshotData, ScanData
from catalog.instruments import Definition, to_nautilus
from catalog.markets import Market
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES
from strategies.flow_actor import SCANS, SNAPSHOTS
from strategies.scoring import RULE

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
"""Second 0 of every script: a whole minute."""

type Levels = Sequence[tuple[str, str]]


def at(seconds: float) -> int:
    """UNIX ns of a second of the script."""
    return START + round(seconds * SECOND)


def listed(market: Market, definition: Definition, *, maker: str = "0.0002", taker: str = "0.0005") -> Instrument:
    """The instrument as a replay would list it; perps with fees and margins, fees as fractions of notional."""
    instrument = to_nautilus(market, definition, 0)
    if not isinstance(instrument, CryptoPerpetual):
        return instrument
    fields = CryptoPerpetual.to_dict(instrument)
    fees = {"maker_fee": maker, "taker_fee": taker, "margin_init": "1", "margin_maint": "0.5"}
    return CryptoPerpetual.from_dict(fields | fees)


def book_frame(instrument: Instrument, seconds: float, bids: Levels, asks: Levels) -> OrderBookDeltas:
    """A whole new book of (price, size) levels."""
    ts, snapshot = at(seconds), int(RecordFlag.F_SNAPSHOT)
    levels = [(OrderSide.BUY, level) for level in bids] + [(OrderSide.SELL, level) for level in asks]
    deltas = [OrderBookDelta.clear(instrument.id, 0, ts, ts)]
    for number, (side, (price, size)) in enumerate(levels, start=1):
        order = BookOrder(side, instrument.make_price(Decimal(price)), instrument.make_qty(Decimal(size)), 0)
        flags = snapshot | (int(RecordFlag.F_LAST) if number == len(levels) else 0)
        deltas.append(OrderBookDelta(instrument.id, BookAction.ADD, order, flags, 0, ts, ts))
    return OrderBookDeltas(instrument.id, deltas)


def print_of(instrument: Instrument, seconds: float, price: str, size: str, side: AggressorSide) -> TradeTick:
    """A trade, arriving at `seconds`."""
    ts = at(seconds)
    quantity = instrument.make_qty(Decimal(size))
    return TradeTick(instrument.id, instrument.make_price(Decimal(price)), quantity, side, TradeId(str(ts)), ts, ts)


def funding_of(instrument: Instrument, rate: str = "0.0001", *, due: float = 28_800.0) -> FundingRateUpdate:
    """What is known of funding from second 0 on: the rate of the settlement at second `due`."""
    return FundingRateUpdate(instrument.id, Decimal(rate), at(0), at(0), next_funding_ns=at(due))


def snapshot_of(values: dict[str, float], *, asset: str = "BTC", seconds: float = 0.0) -> FlowSnapshot:
    """A snapshot of the given features, all others missing."""
    names = [f.name for f in FEATURES]
    assert values.keys() <= set(names)
    return FlowSnapshot(at(seconds), asset, np.array([values.get(name, np.nan) for name in names]), "by hand")


def signal(seconds: float, score: float, *, asset: str = "BTC", atr: float = 5.0, **others: float) -> FlowSnapshot:
    """A snapshot whose rule score is `score`."""
    values = {term.feature: score * term.scale for term in RULE} | {"atr": atr, "spread_bps": 1.0} | others
    return snapshot_of(values, asset=asset, seconds=seconds)


class Script(Actor):
    """Scans as the flow's actor does: publishes the snapshots of each time, then that the scan is over. There are scans
    at `scans` (UNIX ns) too, whether a snapshot is of that time or not.

    Calls `look` every half second, and keeps the snapshots and scans of others. It subscribes to the books of `booked`,
    as the flow does in a replay, so that the engine keeps them.
    """

    def __init__(
        self,
        booked: Sequence[Instrument],
        signals: Sequence[FlowSnapshot],
        scans: Sequence[int],
        look: Callable[[float], None] | None,
    ) -> None:
        super().__init__()
        self._booked = booked
        self._scans: dict[int, list[FlowSnapshot]] = {ts: [] for ts in scans}
        for snapshot in signals:
            self._scans.setdefault(snapshot.ts, []).append(snapshot)
        self._look = look
        self.seen: list[FlowSnapshot] = []
        self.heard: list[tuple[int, str]] = []
        """Time and asset of each snapshot, and the time at which each scan was over, with no asset, in their order."""

    def on_start(self) -> None:
        self.subscribe_data(SNAPSHOTS)
        self.subscribe_data(SCANS)
        for instrument in self._booked:
            self.subscribe_order_book_deltas(instrument.id, BookType.L2_MBP, managed=True)
        for ts in self._scans:
            self.clock.set_time_alert_ns(f"scan-{ts}", ts, self._scan)
        if self._look is not None:
            half = pd.Timedelta(seconds=0.5)
            first = pd.Timestamp(at(0.25), tz="UTC")
            self.clock.set_timer("look", half, start_time=first, callback=self._on_look)

    def on_data(self, data: Any) -> None:
        if isinstance(data, FlowSnapshotData):
            self.seen.append(data.snapshot)
            self.heard.append((data.snapshot.ts, data.snapshot.asset))
        elif isinstance(data, ScanData):
            self.heard.append((data.ts_event, ""))

    def _scan(self, event: Any) -> None:
        for snapshot in self._scans[event.ts_event]:
            self.publish_data(SNAPSHOTS, FlowSnapshotData(snapshot))
        self.publish_data(SCANS, ScanData(event.ts_event))

    def _on_look(self, event: Any) -> None:
        assert self._look is not None
        self._look((event.ts_event - START) / SECOND)


class _ReachableClient(BacktestExecClient):
    """Takes orders until the last event is settled, as a live node does after its strategies have stopped.

    Nautilus's own is cut off before that: a strategy that answers the last fills would raise.
    """

    def _stop(self) -> None:
        pass


class _Catcher(SimulationModule):
    """Gets hold of the exchange that the engine makes and keeps to itself."""

    caught: SimulatedExchange

    def register_venue(self, exchange: SimulatedExchange) -> None:
        self.caught = exchange


@dataclass
class Stage:
    """An engine set up as a replay sets it up, on hand-made data."""

    instruments: Sequence[Instrument]
    equity: int = 100_000
    latency_seconds: float = 0.0
    submit_rate: str = "1000/00:00:01"
    engine: BacktestEngine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = BacktestEngine(
            BacktestEngineConfig(
                logging=LoggingConfig(bypass_logging=True),
                risk_engine=RiskEngineConfig(max_order_submit_rate=self.submit_rate),
            )
        )
        for venue in sorted({i.id.venue for i in self.instruments}):
            catcher = _Catcher(SimulationModuleConfig())
            self.engine.add_venue(
                venue=venue,
                oms_type=OmsType.NETTING,
                account_type=AccountType.MARGIN,
                starting_balances=[Money(self.equity, USDT)],
                default_leverage=Decimal(10),
                modules=[catcher],
                book_type=BookType.L2_MBP,
                liquidity_consumption=True,
                queue_position=True,
                latency_model=LatencyModel(round(self.latency_seconds * SECOND)) if self.latency_seconds else None,
            )
            self._keep_reachable(catcher.caught)
        for instrument in self.instruments:
            self.engine.add_instrument(instrument)

    def _keep_reachable(self, exchange: SimulatedExchange) -> None:
        kernel = self.engine.kernel
        client = _ReachableClient(exchange=exchange, msgbus=kernel.msgbus, cache=kernel.cache, clock=kernel.clock)
        exchange.modules.clear()
        kernel.exec_engine.deregister_client(exchange.exec_client)
        exchange.register_client(client)
        kernel.exec_engine.register_client(client)

    def play(
        self,
        data: Sequence[Any],
        *components: Any,
        until: float,
        since: float = 0.0,
        signals: Sequence[FlowSnapshot] = (),
        scans: Sequence[float] = (),
        look: Callable[[float], None] | None = None,
    ) -> Script:
        """Run from second `since` to `until`. `scans` are seconds at which there is a scan besides those of `signals`.
        `look` is called every half second, between the data."""
        booked = self.instruments if signals or scans else ()
        script = Script(booked, signals, [at(second) for second in scans], look)
        self.engine.add_actor(script)
        for component in components:
            add = self.engine.add_strategy if hasattr(component, "submit_order") else self.engine.add_actor
            add(component)
        self.engine.add_data_iterator("script", iter([sorted(data, key=lambda event: event.ts_init)]))
        self.engine.run(start=pd.Timestamp(at(since), tz="UTC"), end=pd.Timestamp(at(until), tz="UTC"))
        return script


@pytest.fixture
def stage():
    """Make stages, and dispose of their engines at the end."""
    made: list[Stage] = []

    def make(*instruments: Instrument, **settings: Any) -> Stage:
        made.append(Stage(instruments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()
