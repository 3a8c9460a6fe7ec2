"""Execution costs taken apart."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.costs import Costs, Quote, Reference, fill_costs, summed

D = Decimal
SENT, ARRIVED = Quote(D("99.9"), D("100.1")), Quote(D("100.2"), D("100.6"))


def test_a_buyers_costs_by_hand() -> None:
    """Mid 100 at sending, 100.4 at arrival, best ask 100.6, filled at 100.7: 0.4, 0.2 and 0.1 a coin, of 2."""
    costs = fill_costs(side=1, size=D(2), price=D("100.7"), fee=D("0.1"), reference=Reference(SENT, ARRIVED))
    assert costs == Costs(latency=D("0.8"), spread=D("0.4"), slippage=D("0.2"), fees=D("0.1"))
    assert costs.total == D("1.5")


def test_a_sellers_costs_by_hand() -> None:
    """The same market helps a seller: it rose by 0.4 on the way; the bid is 0.2 below the mid; filled 0.1 below it."""
    costs = fill_costs(side=-1, size=D(1), price=D("100.1"), fee=D(0), reference=Reference(SENT, ARRIVED))
    assert costs == Costs(latency=D("-0.4"), spread=D("0.2"), slippage=D("0.1"))


def test_a_resting_order_is_held_against_its_own_price() -> None:
    """A stop at 99 that sells at 98.7 slips by 0.3; a limit filled at its price costs its fee."""
    stop = fill_costs(side=-1, size=D(2), price=D("98.7"), fee=D("0.1"), reference=Reference(resting_price=D(99)))
    assert stop == Costs(slippage=D("0.6"), fees=D("0.1"))
    limit = fill_costs(side=1, size=D(2), price=D(99), fee=D("0.1"), reference=Reference(resting_price=D(99)))
    assert limit == Costs(fees=D("0.1"))


def test_without_a_book_there_is_no_reference() -> None:
    """Missing is not zero: it is an error to ask."""
    with pytest.raises(ValueError, match="needs the book"):
        fill_costs(side=1, size=D(1), price=D(1), fee=D(0), reference=Reference(SENT, None))


prices = st.integers(1_000, 2_000).map(lambda tick: D(tick) / 10)


@given(prices, prices, prices, st.sampled_from([1, -1]), st.integers(1, 100))
def test_the_parts_are_the_whole_distance_from_the_mid(sent: D, arrived: D, price: D, side: int, size: int) -> None:
    """Latency, spread and slippage add up to the implementation shortfall, exactly."""
    half = D("0.1")
    reference = Reference(Quote(sent - half, sent + half), Quote(arrived - half, arrived + half))
    costs = fill_costs(side=side, size=D(size), price=price, fee=D(0), reference=reference)
    assert costs.total == side * (price - sent) * size


def test_costs_add_up() -> None:
    """Part by part; of none it is nothing."""
    assert summed([Costs(latency=D(1), fees=D(2)), Costs(spread=D(3), funding=D(4))]) == Costs(
        D(1), D(3), D(0), D(2), D(4)
    )
    assert summed([]) == Costs()
    assert Costs(D(1), D(2), D(3), D(4), D(5)).as_floats() == {
        "latency": 1.0, "spread": 2.0, "slippage": 3.0, "fees": 4.0, "funding": 5.0, "total": 15.0,
    }  # fmt: skip
