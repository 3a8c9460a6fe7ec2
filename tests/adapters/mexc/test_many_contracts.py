"""The market feed with 150 contracts over several sockets of the local MEXC."""

import asyncio

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.mexc.local import LocalMexc
from adapters.mexc.streams import Stream
from tests.adapters.mexc.live_feed import Live, live
from tests.adapters.mexc.local_venue import run

CONTRACTS, MOST, PER_SECOND = 150, 40, 200.0


def subscribed(it: Live) -> list[set[str]]:
    """The symbols of every socket, as the venue has them."""
    sessions = it.venue._sockets.sessions.values()
    return [{topic.symbol for topic in session.topics if topic.symbol} for session in sessions]


def test_shards_hold_no_more_than_their_most_are_paced_and_come_back() -> None:
    """Trades and books of 150 contracts: four sockets, each subscription in its turn, and all anew after a cut."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with live(LocalMexc(SyntheticFeed(CONTRACTS, seed=2, rate=1.0)), max_symbols_per_socket=MOST) as it:
            begun = loop.time()
            for symbol in it.parsers:
                it.feed.want(symbol, Stream.TRADES)
                it.feed.want_book(symbol, deltas=True, quotes=False)
            topics = 2 * CONTRACTS
            for _ in range(2):
                await it.until(lambda: sum(len(s.topics) for s in it.venue._sockets.sessions.values()) > topics)
                took = loop.time() - begun
                shards = subscribed(it)
                assert len(shards) == 4
                assert set().union(*shards) == set(it.parsers)
                assert sum(map(len, shards)) == CONTRACTS
                assert max(map(len, shards)) <= MOST
                assert took >= (2 * (MOST - 1) - 1) / PER_SECOND  # never sooner than the pace allows
                begun = loop.time()
                it.venue.disconnect()
                await it.until(lambda: not any(subscribed(it)))
            assert any("lost" in trouble for trouble in it.watcher.troubles)

    run(story())
