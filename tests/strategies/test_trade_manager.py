"""One trade by hand: how it is entered and protected.

The long of 10 is entered at 100, stopped at 95, and leaves at 102 and 104.
"""

from decimal import Decimal

from strategies.trade_manager import (
    Accepted,
    Cancelled,
    Expired,
    Flatten,
    ModifyRefused,
    Rang,
    Refused,
    TradeState,
    Updated,
)
from tests.strategies.trade_driver import HORIZON, SECOND, SHORT, T0, Driver, entered, ladder, plan, resting

STOP_10 = "submit stop-1: stop market sell 10 at 95"
TARGETS = ["submit target-1-1: limit sell 5 at 102", "submit target-2-1: limit sell 5 at 104"]
DROP_TARGETS = ["cancel target-1-1", "cancel target-2-1"]
CLOSE_10 = "submit close-1: market IOC sell 10"


def test_a_trade_starts_with_its_entry_alone() -> None:
    """Market IOC, not reduce-only; everything else is."""
    driver = Driver()
    assert driver.trade.state is TradeState.READY
    assert driver.start() == ["submit entry: market IOC buy 10"]
    assert driver.trade.state is TradeState.ENTERING
    driver.fill("entry", 10)
    driver.on(Flatten("lockout"))
    assert [(s.ref, s.reduce_only) for s in driver.submits()] == [
        ("entry", False),
        ("stop-1", True),
        ("target-1-1", True),
        ("target-2-1", True),
        ("close-1", True),
    ]


def test_the_first_fill_is_protected_in_the_same_answer() -> None:
    """The stop for what is open, the targets, the time barrier."""
    driver = Driver()
    driver.start()
    assert driver.fill("entry", 10) == ["alarm horizon", STOP_10, *TARGETS]
    assert driver.trade.alarms == {"horizon": T0 + HORIZON}
    assert driver.trade.state is TradeState.OPEN


def test_a_short_is_the_mirror() -> None:
    """Sells to enter, buys to leave."""
    driver = Driver(plan(side=-1, stop=Decimal(105), targets=ladder({98: "1"}, SHORT)))
    assert driver.start() == ["submit entry: market IOC sell 10"]
    answer = driver.fill("entry", 10)
    assert answer[1:] == ["submit stop-1: stop market buy 10 at 105", "submit target-1-1: limit buy 10 at 98"]
    assert driver.trade.open_size == 10


def test_exits_follow_further_fills_when_they_can_be_modified() -> None:
    """What is not accepted yet is resized in the answer to its acceptance; one change at a time is on its way."""
    driver = Driver()
    driver.start()
    driver.fill("entry", 4)
    assert driver.fill("entry", 2) == []
    assert driver.accept("stop-1") == ["resize stop-1 to 6"]
    assert driver.fill("entry", 4) == []
    assert driver.on(Updated("stop-1", Decimal(6))) == ["resize stop-1 to 10"]
    assert driver.accept("target-1-1", "target-2-1") == ["resize target-1-1 to 5", "resize target-2-1 to 5"]


def test_a_fill_before_its_acceptance_counts_as_one() -> None:
    """The stop fills in part before it is reported as accepted: the rest can be cancelled and resized."""
    driver = Driver()
    driver.start()
    driver.fill("entry", 10)
    driver.fill("stop-1", 4, 95)
    assert driver.trade.reason == "stop"
    assert driver.on(Accepted("stop-1")) == []
    assert driver.accept("target-1-1") == ["cancel target-1-1"]


def test_an_entry_that_finds_nothing_is_no_trade() -> None:
    """IOC and nothing there: done, with nothing entered."""
    driver = Driver()
    driver.start()
    assert driver.on(Expired("entry")) == []
    assert (driver.trade.done, driver.trade.reason, driver.trade.entered) == (True, "entry expired", 0)


