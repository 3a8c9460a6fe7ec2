"""One trade from its entry until nothing is open and nothing works: events in, commands out.

Every event is booked first; then one pass compares what is open with what rests and asks for the difference. What
cannot be asked for yet (an order is not accepted, an answer is still to come) needs no memory: the pass after that
answer asks for it.
"""

from decimal import Decimal

from strategies.targets import Ladder
from strategies.trade_manager.commands import Command, Kind, Role
from strategies.trade_manager.events import (
    CancelRefused,
    ClosedByVenue,
    Event,
    Filled,
    Flatten,
    ModifyRefused,
    OrderReport,
    Rang,
    Refused,
    Replanned,
)
from strategies.trade_manager.fill_book import FillBook
from strategies.trade_manager.order_desk import Note, OrderDesk
from strategies.trade_manager.plan import TradePlan
from strategies.trade_manager.protective_stop import ProtectiveStop
from strategies.trade_manager.state import TradeState
from strategies.trade_manager.take_profit import TakeProfit
from strategies.trade_manager.working_order import FILLED, WorkingOrder

RETRY_NS = 1_000_000_000  # between attempts at what the venue did not do
ENTRY = "entry"
TIME_OUT, HORIZON, RETRY = "time-out", "horizon", "retry"  # alarms
STOP_GONE, LIQUIDATION = "stop gone", "liquidation"  # reasons


