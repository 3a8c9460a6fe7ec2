"""When the decisions of a run that was cut short are those of the whole one, by hand."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backtests.decisions import Decisions, Step, first_unequal
from strategies.trade_log import PlannedTarget, Trade
from tests.strategies.trade_rows import enter, leave, planned

PERP = "BTCUSDT-PERP.BINANCE"
STOP = 100
SENT, ACCEPTED, FILLED, CANCELED = "OrderInitialized", "OrderAccepted", "OrderFilled", "OrderCanceled"


def step(ts: int, order: int, number: int, what: str, **terms: Any) -> Step:
    return Step(ts, f"O-1-{order}", number, PERP, what, terms)


ENTRY = (
    step(20, 1, 0, SENT, order_side="BUY", quantity="0.5", reduce_only=False),
    step(20, 1, 1, FILLED, last_qty="0.5", last_px="100.0"),
)
TARGET = (
    step(20, 2, 0, SENT, order_side="SELL", quantity="0.5", price="101.0", reduce_only=True),
    step(20, 2, 1, ACCEPTED),
)
DEARER = replace(TARGET[0], terms=TARGET[0].terms | {"price": "101.1"})
LATER = (step(150, 3, 0, SENT, order_side="SELL", quantity="0.5", reduce_only=False),)
CLOSING = (
    step(STOP, 2, 2, CANCELED),
    step(STOP, 3, 0, SENT, order_side="SELL", quantity="0.5", reduce_only=True),
    step(STOP, 3, 1, FILLED, last_qty="0.5", last_px="99.0"),
)
"""What a stop does: cancel the target, and close."""


def decisions(*steps: Step, trades: Sequence[Trade] = (), stopped: int = STOP, **passed: int) -> Decisions:
    return Decisions(steps, tuple(trades), passed, stopped)


WHOLE = decisions(*ENTRY, *TARGET, *LATER, stopped=200)


def test_what_a_stop_does_is_no_decision() -> None:
    """Closing and cancelling at the stop are not compared, nor is what the whole run did after it."""
    assert first_unequal(WHOLE, decisions(*ENTRY, *TARGET, *CLOSING)) is None


@pytest.mark.parametrize(
    ("cut", "what", "values"),
    [
        ((*ENTRY, DEARER, TARGET[1]), "price", ("101.0", "101.1")),
        ((replace(ENTRY[0], instrument_id="X"), ENTRY[1], *TARGET), "instrument", (PERP, "X")),
        ((*ENTRY, TARGET[0], step(21, 2, 1, ACCEPTED)), "order O-1-2", ("OrderAccepted", None)),
        (ENTRY, "order O-1-2", ("OrderInitialized order_side=SELL quantity=0.5 price=101.0 reduce_only=True", None)),
        ((*ENTRY, *TARGET, step(60, 3, 0, SENT, quantity="1")), "order O-1-3", (None, "OrderInitialized quantity=1")),
        ((*ENTRY, *TARGET, step(99, 2, 2, CANCELED)), "order O-1-2", (None, "OrderCanceled")),
    ],
    ids=["a price", "a market", "a time", "one is missing", "one too many", "an end just before the stop"],
)  # fmt: skip
def test_before_the_stop_everything_counts(cut: Sequence[Step], what: str, values: tuple[object, object]) -> None:
    """A term, a market, a time, an order or an event more or less: each is named, with both values."""
    found = first_unequal(WHOLE, decisions(*cut))
    assert found is not None
    assert found.what.startswith(what)
    assert (found.whole, found.cut) == values


AT_STOP = decisions(
    *(replace(s, ts=STOP) for s in (*ENTRY, *TARGET)), *(replace(s, ts=STOP + 1) for s in LATER), stopped=200
)
"""A run that enters at the very time at which the other one stops."""


def test_what_is_decided_at_the_time_of_the_stop_must_come_before_it() -> None:
    """The cut run too must enter there; then it may close."""
    entry = [replace(s, ts=STOP) for s in (*ENTRY, *TARGET)]
    assert first_unequal(AT_STOP, decisions(*entry, *CLOSING)) is None
    found = first_unequal(AT_STOP, decisions(*entry[:1], *CLOSING[1:]))
    assert found is not None
    assert (found.ts, found.what, found.cut) == (STOP, "order O-1-1", None)
    nothing = first_unequal(AT_STOP, decisions())
    assert nothing is not None
    assert nothing.what == "order O-1-1"


@pytest.mark.parametrize(
    "more",
    [
        (step(STOP, 3, 0, SENT, quantity="0.5", reduce_only=False),),
        (step(STOP, 2, 2, FILLED, last_qty="0.5"),),
    ],
    ids=["an order that opens", "a fill of what rested"],
)
def test_what_no_stop_does_is_a_difference(more: Sequence[Step]) -> None:
    """At the stop's own time a new entry, or a fill of an older order, is something that the whole run did not do."""
    found = first_unequal(WHOLE, decisions(*ENTRY, *TARGET, *more))
    assert found is not None
    assert (found.ts, found.whole) == (STOP, None)


