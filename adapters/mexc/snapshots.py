"""Getting a book its snapshot: asked for until one joins, with pauses, one at a time for each book."""

import asyncio
from collections.abc import Callable

from nautilus_trader.core.data import Data

from adapters.mexc import endpoints
from adapters.mexc.book_feed import BookFeed
from adapters.mexc.errors import MexcContractError, MexcError, MexcPayloadError
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_rest import DepthSnapshot

FIRST_FRAME_SECONDS = 1.0
"""A snapshot is asked for when the first frame has come, so that it can be held against it, or after this long."""
FRAME_POLL_SECONDS = 0.05
REFETCH_SECONDS = 1.0
"""A snapshot that was too old is cached somewhere: it takes a while until a newer one is served."""
SLOW_REFETCH_SECONDS = 5.0
"""After an error, or for an empty book: the contract may be gone."""


async def fetch_snapshot(rest: RestClient, symbol: str, limit: int) -> DepthSnapshot:
    """The book of now, or of a little before. Raises a MexcError."""
    snapshot = await rest.get(endpoints.DEPTH, DepthSnapshot, path={"symbol": symbol}, parameters={"limit": limit})
    if snapshot is None:
        raise MexcPayloadError(endpoints.DEPTH.name, "data", f"no book for {symbol}")
    return snapshot


class SnapshotJoiner:
    """Brings books to life.

    `publish` is given the data, `trouble` what a person should read, `gone` the symbol that the venue does not know.
    """

    def __init__(
        self,
        rest: RestClient,
        limit: int,
        publish: Callable[[list[Data]], None],
        trouble: Callable[[str], None],
        gone: Callable[[str], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._rest = rest
        self._limit = limit
        self._publish = publish
        self._trouble = trouble
        self._gone = gone
        self._now_ns = now_ns
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def ask(self, symbol: str, feed: BookFeed) -> None:
        """Get a snapshot for this book, if it wants one and none is on its way."""
        under_way = self._tasks.get(symbol)
        if feed.wants_snapshot and (under_way is None or under_way.done()):
            self._tasks[symbol] = asyncio.create_task(self._join(symbol, feed), name=f"mexc-snapshot-{symbol}")

    def forget(self, symbol: str) -> None:
        """The book is not wanted any more."""
        task = self._tasks.pop(symbol, None)
        if task is not None:
            task.cancel()

    def stop(self) -> None:
        for symbol in list(self._tasks):
            self.forget(symbol)

    async def _join(self, symbol: str, feed: BookFeed) -> None:
        while feed.wants_snapshot:
            await self._first_frame(feed)
            pause = REFETCH_SECONDS
            try:
                snapshot = await fetch_snapshot(self._rest, symbol, self._limit)
                if snapshot.asks or snapshot.bids:
                    self._publish(feed.on_snapshot(snapshot, self._now_ns()))
                else:
                    self._trouble(f"{symbol}: the venue's book is empty, which is how a delisted contract looks")
                    pause = SLOW_REFETCH_SECONDS
            except MexcContractError as error:
                self._trouble(f"{symbol}: {error}")
                self._gone(symbol)
                return
            except MexcError as error:
                self._trouble(f"{symbol}: no snapshot: {error}")
                self._publish(feed.lost(self._now_ns()))
                pause = SLOW_REFETCH_SECONDS
            if feed.wants_snapshot:
                await asyncio.sleep(pause)

    async def _first_frame(self, feed: BookFeed) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + FIRST_FRAME_SECONDS
        while not feed.has_frames and loop.time() < end:
            await asyncio.sleep(FRAME_POLL_SECONDS)
