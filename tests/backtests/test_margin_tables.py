"""Margin tables: what order is asked of tiers, and the tables that ship."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from backtests.margin import GENERIC, MarginTier, MarginTiers, initial_margin, load_margin_tiers
from backtests.toml_table import TableError
from catalog.market_specs import VENUES, listings

D = Decimal
SHIPPED = load_margin_tiers()
TABLES = [(venue, asset) for venue, assets in SHIPPED.venues.items() for asset in assets]
LISTED_ASSETS = 10  # of the built-in market; those after them are invented
LISTED = sorted(
    {(venue, x.spec.asset) for venue in VENUES for x in listings(LISTED_ASSETS, (venue,)) if x.spec.is_perp}
)


def tiers(*rows: tuple[str | None, str, str]) -> MarginTiers:
    return MarginTiers(tuple(MarginTier(None if cap is None else D(cap), D(r), D(most)) for cap, r, most in rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "margin tiers are empty"),
        (((None, "0.01", "10"), ("5", "0.02", "5")), "margin tier 1: it has no notional_cap but is not the last"),
        ((("10", "0.01", "10"), ("10", "0.02", "5")), "margin tier 2: notional_cap 10 must be above 10"),
        ((("10", "0.02", "10"), ("20", "0.02", "5")), r"margin tier 2: maintenance_rate 0\.02 must be above 0\.02"),
        ((("10", "1", "1"),), "margin tier 1: maintenance_rate 1 must be above 0, the rate before it, and below 1"),
        (
            (("10", "0.01", "10"), ("20", "0.02", "11")),
            "margin tier 2: max_leverage 11 must be at least 1 and at most 10",
        ),
        ((("10", "0.1", "10"),), r"maintenance_rate 0\.1 is no less than the initial margin at max_leverage 10"),
    ],
)
def test_tiers_out_of_order_are_named(rows: Sequence[tuple[str | None, str, str]], message: str) -> None:
    """The tier, the value and what it must be."""
    with pytest.raises(ValueError, match=message):
        tiers(*rows)


def test_a_given_amount_must_be_the_continuous_one() -> None:
    """A venue's published amount may be given: it is checked, not believed."""
    first = MarginTier(D(1000), D("0.01"), D(50))
    assert MarginTiers((first, MarginTier(None, D("0.05"), D(10), D(40)))).maintenance(D(2000)) == 60
    with pytest.raises(
        ValueError, match=r"margin tier 2: maintenance_amount 39 must be 40\.00, else maintenance jumps"
    ):
        MarginTiers((first, MarginTier(None, D("0.05"), D(10), D(39))))


@pytest.mark.parametrize(("venue", "asset"), TABLES)
def test_every_shipped_table_is_sane(venue: str, asset: str) -> None:
    """It starts at 20x or more, ends at a largest position, and nothing is liquidated as it opens at its leverage."""
    table = SHIPPED.tiers(venue, asset)
    assert 20 <= table.tiers[0].max_leverage <= 200
    for tier in table.tiers:
        cap = tier.notional_cap
        assert cap is not None
        assert initial_margin(cap, tier.max_leverage, table) > table.maintenance(cap)


@pytest.mark.parametrize(("venue", "asset"), TABLES)
def test_no_asset_is_milder_than_bitcoin(venue: str, asset: str) -> None:
    """What may be opened needs at least BTC's maintenance on the venue; Bybit's ETH, as recorded, 3 % less at most."""
    table, btc = SHIPPED.tiers(venue, asset), SHIPPED.tiers(venue, "BTC")
    share = D("0.97") if (venue, asset) == ("BYBIT", "ETH") else D(1)
    largest = table.tiers[-1].notional_cap
    for tier in (*table.tiers, *btc.tiers):
        assert tier.notional_cap is not None
        assert largest is not None
        notional = min(tier.notional_cap, largest)
        assert table.maintenance(notional) >= share * btc.maintenance(notional)


