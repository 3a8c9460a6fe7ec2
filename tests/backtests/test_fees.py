"""Fee schedules: what ships, discounts to the last digit, and errors that say what there is."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.fees import DEFAULT_FEES, FeeError, Fees, FeeSchedules, load_fee_schedules
from backtests.profile import load_profile
from backtests.simulation import venue_fees
from backtests.toml_table import TableError

SHIPPED = load_fee_schedules()
VIP_ORDER = ("VIP0", "VIP1", "VIP2", "VIP3", "VIP4", "VIP5", "VIP6", "VIP7", "VIP8", "VIP9", "SUPREME")
ONE_VENUE = "[venues.BINANCE.perp.tiers]\nVIP0 = { maker = -0.0001, taker = 0.0005 }\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "fees.toml"
    path.write_text(text)
    return path


def test_the_three_venues_have_perp_and_spot_fees_from_vip0() -> None:
    """Nine VIP levels on Binance, five and Supreme on Bybit; MEXC has the API's schedule and the web's."""
    assert set(SHIPPED.venues) == {"BINANCE", "BYBIT", "MEXC"}
    assert all(set(kinds) == {"perp", "spot"} for kinds in SHIPPED.venues.values())
    for kind in ("perp", "spot"):
        assert tuple(SHIPPED.venues["BINANCE"][kind].tiers) == VIP_ORDER[:10]
        assert tuple(SHIPPED.venues["BYBIT"][kind].tiers) == (*VIP_ORDER[:6], "SUPREME")
    assert tuple(SHIPPED.venues["MEXC"]["perp"].tiers) == ("VIP0", "WEB")


@pytest.mark.parametrize("venue", ["BINANCE", "BYBIT", "MEXC"])
def test_vip0_of_the_perps_is_what_the_default_profile_charges(venue: str) -> None:
    """Who changes nothing pays what a new account pays."""
    assert venue_fees(venue, load_profile().venues[venue]) == SHIPPED.fees(venue, "perp", "VIP0")


def test_a_profile_chooses_its_tier_and_overrules_it() -> None:
    """A tier with a discount, or figures of one's own."""
    settings = load_profile().venues["BINANCE"]
    tiered = settings.model_copy(update={"fee_tier": "VIP1", "fee_discount": Decimal("0.1")})
    assert venue_fees("BINANCE", tiered) == Fees(maker=Decimal("0.000144"), taker=Decimal("0.00036"))
    own = settings.model_copy(update={"maker_fee": Decimal("-0.0001"), "taker_fee": Decimal("0.0003")})
    assert venue_fees("BINANCE", own) == Fees(maker=Decimal("-0.0001"), taker=Decimal("0.0003"))


def test_every_shipped_tier_is_sane_and_no_dearer_than_the_one_before() -> None:
    """Makers pay no more than takers, takers something, nobody above 0.1 %; a higher tier never pays more."""
    for kinds in SHIPPED.venues.values():
        for table in kinds.values():
            before = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"))
            for fees in table.tiers.values():
                assert 0 <= fees.maker <= fees.taker
                assert fees.taker > 0
                assert fees.maker <= before.maker
                assert fees.taker <= before.taker
                before = fees


def test_orders_over_mexcs_api_are_dearer_than_on_its_site() -> None:
    """0.06 % and 0.08 % since 2026-06-01, whatever `contract/detail` says."""
    api, web = SHIPPED.fees("MEXC", "perp", "VIP0"), SHIPPED.fees("MEXC", "perp", "WEB")
    assert (api.maker, api.taker) == (Decimal("0.0006"), Decimal("0.0008"))
    assert api.maker > web.maker
    assert api.taker > web.taker


def test_the_bnb_discount_takes_a_tenth_off_both_sides() -> None:
    """0.0002 × 0.9 = 0.00018 and 0.0005 × 0.9 = 0.00045."""
    fees = SHIPPED.fees("BINANCE", "perp", "VIP0", SHIPPED.discount("BINANCE", "perp", "BNB"))
    assert fees == Fees(maker=Decimal("0.00018"), taker=Decimal("0.00045"))


