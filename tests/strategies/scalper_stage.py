"""The scalper on a stage: markets around 100, settings whose sizes are round, and what to look at afterwards.

The book is 99.9 / 100.1 with 50 a side, so the mid is 100 and, with an ATR of 1, a stop lies 2 away and a target 3. A
tenth of the depth is taken at most: 5, which risk and notional allow.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderType
from nautilus_trader.model.instruments import Instrument

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.features import FlowSnapshot
from strategies.scalper import Scalper, ScalperConfig
from strategies.trade_log import Trade
from tests.strategies.conftest import Levels, Stage, book_frame, funding_of, listed, signal

TENTHS = Definition("BTC", "USDT", Decimal("0.1"), Decimal("0.001"))
BTC = listed(Market("BINANCE", MarketKind.PERP, "BTCUSDT"), TENTHS)
ETH = listed(Market("BINANCE", MarketKind.PERP, "ETHUSDT"), Definition("ETH", "USDT", Decimal("0.1"), Decimal("0.001")))
BYBIT_BTC = listed(Market("BYBIT", MarketKind.PERP, "BTCUSDT"), TENTHS)
MEXC_BTC = listed(
    Market("MEXC", MarketKind.PERP, "BTC_USDT"),
    Definition("BTC", "USDT", Decimal("0.1"), Decimal(1), multiplier=Decimal("0.0001"), min_size=Decimal(1)),
    taker="0.0008",
)

type Tradable = Instrument | dict[str, Sequence[Instrument]]
type Book = tuple[Levels, Levels]

CALM: Book = ([("99.9", "50")], [("100.1", "50")])
CANDIDATES: dict[str, Any] = {
    "horizon_seconds": 60,
    "depth_share": "0.1",
    "stop": {"atr_multiple": 2},
    "targets": {"multiples": [1.5]},
}
RATE = "0.005"  # maintenance margin: at a leverage of 10 a long from 100.1 is liquidated at 90.5


def settings(*, candidates: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """A ``[scalper]`` table: the one above with changes to its candidates, and others beside them."""
    return {"candidates": CANDIDATES | (candidates or {})} | others


def scalper(
    tradable: Tradable = BTC,
    *,
    guards: dict[str, Any] | None = None,
    flow: dict[str, Any] | None = None,
    journal: str = "",
    **of: Any,
) -> Scalper:
    """A scalper of BTC on `tradable`, or of the given map of assets; `of` are its settings."""
    markets = tradable if isinstance(tradable, dict) else {"BTC": (tradable,)}
    instruments = {asset: tuple(i.id.value for i in listed) for asset, listed in markets.items()}
    rates = {name: RATE for names in instruments.values() for name in names}
    config = ScalperConfig(
        instruments=instruments,
        maintenance_rates=rates,
        flow=flow or {},
        scalper=settings(**of),
        guards=guards or {},
        journal=journal,
        order_id_tag="001",
    )
    return Scalper(config)


def long(seconds: float = 5, *, asset: str = "BTC", atr: float = 1.0, **others: float) -> FlowSnapshot:
    """A snapshot that the rule is sure of: probability 0.87 of the long's target, 0.06 of the short's."""
    return signal(seconds, 1.0, asset=asset, atr=atr, **others)


def short(seconds: float = 5, *, asset: str = "BTC", atr: float = 1.0, **others: float) -> FlowSnapshot:
    """The mirror of :func:`long`."""
    return signal(seconds, -1.0, asset=asset, atr=atr, **others)


def calm(*instruments: Instrument, until: float = 0, book: Book = CALM) -> list[Any]:
    """Books that say the same every five seconds, so that they are never old, and when funding is due."""
    data: list[Any] = [funding_of(one) for one in instruments]
    return data + [book_frame(one, second, *book) for one in instruments for second in range(0, round(until) + 1, 5)]


def orders(stage: Stage, kind: OrderType) -> list[Any]:
    """All orders of a type, in the order of their sending."""
    found = [o for o in stage.engine.kernel.cache.orders() if o.order_type == kind]
    return sorted(found, key=lambda o: o.ts_init)


def flat_and_idle(stage: Stage) -> bool:
    """Nothing is open and nothing works."""
    cache = stage.engine.kernel.cache
    return not (cache.positions_open() or cache.orders_open() or cache.orders_inflight())


def equal_to_the_engine(stage: Stage, trade: Trade) -> bool:
    """Net and fees of the row are the engine's own realised profit and commissions, to the last of USDT's digits."""
    (position,) = stage.engine.kernel.cache.positions()
    row = trade.to_row()
    fees = sum(c.as_double() for c in position.commissions())
    same_net = row["net"] == pytest.approx(position.realized_pnl.as_double(), abs=1e-7)
    return same_net and row["fees"] == pytest.approx(fees, abs=1e-7)


class Watch:
    """At every look: what is open, and what the stop and the targets would still close."""

    def __init__(self, stage: Stage) -> None:
        self._cache = stage.engine.kernel.cache
        self.rows: dict[float, tuple[float, float, float]] = {}

    def __call__(self, seconds: float) -> None:
        position = sum(float(p.signed_qty) for p in self._cache.positions_open())
        working = dict.fromkeys((OrderType.STOP_MARKET, OrderType.LIMIT), 0.0)
        for order in self._cache.orders_open():
            working[order.order_type] += float(order.leaves_qty)
        self.rows[seconds] = (position, working[OrderType.STOP_MARKET], working[OrderType.LIMIT])
