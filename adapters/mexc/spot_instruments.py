"""MEXC's spot symbols as Nautilus instruments: read, never traded here."""

from decimal import Decimal

from nautilus_trader.model.identifiers import Symbol
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Price, Quantity

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.spot import SpotSymbol
from adapters.mexc.symbols import currency, spot_id
from adapters.mexc.wire_numbers import RAW_SCALE, exact, name_text, places

ENABLED = "1"
CHANNEL = "exchangeInfo"


def spot_instrument(row: SpotSymbol, ts_ns: int) -> CurrencyPair:
    """The instrument. Sizes have the places of the base asset, because trades are finer than the step of orders."""
    for field, name in (("symbol", row.symbol), ("baseAsset", row.base_asset), ("quoteAsset", row.quote_asset)):
        name_text(name, CHANNEL, field)
    step_places = places(exact(row.base_size_precision, CHANNEL, "baseSizePrecision"))
    for field, count in (
        ("baseSizePrecision", step_places),
        ("baseAssetPrecision", row.base_asset_precision),
        ("quotePrecision", row.quote_precision),
    ):
        if not 0 <= count <= RAW_SCALE:
            raise MexcPayloadError(CHANNEL, field, f"{row.symbol}: {count} decimal places")
    size_places = max(row.base_asset_precision, step_places)
    try:
        return _instrument(row, size_places, ts_ns)
    except ValueError as error:  # the engine's own rules: names in ASCII, for one
        raise MexcPayloadError(CHANNEL, "symbol", f"{row.symbol} cannot be an instrument: {error}") from error


def _instrument(row: SpotSymbol, size_places: int, ts_ns: int) -> CurrencyPair:
    step = row.base_size_precision if row.base_size_precision > 0 else Decimal(1).scaleb(-row.base_asset_precision)
    return CurrencyPair(
        instrument_id=spot_id(row.symbol),
        raw_symbol=Symbol(row.symbol),
        base_currency=currency(row.base_asset),
        quote_currency=currency(row.quote_asset),
        price_precision=row.quote_precision,
        size_precision=size_places,
        price_increment=Price.from_str(f"{Decimal(1).scaleb(-row.quote_precision):.{row.quote_precision}f}"),
        size_increment=Quantity.from_str(f"{step:.{size_places}f}"),
        maker_fee=_rate(row.maker_commission, "makerCommission"),
        taker_fee=_rate(row.taker_commission, "takerCommission"),
        ts_event=ts_ns,
        ts_init=ts_ns,
        info={"asset": row.base_asset, "kind": "spot", "status": row.status},
    )


def _rate(value: Decimal | None, field: str) -> Decimal | None:
    return None if value is None else exact(value, CHANNEL, field)
