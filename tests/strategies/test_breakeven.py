from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.breakeven import break_even, net_value

CASE: dict[str, Any] = {"tp": Decimal(30), "sl": Decimal(20), "cost": Decimal(7)}


@pytest.mark.parametrize(("distance", "needed"), [(10, "0.85"), (30, "0.617"), (50, "0.57")])
def test_symmetric_barriers_by_hand(distance: int, needed: str) -> None:
    """At 7 bp a round trip, targets and stops of 10, 30 and 50 bp need 17/20, 37/60 and 57/100."""
    found = break_even(tp=Decimal(distance), sl=Decimal(distance), cost=Decimal(7))
    assert round(found, 3) == Decimal(needed)


def test_without_costs_it_is_what_a_driftless_market_gives() -> None:
    """A target 30 away comes before a stop 20 away in 20 of 50 cases."""
    assert break_even(tp=Decimal(30), sl=Decimal(20), cost=Decimal(0)) == Decimal("0.4")


def test_a_target_below_the_costs_cannot_be_won() -> None:
    """A target of 5 at costs of 7 and a stop of 10 needs 17/15, and even if certain loses 0.2 R."""
    small = CASE | {"tp": Decimal(5), "sl": Decimal(10)}
    assert break_even(**small) == Decimal(17) / 15
    assert net_value(probability=Decimal(1), **small) == Decimal("-0.2")


def test_net_value_by_hand() -> None:
    """0.6 × 30 - 0.4 × 20 - 7 are 3, of a stop of 20: 0.15 R; a stopped trade loses its costs too, 1.35 R."""
    assert net_value(probability=Decimal("0.6"), **CASE) == Decimal("0.15")
    assert net_value(probability=Decimal(0), **CASE) == Decimal("-1.35")


def test_time_outs_by_hand() -> None:
    """Half of the misses end at +4: a miss is worth -8, so 0.6 × 30 - 0.4 × 8 - 7 are 7.8 and break-even is 15/38."""
    timed = CASE | {"time_out_share": Decimal("0.5"), "time_out_gross": Decimal(4)}
    assert net_value(probability=Decimal("0.6"), **timed) == Decimal("0.39")
    assert break_even(**timed) == Decimal(15) / 38


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tp": Decimal(0)}, "tp must be positive, got 0"),
        ({"sl": Decimal("NaN")}, "sl must be positive, got NaN"),
        ({"cost": Decimal(-1)}, "cost must be 0 or more, got -1"),
        ({"probability": Decimal("1.1")}, r"probability must lie in \[0, 1\], got 1.1"),
        ({"time_out_share": Decimal(-1)}, r"time_out_share must lie in \[0, 1\], got -1"),
        ({"time_out_gross": Decimal("NaN")}, "time_out_gross must be a number, got NaN"),
        ({"time_out_gross": Decimal(30)}, "time_out_gross 30 must lie between the stop, -20, and the target, 30"),
        ({"time_out_gross": Decimal(-21)}, "time_out_gross -21 must lie between"),
    ],
)
def test_wrong_inputs(changes: dict[str, Any], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        net_value(**{"probability": Decimal("0.5")} | CASE | changes)


def tenths(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda n: Decimal(n) / 10)


@given(tp=tenths(1, 1000), sl=tenths(1, 1000), cost=tenths(0, 200), share=tenths(0, 10), out=tenths(0, 9))
def test_the_net_value_is_zero_at_break_even_and_rises_with_probability(
    tp: Decimal, sl: Decimal, cost: Decimal, share: Decimal, out: Decimal
) -> None:
    """At break-even nothing is won or lost, above it something is won, and more costs need more."""
    ends = {"tp": tp, "sl": sl, "time_out_share": share, "time_out_gross": out * (tp + sl) - sl}
    needed = break_even(cost=cost, **ends)
    assert break_even(cost=cost + 1, **ends) > needed
    if 0 <= needed <= 1:
        assert abs(net_value(probability=needed, cost=cost, **ends)) < Decimal("1e-20")
        assert (
            net_value(probability=Decimal(1), cost=cost, **ends)
            >= 0
            >= net_value(probability=Decimal(0), cost=cost, **ends)
        )