def trade(*fills: tuple[int, bool, str], **others: Any) -> Trade:
    """A long of half a coin with fills of (time, entry, size)."""
    made = planned(planned_size=Decimal("0.5"), decided_ns=20, **others)
    for ts, entry, size in fills:
        (enter if entry else leave)(made, 100, ts, size=size, fee="0.01", order_id="O")
    return made


def unequal_trades(whole: Trade, cut: Sequence[Trade]) -> str | None:
    found = first_unequal(decisions(trades=[whole], stopped=200), decisions(trades=cut))
    return None if found is None else found.what


def test_a_trade_is_compared_in_what_was_decided_before_the_stop() -> None:
    """Its plan and its fills up to then; the exit only where the whole run had it by then too."""
    whole = trade((20, True, "0.5"), (150, False, "0.5"))
    assert unequal_trades(whole, [trade((20, True, "0.5"), (STOP, False, "0.5"))]) is None
    assert unequal_trades(whole, []) == "trade"
    assert unequal_trades(trade((150, True, "0.5")), []) is None
    other_stop = trade((20, True, "0.5"), (STOP, False, "0.5"), stop=Decimal(97))
    assert unequal_trades(whole, [other_stop]) == "stop of the trade decided at 20"
    other_aim = (PlannedTarget(Decimal(116), Decimal(1), "R multiple"),)
    aiming_higher = trade((20, True, "0.5"), (STOP, False, "0.5"), targets=other_aim)
    assert unequal_trades(whole, [aiming_higher]) == "targets of the trade decided at 20"
    early = trade((20, True, "0.5"), (90, False, "0.5"))
    assert unequal_trades(whole, [early]) == "later fills of the trade decided at 20"
    more = trade((20, True, "0.5"), (STOP, True, "0.1"))
    assert unequal_trades(whole, [more]) == "later fills of the trade decided at 20"


def test_of_a_trade_that_is_over_the_outcome_counts() -> None:
    """Why it ended, and what it cost."""
    whole, cut = (trade((20, True, "0.5"), (90, False, "0.5")) for _ in range(2))
    whole.reason = cut.reason = "target"
    assert unequal_trades(whole, [cut]) is None
    cut.reason = "end"
    assert unequal_trades(whole, [cut]) == "reason of the trade decided at 20"
    cut.reason, cut.fees = "target", Decimal("0.03")
    assert unequal_trades(whole, [cut]) == "fees of the trade decided at 20"


def test_setups_passed_can_only_become_more() -> None:
    """A reason that the run that was cut short counted more often is a difference."""
    assert first_unequal(decisions(spread=3, score=1), decisions(spread=2)) is None
    found = first_unequal(decisions(spread=3), decisions(spread=3, score=1))
    assert found is not None
    assert (found.what, found.whole, found.cut) == ("setups passed by the end, for 'score'", 0, 1)


def test_an_entry_that_the_stop_ended_may_be_counted_as_passed() -> None:
    """Once for each that was under way; not for an exit, nor for one whose end the whole run saw too."""
    sent = step(98, 4, 0, SENT, order_side="BUY", quantity="1", reduce_only=False)
    rejected = step(STOP, 4, 1, "OrderRejected", reason="ended")
    whole = decisions(sent, step(110, 4, 1, FILLED, last_qty="1"), stopped=200)
    assert first_unequal(whole, decisions(sent, rejected, unfilled=1)) is None
    assert first_unequal(whole, decisions(sent, rejected, unfilled=2)) is not None
    assert first_unequal(decisions(sent, rejected, stopped=200), decisions(sent, rejected, unfilled=1)) is not None
    reducing = replace(sent, terms=sent.terms | {"reduce_only": True})
    assert first_unequal(decisions(reducing, stopped=200), decisions(reducing, rejected, unfilled=1)) is not None


def test_the_earliest_difference_is_told() -> None:
    """Of several the one that came first in time."""
    changed = replace(TARGET[0], ts=19)
    found = first_unequal(WHOLE, decisions(*sorted((*ENTRY, changed), key=lambda s: s.ts), score=1))
    assert found is not None
    assert found.ts == 19
