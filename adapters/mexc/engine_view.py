"""What Nautilus's cache has of MEXC's orders and positions, in the words of the pure parts."""

from collections import defaultdict
from decimal import Decimal

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, InstrumentId, VenueOrderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.orders import Order

from adapters.mexc.external_oid import ExternalOids
from adapters.mexc.order_track import Known
from adapters.mexc.orders import order_spec
from adapters.mexc.position_check import Sides
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.reports import MS_NS, VenueOrder, deal_id
from adapters.mexc.symbols import MEXC_VENUE


class EngineView:
    """Read-only."""

    def __init__(
        self, cache: Cache, provider: MexcInstrumentProvider, oids: ExternalOids, account_id: AccountId
    ) -> None:
        self._cache = cache
        self._provider = provider
        self._oids = oids
        self._account_id = account_id

    def order(self, client_order_id: ClientOrderId) -> Order | None:
        return self._cache.order(client_order_id)

    def instrument(self, instrument_id: InstrumentId) -> Instrument | None:
        """From the provider, whose fees are the account's, else as the cache has it."""
        return self._provider.find(instrument_id) or self._cache.instrument(instrument_id)

    def instrument_of(self, symbol: str) -> Instrument | None:
        """By the venue's symbol."""
        return self._provider.find_symbol(symbol)

    def symbol(self, instrument_id: InstrumentId) -> str | None:
        """The venue's symbol of a loaded contract."""
        instrument = self.instrument(instrument_id)
        return None if instrument is None else str(instrument.raw_symbol.value)

    def find(self, venue_order_id: str, external_oid: str | None) -> Known | None:
        """An order that the engine has from before, by the venue's id or by our name for it."""
        key = self._cache.client_order_id(VenueOrderId(venue_order_id))
        if key is None and (name := self._oids.decode(external_oid)) is not None:
            key = ClientOrderId(name)
        order = None if key is None else self._cache.order(key)
        return None if order is None else self.known(order)

    def known(self, order: Order) -> Known | None:
        """An order of the cache; None when its contract is not loaded."""
        symbol = self.symbol(order.instrument_id)
        if symbol is None:
            return None
        fills = {deal_id(e.trade_id): e.last_qty.as_decimal() for e in order.events if isinstance(e, OrderFilled)}
        venue_order_id = order.venue_order_id
        return Known(
            order_spec(order, symbol),
            None if venue_order_id is None else venue_order_id.value,
            fills,
            born_ms=order.ts_accepted // MS_NS or None,
            ended=order.is_closed and order.status != OrderStatus.FILLED,
            triggered=order.status == OrderStatus.TRIGGERED or (order.has_trigger_price and bool(fills)),
        )

    def open_orders(self) -> list[Order]:
        """Working orders, and those that wait for an answer."""
        orders = {o.client_order_id: o for o in self._cache.orders_open(venue=MEXC_VENUE)}
        orders |= {o.client_order_id: o for o in self._cache.orders_inflight(venue=MEXC_VENUE)}
        return list(orders.values())

    def client_order_id(self, order: VenueOrder) -> ClientOrderId | None:
        """Whose a venue's order is, as far as the cache or its name tell."""
        known = self._cache.client_order_id(VenueOrderId(order.id))
        if known is not None or order.row is None or order.plan is not None:
            return known
        name = self._oids.decode(order.row.external_oid)
        return None if name is None else ClientOrderId(name)

    def net(self, instrument_id: InstrumentId) -> Decimal:
        """The account's position over all strategies, negative when short."""
        positions = self._cache.positions_open(instrument_id=instrument_id, account_id=self._account_id)
        return sum((position.signed_decimal_qty() for position in positions), Decimal(0))

    def sides(self) -> dict[str, Sides]:
        """Contracts held long and short, by symbol."""
        held: dict[str, Sides] = defaultdict(lambda: (Decimal(0), Decimal(0)))
        for position in self._cache.positions_open(venue=MEXC_VENUE, account_id=self._account_id):
            symbol = self.symbol(position.instrument_id)
            if symbol is None:
                continue
            (long, short), size = held[symbol], position.signed_decimal_qty()
            held[symbol] = (long + size, short) if size > 0 else (long, short - size)
        return dict(held)
