"""Exits whose news overtake those of their entries."""

from adapters.mexc.constants import MexcOrderSide
from adapters.mexc.order_events import End, Ended, Filled, OrderEvent
from adapters.mexc.reduce_only_gate import PATIENCE_MS, ReduceOnlyGate
from tests.adapters.mexc.rows import SYMBOL, deal_row


def entry(vol: int, key: str = "in") -> Filled:
    return Filled(key, "1", deal_row(f"{key}{vol}", vol))


def leave(vol: int, key: str = "out") -> Filled:
    return Filled(key, "2", deal_row(f"{key}{vol}", vol, "2", side=MexcOrderSide.CLOSE_LONG))


def gone(key: str) -> Ended:
    return Ended(key, "2", End.CANCELLED, "", 0)


def offer(gate: ReduceOnlyGate, event: OrderEvent, *, now_ms: int = 0) -> list[OrderEvent]:
    return gate.pass_on(event, reduce_only=event.key.startswith("out"), now_ms=now_ms)


def test_exit_waits_for_its_entry() -> None:
    gate = ReduceOnlyGate()
    assert offer(gate, leave(2)) == []
    assert gate.holds
    assert offer(gate, entry(2)) == [entry(2), leave(2)]
    assert not gate.holds


def test_exit_of_a_position_that_is_there_passes() -> None:
    gate = ReduceOnlyGate()
    gate.start({SYMBOL: leave(5).deal.vol})
    assert offer(gate, leave(3)) == [leave(3)]
    assert offer(gate, leave(3, "out2")) == []


def test_what_follows_of_the_order_waits_behind_its_fill() -> None:
    """The end of the exit must not be told before its fill; other orders pass."""
    gate = ReduceOnlyGate()
    assert offer(gate, leave(2)) == []
    assert offer(gate, gone("out")) == []
    assert offer(gate, gone("other")) == [gone("other")]
    assert offer(gate, entry(1)) == [entry(1)]
    assert offer(gate, entry(1, "in2")) == [entry(1, "in2"), leave(2), gone("out")]


def test_exit_is_told_in_the_end_whatever_is_missing() -> None:
    """A wrong position is seen and mended; a fill that is never told is not."""
    gate = ReduceOnlyGate()
    offer(gate, leave(2))
    assert gate.overdue(PATIENCE_MS - 1) == []
    assert gate.overdue(PATIENCE_MS) == [leave(2)]


def test_entries_never_wait() -> None:
    gate = ReduceOnlyGate()
    short = Filled("in", "1", deal_row("x", 2, side=MexcOrderSide.OPEN_SHORT))
    assert offer(gate, short) == [short]
