from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.exits import Exits, atr_exits

CASE: dict[str, Any] = {
    "side": 1,
    "entry": Decimal("100"),
    "atr": Decimal("1.3"),
    "stop_multiple": Decimal(2),
    "target_multiple": Decimal("1.5"),
    "min_stop_bps": Decimal(8),
    "tick": Decimal("0.25"),
}


def test_a_long_by_hand() -> None:
    """2.6 below 100 is 97.4, on the tick away from it 97.25: risk 2.75, target 4.125 above, on the tick nearer 104."""
    assert atr_exits(**CASE) == Exits(stop=Decimal("97.25"), target=Decimal(104), risk=Decimal("2.75"))


def test_a_short_by_hand() -> None:
    """2.6 above 100 is 102.6, away from it 102.75: risk 2.75, target 4.125 below, on the tick nearer 96."""
    assert atr_exits(**CASE | {"side": -1}) == Exits(stop=Decimal("102.75"), target=Decimal(96), risk=Decimal("2.75"))


def test_a_quiet_market_has_the_least_stop() -> None:
    """An ATR of 0.01 would put the stop 0.02 away; 8 bps of 100 are 0.08."""
    exits = atr_exits(**CASE | {"atr": Decimal("0.01"), "tick": Decimal("0.01")})
    assert exits == Exits(stop=Decimal("99.92"), target=Decimal("100.12"), risk=Decimal("0.08"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": 0}, "side must be 1 .* got 0"),
        ({"entry": Decimal(0)}, "entry must be positive, got 0"),
        ({"atr": Decimal("NaN")}, "atr must be positive, got NaN"),
        ({"atr": Decimal("Infinity")}, "atr must be positive, got Infinity"),
        ({"tick": Decimal(-1)}, "tick must be positive, got -1"),
        ({"atr": Decimal(50)}, "the stop of entry 100 at distance 100 would be 0"),
    ],
)
def test_wrong_inputs(changes: dict[str, Any], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        atr_exits(**CASE | changes)


def decimal(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), allow_nan=False, allow_infinity=False, places=4)


@given(
    side=st.sampled_from((1, -1)),
    ticks=st.integers(1_000, 10_000_000),
    atr=decimal("0.0001", "0.01"),
    stop_multiple=decimal("0.5", "5"),
    target_multiple=decimal("0.5", "5"),
    min_stop_bps=decimal("1", "100"),
    tick=st.sampled_from([Decimal("0.00001"), Decimal("0.1"), Decimal("0.25"), Decimal(5)]),
)
def test_exits_lie_on_ticks_on_their_sides(
    side: int,
    ticks: int,
    atr: Decimal,
    stop_multiple: Decimal,
    target_multiple: Decimal,
    min_stop_bps: Decimal,
    tick: Decimal,
) -> None:
    """The stop is beyond its distance by less than a tick, the target short of its own by less than a tick."""
    entry = ticks * tick
    atr = atr * entry
    exits = atr_exits(
        side=side,
        entry=entry,
        atr=atr,
        stop_multiple=stop_multiple,
        target_multiple=target_multiple,
        min_stop_bps=min_stop_bps,
        tick=tick,
    )
    assert exits.stop % tick == exits.target % tick == 0
    assert exits.risk == side * (entry - exits.stop) > 0
    least = max(atr * stop_multiple, entry * min_stop_bps / 10_000)
    assert least <= exits.risk < least + tick
    reward = side * (exits.target - entry)
    assert exits.risk * target_multiple - tick < reward <= exits.risk * target_multiple
