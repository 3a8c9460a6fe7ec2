"""The WebSocket side: sessions, their requests, and the beat at which frames go out."""

import asyncio
import contextlib
import time
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from adapters.loopback.mexc.codes import ApiError
from adapters.loopback.mexc.private_streams import PrivateStreams
from adapters.loopback.mexc.public_streams import Pace, PublicStreams
from adapters.loopback.mexc.session import Filter, Session
from adapters.loopback.mexc.signature import check_login
from adapters.loopback.mexc.topics import channel_of, topic_of
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import decode, encode

PATH = "/edge"
BEAT_S = 0.05
LARGEST_FRAME = 1 << 20


class SocketServer:
    """Serves /edge on a venue."""

    def __init__(self, venue: Venue, pace: Pace) -> None:
        self._venue = venue
        self._ids = count(1)
        self.sessions: dict[int, Session] = {}
        self.public = PublicStreams(venue, self.sessions.values(), pace)
        self._private = PrivateStreams(venue, self.sessions.values())

    def register(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._serve)

    async def run(self) -> None:
        """Send what is due, settle funding and drop silent sockets, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._venue.funding.run()
            self.public.beat(time.monotonic())
            oldest = time.monotonic() - self._venue.assumptions.ping_timeout_s
            for session in list(self.sessions.values()):
                if session.pinged < oldest:
                    session.drop()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=LARGEST_FRAME)
        await socket.prepare(request)
        session = Session(
            next(self._ids), socket, request.transport, self._venue.faults, self._venue.wire, self._venue.now_ms
        )
        self.sessions[session.id] = session
        self._venue.wire.connections += 1
        writer = asyncio.create_task(session.write())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(session, message.data)
        finally:
            del self.sessions[session.id]
            self.public.subscriptions_changed()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    def _take(self, session: Session, text: str) -> None:
        """Carry out a request. What the venue does not understand it does not answer."""
        try:
            request = decode(text)
        except ValueError:
            return
        if not isinstance(request, dict) or not isinstance(request.get("param", {}), dict):
            return
        try:
            self._dispatch(session, str(request.get("method", "")), request.get("param", {}), request)
        except ApiError as error:
            self._reply(session, "rs.error", error.message)

    def _dispatch(self, session: Session, method: str, param: dict[str, Any], request: dict[str, Any]) -> None:
        if method == "ping":
            session.pinged = time.monotonic()
            self._reply(session, "pong", self._venue.now_ms())
        elif method == "login":
            self._login(session, param, request)
        elif method == "personal.filter":
            session.filter = Filter(_rules(param))
            self._reply(session, "rs.personal.filter", "success", stamp_as_text=True)
        elif (verb_and_channel := channel_of(method)) is not None:
            self._subscription(session, *verb_and_channel, param)

    def _login(self, session: Session, param: dict[str, Any], request: dict[str, Any]) -> None:
        key = check_login(
            self._venue.keys,
            str(param.get("apiKey", "")),
            str(param.get("reqTime", "")),
            str(param.get("signature", "")),
            self._venue.now_ms(),
        )
        session.account = key.account
        muted = request.get("subscribe") is False or param.get("subscribe") is False
        session.filter = Filter({} if muted else None)
        self._reply(session, "rs.login", "success", stamp_as_text=True)

    def _subscription(self, session: Session, verb: str, channel: str, param: dict[str, Any]) -> None:
        """Subscribing is acknowledged without a word about the symbol; leaving is not acknowledged at all."""
        if verb == "sub":
            topic = topic_of(self._venue, channel, param)
            if topic is None:
                return
            session.subscribe(topic)
            self._reply(session, f"rs.sub.{channel}", "success")
        else:
            session.unsubscribe(channel, str(param.get("symbol", "")), str(param.get("interval", "")))
        self.public.subscriptions_changed()

    def _reply(self, session: Session, channel: str, data: Any, *, stamp_as_text: bool = False) -> None:
        now = self._venue.now_ms()
        session.reply(encode({"channel": channel, "data": data, "ts": str(now) if stamp_as_text else now}))


def _rules(param: dict[str, Any]) -> dict[str, frozenset[str]] | None:
    """What a filter request asks for; None for everything."""
    filters = param.get("filters")
    if not isinstance(filters, list) or not filters:
        return None
    return {str(item["filter"]): _symbols(item) for item in filters if isinstance(item, dict) and "filter" in item}


def _symbols(item: dict[str, Any]) -> frozenset[str]:
    rules = item.get("rules")
    return frozenset(str(symbol) for symbol in rules) if isinstance(rules, list) else frozenset()
