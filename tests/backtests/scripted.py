"""A hand-made market in a whole replay, traded by a script: every fill, fee and balance can be worked out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import OrderCanceled, OrderDenied, OrderFilled, OrderRejected
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from backtests.costs import Quote
from backtests.market_data import MarketData
from backtests.profile import Profile
from backtests.replay_clock import clock_start_ns
from backtests.simulation import SimulatedVenue, add_venues
from backtests.universe import universe
from catalog.markets import Market
from catalog.store import Catalog
from tests.backtests.conftest import ns

type Act = Callable[["Trader"], None]


class Trader(Strategy):
    """Does what its script says at microseconds of the hand-made time, and keeps what comes back."""

    def __init__(self, script: Sequence[tuple[int, Act]]) -> None:
        super().__init__(StrategyConfig(order_id_tag="001"))
        self._script = script
        self.fills: list[OrderFilled] = []
        self.refusals: list[str] = []
        self.cancelled: list[str] = []
        self.sent: dict[str, Order] = {}
        self.venues: dict[str, SimulatedVenue] = {}

    def on_start(self) -> None:
        for number, (microsecond, act) in enumerate(self._script):
            self.clock.set_time_alert_ns(f"act-{number}", ns(microsecond), lambda _, a=act: a(self))

    def order(
        self,
        name: str,
        market: Market,
        side: str,
        size: str,
        *,
        price: str | None = None,
        trigger: str | None = None,
        ioc: bool = False,
        **options: Any,
    ) -> None:
        """Send a market, limit or stop order of units of the venue; `name` is how the test calls it."""
        instrument = self.cache.instrument(InstrumentId.from_str(market.instrument_id))
        terms: dict[str, Any] = {
            "instrument_id": instrument.id,
            "order_side": OrderSide.BUY if side == "buy" else OrderSide.SELL,
            "quantity": instrument.make_qty(Decimal(size)),
            "time_in_force": TimeInForce.IOC if ioc else TimeInForce.GTC,
        } | options
        if trigger is not None:
            made = self.order_factory.stop_market(trigger_price=instrument.make_price(Decimal(trigger)), **terms)
        elif price is not None:
            made = self.order_factory.limit(price=instrument.make_price(Decimal(price)), **terms)
        else:
            made = self.order_factory.market(**terms)
        self.sent[name] = made
        self.submit_order(made)

    def quote(self, market: Market) -> Quote:
        """Best prices of the venue's book."""
        found = self.venues[market.venue].client.quote(InstrumentId.from_str(market.instrument_id))
        assert found is not None
        return found

    def on_order_filled(self, event: OrderFilled) -> None:
        self.fills.append(event)

    def on_order_rejected(self, event: OrderRejected) -> None:
        self.refusals.append(event.reason)

    def on_order_denied(self, event: OrderDenied) -> None:
        self.refusals.append(event.reason)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        self.cancelled.append(next(n for n, o in self.sent.items() if o.client_order_id == event.client_order_id))


@dataclass
class Played:
    """What came of a script."""

    engine: BacktestEngine
    venues: dict[str, SimulatedVenue]
    trader: Trader
    fills: list[tuple[str, str, str]] = field(default_factory=list)  # side, size, price

    def balance(self, venue: str) -> Decimal:
        """The engine's account."""
        account = self.engine.cache.account_for_venue(self.venues[venue].client.exchange.id)
        total: Decimal = account.balance_total(self.venues[venue].currency).as_decimal()
        return total


def play(catalog: Catalog, profile: Profile, *script: tuple[int, Act], until: int | None = None) -> Played:
    """Replay a hand-made catalog with a script of (microsecond, act)."""
    markets = universe(catalog, profile)
    data = MarketData(catalog, tuple(i.id.value for i in markets.instruments))
    span = data.span()
    assert span is not None
    end = span[1] if until is None else ns(until)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    venues = add_venues(engine, catalog, markets, profile, (span[0], end))
    trader = Trader(script)
    trader.venues = venues
    engine.add_strategy(trader)
    engine.add_data_iterator("catalog", data.events())
    engine.run(start=pd.Timestamp(clock_start_ns(span), tz="UTC"), end=pd.Timestamp(end, tz="UTC"))
    sides = {OrderSide.BUY: "buy", OrderSide.SELL: "sell"}
    fills = [(sides[f.order_side], str(f.last_qty), str(f.last_px)) for f in trader.fills]
    return Played(engine, venues, trader, fills)


def quiet(profile: Profile, venues: Mapping[str, Any] | None = None, **simulation: bool) -> Profile:
    """The profile with its venues' settings replaced by `venues` over plain ones: 10,000 USDT, no latency, 5 bp."""
    plain: dict[str, Any] = {
        "starting_balance": "10000",
        "leverage": "10",
        "maker_fee": "0.0002",
        "taker_fee": "0.0005",
        "latency": {"median_ms": 0.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 0.0},
    }
    named = {name: plain | dict(own) for name, own in (venues or {"BINANCE": {}}).items()}
    body = profile.model_dump(mode="json") | {"venues": named}
    body["simulation"] = body["simulation"] | simulation
    return Profile.model_validate(body)
