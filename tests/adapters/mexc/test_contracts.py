"""Contracts as instruments: steps, limits, fees, flags, and reasons for those that are none."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.objects import Price, Quantity

from adapters.mexc.contracts import ContractFees, contract_instrument, exclusion
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.public_rest import ContractDetail
from tests.adapters.mexc.recorded_payloads import frame_data, needs_fixtures, rest_data
from tests.adapters.mexc.small_contracts import NOW, detail, instrument, wire


@needs_fixtures
def test_recorded_contract() -> None:
    """BTC_USDT: contracts stay contracts, each 0.0001 BTC."""
    contract = rest_data("rest_public_contract_detail_btc_usdt", ContractDetail)
    fees = ContractFees(Decimal("0.0003"), Decimal("0.0004"), "account")
    made = contract_instrument(contract, fees, NOW)
    assert made.id.value == "BTCUSDT-PERP.MEXC"
    assert made.raw_symbol.value == "BTC_USDT"
    assert (made.price_increment, made.price_precision) == (Price.from_str("0.1"), 1)
    assert (made.size_increment, made.size_precision) == (Quantity.from_int(1), 0)
    assert made.multiplier == Quantity.from_str("0.0001")
    assert (made.min_quantity, made.max_quantity) == (Quantity.from_int(1), Quantity.from_int(400_000))
    assert (made.margin_init, made.margin_maint) == (Decimal("0.002"), Decimal("0.001"))
    assert (made.maker_fee, made.taker_fee, made.info["feeSource"]) == (Decimal("0.0003"), Decimal("0.0004"), "account")
    assert (made.is_inverse, made.quote_currency, made.settlement_currency) == (False, USDT, USDT)
    assert (made.info["inverse"], made.info["excluded"], made.info["asset"]) == (False, None, "BTC")
    assert (made.info["maxVol"], made.info["limitMaxVol"]) == ("400000", "2500000")
    assert made.info["riskLimitCustom"][0]["maxVol"] == "120000"
    assert made.notional_value(Quantity.from_int(5), Price.from_str("84062.6")).as_decimal() == Decimal("42.03130000")


@needs_fixtures
def test_pushed_contract_is_not_tradable_by_itself() -> None:
    """The socket does not say whether the API may trade: unknown is no."""
    pushed = frame_data("ws_public_contract_update_doc", ContractDetail)
    assert pushed.contract_size == 10
    assert exclusion(pushed) == "apiAllowed is missing: not known to be open to the API"


def test_without_a_key_the_fees_are_the_api_schedules() -> None:
    """Not the web page's, which are lower."""
    made = instrument(taker_fee_rate=Decimal("0.0002"), maker_fee_rate=Decimal(0))
    assert (made.maker_fee, made.taker_fee) == (Decimal("0.0006"), Decimal("0.0008"))
    assert made.info["feeSource"] == "schedule"


def test_inverse_contracts_are_flagged() -> None:
    """Settled in the coin, counted in USD: ten USD each."""
    made = instrument("ETH_USD", settle_coin="ETH", contract_size=Decimal(10))
    assert (made.is_inverse, made.info["inverse"]) == (True, True)
    assert made.id.value == "ETHUSD-PERP.MEXC"
    assert made.settlement_currency.code == "ETH"
    # 30 contracts of 10 USD at 2,000 are 300 USD, or 0.15 ETH
    assert made.notional_value(Quantity.from_int(30), Price.from_str("2000.0")).as_decimal() == Decimal("0.15")


@pytest.mark.parametrize(
    ("changes", "tick", "places", "step", "size_places"),
    [
        ({"price_unit": Decimal("0.5"), "price_scale": 2}, "0.5", 1, "1", 0),
        ({"price_unit": Decimal("1E-7")}, "0.0000001", 7, "1", 0),
        ({"price_unit": Decimal("5.0")}, "5", 0, "1", 0),
        ({"vol_unit": Decimal("0.1"), "min_vol": Decimal("0.1"), "vol_scale": 1}, "0.1", 1, "0.1", 1),
        ({"vol_scale": 2}, "0.1", 1, "1.00", 2),
        ({"vol_unit": Decimal("0.01"), "vol_scale": 0}, "0.1", 1, "0.01", 2),
    ],
)
def test_tick_and_step(changes: dict[str, Any], tick: str, places: int, step: str, size_places: int) -> None:
    """The tick is priceUnit, whatever priceScale says; the step is volUnit."""
    made = instrument(**changes)
    assert (str(made.price_increment), made.price_precision) == (tick, places)
    assert (str(made.size_increment), made.size_precision) == (step, size_places)


def test_the_smaller_maximum_counts() -> None:
    """One bound for both order types: neither can be exceeded."""
    assert instrument(max_vol=Decimal(9), limit_max_vol=Decimal(5)).max_quantity == Quantity.from_int(5)
    assert instrument(max_vol=Decimal(9), limit_max_vol=None).max_quantity == Quantity.from_int(9)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"future_type": 2}, "futureType 2: not a perpetual"),
        ({"state": 4}, "state 4: not enabled"),
        ({"state": 9}, "state 9: not enabled"),
        ({"api_allowed": False}, "apiAllowed is false: web and app only"),
        ({"api_allowed": None}, "apiAllowed is missing: not known to be open to the API"),
    ],
)
def test_reasons(changes: dict[str, Any], reason: str | None) -> None:
    """Every contract that is not traded has its reason in words."""
    assert exclusion(detail(**changes)) == reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_unit": Decimal(0)}, "priceUnit"),
        ({"price_unit": Decimal("1E-20")}, "priceUnit"),
        ({"vol_unit": Decimal(-1)}, "volUnit"),
        ({"vol_scale": 40}, "volScale"),
        ({"contract_size": Decimal("1E+40")}, "contractSize"),
        ({"min_vol": Decimal(0)}, "minVol"),
        ({"min_vol": Decimal("0.5")}, "minVol"),
        ({"initial_margin_rate": None}, "initialMarginRate"),
        ({"maintenance_margin_rate": Decimal(2)}, "maintenanceMarginRate"),
        ({"future_type": 2}, "futureType"),
    ],
)
def test_numbers_that_no_contract_can_have(changes: dict[str, Any], field: str) -> None:
    """The error names the field."""
    with pytest.raises(MexcPayloadError, match=f"^detail: {field}: "):
        instrument(**changes)


def test_names_that_the_engine_cannot_hold() -> None:
    """Some coins have names in Chinese: an error, which becomes an exclusion."""
    with pytest.raises(MexcPayloadError, match="cannot be an instrument"):
        instrument("\u5e01\u5b89_USDT")


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity"])
def test_numbers_that_are_none(number: str) -> None:
    """As text they decode as decimals: refused where they come in."""
    text = wire(detail()).replace(b'"contractSize":0.0001', b'"contractSize":"%b"' % number.encode())
    with pytest.raises(MexcPayloadError, match=f"contractSize: {number} is no number"):
        decode(text, ContractDetail, "detail")
