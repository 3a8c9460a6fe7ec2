"""An order as Nautilus keeps it: events of the adapter are applied to the real thing, which refuses impossible ones."""

from decimal import Decimal

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus, TimeInForce, TriggerType
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import LimitOrder, MarketOrder, Order, StopLimitOrder, StopMarketOrder

from adapters.mexc.order_events import Accepted, Changed, End, Ended, Filled, OrderEvent, StillOpen, Triggered
from adapters.mexc.order_track import OrderSpec

TRADER = TraderId("TRADER-001")
STRATEGY = StrategyId("S-001")
INSTRUMENT = InstrumentId.from_str("BTC_USDT.MEXC")
ACCOUNT = AccountId("MEXC-master")


def submitted(spec: OrderSpec) -> Order:
    """The order of a spec, on its way to the venue."""
    common = {
        "trader_id": TRADER,
        "strategy_id": STRATEGY,
        "instrument_id": INSTRUMENT,
        "client_order_id": ClientOrderId(spec.key),
        "order_side": OrderSide.BUY,
        "quantity": Quantity.from_str(str(spec.vol)),
        "init_id": UUID4(),
        "ts_init": 0,
    }
    order: Order
    if spec.trigger_price is not None and spec.price is not None:
        trigger, price = _price(spec.trigger_price), _price(spec.price)
        order = StopLimitOrder(price=price, trigger_price=trigger, trigger_type=TriggerType.LAST_PRICE, **common)
    elif spec.trigger_price is not None:
        trigger = _price(spec.trigger_price)
        order = StopMarketOrder(trigger_price=trigger, trigger_type=TriggerType.LAST_PRICE, **common)
    elif spec.price is not None:
        order = LimitOrder(price=_price(spec.price), **common)
    else:
        order = MarketOrder(time_in_force=TimeInForce.IOC, **common)
    order.apply(OrderSubmitted(TRADER, STRATEGY, INSTRUMENT, order.client_order_id, ACCOUNT, UUID4(), 0, 0))
    return order


def apply(order: Order, event: OrderEvent) -> None:
    """Apply one event. Raises what Nautilus raises, and ValueError for a fill beyond the quantity."""
    names = (TRADER, STRATEGY, INSTRUMENT, order.client_order_id)
    match event:
        case Accepted():
            order.apply(OrderAccepted(*names, VenueOrderId(event.venue_order_id), ACCOUNT, UUID4(), 0, 0))
        case Changed():
            price = None if event.price is None else _price(event.price)
            trigger = None if event.trigger_price is None else _price(event.trigger_price)
            quantity, venue_order_id = Quantity.from_str(str(event.vol)), VenueOrderId(event.venue_order_id)
            order.apply(OrderUpdated(*names, venue_order_id, ACCOUNT, quantity, price, trigger, UUID4(), 0, 0))
        case Triggered():
            order.apply(OrderTriggered(*names, VenueOrderId(event.venue_order_id), ACCOUNT, UUID4(), 0, 0))
        case Filled():
            _fill(order, event)
        case Ended():
            _end(order, event)
        case StillOpen():
            raise AssertionError(f"{event} although the venue never takes back an end")


def _fill(order: Order, event: Filled) -> None:
    quantity = Quantity.from_str(str(event.deal.vol))
    if order.filled_qty.as_decimal() + event.deal.vol > order.quantity.as_decimal():
        raise ValueError(f"{event} fills more than {order.quantity} of {order.client_order_id}")
    order.apply(
        OrderFilled(
            TRADER,
            STRATEGY,
            INSTRUMENT,
            order.client_order_id,
            VenueOrderId(event.venue_order_id),
            ACCOUNT,
            TradeId(event.deal.id),
            PositionId("P"),
            order.side,
            order.order_type,
            quantity,
            _price(event.deal.price),
            USDT,
            Money(event.deal.fee, USDT),
            LiquiditySide.TAKER,
            UUID4(),
            0,
            0,
        )
    )


def _end(order: Order, event: Ended) -> None:
    names = (TRADER, STRATEGY, INSTRUMENT, order.client_order_id)
    venue_order_id = None if event.venue_order_id is None else VenueOrderId(event.venue_order_id)
    if event.how in (End.REJECTED, End.POST_ONLY):
        order.apply(OrderRejected(*names, ACCOUNT, event.reason, UUID4(), 0, 0))
    elif event.how is End.EXPIRED:
        order.apply(OrderExpired(*names, venue_order_id, ACCOUNT, UUID4(), 0, 0))
    else:
        order.apply(OrderCanceled(*names, venue_order_id, ACCOUNT, UUID4(), 0, 0))


def is_closed(order: Order) -> bool:
    """Whether Nautilus waits for nothing more."""
    return bool(order.is_closed)


def status(order: Order) -> OrderStatus:
    return order.status


def _price(value: Decimal) -> Price:
    return Price.from_str(f"{value:.2f}")
