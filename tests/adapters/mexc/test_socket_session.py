"""A socket that keeps itself alive, against a scripted server."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web

from adapters.mexc.backoff import Backoff
from adapters.mexc.credentials import Credentials
from adapters.mexc.socket_frames import filter_frame, subscribe_frame, unsubscribe_frame
from adapters.mexc.socket_login import MexcLogin
from adapters.mexc.socket_session import SocketSession
from adapters.mexc.socket_settings import Login, SocketSettings
from tests.adapters.mexc.local_venue import run, serving
from tests.adapters.mexc.recorded_payloads import frames, needs_fixtures

type Script = Callable[["Server", web.WebSocketResponse, int], Awaitable[None]]


async def answer_pings(server: "Server", socket: web.WebSocketResponse, number: int) -> None:
    """Read until the end; pongs for pings."""
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            server.got(number, message.data)
            if message.data == '{"method":"ping"}':
                await socket.send_str('{"channel":"pong","data":1}')


@dataclass
class Server:
    """A WebSocket server: one script a connection, the last one again and again."""

    scripts: list[Script]
    received: list[tuple[int, Any]] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        number = self.connections
        self.connections += 1
        await self.scripts[min(number, len(self.scripts) - 1)](self, socket, number)
        return socket

    def got(self, number: int, text: str) -> None:
        self.received.append((number, msgspec.json.decode(text)))
        self.arrived.set()

    def methods(self, number: int) -> list[str]:
        """Without pings."""
        return [m["method"] for n, m in self.received if n == number and m["method"] != "ping"]


@dataclass
class Listener:
    """Writes down what it is told."""

    told: list[tuple[str, Any]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, what: str, value: Any) -> None:
        self.told.append((what, value))
        self.changed.set()

    def on_connected(self) -> None:
        self._note("connected", None)

    def on_disconnected(self, reason: str) -> None:
        self._note("disconnected", reason)

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        self._note("frame", frame)

    def on_trouble(self, text: str) -> None:
        self._note("trouble", text)

    def count(self, what: str) -> int:
        return sum(kind == what for kind, _ in self.told)

    async def until(self, what: str, times: int = 1) -> list[Any]:
        """Wait until told so often; returns the values."""
        while self.count(what) < times:
            self.changed.clear()
            await self.changed.wait()
        return [value for kind, value in self.told if kind == what]


@asynccontextmanager
async def session(
    server: Server, login: Login | None = None, **settings: Any
) -> AsyncIterator[tuple[SocketSession, Listener]]:
    async with serving(server.handle) as address:
        listener = Listener()
        defaults = {"ping_interval_seconds": 5.0, "idle_timeout_seconds": 10.0, "frames_per_second": 1000.0}
        made = SocketSession(
            "test",
            SocketSettings(f"ws://{address}/edge", **(defaults | settings)),
            listener,
            login=login,
            backoff=Backoff(0.001, 0.01),
        )
        made.start()
        try:
            yield made, listener
        finally:
            await made.stop()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_connects_pings_and_hands_frames_on() -> None:
    """A ping at once; frames as bytes."""

    async def story() -> None:
        server = Server([answer_pings])
        async with session(server) as (made, listener):
            assert await made.wait_connected(5)
            (frame,) = await listener.until("frame")
            assert frame == b'{"channel":"pong","data":1}'
            assert listener.told[0] == ("connected", None)
            assert (made.counters.frames, made.counters.bytes, made.counters.connections) == (1, len(frame), 1)

    run(story())


def test_subscriptions_are_sent_and_sent_again_after_a_reconnect() -> None:
    """All that is wanted, in order; what was unsubscribed is not."""

    async def cut_after_three(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        seen = 0
        async for message in socket:
            server.got(number, message.data)
            seen += '"ping"' not in message.data
            if seen == 4:
                await socket.close()
                return

    async def story() -> None:
        server = Server([cut_after_three, answer_pings])
        async with session(server) as (made, listener):
            made.subscribe("deal:A", subscribe_frame("deal", symbol="A"))
            await made.wait_connected(5)
            made.subscribe("depth:A", subscribe_frame("depth", symbol="A"))
            made.subscribe("deal:B", subscribe_frame("deal", symbol="B"))
            await until(lambda: len(server.methods(0)) == 3)
            await made_unsubscribed(made)
            await until(lambda: len(server.methods(1)) == 2)
            assert server.methods(0) == ["sub.deal", "sub.depth", "sub.deal", "unsub.depth"]
            assert server.methods(1) == ["sub.deal", "sub.deal"]
            assert [kind for kind, _ in listener.told if kind != "frame"] == [
                "connected",
                "disconnected",
                "connected",
            ]

    async def made_unsubscribed(made: SocketSession) -> None:
        made.unsubscribe("depth:A", unsubscribe_frame("depth", symbol="A"))
        made.unsubscribe("never", unsubscribe_frame("depth", symbol="A"))

    run(story())


def test_a_subscription_that_is_not_sent_yet_is_taken_back_silently() -> None:
    """Paced frames wait in line: an unsubscribe then needs no frame."""

    async def story() -> None:
        server = Server([answer_pings])
        async with session(server, frames_per_second=2.0) as (made, _):
            await made.wait_connected(5)
            for symbol in "ABC":
                made.subscribe(symbol, subscribe_frame("deal", symbol=symbol))
            made.unsubscribe("C", unsubscribe_frame("deal", symbol="C"))
            await until(lambda: len(server.methods(0)) == 2)
            await asyncio.sleep(0.6)
            assert server.methods(0) == ["sub.deal", "sub.deal"]

    run(story())


def test_silence_brings_a_new_connection() -> None:
    """A server that says nothing, not even pongs, is left."""

    async def mute(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        async for _ in socket:
            pass

    async def story() -> None:
        async with session(Server([mute, answer_pings]), ping_interval_seconds=0.05, idle_timeout_seconds=0.2) as (
            _,
            listener,
        ):
            (reason,) = await listener.until("disconnected")
            assert reason == "silent for 0.2 s"
            await listener.until("frame")

    run(story())


def test_a_refused_connection_is_tried_again() -> None:
    """With a word about it."""

    async def story() -> None:
        refusals = 2

        async def handle(request: web.Request) -> web.StreamResponse:
            nonlocal refusals
            if refusals:
                refusals -= 1
                return web.Response(status=503)
            return await server.handle(request)

        server = Server([answer_pings])
        async with serving(handle) as address:
            listener = Listener()
            made = SocketSession("t", SocketSettings(f"ws://{address}"), listener, backoff=Backoff(0.001, 0.01))
            made.start()
            await listener.until("connected")
            assert listener.count("trouble") == 2
            await made.stop()
            assert listener.told[-1] == ("disconnected", "stopped here")
            assert not made.is_connected

    run(story())


def test_gzipped_frames_are_read_and_broken_ones_told() -> None:
    """Binary frames are not expected, and counted."""

    async def send(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_bytes(gzip.compress(b'{"channel":"push.deal"}'))
        await socket.send_bytes(b"no gzip")
        await socket.send_bytes(gzip.compress(b"x" * 1000)[:-12])
        await socket.send_str('{"channel":"last"}')
        await answer_pings(server, socket, number)

    async def story() -> None:
        async with session(Server([send])) as (made, listener):
            assert (await listener.until("frame", 2))[:2] == [b'{"channel":"push.deal"}', b'{"channel":"last"}']
            assert listener.count("trouble") == 2
            assert made.counters.binary_frames == 3

    run(story())


def test_binary_frames_as_they_are() -> None:
    """The spot socket sends protobuf."""

    async def send(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_bytes(b"\x0a\x01x")
        await answer_pings(server, socket, number)

    async def story() -> None:
        async with session(Server([send]), gunzip_binary=False) as (_, listener):
            assert (await listener.until("frame"))[0] == b"\x0a\x01x"

    run(story())


def test_an_old_socket_is_replaced() -> None:
    """Before the venue would end it."""

    async def story() -> None:
        async with session(Server([answer_pings]), ping_interval_seconds=0.02, max_age_seconds=0.1) as (made, listener):
            (reason, *_) = await listener.until("disconnected")
            assert reason == "replaced before its time is over"
            await listener.until("connected", 2)
            assert made.counters.connections == 2

    run(story())


def test_login_comes_first() -> None:
    """Subscriptions follow when it was answered; frames in between are handed on."""

    async def log_in(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        server.got(number, (await socket.receive()).data)
        await socket.send_str('{"channel":"push.personal.asset","data":{}}')
        await socket.send_str('{"channel":"rs.login","data":"success","ts":"1587442022003"}')
        await answer_pings(server, socket, number)

    async def story() -> None:
        server = Server([log_in])
        login = MexcLogin(Credentials("key", "secret"), lambda: 1_700_000_000_000)
        async with session(server, login) as (made, listener):
            made.subscribe("filter", filter_frame([]))
            await made.wait_connected(5)
            await until(lambda: len(server.methods(0)) == 2)
            assert server.methods(0) == ["login", "personal.filter"]
            assert listener.told[0] == ("frame", b'{"channel":"push.personal.asset","data":{}}')
            assert listener.told[1] == ("connected", None)

    run(story())


def test_a_refused_login_is_told_and_tried_again() -> None:
    """Without ever counting as connected, and without showing the key."""

    async def refuse(server: Server, socket: web.WebSocketResponse, number: int) -> None:
        await socket.receive()
        await socket.send_str('{"channel":"rs.error","data":"signature wrong"}')
        await socket.receive()

    async def story() -> None:
        login = MexcLogin(Credentials("the-key", "the-secret"), lambda: 1)
        async with session(Server([refuse]), login) as (made, listener):
            troubles = await listener.until("trouble", 2)
            assert "login refused: signature wrong" in troubles[0]
            assert not any("the-" in text for text in troubles)
            assert not made.is_connected
            assert listener.count("connected") == listener.count("disconnected") == 0

    run(story())


def test_a_listener_with_a_bug_does_not_end_the_feed() -> None:
    """The error is told and the socket comes back."""

    async def story() -> None:
        async with session(Server([answer_pings])) as (_, listener):
            await listener.until("connected")
            broken = [True]
            note = listener.on_frame

            def fail_once(frame: bytes, received_ns: int) -> None:
                if broken.pop() if broken else False:
                    raise RuntimeError("bug")
                note(frame, received_ns)

            listener.on_frame = fail_once  # type: ignore[method-assign]
            await listener.until("connected", 2)
            assert any("error in a listener: RuntimeError('bug')" in text for text in await listener.until("trouble"))

    run(story())


@needs_fixtures
def test_login_answers_of_the_fixtures() -> None:
    """Success with its time as text; other channels are no answer."""
    login = MexcLogin(Credentials("k", "s"), lambda: 1)
    ack, filter_ack = (text.encode() for text in frames("ws_private_login_and_filter_acks"))
    assert login.answer(ack) == ""
    assert login.answer(filter_ack) is None
    assert login.answer(b'{"channel":"rs.login","data":"failed"}') == "failed"
    assert login.answer(b"not json") is None


def test_frames() -> None:
    """As the venue documents them."""
    assert msgspec.json.decode(subscribe_frame("depth", symbol="BTC_USDT", compress=False)) == {
        "method": "sub.depth",
        "param": {"symbol": "BTC_USDT", "compress": False},
        "gzip": False,
    }
    assert msgspec.json.decode(unsubscribe_frame("deal", symbol="A")) == {
        "method": "unsub.deal",
        "param": {"symbol": "A"},
    }
    rules = [{"filter": "order", "rules": ["BTC_USDT"]}]
    assert msgspec.json.decode(filter_frame(rules))["param"] == {"filters": rules}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ping_interval_seconds": 50.0}, "every quiet socket looks dead"),
        ({"frames_per_second": 0.0}, "must be above 0"),
        ({"url": "ws://example.com"}, "plain text to another machine"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    """Before anything is connected."""
    with pytest.raises(ValueError, match=message):
        SocketSettings(**({"url": "wss://contract.mexc.com/edge"} | settings))
