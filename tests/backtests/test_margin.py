"""Maintenance, liquidation and bankruptcy: by hand on small tables and as laws on any."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backtests.margin import (
    DIGITS,
    CrossPosition,
    MarginTier,
    MarginTiers,
    account_equity,
    account_is_liquidatable,
    bankruptcy_price,
    cross_bankruptcy_price,
    initial_margin,
    liquidation_price,
)

D = Decimal


def tiers(*rows: tuple[str | None, str, str]) -> MarginTiers:
    return MarginTiers(tuple(MarginTier(None if cap is None else D(cap), D(r), D(most)) for cap, r, most in rows))


# Up to 1,000: 1 %. Up to 5,000: 5 % less 1,000 × (0.05 - 0.01) = 40. Nothing above may be opened.
TWO = tiers(("1000", "0.01", "50"), ("5000", "0.05", "10"))
FLAT = tiers((None, "0.004", "100"))


@st.composite
def any_tiers(draw: st.DrawFn) -> MarginTiers:
    """One to five tiers with rates of up to a half, the last open or not."""
    steps = draw(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 100)), min_size=1, max_size=5))
    cap, rate, rows = D(0), D(0), []
    for width, permille in steps:
        cap, rate = cap + width, rate + D(permille) / 1000
        rows.append(MarginTier(cap, rate, 1 / (2 * rate)))
    if draw(st.booleans()):
        rows[-1] = MarginTier(None, rows[-1].maintenance_rate, rows[-1].max_leverage)
    return MarginTiers(tuple(rows))


sides = st.sampled_from((1, -1))
prices = st.decimals(D("0.0001"), D(200_000), places=8)
sizes = st.decimals(D("0.0001"), D(100_000), places=8)
margins = st.decimals(D("0.01"), D(10**8), places=8)


def excess(side: int, entry: Decimal, size: Decimal, margin: Decimal, table: MarginTiers, mark: Decimal) -> Fraction:
    """Equity less maintenance at `mark`, without any rounding."""
    e, s, m, p = Fraction(entry), Fraction(size), Fraction(margin), Fraction(mark)
    for tier in table.tiers:
        if tier.notional_cap is None or s * p <= Fraction(tier.notional_cap):
            break
    return m + side * s * (p - e) - (s * p * Fraction(tier.maintenance_rate) - Fraction(tier.maintenance_amount))


def test_maintenance_by_hand() -> None:
    """500 × 1 % = 5; at 1,000 both tiers say 10; 2,000 × 5 % - 40 = 60; beyond the last cap the last rate goes on."""
    assert [t.maintenance_amount for t in TWO.tiers] == [0, 40]
    for notional, margin in ((0, 0), (500, 5), (1000, 10), (2000, 60), (5000, 210), (6000, 260)):
        assert TWO.maintenance(D(notional)) == margin


def test_a_tier_holds_up_to_its_cap_and_the_last_cap_is_the_largest_position() -> None:
    """1,000 is still in the first tier, a cent more is in the second; above 5,000 nothing is opened."""
    assert TWO.tier(D(1000)) is TWO.tiers[0]
    assert TWO.tier(D("1000.01")) is TWO.tiers[1]
    assert [TWO.max_leverage(D(0)), TWO.max_leverage(D(5000))] == [50, 10]
    with pytest.raises(ValueError, match=r"notional 5000\.01 is above 5000, the largest position of these tiers"):
        TWO.tier(D("5000.01"))
    assert FLAT.max_leverage(D(10**12)) == 100


def test_initial_margin_is_notional_over_leverage() -> None:
    """1,000 at 50x binds 20; 1,001 may have 10x at most."""
    assert initial_margin(D(1000), D(50), TWO) == 20
    with pytest.raises(ValueError, match="leverage 11 is above 10, the most for a notional of 1001: lower either"):
        initial_margin(D(1001), D(11), TWO)
    with pytest.raises(ValueError, match="leverage must be positive, got 0"):
        initial_margin(D(1000), D(0), TWO)


@pytest.mark.parametrize(
    ("side", "entry", "size", "margin", "table", "price"),
    [
        (1, "100", "1", "10.36", FLAT, "90"),  # equity 10.36 - 10 = 0.36; 90 × 0.4 % = 0.36
        (-1, "100", "1", "10.44", FLAT, "110"),  # equity 10.44 - 10 = 0.44; 110 × 0.4 % = 0.44
        (1, "100", "20", "155", TWO, "95"),  # stays in tier 2: 155 - 100 = 55; 1,900 × 5 % - 40 = 55
        (1, "100", "20", "1505", TWO, "25"),  # falls into tier 1: 1,505 - 1,500 = 5; 500 × 1 % = 5
        (1, "100", "20", "1010", TWO, "50"),  # on the cap itself: 1,010 - 1,000 = 10; 1,000 × 1 % = 10
        (-1, "100", "8", "420", TWO, "150"),  # rises into tier 2: 420 - 400 = 20; 1,200 × 5 % - 40 = 20
        (-1, "100", "8", "210", TWO, "125"),  # on the cap itself: 210 - 200 = 10
        (-1, "100", "40", "2260", TWO, "150"),  # outgrows the last cap: 2,260 - 2,000 = 260; 6,000 × 5 % - 40 = 260
        (1, "100", "20", "20", TWO, "102.1052631578947"),  # 20 < 60 at entry: already under, (2,000 - 20 - 40) / 19
    ],
)
def test_liquidation_by_hand(side: int, entry: str, size: str, margin: str, table: MarginTiers, price: str) -> None:
    """The price at which margin and loss leave just the maintenance of the notional at that price."""
    found = liquidation_price(side, D(entry), D(size), D(margin), table)
    assert found is not None
    assert round(found, 13) == D(price)


def test_bankruptcy_by_hand() -> None:
    """155 lost over 20 is 7.75 a coin: 92.25 for a long, 107.75 for a short."""
    assert bankruptcy_price(1, D(100), D(20), D(155)) == D("92.25")
    assert bankruptcy_price(-1, D(100), D(20), D(155)) == D("107.75")


def test_a_long_whose_margin_covers_its_whole_cost_has_no_price() -> None:
    """Even at zero nothing is owed; a short always has a price."""
    for margin in (D(100), D(150)):
        assert liquidation_price(1, D(100), D(1), margin, FLAT) is None
        assert bankruptcy_price(1, D(100), D(1), margin) is None
        assert liquidation_price(-1, D(100), D(1), margin, FLAT) is not None
        assert bankruptcy_price(-1, D(100), D(1), margin) == 100 + margin


LONG = CrossPosition(1, D(100), D(20), D(95), TWO)  # loses 100, must keep 55
SHORT = CrossPosition(-1, D(50), D(10), D(90), TWO)  # loses 400, must keep 9


def test_an_account_is_liquidated_when_equity_is_down_to_all_maintenance() -> None:
    """564 - 100 - 400 = 64 = 55 + 9: liquidated; a cent more is not. Without positions no account ever is."""
    assert account_equity(D(564), (LONG, SHORT)) == 64
    assert account_is_liquidatable(D(564), (LONG, SHORT))
    assert not account_is_liquidatable(D("564.01"), (LONG, SHORT))
    assert not account_is_liquidatable(D(-1), ())


def test_cross_bankruptcy_by_hand() -> None:
    """1,000 less the short's 400 leaves 600 for 20 coins: 30 each, so at 70 the equity is zero."""
    assert cross_bankruptcy_price(D(1000), LONG, (SHORT,)) == 70
    at_70 = CrossPosition(1, D(100), D(20), D(70), TWO)
    assert account_equity(D(1000), (at_70, SHORT)) == 0
    # 1,000 less the long's 100 leaves 900 for 10 coins: 90 each above the entry of 50.
    assert cross_bankruptcy_price(D(1000), SHORT, (LONG,)) == 140
    assert cross_bankruptcy_price(D(2400), LONG, (SHORT,)) is None


