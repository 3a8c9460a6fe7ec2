"""A contract's metadata as a Nautilus instrument, or the reason why it is none.

Contracts stay contracts: quantities count them, and ``multiplier`` is ``contractSize``, so notional, PnL and fees come
out right and nothing is divided or rounded on the way. Inverse contracts (settled in their base coin) count
``contractSize`` quote units each and are flagged.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.model.identifiers import Symbol
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Price, Quantity

from adapters.mexc import assumptions
from adapters.mexc.constants import MexcContractState
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.public_rest import ContractDetail
from adapters.mexc.symbols import contract_id, currency
from adapters.mexc.wire_numbers import RAW_SCALE, exact, name_text, places, plain_text

CHANNEL = "detail"


@dataclass(frozen=True)
class ContractFees:
    """Fractions of the notional; `source` says whose: "account" or "schedule"."""

    maker: Decimal
    taker: Decimal
    source: str


SCHEDULE_FEES = ContractFees(assumptions.API_MAKER_FEE, assumptions.API_TAKER_FEE, "schedule")


def exclusion(detail: ContractDetail) -> str | None:
    """Why a contract cannot be traded here, in words for the user; None when it can."""
    if not detail.is_perpetual:
        return f"futureType {detail.future_type}: not a perpetual"
    if detail.state != MexcContractState.ENABLED:
        return f"state {detail.state}: not enabled"
    if detail.api_allowed is None:
        return "apiAllowed is missing: not known to be open to the API"
    if not detail.api_allowed:
        return "apiAllowed is false: web and app only"
    return None


def contract_instrument(detail: ContractDetail, fees: ContractFees, ts_ns: int) -> CryptoPerpetual:
    """The instrument. MexcPayloadError, naming the field, when a number cannot be one of a contract.

    ``info`` has the metadata by their wire names (decimals as text), ``asset`` and ``kind`` as in the catalog,
    ``feeSource``, ``inverse``, and ``excluded``: why it may not be traded, or None.
    """
    if not detail.is_perpetual:
        raise MexcPayloadError(CHANNEL, "futureType", f"{detail.symbol} is not a perpetual: {detail.future_type}")
    if not name_text(detail.symbol, CHANNEL, "symbol").isascii():
        raise MexcPayloadError(CHANNEL, "symbol", f"{detail.symbol} cannot be an instrument: names must be in ASCII")
    for field, coin in (
        ("baseCoin", detail.base_coin),
        ("quoteCoin", detail.quote_coin),
        ("settleCoin", detail.settle_coin),
    ):
        name_text(coin, CHANNEL, field)
    price_places = _places(detail.price_unit, "priceUnit", detail.symbol)
    size_places = max(_places(detail.vol_unit, "volUnit", detail.symbol), detail.vol_scale)
    if size_places > RAW_SCALE:
        raise MexcPayloadError(CHANNEL, "volScale", f"{detail.symbol}: {detail.vol_scale} decimal places")
    try:
        return _instrument(detail, fees, price_places, size_places, ts_ns)
    except ValueError as error:  # the engine's own rules: names in ASCII, for one
        raise MexcPayloadError(CHANNEL, "symbol", f"{detail.symbol} cannot be an instrument: {error}") from error


def _instrument(
    detail: ContractDetail, fees: ContractFees, price_places: int, size_places: int, ts_ns: int
) -> CryptoPerpetual:
    step = _quantity(detail.vol_unit, size_places, "volUnit", detail.symbol)
    return CryptoPerpetual(
        instrument_id=contract_id(detail.symbol),
        raw_symbol=Symbol(detail.symbol),
        base_currency=currency(detail.base_coin),
        quote_currency=currency(detail.quote_coin),
        settlement_currency=currency(detail.settle_coin),
        is_inverse=detail.is_inverse,
        price_precision=price_places,
        size_precision=size_places,
        price_increment=Price.from_str(f"{detail.price_unit:.{price_places}f}"),
        size_increment=step,
        multiplier=_multiplier(detail),
        lot_size=step,
        max_quantity=_quantity(max_volume(detail), size_places, "maxVol", detail.symbol),
        min_quantity=_quantity(detail.min_vol, size_places, "minVol", detail.symbol),
        margin_init=_rate(detail.initial_margin_rate, "initialMarginRate", detail.symbol),
        margin_maint=_rate(detail.maintenance_margin_rate, "maintenanceMarginRate", detail.symbol),
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        ts_event=ts_ns,
        ts_init=ts_ns,
        info=_info(detail, fees),
    )


def max_volume(detail: ContractDetail) -> Decimal:
    """The most contracts of one order, whichever its type."""
    if detail.limit_max_vol is None or not assumptions.MAX_QUANTITY_IS_THE_SMALLER:
        return detail.max_vol
    return min(detail.max_vol, detail.limit_max_vol)


def _info(detail: ContractDetail, fees: ContractFees) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(detail)
    return wire | {
        "asset": detail.base_coin,
        "kind": "perp",
        "inverse": detail.is_inverse,
        "feeSource": fees.source,
        "excluded": exclusion(detail),
    }


def _places(unit: Decimal, field: str, symbol: str) -> int:
    count = places(_positive(unit, field, symbol))
    if count > RAW_SCALE:
        raise MexcPayloadError(CHANNEL, field, f"{symbol}: {plain_text(unit)} needs {count} decimal places")
    return count


def _multiplier(detail: ContractDetail) -> Quantity:
    size = _positive(detail.contract_size, "contractSize", detail.symbol)
    return _quantity(size, min(places(size), RAW_SCALE), "contractSize", detail.symbol)


def _quantity(value: Decimal, precision: int, field: str, symbol: str) -> Quantity:
    _positive(value, field, symbol)
    if places(value) > precision:
        raise MexcPayloadError(CHANNEL, field, f"{symbol}: {plain_text(value)} has more than {precision} places")
    return Quantity.from_str(f"{value:.{precision}f}")


def _positive(value: Decimal, field: str, symbol: str) -> Decimal:
    if exact(value, CHANNEL, field) <= 0:
        raise MexcPayloadError(CHANNEL, field, f"{symbol}: {plain_text(value)} must be above 0")
    return value


def _rate(value: Decimal | None, field: str, symbol: str) -> Decimal:
    if value is None:
        raise MexcPayloadError(CHANNEL, field, f"{symbol}: required field is missing")
    if not 0 <= exact(value, CHANNEL, field) <= 1:
        raise MexcPayloadError(CHANNEL, field, f"{symbol}: {plain_text(value)} is no fraction of a notional")
    return value
