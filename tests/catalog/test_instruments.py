"""Instrument definitions out of the venues' own metadata."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair

from catalog.instruments import (
    Definition,
    InstrumentMetadataError,
    Source,
    places,
    read_definition,
    split_symbol,
    to_nautilus,
)
from catalog.markets import Market, MarketKind
from tests.catalog.hand_made import PERP, SPOT

SHARED = Path(__file__).parents[2].parent / "shared"
BYBIT = SHARED / "data" / "wire_samples" / "bybit_v5_nautilus"
BINANCE = SHARED / "data" / "wire_samples" / "binance_cryptofeed"
MEXC = SHARED / "fixtures" / "mexc"

BTC = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"}
PRICE = {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"}
LOT = {"filterType": "LOT_SIZE", "minQty": "0.002", "maxQty": "1000", "stepSize": "0.001"}
NOTIONAL = {"filterType": "MIN_NOTIONAL", "notional": "5"}


def market(venue: str, symbol: str, *, spot: bool = False, inverse: bool = False) -> Market:
    return Market(venue, MarketKind.SPOT if spot else MarketKind.PERP, symbol, inverse)


def save(folder: Path, document: Any) -> Path:
    path = folder / "metadata.json"
    path.write_text(json.dumps(document))
    return path


def exchange_info(folder: Path, *filters: dict[str, str], **fields: Any) -> Path:
    return save(folder, {"timezone": "UTC", "symbols": [{"symbol": "ETHUSDT"}, {**BTC, **fields, "filters": filters}]})


def numbers(definition: Definition) -> dict[str, str | None]:
    names = ("price_tick", "size_step", "multiplier", "min_size", "max_size", "min_notional")
    values = {name: getattr(definition, name) for name in names}
    return {name: None if value is None else f"{value.normalize():f}" for name, value in values.items()}


class TestBinance:
    def test_futures(self, tmp_path: Path) -> None:
        """Tick, step, bounds and the notional of USDT-M, which is called `notional` there."""
        definition = read_definition(exchange_info(tmp_path, PRICE, LOT, NOTIONAL), PERP)
        assert definition == Definition(
            "BTC",
            "USDT",
            price_tick=Decimal("0.1"),
            size_step=Decimal("0.001"),
            min_size=Decimal("0.002"),
            max_size=Decimal(1000),
            min_notional=Decimal(5),
            source=Source.METADATA,
        )
        assert (definition.price_places, definition.size_places) == (1, 3)

    def test_coin_margined(self, tmp_path: Path) -> None:
        """A contract of COIN-M is worth `contractSize` of quote currency."""
        path = exchange_info(tmp_path, PRICE, LOT, symbol="BTCUSD_PERP", quoteAsset="USD", contractSize=100)
        definition = read_definition(path, market("BINANCE_COINM", "BTCUSD_PERP", inverse=True))
        assert (definition.quote, definition.multiplier) == ("USD", 100)

    @pytest.mark.parametrize("notional", [{"filterType": "NOTIONAL", "minNotional": "10.0"}, None])
    def test_spot(self, tmp_path: Path, notional: dict[str, str] | None) -> None:
        """The newer filter is NOTIONAL with `minNotional`; a market without one has no limit."""
        filters = [PRICE, LOT] + ([notional] if notional else [])
        definition = read_definition(exchange_info(tmp_path, *filters, isSpotTradingAllowed=True), SPOT)
        assert definition.min_notional == (Decimal(10) if notional else None)

    @pytest.mark.skipif(not BINANCE.is_dir(), reason="the wire samples are not beside this checkout")
    @pytest.mark.parametrize(
        ("name", "asked", "expected"),
        [
            ("BINANCE", SPOT, ("0.01", "0.00001", "1", "0.00001", "9000", "10")),
            ("BINANCE", market("BINANCE_SPOT", "NKNUSDT", spot=True), ("0.0001", "1", "1", "1", "9000000", "10")),
            ("BINANCE_FUTURES", PERP, ("0.01", "0.001", "1", "0.001", "1000", "5")),
            ("BINANCE_FUTURES", market("BINANCE", "SUSHIUSDT"), ("0.001", "1", "1", "1", "10000000", "5")),
        ],
    )
    def test_recorded_replies(self, tmp_path: Path, name: str, asked: Market, expected: tuple[str, ...]) -> None:
        """Replies of 2021, spot and futures, as the venue served them."""
        with gzip.open(BINANCE / f"{name}.0.gz", "rt") as lines:
            reply = next(line for line in lines if "exchangeInfo" in line).partition(": ")[2]
        path = tmp_path / "exchangeInfo.json"
        path.write_text(reply)
        definition = read_definition(path, asked)
        assert tuple(numbers(definition).values()) == expected
        assert definition.base + definition.quote == asked.symbol


@pytest.mark.skipif(not BYBIT.is_dir(), reason="the wire samples are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("linear", market("BYBIT", "BTCUSDT"), ("0.5", "0.001", "1", "0.001", "100", "5")),
        ("spot", market("BYBIT", "ETHUSDT", spot=True), ("0.01", "0.00001", "1", "0.001", "1000", "10")),
        ("inverse", market("BYBIT", "BTCUSD", inverse=True), ("0.5", "1", "1", "1", "1000000", None)),
    ],
)
def test_bybit_replies(name: str, asked: Market, expected: tuple[str | None, ...]) -> None:
    """instruments-info of v5: spot has basePrecision and minOrderAmt where linear has qtyStep and minNotionalValue."""
    definition = read_definition(BYBIT / f"http_get_instruments_{name}.json", asked)
    assert tuple(numbers(definition).values()) == expected
    assert definition.base + definition.quote == asked.symbol


@pytest.mark.skipif(not MEXC.is_dir(), reason="the MEXC fixtures are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        (
            "rest_public_contract_detail_btc_usdt",
            market("MEXC", "BTC_USDT"),
            ("0.1", "1", "0.0001", "1", "400000", None),
        ),
        (
            "rest_spot_exchange_info_btcusdt",
            market("MEXC_SPOT", "BTCUSDT", spot=True),
            ("0.01", "0.000001", "1", None, None, None),
        ),
    ],
)
def test_mexc_replies(name: str, asked: Market, expected: tuple[str | None, ...]) -> None:
    """contract/detail of one contract, counted in contracts of 0.0001 BTC, and exchangeInfo of spot without filters."""
    definition = read_definition(MEXC / f"{name}.json", asked)
    assert tuple(numbers(definition).values()) == expected
    assert (definition.base, definition.quote) == ("BTC", "USDT")


def test_mexc_contracts_as_a_list_and_small_numbers(tmp_path: Path) -> None:
    """The unfiltered reply is a list; 1e-10 is a number of JSON and stays exact."""
    entry = {"symbol": "PEPE_USDT", "baseCoin": "PEPE", "quoteCoin": "USDT", "contractSize": 100000}
    entry |= {"priceUnit": 1e-10, "volUnit": 1, "minVol": 1, "maxVol": 5e6}
    path = save(tmp_path, {"success": True, "data": [{"symbol": "BTC_USDT"}, entry]})
    definition = read_definition(path, market("MEXC", "PEPE_USDT"))
    assert list(numbers(definition).values())[:3] == ["0.0000000001", "1", "100000"]
    assert definition.price_places == 10


def test_mexc_spot_without_a_step_has_that_of_its_precision(tmp_path: Path) -> None:
    """baseSizePrecision 0 means that only the asset's decimals bound the size."""
    entry = {**BTC, "baseAssetPrecision": 5, "quotePrecision": 2, "baseSizePrecision": "0"}
    definition = read_definition(save(tmp_path, {"symbols": [entry]}), market("MEXC_SPOT", "BTCUSDT", spot=True))
    assert (definition.price_tick, definition.size_step) == (Decimal("0.01"), Decimal("0.00001"))