def test_a_post_only_entry_that_would_take_is_no_trade() -> None:
    """The venue's reason is kept."""
    driver = Driver(resting())
    assert driver.start() == ["submit entry: post-only limit buy 10 at 100", "alarm time-out"]
    driver.on(Refused("entry", "would take"))
    assert (driver.trade.done, driver.trade.reason) == (True, "entry refused: would take")


def test_a_post_only_entry_is_cancelled_at_its_time_out() -> None:
    """Its end is waited for."""
    driver = Driver(resting(seconds=5))
    driver.start()
    assert driver.trade.alarms == {"time-out": T0 + 5 * SECOND}
    driver.accept("entry")
    assert driver.on(Rang("time-out"), after=5) == ["cancel entry"]
    assert not driver.trade.done
    driver.on(Cancelled("entry"))
    assert (driver.trade.done, driver.trade.reason) == (True, "entry timed out")


def test_a_time_out_before_the_acceptance_cancels_upon_it() -> None:
    """The venue must know an order before it can be cancelled."""
    driver = Driver(resting())
    driver.start()
    assert driver.on(Rang("time-out")) == []
    assert driver.accept("entry") == ["cancel entry"]


def test_what_an_entry_filled_before_its_time_out_is_a_trade() -> None:
    """Also what it fills between the cancel and its confirmation."""
    driver = Driver(resting())
    driver.start()
    driver.accept("entry")
    driver.fill("entry", 4)
    driver.accept("stop-1")
    assert driver.on(Rang("time-out")) == ["cancel entry"]
    assert driver.fill("entry", 2) == ["resize stop-1 to 6"]
    assert driver.on(Cancelled("entry")) == []
    assert (driver.trade.state, driver.trade.open_size) == (TradeState.OPEN, 6)


def test_a_late_fill_after_the_entry_has_ended_is_closed_at_once() -> None:
    """A trade that was done is not done any more; the stop stands by while the close is tried."""
    driver = Driver(resting())
    driver.start()
    driver.accept("entry")
    driver.on(Rang("time-out"))
    driver.on(Cancelled("entry"))
    assert driver.trade.done
    late = driver.fill("entry", 3)
    assert late == ["submit stop-1: stop market sell 3 at 95", "submit close-1: market IOC sell 3", "alarm retry"]
    assert (driver.trade.reason, driver.trade.oddities) == ("late fill", {"late fill": 1})
    driver.fill("close-1", 3)
    assert driver.accept("stop-1") == ["cancel stop-1"]
    driver.on(Cancelled("stop-1"))
    assert driver.trade.done


def test_a_refused_stop_closes_at_once_and_until_flat() -> None:
    """The targets go, the close is IOC and reduce-only, what it leaves open is closed every second."""
    driver = Driver()
    driver.start()
    driver.fill("entry", 10)
    driver.accept("target-1-1", "target-2-1")
    assert driver.on(Refused("stop-1", "no")) == [*DROP_TARGETS, CLOSE_10, "alarm retry"]
    driver.on(Cancelled("target-1-1"))
    driver.on(Cancelled("target-2-1"))
    driver.fill("close-1", 4)
    assert driver.on(Expired("close-1")) == []
    assert driver.on(Rang("retry"), after=1) == ["submit close-2: market IOC sell 6", "alarm retry"]
    assert driver.on(Refused("close-2", "busy")) == []
    assert driver.on(Rang("retry"), after=1) == ["submit close-3: market IOC sell 6", "alarm retry"]
    driver.fill("close-3", 6)
    assert (driver.trade.done, driver.trade.reason) == (True, "stop refused")


def test_one_close_at_a_time() -> None:
    """While one is on its way the retry only rings again."""
    driver = entered()
    driver.on(Flatten("lockout"))
    assert driver.on(Rang("retry"), after=1) == ["alarm retry"]


def test_a_stop_that_vanishes_closes_at_once() -> None:
    """Cancelled or expired by the venue."""
    for event in (Cancelled("stop-1"), Expired("stop-1")):
        driver = entered()
        assert driver.on(event) == [*DROP_TARGETS, CLOSE_10, "alarm retry"]
        assert driver.trade.reason == "stop gone"


