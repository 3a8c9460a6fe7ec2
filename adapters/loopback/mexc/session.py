"""One client's socket: what it subscribed, who it logged in as, and its frames on their way out with their faults."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from adapters.loopback.faults import Fault, Faults
from adapters.loopback.mexc.topics import ONCE_A_SYMBOL, Topic
from adapters.loopback.wire_log import Frame, WireLog

QUEUE_LIMIT = 100_000
"""Frames; a client that is so far behind is dropped."""
HELD_S = 0.3
"""How long a frame that waits to be overtaken waits at most."""


@dataclass
class Filter:
    """Which private channels are wanted: `rules` by filter key, each a set of symbols, empty for all. None: all."""

    rules: dict[str, frozenset[str]] | None = None

    def passes(self, key: str, symbol: str) -> bool:
        if self.rules is None:
            return True
        wanted = self.rules.get(key)
        return wanted is not None and (not wanted or not symbol or symbol in wanted)


@dataclass
class Session:
    """State of a socket. `account` is empty until it has logged in."""

    id: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    faults: Faults
    wire: WireLog
    now_ms: Callable[[], int]
    account: str = ""
    filter: Filter = field(default_factory=Filter)
    topics: set[Topic] = field(default_factory=set)
    pinged: float = field(default_factory=time.monotonic)
    _queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _held: list[str] = field(default_factory=list)

    def subscribe(self, topic: Topic) -> None:
        """Take a topic; another form of the same channel and symbol goes."""
        if topic.channel in ONCE_A_SYMBOL:
            self.unsubscribe(topic.channel, topic.symbol)
        self.topics.add(topic)

    def unsubscribe(self, channel: str, symbol: str, variant: str = "") -> None:
        """Leave all topics of a channel and symbol, or only those of a variant."""
        self.topics = {
            topic
            for topic in self.topics
            if not (topic.channel == channel and topic.symbol == symbol and variant in ("", topic.variant))
        }

    def reply(self, text: str) -> None:
        """Send an answer to a request: no fault touches it."""
        self._queue.put_nowait(text)

    def push(self, text: str, channel: str) -> None:
        """Send a public frame, unless a fault swallows it."""
        if self.faults.happens(Fault.DISCONNECT, channel):
            self.drop()
        elif channel == "push.depth" and self.faults.happens(Fault.DEPTH_GAP, channel):
            return
        elif not self.faults.happens(Fault.DROP_FRAME, channel):
            self._put(text)

    def push_private(self, text: str, channel: str) -> None:
        """Send a private frame, log it, and do to it what the faults want."""
        fault = self._private_fault(channel)
        self.wire.entries.append(Frame(self.now_ms(), self.account, self.id, text, fault.name if fault else ""))
        if fault is Fault.DISCONNECT:
            self.drop()
        elif fault is Fault.REORDER_PRIVATE:
            self._held.append(text)
            asyncio.get_running_loop().call_later(HELD_S, self._release)
        elif fault is not Fault.DROP_PRIVATE:
            self._put(text)
            if fault is Fault.DUPLICATE_PRIVATE:
                self._put(text)
            self._release()

    def drop(self) -> None:
        """Cut the connection without a close frame."""
        if self.transport is not None:
            self.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the socket is gone."""
        while not self.socket.closed:
            text = await self._queue.get()
            if self.faults.happens(Fault.DELAY_FRAME, f"socket {self.id}"):
                await asyncio.sleep(self.faults.delay(Fault.DELAY_FRAME))
            try:
                await self.socket.send_str(text)
            except ConnectionError:
                return

    def _private_fault(self, channel: str) -> Fault | None:
        kinds = (Fault.DISCONNECT, Fault.DROP_PRIVATE, Fault.REORDER_PRIVATE, Fault.DUPLICATE_PRIVATE)
        return next((fault for fault in kinds if self.faults.happens(fault, channel)), None)

    def _release(self) -> None:
        held, self._held = self._held, []
        for text in held:
            self._put(text)

    def _put(self, text: str) -> None:
        if self._queue.qsize() >= QUEUE_LIMIT:
            self.drop()
        else:
            self._queue.put_nowait(text)
