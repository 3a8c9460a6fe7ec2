"""The order in which a running trade hears events, whenever they come."""

from decimal import Decimal
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.trade_manager import (
    Accepted,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Command,
    Event,
    Filled,
    Flatten,
    ModifyRefused,
    Rang,
    Refused,
    Submit,
    TradeManager,
    TradePlan,
    Updated,
)
from strategies.trade_manager.commands import describe
from tests.strategies.running_trades import Stand, short_plan
from tests.strategies.trade_driver import T0, plan, resting

D = Decimal


def test_what_comes_while_commands_are_sent_waits_for_the_last_of_them() -> None:
    """The venue accepts and fills the entry before its sending returns; the stop is sent after, and accepted likewise.

    The acceptance of the stop comes before the targets are sent and changes nothing: they are sent first.
    """

    def at_once(stand: Stand, command: Command) -> None:
        if isinstance(command, Submit):
            stand.on(Accepted(command.ref))
            if command.ref == "entry":
                stand.fill("entry", 10)
                assert stand.one.manager.open_size == 0

    stand = Stand(answer=at_once)
    assert stand.start() == [
        "submit entry: market IOC buy 10",
        "alarm horizon",
        "submit stop-1: stop market sell 10 at 95",
        "submit target-1-1: limit sell 5 at 102",
        "submit target-2-1: limit sell 5 at 104",
    ]
    assert stand.one.manager.open_size == 10


def test_an_end_that_is_followed_by_a_fill_is_none() -> None:
    """Both come while the entry is sent: what the refused entry opened is closed, and it is not done before that."""

    def refuse_and_fill(stand: Stand, command: Command) -> None:
        if isinstance(command, Submit) and command.ref == "entry":
            stand.on(Refused("entry", "no margin"))
            stand.fill("entry", 10)

    stand = Stand(answer=refuse_and_fill)
    stand.start()
    assert stand.sent[-2:] == ["submit close-1: market IOC sell 10", "alarm retry"]
    assert not stand.one.done


def test_a_trade_that_cannot_be_sent_hears_the_next_event() -> None:
    """An error of the shell goes up, and leaves no trade that is busy for ever."""

    def fail(stand: Stand, command: Command) -> None:
        if isinstance(command, Submit) and command.ref == "stop-1":
            raise RuntimeError("no such instrument")

    stand = Stand(answer=fail)
    stand.start()
    with pytest.raises(RuntimeError, match="no such instrument"):
        stand.fill("entry", 10)
    stand.on(Refused("stop-1", "never sent"))
    assert "submit close-1: market IOC sell 10" in stand.sent


REFS = ("entry", "stop-1", "target-1-1", "target-2-1", "close-1")
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Accepted, st.sampled_from(REFS)),
    st.builds(Cancelled, st.sampled_from(REFS)),
    st.builds(
        Filled,
        st.sampled_from(REFS),
        st.sampled_from("abcdefgh"),
        st.integers(1, 10).map(D),
        st.sampled_from((D(95), D(100), D(102))),
        st.just(D("0.1")),
        st.just(T0),
    ),
    st.builds(Updated, st.sampled_from(REFS[1:]), st.integers(1, 10).map(D), st.none() | st.just(D(101))),
    st.builds(ModifyRefused, st.sampled_from(REFS[1:]), st.just("no")),
    st.builds(Refused, st.sampled_from(REFS), st.just("no")),
    st.builds(CancelRefused, st.sampled_from(REFS), st.just("no")),
    st.builds(Rang, st.sampled_from(("horizon", "retry", "time-out"))),
    st.builds(Flatten, st.just("lockout")),
    st.builds(
        ClosedByVenue, st.sampled_from("uvw"), st.integers(1, 3).map(D), st.just(D(90)), st.just(D(0)), st.just(T0)
    ),
)


@given(
    st.sampled_from((plan(), short_plan(), resting())),
    st.lists(st.lists(EVENTS, max_size=3), max_size=12),
    st.lists(EVENTS, max_size=12),
)
def test_none_is_lost_and_none_overtakes(of: TradePlan, while_sending: list[list[Event]], then: list[Event]) -> None:
    """Whatever comes while whatever is sent: events are heard in the order in which they came, each once, and every
    command that answers one is sent before the next is heard."""
    came: list[Event] = []
    answers = iter(while_sending)

    def answer(stand: Stand, command: Command) -> None:
        for event in next(answers, []):
            came.append(event)
            stand.on(event)

    stand = Stand(of, answer)
    heard: list[Event] = []
    due = [describe(command) for command in TradeManager(of).start(T0)]
    of_manager = stand.one.manager.on

    def listen(event: Event, now_ns: int) -> list[Command]:
        assert stand.sent == due
        heard.append(event)
        commands = of_manager(event, now_ns)
        due.extend(map(describe, commands))
        return commands

    with patch.object(stand.one.manager, "on", listen):
        stand.start()
        for event in then:
            came.append(event)
            stand.on(event)
    assert heard == came
    assert stand.sent == due
    _check_log(stand)


def _check_log(stand: Stand) -> None:
    """The row has the manager's fills, and what rests in it is what can be working."""
    manager, trade = stand.one.manager, stand.trade
    assert [(f.size, f.price, f.ts) for f in trade.fills] == [(f.size, f.price, f.ts) for f in manager.fills]
    assert trade.open_size == manager.open_size
    open_rows = [r.ref for r in trade.resting if not r.to_ns]
    assert sorted(open_rows) == sorted(ref for ref in manager.working if ref.startswith(("stop", "target")))