@given(any_tiers())
def test_maintenance_is_continuous_and_rises_ever_faster(table: MarginTiers) -> None:
    """At every cap both neighbours say the same, exactly; between, it rises by the tier's rate, below notional."""
    before = D(0)
    for lower, upper in zip(table.tiers, table.tiers[1:], strict=False):
        cap = lower.notional_cap
        assert cap is not None
        assert table.maintenance(cap) == cap * upper.maintenance_rate - upper.maintenance_amount
        assert before < table.maintenance(cap) < cap
        step = D("0.01")
        assert table.maintenance(cap + step) - table.maintenance(cap) == step * upper.maintenance_rate
        assert table.maintenance(cap) - table.maintenance(cap - step) == step * lower.maintenance_rate
        before = table.maintenance(cap)


@given(sides, prices, sizes, margins, any_tiers())
def test_at_the_liquidation_price_equity_is_maintenance(
    side: int, entry: Decimal, size: Decimal, margin: Decimal, table: MarginTiers
) -> None:
    """To the last digit of the price: what is left is the rounding of one division at DIGITS digits."""
    price = liquidation_price(side, entry, size, margin, table)
    if price is None:
        assert side == 1
        assert margin >= entry * size
    else:
        last_digit = Fraction(10) ** (price.adjusted() - DIGITS + 1)
        assert abs(excess(side, entry, size, margin, table, price)) <= 2 * Fraction(size) * last_digit


