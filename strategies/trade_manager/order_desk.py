"""The orders of one trade: sends commands, keeps what is known of each order, and writes down every reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from strategies.trade_manager.commands import (
    Alarm,
    Cancel,
    Command,
    Kind,
    Modify,
    Role,
    Submit,
    describe,
)
from strategies.trade_manager.working_order import WorkingOrder


@dataclass(frozen=True)
class Note:
    """One line of a trade's history: a command and why it was sent, or what ended and why."""

    ts: int
    what: str
    why: str


class OrderDesk:
    """`take` returns the commands since the last `take`. `now` is the time that notes bear."""

    def __init__(self) -> None:
        self.now = 0
        self.orders: dict[str, WorkingOrder] = {}
        self.alarms: dict[str, int] = {}
        self.history: list[Note] = []
        self.oddities: Counter[str] = Counter()
        self._out: list[Command] = []

    def take(self) -> list[Command]:
        """The commands to carry out, in this order."""
        out, self._out = self._out, []
        return out

    def working(self, *roles: Role) -> Iterator[WorkingOrder]:
        """Orders not known to be ended, of these roles or all."""
        return (order for order in self.orders.values() if not order.ended and (not roles or order.role in roles))

    def submit(
        self, ref: str, role: Role, kind: Kind, side: int, size: Decimal, price: Decimal | None, *, why: str
    ) -> WorkingOrder:
        """Send an order; all but entries are reduce-only."""
        sent = Submit(ref, role, kind, side, size, price, reduce_only=role is not Role.ENTRY)
        order = self.orders[ref] = WorkingOrder(sent)
        self._send(sent, why)
        return order

    def modify(self, modify: Modify, why: str) -> None:
        """Ask for another size or price."""
        self.orders[modify.ref].ask(modify)
        self._send(modify, why)

    def cancel(self, order: WorkingOrder, why: str) -> None:
        """Cancel if the venue can know the order; if not, to be asked for again when it does."""
        if order.can_be_cancelled:
            order.cancelling = True
            self._send(Cancel(order.ref), why)

    def alarm(self, name: str, at_ns: int, why: str) -> None:
        """Set an alarm, in place of one of the same name."""
        self.alarms[name] = at_ns
        self._send(Alarm(name, at_ns), why)

    def note(self, what: str, why: str) -> None:
        """Write down what was not a command."""
        self.history.append(Note(self.now, what, why))

    def odd(self, what: str, why: str) -> None:
        """Count and write down what should not happen."""
        self.oddities[what] += 1
        self.note(what, why)

    def find(self, ref: str) -> WorkingOrder | None:
        """The order of a ref; None, and an oddity, if there never was one."""
        if ref not in self.orders:
            self.odd("unknown ref", ref)
        return self.orders.get(ref)

    def _send(self, command: Command, why: str) -> None:
        self._out.append(command)
        self.note(describe(command), why)
