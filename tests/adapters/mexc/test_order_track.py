"""One order's history, put together from rows and fills that come late, twice, or in the wrong order."""

from decimal import Decimal

import pytest

from adapters.mexc.constants import MexcOrderErrorCode, MexcOrderState, MexcPlanState
from adapters.mexc.order_events import Accepted, Changed, End, Ended, Filled, OrderEvent, StillOpen, Triggered
from adapters.mexc.order_track import Ask, Known, OrderSpec, OrderTrack
from tests.adapters.mexc.rows import SYMBOL, T0, deal_row, order_row, plan_row

LIMIT = OrderSpec("A", SYMBOL, Decimal(10), price=Decimal(100))
MARKET = OrderSpec("A", SYMBOL, Decimal(10), immediate=True)
STOP = OrderSpec("A", SYMBOL, Decimal(10), trigger_price=Decimal(90))
STOP_LIMIT = OrderSpec("A", SYMBOL, Decimal(10), price=Decimal(89), trigger_price=Decimal(90))
CANCELLED, FILLED, INVALID = MexcOrderState.CANCELLED, MexcOrderState.FILLED, MexcOrderState.INVALID


def track_of(spec: OrderSpec) -> OrderTrack:
    return OrderTrack(spec, [])


def told(track: OrderTrack) -> list[str]:
    """The events in short: "accepted 1", "filled x 4", "cancelled"."""
    lines = [_line(event) for event in track.events]
    track.events.clear()
    return lines


def _line(event: OrderEvent) -> str:
    match event:
        case Accepted():
            return f"accepted {event.venue_order_id}"
        case Changed():
            return f"changed {event.venue_order_id} {event.vol} {event.price} {event.trigger_price}"
        case Triggered():
            return "triggered"
        case Filled():
            return f"filled {event.deal.id} {event.deal.vol}"
        case Ended():
            return str(event.how)
        case StillOpen():
            return f"still open {event.order_id}"


# -- order of arrival --------------------------------------------------------------------------------------------------


def test_fill_that_comes_first_is_told_after_an_acceptance() -> None:
    """Nautilus takes no acceptance after a fill: so the first sign of life is one."""
    track = track_of(LIMIT)
    track.on_deal(deal_row("x", 4))
    track.on_acknowledged("1", T0)
    track.on_order(order_row(dealt=4, version=2))
    assert told(track) == ["accepted 1", "filled x 4"]


def test_fill_counts_once() -> None:
    """The same fill by push, by push again, and by query."""
    track = track_of(LIMIT)
    for _ in range(3):
        track.on_deal(deal_row("x", 4))
    assert told(track) == ["accepted 1", "filled x 4"]
    assert track.filled == 4


def test_end_waits_for_its_fills() -> None:
    """A cancelled order of which 4 were filled is not over before those 4 have been told."""
    track = track_of(LIMIT)
    track.on_acknowledged("1", T0)
    track.on_order(order_row(state=CANCELLED, dealt=4, version=3))
    assert told(track) == ["accepted 1"]
    assert track.asks == {Ask.DEALS}
    track.on_deal(deal_row("x", 3))
    assert told(track) == ["filled x 3"]
    track.on_deal(deal_row("y", 1))
    assert told(track) == ["filled y 1", "cancelled"]
    assert track.closed
    assert track.asks == set()


def test_fill_after_the_end_is_told_and_the_end_again() -> None:
    """The venue's count of fills may lag: a fill makes the order live again for the engine, so the end is told anew."""
    track = track_of(LIMIT)
    track.on_order(order_row(state=CANCELLED, dealt=0, version=3))
    assert told(track) == ["accepted 1", "cancelled"]
    track.on_deal(deal_row("x", 3))
    assert told(track) == ["filled x 3", "cancelled"]


def test_last_fill_is_the_end() -> None:
    track = track_of(LIMIT)
    track.on_deal(deal_row("x", 10))
    track.on_order(order_row(state=FILLED, dealt=10, version=2))
    assert told(track) == ["accepted 1", "filled x 10"]
    assert track.closed


def test_filled_by_its_state_but_not_by_its_count() -> None:
    """State 3 says that all was filled, whatever ``dealVol`` says: the fills are asked for."""
    track = track_of(MARKET)
    track.on_order(order_row(state=FILLED, dealt=0, version=2))
    assert track.unexplained == 10
    assert track.asks == {Ask.DEALS, Ask.ORDER}


