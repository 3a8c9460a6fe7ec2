"""Tells Nautilus's engine what has happened to orders: events of the tracks become its own."""

from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.common.component import Logger
from nautilus_trader.execution.client import ExecutionClient
from nautilus_trader.model.enums import LiquiditySide
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money, Price
from nautilus_trader.model.orders import Order

from adapters.mexc.engine_view import EngineView
from adapters.mexc.order_events import Accepted, Changed, End, Ended, Filled, OrderEvent, StillOpen, Triggered
from adapters.mexc.reports import MS_NS, Reports, trade_id
from adapters.mexc.symbols import currency


class OrderTeller:
    """Speaks for `client`. `disown` is told of an order (by client order id) that Nautilus takes for ended and the
    venue shows open: it has to be cancelled there."""

    def __init__(
        self,
        client: ExecutionClient,
        reports: Reports,
        view: EngineView,
        disown: Callable[[str], None],
        log: Logger,
    ) -> None:
        self._client = client
        self._reports = reports
        self._view = view
        self._disown = disown
        self._log = log

    def tell(self, event: OrderEvent) -> None:
        """Turn an event into the engine's."""
        order = self._view.order(ClientOrderId(event.key))
        instrument = None if order is None else self._view.instrument(order.instrument_id)
        if order is None or instrument is None:
            self._log.error(f"{event} is of an order or instrument that the cache does not have: not told")
            return
        match event:
            case Accepted():
                self._accepted(event, order)
            case Changed():
                self._changed(event, order, instrument)
            case Triggered():
                self._client.generate_order_triggered(*_names(order, event.venue_order_id), event.ts_ms * MS_NS)
            case Filled():
                self._filled(event, order, instrument)
            case Ended():
                self._ended(event, order)
            case StillOpen():
                self._log.error(f"{event.key} has ended for the engine and is open at the venue: it is cancelled there")
                self._disown(event.key)

    def _accepted(self, event: Accepted, order: Order) -> None:
        if order.is_closed:
            self._log.error(f"{event.key} is {order.status_string()} for the engine and lives at the venue: cancelled")
            self._disown(event.key)
            return
        self._client.generate_order_accepted(*_names(order, event.venue_order_id), event.ts_ms * MS_NS)

    def _changed(self, event: Changed, order: Order, instrument: Instrument) -> None:
        self._client.generate_order_updated(
            *_names(order, event.venue_order_id),
            instrument.make_qty(event.vol),
            _price(event.price, instrument),
            _price(event.trigger_price, instrument),
            event.ts_ms * MS_NS,
            True,  # the id is the venue's now, whatever the cache has
        )

    def _filled(self, event: Filled, order: Order, instrument: Instrument) -> None:
        deal = event.deal
        self._client.generate_order_filled(
            *_names(order, event.venue_order_id),
            self._reports.position_id(deal, instrument),
            trade_id(deal),
            order.side,
            order.order_type,
            instrument.make_qty(deal.vol),
            instrument.make_price(deal.price),
            instrument.quote_currency,
            Money(deal.fee, currency(deal.fee_currency)),
            LiquiditySide.TAKER if deal.took else LiquiditySide.MAKER,
            deal.timestamp * MS_NS,
        )

    def _ended(self, event: Ended, order: Order) -> None:
        ts_ns = event.ts_ms * MS_NS
        if event.how in (End.REJECTED, End.POST_ONLY):
            names = (order.strategy_id, order.instrument_id, order.client_order_id)
            self._client.generate_order_rejected(*names, event.reason, ts_ns, event.how is End.POST_ONLY)
        elif event.how is End.EXPIRED:
            self._client.generate_order_expired(*_names(order, event.venue_order_id), ts_ns)
        else:
            self._client.generate_order_canceled(*_names(order, event.venue_order_id), ts_ns)


def _names(order: Order, venue_order_id: str | None) -> tuple[object, ...]:
    venue = None if venue_order_id is None else VenueOrderId(venue_order_id)
    return order.strategy_id, order.instrument_id, order.client_order_id, venue


def _price(value: Decimal | None, instrument: Instrument) -> Price | None:
    return None if value is None else instrument.make_price(value)
