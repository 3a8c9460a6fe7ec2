"""ccxt's socket client follows the local MEXC, public and private."""

import asyncio
from decimal import Decimal

import pytest

pytest.importorskip("ccxt.pro", reason="ccxt is not installed")

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.loopback.mexc.ccxt_client import BTC, ccxt_client
from tests.adapters.loopback.mexc.client import QUICK, SYMBOL, quiet_venue, run, soon


def test_it_follows_trades_tickers_funding_and_a_book_that_stays_the_venues() -> None:
    """The book is rebuilt from the client's own snapshot and our merged deltas; then the market stands still."""

    async def test() -> None:
        feed = SyntheticFeed(2, seed=4, rate=200.0)
        async with LocalMexc(feed, pace=QUICK) as venue, ccxt_client(venue, sockets=True) as client:
            trades = await client.watch_trades(BTC)
            assert trades[-1]["symbol"] == BTC
            assert (await client.watch_ticker(BTC))["bid"] > 0
            assert (await client.watch_funding_rate(BTC))["symbol"] == BTC
            async with asyncio.timeout(20):
                book = await client.watch_order_book(BTC)
                for _ in range(50):
                    book = await client.watch_order_book(BTC)
                assert venue.driver is not None
                venue.driver.paused = True
                market = venue.exchange.markets[SYMBOL]
                while book["nonce"] < market.version:
                    book = await client.watch_order_book(BTC)
            for side, name in ((Side.BUY, "bids"), (Side.SELL, "asks")):
                ours = [(float(price), float(vol)) for price, vol, _ in market.levels(side)]
                assert [(row[0], row[1]) for row in book[name]] == ours

    run(test())


def test_it_logs_in_and_hears_of_its_fills_and_balance() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue, sockets=True) as client:
            fills = asyncio.create_task(client.watch_my_trades(BTC))
            balance = asyncio.create_task(client.watch_balance())
            await soon(lambda: ours.venue.logins == 1)
            await ours.order_id(1, 10)
            async with asyncio.timeout(10):
                (fill,) = await fills
                assert (fill["amount"], fill["price"], fill["takerOrMaker"]) == (10.0, 100_000.0, "taker")
                assert (await balance)["USDT"]["free"] == float(100_000 - Decimal("0.08") - 10)

    run(test())
