"""Everything that the public socket of the contracts brings, as Nautilus data: streams wanted in, data out.

It knows nothing of Nautilus's engine: data, troubles and contract updates go to callbacks. Streams stay wanted over
every reconnect; what a lost connection may have cost is emptied (books), asked for (bars), or simply anew (the rest).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import BarType

from adapters.mexc.bar_feed import BarFeed
from adapters.mexc.books import Books
from adapters.mexc.constants import Channel
from adapters.mexc.errors import MexcError, MexcPayloadError
from adapters.mexc.history import fetch_funding_now
from adapters.mexc.parsing import ContractParser
from adapters.mexc.reference_feed import ReferenceFeed
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.decoding import decode, decode_any
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.public_rest import ContractDetail
from adapters.mexc.schemas.public_socket import Deals, Kline
from adapters.mexc.socket_pool import SocketPool
from adapters.mexc.socket_session import SocketSession
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.streams import Stream, StreamFrames

ALL_CONTRACTS = "*"
"""Stands in for the symbol of ``sub.contract``, which has none."""
CHORE_SECONDS = 0.5


class FeedUser(Protocol):
    """Who uses the feed. Nothing here may raise."""

    def on_market_data(self, data: Data) -> None:
        """Publish it."""

    def on_contract_update(self, detail: ContractDetail) -> None:
        """The venue has changed a contract."""

    def on_contract_gone(self, symbol: str) -> None:
        """The venue does not know the contract any more."""

    def on_feed_trouble(self, text: str) -> None:
        """Tell a person."""


@dataclass(frozen=True)
class FeedSettings:
    """See ``MexcDataClientConfig`` for what each means."""

    socket: SocketSettings
    max_symbols_per_socket: int
    merged_depth: bool
    merged_trades: bool
    depth_limit: int
    quiet_book_seconds: float
    bar_grace_seconds: float
    confirm_bars: bool


class MarketFeed:
    """Use from one event loop. `start` before the first stream is wanted, `stop` at the end."""

    def __init__(self, rest: RestClient, settings: FeedSettings, user: FeedUser, now_ns: Callable[[], int]) -> None:
        self._rest = rest
        self._settings = settings
        self._user = user
        self._now_ns = now_ns
        self._frames = StreamFrames(merged_depth=settings.merged_depth, merged_trades=settings.merged_trades)
        self._pool = SocketPool(settings.max_symbols_per_socket, self._make_session)
        self._parsers: dict[str, ContractParser] = {}
        self._books = Books(
            rest, self, now_ns, depth_limit=settings.depth_limit, quiet_seconds=settings.quiet_book_seconds
        )
        self._bars = BarFeed(
            rest,
            self.publish,
            user.on_feed_trouble,
            now_ns,
            grace_seconds=settings.bar_grace_seconds,
            confirm=settings.confirm_bars,
        )
        self._references = ReferenceFeed()
        self._chores: asyncio.Task[None] | None = None
        self._stopping = False
        self._readers: dict[str, Callable[[Frame, int], None]] = {
            Channel.DEPTH: self._books.on_frame,
            Channel.DEAL: self._on_deal,
            Channel.KLINE: self._on_kline,
            Channel.CONTRACT: self._on_contract,
            Channel.ERROR: self._on_error,
            Channel.TICKER: self._on_reference,
            Channel.FAIR_PRICE: self._on_reference,
            Channel.INDEX_PRICE: self._on_reference,
            Channel.FUNDING_RATE: self._on_reference,
        }
        self.unknown_channels: dict[str, int] = {}
        """Channels that nothing here reads, and how many frames came on them (acks and pongs among them)."""

    def start(self) -> None:
        """Begin: the contract updates are subscribed, the rest as it is wanted."""
        self._stopping = False
        self._pool.subscribe(ALL_CONTRACTS, Stream.CONTRACT, self._frames.subscribe(Stream.CONTRACT, ALL_CONTRACTS))
        self._chores = asyncio.create_task(self._do_chores(), name="mexc-feed-chores")

    async def stop(self) -> None:
        """End all streams and close the sockets."""
        self._stopping = True
        if self._chores is not None:
            self._chores.cancel()
        self._books.stop()
        self._bars.stop()
        await self._pool.stop()

    @property
    def sessions(self) -> tuple[SocketSession, ...]:
        """The open sockets, for metrics."""
        return self._pool.sessions

    def define(self, parser: ContractParser) -> None:
        """Know a contract, or its new definition; a book whose tick or step has changed starts anew."""
        self._parsers[parser.symbol] = parser
        self._bars.define(parser)
        self._books.define(parser)

    def knows(self, symbol: str) -> bool:
        """Whether the contract was defined."""
        return symbol in self._parsers

    def want(self, symbol: str, stream: Stream) -> None:
        """Start a stream of trades, prices or the ticker."""
        self._pool.subscribe(symbol, stream, self._frames.subscribe(stream, symbol))

    async def unwant(self, symbol: str, stream: Stream) -> None:
        """End it."""
        await self._pool.unsubscribe(symbol, stream, self._frames.unsubscribe(stream, symbol))

    async def want_funding(self, symbol: str) -> None:
        """Start the stream of funding rates, with the present one from REST, which alone knows the interval."""
        self.want(symbol, Stream.FUNDING_RATE)
        parser = self._parsers[symbol]
        try:
            now = await fetch_funding_now(self._rest, parser)
            self._references.set_cycle(symbol, now.collect_cycle)
            self.publish([parser.funding_now(now, self._now_ns())])
        except MexcError as error:
            self._user.on_feed_trouble(f"{symbol}: interval of funding not known: {error}")

    def want_book(self, symbol: str, *, deltas: bool, quotes: bool) -> None:
        """Keep a book, and publish these of it. Repeat it to change what is published."""
        if self._books.want(self._parsers[symbol], deltas=deltas, quotes=quotes):
            self.resubscribe_book(symbol)

    async def unwant_book(self, symbol: str) -> None:
        """Keep it no more."""
        if self._books.unwant(symbol):
            await self.unwant(symbol, Stream.BOOK)

    def resubscribe_book(self, symbol: str) -> None:
        """Ask for the stream of a book, again if need be."""
        self.want(symbol, Stream.BOOK)

    def want_bars(self, symbol: str, bar_type: BarType) -> None:
        """Publish the closed bars of this type."""
        interval = self._bars.add(bar_type, self._parsers[symbol])
        frame = self._frames.subscribe(Stream.KLINE, symbol, interval)
        self._pool.subscribe(symbol, f"{Stream.KLINE}.{interval}", frame)

    async def unwant_bars(self, symbol: str, bar_type: BarType) -> None:
        """Publish them no more."""
        interval = self._bars.remove(bar_type)
        if interval is not None:
            frame = self._frames.unsubscribe(Stream.KLINE, symbol, interval)
            await self._pool.unsubscribe(symbol, f"{Stream.KLINE}.{interval}", frame)

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        """Read a frame of any shard. What cannot be read is told, and costs its own market only."""
        channel, symbol = "frame", None
        try:
            head = decode(frame, Frame, channel)
            channel, symbol = head.channel, head.symbol
            reader = self._readers.get(channel)
            if reader is not None:
                reader(head, received_ns)
            else:
                self.unknown_channels[channel] = self.unknown_channels.get(channel, 0) + 1
        except MexcPayloadError as error:
            self._user.on_feed_trouble(f"{symbol or 'a frame'}: {error}")
            if channel == Channel.DEPTH and symbol is not None:
                self._books.restart(symbol)

    def on_disconnected(self, symbols: frozenset[str], reason: str) -> None:
        """A shard has lost its connection."""
        if self._stopping:
            return
        self._user.on_feed_trouble(f"socket with {len(symbols)} contracts lost: {reason}")
        self._books.on_disconnected(symbols)
        self._bars.on_disconnected(symbols)

    def on_connected(self, symbols: frozenset[str]) -> None:
        """A shard is connected (again); its subscriptions follow."""
        self._books.on_connected(symbols)

    def on_trouble(self, text: str) -> None:
        """A socket or a book has something to say."""
        self._user.on_feed_trouble(text)

    def on_contract_gone(self, symbol: str) -> None:
        """The venue has no book for this contract."""
        self._user.on_contract_gone(symbol)

    def _on_deal(self, frame: Frame, received_ns: int) -> None:
        parser = self._parsers.get(frame.symbol or "")
        if parser is not None:
            for tick in parser.trades(decode_any(frame.data, Deals, Channel.DEAL), received_ns):
                self._user.on_market_data(tick)

    def _on_kline(self, frame: Frame, _: int) -> None:
        self._bars.on_push(frame.symbol or "", decode(frame.data, Kline, Channel.KLINE))

    def _on_reference(self, frame: Frame, received_ns: int) -> None:
        parser = self._parsers.get(frame.symbol or "")
        if parser is not None:
            self.publish(self._references.read(frame, parser, received_ns))

    def _on_contract(self, frame: Frame, _: int) -> None:
        self._user.on_contract_update(decode(frame.data, ContractDetail, Channel.CONTRACT))

    def _on_error(self, frame: Frame, _: int) -> None:
        self._user.on_feed_trouble(f"the venue refuses a subscription: {bytes(frame.data).decode(errors='replace')}")

    def publish(self, data: list[Data]) -> None:
        """Hand these on, in this order."""
        for item in data:
            self._user.on_market_data(item)

    def _make_session(self, shard: int) -> SocketSession:
        return SocketSession(
            f"public-{shard}", self._settings.socket, _Shard(self, self._pool, shard), now_ns=self._now_ns
        )

    async def _do_chores(self) -> None:
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            self._bars.on_time(self._rest.venue_ms() / 1000)
            self._books.check_quiet()


class _Shard:
    """One socket's listener: tells the feed which contracts are concerned."""

    def __init__(self, feed: MarketFeed, pool: SocketPool, shard: int) -> None:
        self._feed = feed
        self._pool = pool
        self._shard = shard
        self.on_frame = feed.on_frame

    def on_connected(self) -> None:
        self._feed.on_connected(self._pool.symbols(self._shard))

    def on_disconnected(self, reason: str) -> None:
        self._feed.on_disconnected(self._pool.symbols(self._shard), reason)

    def on_trouble(self, text: str) -> None:
        self._feed.on_trouble(text)