def test_a_rebate_is_not_discounted(tmp_path: Path) -> None:
    """-0.0001 stays; 0.0005 × 0.75 = 0.000375."""
    fees = load_fee_schedules(written(tmp_path, ONE_VENUE)).fees("BINANCE", "perp", "VIP0", Decimal("0.25"))
    assert fees == Fees(maker=Decimal("-0.0001"), taker=Decimal("0.000375"))


@given(
    taker=st.decimals(0, Decimal("0.01"), places=8),
    maker=st.decimals(Decimal("-0.01"), Decimal("0.01"), places=8),
    discount=st.decimals(0, Decimal("0.99"), places=6),
)
def test_a_discount_is_exact_and_never_makes_a_fee_dearer(taker: Decimal, maker: Decimal, discount: Decimal) -> None:
    """What is paid and what is taken off add up to the fee, to the last digit."""
    fees = Fees(maker=min(maker, taker), taker=taker)
    less = fees.discounted(discount)
    assert less.taker + taker * discount == taker
    assert less.maker <= fees.maker
    assert less.maker + max(fees.maker, Decimal(0)) * discount == fees.maker


@pytest.mark.parametrize("discount", ["-0.1", "1", "10", "NaN"])
def test_a_discount_that_is_no_fraction_is_refused(discount: str) -> None:
    """A tenth is 0.1, not 10."""
    with pytest.raises(FeeError, match=rf"\[0, 1\), got {discount}: 10 % is written 0.1"):
        SHIPPED.fees("BINANCE", "perp", "VIP0", Decimal(discount))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("OKX", "perp", "VIP0"), "no fees of venue 'OKX': there are BINANCE, BYBIT, MEXC"),
        (("BYBIT", "option", "VIP0"), "no fees of BYBIT 'option' markets: there are perp, spot"),
        (("MEXC", "perp", "VIP1"), "MEXC perp has no fee tier 'VIP1': there are VIP0, WEB"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(asked: tuple[str, str, str], message: str) -> None:
    """Nothing falls back to another venue or tier."""
    with pytest.raises(FeeError, match=message):
        SHIPPED.fees(*asked)


def test_a_discount_that_is_not_sold_is_named() -> None:
    """MEXC lists none: its own are the web's."""
    with pytest.raises(FeeError, match="MEXC perp has no discount 'MX': there are none"):
        SHIPPED.discount("MEXC", "perp", "MX")


def test_every_wrong_key_of_a_file_is_named_with_its_value(tmp_path: Path) -> None:
    """A fee in percent, a missing side, a misspelt key, a kind that there is not, a discount in percent: one error."""
    text = (
        "[venues.BINANCE.perp.tiers]\nVIP0 = { maker = 0.0002, taker = 0.05 }\nVIP1 = { maker = 0.0001 }\n"
        "[venues.BINANCE.perp]\nrebates = 1\n"
        "[venues.BINANCE.perp.discounts]\nBNB = 10\n"
        "[venues.BYBIT.future.tiers]\nVIP0 = { maker = 0.0002, taker = 0.0005 }\n"
    )
    with pytest.raises(TableError) as caught:
        load_fee_schedules(written(tmp_path, text))
    message = str(caught.value)
    assert str(tmp_path / "fees.toml") in message
    assert "5 keys are wrong" in message
    for part in (
        "venues.BINANCE.perp.tiers.VIP0.taker = 0.05",
        "venues.BINANCE.perp.tiers.VIP1.taker",
        "venues.BINANCE.perp.rebates = 1",
        "venues.BINANCE.perp.discounts.BNB = 10",
        "venues.BYBIT.future",
    ):
        assert part in message


def test_swapped_sides_are_noticed(tmp_path: Path) -> None:
    """No venue charges makers more than takers."""
    text = "[venues.BINANCE.perp.tiers]\nVIP0 = { maker = 0.0005, taker = 0.0002 }\n"
    with pytest.raises(TableError, match=r"maker 0\.0005 is dearer than taker 0\.0002: are the two swapped"):
        load_fee_schedules(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or not TOML."""
    with pytest.raises(TableError, match=r"nothing\.toml: cannot be read"):
        load_fee_schedules(tmp_path / "nothing.toml")
    with pytest.raises(TableError, match=r"fees\.toml: is not TOML"):
        load_fee_schedules(written(tmp_path, "[venues"))
    assert isinstance(load_fee_schedules(DEFAULT_FEES), FeeSchedules)
