"""A venue as the replay reaches it: commands take their time, arrive in order, and meet the venue's rules.

Nautilus's exchange matches; this client stands between it and the strategies. It holds a command until it has arrived,
exactly then and on the book of that time (the engine's own latency models are constant and wait for the next event),
refuses what a venue would refuse, and notes the book at sending and at arrival for the attribution of costs.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import SimulatedExchange
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList
from nautilus_trader.model.enums import OrderSide, OrderType
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order

from backtests.account_ledger import AccountLedger
from backtests.costs import Quote, Reference
from backtests.latency import Connection, Transit
from backtests.margin import MarginTiers
from backtests.venue_rules import Exposure, OrderTerms, VenueRules, margin_fault, order_fault

REPLAY_ENDED = "the replay ended before the order arrived"
"""Why an order was refused that was still on its way at the end."""


@dataclass(frozen=True)
class MarketTerms:
    """What a venue says of one of its markets."""

    instrument: Instrument
    rules: VenueRules
    tiers: MarginTiers


@dataclass(frozen=True)
class AccountTerms:
    """How an account trades: `leverage` of all positions, margin `cross` or isolated, and our own cap on a position's
    notional (quote currency). `checked` False leaves out all rules but those of Nautilus's exchange."""

    leverage: Decimal
    cross: bool = False
    max_position_notional: Decimal | None = None
    checked: bool = True


