"""What venues refuse, to the digit."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.margin import MarginTier, MarginTiers
from backtests.venue_rules import Exposure, OrderTerms, VenueRules, margin_fault, order_fault

D = Decimal
RULES = VenueRules(
    tick=D("0.5"),
    step=D("0.005"),
    multiplier=D("10"),
    min_size=D("0.01"),
    max_size=D(5),
    min_notional=D(20),
    price_band=D("0.05"),
)
GOOD = OrderTerms(side=1, size=D("0.5"), price=D("99.5"))
TIERS = MarginTiers((MarginTier(D(1000), D("0.004"), D(50)), MarginTier(D(5000), D("0.01"), D(20))))


def fault(terms: OrderTerms, touch: str | None = "100", mark: str | None = "100") -> str | None:
    return order_fault(terms, RULES, touch=None if touch is None else D(touch), mark=None if mark is None else D(mark))


def test_a_sound_order_is_taken() -> None:
    """Limit, stop and market alike; 0.5 contracts of 10 coins at 99.5 are worth 497.5."""
    assert fault(GOOD) is None
    assert fault(OrderTerms(side=-1, size=D("0.5"), trigger=D("95.5"))) is None
    assert fault(OrderTerms(side=1, size=D("0.5"))) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"price": D("99.7")}, "price 99.7 is not on the tick of 0.5"),
        ({"trigger": D("99.75")}, "trigger price 99.75 is not on the tick of 0.5"),
        ({"size": D("0.013")}, "size 0.013 is not a multiple of the step 0.005"),
        ({"size": D(0)}, "size 0 is not a multiple"),
        ({"size": D("0.005")}, "size 0.005 is below the minimum of 0.01"),
        ({"size": D("5.005")}, "size 5.005 is above the maximum of 5"),
        ({"size": D("0.015")}, "notional 14.925 is below the minimum of 20"),
        ({"price": D("105.5")}, "price 105.5 is beyond the band: 105 at a mark of 100"),
        ({"side": -1, "price": D("94.5")}, "price 94.5 is beyond the band: 95 at a mark of 100"),
    ],
)
def test_each_rule_names_its_numbers(changed: dict[str, object], words: str) -> None:
    """One rule broken at a time."""
    found = fault(replace(GOOD, **changed))  # type: ignore[arg-type]
    assert found is not None
    assert words in found


def test_the_band_stops_an_owner_from_harming_himself() -> None:
    """Buying low and selling high is no harm; without a mark there is no band."""
    assert fault(replace(GOOD, price=D("50"))) is None
    assert fault(replace(GOOD, side=-1, price=D("150"))) is None
    assert fault(replace(GOOD, price=D("150")), mark=None) is None


def test_what_reduces_may_be_small_and_never_large() -> None:
    """Reduce-only orders are free of the minimum size and notional, not of tick, step and maximum."""
    assert fault(replace(GOOD, size=D("0.005"), reduce_only=True)) is None
    assert "maximum" in (fault(replace(GOOD, size=D("5.005"), reduce_only=True)) or "")


def test_a_market_order_is_worth_its_touch() -> None:
    """0.015 x 10 coins at 140 are 21: enough; at 100 they are 15; without a book nothing is said of it."""
    terms = OrderTerms(side=1, size=D("0.015"))
    assert fault(terms, touch="140") is None
    assert "notional 15 is below" in (fault(terms) or "")
    assert fault(terms, touch=None) is None


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_whole_ticks_and_steps_are_always_taken(ticks: int, steps: int) -> None:
    """Exact decimals: no multiple is refused for a rounding error."""
    rules = VenueRules(tick=D("0.1"), step=D("0.001"))
    terms = OrderTerms(side=1, size=steps * D("0.001"), price=ticks * D("0.1"))
    assert order_fault(terms, rules, touch=None, mark=None) is None


# -- margin ------------------------------------------------------------------------------------------------------------


def test_margin_of_a_position_and_its_orders() -> None:
    """Long 2 at 100; buys of 1 at 99 add 99, sells of 3 at 110 close 2 and open 1: the dearer side counts."""
    exposure = Exposure(D(2), D(100), [(D(1), D(99)), (D(-3), D(110))])
    assert exposure.margin(D(10)) == (200 + 110) / D(10)
    assert exposure.largest() == 3
    assert Exposure(D(0), D(0)).margin(D(10)) == 0


def refused(held: str, size: str, price: str = "100", *, leverage: str = "10", available: str = "20") -> str | None:
    before = Exposure(D(held), D(100) if held != "0" else D(0))
    after = before.with_order(D(size), D(price))
    return margin_fault(
        before=before, after=after, leverage=D(leverage), available=D(available), tiers=TIERS, price=D(price)
    )


def test_an_order_needs_the_margin_of_what_it_opens() -> None:
    """2 coins at 100 on 10 times need 20: that is there, 20.1 is not; what only closes needs none."""
    assert refused("0", "2") is None
    assert "is more than the 20 that is free" in (refused("0", "2.01") or "")
    assert refused("5", "-5", available="0") is None
    assert refused("5", "-7", available="20") is None
    assert "more than the 19" in (refused("5", "-7", available="19") or "")


def test_a_large_position_allows_less_leverage() -> None:
    """Up to 1,000 USDT 50 times, up to 5,000 20 times, more than that not at all."""
    assert refused("0", "10", leverage="50", available="1000") is None
    assert "leverage 50 is above the 20" in (refused("0", "11", leverage="50", available="1000") or "")
    assert "the largest that is allowed, 5000" in (refused("0", "51", leverage="5", available="9999") or "")
