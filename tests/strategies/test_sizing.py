from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.sizing import SizeRules, TooSmall, position_size

CASE: dict[str, Any] = {
    "equity": Decimal(10_000),
    "risk_fraction": Decimal("0.005"),
    "stop_distance": Decimal(300),
    "price": Decimal(60_000),
    "max_notional": Decimal(50_000),
    "rules": SizeRules(step=Decimal("0.001")),
}


def sized(rules: dict[str, Any] | None = None, **changes: Any) -> Decimal | TooSmall:
    given_rules = {"step": Decimal("0.001")} | (rules or {})
    return position_size(**CASE | changes | {"rules": SizeRules(**given_rules)})


def test_risk_by_hand() -> None:
    """50 at risk over 300 are 0.1666.. units, rounded down to the step 0.166."""
    assert sized() == Decimal("0.166")


def test_our_cap_by_hand() -> None:
    """6000 of notional at 60 000 are 0.1 units."""
    assert sized(max_notional=Decimal(6_000)) == Decimal("0.1")


def test_contracts_by_hand() -> None:
    """0.1666.. units in contracts of 0.0001 are 1666 whole ones."""
    assert sized({"step": Decimal(1), "multiplier": Decimal("0.0001")}) == 1666


def test_the_venues_maximum_is_rounded_to_the_step() -> None:
    """A maximum of 0.1005 with a step of 0.001 allows 0.100."""
    assert sized({"max_size": Decimal("0.1005")}) == Decimal("0.1")


def test_minimums_are_inclusive() -> None:
    """0.166 passes a minimum of 0.166 and of 9960 quote, and fails the next step and the next cent."""
    assert sized({"min_size": Decimal("0.166")}) == Decimal("0.166")
    assert sized({"min_size": Decimal("0.167")}) is TooSmall.MIN_SIZE
    assert sized({"min_notional": Decimal(9960)}) == Decimal("0.166")
    assert sized({"min_notional": Decimal("9960.01")}) is TooSmall.MIN_NOTIONAL


def test_the_notional_of_contracts_counts_their_multiplier() -> None:
    """1666 contracts of 0.0001 at 60 000 are 9996 quote."""
    rules = {"step": Decimal(1), "multiplier": Decimal("0.0001")}
    assert sized(rules | {"min_notional": Decimal(9996)}) == 1666
    assert sized(rules | {"min_notional": Decimal(9997)}) is TooSmall.MIN_NOTIONAL


def test_less_than_a_step_is_too_small() -> None:
    """0.0000166.. units are no step."""
    assert sized(equity=Decimal(1)) is TooSmall.STEP


@pytest.mark.parametrize("name", ["equity", "stop_distance", "price"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_inputs_that_are_not_positive_are_errors(name: str, value: str) -> None:
    """Wrong inputs are no small sizes: the error names which, and its value."""
    with pytest.raises(ValueError, match=f"{name} must be positive, got {value}"):
        sized(**{name: Decimal(value)})


def decimal(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), allow_nan=False, allow_infinity=False, places=places)


@given(
    equity=decimal("1", "10000000", 2),
    risk_fraction=decimal("0.0001", "0.05", 4),
    price=decimal("0.0001", "100000", 4),
    stop_share=decimal("0.0008", "0.2", 4),
    max_notional=decimal("1", "1000000", 2),
    step=st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1), Decimal(100)]),
    multiplier=st.sampled_from([Decimal(1), Decimal("0.0001"), Decimal(100)]),
    max_size=st.none() | decimal("0.5", "100000", 1),
)
def test_never_above_any_limit_and_always_on_the_step(
    equity: Decimal,
    risk_fraction: Decimal,
    price: Decimal,
    stop_share: Decimal,
    max_notional: Decimal,
    step: Decimal,
    multiplier: Decimal,
    max_size: Decimal | None,
) -> None:
    """The loss at the stop, our notional and the venue's maximum all hold, and one step more would break one."""
    stop_distance = price * stop_share
    size = position_size(
        equity=equity,
        risk_fraction=risk_fraction,
        stop_distance=stop_distance,
        price=price,
        max_notional=max_notional,
        rules=SizeRules(step=step, multiplier=multiplier, max_size=max_size),
    )

    def allowed(units: Decimal) -> bool:
        base = units * multiplier
        risked, notional = base * stop_distance, base * price
        return risked <= equity * risk_fraction and notional <= max_notional and units <= (max_size or units)

    taken = Decimal(0) if isinstance(size, TooSmall) else size
    assert taken % step == 0
    assert allowed(taken)
    assert not allowed(taken + step)
