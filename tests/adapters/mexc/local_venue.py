"""A scripted HTTP and WebSocket server on this machine, for tests of the clients: it answers what the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

type Answer = web.Response | None


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end, within two minutes: whatever waits in it gives up before, and says for what."""
    return asyncio.run(asyncio.wait_for(coroutine, 120))


def success(data: str = "null") -> web.Response:
    return web.Response(text=f'{{"success":true,"code":0,"data":{data}}}')


def refused(code: int, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=f'{{"success":false,"code":{code},"message":"no"}}', status=status, headers=headers)


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]


@dataclass
class LocalHttp:
    """`answers` are given one by one, the last one again and again; None drops the connection without an answer."""

    answers: list[Callable[[], web.Response | None]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    pings: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/contract/ping":
            self.pings += 1
            return success("1761875313209")
        self.seen.append(
            Seen(
                request.method,
                request.raw_path.split("?")[0],
                request.query_string,
                await request.read(),
                dict(request.headers),
            )
        )
        self.seen[-1].query = request.raw_path.partition("?")[2]
        answer = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()
        if answer is None:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        return answer


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The address (host and port) at which the handler is served for any path and method."""
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()
