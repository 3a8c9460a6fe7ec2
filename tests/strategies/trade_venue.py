"""A venue for one trade: takes commands in order, fills what it is told to, and reports. Sizes are in the trade's side.

`inbox` holds commands on their way there, `outbox` events on their way back.
"""

from dataclasses import dataclass
from decimal import Decimal

from strategies.trade_manager import (
    Accepted,
    Alarm,
    Cancel,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Command,
    Event,
    Expired,
    Filled,
    Kind,
    ModifyRefused,
    Move,
    Refused,
    Resize,
    Role,
    Submit,
    Updated,
)

PRICE, FEE = Decimal(100), Decimal(0)


@dataclass
class Order:
    """An order as the venue has it."""

    sent: Submit
    total: Decimal
    price: Decimal | None
    filled: Decimal = Decimal(0)
    working: bool = True

    @property
    def leaves(self) -> Decimal:
        return self.total - self.filled


class Venue:
    """`enforces` says whether reduce-only orders really only reduce."""

    def __init__(self, side: int, *, enforces: bool = True) -> None:
        self.side = side
        self.enforces = enforces
        self.position = Decimal(0)
        self.orders: dict[str, Order] = {}
        self.inbox: list[Command] = []
        self.outbox: list[Event] = []
        self.now = 0
        self._fills = 0

    def working(self, *roles: Role) -> list[Order]:
        return [o for o in self.orders.values() if o.working and (not roles or o.sent.role in roles)]

    def takes(self, *, refuses: bool = False, fills: Decimal = Decimal(1)) -> None:
        """Take the next command, or refuse it; `fills` is the share of an IOC order that finds the other side."""
        command = self.inbox.pop(0)
        match command:
            case Submit(ref):
                if refuses:
                    self.outbox.append(Refused(ref, "venue says no"))
                else:
                    self._opens(command, fills)
            case Resize(ref) | Move(ref):
                self._modifies(self.orders.get(ref), command, refuses=refuses)
            case Cancel(ref):
                order = self.orders.get(ref)
                if refuses or order is None or not order.working:
                    self.outbox.append(CancelRefused(ref, "venue says no"))
                else:
                    self.ends(order, Cancelled(ref))
            case Alarm():
                raise AssertionError("alarms are not for the venue")

    def _opens(self, sent: Submit, fills: Decimal) -> None:
        assert sent.ref not in self.orders
        order = self.orders[sent.ref] = Order(sent, sent.size, sent.price)
        if sent.reduce_only and self.enforces and self._room(order) <= 0:
            order.working = False
            self.outbox.append(Refused(sent.ref, "would not reduce"))
            return
        self.outbox.append(Accepted(sent.ref))
        if sent.kind is Kind.MARKET_IOC:
            size = (sent.size * fills).to_integral_value()
            self.fills(order, size // 2)  # over two levels of the book
            if order.working:
                self.fills(order, size - size // 2)
            if order.working:
                self.ends(order, Expired(sent.ref))

    def _modifies(self, order: Order | None, command: Resize | Move, *, refuses: bool) -> None:
        if order is None or not order.working or refuses:
            self.outbox.append(ModifyRefused(command.ref, "venue says no"))
        elif isinstance(command, Move):
            order.price = command.price
            self.outbox.append(Updated(command.ref, order.total, order.price))
        elif command.size <= order.filled:
            self.outbox.append(ModifyRefused(command.ref, "filled that far"))
        else:
            order.total = command.size
            self.outbox.append(Updated(command.ref, order.total, order.price))

    def _room(self, order: Order) -> Decimal:
        """How much the order may fill so that it only reduces."""
        return self.position if order.sent.side != self.side else -self.position

    def fills(self, order: Order, size: Decimal) -> None:
        """Fill an order by as much of `size` as it and its being reduce-only allow."""
        size = min(size, order.leaves)
        if order.sent.reduce_only and self.enforces:
            room = max(self._room(order), Decimal(0))
            if size > room and room:
                size = room
                order.total = order.filled + room
                self.outbox.append(Updated(order.sent.ref, order.total, order.price))
            elif not room:
                self.ends(order, Cancelled(order.sent.ref))
                return
        if size <= 0:
            return
        order.filled += size
        order.working = order.leaves > 0
        self.position += size * order.sent.side * self.side
        self.outbox.append(Filled(order.sent.ref, self._id(), size, order.price or PRICE, FEE, self.now))

    def ends(self, order: Order, report: Cancelled | Expired) -> None:
        """End an order by itself, or as asked."""
        order.working = False
        self.outbox.append(report)

    def liquidates(self, size: Decimal) -> None:
        """Close a part of the position through no order."""
        size = min(size, self.position)
        if size > 0:
            self.position -= size
            self.outbox.append(ClosedByVenue(self._id(), size, PRICE, FEE, self.now))

    def _id(self) -> str:
        self._fills += 1
        return str(self._fills)


def in_order_of_versions(shuffled: list[Event], before: list[Event]) -> list[Event]:
    """Anything in any order, but the versions of one order's size and price as they came about."""
    updates = [event for event in before if isinstance(event, Updated)]
    versions = {event.ref: iter([e for e in updates if e.ref == event.ref]) for event in updates}
    return [next(versions[event.ref]) if isinstance(event, Updated) else event for event in shuffled]
