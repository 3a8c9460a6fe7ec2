"""The data client in a running node on the local MEXC: what strategies subscribe and ask for is what they get."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

from nautilus_trader.model.data import Bar, BarType, CustomData, DataType, FundingRateUpdate, TradeTick
from nautilus_trader.model.enums import BookType

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.listing import PAUSED
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.public_streams import Pace
from adapters.mexc.symbols import contract_id
from catalog.data_types import OpenInterest
from tests.adapters.mexc.local_node import LocalNode, local_node, until

BTC, ETH = contract_id("BTC_USDT"), contract_id("ETH_USDT")
MINUTE = BarType.from_str(f"{BTC}-1-MINUTE-LAST-EXTERNAL")
OPEN_INTEREST = DataType(OpenInterest, metadata={"instrument_id": BTC.value})
QUICK = Pace(depth=0.02, deals=0.02, full=0.02, ticker=0.05, tickers=0.1, kline=0.05, prices=0.05, funding=0.2)
DATA = {"subscriptions_per_second": 200.0, "ping_interval_seconds": 1.0, "idle_timeout_seconds": 5.0}


def market() -> LocalMexc:
    return LocalMexc(SyntheticFeed(2, seed=5, rate=40.0), pace=QUICK)


def run(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story(), 120))


class Ear:
    """All data that the bus carries, by type."""

    def __init__(self, running: LocalNode) -> None:
        self.heard: defaultdict[str, list[Any]] = defaultdict(list)
        running.node.kernel.msgbus.subscribe("data.*", self._hear)

    def _hear(self, data: Any) -> None:
        inner = data.data if isinstance(data, CustomData) else data
        self.heard[type(inner).__name__].append(inner)

    def count(self, *kinds: str) -> int:
        """Of the kind with the fewest."""
        return min(len(self.heard[kind]) for kind in kinds)


def test_all_subscriptions() -> None:
    """Trades, books, quotes, mark, index, funding, open interest; and after unsubscribing no more."""

    async def story() -> None:
        async with market() as venue, local_node(venue, data=DATA) as it:
            ear, hand = Ear(it), it.hand
            hand.subscribe_trade_ticks(BTC)
            hand.subscribe_order_book_deltas(BTC, BookType.L2_MBP)
            hand.subscribe_quote_ticks(BTC)
            hand.subscribe_mark_prices(BTC)
            hand.subscribe_index_prices(BTC)
            hand.subscribe_funding_rates(BTC)
            hand.subscribe_bars(MINUTE)
            hand.subscribe_data(OPEN_INTEREST, instrument_id=BTC)
            kinds = ("TradeTick", "OrderBookDeltas", "QuoteTick", "MarkPriceUpdate", "IndexPriceUpdate", "OpenInterest")
            await until(lambda: ear.count(*kinds) >= 3 and ear.count("FundingRateUpdate") >= 2)
            assert {item.instrument_id for kind in kinds for item in ear.heard[kind]} == {BTC}
            assert it.cache.mark_price(BTC) is not None
            assert it.failures == []

            hand.unsubscribe_trade_ticks(BTC)
            hand.unsubscribe_order_book_deltas(BTC)
            hand.unsubscribe_mark_prices(BTC)
            hand.unsubscribe_index_prices(BTC)
            hand.unsubscribe_funding_rates(BTC)
            hand.unsubscribe_bars(MINUTE)
            hand.unsubscribe_data(OPEN_INTEREST, instrument_id=BTC)
            await asyncio.sleep(0.5)
            ended = ("TradeTick", "OrderBookDeltas", "MarkPriceUpdate", "IndexPriceUpdate", "OpenInterest")
            before = {kind: len(ear.heard[kind]) for kind in ended}
            quotes = len(ear.heard["QuoteTick"])
            await until(lambda: len(ear.heard["QuoteTick"]) > quotes)
            assert {kind: len(ear.heard[kind]) for kind in ended} == before
            hand.unsubscribe_quote_ticks(BTC)

    run(story)


def test_the_engines_book_is_the_venues() -> None:
    """Also after a lost connection, at which it is emptied first."""

    async def story() -> None:
        async with market() as venue, local_node(venue, data=DATA) as it:
            ear = Ear(it)
            it.hand.subscribe_order_book_deltas(BTC, BookType.L2_MBP)

            def same() -> bool:
                book, theirs = it.cache.order_book(BTC), venue.exchange.markets["BTC_USDT"]
                if book is None or book.best_bid_price() is None:
                    return False
                sides = ((book.bids(), Side.BUY), (book.asks(), Side.SELL))
                return all(
                    [(float(str(level.price)), int(level.size())) for level in ours]
                    == [(float(price), int(vol)) for price, vol, _ in theirs.levels(side, 10_000)]
                    for ours, side in sides
                )

            assert venue.driver is not None
            for _ in range(2):
                count = len(ear.heard["OrderBookDeltas"])
                await until(lambda count=count: len(ear.heard["OrderBookDeltas"]) > count + 10)
                venue.driver.paused = True
                await until(same)
                venue.driver.paused = False
                venue.disconnect()

    run(story)


def test_requests() -> None:
    """Bars, trades and funding of the past, oldest first; the instruments; a book."""

    async def story() -> None:
        async with market() as venue, local_node(venue, data=DATA) as it:
            answers: dict[str, list[Any]] = defaultdict(list)
            hand, now = it.hand, it.hand.clock.utc_now()
            hand.on_historical_data = lambda data: answers[type(data).__name__].append(data)  # type: ignore[method-assign]
            assert venue.exchange.markets["BTC_USDT"].prints is not None
            await until(lambda: len(venue.exchange.markets["BTC_USDT"].prints) > 5)
            hand.request_bars(MINUTE, start=now - timedelta(hours=40))
            hand.request_trade_ticks(BTC, start=now - timedelta(hours=1))
            hand.request_funding_rates(BTC, start=now - timedelta(days=5))
            await until(lambda: all(answers[kind.__name__] for kind in (Bar, TradeTick, FundingRateUpdate)))
            bars = answers["Bar"]
            times = [bar.ts_event for bar in bars]
            assert len(bars) > 2_000  # more than a page
            assert times == sorted(set(times))
            assert max(times) <= it.hand.clock.timestamp_ns()
            trades = [tick.ts_event for tick in answers["TradeTick"]]
            assert trades == sorted(trades)
            assert len({tick.trade_id.value for tick in answers["TradeTick"]}) == len(trades)
            funding = answers["FundingRateUpdate"]
            assert len(funding) == 15
            assert [f.ts_event for f in funding] == sorted(f.ts_event for f in funding)
            assert it.failures == []

    run(story)


def test_a_contract_that_is_paused() -> None:
    """Its instrument says so at once, and a status is sent."""

    async def story() -> None:
        async with market() as venue, local_node(venue, data=DATA) as it:
            ear = Ear(it)
            it.hand.subscribe_instrument_status(ETH)
            await until(lambda: it.cache.instrument(ETH) is not None)
            assert it.cache.instrument(ETH).info["excluded"] is None
            listing = venue.venue.listings["ETH_USDT"]
            venue.relist(replace(listing, state=PAUSED))
            await until(lambda: it.cache.instrument(ETH).info["excluded"] is not None)
            assert it.cache.instrument(ETH).info["excluded"] == "state 4: not enabled"
            await until(lambda: bool(ear.heard["InstrumentStatus"]))
            (status,) = ear.heard["InstrumentStatus"]
            assert (status.instrument_id, status.reason, status.is_trading) == (ETH, "state 4: not enabled", False)

    run(story)


def test_what_there_is_not_is_said_and_harms_nothing() -> None:
    """A foreign instrument, a bar the venue does not make, other custom data: told in the log, and trades flow on."""

    async def story() -> None:
        async with market() as venue, local_node(venue, data=DATA) as it:
            ear, hand = Ear(it), it.hand
            hand.subscribe_trade_ticks(contract_id("NOPE_USDT"))
            hand.subscribe_bars(BarType.from_str(f"{BTC}-3-MINUTE-LAST-EXTERNAL"))
            hand.subscribe_order_book_deltas(BTC, BookType.L3_MBO)
            hand.subscribe_trade_ticks(BTC)
            await until(lambda: ear.count("TradeTick") > 3)
            assert not ear.heard["OrderBookDeltas"]

    run(story)
