"""Frames of MEXC's public socket for benchmarks: made by the local venue from a seed, or recorded ones played on.

A tape is the frames of one contract and the book that they begin from. Recorded frames are few, so they are repeated:
their versions and ids go on, everything else is as it was on the wire.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from adapters.loopback.feed.events import apply
from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.listing import Listing
from adapters.loopback.mexc.market_rest import level_row
from adapters.loopback.mexc.public_streams import Pace, PublicStreams
from adapters.loopback.mexc.session import Session
from adapters.loopback.mexc.socket_server import BEAT_S
from adapters.loopback.mexc.topics import Topic
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import encode
from tests.adapters.mexc.recorded_payloads import FIXTURES

EVENTS_PER_SECOND = 100.0
"""Of the made market: some 40 versions and 20 levels in a merged frame, as the recorded ones have."""
_BTC = Contract("BTC_USDT", "BTC", "USDT", Decimal("0.0001"), Decimal("0.1"))
_DOGE = Contract("DOGE_USDT", "DOGE", "USDT", Decimal(100), Decimal("0.00001"))
_RECORDED = {
    ("depth", True): ("ws_public_depth_merged_doge", _DOGE),
    ("depth", False): ("ws_public_depth_unmerged_btc_run1", _BTC),
    ("deal", True): ("ws_public_deal_btc_2026", _BTC),
}


@dataclass(frozen=True)
class Tape:
    """`frames` in the order of the wire; `book` is the data of the REST snapshot that the first of them follows."""

    contract: Contract
    book: dict[str, Any]
    frames: list[bytes]
    rows: int
    """Levels or trades in all frames."""


@dataclass
class _Recorder:
    """Stands where a client's socket would stand, and keeps what is pushed to it."""

    topics: set[Topic]
    frames: list[str] = field(default_factory=list)

    def push(self, text: str, channel: str) -> None:
        self.frames.append(text)


class MadeMarket:
    """A local venue without a network: its clock is the feed's."""

    def __init__(self, topics: Callable[[str], set[Topic]], feed: SyntheticFeed) -> None:
        self.venue = Venue(Listing(contract, number) for number, contract in enumerate(feed.contracts(), start=10))
        self.symbols = list(self.venue.listings)
        self.recorder = _Recorder(set().union(*(topics(symbol) for symbol in self.symbols)))
        self._streams = PublicStreams(self.venue, cast(list[Session], [self.recorder]), Pace())
        self._streams.subscriptions_changed()
        self._events = feed.events()
        self._next = next(self._events)
        self._now = 0.0
        self.play(0.0)
        self.recorder.frames.clear()

    def play(self, seconds: float) -> None:
        """Let so much of the feed's time pass; merged frames go out on their beats."""
        end = self._now + seconds
        while self._next[0] <= end:
            at, event = self._next
            while self._now + BEAT_S <= at:
                self._now += BEAT_S
                self._streams.beat(self._now)
            apply(self.venue.exchange, event)
            self._next = next(self._events)
        self._now = end


def made_tape(channel: str, count: int, *, merged: bool, seed: int = 1) -> Tape:
    """So many frames of ``depth`` or ``deal`` of an invented BTC market."""
    market = MadeMarket(
        lambda symbol: {Topic(channel, symbol, merged=merged)}, SyntheticFeed(1, seed=seed, rate=EVENTS_PER_SECOND)
    )
    symbol = market.symbols[0]
    book = _book(market.venue, symbol)
    while len(market.recorder.frames) < count:
        market.play(1.0)
    frames = market.recorder.frames[:count]
    return Tape(market.venue.listings[symbol].contract, book, [text.encode() for text in frames], _rows(frames))


def recorded_tape(channel: str, count: int, *, merged: bool) -> Tape | None:
    """So many frames from the payload fixtures; None where those are absent or have no such frames."""
    if (channel, merged) not in _RECORDED:
        return None
    name, contract = _RECORDED[channel, merged]
    path = FIXTURES / f"{name}.json"
    if not path.is_file():
        return None
    texts = [text for text in json.loads(path.read_text()) if f'"push.{channel}"' in text]
    start = 1_000_000
    frames = [encode(frame) for frame in islice(_going_on(texts, start), count)]
    levels = [json.loads(text, parse_float=Decimal)["data"] for text in texts]
    book: dict[str, Any] = {"version": start, "timestamp": 1, "cts": None}
    for side, outermost in (("asks", contract.tick * 10**7), ("bids", contract.tick)):
        prices = {row[0]: None for data in levels for row in data[side] if row[1]} if channel == "depth" else {}
        book[side] = [[price, 7, 1] for price in (*prices, outermost)]
    return Tape(contract, book, [text.encode() for text in frames], _rows(frames))


def _going_on(texts: list[str], version: int) -> Iterable[dict[str, Any]]:
    """The frames again and again, each following the one before."""
    while True:
        for text in texts:
            frame = json.loads(text, parse_float=Decimal)
            data = frame["data"]
            version += 1
            if isinstance(data, list):
                data[0]["i"] = str(16_000_000_000 + version)
            elif "begin" in data:
                span = data["end"] - data["begin"]
                data["begin"], data["end"], data["version"] = version, version + span, version + span
                version += span
            else:
                data["version"] = version
            yield frame


def _book(venue: Venue, symbol: str) -> dict[str, Any]:
    market = venue.exchange.markets[symbol]
    sides = {
        name: [level_row(*row) for row in market.levels(side, 1_000)]
        for name, side in (("asks", Side.SELL), ("bids", Side.BUY))
    }
    return {**sides, "version": market.version, "timestamp": venue.now_ms(), "cts": None}


def _rows(frames: list[str]) -> int:
    count = 0
    for text in frames:
        data = json.loads(text)["data"]
        count += len(data) if isinstance(data, list) else len(data["asks"]) + len(data["bids"])
    return count
