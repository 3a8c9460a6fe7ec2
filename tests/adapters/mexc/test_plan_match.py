"""Recognising a trigger order by its content."""

from decimal import Decimal

import pytest

from adapters.mexc.assumptions import SIGNATURE_TOLERANCE_SECONDS
from adapters.mexc.constants import MexcMarginMode, MexcPositionMode
from adapters.mexc.orders import Setup, Situation, direction_of, order_request
from adapters.mexc.plan_match import content_of, find_plan
from tests.adapters.mexc.order_makers import SELL, SYMBOL, instrument, stop_market
from tests.adapters.mexc.rows import T0, plan_row

HEDGE = Setup(MexcPositionMode.HEDGE, MexcMarginMode.ISOLATED)
TOLERANCE_MS = round(SIGNATURE_TOLERANCE_SECONDS * 1000)
ORDER = stop_market(SELL, 5, "90.0", reduce_only=True)
CONTENT = content_of(
    order_request(ORDER, instrument(), HEDGE, direction_of(ORDER, HEDGE, Situation(Decimal(0))), 20, "name").body
)


def test_same_content_is_found() -> None:
    """Numbers are compared as numbers: 90.0 is 90."""
    ours = plan_row("5", symbol=SYMBOL, vol=5, trigger="90.00")
    assert find_plan([ours], CONTENT, T0, []) is ours


@pytest.mark.parametrize(
    "other",
    [
        plan_row("5", symbol="ETH_USDT", vol=5),
        plan_row("5", symbol=SYMBOL, vol=6),
        plan_row("5", symbol=SYMBOL, vol=5, trigger=91),
        plan_row("5", symbol=SYMBOL, vol=5, price=89),
    ],
)
def test_other_content_is_not(other) -> None:  # type: ignore[no-untyped-def]
    assert find_plan([other], CONTENT, T0, []) is None


def test_plans_that_are_somebodys_or_older_than_the_request_are_not_it() -> None:
    """A plan of the same content from before, or one whose owner is known."""
    plan = plan_row("5", symbol=SYMBOL, vol=5)
    assert find_plan([plan], CONTENT, T0, ["5"]) is None
    assert find_plan([plan], CONTENT, T0 + TOLERANCE_MS, []) is plan
    assert find_plan([plan], CONTENT, T0 + TOLERANCE_MS + 1, []) is None


def test_oldest_of_several_is_it() -> None:
    first, second = plan_row("5", symbol=SYMBOL, vol=5), plan_row("10", symbol=SYMBOL, vol=5)
    assert find_plan([second, first], CONTENT, T0, []) is first