@pytest.mark.parametrize(("venue", "asset"), LISTED)
def test_the_built_in_markets_assets_take_a_usual_position(venue: str, asset: str) -> None:
    """Each has a table of its own on each venue, which opens 50,000 USDT at 10x with half the margin to spare."""
    assert asset in SHIPPED.venues[venue]
    table, notional = SHIPPED.tiers(venue, asset), D(50_000)
    margin = initial_margin(notional, D(10), table)
    assert margin == 5_000
    assert table.maintenance(notional) <= margin / 2


def test_the_built_in_markets_assets_are_all_listed() -> None:
    """Ten real assets on three venues: the eleventh is the first invented one, which gets the generic table."""
    assert len(LISTED) == LISTED_ASSETS * len(VENUES)
    names = {x.spec.asset for x in listings(LISTED_ASSETS + 1, VENUES)}
    assert names - {asset for _, asset in LISTED} == {"ALT11"}


def test_amounts_are_those_that_the_venues_publish() -> None:
    """Binance's "cum" and Bybit's "deduction" of 2026 come out of the rates (BTC's: 510 above the page)."""
    cum = [0, 300, 1_500, 12_000, 132_000, 482_000, 2_982_000, 14_482_000, 26_482_000, 41_482_000, 121_482_000]
    assert [t.maintenance_amount for t in SHIPPED.tiers("BINANCE", "BTC").tiers] == [*cum, 421_482_000]
    deduction = [0, 510, 1_710, 3_530, 4_810, 6_330, 8_970, 15_970, 21_010, 46_510, 66_510, 80_510]
    assert [t.maintenance_amount for t in SHIPPED.tiers("BYBIT", "BTC").tiers[:12]] == deduction
    assert SHIPPED.tiers("BYBIT", "BTC").tiers[20].maintenance_amount == 1_482_510
    deduction = [0, 30, 100, 200, 360, 690, 1_670, 2_435, 3_535, 6_335, 11_735, 21_335, 41_135, 81_135]
    assert [t.maintenance_amount for t in SHIPPED.tiers("BYBIT", "SOL").tiers[:14]] == deduction
    cum = [0, 75, 1_475, 11_475, 31_475, 231_475, 2_231_475, 4_231_475, 16_731_475, 66_731_475]
    assert [t.maintenance_amount for t in SHIPPED.tiers("BINANCE", "SOL").tiers] == cum


def test_an_asset_without_a_table_gets_its_own_venues_generic_one() -> None:
    """Never another venue's: a venue without tables is an error that names those that have."""
    for venue in ("BINANCE", "BYBIT", "MEXC"):
        assert SHIPPED.tiers(venue, "NOCOIN") is SHIPPED.venues[venue][GENERIC]
    assert SHIPPED.tiers("BINANCE", "ETH") is not SHIPPED.tiers("BINANCE", GENERIC)
    with pytest.raises(ValueError, match="no margin tiers of venue 'OKX': there are BINANCE, BYBIT, MEXC"):
        SHIPPED.tiers("OKX", "BTC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[venues]\nX.BTC = []", r"X has no table '\*': add one for assets that are not listed"),
        ('[venues]\nX."*" = []', r"X\.\*: margin tiers are empty"),
        (
            '[venues]\nX."*" = [{ maintenance_rate = 0.1, max_leverage = 20 }]',
            r"X\.\*: margin tier 1: maintenance_rate 0\.1",
        ),
        (
            '[venues]\nX."*" = [{ rate = 0.1, max_leverage = 2 }]',
            r"2 keys are wrong(.|\n)*venues\.X\.\*\.0\.rate = 0\.1",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_table(tmp_path: Path, text: str, message: str) -> None:
    """File, venue, asset and tier."""
    path = tmp_path / "tiers.toml"
    path.write_text(text)
    with pytest.raises(TableError, match=message) as caught:
        load_margin_tiers(path)
    assert str(path) in str(caught.value)
