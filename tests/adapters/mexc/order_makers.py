"""Nautilus orders for tests of the mapping, and a contract for them: tick 0.1, at most 100 contracts, 50 at market."""

from decimal import Decimal
from typing import Any

from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId, StrategyId, TraderId
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order

from tests.adapters.mexc import small_contracts

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SYMBOL = "BTC_USDT"
ID = InstrumentId.from_str("BTCUSDT-PERP.MEXC")
LONG, SHORT = f"{ID}-LONG", f"{ID}-SHORT"


def instrument(**changes: Any) -> CryptoPerpetual:
    """The contract, with some of its metadata changed (by their field names)."""
    return small_contracts.instrument(SYMBOL, **{"max_vol": Decimal(50), "limit_max_vol": Decimal(100)} | changes)


def factory() -> OrderFactory:
    return OrderFactory(TraderId("TESTER-001"), StrategyId("S-001"), TestClock())


def limit(side: OrderSide = BUY, vol: int = 5, price: str = "100.0", **more: Any) -> Order:
    return factory().limit(ID, side, Quantity.from_int(vol), Price.from_str(price), **more)


def market(side: OrderSide = BUY, vol: int = 5, **more: Any) -> Order:
    return factory().market(ID, side, Quantity.from_int(vol), **more)


def stop_market(side: OrderSide = SELL, vol: int = 5, trigger: str = "90.0", **more: Any) -> Order:
    return factory().stop_market(ID, side, Quantity.from_int(vol), Price.from_str(trigger), **more)