class TestUnusableMetadata:
    @pytest.mark.parametrize("text", [None, "", "<html>", '{"symbols": ['])
    def test_no_json(self, tmp_path: Path, text: str | None) -> None:
        """A missing or broken file is named with what to do."""
        path = tmp_path / "metadata.json"
        if text is not None:
            path.write_text(text)
        with pytest.raises(InstrumentMetadataError, match=r"cannot be read as JSON .* save the venue's reply") as error:
            read_definition(path, PERP)
        assert str(path) in str(error.value)

    @pytest.mark.parametrize(
        "document",
        [
            [],
            {},
            3,
            "BTCUSDT",
            {"data": ["BTCUSDT"]},
            {"symbols": ["BTCUSDT"]},
            [{"symbol": "ETHUSDT"}],
            {"success": False, "code": 1001, "message": "Contract does not exist"},
            {"retCode": 0, "result": {"list": [{"symbol": "ETHUSDT"}]}},
        ],
    )
    def test_the_symbol_is_not_in_it(self, tmp_path: Path, document: Any) -> None:
        """Another market's file, an error reply, or no metadata at all."""
        path = save(tmp_path, document)
        with pytest.raises(InstrumentMetadataError, match="symbol 'BTCUSDT' is not in it: wrong market's metadata"):
            read_definition(path, PERP)

    @pytest.mark.parametrize(
        ("filters", "fields", "missing"),
        [
            ([PRICE], {}, "LOT_SIZE"),
            ([PRICE, {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "2"}], {}, "stepSize"),
            ([{"filterType": "PRICE_FILTER"}, LOT], {}, "tickSize"),
            ([PRICE | {"tickSize": "0.00000000"}, LOT], {}, "price_tick must be a positive number, got 0"),
            ([PRICE | {"tickSize": "NaN"}, LOT], {}, "price_tick must be a positive number, got NaN"),
            ([PRICE | {"tickSize": "a tenth"}, LOT], {}, "InvalidOperation"),
            ([PRICE, LOT], {"baseAsset": None, "contractSize": "-1"}, "multiplier must be a positive number"),
            (["PRICE_FILTER"], {}, "TypeError"),
            ([], {}, "quotePrecision"),
            ([], {"quotePrecision": "two", "baseSizePrecision": "1"}, "two"),
        ],
    )
    def test_a_field_is_missing_or_unreadable(
        self, tmp_path: Path, filters: list[Any], fields: dict[str, Any], missing: str
    ) -> None:
        """The error has the file, the symbol and the field."""
        path = exchange_info(tmp_path, *filters, **fields)
        with pytest.raises(InstrumentMetadataError) as error:
            read_definition(path, PERP)
        assert f"{path}: symbol BTCUSDT: field missing or unreadable" in str(error.value)
        assert missing in str(error.value)

    def test_spot_and_perps_of_one_symbol_are_told_apart(self, tmp_path: Path) -> None:
        """A file that says it is of the other kind is refused: BTCUSDT is in both."""
        futures = exchange_info(tmp_path, PRICE, LOT, contractType="PERPETUAL")
        with pytest.raises(InstrumentMetadataError, match="BTCUSDT there is no spot market: save the metadata of that"):
            read_definition(futures, SPOT)
        spot = exchange_info(tmp_path, PRICE, LOT, isSpotTradingAllowed=True)
        with pytest.raises(InstrumentMetadataError, match="BTCUSDT there is no perp market"):
            read_definition(spot, PERP)
        bybit = {"symbol": "BTCUSDT", "priceFilter": {}, "lotSizeFilter": {"basePrecision": "0.0001"}}
        with pytest.raises(InstrumentMetadataError, match="BTCUSDT there is no perp market"):
            read_definition(save(tmp_path, {"result": {"list": [bybit]}}), market("BYBIT", "BTCUSDT"))


