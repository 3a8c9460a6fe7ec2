"""One trade by hand: targets, break-even, and every way out.

The long of 10 is entered at 100, stopped at 95, and leaves at 102 and 104.
"""

from decimal import Decimal

import pytest

from strategies.trade_manager import (
    Alarm,
    Cancelled,
    CancelRefused,
    Filled,
    Flatten,
    ModifyRefused,
    Rang,
    Refused,
    Replanned,
    TradeState,
    Updated,
)
from tests.strategies.trade_driver import SECOND, SHORT, T0, Driver, entered, ladder, parts, plan, resting

STOP_10 = "submit stop-1: stop market sell 10 at 95"
DROP_TARGETS = ["cancel target-1-1", "cancel target-2-1"]
CLOSE_10 = "submit close-1: market IOC sell 10"


def test_a_target_that_is_filled_shrinks_the_stop_alone() -> None:
    """The other target keeps its part."""
    driver = entered()
    assert driver.fill("target-1-1", 5, 102) == ["resize stop-1 to 5"]
    driver.on(Updated("stop-1", Decimal(5)))
    assert driver.fill("target-2-1", 5, 104) == ["cancel stop-1"]
    driver.on(Cancelled("stop-1"))
    assert (driver.trade.done, driver.trade.reason) == (True, "target")


def test_parts_of_a_growing_entry_keep_what_their_targets_have_had() -> None:
    """4 entered, 2 of them taken at 102: of 10 the nearer part of 5 has 3 left."""
    driver = Driver()
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1", "target-1-1", "target-2-1")
    driver.fill("target-1-1", 2, 102)
    driver.on(Updated("stop-1", Decimal(2)))
    assert driver.fill("entry", 6) == [
        "resize stop-1 to 8",
        "submit target-1-2: limit sell 3 at 102",
        "resize target-2-1 to 5",
    ]


def test_explicit_parts_are_served_nearest_first() -> None:
    """7 of 10 are entered: all of the nearer part and one of the farther; of 10 two have no target."""
    driver = Driver(plan(targets=parts({102: "6", 104: "2"})))
    driver.start()
    assert driver.fill("entry", 7)[2:] == [
        "submit target-1-1: limit sell 6 at 102",
        "submit target-2-1: limit sell 1 at 104",
    ]
    driver.accept("target-1-1", "target-2-1")
    assert driver.fill("entry", 3) == ["resize target-2-1 to 2"]


def test_targets_grow_only_into_room() -> None:
    """A new ladder: what rests at the old price counts until its cancel is confirmed."""
    driver = entered()
    assert driver.on(Replanned(ladder({103: "0.5", 104: "0.5"}))) == ["cancel target-1-1"]
    assert driver.on(Cancelled("target-1-1")) == ["submit target-3-1: limit sell 5 at 103"]


def test_a_new_ladder_moves_sizes_by_shrinking_first() -> None:
    """0.2 and 0.8 of 10, but what rests is kept: nothing. With one target all of it moves there."""
    driver = entered()
    assert driver.on(Replanned(ladder({102: "0.2", 104: "0.8"}))) == []
    assert driver.on(Replanned(ladder({102: "1"}))) == ["cancel target-2-1"]
    assert driver.on(Cancelled("target-2-1")) == ["resize target-1-1 to 10"]


def test_a_ladder_that_cannot_be_is_counted_and_ignored() -> None:
    """Of the other side, and one while the trade is being left."""
    driver = entered()
    assert driver.on(Replanned(ladder({98: "1"}, SHORT))) == []
    driver.on(Flatten("lockout"))
    assert driver.on(Replanned(ladder({103: "1"}))) == []
    assert driver.trade.oddities == {"unexpected": 2}


def test_a_target_that_cannot_be_resized_is_replaced() -> None:
    """Cancelled, and sent again with the new size."""
    driver = Driver(plan(targets=ladder({102: "1"})))
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1", "target-1-1")
    assert driver.fill("entry", 6) == ["resize stop-1 to 10", "resize target-1-1 to 10"]
    assert driver.on(ModifyRefused("target-1-1", "not supported")) == ["cancel target-1-1"]
    assert driver.on(Cancelled("target-1-1")) == ["submit target-1-2: limit sell 10 at 102"]


def test_a_target_that_is_refused_is_tried_again_and_then_given_up() -> None:
    """Three times, a second apart; the stop and the time barrier remain."""
    driver = Driver(plan(targets=ladder({102: "1"})))
    driver.start()
    driver.fill("entry", 10)
    for attempt in (1, 2):
        assert driver.on(Refused(f"target-1-{attempt}", "busy")) == ["alarm retry"]
        assert driver.on(Rang("retry"), after=1) == [f"submit target-1-{attempt + 1}: limit sell 10 at 102"]
    assert driver.on(Refused("target-1-3", "busy")) == []
    assert driver.trade.state is TradeState.OPEN


def test_the_stop_goes_to_break_even_after_the_first_target() -> None:
    """Not for a part of it; first the size, then the price; and its fill says so."""
    driver = entered(break_even=Decimal(101))
    assert driver.fill("target-1-1", 2, 102) == ["resize stop-1 to 8"]
    driver.on(Updated("stop-1", Decimal(8)))
    assert driver.fill("target-1-1", 3, 102) == ["resize stop-1 to 5"]
    assert driver.on(Updated("stop-1", Decimal(5), Decimal(95))) == ["move stop-1 to 101"]
    assert driver.on(Updated("stop-1", Decimal(5), Decimal(101))) == []
    driver.fill("stop-1", 5, 101)
    assert driver.trade.reason == "break-even stop"


