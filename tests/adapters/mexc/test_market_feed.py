"""The market feed against the local MEXC: every stream, and books that are the venue's under all its faults."""

import asyncio
from decimal import Decimal

import pytest
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BookAction

from adapters.loopback.faults import Fault
from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.public_streams import Pace
from adapters.mexc.streams import Stream
from tests.adapters.mexc.live_feed import BTC, live
from tests.adapters.mexc.local_venue import run

QUICK = Pace(depth=0.02, deals=0.02, full=0.02, ticker=0.05, tickers=0.1, kline=0.05, prices=0.05, funding=0.2)


def market(symbols: int = 2, *, rate: float = 40.0, seed: int = 3, speed: float = 1.0) -> LocalMexc:
    return LocalMexc(SyntheticFeed(symbols, seed=seed, rate=rate), pace=QUICK, speed=speed)


def test_every_stream_brings_its_data() -> None:
    """Trades, books, quotes, mark, index, funding with its interval, open interest."""

    async def story() -> None:
        async with live(market()) as it:
            for symbol in it.parsers:
                for stream in (Stream.TRADES, Stream.MARK_PRICE, Stream.INDEX_PRICE, Stream.TICKER):
                    it.feed.want(symbol, stream)
                it.feed.want_book(symbol, deltas=True, quotes=True)
                await it.feed.want_funding(symbol)
            data = it.watcher.data
            kinds = ("TradeTick", "OrderBookDeltas", "QuoteTick", "MarkPriceUpdate", "IndexPriceUpdate", "OpenInterest")
            await it.until(
                lambda: (
                    all(
                        {item.instrument_id for item in data[kind]} == {p.instrument_id for p in it.parsers.values()}
                        for kind in kinds
                    )
                    and len(data["FundingRateUpdate"]) >= 4
                )
            )
            assert {update.interval for update in data["FundingRateUpdate"]} == {480}
            assert all(quote.bid_price < quote.ask_price for quote in data["QuoteTick"])
            prints = {(str(p.price), int(p.vol), p.ts_ms) for p in it.venue.exchange.markets[BTC].prints}
            ours = [t for t in data["TradeTick"] if t.instrument_id == it.parsers[BTC].instrument_id]
            assert {(str(t.price), int(t.size), t.ts_event // 1_000_000) for t in ours} <= {
                (f"{Decimal(price):.1f}", vol, ts) for price, vol, ts in prints
            }
            assert it.watcher.troubles == []

    run(story())


@pytest.mark.parametrize("merged", [True, False])
def test_books_are_the_venues(merged: bool) -> None:
    """Level by level, when the market stands still."""

    async def story() -> None:
        async with live(market(3), merged_depth=merged) as it:
            for symbol in it.parsers:
                it.feed.want_book(symbol, deltas=True, quotes=False)
            await it.until(lambda: len(it.watcher.data["OrderBookDeltas"]) > 100)
            assert it.venue.driver is not None
            it.venue.driver.paused = True
            await it.until(it.same_books)

    run(story())


def test_books_are_the_venues_after_any_fault() -> None:
    """Gaps, old snapshots, dropped and late frames, lost connections, failing reads; then all books are right again.

    While a book is not known it is empty: it is never crossed.
    """

    async def story() -> None:
        async with live(market(3, rate=60.0), quiet_book_seconds=1.0) as it:
            for symbol in it.parsers:
                it.feed.want_book(symbol, deltas=True, quotes=True)
            await it.until(lambda: len(it.watcher.books) == 3)
            faults = it.venue.faults
            faults.delay_s = (0.01, 0.1)
            faults.staleness = 50
            faults.rates(
                {
                    Fault.DEPTH_GAP: 0.05,
                    Fault.DROP_FRAME: 0.03,
                    Fault.DELAY_FRAME: 0.01,
                    Fault.STALE_SNAPSHOT: 0.3,
                    Fault.DISCONNECT: 0.01,
                    Fault.ERROR_BEFORE: 0.1,
                    Fault.RATE_LIMITED: 0.05,
                }
            )
            for _ in range(40):
                await asyncio.sleep(0.1)
                for book in it.watcher.books.values():
                    bid, ask = book.best_bid_price(), book.best_ask_price()
                    assert bid is None or ask is None or bid < ask
            assert {fault.fault for fault in faults.committed} >= {Fault.DEPTH_GAP, Fault.DISCONNECT}
            faults.calm()
            clears = [
                d
                for d in it.watcher.data["OrderBookDeltas"]
                if len(d.deltas) == 1 and d.deltas[0].action == BookAction.CLEAR
            ]
            assert clears
            before = it.venue.exchange.markets[BTC].version
            await it.until(lambda: it.venue.exchange.markets[BTC].version > before + 50)
            assert it.venue.driver is not None
            it.venue.driver.paused = True
            await it.until(it.same_books)

    run(story())


def test_a_stream_that_dies_unseen_is_noticed() -> None:
    """All depth frames vanish while the socket lives: the quiet book is compared with the venue's and joined anew."""

    async def story() -> None:
        async with live(market(1), quiet_book_seconds=0.5) as it:
            it.feed.want_book(BTC, deltas=True, quotes=False)
            await it.until(lambda: bool(it.watcher.books))
            it.venue.faults.rate(Fault.DEPTH_GAP, 1.0)
            await it.until(lambda: any("has died unseen" in text for text in it.watcher.troubles))
            it.venue.faults.calm()
            assert it.venue.driver is not None
            await asyncio.sleep(0.2)
            it.venue.driver.paused = True
            await it.until(it.same_books)

    run(story())


def test_bars_are_those_of_the_venue() -> None:
    """Each closed by a later one, once; a bar whose end a lost connection cost comes by REST."""

    async def story() -> None:
        async with live(market(1, rate=200.0)) as it:
            minute = BarType.from_str(f"{it.parsers[BTC].instrument_id}-1-MINUTE-LAST-EXTERNAL")
            closed = it.watcher.data["Bar"]

            async def next_minute() -> None:
                it.venue.faults.clock_skew_ms += 60_000
                it.rest.clock.forget()
                await it.rest.sync_clock()

            it.feed.want_bars(BTC, minute)
            await asyncio.sleep(0.5)
            await next_minute()
            await it.until(lambda: len(closed) >= 1)
            await asyncio.sleep(0.3)  # some trades in the bar that is cut
            connections = it.feed.sessions[0].counters.connections
            it.venue.disconnect()
            await next_minute()
            await it.until(lambda: it.feed.sessions[0].counters.connections > connections)
            await it.until(lambda: len(closed) >= 2)
            times = [bar.ts_event for bar in closed]
            assert times == sorted(set(times))
            for bar in closed[:2]:
                end = bar.ts_event // 10**9
                (row,) = it.venue.venue.bars.bars(BTC, end - 60, end - 60, 60)
                assert (str(bar.open), str(bar.high), str(bar.low), str(bar.close), int(bar.volume)) == (
                    *(f"{value:.1f}" for value in (row.first, row.high, row.low, row.close)),
                    row.vol,
                )

    run(story())


def test_unwanted_streams_end_and_empty_sockets_close() -> None:
    """After the last channel of the last symbol of a shard its socket is closed."""

    async def story() -> None:
        async with live(market(2), max_symbols_per_socket=1) as it:
            for symbol in it.parsers:
                it.feed.want(symbol, Stream.TRADES)
                it.feed.want_book(symbol, deltas=True, quotes=False)
            await it.until(lambda: len(it.watcher.books) == 2 and len(it.feed.sessions) == 3)
            await it.feed.unwant_book(BTC)
            assert len(it.feed.sessions) == 3
            await it.feed.unwant(BTC, Stream.TRADES)
            assert len(it.feed.sessions) == 2
            count = len(it.watcher.data["TradeTick"])
            await it.until(lambda: len(it.watcher.data["TradeTick"]) > count)

    run(story())


def test_unknown_contract_is_told() -> None:
    """The venue names it in the text of its error only."""

    async def story() -> None:
        async with live(market(1)) as it:
            it.feed.want("NOPE_USDT", Stream.TRADES)
            await it.until(lambda: any("NOPE_USDT" in text for text in it.watcher.troubles))

    run(story())


def test_quotes_can_be_added_to_a_book_and_taken_off() -> None:
    """The book begins anew, so that the first quote is right."""

    async def story() -> None:
        async with live(market(1)) as it:
            data = it.watcher.data
            it.feed.want_book(BTC, deltas=True, quotes=False)
            await it.until(lambda: len(data["OrderBookDeltas"]) > 3)
            assert not data["QuoteTick"]
            it.feed.want_book(BTC, deltas=True, quotes=True)
            await it.until(lambda: bool(data["QuoteTick"]))
            it.feed.want_book(BTC, deltas=True, quotes=False)
            count = len(data["QuoteTick"])
            deltas = len(data["OrderBookDeltas"])
            await it.until(lambda: len(data["OrderBookDeltas"]) > deltas + 3)
            assert len(data["QuoteTick"]) == count

    run(story())
