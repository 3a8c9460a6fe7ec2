"""A MEXC on this machine: the venue with its servers and its feed, as an async context manager."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import Self

from aiohttp import web

from adapters.loopback.faults import Faults
from adapters.loopback.feed.driver import FeedDriver
from adapters.loopback.feed.events import Feed
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.ledger import Ledger
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.listing import Listing
from adapters.loopback.mexc.public_streams import Pace
from adapters.loopback.mexc.rest_server import RestServer
from adapters.loopback.mexc.signature import ApiKey
from adapters.loopback.mexc.socket_server import PATH, SocketServer
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.wire_log import WireLog

LOCALHOST = "127.0.0.1"
KEY = ApiKey("mx0localkey", "local-secret")
DEPOSIT = Decimal(100_000)
FIRST_CONTRACT_ID = 10
FUNDING_ROWS = 40
"""Settlements of every market from before the start."""
PAST_RATE = Decimal("0.0001")


class LocalMexc:
    """A running MEXC: see :mod:`adapters.loopback` for how to use it.

    `feed` None: nothing happens but what tests do through `exchange`; then `contracts` are listed. `speed` is feed
    seconds a real second. `limit_factor` multiplies the request limits. `port` 0 takes a free one. Raises OSError where
    the port is taken.
    """

    def __init__(
        self,
        feed: Feed | None = None,
        *,
        contracts: Iterable[Listing] = (),
        speed: float = 1.0,
        keys: Iterable[ApiKey] = (KEY,),
        deposits: dict[str, Decimal] | None = None,
        faults: Faults | None = None,
        assumptions: Assumptions | None = None,
        pace: Pace | None = None,
        limit_factor: int = 1,
        host: str = LOCALHOST,
        port: int = 0,
    ) -> None:
        listings = [*contracts, *(_listings(feed) if feed is not None else ())]
        self.venue = Venue(listings, assumptions=assumptions, faults=faults, limit_factor=limit_factor)
        self._host, self._port = host, port
        self._sockets = SocketServer(self.venue, pace if pace is not None else Pace())
        self._rest = RestServer(self.venue)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._feed = feed
        self.driver = FeedDriver(self.venue.exchange, feed, speed) if feed is not None else None
        self.keys = list(keys)
        for key in self.keys:
            self.venue.add_key(key, deposits if deposits is not None else {"USDT": DEPOSIT})

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def ledger(self) -> Ledger:
        return self.venue.exchange.ledger

    @property
    def faults(self) -> Faults:
        return self.venue.faults

    @property
    def wire(self) -> WireLog:
        return self.venue.wire

    @property
    def api_key(self) -> str:
        return self.keys[0].key

    @property
    def api_secret(self) -> str:
        return self.keys[0].secret

    @property
    def account_id(self) -> str:
        """Of the first key."""
        return self.keys[0].account

    @property
    def rest_url(self) -> str:
        """The base of all REST paths, without a slash at its end."""
        return f"http://{self._host}:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self._host}:{self._port}{PATH}"

    @property
    def logins(self) -> int:
        """How many sockets are logged in."""
        return sum(1 for session in self._sockets.sessions.values() if session.account)

    def relist(self, listing: Listing) -> None:
        """Change a contract's metadata, and tell who subscribed them."""
        market = self.venue.exchange.markets[listing.contract.symbol]
        self.venue.listings[market.symbol] = listing
        market.contract = replace(listing.contract, tradable=listing.tradable)
        self._sockets.public.send_contract(market.symbol)

    def disconnect(self) -> None:
        """Cut all sockets."""
        for session in list(self._sockets.sessions.values()):
            session.drop()

    async def __aenter__(self) -> Self:
        app = web.Application()
        self._rest.register(app)
        self._sockets.register(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._open_markets()
        self._tasks.append(asyncio.create_task(self._sockets.run()))
        if self.driver is not None:
            self.driver.prime()
            self._tasks.append(asyncio.create_task(self.driver.run()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.disconnect()
        if self._runner is not None:
            await self._runner.cleanup()

    def _open_markets(self) -> None:
        """Set the times of funding, and say what was before the start."""
        now = self.venue.now_ms()
        for market in self.venue.exchange.markets.values():
            interval = market.funding.interval_ms
            market.funding.next_ms = (now // interval + 1) * interval
            past = range(market.funding.next_ms - FUNDING_ROWS * interval, market.funding.next_ms, interval)
            self.venue.funding.settled[market.symbol] = [(at, PAST_RATE) for at in past]
        if self._feed is not None:
            feed, markets = self._feed, self.venue.exchange.markets
            self.venue.bars.history = lambda name: feed.history(name, now // 1000) if name in markets else []


def _listings(feed: Feed) -> list[Listing]:
    return [Listing(contract, FIRST_CONTRACT_ID + number) for number, contract in enumerate(feed.contracts())]