def test_older_row_changes_nothing_but_adds_fills() -> None:
    """Version 2 after version 3: its price is history, its count of fills is not more than what is known."""
    track = track_of(LIMIT)
    track.on_order(order_row(version=3, price=101, dealt=4))
    track.on_order(order_row(version=2, price=100, dealt=5))
    assert told(track) == ["accepted 1", "changed 1 10 101 None"]
    assert track.unexplained == 5


def test_row_without_version_goes_by_time() -> None:
    """One documented sample has no version; an open row never undoes an end."""
    track = track_of(LIMIT)
    track.on_order(order_row(version=None, ts=20, state=CANCELLED))
    track.on_order(order_row(version=None, ts=10, price=99))
    track.on_order(order_row(version=None, ts=30, price=99))
    assert told(track) == ["accepted 1", "cancelled"]


# -- refusals and ends -------------------------------------------------------------------------------------------------


def test_post_only_that_would_take_is_rejected_as_such() -> None:
    track = track_of(LIMIT)
    track.on_acknowledged("1", T0)
    track.on_order(order_row(state=CANCELLED, error_code=MexcOrderErrorCode.POST_ONLY_CANCEL, version=2))
    assert told(track) == ["accepted 1", "would have taken"]


def test_invalid_order_is_rejected_without_acceptance() -> None:
    track = track_of(LIMIT)
    track.on_order(order_row(state=INVALID, error_code=MexcOrderErrorCode.BALANCE))
    track.on_acknowledged("1", T0)
    assert told(track) == ["rejected"]


def test_refusal_after_proof_of_life_is_not_believed() -> None:
    """A push has shown the order while its sending was still unanswered."""
    track = track_of(LIMIT)
    track.on_order(order_row())
    track.on_refused("time-out", T0)
    assert told(track) == ["accepted 1"]


def test_order_that_lives_after_its_rejection_is_pointed_out() -> None:
    """Should the window of a signature be longer than it is said to be, the order is cancelled, not forgotten."""
    track = track_of(LIMIT)
    track.on_refused("not taken", T0)
    track.on_order(order_row())
    assert told(track) == ["rejected", "still open 1"]
    track.on_deal(deal_row("x", 4))
    assert told(track) == ["filled x 4"]


def test_refused_duplicate_is_not_the_order() -> None:
    """A second order with our name was refused: the one that rests is untouched."""
    track = track_of(LIMIT)
    track.on_acknowledged("1", T0)
    track.on_order(order_row("2", state=INVALID, error_code=MexcOrderErrorCode.DUPLICATE_CLIENT_ID))
    assert told(track) == ["accepted 1"]
    assert track.order_id == "1"


# -- changes -----------------------------------------------------------------------------------------------------------


def test_change_is_told_once() -> None:
    track = track_of(LIMIT)
    track.on_order(order_row())
    track.on_order(order_row(vol=6, price="99.5", version=2))
    track.on_order(order_row(vol=6, price="99.50", version=2))
    assert told(track) == ["accepted 1", "changed 1 6 99.5 None"]


def test_fill_beyond_the_known_quantity_waits_for_the_change() -> None:
    """Nautilus refuses a fill of more than the order's quantity: the change that it belongs to is told first."""
    track = track_of(LIMIT)
    track.on_order(order_row())
    track.on_deal(deal_row("x", 15))
    assert told(track) == ["accepted 1"]
    assert track.asks == {Ask.ORDER}
    track.on_order(order_row(vol=20, dealt=15, version=3))
    assert told(track) == ["changed 1 20 100 None", "filled x 15"]


def test_fill_of_the_old_quantity_waits_for_the_answer_to_a_change() -> None:
    """10 changed to 20, of which 10 are filled: Nautilus would take the order for filled to the last contract."""
    track = track_of(LIMIT)
    track.on_order(order_row())
    track.changing = True
    track.on_deal(deal_row("x", 10))
    assert told(track) == ["accepted 1"]
    track.on_order(order_row(vol=20, dealt=10, version=2))
    track.on_change_over()
    assert told(track) == ["changed 1 20 100 None", "filled x 10"]


def test_change_that_nobody_here_made_and_that_came_too_late() -> None:
    """Made larger by hand while its last contract was filled: it is over for Nautilus, so the rest must go."""
    track = track_of(LIMIT)
    track.on_deal(deal_row("x", 10))
    track.on_order(order_row(vol=20, dealt=10, version=3))
    assert told(track) == ["accepted 1", "filled x 10", "still open 1"]


