"""A ``TradingNode`` with nothing but the MEXC adapter, on a local MEXC, and a strategy that does what a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.core.message import Event
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position
from nautilus_trader.trading.strategy import Strategy

from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.listing import Listing
from adapters.loopback.mexc.local import LocalMexc
from adapters.mexc.config import MexcDataClientConfig, MexcExecClientConfig
from adapters.mexc.constants import API_KEY_VARIABLE, API_SECRET_VARIABLE
from adapters.mexc.execution_client import MexcExecutionClient
from adapters.mexc.factories import MexcLiveDataClientFactory, MexcLiveExecClientFactory
from adapters.mexc.symbols import MEXC_CLIENT_ID, contract_id

PATIENCE_SECONDS = 30.0


def listing(symbol: str = "X_USDT", number: int = 1) -> Listing:
    """A contract to work with by hand: 0.1 units each, tick 0.5, API fees of 6 and 8 basis points."""
    base = symbol.removesuffix("_USDT")
    contract = Contract(
        symbol,
        base,
        "USDT",
        size=Decimal("0.1"),
        tick=Decimal("0.5"),
        maker_fee=Decimal("0.0006"),
        taker_fee=Decimal("0.0008"),
        price_band=Decimal("0.9"),
        market_band=Decimal("0.9"),
    )
    return Listing(contract, number)


def quote(venue: LocalMexc, bid: str, ask: str, *, vol: int = 1_000, symbol: str = "X_USDT") -> None:
    """The whole book of the market around us: one level a side."""
    rows = [(Side.BUY, Decimal(bid), Decimal(vol)), (Side.SELL, Decimal(ask), Decimal(vol))]
    venue.exchange.feed_book(symbol, rows, snapshot=True)


def trade(venue: LocalMexc, side: Side, price: str, vol: int, *, symbol: str = "X_USDT") -> None:
    """Somebody takes; our resting orders get their part."""
    venue.exchange.feed_trade(symbol, side, Decimal(price), Decimal(vol))


async def until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition. AssertionError when it does not come about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        if loop.time() > end:
            raise AssertionError(f"waited {seconds} s in vain")
        await asyncio.sleep(0.01)


class Hand(Strategy):
    """Does nothing by itself; keeps what it is told."""

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.told: list[Event] = []
        self.heard: set[InstrumentId] = set()

    def on_start(self) -> None:
        """A test subscribes what it needs."""

    def on_event(self, event: Event) -> None:
        self.told.append(event)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.heard.add(tick.instrument_id)

    def on_order_book_deltas(self, deltas: OrderBookDeltas) -> None:
        self.heard.add(deltas.instrument_id)

    def names(self, order: Order) -> list[str]:
        """The events of an order, without their first two words."""
        mine = [e for e in self.told if getattr(e, "client_order_id", None) == order.client_order_id]
        return [type(event).__name__.removeprefix("Order") for event in mine]


@dataclass
class LocalNode:
    """A running node and short words for what tests do with it."""

    venue: LocalMexc
    node: TradingNode
    hand: Hand
    task: "asyncio.Task[None]"
    failures: list[BaseException] = field(default_factory=list)
    """Exceptions that ended a task of the client, which Nautilus only logs."""

    def watch_tasks(self) -> None:
        """Note from now on what goes wrong in the client's tasks."""
        client, create = self.client, self.client.create_task

        def create_task(*arguments: Any, **options: Any) -> "asyncio.Task[Any]":
            task = create(*arguments, **options)
            task.add_done_callback(self._note_failure)
            return task

        client.create_task = create_task

    def _note_failure(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)

    @property
    def cache(self) -> Cache:
        return self.node.cache

    @property
    def client(self) -> MexcExecutionClient:
        client = self.node.kernel.exec_engine._clients[MEXC_CLIENT_ID]
        assert isinstance(client, MexcExecutionClient)
        return client

    @property
    def make(self) -> OrderFactory:
        return self.hand.order_factory

    def instrument(self, symbol: str = "X_USDT") -> Instrument:
        found = self.cache.instrument(contract_id(symbol))
        assert found is not None, f"{symbol} is not among {self.cache.instrument_ids()}"
        return found

    def id(self, symbol: str = "X_USDT") -> InstrumentId:
        return contract_id(symbol)

    def limit(self, side: OrderSide, vol: int, price: str, *, symbol: str = "X_USDT", **more: Any) -> Order:
        """Send a limit order."""
        instrument = self.instrument(symbol)
        price_ = instrument.make_price(Decimal(price))
        order = self.make.limit(instrument.id, side, instrument.make_qty(vol), price_, **more)
        self.hand.submit_order(order)
        return order

    def market(self, side: OrderSide, vol: int, *, symbol: str = "X_USDT", **more: Any) -> Order:
        """Send a market order."""
        instrument = self.instrument(symbol)
        order = self.make.market(instrument.id, side, instrument.make_qty(vol), **more)
        self.hand.submit_order(order)
        return order

    def stop(self, side: OrderSide, vol: int, trigger: str, *, symbol: str = "X_USDT", **more: Any) -> Order:
        """Send a stop-market order."""
        instrument = self.instrument(symbol)
        price = instrument.make_price(Decimal(trigger))
        order = self.make.stop_market(instrument.id, side, instrument.make_qty(vol), price, **more)
        self.hand.submit_order(order)
        return order

    async def status(self, order: Order, *wanted: OrderStatus, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the order is in one of these states."""
        await until(lambda: order.status in wanted, seconds=seconds)

    def positions(self, symbol: str = "X_USDT") -> list[Position]:
        return self.cache.positions_open(instrument_id=contract_id(symbol))


@asynccontextmanager
async def local_node(
    venue: LocalMexc,
    *,
    name: str = "001",
    data: dict[str, Any] | None = None,
    claims: Iterable[str] = (),
    engine: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[LocalNode]:
    """A node that has started and reconciled.

    `settings` are of the execution client, `engine` of Nautilus's, `data` of the data client (None: there is none).
    """
    urls = {"base_url_http": venue.rest_url, "base_url_ws": venue.ws_url}
    config = TradingNodeConfig(
        trader_id=TraderId(f"TESTER-{name}"),
        logging=LoggingConfig(log_level="OFF"),
        exec_engine=LiveExecEngineConfig(reconciliation_startup_delay_secs=0.01, **(engine or {})),
        data_clients={} if data is None else {"MEXC": MexcDataClientConfig(**urls, **data)},
        exec_clients={"MEXC": MexcExecClientConfig(**urls, **settings)},
        timeout_connection=90.0,
        timeout_reconciliation=90.0,
        timeout_portfolio=5.0,
        timeout_disconnection=5.0,
        timeout_post_stop=0.1,
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(API_KEY_VARIABLE, venue.api_key)
        environment.setenv(API_SECRET_VARIABLE, venue.api_secret)
        node = TradingNode(config, loop=asyncio.get_running_loop())
        node.add_data_client_factory("MEXC", MexcLiveDataClientFactory)
        node.add_exec_client_factory("MEXC", MexcLiveExecClientFactory)
        node.build()
    hand = Hand(StrategyConfig(strategy_id="HAND-1", external_order_claims=[contract_id(s) for s in claims] or None))
    node.trader.add_strategy(hand)
    task = asyncio.create_task(node.run_async())
    await until(lambda: hand.is_running or task.done(), seconds=120)
    if task.done():
        task.result()
    running = LocalNode(venue, node, hand, task)
    running.watch_tasks()
    try:
        yield running
    finally:
        await node.stop_async()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
