"""The one stop of a trade: rests for exactly what is open, and goes to break-even once a target is filled."""

from decimal import Decimal

from strategies.trade_manager.commands import Kind, Move, Resize, Role
from strategies.trade_manager.order_desk import OrderDesk
from strategies.trade_manager.plan import TradePlan
from strategies.trade_manager.working_order import WorkingOrder

STOP = "stop-1"


class ProtectiveStop:
    """Sends, resizes, moves and cancels through the desk. It is never sent twice: what outlives it is to be closed."""

    def __init__(self, plan: TradePlan, desk: OrderDesk) -> None:
        self._plan = plan
        self._desk = desk
        self._to_break_even = False

    @property
    def moved(self) -> bool:
        """Whether it rests at break-even."""
        return self._order is not None and self._order.price == self._plan.break_even

    def covers(self, size: Decimal) -> bool:
        """Whether it protects an open size, or will as soon as an answer has come that is awaited."""
        stop = self._order
        return stop is not None and stop.stays and (stop.awaited or stop.leaves >= size)

    def tighten(self) -> None:
        """A target is filled: go to break-even when it can be, if the plan wants it."""
        self._to_break_even = self._plan.break_even is not None

    def follow(self, size: Decimal) -> None:
        """Ask for what is missing to protect an open size: first the size, then the price. It is never loosened."""
        stop, break_even = self._order, self._plan.break_even
        if stop is None:
            side, why = -self._plan.side, "protects what is open"
            self._desk.submit(STOP, Role.STOP, Kind.STOP_MARKET, side, size, self._plan.stop, why=why)
            return
        resize = Resize(STOP, stop.filled + size)
        if stop.leaves != size and stop.takes(resize):
            self._desk.modify(resize, f"{size} is open")
        elif self._to_break_even and break_even is not None and stop.price is not None:
            move = Move(STOP, break_even)
            if self._plan.side * (break_even - stop.price) > 0 and stop.takes(move):
                self._desk.modify(move, "a target is filled")

    def drop(self) -> None:
        """Cancel it."""
        if self._order is not None:
            self._desk.cancel(self._order, "nothing is open")

    @property
    def _order(self) -> WorkingOrder | None:
        return self._desk.orders.get(STOP)