class TradeManager:
    """Drives one `plan`. Call `start` once, then `on` with every event; carry out what they return, in that order.

    A fill may come when the trade is `done`: then it is not done any more, and what is open is closed at once.
    """

    def __init__(self, plan: TradePlan) -> None:
        self.plan = plan
        self.reason = ""  # why the trade is being left or was not entered; empty while it may still reach its targets
        self._book = FillBook(plan.side, plan.rules.step)
        self._desk = OrderDesk()
        self._stop = ProtectiveStop(plan, self._desk)
        self._profit = TakeProfit(plan, self._desk)
        self._started = False
        self._timed_out = False
        self._not_entered = False  # it ended before anything was filled
        self._covered = True  # by the stop, as far as something is open
        self._close_due = False
        self._closes = 0

    # -- what the shell sees -------------------------------------------------------------------------------------------

    @property
    def entered(self) -> Decimal:
        """The size that was entered in all."""
        return self._book.entered

    @property
    def open_size(self) -> Decimal:
        """What is open; negative while more was closed than entered."""
        return self._book.open_size

    @property
    def fills(self) -> list[Filled | ClosedByVenue]:
        """The fills that count, in the order in which they came: no duplicates."""
        return list(self._book.fills)

    @property
    def oddities(self) -> dict[str, int]:
        """How often what should not happen did: duplicate fill, late fill, overshoot, unknown ref, unexpected."""
        return dict(self._desk.oddities)

    @property
    def state(self) -> TradeState:
        if self.done:
            return TradeState.DONE
        if self.reason:
            return TradeState.LEAVING
        if self.entered:
            return TradeState.OPEN
        return TradeState.ENTERING if self._started else TradeState.READY

    @property
    def done(self) -> bool:
        """Whether nothing is open and no order can be working any more."""
        return bool(self.reason) and not self._book.closable and not self.working

    @property
    def working(self) -> tuple[str, ...]:
        """Refs of orders not known to be ended."""
        return tuple(order.ref for order in self._desk.working())

    @property
    def alarms(self) -> dict[str, int]:
        """Alarms that have not rung, and their times: to be dropped when the trade is done."""
        return dict(self._desk.alarms)

    @property
    def history(self) -> list[Note]:
        """Every command and every order's end, with its time and reason."""
        return list(self._desk.history)

    def filled_shares(self, ladder: Ladder) -> list[Decimal]:
        """Of each target of the ladder in use, how much of its own part is filled, 0 to 1."""
        return self._profit.filled_shares(ladder, self._book.closable)

    def start(self, now_ns: int) -> list[Command]:
        """Send the entry. Nothing is sent for a trade that was flattened before. Raises ValueError the second time."""
        if self._started:
            raise ValueError(f"the trade of {self.plan.asset} has been started: make a new one")
        self._started = True
        self._desk.now = now_ns
        plan, entry = self.plan, self.plan.entry
        if not self.reason:
            kind, price = (Kind.MARKET_IOC, None) if entry is None else (Kind.POST_ONLY, entry.price)
            self._desk.submit(ENTRY, Role.ENTRY, kind, plan.side, plan.size, price, why="the plan")
            if entry is not None:
                self._desk.alarm(TIME_OUT, now_ns + entry.timeout_ns, "the entry rests no longer than that")
        return self._desk.take()

    def on(self, event: Event, now_ns: int) -> list[Command]:
        """Take an event and answer it."""
        self._desk.now = now_ns
        was_done = self.done
        match event:
            case Filled():
                self._on_fill(event)
            case ClosedByVenue():
                self._on_closed_by_venue(event)
            case Rang():
                self._on_alarm(event.name)
            case Flatten():
                self._leave(event.reason or "flattened", now=True)
            case Replanned():
                self._on_plan(event)
            case _:
                self._on_report(event)
        if self._started:
            self._settle()
        if self.done and not was_done:
            self._desk.note("trade done", self.reason)
        return self._desk.take()

    # -- what events say -----------------------------------------------------------------------------------------------

    def _on_fill(self, fill: Filled) -> None:
        order = self._desk.find(fill.ref)
        if order is None or not self._is_new(fill, fill.ref):
            return
        late, first = bool(order.ended), not self.entered
        if late:
            self._desk.odd("late fill", f"{fill.ref} {order.ended}")
        order.fill(fill.size)
        self._book.add(fill, order.sent.side, entry=order.role is Role.ENTRY)
        if order.ended and not late:
            self._desk.note(f"{fill.ref} ended", FILLED)
        self._look_at_fill(order, fill, first=first)
        self._check_overshoot()

    def _look_at_fill(self, order: WorkingOrder, fill: Filled, *, first: bool) -> None:
        if order.role is Role.ENTRY:
            if first and self._not_entered:
                self.reason = "late fill"
            elif first:
                due = max(fill.ts + self.plan.horizon_ns, self._desk.now)
                self._desk.alarm(HORIZON, due, "the time barrier")
        elif order.role is Role.STOP:
            # over several levels of the book a stop has several fills: it is given a moment for them
            self._leave("break-even stop" if self._stop.moved else "stop", now=bool(order.ended))
        elif order.role is Role.TARGET:
            self._profit.filled(order, fill.size)
            if order.ended == FILLED:
                self._stop.tighten()
        if order.sent.side == self.plan.side and self.reason and self._book.closable > 0:
            self._close_due = True  # more is open than the close that is on its way, and it may have no stop

    def _on_closed_by_venue(self, fill: ClosedByVenue) -> None:
        if self._is_new(fill, "the venue"):
            self._book.add(fill, -self.plan.side, entry=False)
            self._desk.note(f"{fill.size} closed by the venue", "liquidation or auto-deleveraging")
            self._leave(LIQUIDATION, now=False)
            if self.reason == STOP_GONE:  # a venue withdraws what rests before it takes a position over
                self.reason = LIQUIDATION
            self._check_overshoot()

    def _on_alarm(self, name: str) -> None:
        if self._desk.alarms.pop(name, None) is None:
            self._desk.odd("unexpected", f"alarm {name} is not set")
        elif name == TIME_OUT:
            self._timed_out = True
        elif name == HORIZON:
            self._leave("time", now=True)
        else:
            self._close_due = bool(self.reason)
            self._profit.retry()
            for order in self._desk.working():
                order.retry()

    def _on_plan(self, event: Replanned) -> None:
        misfit = self.plan.misfit(event.ladder)
        if self.reason or misfit:
            self._desk.odd("unexpected", f"a new ladder: {misfit or 'the trade is being left'}")
        else:
            self._profit.replan(event.ladder)

    def _on_report(self, event: OrderReport) -> None:
        order = self._desk.find(event.ref)
        if order is None or not order.works:
            return
        order.hear(event)
        if isinstance(event, ModifyRefused | CancelRefused):
            what = "modified" if isinstance(event, ModifyRefused) else "cancelled"
            self._desk.note(f"{order.ref} not {what}", event.reason)
        if order.ended:
            self._desk.note(f"{order.ref} ended", order.ended)
        self._look_at_report(order, event)

    def _look_at_report(self, order: WorkingOrder, event: OrderReport) -> None:
        """What an answer or an end means for the trade."""
        if order.role is Role.STOP and self._book.closable > 0 and not self._stop.covers(self._book.closable):
            # naked is worse than out: what cannot be protected is closed at once
            if order.ended:
                self._leave("stop refused" if isinstance(event, Refused) else STOP_GONE, now=True)
            elif isinstance(event, ModifyRefused):
                self._leave("stop not resized", now=True)
        elif order.role is Role.TARGET and order.ended == FILLED:
            self._stop.tighten()
        elif order.role is Role.TARGET and order.ended:
            self._profit.lost(order)
        elif order.role is Role.ENTRY and order.ended and not self.entered:
            self._not_entered = not self.reason
            self._leave("entry timed out" if self._timed_out else f"entry {order.ended}", now=False)

    # -- what is done about it -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        size = self._book.closable
        if not size and self.entered:
            self._leave("target", now=False)
        if size > 0:
            self._stop.follow(size)
        covered = size <= 0 or self._stop.covers(size)
        if self._covered and not covered:
            self._leave(STOP_GONE, now=True)
        self._covered = covered
        self._cancel_unwanted(size)
        if self.reason:
            self._profit.drop(f"the trade is left: {self.reason}")
            self._close(size)
        elif size > 0:
            self._profit.aim(size, filling=ENTRY in self.working)
        again = (self.reason and size) or self._profit.put_off or any(o.put_off for o in self._desk.working())
        if again and RETRY not in self._desk.alarms:
            self._retry_later()

    def _retry_later(self) -> None:
        self._desk.alarm(RETRY, self._desk.now + RETRY_NS, "to try again")

    def _cancel_unwanted(self, size: Decimal) -> None:
        for entry in self._desk.working(Role.ENTRY):
            if self.reason or self._timed_out:
                self._desk.cancel(entry, self.reason or "the entry's time is over")
        if size <= 0:
            self._stop.drop()

    def _close(self, size: Decimal) -> None:
        """Close what is open, or what was closed too much, with one IOC order at a time."""
        self._close_due &= bool(size)
        if size and self._close_due and not any(self._desk.working(Role.CLOSE)):
            self._closes, self._close_due = self._closes + 1, False
            side = -self.plan.side if size > 0 else self.plan.side
            ref, why = f"close-{self._closes}", self.reason if size > 0 else "more was closed than was open"
            self._desk.submit(ref, Role.CLOSE, Kind.MARKET_IOC, side, abs(size), None, why=why)

    def _leave(self, reason: str, *, now: bool) -> None:
        """Give up the targets; close what is open `now`, or at the retry a second later."""
        if not self.reason:
            self.reason = reason
            if RETRY in self._desk.alarms:
                self._retry_later()
        self._close_due |= now

    def _check_overshoot(self) -> None:
        if self._book.closable < 0:
            self._desk.odd("overshoot", f"{-self.open_size} more was closed than was entered")
            self._leave("overshoot", now=True)

    def _is_new(self, fill: Filled | ClosedByVenue, source: str) -> bool:
        new = self._book.is_new(fill)
        if not new:
            self._desk.odd("duplicate fill", f"{source} {fill.fill_id}")
        return new
