"""Raw, signed requests with their raw answers, and a private socket that is listened to: for ``smoke``."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

from adapters.mexc.clock_sync import ClockSync, PingSample
from adapters.mexc.connection import USER_AGENT
from adapters.mexc.credentials import Credentials
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.signing import json_body, query_string, signature, signed_headers

PRIVATE = "/api/v1/private/"


@dataclass(frozen=True)
class Answer:
    """What the venue said, in full."""

    status: int
    code: int | None
    data: Any
    message: str

    @property
    def accepted(self) -> bool:
        return self.status == 200 and self.code in (0, 200)

    def __str__(self) -> str:
        text = f"HTTP {self.status}, code {self.code}"
        return f"{text}, data {json.dumps(self.data, default=str):.160}" if self.accepted else f"{text}: {self.message}"


@dataclass
class Pushes:
    """Private frames since the last `clear`."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    def clear(self) -> None:
        self.frames.clear()

    def of(self, channel: str) -> list[dict[str, Any]]:
        """The data of all frames of a private channel, for example ``order.deal``."""
        return [frame["data"] for frame in self.frames if frame.get("channel") == f"push.personal.{channel}"]


class Probe:
    """One account, asked directly: no rate limiter, no repetition, no interpretation."""

    def __init__(self, base_url: str, socket_url: str, credentials: Credentials) -> None:
        self._transport = HttpTransport(base_url)
        self._socket_url = socket_url
        self._credentials = credentials
        self._clock = ClockSync()
        self.pushes = Pushes()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Probe"]:
        """Connected, with the clock set and the private socket listened to."""
        self._transport.open()
        try:
            for _ in range(3):
                sent = time.time_ns()
                answer = await self.public("/api/v1/contract/ping")
                self._clock.add(PingSample(sent, time.time_ns(), int(answer.data)))
            async with self.listening(self.pushes, {}):
                yield self
        finally:
            await self._transport.close()

    def venue_ms(self) -> int:
        return self._clock.venue_ms(time.time_ns())

    async def public(self, path: str, **parameters: str | int) -> Answer:
        """An unsigned GET."""
        return await self._send("GET", path, query_string(parameters), None, {})

    async def get(self, path: str, *, age_ms: int = 0, recv_window: int | None = None, **parameters: Any) -> Answer:
        """A signed GET below ``/api/v1/private/``; `age_ms` makes its time older than it is."""
        query = query_string(parameters)
        headers = signed_headers(self._credentials, self.venue_ms() - age_ms, query, recv_window)
        return await self._send("GET", PRIVATE + path, query, None, headers)

    async def post(self, path: str, body: object) -> Answer:
        """A signed POST below ``/api/v1/private/``."""
        content = json_body(body)
        return await self._send(
            "POST", PRIVATE + path, "", content, signed_headers(self._credentials, self.venue_ms(), content)
        )

    @asynccontextmanager
    async def listening(
        self, into: Pushes, login: dict[str, Any], *, top_level: dict[str, Any] | None = None
    ) -> AsyncIterator[None]:
        """A logged-in socket whose frames go `into`; `login` and `top_level` add to the login's frame."""
        async with aiohttp.ClientSession(headers={"User-Agent": USER_AGENT}) as session:
            socket = await session.ws_connect(self._socket_url)
            stamp = str(self.venue_ms())
            parameters = {
                "apiKey": self._credentials.api_key,
                "reqTime": stamp,
                "signature": signature(self._credentials, stamp),
            }
            await socket.send_json({"method": "login", "param": parameters | login, **(top_level or {})})
            tasks = [asyncio.create_task(self._read(socket, into)), asyncio.create_task(_ping(socket))]
            await wait(lambda: any(frame.get("channel") == "rs.login" for frame in into.frames), 10.0)
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await socket.close()

    async def _send(self, method: str, path: str, query: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        reply = await self._transport.send(method, path, query, body, headers)
        try:
            envelope = json.loads(reply.body, parse_float=Decimal)
        except ValueError:
            return Answer(reply.status, None, None, reply.body[:120].decode(errors="replace"))
        return Answer(reply.status, envelope.get("code"), envelope.get("data"), str(envelope.get("message", "")))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, into: Pushes) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                into.frames.append(json.loads(message.data, parse_float=Decimal))


async def _ping(socket: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await socket.send_str('{"method":"ping"}')
        await asyncio.sleep(15.0)


async def wait(condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition; whether it came about in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        await asyncio.sleep(0.05)
    return True
