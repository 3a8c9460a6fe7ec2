from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtests.profile import Profile, load_profile
from backtests.universe import universe
from catalog.instruments import Definition
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import Chunk, Kind
from strategies.features import FlowMarket
from tests.backtests.conftest import TENTHS, book, chunk, trades, write_catalog

BINANCE = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
BYBIT = Market("BYBIT", MarketKind.PERP, "BTCUSDT")
MEXC = Market("MEXC", MarketKind.PERP, "BTC_USDT")
SPOT = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT")
ETH = Market("BINANCE", MarketKind.PERP, "ETHUSDT")
FRAMES = [(10, "snapshot", [("99.9", "1")], [("100.1", "1")])]
BOOK, PRINTS = book(FRAMES), trades([20, 30])
QUOTES = chunk(Kind.QUOTES, {"bid_price": ["1"], "ask_price": ["2"], "bid_size": ["1"], "ask_size": ["1"]}, [10])


def make(root: Path, series: dict[Market, Sequence[Chunk]], **others: Any) -> Catalog:
    bases = {ETH: replace(TENTHS, base="ETH")}
    return write_catalog(root, series, bases | others.pop("definitions", {}), **others)


def profile(**replay: Any) -> Profile:
    base = load_profile()
    return base.model_copy(update={"replay": base.replay.model_copy(update=replay)})


def names(instruments: Sequence[Any]) -> list[str]:
    return [i.id.value for i in instruments]


def test_the_lead_is_the_first_venue_that_has_the_perp(tmp_path: Path) -> None:
    """Perps before spot, and among perps the order of lead_venues."""
    catalog = make(tmp_path, {SPOT: [BOOK, PRINTS], BYBIT: [BOOK, PRINTS], BINANCE: [BOOK, PRINTS]})
    found = universe(catalog, profile())
    assert names(found.assets["BTC"]) == ["BTCUSDT-PERP.BINANCE", "BTCUSDT-LINEAR.BYBIT", "BTCUSDT.BINANCE_SPOT"]
    other = universe(catalog, profile(lead_venues=("BYBIT", "BINANCE")))
    assert names(other.assets["BTC"])[0] == "BTCUSDT-LINEAR.BYBIT"


def test_every_perp_of_the_venues_is_tradable_the_lead_first(tmp_path: Path) -> None:
    """In the order of lead_venues; spot never is, nor a perp without a book or of a venue that is not listed."""
    catalog = make(tmp_path, {SPOT: [BOOK, PRINTS], BYBIT: [BOOK, PRINTS], BINANCE: [BOOK, PRINTS], MEXC: [PRINTS]})
    both = ["BTCUSDT-PERP.BINANCE", "BTCUSDT-LINEAR.BYBIT"]
    assert names(universe(catalog, profile()).tradable["BTC"]) == both
    assert names(universe(catalog, profile(lead_venues=("BYBIT", "BINANCE"))).tradable["BTC"]) == both[::-1]
    assert names(universe(catalog, profile(lead_venues=("BYBIT",))).tradable["BTC"]) == both[1:]


def test_a_perp_with_a_book_leads_one_without(tmp_path: Path) -> None:
    """Without a book nothing can be traded, whatever the order of the venues."""
    found = universe(make(tmp_path, {BINANCE: [PRINTS], BYBIT: [BOOK, PRINTS]}), profile())
    assert names(found.assets["BTC"]) == ["BTCUSDT-LINEAR.BYBIT", "BTCUSDT-PERP.BINANCE"]
    assert names(found.tradable["BTC"]) == ["BTCUSDT-LINEAR.BYBIT"]


def test_what_cannot_be_traded_is_still_measured(tmp_path: Path) -> None:
    """Spot alone, a perp without a book, a venue that is not listed: an asset of flow, and not tradable."""
    assert universe(make(tmp_path / "spot", {SPOT: [BOOK, PRINTS]}), profile()).tradable == {}
    assert universe(make(tmp_path / "prints", {BINANCE: [PRINTS]}), profile()).tradable == {}
    unlisted = universe(make(tmp_path / "venue", {BINANCE: [BOOK, PRINTS]}), profile(lead_venues=("BYBIT",)))
    assert unlisted.tradable == {}
    assert names(unlisted.instruments) == ["BTCUSDT-PERP.BINANCE"]


