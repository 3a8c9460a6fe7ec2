"""One trade against a venue that accepts, refuses, fills in parts, loses touch and repeats itself, in any order."""

from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from strategies.trade_manager import (
    Accepted,
    Alarm,
    Cancelled,
    ClosedByVenue,
    Command,
    Event,
    Expired,
    Filled,
    Flatten,
    Move,
    Rang,
    Refused,
    Replanned,
    Resize,
    Role,
    Submit,
    TradeManager,
    TradePlan,
    Updated,
)
from strategies.trade_manager.commands import describe
from tests.strategies.trade_driver import T0
from tests.strategies.trade_ledger import Ledger
from tests.strategies.trade_setups import STEP, ladder_of, plans, shares
from tests.strategies.trade_venue import Venue, in_order_of_versions

SHARE = st.sampled_from([Decimal(1), Decimal("0.6"), Decimal("0.3"), Decimal(1), Decimal(0)])
RARELY = st.integers(0, 7).map(lambda number: number == 5)
ENFORCES = st.sampled_from((True, True, True, False))
REPEATABLE = (Accepted, Refused, Cancelled, Expired, Filled, ClosedByVenue)
END_STEPS = 400


class OneTrade(RuleBasedStateMachine):
    """Every answer is held against the ledger of what could be known; at rest it is held against the venue itself."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.made = False

    @initialize(plan=plans(), enforces=ENFORCES)
    def a_trade_is_planned(self, plan: TradePlan, enforces: bool) -> None:
        self._begin(plan, enforces)

    def _begin(self, plan: TradePlan, enforces: bool) -> None:
        self.delivered: list[Event] = []
        self.alarms: dict[str, int] = {}
        self.flattened = False
        self.trade = TradeManager(plan)
        self.venue = Venue(plan.side, enforces=enforces)
        self.ledger = Ledger(plan)
        self.made = True
        self._take(self.trade.start(self.now))

    # -- the way between -----------------------------------------------------------------------------------------------

    def _take(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Alarm):
                self.alarms[command.name] = command.at_ns
            else:
                self.venue.inbox.append(command)
        self.ledger.answered(commands)
        self._check_answer(commands)

    def _tell(self, event: Event) -> None:
        was_done, notes = self.trade.done, len(self.trade.history)
        new_fill = isinstance(event, Filled | ClosedByVenue) and self.ledger.is_new(event)
        self.delivered.append(event)
        self.ledger.heard(event)
        commands = self.trade.on(event, self.now)
        if was_done:
            assert not commands or new_fill
        told = [note for note in self.trade.history[notes:] if note.why]
        assert [note.what for note in told if note.what in map(describe, commands)] == [*map(describe, commands)]
        if self.flattened:
            assert not any(isinstance(c, Submit) and c.role is Role.ENTRY for c in commands)
        self._take(commands)

    def _check_answer(self, commands: list[Command]) -> None:
        trade, ledger = self.trade, self.ledger
        assert trade.open_size == ledger.open_size
        assert trade.entered == ledger.entered
        ledger.check_working(trade.working)
        assert trade.alarms == self.alarms
        for command in commands:
            if isinstance(command, Submit | Resize):
                assert command.size > 0
                assert command.size % STEP == 0
        ledger.check_never_naked(trade.working, self.alarms, self.now)
        ledger.check_targets(leaving=bool(trade.reason), late="late fill" in trade.oddities)
        if trade.done:
            assert trade.reason
            assert ledger.open_size == 0
            assert not trade.working
        self._check_rest()

    def _check_rest(self) -> None:
        """When nothing is on its way in either direction, what is known is what is."""
        venue, trade = self.venue, self.trade
        if venue.inbox or venue.outbox:
            return
        assert venue.position == trade.open_size
        assert {order.sent.ref for order in venue.working()} <= set(trade.working)
        if venue.position > 0:
            stop = sum(order.leaves for order in venue.working(Role.STOP))
            assert stop >= venue.position or ("retry" in self.alarms and trade.reason)
            if not trade.reason:
                assert stop >= venue.position
                assert sum(order.leaves for order in venue.working(Role.TARGET)) <= venue.position
        if not trade.reason and trade.plan.break_even is not None:
            side = trade.plan.side
            assert all(
                order.price and side * (order.price - trade.plan.stop) >= 0 for order in venue.working(Role.STOP)
            )

    # -- the venue -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.made and self.venue.inbox)
    @rule(refuses=RARELY, modifies=st.booleans(), fills=SHARE)
    def the_venue_takes_a_command(self, refuses: bool, modifies: bool, fills: Decimal) -> None:
        modify = isinstance(self.venue.inbox[0], Resize | Move)
        self.venue.takes(refuses=not modifies if modify else refuses, fills=fills)

    @precondition(lambda self: self.made and self.venue.inbox)
    @rule()
    def the_venue_takes_all_commands(self) -> None:
        while self.venue.inbox:
            self.venue.takes()

    @precondition(lambda self: self.made and self.venue.working())
    @rule(pick=st.integers(0, 9), size=st.integers(1, 9))
    def an_order_is_filled(self, pick: int, size: int) -> None:
        working = self.venue.working()
        self.venue.fills(working[pick % len(working)], Decimal(size))

    @precondition(lambda self: self.made and self.venue.working(Role.ENTRY))
    @rule(size=st.integers(1, 6))
    def the_entry_grows(self, size: int) -> None:
        self.venue.fills(self.venue.working(Role.ENTRY)[0], Decimal(size))

    @precondition(lambda self: self.made and self.venue.working(Role.TARGET))
    @rule(pick=st.integers(0, 9))
    def a_target_is_filled(self, pick: int) -> None:
        targets = self.venue.working(Role.TARGET)
        order = targets[pick % len(targets)]
        self.venue.fills(order, order.leaves)

    @precondition(lambda self: self.made and self.venue.working())
    @rule(pick=st.integers(0, 9), expires=st.booleans(), really=RARELY)
    def the_venue_ends_an_order(self, pick: int, expires: bool, really: bool) -> None:
        if not really:
            return
        working = self.venue.working()
        order = working[pick % len(working)]
        self.venue.ends(order, Expired(order.sent.ref) if expires else Cancelled(order.sent.ref))

    @precondition(lambda self: self.made and self.venue.position > 0)
    @rule(size=st.integers(1, 20), really=RARELY)
    def the_venue_liquidates(self, size: int, really: bool) -> None:
        if really:
            self.venue.liquidates(Decimal(size))

    @precondition(lambda self: self.made and any(o.sent.reduce_only for o in self.venue.working()))
    @rule(pick=st.integers(0, 9), less=st.integers(1, 5))
    def the_venue_shrinks_an_order(self, pick: int, less: int) -> None:
        working = [o for o in self.venue.working() if o.sent.reduce_only and o.leaves > less]
        if working:
            order = working[pick % len(working)]
            order.total -= less
            self.venue.outbox.append(Updated(order.sent.ref, order.total, order.price))

    # -- reports -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.made and self.venue.outbox)
    @rule()
    def the_next_report_arrives(self) -> None:
        self._tell(self.venue.outbox.pop(0))

    @precondition(lambda self: self.made and self.venue.outbox)
    @rule()
    def all_reports_arrive(self) -> None:
        while self.venue.outbox:
            self._tell(self.venue.outbox.pop(0))

    @precondition(lambda self: self.made and (self.venue.inbox or self.venue.outbox))
    @rule()
    def everything_arrives(self) -> None:
        for _ in range(END_STEPS):
            if self.venue.inbox:
                self.venue.takes()
            elif self.venue.outbox:
                self._tell(self.venue.outbox.pop(0))
            else:
                return
        raise AssertionError("trade and venue answer each other for ever")

    @precondition(lambda self: self.made and len(self.venue.outbox) > 1)
    @rule(data=st.data())
    def withheld_reports_arrive_in_any_order(self, data: st.DataObject) -> None:
        self.venue.outbox = in_order_of_versions(data.draw(st.permutations(self.venue.outbox)), self.venue.outbox)
        self._tell(self.venue.outbox.pop(0))

    @precondition(lambda self: self.made and self.venue.outbox)
    @rule()
    def a_report_arrives_twice(self) -> None:
        event = self.venue.outbox.pop(0)
        self._tell(event)
        self._tell(event)

    @precondition(lambda self: self.made and any(isinstance(e, REPEATABLE) for e in self.delivered))
    @rule(pick=st.integers(0, 99))
    def an_old_report_arrives_again(self, pick: int) -> None:
        old = [event for event in self.delivered if isinstance(event, REPEATABLE)]
        self._tell(old[pick % len(old)])

    @precondition(lambda self: self.made and sum(self.trade.oddities.values()) < 2)
    @rule(event=st.sampled_from((Accepted("x"), Cancelled("stop-9"), Updated("y", Decimal(3)), Rang("tea"))))
    def something_unknown_arrives(self, event: Event) -> None:
        before = sum(self.trade.oddities.values())
        self._tell(event)
        assert sum(self.trade.oddities.values()) == before + 1

    # -- time and the operator -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.made and "retry" in self.alarms)
    @rule()
    def a_second_goes_by(self) -> None:
        self._ring("retry")

    @precondition(lambda self: self.made and self.alarms.keys() - {"retry"})
    @rule(really=RARELY)
    def time_runs_out(self, really: bool) -> None:
        if really:
            self._ring(min(self.alarms.keys() - {"retry"}))

    @precondition(lambda self: self.made and not self.trade.reason)
    @rule(far=shares)
    def the_targets_are_replanned(self, far: dict[int, str]) -> None:
        self._tell(Replanned(ladder_of(self.trade.plan.side, far)))

    @precondition(lambda self: self.made)
    @rule(really=RARELY)
    def the_trade_is_flattened(self, really: bool) -> None:
        if really:
            self.flattened = True
            self._tell(Flatten("lockout"))

    @precondition(lambda self: self.made and self.trade.done and not self.venue.outbox)
    @rule(plan=plans(), enforces=ENFORCES)
    def another_trade_is_planned(self, plan: TradePlan, enforces: bool) -> None:
        self._end()
        self._begin(plan, enforces)

    # -- the end -------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Once the venue answers everything the trade ends, flat and with nothing working."""
        if not self.made:
            return
        if not self.trade.reason:
            self._tell(Flatten("end"))
        for _ in range(END_STEPS):
            self.everything_arrives()
            if self.trade.done:
                break
            assert self.alarms, "nothing is on its way, nothing will ring, and the trade is not done"
            self._ring(min(self.alarms, key=lambda name: self.alarms[name]))
        self._end()

    def _end(self) -> None:
        assert self.trade.done
        assert self.venue.position == 0
        assert not self.venue.working()
        told = {note.what for note in self.trade.history}
        for ref in self.ledger.sent:
            assert any(what.startswith(f"submit {ref}:") for what in told)
            assert f"{ref} ended" in told

    def _ring(self, name: str) -> None:
        self.now = self.venue.now = max(self.now, self.alarms.pop(name))
        self._tell(Rang(name))


TestOneTrade = OneTrade.TestCase
TestOneTrade.settings = hypothesis_settings(max_examples=300, stateful_step_count=60, deadline=None)
