"""All books that are wanted: frames to the right one, snapshots for those without, and a look at those gone quiet."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from nautilus_trader.core.data import Data

from adapters.mexc.book_feed import BookFeed
from adapters.mexc.constants import Channel
from adapters.mexc.errors import MexcError
from adapters.mexc.parsing import ContractParser
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.public_socket import DepthUpdate
from adapters.mexc.snapshots import SnapshotJoiner, fetch_snapshot

FRAME_UNDER_WAY_SECONDS = 2.0
"""A change that a snapshot shows comes on the socket too, merged with others and a little later."""


class BooksUser(Protocol):
    """Who uses the books. Nothing here may raise."""

    def publish(self, data: list[Data]) -> None:
        """Publish these, in this order."""

    def resubscribe_book(self, symbol: str) -> None:
        """Ask the venue for the stream of this book again."""

    def on_trouble(self, text: str) -> None:
        """Tell a person."""

    def on_contract_gone(self, symbol: str) -> None:
        """The venue does not know the contract any more."""


class Books:
    """The books of the contracts, by symbol."""

    def __init__(
        self,
        rest: RestClient,
        user: BooksUser,
        now_ns: Callable[[], int],
        *,
        depth_limit: int,
        quiet_seconds: float,
    ) -> None:
        self._rest = rest
        self._user = user
        self._now_ns = now_ns
        self._depth_limit = depth_limit
        self._quiet_ns = round(quiet_seconds * 1e9)
        self._feeds: dict[str, BookFeed] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self._joiner = SnapshotJoiner(rest, depth_limit, user.publish, user.on_trouble, user.on_contract_gone, now_ns)

    def feed(self, symbol: str) -> BookFeed | None:
        """The book of a contract, if it is wanted."""
        return self._feeds.get(symbol)

    def want(self, parser: ContractParser, *, deltas: bool, quotes: bool) -> bool:
        """Keep a book and publish these of it; True when it is new. Repeat it to change what is published."""
        feed = self._feeds.get(parser.symbol)
        is_new = feed is None
        if feed is None:
            feed = self._feeds[parser.symbol] = BookFeed(parser)
        elif (deltas and not feed.publishes_deltas) or (quotes and not feed.publishes_quotes):
            self._user.publish(feed.lost(self._now_ns()))  # what is new here begins with a whole book
        feed.publishes_deltas = deltas
        if quotes != feed.publishes_quotes:
            feed.want_quotes(quotes)
        self._joiner.ask(parser.symbol, feed)
        return is_new

    def unwant(self, symbol: str) -> bool:
        """Keep it no more; True when it was kept."""
        self._joiner.forget(symbol)
        return self._feeds.pop(symbol, None) is not None

    def define(self, parser: ContractParser) -> None:
        """A contract has a new definition; a book whose tick or step has changed starts anew."""
        feed = self._feeds.get(parser.symbol)
        if feed is not None:
            changed = feed.parser.places != parser.places
            feed.parser = parser
            if changed:
                self.restart(parser.symbol)

    def on_frame(self, frame: Frame, received_ns: int) -> None:
        """A frame of the depth channel. MexcPayloadError when it cannot be read: then `restart` the book."""
        feed = self._feeds.get(frame.symbol or "")
        if feed is not None:
            update = decode(frame.data, DepthUpdate, Channel.DEPTH)
            self._user.publish(feed.on_update(update, frame.ts, received_ns))
            if feed.wants_snapshot:
                self._joiner.ask(feed.parser.symbol, feed)

    def restart(self, symbol: str) -> None:
        """Empty the book and get a snapshot."""
        feed = self._feeds.get(symbol)
        if feed is not None:
            self._user.publish(feed.lost(self._now_ns()))
            self._joiner.ask(symbol, feed)

    def on_disconnected(self, symbols: frozenset[str]) -> None:
        """The streams of these contracts are gone: their books are not known."""
        for symbol in symbols & self._feeds.keys():
            self._user.publish(self._feeds[symbol].lost(self._now_ns()))

    def on_connected(self, symbols: frozenset[str]) -> None:
        """The streams are coming back."""
        for symbol in symbols & self._feeds.keys():
            self._joiner.ask(symbol, self._feeds[symbol])

    def check_quiet(self) -> None:
        """Look at the books that have had no frame for long. Call it often: each is looked at once a quiet time."""
        limit_ns = self._now_ns() - self._quiet_ns
        for symbol, feed in self._feeds.items():
            if feed.sequencer.is_live and feed.last_frame_ns < limit_ns:
                feed.last_frame_ns = self._now_ns()
                check = asyncio.create_task(self._check(symbol, feed), name=f"mexc-quiet-{symbol}")
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    def stop(self) -> None:
        self._joiner.stop()
        for check in self._checks:
            check.cancel()

    async def _check(self, symbol: str, feed: BookFeed) -> None:
        """Nothing has changed in this book, or its stream has died: the venue's version tells."""
        try:
            snapshot = await fetch_snapshot(self._rest, symbol, self._depth_limit)
        except MexcError as error:
            self._user.on_trouble(f"{symbol}: quiet book not checked: {error}")
            return
        if feed.is_behind(snapshot):
            await asyncio.sleep(FRAME_UNDER_WAY_SECONDS)
        if self._feeds.get(symbol) is feed and feed.sequencer.is_live and feed.is_behind(snapshot):
            self._user.on_trouble(f"{symbol}: the stream of the book has died unseen: subscribed anew")
            self._user.resubscribe_book(symbol)
            self.restart(symbol)
