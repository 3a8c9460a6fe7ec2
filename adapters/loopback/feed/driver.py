"""Plays a feed into an exchange, in real time or faster."""

import asyncio
import time

from adapters.loopback.feed.events import Feed, FeedEvent, apply
from adapters.loopback.matching.exchange import Exchange

SLICE_S = 0.02
"""How long events are applied before others get their turn."""


class FeedDriver:
    """`speed` is feed seconds a real second. Times of the feed only pace it: the venue's clock stamps what happens."""

    def __init__(self, exchange: Exchange, feed: Feed, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed is {speed}: give a positive number")
        self._exchange = exchange
        self._events = feed.events()
        self._speed = speed
        self.applied = 0
        self.paused = False

    def prime(self, until_s: float = 0.0) -> None:
        """Apply at once all that happens up to `until_s`, and one event more."""
        for at_s, event in self._events:
            self._apply(event)
            if at_s > until_s:
                return

    async def run(self) -> None:
        """Play until the feed ends, or until cancelled."""
        origin: float | None = None
        turn = time.monotonic()
        for at_s, event in self._events:
            while self.paused:
                await asyncio.sleep(SLICE_S)
                origin = None
            now = time.monotonic()
            if origin is None:
                origin = now - at_s / self._speed
            wait = origin + at_s / self._speed - now
            if wait > 0 or now - turn > SLICE_S:
                await asyncio.sleep(max(0.0, wait))
                turn = time.monotonic()
            self._apply(event)

    def _apply(self, event: FeedEvent) -> None:
        apply(self._exchange, event)
        self.applied += 1
