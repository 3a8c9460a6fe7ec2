from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.sizing import SizeCap, SizeCaps, Sized, SizeRules, TooSmall, position_size, size_position

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


CAPS: dict[str, Any] = {
    "max_notional": Decimal(50_000),
    "leverage": Decimal(10),
    "free_margin": Decimal(10_000),
    "visible_depth_base": Decimal(20),
    "depth_share": Decimal("0.1"),
}
COSTED: dict[str, Any] = {
    "equity": Decimal(10_000),
    "risk_fraction": Decimal("0.005"),
    "stop_distance": Decimal(300),
    "cost_per_base": Decimal(60),
    "price": Decimal(60_000),
}


def costed(rules: dict[str, Any] | None = None, caps: dict[str, Any] | None = None, **changes: Any) -> Sized | TooSmall:
    given_rules = SizeRules(**{"step": Decimal("0.001")} | (rules or {}))
    return size_position(**COSTED | changes, rules=given_rules, caps=SizeCaps(**CAPS | (caps or {})))


def test_costs_count_as_risk_by_hand() -> None:
    """50 at risk over 300 and 60 of costs are 0.1388.. units: 0.138, which lose 49.68; 0.139 would lose 50.04."""
    assert costed() == Sized(Decimal("0.138"), SizeCap.RISK)


def test_contracts_with_costs_by_hand() -> None:
    """0.1388.. units in contracts of 0.0001 are 1388 whole ones."""
    assert costed({"step": Decimal(1), "multiplier": Decimal("0.0001")}) == Sized(Decimal(1388), SizeCap.RISK)


@pytest.mark.parametrize(
    ("caps", "size", "cap"),
    [
        ({"max_notional": Decimal(6_000)}, "0.1", SizeCap.NOTIONAL),
        ({"venue_notional": Decimal(3_000)}, "0.05", SizeCap.VENUE),
        ({"max_leverage": Decimal("0.5")}, "0.083", SizeCap.LEVERAGE),
        ({"free_margin": Decimal(606)}, "0.1", SizeCap.MARGIN),
        ({"free_margin": Decimal("605.99")}, "0.099", SizeCap.MARGIN),
        ({"visible_depth_base": Decimal("0.5")}, "0.05", SizeCap.DEPTH),
    ],
)
def test_each_cap_by_hand(caps: dict[str, Any], size: str, cap: SizeCap) -> None:
    """Notionals at 60 000; half of 10 000; margin a unit of 6000 at 10 times and 60 of costs; a tenth of the depth."""
    assert costed(caps=caps) == Sized(Decimal(size), cap)


def test_the_venues_maximum_is_a_cap_of_whole_steps() -> None:
    """A maximum of 0.1005 with a step of 0.001 allows 0.100."""
    assert costed({"max_size": Decimal("0.1005")}) == Sized(Decimal("0.1"), SizeCap.MAX_SIZE)


def test_of_equal_caps_the_risk_is_named() -> None:
    """0.1388.. by risk and 0.1382 by notional are both 138 steps: the risk alone would not have allowed more."""
    assert costed(caps={"max_notional": Decimal(8_292)}) == Sized(Decimal("0.138"), SizeCap.RISK)


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ({"free_margin": Decimal(0)}, TooSmall.NO_MARGIN),
        ({"free_margin": Decimal(-5)}, TooSmall.NO_MARGIN),
        ({"visible_depth_base": Decimal(0)}, TooSmall.NO_DEPTH),
        ({"venue_notional": Decimal(0)}, TooSmall.NO_VENUE_ROOM),
        ({"free_margin": Decimal(1)}, TooSmall.STEP),
    ],
)
def test_what_is_used_up_is_a_reason(caps: dict[str, Any], reason: TooSmall) -> None:
    """No margin, depth or room is no error and no order of zero."""
    assert costed(caps=caps) is reason


def test_minimums_hold_with_costs_too() -> None:
    """0.138 units are 8280 quote."""
    assert costed({"min_size": Decimal("0.139")}) is TooSmall.MIN_SIZE
    assert costed({"min_notional": Decimal("8280.01")}) is TooSmall.MIN_NOTIONAL
    assert costed({"min_size": Decimal("0.138"), "min_notional": Decimal(8280)}) == Sized(
        Decimal("0.138"), SizeCap.RISK
    )