def test_reduced_to_what_is_filled_is_an_end() -> None:
    """10 of which 6 are filled, changed to 6: nothing more can happen, and Nautilus would wait for 4 more."""
    track = track_of(LIMIT)
    track.on_deal(deal_row("x", 6))
    track.on_order(order_row(vol=6, dealt=6, state=FILLED, version=3))
    assert told(track) == ["accepted 1", "filled x 6", "cancelled"]


def test_change_under_another_id() -> None:
    """If the venue ends the old id and goes on under a new one, it is one order all the same."""
    track = track_of(LIMIT)
    track.on_order(order_row("1", dealt=2))
    track.on_deal(deal_row("x", 2))
    assert told(track) == ["accepted 1", "filled x 2"]
    track.changing = True
    track.on_order(order_row("1", dealt=2, state=CANCELLED, version=2))
    assert told(track) == []
    track.on_order(order_row("2", vol=8, price=101))
    track.on_change_over()
    track.on_order(order_row("1", dealt=2, state=CANCELLED, version=2))
    assert told(track) == ["changed 2 10 101 None"]
    track.on_deal(deal_row("y", 8, "2"))
    assert told(track) == ["filled y 8"]
    assert track.closed


# -- trigger orders ----------------------------------------------------------------------------------------------------


def test_stop_that_triggers_keeps_its_plans_id() -> None:
    track = track_of(STOP)
    track.on_acknowledged("P", T0)
    track.on_plan(plan_row(state=MexcPlanState.EXECUTED, order_id="7", ts=5))
    assert track.asks == {Ask.ORDER}
    track.on_deal(deal_row("x", 10, "7", external_oid="_m_1"))
    assert told(track) == ["accepted P", "filled x 10"]
    assert track.order_id == "7"


def test_stop_limit_tells_its_triggering() -> None:
    track = track_of(STOP_LIMIT)
    track.on_plan(plan_row(price=89))
    track.on_plan(plan_row(state=MexcPlanState.EXECUTED, order_id="7", ts=5, price=89))
    track.on_plan(plan_row(price=89, ts=5))
    track.on_order(order_row("7", price=89, external_oid="_m_1"))
    assert told(track) == ["accepted P", "triggered"]


def test_executed_plan_without_order_is_asked_for() -> None:
    track = track_of(STOP)
    track.on_plan(plan_row(state=MexcPlanState.EXECUTED, order_id=None, ts=5))
    assert track.asks == {Ask.PLAN}


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (MexcPlanState.CANCELLED, End.CANCELLED),
        (MexcPlanState.EXPIRED, End.EXPIRED),
        (MexcPlanState.FAILED, End.REJECTED),
    ],
)
def test_ends_of_a_plan(state: MexcPlanState, how: End) -> None:
    track = track_of(STOP)
    track.on_plan(plan_row())
    track.on_plan(plan_row(state=state, ts=5))
    track.on_plan(plan_row(ts=5))
    assert told(track) == ["accepted P", str(how)]


def test_trigger_price_changes() -> None:
    track = track_of(STOP)
    track.on_plan(plan_row())
    track.on_plan(plan_row(trigger=91, ts=3))
    assert told(track) == ["accepted P", "changed P 10 None 91"]


# -- what the engine knows already -------------------------------------------------------------------------------------


def test_known_fills_are_not_told_again() -> None:
    """After a restart the cache has 4 of 6 filled contracts."""
    track = OrderTrack.of(Known(LIMIT, "1", {"x": Decimal(4)}), [])
    track.on_order(order_row(dealt=6, version=5))
    track.on_deal(deal_row("x", 4))
    track.on_deal(deal_row("y", 2))
    assert told(track) == ["filled y 2"]


def test_known_end_is_told_again_only_after_a_fill() -> None:
    track = OrderTrack.of(Known(LIMIT, "1", {}, ended=True), [])
    track.on_order(order_row(state=CANCELLED, dealt=2, version=5))
    assert told(track) == []
    track.on_deal(deal_row("x", 2))
    assert told(track) == ["filled x 2", "cancelled"]


def test_order_that_never_rests_is_asked_for_until_it_is_over() -> None:
    track = track_of(MARKET)
    track.on_acknowledged("1", T0)
    track.on_order(order_row(price=100))
    assert track.asks == {Ask.ORDER}
    track.on_order(order_row(state=CANCELLED, error_code=MexcOrderErrorCode.MARKET_CANCEL, version=2))
    assert track.asks == set()