@pytest.mark.parametrize(
    ("venue", "symbol", "spot", "expected"),
    [
        ("BINANCE", "BTCUSDT", False, ("BTC", "USDT")),
        ("BINANCE_SPOT", "USDTTRY", True, ("USDT", "TRY")),
        ("BINANCE_SPOT", "ETHBTC", True, ("ETH", "BTC")),
        ("BINANCE_SPOT", "BTCFDUSD", True, ("BTC", "FDUSD")),
        ("BINANCE_COINM", "TRXUSD_PERP", False, ("TRX", "USD")),
        ("MEXC", "BTC_USDT", False, ("BTC", "USDT")),
        ("BYBIT", "1000PEPEUSDT", False, ("1000PEPE", "USDT")),
    ],
)
def test_base_and_quote_of_a_symbol(venue: str, symbol: str, spot: bool, expected: tuple[str, str]) -> None:
    """The quote is the known currency at the end, or what follows the underscore."""
    assert split_symbol(market(venue, symbol, spot=spot)) == expected


@pytest.mark.parametrize("symbol", ["BTCXYZ", "USDT", ""])
def test_a_symbol_without_a_known_quote_asks_for_metadata(symbol: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(InstrumentMetadataError, match=f"'{symbol}': give --instruments"):
        split_symbol(market("BINANCE", symbol))


@pytest.mark.parametrize(("step", "count"), [("0.10", 1), ("0.5", 1), ("5", 0), ("1E+1", 0), ("1.000", 0), ("1E-8", 8)])
def test_places_of_a_step(step: str, count: int) -> None:
    """Trailing zeros do not count."""
    assert places(Decimal(step)) == count


class TestNautilus:
    def test_a_perp(self) -> None:
        """Precisions from tick and step, the multiplier of contracts, and where the definition came from."""
        asked = market("MEXC", "BTC_USDT")
        definition = Definition("BTC", "USDT", Decimal("0.5"), Decimal(1), Decimal("0.0001"), min_notional=Decimal(5))
        instrument = to_nautilus(asked, definition, 7)
        assert isinstance(instrument, CryptoPerpetual)
        assert str(instrument.id) == "BTCUSDT-PERP.MEXC"
        assert str(instrument.raw_symbol) == "BTC_USDT"
        assert (str(instrument.price_increment), instrument.price_precision) == ("0.5", 1)
        assert (str(instrument.size_increment), instrument.size_precision) == ("1", 0)
        assert str(instrument.multiplier) == "0.0001"
        assert not instrument.is_inverse
        assert instrument.settlement_currency.code == "USDT"
        assert instrument.min_notional.as_decimal() == 5
        assert instrument.info == {"asset": "BTC", "kind": "perp", "definition": "metadata"}
        assert instrument.ts_init == 7

    def test_an_inverse_perp_settles_in_its_base(self) -> None:
        """COIN-M pays in coins."""
        asked = market("BINANCE_COINM", "TRXUSD_PERP", inverse=True)
        instrument = to_nautilus(asked, Definition("TRX", "USD", Decimal("0.00001"), Decimal(1), Decimal(10)), 0)
        assert instrument.is_inverse
        assert instrument.settlement_currency.code == "TRX"

    def test_spot_and_a_coin_that_nautilus_does_not_know(self) -> None:
        """A new coin becomes a currency of eight decimals; bounds with trailing zeros are the same bounds."""
        asked = market("BINANCE_SPOT", "NEWCOINXUSDT", spot=True)
        definition = Definition("NEWCOINX", "USDT", Decimal("0.01"), Decimal("0.1"), min_size=Decimal("0.10000000"))
        instrument = to_nautilus(asked, definition, 0)
        assert isinstance(instrument, CurrencyPair)
        assert (instrument.base_currency.code, instrument.base_currency.precision) == ("NEWCOINX", 8)
        assert str(instrument.min_quantity) == "0.1"
        assert instrument.max_quantity is None


@pytest.mark.parametrize(
    ("asked", "instrument_id"),
    [
        (PERP, "BTCUSDT-PERP.BINANCE"),
        (SPOT, "BTCUSDT.BINANCE_SPOT"),
        (market("BINANCE_COINM", "TRXUSD_PERP", inverse=True), "TRXUSD-PERP.BINANCE_COINM"),
        (market("BYBIT", "BTCUSDT"), "BTCUSDT-LINEAR.BYBIT"),
        (market("BYBIT", "BTCUSDT", spot=True), "BTCUSDT-SPOT.BYBIT"),
        (market("BYBIT", "BTCUSD", inverse=True), "BTCUSD-INVERSE.BYBIT"),
        (market("MEXC", "BTC_USDT"), "BTCUSDT-PERP.MEXC"),
        (market("MEXC_SPOT", "BTCUSDT", spot=True), "BTCUSDT.MEXC_SPOT"),
    ],
)
def test_instrument_ids(asked: Market, instrument_id: str) -> None:
    """As Nautilus's adapters name them."""
    assert asked.instrument_id == instrument_id
