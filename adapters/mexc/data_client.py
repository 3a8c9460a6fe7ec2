"""MEXC's contracts for Nautilus: this shell translates subscriptions and requests, and holds no rule of its own."""

import asyncio

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.data import Data
from nautilus_trader.data.messages import (
    SubscribeBars,
    SubscribeData,
    SubscribeFundingRates,
    SubscribeIndexPrices,
    SubscribeInstrument,
    SubscribeInstruments,
    SubscribeInstrumentStatus,
    SubscribeMarkPrices,
    SubscribeOrderBook,
    SubscribeQuoteTicks,
    SubscribeTradeTicks,
    UnsubscribeBars,
    UnsubscribeData,
    UnsubscribeFundingRates,
    UnsubscribeIndexPrices,
    UnsubscribeInstrument,
    UnsubscribeInstruments,
    UnsubscribeInstrumentStatus,
    UnsubscribeMarkPrices,
    UnsubscribeOrderBook,
    UnsubscribeQuoteTicks,
    UnsubscribeTradeTicks,
)
from nautilus_trader.model.data import DataType, InstrumentStatus
from nautilus_trader.model.enums import BookType, MarketStatusAction
from nautilus_trader.model.identifiers import ClientId, InstrumentId

from adapters.mexc.config import MexcDataClientConfig
from adapters.mexc.errors import MexcError
from adapters.mexc.history_client import MexcHistoryClient
from adapters.mexc.listing import ListingChange
from adapters.mexc.market_feed import FeedSettings, MarketFeed
from adapters.mexc.parsing import ContractParser
from adapters.mexc.patience import until_answered
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_rest import ContractDetail
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.streams import Stream
from catalog.data_types import OpenInterest

CONNECT_SECONDS = 30.0


