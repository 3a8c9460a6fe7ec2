"""Instrument definitions: from the venue's own metadata JSON, or inferred from the data and said to be so."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Instrument
from nautilus_trader.model.objects import Currency, Money, Price, Quantity

from catalog.markets import Market, MarketKind

QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "GBP", "JPY")


class Source(StrEnum):
    METADATA = "metadata"  # the venue's own JSON
    INFERRED = "inferred"  # smallest steps seen in the data
    BUILT_IN = "built-in"  # the built-in market's own definition


class InstrumentMetadataError(ValueError):
    """The metadata file does not define the market as needed."""


@dataclass(frozen=True)
class Definition:
    """What must be known of a market to store and trade it. Sizes are in the venue's own units; `multiplier` is base
    units per unit of size (1 for most, less than 1 for MEXC contracts; quote per contract where inverse)."""

    base: str
    quote: str
    price_tick: Decimal
    size_step: Decimal
    multiplier: Decimal = Decimal(1)
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None
    source: Source = Source.METADATA

    def __post_init__(self) -> None:
        for name in ("price_tick", "size_step", "multiplier"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise InstrumentMetadataError(f"{name} must be a positive number, got {value}: correct the metadata")

    @property
    def price_places(self) -> int:
        return places(self.price_tick)

    @property
    def size_places(self) -> int:
        return places(self.size_step)


def places(step: Decimal) -> int:
    """Decimal places of a step: 0.10 has 1, 5 has 0."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def split_symbol(market: Market) -> tuple[str, str]:
    """Base and quote currency read from a symbol such as ``BTCUSDT``, ``BTC_USDT`` or ``TRXUSD_PERP``."""
    symbol = market.symbol.removesuffix("_PERP")
    if "_" in symbol:
        base, _, quote = symbol.partition("_")
        return base, quote
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote), quote
    raise InstrumentMetadataError(
        f"cannot tell base from quote in symbol {market.symbol!r}: give --instruments with the venue's metadata JSON"
    )


