"""The targets of one trade: makes what rests equal to what is wanted, and never rests for more than is open."""

from collections import Counter
from decimal import Decimal

from strategies.targets import Ladder
from strategies.trade_manager.commands import Kind, Resize, Role
from strategies.trade_manager.order_desk import OrderDesk
from strategies.trade_manager.plan import TradePlan
from strategies.trade_manager.target_goals import TargetGoals
from strategies.trade_manager.working_order import CANCELLED, WorkingOrder

MAX_LOST = 3  # targets at one price that were refused or vanished, before it is given up


class TakeProfit:
    """Sends, resizes and cancels through the desk. A target that cannot be resized is replaced."""

    def __init__(self, plan: TradePlan, desk: OrderDesk) -> None:
        self._plan = plan
        self._desk = desk
        self._goals = TargetGoals(plan.targets, plan.rules)
        self._levels: dict[Decimal, int] = {}  # numbers in refs, by price
        self._sent: Counter[Decimal] = Counter()
        self._lost: Counter[Decimal] = Counter()
        self._waiting: set[Decimal] = set()  # prices where none is sent before the next retry

    @property
    def put_off(self) -> bool:
        """Whether there is something to do at the next retry."""
        return bool(self._waiting)

    def retry(self) -> None:
        """Try again what was put off."""
        self._waiting.clear()

    def replan(self, ladder: Ladder) -> None:
        """Take a new ladder."""
        targets = [(order.sent.price, order.leaves) for order in self._targets() if order.stays]
        self._goals.replan(ladder, {price: size for price, size in targets if price is not None})

    def filled_shares(self, ladder: Ladder, open_size: Decimal) -> list[Decimal]:
        """See `TradeManager.filled_shares`."""
        return self._goals.filled_shares(ladder, open_size)

    def filled(self, order: WorkingOrder, size: Decimal) -> None:
        """A target was filled."""
        if order.sent.price is not None:
            self._goals.filled(order.sent.price, size)

    def lost(self, order: WorkingOrder) -> None:
        """A target ended unfilled. What was not meant to end is sent again, but not at once."""
        price = order.sent.price
        if price is not None and order.ended != CANCELLED:
            self._lost[price] += 1
            if self._lost[price] < MAX_LOST:
                self._waiting.add(price)
            else:
                self._desk.note(f"no more targets at {price}", f"{MAX_LOST} were refused or vanished")

    def drop(self, why: str) -> None:
        """Cancel all."""
        self._waiting.clear()
        for order in self._targets():
            self._desk.cancel(order, why)

    def aim(self, open_size: Decimal, *, filling: bool) -> None:
        """Ask for what is missing to the goals. What rests or may rest for too much shrinks before anything grows."""
        wanted = self._goals.wanted(open_size, filling=filling)
        for order in self._targets():
            self._shrink(order, wanted.get(order.sent.price or Decimal(0), Decimal(0)))
        room = open_size - sum(order.most_leaves for order in self._targets())
        for price, size in wanted.items():
            room -= self._grow(price, size, room)

    def _shrink(self, order: WorkingOrder, size: Decimal) -> None:
        resize = Resize(order.ref, order.filled + size)
        if not size:
            self._desk.cancel(order, "nothing is to rest there any more")
        elif order.stays and not order.awaited and order.leaves != size and not order.takes(resize):
            self._desk.cancel(order, "it cannot be resized, and is replaced")
        elif order.leaves > size and order.takes(resize):
            self._desk.modify(resize, f"{size} is its part of what is open")

    def _grow(self, price: Decimal, size: Decimal, room: Decimal) -> Decimal:
        """Send or enlarge the target at a price if there is room; what of it was used."""
        order = next((order for order in self._targets() if order.sent.price == price), None)
        more = size - (order.leaves if order is not None else 0)
        if not 0 < more <= room:
            return Decimal(0)
        if order is None:
            if price in self._waiting or self._lost[price] >= MAX_LOST:
                return Decimal(0)
            self._submit(price, size)
            return more
        resize = Resize(order.ref, order.filled + size)
        if not order.takes(resize):
            return Decimal(0)
        self._desk.modify(resize, f"{size} is its part of what is open")
        return more

    def _submit(self, price: Decimal, size: Decimal) -> None:
        level = self._levels.setdefault(price, len(self._levels) + 1)
        self._sent[price] += 1
        ref = f"target-{level}-{self._sent[price]}"
        self._desk.submit(ref, Role.TARGET, Kind.LIMIT, -self._plan.side, size, price, why="a part of what is open")

    def _targets(self) -> list[WorkingOrder]:
        return list(self._desk.working(Role.TARGET))
