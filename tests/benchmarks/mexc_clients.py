"""Two clients that read the same frames: the adapter as it runs, and ccxt's own. Each is given frames and counts."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from nautilus_trader.core.data import Data

from adapters.loopback.mexc.listing import Listing, detail
from adapters.loopback.mexc.wire import encode, success
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.market_feed import FeedSettings, MarketFeed
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_rest import ContractDetail
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.streams import Stream
from tests.adapters.mexc.local_venue import serving
from tests.adapters.mexc.small_contracts import parser
from tests.benchmarks.mexc_tapes import Tape


@dataclass
class Count:
    """Takes what the feed publishes, as the data client does, and counts it by type."""

    of: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def on_market_data(self, data: Data) -> None:
        self.of[type(data).__name__] += 1

    def on_contract_update(self, detail: ContractDetail) -> None:
        raise AssertionError(f"nobody changes {detail.symbol}")

    def on_contract_gone(self, symbol: str) -> None:
        raise AssertionError(f"{symbol} is not gone")

    def on_feed_trouble(self, text: str) -> None:
        self.troubles.append(text)


class Ours:
    """``MarketFeed``, whose `on_frame` is what the socket session calls with the bytes of a frame."""

    def __init__(self, feed: MarketFeed, count: Count) -> None:
        self._feed = feed
        self.count = count

    def read(self, frames: list[bytes]) -> float:
        """Seconds of CPU for all of them."""
        on_frame, now = self._feed.on_frame, time.time_ns
        begin = time.process_time()
        for frame in frames:
            on_frame(frame, now())
        return time.process_time() - begin


@asynccontextmanager
async def our_client(tape: Tape, *, quotes: bool = False) -> AsyncIterator[Ours]:
    """The feed, subscribed to trades and the book of the tape's contract, its snapshot joined."""
    contract, count = tape.contract, Count()

    async def venue(request: web.Request) -> web.StreamResponse:
        if request.path != "/edge":
            return web.Response(text=encode(success(tape.book)))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
        return socket

    async with serving(venue) as address:
        rest = RestClient(HttpTransport(f"http://{address}"))
        await rest.start()
        settings = FeedSettings(
            socket=SocketSettings(f"ws://{address}/edge"), max_symbols_per_socket=100, merged_depth=True,
            merged_trades=True, depth_limit=1000, quiet_book_seconds=1e9, bar_grace_seconds=1e9, confirm_bars=False,
        )  # fmt: skip
        feed = MarketFeed(rest, settings, count, time.time_ns)
        feed.define(parser(contract.symbol, price_unit=contract.tick, contract_size=contract.size))
        feed.start()
        assert await feed.sessions[0].wait_connected(10.0)
        feed.want(contract.symbol, Stream.TRADES)
        feed.want_book(contract.symbol, deltas=True, quotes=quotes)
        async with asyncio.timeout(10.0):
            while not count.of["OrderBookDeltas"] + count.of["QuoteTick"]:
                await asyncio.sleep(0.01)
        count.of.clear()
        try:
            yield Ours(feed, count)
        finally:
            await feed.stop()
            await rest.stop()


class Theirs:
    """``ccxt.pro.mexc``: its socket client decodes (with orjson, where that is installed) and calls its handlers."""

    def __init__(self, exchange: Any, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._client = exchange.client("ws://127.0.0.1:9/edge")

    def read(self, frames: list[bytes]) -> float:
        """Seconds of CPU for all of them; a frame is text for ccxt, which its socket makes of the bytes."""
        handle = self._client.handle_text_or_binary_message
        begin = time.process_time()
        for frame in frames:
            handle(frame.decode())
        return time.process_time() - begin

    @property
    def version(self) -> int:
        return int(self._exchange.orderbooks[self._symbol]["nonce"])

    @property
    def trades(self) -> list[dict[str, Any]]:
        """The last thousand."""
        return list(self._exchange.trades[self._symbol])


@asynccontextmanager
async def ccxt_client(tape: Tape) -> AsyncIterator[Theirs]:
    """ccxt with the tape's contract and book."""
    import ccxt.pro

    exchange = ccxt.pro.mexc({"options": {"defaultType": "swap"}})
    contracts = json.loads(encode(success([detail(Listing(tape.contract, 10))])))

    async def contract_detail(parameters: object = None) -> Any:
        return contracts

    exchange.contractPublicGetDetail = contract_detail
    exchange.set_markets(await exchange.fetch_swap_markets())
    symbol = exchange.safe_symbol(tape.contract.symbol)
    book = exchange.parse_order_book(json.loads(encode(tape.book)), symbol, None, "bids", "asks", 0, 1)
    book["nonce"] = tape.book["version"]
    exchange.orderbooks[symbol] = exchange.order_book()
    exchange.orderbooks[symbol].reset(book)
    try:
        yield Theirs(exchange, symbol)
    finally:
        await exchange.close()