def read_definition(path: Path, market: Market) -> Definition:
    """The market's definition out of a metadata file as the venue serves it.

    Binance ``exchangeInfo`` (spot, USDT-M, COIN-M), Bybit v5 ``market/instruments-info``, MEXC ``contract/detail`` and
    MEXC spot ``exchangeInfo``. Raises InstrumentMetadataError naming the file and what is missing in it.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InstrumentMetadataError(
            f"{path}: cannot be read as JSON ({error}): save the venue's reply as it is"
        ) from error
    for entry in _entries(document):
        if entry.get("symbol") == market.symbol:
            if _is_of_other_kind(entry, market.kind):
                raise InstrumentMetadataError(
                    f"{path}: symbol {market.symbol} there is no {market.kind} market: save the metadata of that one"
                )
            try:
                return _definition(entry)
            except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
                raise InstrumentMetadataError(
                    f"{path}: symbol {market.symbol}: field missing or unreadable: {error!r}"
                ) from error
    raise InstrumentMetadataError(f"{path}: symbol {market.symbol!r} is not in it: wrong market's metadata?")


def _is_of_other_kind(entry: dict[str, Any], kind: MarketKind) -> bool:
    """True where the entry says so: spot and perps of a venue share symbols, and their files look alike."""
    if kind is MarketKind.SPOT:
        return "contractType" in entry or "contractSize" in entry
    return "isSpotTradingAllowed" in entry or "basePrecision" in (entry.get("lotSizeFilter") or ())


def _entries(document: Any) -> Iterable[dict[str, Any]]:
    inside = (document.get("result"), document.get("data")) if isinstance(document, dict) else ()
    for holder in (document, *inside):
        if isinstance(holder, list):
            return _objects(holder)
        if isinstance(holder, dict):
            for key in ("symbols", "list"):
                if isinstance(holder.get(key), list):
                    return _objects(holder[key])
            if "contractSize" in holder and "symbol" in holder:
                return [holder]
    return []


def _objects(values: list[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _definition(entry: dict[str, Any]) -> Definition:
    if "contractSize" in entry and "volUnit" in entry:  # MEXC contract/detail
        return Definition(
            base=entry["baseCoin"],
            quote=entry["quoteCoin"],
            price_tick=_exact(entry["priceUnit"]),
            size_step=_exact(entry["volUnit"]),
            multiplier=_exact(entry["contractSize"]),
            min_size=_exact(entry["minVol"]),
            max_size=_exact(entry["maxVol"]),
        )
    if "priceFilter" in entry:  # Bybit instruments-info
        lot = entry["lotSizeFilter"]
        notional = lot.get("minNotionalValue") or lot.get("minOrderAmt")
        return Definition(
            base=entry["baseCoin"],
            quote=entry["quoteCoin"],
            price_tick=_exact(entry["priceFilter"]["tickSize"]),
            size_step=_exact(lot.get("qtyStep") or lot["basePrecision"]),
            min_size=_exact(lot["minOrderQty"]),
            max_size=_exact(lot["maxOrderQty"]),
            min_notional=_exact(notional) if notional else None,
        )
    filters = {f["filterType"]: f for f in entry.get("filters", [])}  # Binance exchangeInfo
    if "PRICE_FILTER" in filters:
        lot = filters["LOT_SIZE"]
        notional_filter = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
        notional = notional_filter.get("minNotional") or notional_filter.get("notional")
        return Definition(
            base=entry["baseAsset"],
            quote=entry["quoteAsset"],
            price_tick=_exact(filters["PRICE_FILTER"]["tickSize"]),
            size_step=_exact(lot["stepSize"]),
            multiplier=_exact(entry.get("contractSize", 1)),
            min_size=_exact(lot["minQty"]),
            max_size=_exact(lot["maxQty"]),
            min_notional=_exact(notional) if notional else None,
        )
    return Definition(  # MEXC spot exchangeInfo has no filters
        base=entry["baseAsset"],
        quote=entry["quoteAsset"],
        price_tick=Decimal(1).scaleb(-int(entry["quotePrecision"])),
        size_step=_exact(entry["baseSizePrecision"])
        if _exact(entry["baseSizePrecision"])
        else Decimal(1).scaleb(-int(entry["baseAssetPrecision"])),
    )


def _exact(value: Any) -> Decimal:
    # JSON numbers arrive as floats: their shortest text is what the venue wrote
    return Decimal(str(value))


def to_nautilus(market: Market, definition: Definition, ts_ns: int) -> Instrument:
    """The Nautilus instrument. Fees and margins are not the catalog's business: a replay's profile sets them."""
    base, quote = (_currency(c) for c in (definition.base, definition.quote))
    price_places, size_places = definition.price_places, definition.size_places
    common: dict[str, Any] = {
        "instrument_id": InstrumentId.from_str(market.instrument_id),
        "raw_symbol": Symbol(market.symbol),
        "base_currency": base,
        "quote_currency": quote,
        "price_precision": price_places,
        "size_precision": size_places,
        "price_increment": Price(definition.price_tick, price_places),
        "size_increment": _quantity(definition.size_step, size_places),
        "min_quantity": _quantity(definition.min_size, size_places),
        "max_quantity": _quantity(definition.max_size, size_places),
        "min_notional": None if definition.min_notional is None else Money(definition.min_notional, quote),
        "multiplier": Quantity.from_str(f"{definition.multiplier.normalize():f}"),
        "margin_init": Decimal(0),
        "margin_maint": Decimal(0),
        "maker_fee": Decimal(0),
        "taker_fee": Decimal(0),
        "ts_event": ts_ns,
        "ts_init": ts_ns,
        "info": {"asset": definition.base, "kind": str(market.kind), "definition": str(definition.source)},
    }
    if market.kind is MarketKind.SPOT:
        del common["multiplier"]
        return CurrencyPair(lot_size=None, **common)
    settlement = base if market.inverse else quote
    return CryptoPerpetual(settlement_currency=settlement, is_inverse=market.inverse, **common)


def _quantity(value: Decimal | None, size_places: int) -> Quantity | None:
    # venues state bounds with more places than the step allows (minQty 0.00100000): the value is what counts
    return None if value is None or value <= 0 else Quantity(value, max(size_places, 0))


def _currency(code: str) -> Currency:
    known = Currency.from_str(code, strict=False)
    return known if known is not None else Currency(code, 8, 0, code, CurrencyType.CRYPTO)