class SimulatedVenueClient(BacktestExecClient):
    """The execution client of one simulated venue; without a `connection` commands arrive at once."""

    def __init__(
        self,
        exchange: SimulatedExchange,
        kernel: Any,
        *,
        markets: Mapping[InstrumentId, MarketTerms],
        account: AccountTerms,
        ledger: AccountLedger,
        connection: Connection | None,
    ) -> None:
        super().__init__(exchange=exchange, msgbus=kernel.msgbus, cache=kernel.cache, clock=kernel.clock)
        self.exchange = exchange
        self.connection = connection
        self.ledger = ledger
        self.terms = account
        self.markets = markets
        self.references: dict[ClientOrderId, Reference] = {}
        self.refusals: Counter[str] = Counter()
        self._kernel_clock = kernel.clock
        self._under_way: dict[str, Any] = {}  # commands by the name of their alert, in order of arrival

    # -- commands as they are sent -------------------------------------------------------------------------------------

    def submit_order(self, command: SubmitOrder) -> None:
        self._submit(command, [command.order])

    def submit_order_list(self, command: SubmitOrderList) -> None:
        self._submit(command, command.order_list.orders)

    def modify_order(self, command: Any) -> None:
        self._dispatch(command)

    def cancel_order(self, command: Any) -> None:
        self._dispatch(command)

    def cancel_all_orders(self, command: Any) -> None:
        self._dispatch(command)

    def batch_cancel_orders(self, command: Any) -> None:
        self._dispatch(command)

    def hang_up(self) -> None:
        """The replay ends: what has not arrived never will, and what comes now arrives at once."""
        for name, command in list(self._under_way.items()):
            self._kernel_clock.cancel_timer(name)
            for order in _orders(command):
                self._reject(order, REPLAY_ENDED)
        self._under_way.clear()
        self.connection = None

    def _submit(self, command: Any, orders: list[Order]) -> None:
        """Send orders, or, where one breaks our own cap, none of them: that cap is ours to keep."""
        now = self._kernel_clock.timestamp_ns()
        reason = next((fault for order in orders if (fault := self._own_fault(order)) is not None), None)
        for order in orders:
            identity = order.strategy_id, order.instrument_id, order.client_order_id
            if reason is not None:
                self.refusals[_kind(reason)] += 1
                self.generate_order_denied(*identity, reason, now)
            else:
                self.references[order.client_order_id] = Reference(sent=self.quote(order.instrument_id))
                self.generate_order_submitted(*identity, now)
        if reason is None:
            self._dispatch(command)

    def _own_fault(self, order: Order) -> str | None:
        cap = self.terms.max_position_notional
        if cap is None or order.is_reduce_only or not self.terms.checked:
            return None
        held = self._held(order)
        price = self._price(order)
        size = held + self._signed_base(order)
        if price is None or abs(size) <= abs(held) or abs(size) * price <= cap:
            return None
        return f"a position of {abs(size) * price:f} is above our own cap of {cap} (max_position_notional)"

    def _dispatch(self, command: Any) -> None:
        if self.connection is None:
            self._arrive(command)
            return
        transit: Transit = self.connection.send(self._kernel_clock.timestamp_ns())
        name = f"arrival-{self.exchange.id}-{len(self.connection.transits)}"
        self._under_way[name] = command
        self._kernel_clock.set_time_alert_ns(name, transit.arrival_ns, self._on_arrival)

    def _on_arrival(self, event: TimeEvent) -> None:
        self._arrive(self._under_way.pop(event.name))

    # -- at the venue --------------------------------------------------------------------------------------------------

    def _arrive(self, command: Any) -> None:
        """Hand the command to the exchange, less what the venue refuses. The engine settles right after."""
        if isinstance(command, ModifyOrder):
            if self._may_modify(command):
                self.exchange.send(command)
            return
        refused = [order for order in _orders(command) if not self._accepts(order)]
        if not refused:
            self.exchange.send(command)
            return
        for order in _orders(command):
            if order not in refused:
                self.exchange.send(
                    SubmitOrder(
                        trader_id=command.trader_id,
                        strategy_id=command.strategy_id,
                        order=order,
                        command_id=command.id,
                        ts_init=command.ts_init,
                        position_id=command.position_id,
                        client_id=command.client_id,
                    )
                )

    def _accepts(self, order: Order) -> bool:
        sent = self.references[order.client_order_id].sent
        self.references[order.client_order_id] = Reference(sent=sent, arrived=self.quote(order.instrument_id))
        if not self.terms.checked:
            return True
        fault = self._order_fault(order) or self._margin_fault(order)
        if fault is not None:
            self._reject(order, fault)
        return fault is None

    def _order_fault(self, order: Order) -> str | None:
        return order_fault(
            OrderTerms(
                side=_side(order),
                size=order.quantity.as_decimal(),
                price=order.price.as_decimal() if order.has_price else None,
                trigger=order.trigger_price.as_decimal() if order.has_trigger_price else None,
                reduce_only=order.is_reduce_only,
            ),
            self.markets[order.instrument_id].rules,
            touch=self._touch(order),
            mark=self.mark(order.instrument_id),
        )

    def _margin_fault(self, order: Order) -> str | None:
        price = self._price(order)
        if order.is_reduce_only or price is None or order.order_type in _TRIGGERED:
            return None
        before = self._exposure(order.instrument_id, order.strategy_id)
        return margin_fault(
            before=before,
            after=before.with_order(self._signed_base(order), price),
            leverage=self.terms.leverage,
            available=self.available(),
            tiers=self.markets[order.instrument_id].tiers,
            price=price,
        )

    def _may_modify(self, command: ModifyOrder) -> bool:
        order = self._cached(command.client_order_id)
        if order is None or not self.terms.checked:
            return True
        quantity = command.quantity if command.quantity is not None else order.quantity
        price = command.price if command.price is not None else order.price if order.has_price else None
        trigger = command.trigger_price
        if trigger is None and order.has_trigger_price:
            trigger = order.trigger_price
        terms = OrderTerms(
            side=_side(order),
            size=quantity.as_decimal(),
            price=None if price is None else price.as_decimal(),
            trigger=None if trigger is None else trigger.as_decimal(),
            reduce_only=order.is_reduce_only,
        )
        rules = self.markets[order.instrument_id].rules
        fault = order_fault(terms, rules, touch=self._touch(order), mark=self.mark(order.instrument_id))
        if fault is None:
            return True
        self.refusals["modify: " + _kind(fault)] += 1
        now = self._kernel_clock.timestamp_ns()
        self.generate_order_modify_rejected(
            order.strategy_id, order.instrument_id, order.client_order_id, order.venue_order_id, fault, now
        )
        return False

    def _reject(self, order: Order, reason: str) -> None:
        self.refusals[_kind(reason)] += 1
        now = self._kernel_clock.timestamp_ns()
        self.generate_order_rejected(order.strategy_id, order.instrument_id, order.client_order_id, reason, now)

    # -- what the venue knows ------------------------------------------------------------------------------------------

    def quote(self, instrument_id: InstrumentId) -> Quote | None:
        """Best prices of the venue's book, None while a side is empty."""
        bid, ask = self.exchange.best_bid_price(instrument_id), self.exchange.best_ask_price(instrument_id)
        return None if bid is None or ask is None else Quote(bid.as_decimal(), ask.as_decimal())

    def mark(self, instrument_id: InstrumentId) -> Decimal | None:
        """The last mark price; the mid of the book for a market without any, None without a book."""
        update = self._cache.mark_price(instrument_id)
        if update is not None:
            value: Decimal = update.value.as_decimal()
            return value
        quote = self.quote(instrument_id)
        return None if quote is None else quote.mid

    def available(self) -> Decimal:
        """Free money: the balance (with cross margin also what open positions have made or lost) less all margin."""
        free = self.ledger.balance
        held = {
            (InstrumentId.from_str(name), strategy): h for (name, strategy), h in self.ledger.open_holdings().items()
        }
        if self.terms.cross:
            for (instrument_id, _), holding in held.items():
                mark = self.mark(instrument_id)
                free += holding.unrealised(mark) if mark is not None else 0
        resting = {(order.instrument_id, order.strategy_id.value) for order in self.exchange.get_open_orders()}
        for instrument_id, strategy in held.keys() | resting:
            free -= self._exposure(instrument_id, strategy).margin(self.terms.leverage)
        return free

    def _exposure(self, instrument_id: InstrumentId, strategy: Any) -> Exposure:
        holding = self.ledger.holdings[instrument_id.value, str(strategy)]
        orders = [
            (self._signed_base(order, leaves=True), order.price.as_decimal())
            for order in self.exchange.get_open_orders(instrument_id)
            if order.order_type == OrderType.LIMIT
            and not order.is_reduce_only
            and order.strategy_id.value == str(strategy)
        ]
        return Exposure(holding.size, holding.entry if holding.size else Decimal(0), orders)

    def _held(self, order: Order) -> Decimal:
        return self.ledger.holdings[order.instrument_id.value, order.strategy_id.value].size

    def _signed_base(self, order: Order, *, leaves: bool = False) -> Decimal:
        quantity = order.leaves_qty if leaves else order.quantity
        multiplier = self.markets[order.instrument_id].rules.multiplier
        base: Decimal = _side(order) * quantity.as_decimal() * multiplier
        return base

    def _touch(self, order: Order) -> Decimal | None:
        quote = self.quote(order.instrument_id)
        return None if quote is None else quote.touch(_side(order))

    def _price(self, order: Order) -> Decimal | None:
        if order.has_price:
            price: Decimal = order.price.as_decimal()
            return price
        if order.has_trigger_price:
            trigger: Decimal = order.trigger_price.as_decimal()
            return trigger
        return self._touch(order)

    def _cached(self, order_id: ClientOrderId) -> Order | None:
        return self._cache.order(order_id)


_TRIGGERED = frozenset(
    {
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_MARKET,
        OrderType.TRAILING_STOP_LIMIT,
    }
)
"""Orders that need no margin before they are triggered."""


def _orders(command: Any) -> list[Order]:
    if isinstance(command, SubmitOrder):
        return [command.order]
    if isinstance(command, SubmitOrderList):
        return list(command.order_list.orders)
    return []


def _side(order: Order) -> int:
    return 1 if order.side == OrderSide.BUY else -1


def _kind(fault: str) -> str:
    """A reason without its numbers, to count by: the words up to the first digit."""
    return "".join(fault.partition(next((c for c in fault if c.isdigit()), "\0"))[0]).strip(" :-")