@pytest.mark.parametrize(
    ("changes", "caps", "message"),
    [
        ({"equity": Decimal(0)}, {}, "equity must be positive, got 0"),
        ({"stop_distance": Decimal("NaN")}, {}, "stop_distance must be positive, got NaN"),
        ({"cost_per_base": Decimal(-1)}, {}, "cost_per_base must be 0 or more, got -1"),
        ({"risk_fraction": Decimal(2)}, {}, r"risk_fraction must lie in \[0, 1\], got 2"),
        ({}, {"depth_share": Decimal("1.5")}, r"depth_share must lie in \[0, 1\], got 1.5"),
        ({}, {"leverage": Decimal(0)}, "leverage must be positive, got 0"),
        ({}, {"max_leverage": Decimal(0)}, "max_leverage must be positive, got 0"),
        ({}, {"free_margin": Decimal("NaN")}, "free_margin must be a number, got NaN"),
        ({}, {"venue_notional": Decimal("Infinity")}, "venue_notional must be a number, got Infinity"),
    ],
)
def test_wrong_inputs_of_a_position(changes: dict[str, Any], caps: dict[str, Any], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        costed(caps=caps, **changes)


def test_no_rounding_passes_the_risk() -> None:
    """A budget short of three steps by less than 28 digits can show is two steps."""
    exact = costed(
        {"step": Decimal(1)},
        {"max_notional": Decimal("1e9"), "free_margin": Decimal("1e9"), "visible_depth_base": Decimal("1e9")},
        equity=Decimal("2.999999999999999999999999999"),
        risk_fraction=Decimal("0.5"),
        stop_distance=Decimal("0.5"),
        cost_per_base=Decimal(0),
    )
    assert exact == Sized(Decimal(2), SizeCap.RISK)


@given(
    equity=decimal("100", "10000000", 2),
    risk_fraction=decimal("0.0001", "0.05", 4),
    price=decimal("0.0001", "100000", 4),
    stop_share=decimal("0.0008", "0.2", 4),
    cost_share=decimal("0", "0.01", 4),
    max_notional=decimal("1", "1000000", 2),
    leverage=decimal("1", "100", 1),
    free_margin=decimal("1", "1000000", 2),
    depth=decimal("1", "1000000", 2),
    depth_share=decimal("0.01", "1", 2),
    max_leverage=st.none() | decimal("0.1", "10", 1),
    step=st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1), Decimal(100)]),
    multiplier=st.sampled_from([Decimal(1), Decimal("0.0001"), Decimal(100)]),
    max_size=st.none() | decimal("0.5", "100000", 1),
)
def test_a_position_is_within_every_limit_and_a_step_more_breaks_the_named_one(
    equity: Decimal,
    risk_fraction: Decimal,
    price: Decimal,
    stop_share: Decimal,
    cost_share: Decimal,
    max_notional: Decimal,
    leverage: Decimal,
    free_margin: Decimal,
    depth: Decimal,
    depth_share: Decimal,
    max_leverage: Decimal | None,
    step: Decimal,
    multiplier: Decimal,
    max_size: Decimal | None,
) -> None:
    """The loss with costs never passes the risk; more risk gives no less, a wider stop or more cost no more."""
    stop_distance, cost = price * stop_share, price * cost_share
    caps = SizeCaps(max_notional, leverage, free_margin, depth, depth_share, max_leverage)

    def size(**changes: Decimal) -> Sized | TooSmall:
        inputs = {"risk_fraction": risk_fraction, "stop_distance": stop_distance, "cost_per_base": cost} | changes
        rules = SizeRules(step=step, multiplier=multiplier, max_size=max_size)
        return size_position(equity=equity, price=price, rules=rules, caps=caps, **inputs)

    def broken(units: Decimal) -> set[SizeCap]:
        base = units * multiplier
        limits = {
            SizeCap.RISK: base * (stop_distance + cost) <= equity * risk_fraction,
            SizeCap.NOTIONAL: base * price <= max_notional,
            SizeCap.LEVERAGE: max_leverage is None or base * price <= equity * max_leverage,
            SizeCap.MARGIN: base * price + base * cost * leverage <= free_margin * leverage,
            SizeCap.DEPTH: base <= depth * depth_share,
            SizeCap.MAX_SIZE: max_size is None or units <= max_size,
        }
        return {cap for cap, holds in limits.items() if not holds}

    def units(found: Sized | TooSmall) -> Decimal:
        return Decimal(0) if isinstance(found, TooSmall) else found.size

    found = size()
    taken = units(found)
    assert taken % step == 0
    assert not broken(taken)
    assert broken(taken + step)
    assert isinstance(found, TooSmall) or found.capped_by in broken(taken + step)
    assert units(size(risk_fraction=risk_fraction * 2)) >= taken
    assert units(size(stop_distance=stop_distance * 2)) <= taken
    assert units(size(cost_per_base=cost + price / 100)) <= taken