@given(sides, prices, sizes, margins, any_tiers())
def test_a_position_in_good_standing_is_liquidated_before_it_is_bankrupt(
    side: int, entry: Decimal, size: Decimal, margin: Decimal, table: MarginTiers
) -> None:
    """Entry, liquidation and bankruptcy lie in this order, downwards for a long and upwards for a short."""
    assume(margin > table.maintenance(entry * size))
    price, bankrupt = liquidation_price(side, entry, size, margin, table), bankruptcy_price(side, entry, size, margin)
    assert (price is None) == (bankrupt is None)
    if price is not None and bankrupt is not None:
        assert side * bankrupt < side * price < side * entry


@given(prices, sizes, margins)
def test_long_and_short_mirror_each_other(entry: Decimal, size: Decimal, margin: Decimal) -> None:
    """Bankruptcies are as far from entry; so are liquidations less what maintenance takes: ``p × (1 ∓ rate)``."""
    long, short = (liquidation_price(side, entry, size, margin, FLAT) for side in (1, -1))
    low, high = (bankruptcy_price(side, entry, size, margin) for side in (1, -1))
    assume(long is not None)
    assert long is not None
    assert short is not None
    assert low is not None
    assert high is not None
    rate = Fraction("0.004")
    small = Fraction(10) ** (high.adjusted() - DIGITS + 2)
    assert abs(Fraction(low) + Fraction(high) - 2 * Fraction(entry)) <= small
    assert abs(Fraction(long) * (1 - rate) + Fraction(short) * (1 + rate) - 2 * Fraction(entry)) <= small


@given(sides, prices, sizes, margins, margins, any_tiers())
def test_more_margin_moves_liquidation_away(
    side: int, entry: Decimal, size: Decimal, margin: Decimal, more: Decimal, table: MarginTiers
) -> None:
    """Whatever tiers are crossed on the way."""
    price = liquidation_price(side, entry, size, margin, table)
    further = liquidation_price(side, entry, size, margin + more, table)
    if price is not None and further is not None:
        assert side * further < side * price


@given(sides, prices, sizes, margins, any_tiers(), st.sampled_from((D("0.999"), D("1.001"))))
def test_an_account_of_one_position_is_liquidated_past_its_price(
    side: int, entry: Decimal, size: Decimal, margin: Decimal, table: MarginTiers, step: Decimal
) -> None:
    """Cross margin with nothing else is isolated margin: past the price it is liquidated, before it is not."""
    price = liquidation_price(side, entry, size, margin, table)
    assume(price is not None)
    assert price is not None
    position = CrossPosition(side, entry, size, price * step, table)
    assert account_is_liquidatable(margin, (position,)) == (side * (step - 1) < 0)


@pytest.mark.parametrize(
    ("side", "entry", "size", "margin", "message"),
    [
        (0, "100", "1", "10", r"side must be 1 \(long\) or -1 \(short\), got 0"),
        (1, "0", "1", "10", "entry must be positive, got 0: check the position"),
        (1, "100", "-1", "10", "size_base must be positive, got -1"),
        (1, "100", "1", "NaN", "margin must be a number, got NaN"),
        (1, "Infinity", "1", "10", "entry must be positive, got Infinity"),
    ],
)
def test_wrong_inputs_are_named(side: int, entry: str, size: str, margin: str, message: str) -> None:
    """The value, its name and what it should be, for every price asked for."""
    with pytest.raises(ValueError, match=message):
        liquidation_price(side, D(entry), D(size), D(margin), TWO)
    with pytest.raises(ValueError, match=message):
        bankruptcy_price(side, D(entry), D(size), D(margin))


def test_wrong_accounts_are_named() -> None:
    """A mark that is not positive, a balance that is no number, a notional below zero."""
    with pytest.raises(ValueError, match="mark must be positive, got 0"):
        CrossPosition(1, D(100), D(1), D(0), TWO)
    with pytest.raises(ValueError, match="balance must be a number, got NaN"):
        account_is_liquidatable(D("NaN"), (LONG,))
    with pytest.raises(ValueError, match="notional -1 must not be negative"):
        TWO.maintenance(D(-1))
