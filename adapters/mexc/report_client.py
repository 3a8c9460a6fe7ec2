"""The reports of Nautilus's execution client: what the venue has, for reconciliation at the start and later on."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.execution.reports import (
    ExecutionMassStatus,
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import AccountId, ClientId, ClientOrderId, InstrumentId

from adapters.mexc.account_reader import AccountReader, Span
from adapters.mexc.assumptions import HISTORY_SPAN_DAYS
from adapters.mexc.backoff import Backoff
from adapters.mexc.config import MexcExecClientConfig
from adapters.mexc.constants import MexcMarginMode, MexcPlanState, MexcPositionMode
from adapters.mexc.engine_view import EngineView
from adapters.mexc.errors import MexcError, MexcUnavailableError
from adapters.mexc.external_oid import ExternalOids
from adapters.mexc.fills import Fills
from adapters.mexc.order_room import MINUTE_MS, PLAN_LIFE_MS, OrderRoom
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.orders import Setup
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.reports import MS_NS, Reports, VenueOrder
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private import DealRow, OrderRow
from adapters.mexc.schemas.private_account import PositionRow
from adapters.mexc.survey import Survey, UnsteadyAccountError, take_survey, with_fills
from adapters.mexc.symbols import MEXC_VENUE

DAY_MS = 86_400_000
APPLY_SECONDS = 2.0
"""How long the engine is given to apply fills that it was told, before it is shown a report that counts them."""
APPLY_STEPS = 40
SURVEY_SECONDS = 75.0
"""Longer than the circuit breaker's first openings together. Nautilus's own limit (``timeout_reconciliation``) is to be
above it."""
SURVEY_BACKOFF = Backoff(0.5, 8.0)


class MexcReportClient(LiveExecutionClient):
    """Everything about the account that is asked, not done."""

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
        hedge = config.position_mode == "hedge"
        super().__init__(
            loop=loop,
            client_id=client_id,
            venue=MEXC_VENUE,
            oms_type=OmsType.HEDGING if hedge else OmsType.NETTING,
            account_type=AccountType.MARGIN,
            base_currency=None,
            instrument_provider=provider,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        self._set_account_id(AccountId(f"{client_id.value}-master"))
        self._settings = config
        self._provider = provider
        self._rest = rest
        self._setup = Setup(
            MexcPositionMode.HEDGE if hedge else MexcPositionMode.ONE_WAY,
            MexcMarginMode.ISOLATED if config.margin_mode == "isolated" else MexcMarginMode.CROSS,
        )
        self._oids = ExternalOids()
        self._view = EngineView(cache, provider, self._oids, self.account_id)
        self._reports = Reports(
            self.account_id, self._setup.position_mode, self._view.client_order_id, clock.timestamp_ns
        )
        self._fills = Fills(self._view.find, self._oids.decode)
        self._reader = AccountReader(rest)
        self._room = OrderRoom(
            rest, self._reader, self._fills, self._oids, self._now_ms, self._tell_news, self._log.warning
        )

    def _now_ms(self) -> int:
        return int(self._clock.timestamp_ns()) // MS_NS

    def _tell_news(self) -> None:
        """Tell the engine what the tracks have to tell."""
        raise NotImplementedError

    # -- reports -------------------------------------------------------------------------------------------------------

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus | None:
        """Orders, fills and positions that fit together. None, with an error in the log, when they cannot be had."""
        self.reconciliation_active = True
        now = self._rest.venue_ms()
        minutes = lookback_mins or HISTORY_SPAN_DAYS * 24 * 60
        try:
            survey = await self._survey(Span(now - minutes * MINUTE_MS, now + MINUTE_MS))
        except MexcError as error:
            self._log.exception("the account could not be surveyed: nothing is reconciled", error)
            return None
        finally:
            self.reconciliation_active = False
        status = ExecutionMassStatus(self.id, self.account_id, self.venue, UUID4(), self._clock.timestamp_ns())
        status.add_order_reports(self._order_reports(survey.orders))
        status.add_fill_reports(self._fill_reports(survey.orders))
        status.add_position_reports(self._position_reports(survey.positions))
        return status

    async def generate_order_status_report(self, command: GenerateOrderStatusReport) -> OrderStatusReport | None:
        """One order by its client order id or the venue's; None when the venue does not know it (yet)."""
        track = self._track_of(command)
        if track is not None:
            return await self._report_of(track) if track.accepted else None  # its sending is being looked after
        row = await self._row_of(command)
        orders = [] if row is None else await self._with_fills(row)
        return next(iter(self._order_reports(orders)), None)

    async def generate_order_status_reports(self, command: GenerateOrderStatusReports) -> list[OrderStatusReport]:
        """What is open; with ``open_only`` off also what was created since ``start``."""
        if not command.open_only:
            orders = (await take_survey(self._reader, self._span(command.start, command.end))).orders
        else:
            now = self._rest.venue_ms()
            waiting = Span(now - PLAN_LIFE_MS, now + MINUTE_MS)
            plans = await self._reader.plans(waiting, states=(MexcPlanState.UNTRIGGERED,))
            orders = [VenueOrder(None, plan) for plan in plans]
            for row in await self._reader.open_orders():
                orders += await self._with_fills(row)
        wanted = command.instrument_id
        return [r for r in self._order_reports(orders) if wanted is None or r.instrument_id == wanted]

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        """Fills of one contract, or of all; each under the id by which Nautilus knows its order."""
        span, wanted = self._span(command.start, command.end), command.venue_order_id
        if command.instrument_id is None:
            reports = self._fill_reports((await take_survey(self._reader, span)).orders)
        else:
            reports = await self._fills_of_contract(command.instrument_id, span)
        return [report for report in reports if wanted is None or report.venue_order_id == wanted]

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        """Positions that are held; for one contract also that none is."""
        reports = self._position_reports(await self._reader.positions())
        if command.instrument_id is None:
            return reports
        found = [report for report in reports if report.instrument_id == command.instrument_id]
        instrument = self._view.instrument(command.instrument_id)
        held = {report.venue_position_id for report in found}
        flats = [] if instrument is None else self._reports.flat(instrument)
        return found + [flat for flat in flats if flat.venue_position_id not in held]

    async def _survey(self, span: Span) -> Survey:
        """The whole account, asked again for `SURVEY_SECONDS` where the venue does not answer or nothing stands still:
        Nautilus never starts a node whose account could not be had."""
        loop = asyncio.get_running_loop()
        until, attempt = loop.time() + SURVEY_SECONDS, 0
        while True:
            try:
                return await take_survey(self._reader, span)
            except (MexcUnavailableError, UnsteadyAccountError) as error:
                wait = SURVEY_BACKOFF.seconds(attempt)
                if loop.time() + wait > until:
                    raise
                self._log.warning(f"no survey of the account yet: {error}")
                await asyncio.sleep(wait)
                attempt += 1

    # -- how they are made ---------------------------------------------------------------------------------------------

    def _track_of(self, command: GenerateOrderStatusReport) -> OrderTrack | None:
        track = None if command.client_order_id is None else self._fills.track(command.client_order_id.value)
        if track is None and command.venue_order_id is not None:
            track = self._fills.by_venue_id(command.venue_order_id.value)
        if track is None and command.client_order_id is not None:
            order = self._view.order(command.client_order_id)
            known = None if order is None else self._view.known(order)
            track = None if known is None else self._fills.adopt(known, self._now_ms())
        return track

    async def _row_of(self, command: GenerateOrderStatusReport) -> OrderRow | None:
        """The order as the venue has it, by its own id or by our name for it."""
        if command.venue_order_id is not None:
            return await self._reader.order(command.venue_order_id.value)
        symbol = None if command.instrument_id is None else self._view.symbol(command.instrument_id)
        if symbol is None or command.client_order_id is None:
            return None
        return await self._reader.order_by_name(symbol, self._oids.encode(command.client_order_id.value))

    async def _report_of(self, track: OrderTrack) -> OrderStatusReport | None:
        row = await self._room.look(track)
        if row is not None:
            return next(iter(self._order_reports(await self._with_fills(row))), None)
        plan = await self._room.plan_row(track) if track.spec.is_plan else None
        return None if plan is None else next(iter(self._order_reports([VenueOrder(None, plan)])), None)

    async def _with_fills(self, row: OrderRow) -> list[VenueOrder]:
        """The order and its fills, which the engine is told before; nothing when fills are missing."""
        self._fills.on_order(row, self._now_ms())
        track = self._fills.by_venue_id(row.order_id)
        plan = await self._room.plan_row(track) if track is not None and track.spec.is_plan else None
        try:
            order = await with_fills(self._reader, row, plan)
        except ValueError as error:
            self._log.warning(f"no report of order {row.order_id}: {error}")
            return []
        await self._apply(order.deals, track)
        return [order]

    async def _fills_of_contract(self, instrument_id: InstrumentId, span: Span) -> list[FillReport]:
        symbol, instrument = self._view.symbol(instrument_id), self._view.instrument(instrument_id)
        if symbol is None or instrument is None:
            return []
        reports = []
        for deal in await self._reader.deals(symbol, span):
            track = self._fills.by_venue_id(deal.order_id)
            await self._apply([deal], track)
            name = deal.order_id if track is None or track.venue_order_id is None else track.venue_order_id
            reports.append(self._reports.fill(deal, name, None, instrument))
        return reports

    async def _apply(self, deals: Iterable[DealRow], track: OrderTrack | None) -> None:
        """Tell the engine these fills as events, and wait until it has them: a report must bring it nothing new."""
        if track is None:
            return
        for deal in deals:
            track.on_deal(deal)
        self._room.touched(track)
        order = self._view.order(ClientOrderId(track.spec.key))
        for _ in range(APPLY_STEPS):
            if order is None or order.filled_qty.as_decimal() >= track.filled:
                return
            await asyncio.sleep(APPLY_SECONDS / APPLY_STEPS)

    def _span(self, start: datetime | None, end: datetime | None) -> Span:
        now = self._rest.venue_ms()
        begin = now - HISTORY_SPAN_DAYS * DAY_MS if start is None else int(start.timestamp() * 1000)
        return Span(begin, now + MINUTE_MS if end is None else int(end.timestamp() * 1000))

    def _order_reports(self, orders: Iterable[VenueOrder]) -> list[OrderStatusReport]:
        return [
            self._reports.order(order, instrument)
            for order in orders
            if (instrument := self._view.instrument_of(order.shown.symbol)) is not None
        ]

    def _fill_reports(self, orders: Iterable[VenueOrder]) -> list[FillReport]:
        return [
            report
            for order in orders
            if (instrument := self._view.instrument_of(order.shown.symbol)) is not None
            for report in self._reports.fills(order, instrument)
        ]

    def _position_reports(self, rows: Iterable[PositionRow]) -> list[PositionStatusReport]:
        return [
            self._reports.position(row, instrument)
            for row in rows
            if (instrument := self._view.instrument_of(row.symbol)) is not None
        ]
