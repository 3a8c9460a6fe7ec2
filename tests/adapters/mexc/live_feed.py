"""A market feed against the local MEXC, with books rebuilt from what it publishes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import CustomData, OrderBookDeltas
from nautilus_trader.model.enums import BookType

from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from adapters.mexc import endpoints
from adapters.mexc.contracts import SCHEDULE_FEES, contract_instrument
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.listing import split_rows
from adapters.mexc.market_feed import FeedSettings, MarketFeed
from adapters.mexc.parsing import ContractParser
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.public_rest import ContractDetail
from adapters.mexc.socket_settings import SocketSettings

BTC = "BTC_USDT"


@dataclass
class Watcher:
    """Takes what the feed publishes, and rebuilds the books."""

    data: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    troubles: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    contracts: list[ContractDetail] = field(default_factory=list)
    books: dict[str, OrderBook] = field(default_factory=dict)

    def on_market_data(self, data: Data) -> None:
        inner = data.data if isinstance(data, CustomData) else data
        self.data[type(inner).__name__].append(inner)
        if isinstance(inner, OrderBookDeltas):
            name = inner.instrument_id.value
            book = self.books.setdefault(name, OrderBook(inner.instrument_id, BookType.L2_MBP))
            book.apply_deltas(inner)

    def on_contract_update(self, detail: ContractDetail) -> None:
        self.contracts.append(detail)

    def on_contract_gone(self, symbol: str) -> None:
        self.gone.append(symbol)

    def on_feed_trouble(self, text: str) -> None:
        self.troubles.append(text)

    def rows(self, parser: ContractParser) -> tuple[dict[str, str], dict[str, str]]:
        """The rebuilt book: price to contracts, bids and asks."""
        book = self.books[parser.instrument_id.value]
        return tuple({str(level.price): f"{level.size():.0f}" for level in side} for side in (book.bids(), book.asks()))  # type: ignore[return-value]


@dataclass
class Live:
    """What a test has in its hands."""

    venue: LocalMexc
    rest: RestClient
    feed: MarketFeed
    watcher: Watcher
    parsers: dict[str, ContractParser]

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for a condition; TimeoutError when it does not come."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def venue_rows(self, symbol: str) -> tuple[dict[str, str], dict[str, str]]:
        """The venue's own book."""
        market = self.venue.exchange.markets[symbol]
        places = self.parsers[symbol].price.precision
        return tuple(  # type: ignore[return-value]
            {f"{price:.{places}f}": f"{vol:.0f}" for price, vol, _ in market.levels(side, 10_000)}
            for side in (Side.BUY, Side.SELL)
        )

    def same_books(self) -> bool:
        """Every rebuilt book is the venue's, level by level."""
        return all(
            parser.instrument_id.value in self.watcher.books and self.watcher.rows(parser) == self.venue_rows(symbol)
            for symbol, parser in self.parsers.items()
        )


@asynccontextmanager
async def live(venue: LocalMexc, **settings: Any) -> AsyncIterator[Live]:
    """A running feed that knows all contracts of a running venue."""
    async with venue:
        rest = RestClient(HttpTransport(venue.rest_url, timeout_seconds=3.0))
        await rest.start()
        watcher = Watcher()
        socket = {"ping_interval_seconds": 1.0, "idle_timeout_seconds": 5.0, "frames_per_second": 200.0}
        defaults = {
            "socket": SocketSettings(venue.ws_url, **socket),
            "max_symbols_per_socket": 100,
            "merged_depth": True,
            "merged_trades": True,
            "depth_limit": 1000,
            "quiet_book_seconds": 60.0,
            "bar_grace_seconds": 0.5,
            "confirm_bars": True,
        }
        feed = MarketFeed(rest, FeedSettings(**(defaults | settings)), watcher, time.time_ns)
        parsers = {}
        for row in split_rows(bytes(await rest.get(endpoints.CONTRACT_DETAIL, msgspec.Raw) or b"[]")):
            detail = decode(row, ContractDetail, "detail")
            parsers[detail.symbol] = ContractParser(contract_instrument(detail, SCHEDULE_FEES, time.time_ns()))
            feed.define(parsers[detail.symbol])
        feed.start()
        try:
            yield Live(venue, rest, feed, watcher, parsers)
        finally:
            await feed.stop()
            await rest.stop()
