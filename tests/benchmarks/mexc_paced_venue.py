"""A local MEXC in a process of its own that notes when it hands each frame to the kernel.

``python -m tests.benchmarks.mexc_paced_venue --contracts 8 --frames 2000 --stamps FILE``: prints its addresses as one
JSON line, runs until its input ends, then writes the stamps. The clock is CLOCK_MONOTONIC, which processes share.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.mexc import socket_server
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.session import Session
from adapters.loopback.mexc.topics import Topic
from tests.benchmarks.mexc_tapes import MadeMarket

CHANNELS = ("depth", "deal")
STAMPS: list[tuple[int, str]] = []


class StampedSocket:
    """A socket that notes each frame at the last moment in Python before its bytes go to the kernel."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    @property
    def closed(self) -> bool:
        return bool(self._socket.closed)

    async def send_str(self, text: str) -> None:
        STAMPS.append((time.monotonic_ns(), text))
        await self._socket.send_str(text)


class StampedSession(Session):
    async def write(self) -> None:
        self.socket = StampedSocket(self.socket)  # type: ignore[assignment]
        await super().write()


def topics(symbol: str) -> set[Topic]:
    """Every change of the book and every print, unmerged."""
    return {Topic(channel, symbol, merged=False) for channel in CHANNELS}


def frames_a_step(contracts: int) -> float:
    """How many frames a step of the invented market makes (a trade, a level, a move of the price), over 2,000 steps."""
    market = MadeMarket(topics, SyntheticFeed(contracts, seed=1, rate=1.0))
    market.play(2_000.0 / contracts)
    return len(market.recorder.frames) / 2_000.0


async def serve(contracts: int, frames_per_second: float) -> None:
    """Until the input ends."""
    rate = frames_per_second / contracts / frames_a_step(contracts)
    async with LocalMexc(SyntheticFeed(contracts, seed=1, rate=rate)) as venue:
        print(json.dumps({"rest": venue.rest_url, "socket": venue.ws_url}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def stamp_rows() -> list[tuple[int, str, str]]:
    """(stamp, symbol, what names the frame): the version of a change, the id of a trade."""
    rows = []
    for stamp, text in STAMPS:
        frame = json.loads(text)
        if frame["channel"] == "push.depth":
            rows.append((stamp, frame["symbol"], str(frame["data"]["version"])))
        elif frame["channel"] == "push.deal":
            rows.append((stamp, frame["symbol"], frame["data"][0]["i"]))
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description="Serve a local MEXC and stamp its frames.")
    arguments.add_argument("--contracts", type=int, default=8)
    arguments.add_argument("--frames", type=float, default=2_000.0, help="a second, if all contracts are subscribed")
    arguments.add_argument("--stamps", type=Path, required=True)
    chosen = arguments.parse_args()
    socket_server.Session = StampedSession  # type: ignore[misc]
    asyncio.run(serve(chosen.contracts, chosen.frames))
    chosen.stamps.write_text(json.dumps(stamp_rows()))


if __name__ == "__main__":
    main()
