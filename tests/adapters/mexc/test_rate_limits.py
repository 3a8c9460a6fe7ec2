"""Rate limits and turns, on a clock that the test sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.endpoints import (
    CANCEL_ORDERS,
    CHANGE_LEVERAGE,
    CONTRACT_DETAIL,
    CREATE_ORDER,
    DEPTH,
    KLINE,
    OPEN_ORDERS,
    Endpoint,
    Priority,
    RateLimit,
)
from adapters.mexc.rate_limits import RequestQueue, SlidingWindow


def test_limits_of_the_reference() -> None:
    """The venue's own numbers, endpoint by endpoint."""
    expected = {
        CREATE_ORDER: (4, 2.0),
        CANCEL_ORDERS: (20, 2.0),
        OPEN_ORDERS: (20, 2.0),
        CHANGE_LEVERAGE: (10, 10.0),
        CONTRACT_DETAIL: (10, 2.0),
        DEPTH: (10, 2.0),
        KLINE: (20, 2.0),
    }
    assert {e: (e.limit.count, e.limit.seconds) for e in expected} == expected


def test_every_endpoint_has_a_name_of_its_own() -> None:
    """Windows are kept by name, and no two share a path; the one rate with and without a symbol counts as one."""
    from adapters.mexc import endpoints

    every = [value for value in vars(endpoints).values() if isinstance(value, Endpoint)]
    assert len({e.path for e in every}) == len(every)
    assert sorted(e.name for e in every if [o.name for o in every].count(e.name) > 1) == [
        "funding_rate",
        "funding_rate",
    ]
    assert all(e.path.startswith("/api/v1/private/") == e.private for e in every)
    assert all(e.repeatable for e in every if e.priority in (Priority.MARKET, Priority.ACCOUNT))
    assert not any(e.repeatable for e in every if e.priority in (Priority.CREATE, Priority.CANCEL))


def test_window_frees_when_the_oldest_leaves_it() -> None:
    """Two within 2 s: the third waits for the first to be 2 s (and a margin) old."""
    window = SlidingWindow(RateLimit(2, 2.0), margin_seconds=0.5)
    window.take(10.0)
    window.take(11.0)
    assert window.free_at(11.5) == 12.5
    with pytest.raises(ValueError, match=r"wait until 12\.5"):
        window.take(12.4)
    window.take(12.5)
    assert window.free_at(12.6) == 13.5


def test_pause_holds_a_free_window() -> None:
    """The longest pause counts."""
    window = SlidingWindow(RateLimit(2, 2.0))
    window.pause(20.0)
    window.pause(15.0)
    assert window.free_at(10.0) == 20.0


@given(st.lists(st.integers(0, 64), min_size=1, max_size=60), st.integers(1, 5))
def test_no_window_ever_holds_more_than_its_count(gaps: list[int], count: int) -> None:
    """Whatever the pace of asking: any 2 s have at most `count` takes."""
    window = SlidingWindow(RateLimit(count, 2.0), margin_seconds=0.0)
    now, taken = 0.0, []
    for gap in gaps:
        now = window.free_at(now + gap / 64)
        window.take(now)
        taken.append(now)
    assert all(later - first >= 2.0 for first, later in zip(taken, taken[count:], strict=False))


def test_creates_wait_and_cancels_pass() -> None:
    """The fifth create waits for its window; a cancel behind it does not."""
    queue = RequestQueue(max_in_flight=16, reserved_for_cancels=4)
    creates = [queue.join(CREATE_ORDER) for _ in range(5)]
    cancel = queue.join(CANCEL_ORDERS)
    assert queue.ready(0.0) == [cancel, *creates[:4]]
    assert queue.wake_at(0.0) == 2.1
    assert queue.ready(2.0) == []
    assert queue.ready(2.1) == [creates[4]]
    assert queue.wake_at(2.1) is None


def test_priority_orders_what_waits_for_a_place() -> None:
    """One place: cancel, create, account, market data, whatever came first."""
    queue = RequestQueue(max_in_flight=1, reserved_for_cancels=0)
    first = queue.join(DEPTH)
    assert queue.ready(0.0) == [first]
    market, account, create, cancel = (queue.join(e) for e in (DEPTH, OPEN_ORDERS, CREATE_ORDER, CANCEL_ORDERS))
    order = []
    for _ in range(4):
        queue.finished()
        order += queue.ready(0.0)
    assert order == [cancel, create, account, market]


def test_reserved_places_are_for_cancels() -> None:
    """Slow reads cannot take all places: a cancel finds one."""
    queue = RequestQueue(max_in_flight=3, reserved_for_cancels=1)
    for _ in range(5):
        queue.join(DEPTH)
    assert len(queue.ready(0.0)) == 2
    cancel = queue.join(CANCEL_ORDERS)
    assert queue.ready(0.0) == [cancel]
    assert queue.wake_at(0.0) is None  # no time will help, a finished request will


def test_abandoned_requests_are_skipped() -> None:
    """Who has given up takes no place of the window."""
    queue = RequestQueue(max_in_flight=16, reserved_for_cancels=0)
    tickets = [queue.join(CREATE_ORDER) for _ in range(6)]
    queue.abandon(tickets[0])
    queue.abandon(tickets[4])
    assert queue.ready(0.0) == [*tickets[1:4], tickets[5]]


def test_pauses_of_one_and_of_all() -> None:
    """A busy endpoint waits alone; a ban holds everything, cancels too."""
    queue = RequestQueue(max_in_flight=16, reserved_for_cancels=0)
    create, cancel = queue.join(CREATE_ORDER), queue.join(CANCEL_ORDERS)
    queue.pause(CREATE_ORDER, 5.0)
    assert queue.ready(0.0) == [cancel]
    late_cancel = queue.join(CANCEL_ORDERS)
    queue.pause_all(8.0)
    assert queue.ready(6.0) == []
    assert queue.wake_at(6.0) == 8.0
    assert queue.ready(8.0) == [late_cancel, create]


def test_reserving_everything_is_refused() -> None:
    """Other requests would never go."""
    with pytest.raises(ValueError, match="leave none for other requests"):
        RequestQueue(max_in_flight=4, reserved_for_cancels=4)
