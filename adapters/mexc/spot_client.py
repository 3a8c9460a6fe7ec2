"""MEXC's spot market for Nautilus: instruments and trades, nothing else."""

import asyncio
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.data.messages import (
    RequestInstrument,
    RequestInstruments,
    SubscribeInstrument,
    SubscribeInstruments,
    SubscribeTradeTicks,
    UnsubscribeInstrument,
    UnsubscribeInstruments,
    UnsubscribeTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.identifiers import ClientId

from adapters.mexc.config import MexcSpotDataClientConfig
from adapters.mexc.envelope import judge
from adapters.mexc.errors import MexcPayloadError, MexcUnavailableError
from adapters.mexc.http_transport import HttpTransport, NoConnectionError, NoReplyError
from adapters.mexc.patience import until_answered
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.spot import ExchangeInfo
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.spot import PING_FRAME, SpotFeed, SpotParser
from adapters.mexc.spot_instruments import CHANNEL, ENABLED, spot_instrument
from adapters.mexc.symbols import MEXC_SPOT_VENUE

EXCHANGE_INFO_PATH = "/api/v3/exchangeInfo"


class MexcSpotInstrumentProvider(InstrumentProvider):
    """Spot markets that are enabled. ``load_ids`` keeps those that are named."""

    def __init__(self, transport: HttpTransport, config: InstrumentProviderConfig, clock: LiveClock) -> None:
        super().__init__(config=config)
        self._transport = transport
        self._clock = clock

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """Ask for all. Raises a MexcError when the venue does not answer, or not with a list."""
        try:
            reply = await self._transport.send("GET", EXCHANGE_INFO_PATH)
        except (NoConnectionError, NoReplyError) as error:
            raise MexcUnavailableError(f"{CHANNEL}: {error}") from error
        if reply.status != 200:
            answer = judge(CHANNEL, reply.status, reply.body)
            raise answer.error or MexcUnavailableError(f"{CHANNEL}: HTTP {reply.status}")
        for row in decode(reply.body, ExchangeInfo, CHANNEL).symbols:
            if row.status != ENABLED:
                continue
            try:
                self.add(spot_instrument(row, self._clock.timestamp_ns()))
            except MexcPayloadError as error:
                self._log.warning(f"{row.symbol} is not loaded: {error}")


class MexcSpotDataClient(LiveMarketDataClient):
    """Trades of spot markets on the venue ``MEXC_SPOT``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client_id: ClientId,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        config: MexcSpotDataClientConfig,
    ) -> None:
        self._transport = HttpTransport(
            config.base_url_http, proxy_url=config.proxy_url, timeout_seconds=config.request_timeout_seconds
        )
        self._provider = MexcSpotInstrumentProvider(self._transport, config.instrument_provider, clock)
        super().__init__(
            loop=loop,
            client_id=client_id,
            venue=MEXC_SPOT_VENUE,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=self._provider,
            config=config,
        )
        self.feed = SpotFeed(
            _socket_settings(config),
            config.max_symbols_per_socket,
            config.update_interval_ms,
            self,
            clock.timestamp_ns,
        )

    async def _connect(self) -> None:
        self._transport.open()
        await until_answered(self._provider.initialize, self._log.warning)
        for instrument in self._provider.get_all().values():
            self._handle_data(instrument)

    async def _disconnect(self) -> None:
        await self.feed.stop()
        await self._transport.close()

    def on_spot_trade(self, tick: TradeTick) -> None:
        """Hand a trade on to the engine."""
        self._handle_data(tick)

    def on_feed_trouble(self, text: str) -> None:
        """Something is wrong, and is being mended."""
        self._log.warning(text)

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        instrument = self._provider.find(command.instrument_id)
        if instrument is None:
            raise ValueError(f"{command.instrument_id} is not loaded: name it in the instrument provider's load_ids")
        parser = SpotParser(instrument)
        self.feed.define(parser)
        self.feed.want(parser.symbol)

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        await self.feed.unwant(command.instrument_id.symbol.value)

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        pass  # sent at the start; spot markets are read, not traded

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        pass  # as above

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        pass

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        pass

    async def _request_instrument(self, request: RequestInstrument) -> None:
        instrument = self._provider.find(request.instrument_id)
        if instrument is None:
            raise ValueError(f"{request.instrument_id} is not loaded: name it in the instrument provider's load_ids")
        self._handle_instrument(instrument, request.id, request.start, request.end, request.params)

    async def _request_instruments(self, request: RequestInstruments) -> None:
        instruments = list(self._provider.get_all().values())
        self._handle_instruments(MEXC_SPOT_VENUE, instruments, request.id, request.start, request.end, request.params)


def _socket_settings(config: MexcSpotDataClientConfig) -> SocketSettings:
    return SocketSettings(
        url=config.base_url_ws,
        ping_frame=PING_FRAME,
        ping_interval_seconds=config.ping_interval_seconds,
        idle_timeout_seconds=config.idle_timeout_seconds,
        frames_per_second=config.subscriptions_per_second,
        gunzip_binary=False,
        max_age_seconds=config.max_socket_hours * 3600,
        proxy_url=config.proxy_url,
    )
