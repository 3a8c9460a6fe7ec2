"""Contracts made by hand, for tests of parsing and books."""

from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.model.instruments import CryptoPerpetual

from adapters.mexc.contracts import SCHEDULE_FEES, contract_instrument
from adapters.mexc.parsing import ContractParser
from adapters.mexc.schemas.public_rest import ContractDetail, DepthSnapshot, Level
from adapters.mexc.schemas.public_socket import DepthUpdate

NOW = 1_790_870_040_000_000_000


def detail(symbol: str = "BTC_USDT", **changes: Any) -> ContractDetail:
    """A linear perpetual with a tick of 0.1 and whole contracts of 0.0001."""
    base, quote = symbol.split("_")
    return ContractDetail(
        **{
            "symbol": symbol,
            "base_coin": base,
            "quote_coin": quote,
            "settle_coin": quote,
            "contract_size": Decimal("0.0001"),
            "price_unit": Decimal("0.1"),
            "vol_unit": Decimal(1),
            "min_vol": Decimal(1),
            "max_vol": Decimal(400_000),
            "limit_max_vol": Decimal(2_500_000),
            "price_scale": 1,
            "state": 0,
            "api_allowed": True,
            "initial_margin_rate": Decimal("0.002"),
            "maintenance_margin_rate": Decimal("0.001"),
        }
        | changes
    )


def instrument(symbol: str = "BTC_USDT", **changes: Any) -> CryptoPerpetual:
    return contract_instrument(detail(symbol, **changes), SCHEDULE_FEES, NOW)


def parser(symbol: str = "BTC_USDT", **changes: Any) -> ContractParser:
    return ContractParser(instrument(symbol, **changes))


def levels(*rows: tuple[str, int]) -> list[Level]:
    return [Level(Decimal(price), Decimal(volume), 1) for price, volume in rows]


def update(
    first: int,
    last: int | None = None,
    *,
    bids: list[Level] | None = None,
    asks: list[Level] | None = None,
    cts: int = 1_790_870_040_000,
) -> DepthUpdate:
    """Versions `first` to `last`; without `last`, an unmerged one."""
    merged = {} if last is None else {"begin": first, "end": last}
    return DepthUpdate(asks=asks or [], bids=bids or [], version=first if last is None else last, cts=cts, **merged)


def snapshot(version: int, *, bids: list[Level] | None = None, asks: list[Level] | None = None) -> DepthSnapshot:
    return DepthSnapshot(
        asks=levels(("100.1", 5)) if asks is None else asks,
        bids=levels(("100.0", 5)) if bids is None else bids,
        version=version,
        timestamp=1_790_870_039_900,
    )


def wire(contract: ContractDetail) -> bytes:
    """A contract as the venue writes it."""
    return msgspec.json.Encoder(decimal_format="number").encode(contract)
