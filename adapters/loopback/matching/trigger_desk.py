"""Keeps trigger orders: takes them, watches prices, sends their orders, and ends them with their positions."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, Effect, Kind, NewOrder, Order, Reason, Refused, Side, State
from adapters.loopback.matching.position import Position
from adapters.loopback.matching.triggers import Condition, Direction, PriceKind, Trigger, TriggerState

if TYPE_CHECKING:
    from adapters.loopback.matching.exchange import Exchange

FOREVER_MS = 10 * 365 * 86_400_000
STOP_LOSS, TAKE_PROFIT = "stop loss", "take profit"


class TriggerDesk:
    """The trigger orders of an exchange; `all` has those that are done too."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self.all: dict[int, Trigger] = {}
        self._waiting: dict[int, Trigger] = {}

    def place(
        self,
        request: NewOrder,
        conditions: tuple[Condition, ...],
        *,
        lifetime_ms: int = FOREVER_MS,
        position_id: int = 0,
        parent_id: int = 0,
    ) -> Trigger:
        """Take a trigger order. Margin and position are looked at when it fires. Raises Refused."""
        market = self._exchange.market(request.symbol)
        check_levels(market, conditions)
        if not market.contract.tradable:
            raise Refused(Reason.NOT_TRADABLE, request.symbol)
        now = self._exchange.now_ms()
        trigger = Trigger(
            next(self._exchange.ids), request, conditions, now, now, now + lifetime_ms, position_id, parent_id
        )
        self.all[trigger.id] = self._waiting[trigger.id] = trigger
        self._exchange.ledger.trigger(now, trigger)
        self.check(market)
        return trigger

    def waiting(self, account_id: str, symbol: str | None = None) -> list[Trigger]:
        """Those of an account that are not done, oldest first."""
        return [t for t in self.all.values() if t.is_waiting and t.account == account_id and symbol in (None, t.symbol)]

    def find(self, account_id: str, trigger_id: int) -> Trigger:
        """A waiting trigger of the account. Raises Refused (NO_TRIGGER)."""
        trigger = self._waiting.get(trigger_id)
        if trigger is None or trigger.account != account_id:
            raise Refused(Reason.NO_TRIGGER, str(trigger_id))
        return trigger

    def cancel(self, account_id: str, trigger_id: int) -> Trigger:
        """Raises Refused (NO_TRIGGER)."""
        trigger = self.find(account_id, trigger_id)
        self._finish(trigger, TriggerState.CANCELLED)
        return trigger

    def amend(
        self, account_id: str, trigger_id: int, conditions: tuple[Condition, ...], request: NewOrder | None = None
    ) -> Trigger:
        """Give a waiting trigger other conditions, and another request if given. Raises Refused."""
        trigger = self.find(account_id, trigger_id)
        market = self._exchange.market(trigger.symbol)
        check_levels(market, conditions)
        trigger.conditions = conditions
        trigger.request = request if request is not None else trigger.request
        self._note(trigger)
        self.check(market)
        return trigger

    def attach(self, order: Order) -> None:
        """Take the stop loss and take profit that came with an order; they bind to the position once it fills."""
        request = order.request
        conditions = protective_conditions(request.side, request.stop_loss, request.take_profit)
        if conditions and order.state is not State.CANCELLED:
            closing = closing_request(request.account, request.symbol, request.side)
            self.place(closing, conditions, position_id=order.position_id, parent_id=order.id)

    def parent_ended(self, order: Order) -> None:
        """Cancel what was attached to an order that ended unfilled."""
        if not order.filled:
            for trigger in self.waiting(order.request.account, order.request.symbol):
                if trigger.parent_id == order.id:
                    self._finish(trigger, TriggerState.CANCELLED)

    def check(self, market: Market) -> None:
        """Expire, end and fire what is due in a market, until nothing is."""
        while (due := self._next_due(market)) is not None:
            trigger, condition = due
            if condition is None:
                gone = self._exchange.now_ms() < trigger.expires_ms
                self._finish(trigger, TriggerState.CANCELLED if gone else TriggerState.EXPIRED)
            else:
                self._fire(trigger, condition)

    def _next_due(self, market: Market) -> tuple[Trigger, Condition | None] | None:
        """The first trigger that ends (no condition) or fires."""
        now, prices = self._exchange.now_ms(), market.prices()
        for trigger in self._waiting.values():
            if trigger.symbol != market.symbol:
                continue
            if now >= trigger.expires_ms or self._position_gone(trigger):
                return trigger, None
            condition = trigger.condition_met(prices)
            if condition is not None and self._may_fire(trigger):
                return trigger, condition
        return None

    def _position_of(self, trigger: Trigger) -> Position | None:
        account = self._exchange.accounts[trigger.account]
        return account.position(trigger.symbol, trigger.request.side.opposite)

    def _position_gone(self, trigger: Trigger) -> bool:
        if trigger.parent_id and not trigger.position_id:
            trigger.position_id = self._exchange.orders[trigger.parent_id].position_id
        if not trigger.position_id:
            return False
        position = self._position_of(trigger)
        return position is None or position.id != trigger.position_id

    def _may_fire(self, trigger: Trigger) -> bool:
        return not trigger.parent_id or trigger.position_id != 0

    def _fire(self, trigger: Trigger, condition: Condition) -> None:
        trigger.met = condition
        request = trigger.request
        if trigger.position_id:
            position = self._position_of(trigger)
            closable = position.closable if position is not None else ZERO
            request = replace(request, vol=min(request.vol, closable) if request.vol else closable)
        del self._waiting[trigger.id]
        trigger.state = TriggerState.FIRED  # before the order trades: its trades must not fire it again
        try:
            trigger.order_id = self._exchange.enter_child(request).id
        except Refused as refusal:
            trigger.refusal = refusal.reason
            trigger.state = TriggerState.FAILED
        self._note(trigger)

    def _finish(self, trigger: Trigger, state: TriggerState) -> None:
        del self._waiting[trigger.id]
        trigger.state = state
        self._note(trigger)

    def _note(self, trigger: Trigger) -> None:
        trigger.updated_ms = self._exchange.now_ms()
        trigger.version += 1
        self._exchange.ledger.trigger(trigger.updated_ms, trigger)


def check_levels(market: Market, conditions: tuple[Condition, ...]) -> None:
    """Raises Refused where a trigger price is not positive or off its tick."""
    for condition in conditions:
        if condition.price <= 0 or not market.contract.on_tick(condition.price):
            raise Refused(Reason.TRIGGER_PRICE, f"{condition.price} in steps of {market.contract.tick}")


def closing_request(account: str, symbol: str, position_side: Side, vol: Decimal = ZERO) -> NewOrder:
    """A market order that closes a position; volume 0 stands for all of it."""
    return NewOrder(account, symbol, position_side.opposite, Effect.CLOSE, Kind.MARKET, vol)


def protective_conditions(
    position_side: Side,
    stop_loss: Decimal | None,
    take_profit: Decimal | None,
    *,
    loss_kind: PriceKind = PriceKind.LAST,
    profit_kind: PriceKind = PriceKind.LAST,
) -> tuple[Condition, ...]:
    """The conditions that end a position of that side at a loss or a profit; None leaves one out."""
    conditions = []
    if stop_loss is not None:
        conditions.append(Condition(stop_loss, loss_kind, Direction(-position_side), STOP_LOSS))
    if take_profit is not None:
        conditions.append(Condition(take_profit, profit_kind, Direction(int(position_side)), TAKE_PROFIT))
    return tuple(conditions)
