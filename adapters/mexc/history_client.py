"""The requests of Nautilus's data client, answered from REST. See ``data_client`` for what is streamed."""

import asyncio

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.data.messages import (
    RequestBars,
    RequestData,
    RequestFundingRates,
    RequestInstrument,
    RequestInstruments,
    RequestOrderBookSnapshot,
    RequestTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import DataType, OrderBookDeltas
from nautilus_trader.model.identifiers import ClientId, InstrumentId

from adapters.mexc.config import MexcDataClientConfig
from adapters.mexc.history import fetch_bars, fetch_funding, fetch_trades
from adapters.mexc.parsing import MS_NS, ContractParser
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.rest import RestClient
from adapters.mexc.snapshots import fetch_snapshot
from adapters.mexc.symbols import MEXC_VENUE

DEFAULT_HISTORY_BARS = 1_000


class MexcHistoryClient(LiveMarketDataClient):
    """Instruments, bars, the last trades, settled funding and book snapshots. A failed request raises and is logged."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client_id: ClientId,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        provider: MexcInstrumentProvider,
        rest: RestClient,
        config: MexcDataClientConfig,
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=client_id,
            venue=MEXC_VENUE,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
            config=config,
        )
        self._provider = provider
        self._rest = rest
        self._settings = config

    async def _request_instrument(self, request: RequestInstrument) -> None:
        await self._provider.load_async(request.instrument_id)
        instrument = self._provider.find(request.instrument_id)
        if instrument is None:
            raise ValueError(f"{request.instrument_id} is no contract of MEXC")
        self._handle_data(instrument)
        self._handle_instrument(instrument, request.id, request.start, request.end, request.params)

    async def _request_instruments(self, request: RequestInstruments) -> None:
        instruments = list(self._provider.get_all().values())
        self._handle_instruments(MEXC_VENUE, instruments, request.id, request.start, request.end, request.params)

    async def _request_bars(self, request: RequestBars) -> None:
        bar_type = request.bar_type
        seconds = bar_type.spec.timedelta.total_seconds()
        last = int(request.end.timestamp()) if request.end else self._rest.venue_ms() // 1000
        count = request.limit or DEFAULT_HISTORY_BARS
        first = int(request.start.timestamp()) if request.start else int(last - count * seconds)
        bars = await fetch_bars(
            self._rest, self._parser(bar_type.instrument_id), bar_type, first, last, self._clock.timestamp_ns()
        )
        if request.limit:
            bars = bars[-request.limit :]
        self._handle_bars(bar_type, bars, request.id, request.start, request.end, request.params)

    async def _request_trade_ticks(self, request: RequestTradeTicks) -> None:
        parser = self._parser(request.instrument_id)
        ticks = await fetch_trades(self._rest, parser, request.limit, self._clock.timestamp_ns())
        begin = request.start.timestamp() * 1e9 if request.start else 0
        end = request.end.timestamp() * 1e9 if request.end else float("inf")
        if ticks and begin < ticks[0].ts_event:
            self._log.warning(f"{request.instrument_id}: MEXC serves the last {len(ticks)} trades only, no older ones")
        ticks = [tick for tick in ticks if begin <= tick.ts_event <= end]
        self._handle_trade_ticks(request.instrument_id, ticks, request.id, request.start, request.end, request.params)

    async def _request_funding_rates(self, request: RequestFundingRates) -> None:
        now_ns = self._clock.timestamp_ns()
        rates = await fetch_funding(
            self._rest,
            self._parser(request.instrument_id),
            int(request.start.timestamp() * 1000) if request.start else 0,
            int(request.end.timestamp() * 1000) if request.end else now_ns // MS_NS,
            request.limit,
            now_ns,
        )
        self._handle_funding_rates(request.instrument_id, rates, request.id, request.start, request.end, request.params)

    async def _request_order_book_snapshot(self, request: RequestOrderBookSnapshot) -> None:
        parser = self._parser(request.instrument_id)
        snapshot = await fetch_snapshot(self._rest, parser.symbol, request.limit or self._settings.depth_limit)
        self._handle_data_response(
            DataType(OrderBookDeltas, metadata={"instrument_id": request.instrument_id}),
            [parser.book(snapshot, self._clock.timestamp_ns())],
            request.id,
            None,
            None,
            request.params,
        )

    async def _request(self, request: RequestData) -> None:
        raise NotImplementedError(f"MEXC has no history of {request.data_type}: record it")

    def _parser(self, instrument_id: InstrumentId) -> ContractParser:
        instrument = self._provider.find(instrument_id)
        if instrument is None:
            raise ValueError(
                f"{instrument_id} is not loaded: name it in the instrument provider's load_ids, or see its exclusions"
            )
        return ContractParser(instrument)
