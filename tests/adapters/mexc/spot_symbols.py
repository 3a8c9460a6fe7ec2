"""A spot symbol made by hand."""

from decimal import Decimal
from typing import Any

from adapters.mexc.schemas.spot import SpotSymbol


def spot_symbol(**changes: Any) -> SpotSymbol:
    """BTCUSDT with prices of two places."""
    return SpotSymbol(
        **{
            "symbol": "BTCUSDT",
            "status": "1",
            "base_asset": "BTC",
            "quote_asset": "USDT",
            "base_asset_precision": 8,
            "quote_precision": 2,
            "base_size_precision": Decimal("0.000001"),
        }
        | changes
    )