def test_a_refused_move_leaves_the_stop_where_it_is() -> None:
    """And is not asked for again."""
    driver = entered(break_even=Decimal(101))
    driver.fill("target-1-1", 5, 102)
    assert driver.on(Updated("stop-1", Decimal(5))) == ["move stop-1 to 101"]
    assert driver.on(ModifyRefused("stop-1", "would trigger")) == []
    assert driver.fill("target-2-1", 1, 104) == ["resize stop-1 to 4"]
    assert driver.on(Updated("stop-1", Decimal(4))) == []


def test_break_even_never_loosens() -> None:
    """The plan refuses a price beyond the stop, and a stop that is already better stays."""
    with pytest.raises(ValueError, match="would loosen the stop at 95"):
        plan(break_even=Decimal(94))
    driver = entered(break_even=Decimal(101))
    driver.on(Updated("stop-1", Decimal(10), Decimal("101.5")))
    driver.fill("target-1-1", 5, 102)
    assert driver.on(Updated("stop-1", Decimal(5))) == []


def test_the_time_barrier_closes_what_is_open() -> None:
    """The horizon counts from the first fill; the stop rests until the position is gone."""
    driver = entered()
    assert driver.on(Rang("horizon"), after=60) == [*DROP_TARGETS, CLOSE_10, "alarm retry"]
    assert driver.fill("close-1", 4) == ["resize stop-1 to 6"]
    assert driver.fill("close-1", 6) == ["cancel stop-1"]
    assert driver.trade.reason == "time"


def test_flat_cancels_what_rests_whatever_answers_are_to_come() -> None:
    """A cancel that is refused is tried again every second until the order's end is known."""
    driver = entered()
    driver.on(Flatten("end of session"))
    assert driver.fill("close-1", 10) == ["cancel stop-1"]
    assert driver.trade.working == ("stop-1", "target-1-1", "target-2-1")
    driver.on(Cancelled("target-1-1"))
    driver.on(CancelRefused("target-2-1", "filled?"))
    driver.on(Cancelled("stop-1"))
    assert not driver.trade.done
    assert driver.on(Rang("retry"), after=1) == ["cancel target-2-1"]
    driver.on(Cancelled("target-2-1"))
    assert (driver.trade.done, driver.trade.reason) == (True, "end of session")


def test_a_horizon_that_is_over_when_the_fill_is_reported_rings_at_once() -> None:
    """The alarm is never in the past."""
    driver = Driver()
    driver.start()
    driver.now += 90 * SECOND
    driver.on(Filled("entry", "a", Decimal(10), Decimal(100), Decimal(0), T0))
    assert Alarm("horizon", T0 + 90 * SECOND) in driver.sent


def test_nothing_is_entered_after_a_flatten() -> None:
    """Before the start: no entry. With an IOC entry on its way: its fill is closed at once."""
    driver = Driver()
    assert driver.on(Flatten("lockout")) == []
    assert driver.start() == []
    assert driver.trade.done
    driver = Driver()
    driver.start()
    assert driver.on(Flatten("lockout")) == []
    assert driver.fill("entry", 10)[1:] == [STOP_10, CLOSE_10, "alarm retry"]
    assert driver.trade.reason == "lockout"


def test_a_flatten_cancels_an_entry_that_rests() -> None:
    """Not entered: done once the cancel is confirmed."""
    driver = Driver(resting())
    driver.start()
    driver.accept("entry")
    assert driver.on(Flatten("lockout")) == ["cancel entry"]
    driver.on(Cancelled("entry"))
    assert (driver.trade.done, driver.trade.reason) == (True, "lockout")


def test_an_entry_that_rests_ends_when_the_targets_have_taken_all() -> None:
    """What it fills meanwhile is closed at once: its stop is being cancelled."""
    driver = Driver(resting(targets=ladder({102: "1"})))
    driver.start()
    driver.fill("entry", 4)
    driver.accept("stop-1", "target-1-1")
    assert driver.fill("target-1-1", 4, 102) == ["cancel entry", "cancel stop-1"]
    assert driver.fill("entry", 2) == ["submit close-1: market IOC sell 2", "alarm retry"]
    assert driver.trade.reason == "target"


def test_a_liquidation_ends_the_trade() -> None:
    """In part: what is left has a second, as after a stop."""
    driver = entered()
    assert driver.liquidate(6) == ["resize stop-1 to 4", *DROP_TARGETS, "alarm retry"]
    assert driver.on(Rang("retry"), after=1) == ["submit close-1: market IOC sell 4", "alarm retry"]
    assert driver.trade.reason == "liquidation"


def test_a_liquidation_is_the_reason_though_the_venue_withdrew_the_stop_first() -> None:
    """The close that answers the lost stop finds nothing to close; why the trade ended is what closed it."""
    driver = entered()
    assert CLOSE_10 in driver.on(Cancelled("stop-1"))
    assert driver.trade.reason == "stop gone"
    driver.liquidate(10)
    driver.on(Refused("close-1", "would not reduce"))
    for ref in driver.trade.working:
        driver.on(Cancelled(ref))
    assert driver.trade.done
    assert driver.trade.reason == "liquidation"