def test_a_stop_that_cannot_grow_is_naked() -> None:
    """Smaller than the position: close."""
    driver = Driver(plan(targets=()))
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1")
    assert driver.fill("entry", 6) == ["resize stop-1 to 10"]
    assert driver.on(ModifyRefused("stop-1", "no")) == [CLOSE_10, "alarm retry"]
    assert driver.trade.reason == "stop not resized"


def test_a_stop_that_cannot_shrink_does_no_harm() -> None:
    """It only reduces; the same is not asked for again."""
    driver = entered()
    assert driver.fill("target-1-1", 2, 102) == ["resize stop-1 to 8"]
    assert driver.on(ModifyRefused("stop-1", "no")) == []
    assert driver.trade.state is TradeState.OPEN
    assert driver.fill("target-1-1", 2, 102) == ["resize stop-1 to 6"]


def test_a_stop_that_the_venue_shrinks_is_made_whole_again() -> None:
    """Unasked for. What it never does is given up after three tries; a report that says nothing new is no answer."""
    driver = entered(targets=())
    assert driver.on(Updated("stop-1", Decimal(7))) == ["resize stop-1 to 10"]
    for _ in range(2):
        assert driver.on(Updated("stop-1", Decimal(7))) == ["alarm retry"]
        assert driver.on(Rang("retry"), after=1) == ["resize stop-1 to 10"]
    driver.on(Updated("stop-1", Decimal(7)))
    assert driver.on(Rang("retry"), after=1) == [CLOSE_10, "alarm retry"]
    assert driver.trade.reason == "stop gone"


def test_a_change_by_the_venue_while_ours_is_on_its_way_is_no_answer() -> None:
    """The stop is shrunk to 3 while its growth travels: the growth is asked for again, and both answers are taken."""
    driver = Driver(plan(targets=()))
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1")
    assert driver.fill("entry", 6) == ["resize stop-1 to 10"]
    assert driver.on(Updated("stop-1", Decimal(3))) == ["resize stop-1 to 10"]
    assert driver.on(Updated("stop-1", Decimal(10))) == []
    assert driver.on(ModifyRefused("stop-1", "no change")) == []
    assert driver.trade.state is TradeState.OPEN


def test_an_older_larger_size_that_comes_late_is_not_believed() -> None:
    """The stop was shrunk to 5 already: nothing rests for 10."""
    driver = entered()
    driver.fill("target-1-1", 5, 102)
    assert driver.on(Updated("stop-1", Decimal(5))) == []
    assert driver.on(Updated("stop-1", Decimal(10))) == []
    assert driver.liquidate(1)[0] == "resize stop-1 to 4"


def test_a_stop_over_several_levels_sends_nothing_else() -> None:
    """It has a second for its fills; then what is open is closed."""
    driver = entered()
    assert driver.fill("stop-1", 3, 95) == [*DROP_TARGETS, "alarm retry"]
    assert driver.fill("stop-1", 3, 94) == []
    assert driver.on(Rang("retry"), after=1) == ["submit close-1: market IOC sell 4", "alarm retry"]
    assert driver.trade.reason == "stop"


def test_a_smaller_stop_that_is_filled_closes_the_rest_at_once() -> None:
    """Filled while a growth was on its way, which then is refused."""
    driver = Driver(plan(targets=()))
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1")
    driver.fill("entry", 6)
    assert driver.fill("stop-1", 4, 95) == ["alarm retry"]
    assert driver.on(ModifyRefused("stop-1", "filled")) == ["submit close-1: market IOC sell 6"]


def test_total_size_counts_what_was_filled() -> None:
    """4 of the stop are filled and 3 more are entered: 9 rest beside the 4."""
    driver = Driver(resting(targets=()))
    driver.start()
    driver.fill("entry", 7)
    driver.accept("entry", "stop-1")
    driver.fill("stop-1", 4, 95)
    assert "resize stop-1 to 10" in driver.fill("entry", 3)
