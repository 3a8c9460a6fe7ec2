"""A plain client of a local MEXC, and one without a feed to test on: the test is the market."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.listing import Listing
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.public_streams import Pace

SYMBOL = "BTC_USDT"
QUICK = Pace(depth=0.02, deals=0.02, full=0.05, ticker=0.05, tickers=0.05, kline=0.05, prices=0.02, funding=0.05)
PATIENCE_S = 5.0


def run[T](test: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(test)


def listing(symbol: str = SYMBOL, number: int = 10, **changes: Any) -> Listing:
    """A contract as BTC_USDT is: 0.0001 coins, ticks of 0.1."""
    base, _, quote = symbol.partition("_")
    return Listing(Contract(symbol, base, quote, Decimal("0.0001"), Decimal("0.1")), number, **changes)


class Client:
    """Signed requests to a local venue, and sockets."""

    def __init__(self, venue: LocalMexc, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.http = session

    async def get(self, path: str, **params: object) -> Any:
        """A public request; the body as it is."""
        async with self.http.get(f"{self.venue.rest_url}/api/v1/contract/{path}", params=_texts(params)) as answer:
            return json.loads(await answer.text(), parse_float=Decimal)

    async def private(self, path: str, **params: object) -> Any:
        """A signed GET."""
        query = urlencode(sorted(_texts(params).items()))
        url = f"{self.venue.rest_url}/api/v1/private/{path}" + (f"?{query}" if query else "")
        async with self.http.get(URL(url, encoded=True), headers=self.headers(query)) as answer:
            return json.loads(await answer.text(), parse_float=Decimal)

    async def post(self, path: str, body: Any) -> Any:
        """A signed POST."""
        text = json.dumps(body)
        url = f"{self.venue.rest_url}/api/v1/private/{path}"
        async with self.http.post(url, data=text, headers=self.headers(text)) as answer:
            return json.loads(await answer.text(), parse_float=Decimal)

    def headers(self, signed: str, *, at_ms: int | None = None, signed_by: str | None = None) -> dict[str, str]:
        stamp = str(at_ms if at_ms is not None else int(time.time() * 1000))
        target = self.venue.api_key + stamp + signed
        digest = hmac.new((signed_by or self.venue.api_secret).encode(), target.encode(), hashlib.sha256).hexdigest()
        return {
            "ApiKey": self.venue.api_key,
            "Request-Time": stamp,
            "Signature": digest,
            "Content-Type": "application/json",
        }

    async def create(self, side: int, vol: int, price: str | None = None, **more: object) -> Any:
        """An order of ten times leverage, isolated; limit where a price is given, else market."""
        fields: dict[str, object] = {"symbol": SYMBOL, "side": side, "vol": vol, "openType": 1, "leverage": 10}
        fields |= {"type": 5} if price is None else {"type": 1, "price": float(price)}
        return await self.post("order/create", fields | more)

    async def order_id(self, side: int, vol: int, price: str | None = None, **more: object) -> str:
        """As `create`, for one that is accepted."""
        answer = await self.create(side, vol, price, **more)
        assert answer["success"], answer
        return str(answer["data"]["orderId"])

    @asynccontextmanager
    async def socket(self, *, login: bool = False) -> AsyncIterator["Socket"]:
        async with self.http.ws_connect(self.venue.ws_url) as connection:
            socket = Socket(connection)
            if login:
                await socket.send(self.login_frame())
                await socket.until("rs.login")
            yield socket

    def login_frame(self, *, signed_by: str | None = None, **more: object) -> dict[str, Any]:
        stamp = str(int(time.time() * 1000))
        target = (self.venue.api_key + stamp).encode()
        signature = hmac.new((signed_by or self.venue.api_secret).encode(), target, hashlib.sha256).hexdigest()
        param = {"apiKey": self.venue.api_key, "reqTime": stamp, "signature": signature}
        return {"method": "login", "param": param} | more


class Socket:
    """A socket whose frames are read one by one."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection
        self.texts: list[str] = []

    async def send(self, frame: dict[str, Any]) -> None:
        await self.connection.send_str(json.dumps(frame))

    async def subscribe(self, channel: str, **param: object) -> None:
        """Subscribe and wait for the acknowledgement."""
        await self.send({"method": f"sub.{channel}", "param": param})
        await self.until(f"rs.sub.{channel}")

    async def next(self) -> dict[str, Any]:
        """The next frame. Raises ConnectionError when the socket is gone."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self.connection.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(str(message.type))
        self.texts.append(message.data)
        frame: dict[str, Any] = json.loads(message.data, parse_float=Decimal)
        return frame

    async def until(self, channel: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next frame of a channel that is wanted; others are passed over."""
        while True:
            frame = await self.next()
            if frame["channel"] == channel and wanted(frame):
                return frame

    async def gather(self) -> list[dict[str, Any]]:
        """All frames that were on their way: those before the answer to a ping."""
        await self.send({"method": "ping"})
        frames: list[dict[str, Any]] = []
        while (frame := await self.next())["channel"] != "pong":
            frames.append(frame)
        self.texts.pop()
        return frames

    async def until_cut(self) -> None:
        """Read until the connection is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self.next()


@asynccontextmanager
async def quiet_venue(**options: Any) -> AsyncIterator[Client]:
    """BTC_USDT and ETH_USDT without a feed: bids of 50 at 99,999.9 down, asks of 50 at 100,000.0 up, ten each."""
    contracts = options.pop("contracts", [listing(), listing("ETH_USDT", 11)])
    async with LocalMexc(contracts=contracts, pace=QUICK, **options) as venue:
        for symbol in venue.exchange.markets:
            rows = [(Side.BUY, Decimal("99999.9") - Decimal("0.1") * n, Decimal(50)) for n in range(10)]
            rows += [(Side.SELL, Decimal("100000.0") + Decimal("0.1") * n, Decimal(50)) for n in range(10)]
            venue.exchange.feed_prices(symbol, fair=Decimal(100_000), index=Decimal(100_001))
            venue.exchange.feed_book(symbol, rows, snapshot=True)
        async with client_of(venue) as client:
            yield client


@asynccontextmanager
async def client_of(venue: LocalMexc) -> AsyncIterator[Client]:
    """A client of a venue that runs already."""
    async with aiohttp.ClientSession() as session:
        yield Client(venue, session)


async def soon(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds; fails by TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await asyncio.sleep(0.01)


def _texts(params: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in params.items() if value is not None}