def test_what_is_left_out_is_said_with_its_reason(tmp_path: Path) -> None:
    """Inverse markets, other quotes, quotes alone, and assets that were not asked for."""
    coin_m = Market("BINANCE_COINM", MarketKind.PERP, "BTCUSD_PERP", inverse=True)
    cross = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCTRY")
    quoted = Market("BYBIT", MarketKind.SPOT, "BTCUSDT")
    series = {BINANCE: [BOOK, PRINTS], coin_m: [PRINTS], cross: [PRINTS], quoted: [QUOTES], ETH: [PRINTS]}
    definitions = {
        coin_m: Definition("BTC", "USD", Decimal("0.1"), Decimal(1), Decimal(100)),
        cross: replace(TENTHS, quote="TRY"),
    }
    found = universe(make(tmp_path, series, definitions=definitions), profile(assets=("BTC",)))
    assert names(found.instruments) == ["BTCUSDT-PERP.BINANCE"]
    for name, why in {
        "BTCUSD-PERP.BINANCE_COINM": "inverse",
        "BTCTRY.BINANCE_SPOT": "quoted in TRY",
        "BTCUSDT-SPOT.BYBIT": "has neither trades nor a book",
        "ETHUSDT-PERP.BINANCE": "asset ETH is not in replay.assets",
    }.items():
        assert why in found.left_out[name]


def test_an_asset_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The error names it and those that can be replayed."""
    catalog = make(tmp_path, {BINANCE: [BOOK, PRINTS], ETH: [PRINTS]})
    with pytest.raises(CatalogError, match=r"nothing to replay for DOGE \(assets that can be: BTC\)"):
        universe(catalog, profile(assets=("BTC", "DOGE")))
    with pytest.raises(CatalogError, match="nothing to replay for any asset"):
        universe(make(tmp_path / "quotes", {BINANCE: [QUOTES]}), profile())


def test_books_known_in_part_are_not_read(tmp_path: Path) -> None:
    """A market without a book, and one whose book was never seeded by a snapshot."""
    catalog = make(
        tmp_path,
        {BINANCE: [BOOK, PRINTS], BYBIT: [BOOK, PRINTS], SPOT: [PRINTS]},
        unseeded_books=[BYBIT.instrument_id],
    )
    assert universe(catalog, profile()).without_book == ("BTCUSDT-LINEAR.BYBIT", "BTCUSDT.BINANCE_SPOT")


def test_ids_and_instruments_are_in_order_of_assets(tmp_path: Path) -> None:
    """Assets by name, and of each its markets with the lead first."""
    found = universe(make(tmp_path, {ETH: [BOOK, PRINTS], SPOT: [PRINTS], BINANCE: [BOOK, PRINTS]}), profile())
    assert list(found.ids.items()) == [
        ("BTC", ("BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE_SPOT")),
        ("ETH", ("ETHUSDT-PERP.BINANCE",)),
    ]
    assert names(found.instruments) == ["BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE_SPOT", "ETHUSDT-PERP.BINANCE"]


def test_markets_are_described_for_the_flow(tmp_path: Path) -> None:
    """Kind, places and multiplier of the instrument, the lead first, and whether its book is known in full."""
    contracts = Definition("BTC", "USDT", Decimal("0.01"), Decimal(1), Decimal("0.0001"))
    catalog = make(
        tmp_path,
        {SPOT: [BOOK, PRINTS], MEXC: [BOOK, trades([20])], BINANCE: [BOOK, PRINTS]},
        definitions={MEXC: contracts},
        unseeded_books=[MEXC.instrument_id],
    )
    assert universe(catalog, profile()).flow_markets("BTC") == (
        FlowMarket("BTCUSDT-PERP.BINANCE", is_perp=True, price_places=1, size_places=3),
        FlowMarket("BTCUSDT-PERP.MEXC", True, price_places=2, size_places=0, multiplier=0.0001, has_book=False),
        FlowMarket("BTCUSDT.BINANCE_SPOT", is_perp=False, price_places=1, size_places=3),
    )
