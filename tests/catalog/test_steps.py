"""Multiples of ticks and steps, exactly and a column at a time."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.steps import SCALE, near_doubles, off_step, words
from catalog.tables import decimals

VALUES = st.integers(0, 10**12)
STEPS = st.integers(1, 900)
PLACES = st.integers(0, 12)


@given(st.lists(st.tuples(VALUES, st.integers(0, 12)), min_size=1, max_size=20), STEPS, PLACES)
def test_off_step_equals_the_remainder_of_exact_decimals(
    values: list[tuple[int, int]], step: int, step_places: int
) -> None:
    """Any value against any step: the same answer as Python's exact decimals, however small the step."""
    exact = [Decimal(value).scaleb(-places) for value, places in values]
    size = Decimal(step).scaleb(-step_places)
    found = off_step(words(decimals([f"{value:f}" for value in exact])), int(size * SCALE))
    assert found.tolist() == [value % size != 0 for value in exact]


@pytest.mark.parametrize(("value", "off"), [("63943.9", False), ("63943.95", True), ("0", False), ("-0.1", False)])
def test_a_price_on_its_tick_and_one_between_two(value: str, off: bool) -> None:
    """On a tick of 0.1, 63943.9 lies and 63943.95 does not; zero and negative multiples lie on it too."""
    assert off_step(words(decimals([value])), SCALE // 10).tolist() == [off]


@given(st.lists(VALUES, min_size=2, max_size=30))
def test_near_doubles_keep_order_and_identity(values: list[int]) -> None:
    """Decimals of up to 15 digits compare as their doubles do."""
    doubles = near_doubles(decimals([f"{Decimal(value).scaleb(-4):f}" for value in values])).tolist()
    assert [(a < b, a == b) for a, b in pairwise(values)] == [(a < b, a == b) for a, b in pairwise(doubles)]
