"""The commands of Nautilus's execution client: orders placed, changed and cancelled, or refused with the reason."""

import asyncio
from collections.abc import Iterable

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.model.enums import ContingencyType, OrderSide
from nautilus_trader.model.identifiers import ClientId, ClientOrderId, PositionId, VenueOrderId
from nautilus_trader.model.orders import Order

from adapters.mexc.account_setup import AccountSetup
from adapters.mexc.config import MexcExecClientConfig
from adapters.mexc.errors import MexcError, MexcRefusedError
from adapters.mexc.order_canceller import OrderCanceller
from adapters.mexc.order_changer import OrderChanger
from adapters.mexc.order_changes import Terms, change_request
from adapters.mexc.order_sender import OrderSender
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.orders import NotPossibleError, OrderRequest, Situation, direction_of, order_request
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.report_client import MexcReportClient
from adapters.mexc.rest import RestClient
from adapters.mexc.turns import Turns


class MexcCommandClient(MexcReportClient):
    """What is done about orders. What becomes of them is told by their tracks."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client_id: ClientId,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        provider: MexcInstrumentProvider,
        rest: RestClient,
        config: MexcExecClientConfig,
    ) -> None:
        super().__init__(loop, client_id, msgbus, cache, clock, provider, rest, config)
        self.account = AccountSetup(rest, self._reader, self._setup, config.leverage, config.leverages or {})
        self._sender = OrderSender(self._room)
        self._canceller = OrderCanceller(self._room)
        self._changer = OrderChanger(self._room)
        self._changes: Turns[str] = Turns()
        self._mode_problem: str | None = None

    def go_live(self) -> None:
        """The engine knows what there was at the start: pushes are news from now on."""
        raise NotImplementedError

    async def _submit_order(self, command: SubmitOrder) -> None:
        await self._submit(command.order, command.position_id)

    async def _submit_order_list(self, command: SubmitOrderList) -> None:
        orders = command.order_list.orders
        if any(order.contingency_type != ContingencyType.NO_CONTINGENCY for order in orders):
            for order in orders:
                self._deny(order, "MEXC links no orders (OCO, OTO, OUO): send them one by one, and cancel leftovers")
            return
        for order in orders:
            await self._submit(order, command.position_id)

    async def _submit(self, order: Order, position_id: PositionId | None) -> None:
        self.go_live()  # a command proves that the node has started
        if order.is_closed:
            self._log.warning(f"{order.client_order_id} is {order.status_string()} already: not sent")
            return
        try:
            request = await self._prepare(order, position_id)
            if self._fills.track(request.spec.key) is not None:
                raise NotPossibleError("an order of this client order id was sent before")
        except (MexcError, ValueError) as error:
            self._deny(order, str(error))
            return
        now = self._clock.timestamp_ns()
        self.generate_order_submitted(order.strategy_id, order.instrument_id, order.client_order_id, now)
        refusal = await self._sender.place(request)
        if isinstance(refusal, MexcRefusedError):
            self.account.note_refusal(request.spec.symbol, refusal)

    async def _prepare(self, order: Order, position_id: PositionId | None) -> OrderRequest:
        """The request of an order, after the account was made ready for it. NotPossibleError, with the reason."""
        instrument = self._view.instrument(order.instrument_id)
        if instrument is None:
            raise NotPossibleError(f"{order.instrument_id} is not loaded")
        if self._mode_problem is not None:
            raise NotPossibleError(self._mode_problem)
        symbol, name = instrument.raw_symbol.value, self._oids.encode(order.client_order_id.value)
        situation = Situation(self._view.net(order.instrument_id), position_id)
        where = direction_of(order, self._setup, situation)
        request = order_request(order, instrument, self._setup, where, self.account.leverage_of(symbol), name)
        if not where.closes and not self.account.is_ready(symbol):
            await self.account.prepare(symbol)
            await self._load_fees(symbol)
        return request

    async def _load_fees(self, symbol: str) -> None:
        """What the account pays for a contract, once: its instrument has the schedule's fees until then."""
        try:
            instrument = await self._provider.load_fees(symbol)
        except MexcError as error:
            self._log.warning(f"fees of {symbol} are still those of the schedule: {error}")
            return
        if instrument is not None:
            self._cache.add_instrument(instrument)

    async def _modify_order(self, command: ModifyOrder) -> None:
        async with self._changes.of(command.client_order_id.value):  # the next builds on what the last has made of it
            problem = await self._change(command)
        if problem is not None:
            self._refuse_change(command, problem)

    async def _change(self, command: ModifyOrder) -> str | None:
        """Change an order; returns why not, None when it was changed or has ended meanwhile."""
        order, track = self._find(command.client_order_id)
        instrument = None if order is None else self._view.instrument(order.instrument_id)
        if order is None or track is None or instrument is None or track.closed:
            return "it is not working"
        terms = _terms(command, track)
        try:
            endpoint, body = change_request(order, track, instrument, terms)
        except NotPossibleError as error:
            return str(error)
        problem = await self._changer.change(track, endpoint, body, terms)
        return None if track.closed else problem

    async def _cancel_order(self, command: CancelOrder) -> None:
        await self._cancel([command.client_order_id])

    async def _batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        await self._cancel([cancel.client_order_id for cancel in command.cancels])

    async def _cancel_all_orders(self, command: CancelAllOrders) -> None:
        of_contract = [o for o in self._view.open_orders() if o.instrument_id == command.instrument_id]
        sides = list(OrderSide) if command.order_side == OrderSide.NO_ORDER_SIDE else [command.order_side]
        chosen = [o for o in of_contract if o.strategy_id == command.strategy_id and o.side in sides]
        symbol = self._view.symbol(command.instrument_id)
        if symbol is None or len(chosen) < len(of_contract):
            await self._cancel([order.client_order_id for order in chosen])
            return
        tracks = [track for order in chosen if (track := self._find(order.client_order_id)[1]) is not None]
        self._refuse_cancels(await self._canceller.cancel_all(symbol, tracks))

    async def _cancel(self, client_order_ids: Iterable[ClientOrderId]) -> None:
        """Cancel these; those that cannot be are told one by one."""
        tracks = []
        for client_order_id in client_order_ids:
            _, track = self._find(client_order_id)
            if track is None or track.closed:
                self._refuse_cancels({client_order_id.value: "it is not working"})
            else:
                tracks.append(track)
        if len(tracks) == 1:
            await self._cancel_track(tracks[0])
        else:
            self._refuse_cancels(await self._canceller.cancel_many(tracks))

    async def _cancel_track(self, track: OrderTrack) -> None:
        reason = await self._canceller.cancel(track)
        self._refuse_cancels({} if reason is None else {track.spec.key: reason})

    # -- answers -------------------------------------------------------------------------------------------------------

    def _find(self, client_order_id: ClientOrderId) -> tuple[Order | None, OrderTrack | None]:
        """An order as the engine has it, and as it is followed here."""
        order = self._view.order(client_order_id)
        track = self._fills.track(client_order_id.value)
        if track is None and order is not None and (known := self._view.known(order)) is not None:
            track = self._fills.adopt(known, self._now_ms())
        return order, track

    def _deny(self, order: Order, reason: str) -> None:
        names = (order.strategy_id, order.instrument_id, order.client_order_id)
        self.generate_order_denied(*names, reason, self._clock.timestamp_ns())

    def _refuse_change(self, command: ModifyOrder, reason: str) -> None:
        self.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            self._venue_order_id(command.client_order_id),
            reason,
            self._clock.timestamp_ns(),
        )

    def _refuse_cancels(self, reasons: dict[str, str]) -> None:
        for key, reason in reasons.items():
            order = self._view.order(ClientOrderId(key))
            if order is None:
                self._log.error(f"{key} could not be cancelled: {reason}")
                continue
            names = (order.strategy_id, order.instrument_id, order.client_order_id)
            venue_order_id = self._venue_order_id(order.client_order_id)
            self.generate_order_cancel_rejected(*names, venue_order_id, reason, self._clock.timestamp_ns())

    def _venue_order_id(self, client_order_id: ClientOrderId) -> VenueOrderId | None:
        """The id that the engine was told last: news of it may still be in its queue."""
        track = self._fills.track(client_order_id.value)
        return None if track is None or track.venue_order_id is None else VenueOrderId(track.venue_order_id)


def _terms(command: ModifyOrder, track: OrderTrack) -> Terms:
    """What the order is to be: what the command names, and what it is now for the rest."""
    spec = track.spec
    return Terms(
        spec.vol if command.quantity is None else command.quantity.as_decimal(),
        spec.price if command.price is None else command.price.as_decimal(),
        spec.trigger_price if command.trigger_price is None else command.trigger_price.as_decimal(),
    )