class MexcDataClient(MexcHistoryClient):
    """See ``docs/mexc.md`` for what is there, and how it maps."""

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
        super().__init__(loop, client_id, msgbus, cache, clock, provider, rest, config)
        self.feed = MarketFeed(rest, _feed_settings(config), self, clock.timestamp_ns)
        self._books: set[InstrumentId] = set()
        self._quotes: set[InstrumentId] = set()
        self._refresher: asyncio.Task[None] | None = None

    async def _connect(self) -> None:
        await self._rest.start()
        await until_answered(self._set_up, self._log.warning)
        for instrument in self._provider.get_all().values():
            self._introduce(instrument)
        self.feed.start()
        if not await self.feed.sessions[0].wait_connected(CONNECT_SECONDS):
            raise ConnectionError(f"no socket to {self._settings.base_url_ws} within {CONNECT_SECONDS:.0f} s")
        if self._settings.update_instruments_interval_mins is not None:
            self._refresher = self.create_task(self._refresh(self._settings.update_instruments_interval_mins * 60))

    async def _set_up(self) -> None:
        await self._rest.sync_clock()
        await self._provider.initialize()

    async def _disconnect(self) -> None:
        if self._refresher is not None:
            self._refresher.cancel()
        await self.feed.stop()
        await self._rest.stop()

    # what the feed tells

    def on_market_data(self, data: Data) -> None:
        """Hand data on to the engine."""
        self._handle_data(data)

    def on_contract_update(self, detail: ContractDetail) -> None:
        """The venue has pushed a contract's definition."""
        try:
            self._announce(self._provider.on_contract_push(detail))
        except MexcError as error:
            self._log.error(f"contract update of {detail.symbol}: {error}")

    def on_contract_gone(self, symbol: str) -> None:
        """The venue has no such contract any more."""
        self._announce(self._provider.on_contract_gone(symbol, "the venue does not know it any more"))

    def on_feed_trouble(self, text: str) -> None:
        """Something is wrong, and is being mended."""
        self._log.warning(text)

    def _announce(self, change: ListingChange) -> None:
        for instrument in [*change.added, *change.changed]:
            self._introduce(instrument)
        now_ns = self._clock.timestamp_ns()
        for symbol, reason in change.gone.items():
            instrument = self._provider.find_symbol(symbol)
            if instrument is not None:
                action = MarketStatusAction.NOT_AVAILABLE_FOR_TRADING
                self._handle_data(
                    InstrumentStatus(instrument.id, action, now_ns, now_ns, reason=reason, is_trading=False)
                )

    def _introduce(self, instrument: Data) -> None:
        self.feed.define(ContractParser(instrument))
        self._handle_data(instrument)

    async def _refresh(self, interval_seconds: float) -> None:
        while True:
            await asyncio.sleep(interval_seconds)
            try:
                self._announce(await self._provider.refresh())
            except MexcError as error:
                self._log.error(f"contracts not refreshed: {error}")

    # subscriptions

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        pass  # pushed and refreshed anyway

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        pass  # pushed and refreshed anyway

    async def _subscribe_instrument_status(self, command: SubscribeInstrumentStatus) -> None:
        pass  # sent for every instrument whose trading ends

    async def _subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        if command.book_type != BookType.L2_MBP:
            self._log.error(f"{command.instrument_id}: MEXC has L2_MBP books only: not subscribed")
            return
        self._books.add(command.instrument_id)
        self._set_book(command.instrument_id)

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        self._quotes.add(command.instrument_id)
        self._set_book(command.instrument_id)

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        self._want(command.instrument_id, Stream.TRADES)

    async def _subscribe_mark_prices(self, command: SubscribeMarkPrices) -> None:
        self._want(command.instrument_id, Stream.MARK_PRICE)

    async def _subscribe_index_prices(self, command: SubscribeIndexPrices) -> None:
        self._want(command.instrument_id, Stream.INDEX_PRICE)

    async def _subscribe_funding_rates(self, command: SubscribeFundingRates) -> None:
        await self.feed.want_funding(self._symbol(command.instrument_id))

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        self.feed.want_bars(self._symbol(command.bar_type.instrument_id), command.bar_type)

    async def _subscribe(self, command: SubscribeData) -> None:
        self._want(_open_interest_of(command.data_type, command.instrument_id), Stream.TICKER)

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        pass

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        pass

    async def _unsubscribe_instrument_status(self, command: UnsubscribeInstrumentStatus) -> None:
        pass

    async def _unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        self._books.discard(command.instrument_id)
        await self._leave_book(command.instrument_id)

    async def _unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        self._quotes.discard(command.instrument_id)
        await self._leave_book(command.instrument_id)

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        await self._unwant(command.instrument_id, Stream.TRADES)

    async def _unsubscribe_mark_prices(self, command: UnsubscribeMarkPrices) -> None:
        await self._unwant(command.instrument_id, Stream.MARK_PRICE)

    async def _unsubscribe_index_prices(self, command: UnsubscribeIndexPrices) -> None:
        await self._unwant(command.instrument_id, Stream.INDEX_PRICE)

    async def _unsubscribe_funding_rates(self, command: UnsubscribeFundingRates) -> None:
        await self._unwant(command.instrument_id, Stream.FUNDING_RATE)

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        await self.feed.unwant_bars(self._symbol(command.bar_type.instrument_id), command.bar_type)

    async def _unsubscribe(self, command: UnsubscribeData) -> None:
        await self._unwant(_open_interest_of(command.data_type, command.instrument_id), Stream.TICKER)

    def _want(self, instrument_id: InstrumentId, stream: Stream) -> None:
        self.feed.want(self._symbol(instrument_id), stream)

    async def _unwant(self, instrument_id: InstrumentId, stream: Stream) -> None:
        await self.feed.unwant(self._symbol(instrument_id), stream)

    def _set_book(self, instrument_id: InstrumentId) -> None:
        self.feed.want_book(
            self._symbol(instrument_id), deltas=instrument_id in self._books, quotes=instrument_id in self._quotes
        )

    async def _leave_book(self, instrument_id: InstrumentId) -> None:
        if instrument_id in self._books or instrument_id in self._quotes:
            self._set_book(instrument_id)
        else:
            await self.feed.unwant_book(self._symbol(instrument_id))

    def _symbol(self, instrument_id: InstrumentId) -> str:
        """The venue's symbol, known to the feed."""
        parser = self._parser(instrument_id)
        if not self.feed.knows(parser.symbol):
            self.feed.define(parser)
        return parser.symbol


def _open_interest_of(data_type: DataType, instrument_id: InstrumentId | None) -> InstrumentId:
    if data_type.type is not OpenInterest:
        raise ValueError(f"MEXC has no {data_type}: custom data of this client are OpenInterest")
    if instrument_id is not None:
        return instrument_id
    named = (data_type.metadata or {}).get("instrument_id")
    if named is None:
        raise ValueError("open interest of which instrument? give metadata {'instrument_id': ...}")
    return named if isinstance(named, InstrumentId) else InstrumentId.from_str(named)


def _feed_settings(config: MexcDataClientConfig) -> FeedSettings:
    return FeedSettings(
        socket=SocketSettings(
            url=config.base_url_ws,
            ping_interval_seconds=config.ping_interval_seconds,
            idle_timeout_seconds=config.idle_timeout_seconds,
            frames_per_second=config.subscriptions_per_second,
            proxy_url=config.proxy_url,
        ),
        max_symbols_per_socket=config.max_symbols_per_socket,
        merged_depth=config.merged_depth,
        merged_trades=config.merged_trades,
        depth_limit=config.depth_limit,
        quiet_book_seconds=config.quiet_book_seconds,
        bar_grace_seconds=config.bar_grace_seconds,
        confirm_bars=config.confirm_bars,
    )
