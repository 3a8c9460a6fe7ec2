"""Rows of the trade log, made by hand: planned at a mid of 100 with a stop 10 and a target 15 away."""

from decimal import Decimal
from typing import Any

from strategies.trade_log import FORECAST, PlannedTarget, Trade
from tests.strategies.conftest import at, signal


def planned(side: int = 1, *, asset: str = "BTC", venue: str = "BINANCE", seconds: float = 5, **others: Any) -> Trade:
    """A trade of 1, decided at a second and not entered yet; `others` are fields of its row."""
    fields: dict[str, Any] = {
        "trace_id": f"{asset}-{seconds}-{'L' if side > 0 else 'S'}",
        "asset": asset,
        "instrument_id": f"{asset}USDT-PERP.{venue}",
        "side": side,
        "model": "by hand",
        "probability": 0.6,
        "break_even": 0.5,
        "expected_r": 0.25,
        "setup": signal(seconds, 0.5 * side, asset=asset),
        "planned_size": Decimal(1),
        "mid": Decimal(100),
        "stop": Decimal(100 - 10 * side),
        "targets": (PlannedTarget(Decimal(100 + 15 * side), Decimal(1), "R multiple"),),
        "risk": Decimal(10),
        "multiplier": Decimal(1),
        "decided_ns": at(seconds),
        "forecast": dict.fromkeys(FORECAST, 0.0),
    }
    return Trade(**fields | others)


def enter(
    trade: Trade, price: Any, ts: int, *, size: Any = 1, fee: Any = 0, order_id: str = "in", role: str = "entry"
) -> None:
    """Book a fill that opens; amounts are what a Decimal is made of."""
    _fill(trade, price, ts, size=size, fee=fee, order_id=order_id, role=role, entry=True)


def leave(
    trade: Trade, price: Any, ts: int, *, size: Any = 1, fee: Any = 0, order_id: str = "out", role: str = "close"
) -> None:
    """Book a fill that closes; amounts are what a Decimal is made of."""
    _fill(trade, price, ts, size=size, fee=fee, order_id=order_id, role=role, entry=False)


def _fill(trade: Trade, price: Any, ts: int, *, size: Any, fee: Any, **others: Any) -> None:
    trade.fill(price=Decimal(price), size=Decimal(size), fee=Decimal(fee), ts=ts, **others)
