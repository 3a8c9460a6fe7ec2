"""One trade by hand: what should not happen.

The long of 10 is entered at 100, stopped at 95, and leaves at 102 and 104.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from strategies.sizing import SizeRules
from strategies.trade_manager import (
    Accepted,
    Cancelled,
    Expired,
    Filled,
    Flatten,
    Rang,
    TradeManager,
    Updated,
)
from tests.strategies.trade_driver import SECOND, SHORT, T0, Driver, entered, ladder, parts, plan, resting


def test_more_closed_than_open_is_bought_back() -> None:
    """Stop and target both fill: the excess is closed, reduce-only, and counted."""
    driver = entered()
    driver.fill("stop-1", 10, 95)
    assert driver.fill("target-1-1", 5, 102) == ["submit close-1: market IOC buy 5", "alarm retry"]
    assert driver.submits()[-1].reduce_only
    assert (driver.trade.open_size, driver.trade.oddities) == (-5, {"overshoot": 1})
    driver.fill("close-1", 5)
    driver.on(Cancelled("target-2-1"))
    assert (driver.trade.done, driver.trade.reason) == (True, "stop")


def test_a_duplicate_fill_is_counted_and_ignored() -> None:
    """By id and order: two orders that met in the book share an id."""
    driver = Driver(resting(targets=()))
    driver.start()
    one = Filled("entry", "7", Decimal(4), Decimal(100), Decimal(0), T0)
    driver.on(one)
    assert driver.on(one) == []
    driver.on(replace(one, ref="stop-1"))
    assert (driver.trade.entered, driver.trade.open_size) == (4, 0)
    assert driver.trade.oddities == {"duplicate fill": 1}
    assert len(driver.trade.fills) == 2


def test_an_unknown_ref_is_counted_and_ignored() -> None:
    """Whatever comes, trading goes on."""
    driver = entered()
    for event in (Accepted("x"), Updated("x", Decimal(1)), Filled("x", "1", Decimal(1), Decimal(1), Decimal(0), T0)):
        assert driver.on(event) == []
    assert driver.on(Rang("tea")) == []
    assert driver.trade.oddities == {"unknown ref": 3, "unexpected": 1}


def test_less_than_a_step_is_nothing() -> None:
    """A fill off the step leaves dust that no order could close."""
    driver = Driver(plan(targets=()))
    driver.start()
    driver.fill("entry", "9.5")
    driver.accept("stop-1")
    assert driver.submits()[-1].size == 9
    driver.fill("stop-1", 9, 95)
    driver.on(Expired("entry"))
    assert (driver.trade.done, driver.trade.open_size) == (True, Decimal("0.5"))


def test_every_order_has_a_reason_to_be_sent_and_to_end() -> None:
    """The history tells both, with their times."""
    driver = entered()
    driver.fill("target-1-1", 5, 102)
    driver.now += SECOND
    driver.on(Flatten("lockout"))
    driver.fill("close-1", 5)
    driver.on(Cancelled("stop-1"))
    driver.on(Cancelled("target-2-1"))
    told = [(note.ts - T0, note.what, note.why) for note in driver.trade.history]
    assert (
        told[-7:]
        == [
            (SECOND, "cancel target-2-1", "the trade is left: lockout"),
            (SECOND, "submit close-1: market IOC sell 5", "lockout"),
            (SECOND, "alarm retry", "to try again"),
            (SECOND, "close-1 ended", "filled"),
            (SECOND, "cancel stop-1", "nothing is open"),
            (SECOND, "stop-1 ended", "cancelled"),
            (SECOND, "target-2-1 ended", "cancelled"),
        ]
        or told[-8:-1]
    )
    assert told[-1] == (SECOND, "trade done", "lockout")


def test_nothing_is_started_twice() -> None:
    """That is a mistake in the program, not an event."""
    driver = Driver()
    driver.start()
    with pytest.raises(ValueError, match="BTC has been started"):
        driver.start()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"side": 0}, "side must be 1"),
        ({"size": Decimal("10.5")}, "size 10.5 is off the venue's step 1"),
        ({"stop": Decimal(102)}, "target 102 is not beyond the stop at 102"),
        ({"targets": ladder({98: "1"}, SHORT)}, "a ladder of side -1"),
        ({"targets": parts({102: "6", 104: "5"})}, "targets of 11 are more than the trade's 10"),
        ({"targets": parts({104: "5", 102: "5"})}, "nearest first, got 104 before 102"),
        ({"targets": parts({102: "0.5"})}, "part 0.5 at 102 is off the venue's step 1"),
        ({"targets": parts({94: "5"})}, "target 94 is not beyond the stop at 95"),
        ({"horizon_ns": 0}, "horizon_ns must be positive"),
        ({"rules": SizeRules(step=Decimal(0))}, "step must be positive"),
    ],
)
def test_plans_that_cannot_be(others: dict[str, object], said: str) -> None:
    """The error names what is wrong."""
    with pytest.raises(ValueError, match=said):
        plan(**others)


def test_a_resting_entry_lies_on_the_right_side_of_its_stop() -> None:
    """A long's above it."""
    with pytest.raises(ValueError, match="stop 101 is not on the losing side of an entry at 100"):
        resting(stop=Decimal(101))


def test_a_trade_that_is_ready_is_not_done() -> None:
    """Nothing was decided yet."""
    trade = TradeManager(plan())
    assert (trade.done, trade.working, trade.history) == (False, (), [])
