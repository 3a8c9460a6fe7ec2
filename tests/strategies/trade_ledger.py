"""What may be known of a trade: kept from its commands and the reports that came, apart from the trade itself.

Rules of the house, written down once more: fills count once, an order is awaited until its answer came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from strategies.trade_manager import (
    Accepted,
    Cancel,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Command,
    Event,
    Expired,
    Filled,
    ModifyRefused,
    Move,
    Refused,
    Resize,
    Role,
    Submit,
    TradePlan,
    Updated,
)

SECOND = 1_000_000_000


@dataclass
class Known:
    """An order as its reports tell."""

    sent: Submit
    total: Decimal
    filled: Decimal = Decimal(0)
    accepted: bool = False
    asked: list[Resize | Move] = field(default_factory=list)
    cancelling: bool = False
    ended: bool = False

    @property
    def awaited(self) -> bool:
        return not self.accepted or bool(self.asked)

    @property
    def most(self) -> Decimal:
        return max([self.total, *(modify.size for modify in self.asked if isinstance(modify, Resize))])


class Ledger:
    """`answered` and `heard` keep it; the rest are questions."""

    def __init__(self, plan: TradePlan) -> None:
        self.side = plan.side
        self.sent: dict[str, Known] = {}
        self.open_size = self.entered = Decimal(0)
        self._fills: set[tuple[str, str]] = set()
        self._was_safe = True
        self._was_open = Decimal(0)

    def is_new(self, event: Filled | ClosedByVenue) -> bool:
        return self._key(event) not in self._fills

    def _key(self, event: Filled | ClosedByVenue) -> tuple[str, str]:
        return (event.ref if isinstance(event, Filled) else "the venue", event.fill_id)

    def heard(self, event: Event) -> None:
        """Before the answer: what the report says."""
        self._was_safe = self.protected()
        self._was_open = self.open_size
        if isinstance(event, Filled | ClosedByVenue):
            if self.is_new(event):
                self._fills.add(self._key(event))
                self._count(event)
            return
        order = self.sent.get(getattr(event, "ref", ""))
        if order is None or order.ended:
            return
        match event:
            case Accepted():
                order.accepted = True
            case Refused() | Cancelled() | Expired():
                order.ended = True
            case ModifyRefused():
                order.asked = order.asked[1:]
            case CancelRefused():
                order.cancelling = False
            case Updated(_, size, price) if size is not None:
                order.accepted = True
                done = [m for m in order.asked if (m.size == size if isinstance(m, Resize) else m.price == price)]
                order.asked = [m for m in order.asked if m is not (done or [None])[0]]
                order.total = size if any(isinstance(m, Resize) for m in done[:1]) else min(order.total, size)

    def _count(self, event: Filled | ClosedByVenue) -> None:
        if isinstance(event, ClosedByVenue):
            self.open_size -= event.size
            return
        order = self.sent[event.ref]
        order.accepted = True
        order.filled += event.size
        self.open_size += event.size * order.sent.side * self.side
        if order.sent.role is Role.ENTRY:
            self.entered += event.size

    def answered(self, commands: list[Command]) -> None:
        """After the event: what was asked for; every request is one that can be made."""
        for command in commands:
            match command:
                case Submit(ref, role, _, side):
                    assert ref not in self.sent, f"{ref} is used twice"
                    if role is Role.CLOSE:
                        assert not [o for o in self.may_work(Role.CLOSE) if o.filled < o.total], "two closes at a time"
                    self.sent[ref] = Known(command, command.size)
                    if role is Role.ENTRY:
                        assert len(self.sent) == 1, "a second entry"
                    else:
                        assert command.reduce_only
                        # what is bought back was closed too much before
                        assert side == -self.side or (role is Role.CLOSE and self.open_size < 0)
                        assert command.size <= abs(self.open_size)
                case Resize(ref) | Move(ref):
                    order = self.sent[ref]
                    assert order.accepted
                    assert not any((order.cancelling, order.ended)), f"{ref} cannot be modified now"
                    order.asked = [*order.asked, command]
                case Cancel(ref):
                    order = self.sent[ref]
                    assert order.accepted
                    assert not any((order.cancelling, order.ended)), f"{ref} cannot be cancelled now"
                    order.cancelling = True

    def may_work(self, *roles: Role) -> list[Known]:
        return [o for o in self.sent.values() if not o.ended and (not roles or o.sent.role in roles)]

    def check_working(self, refs: tuple[str, ...]) -> None:
        """What works was not reported to have ended, and what does not has ended or been filled."""
        assert set(refs) <= {order.sent.ref for order in self.may_work()}
        for order in self.may_work():
            assert order.sent.ref in refs or order.filled >= order.total

    def protected(self) -> bool:
        """Nothing is open, or a stop rests for it or will when the answer comes that is awaited."""
        if self.open_size <= 0:
            return True
        return any(
            not stop.cancelling and (stop.total - stop.filled >= self.open_size or self._answer_comes(stop))
            for stop in self.may_work(Role.STOP)
        )

    def _answer_comes(self, order: Known) -> bool:
        return order.awaited and order.filled < order.most

    def check_never_naked(self, working: tuple[str, ...], alarms: Mapping[str, int], now: int) -> None:
        """In the very answer a close is on its way; only what a close has left open may wait for the next second."""
        if self.protected() or any(self.sent[ref].sent.role is Role.CLOSE for ref in working):
            return
        assert not self._was_safe, "naked, and not being closed"
        assert self.open_size <= self._was_open, "more is naked, and not being closed"
        assert alarms["retry"] <= now + SECOND

    def check_targets(self, *, leaving: bool, late: bool) -> None:
        """Targets rest for no more than is open, whatever answers may come. What is being left is being cancelled."""
        if leaving:
            return
        targets = [order for order in self.may_work(Role.TARGET) if order.filled < order.most]
        settled = [order for order in targets if not (order.awaited or order.cancelling)]
        assert sum(order.total - order.filled for order in settled) <= max(self.open_size, 0)
        if not late:
            assert sum(order.most - order.filled for order in targets) <= max(self.open_size, 0)
