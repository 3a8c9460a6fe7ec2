"""Spot REST replies: the instruments. Trades come as protobuf, see ``spot_protobuf``."""

from decimal import Decimal

from adapters.mexc.schemas.public_rest import PublicPayload


class SpotSymbol(PublicPayload, frozen=True):
    """A row of ``api/v3/exchangeInfo``."""

    symbol: str
    status: str
    """"1" is enabled."""
    base_asset: str
    quote_asset: str
    base_asset_precision: int
    quote_precision: int
    """Decimal places of the price."""
    base_size_precision: Decimal
    """The step of quantities, not a count of digits; 0 for some symbols, then `base_asset_precision` counts."""
    quote_asset_precision: int | None = None
    base_commission_precision: int | None = None
    quote_commission_precision: int | None = None
    order_types: list[str] | None = None
    is_spot_trading_allowed: bool | None = None
    is_margin_trading_allowed: bool | None = None
    quote_amount_precision: Decimal | None = None
    quote_amount_precision_market: Decimal | None = None
    max_quote_amount: Decimal | None = None
    max_quote_amount_market: Decimal | None = None
    maker_commission: Decimal | None = None
    taker_commission: Decimal | None = None
    permissions: list[str] | None = None
    full_name: str | None = None
    trade_side_type: int | None = None


class ExchangeInfo(PublicPayload, frozen=True):
    symbols: list[SpotSymbol]
    timezone: str | None = None
    server_time: int | None = None
