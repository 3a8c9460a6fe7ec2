"""One WebSocket that keeps itself alive: connect, log in, subscribe at a pace, ping, notice silence, come back.

Frames are handed on as bytes; what they mean is not known here. After every reconnect all subscriptions are sent anew,
and the listener is told before the first of their frames can arrive.
"""

import asyncio
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import aiohttp
from aiohttp.http import WSMessage, WSMessageTextBytes

from adapters.mexc.backoff import Backoff
from adapters.mexc.connection import USER_AGENT
from adapters.mexc.socket_settings import Login, SocketCounters, SocketListener, SocketSettings

type WebSocket = aiohttp.ClientWebSocketResponse[bool]

RECONNECT_BACKOFF = Backoff(0.5, 30.0)
STEADY_SECONDS = 30.0
"""A connection that lived this long was a good one: the next backoff starts from the first step."""
CONNECT_SECONDS = 15.0
LOGIN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""How long to wait for the venue's half of a close: a dead line has none."""
MAX_FRAME_BYTES = 16 * 2**20
GZIP_WINDOW = 16 + zlib.MAX_WBITS


class SocketSession:
    """A socket and its subscriptions. Use from one event loop only."""

    def __init__(
        self,
        name: str,
        settings: SocketSettings,
        listener: SocketListener,
        *,
        login: Login | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        backoff: Backoff = RECONNECT_BACKOFF,
    ) -> None:
        self.name = name
        self.counters = SocketCounters()
        self._settings = settings
        self._listener = listener
        self._login = login
        self._now_ns = now_ns
        self._backoff = backoff
        self._wanted: dict[str, bytes] = {}
        self._outbox: deque[bytes] = deque()
        self._outbox_filled = asyncio.Event()
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Connected, and logged in where that is needed."""
        return self._connected.is_set()

    async def wait_connected(self, timeout_seconds: float) -> bool:
        """True once connected, False after `timeout_seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), timeout_seconds)
        return self.is_connected

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_connected(), name=f"mexc-socket-{self.name}")

    async def stop(self) -> None:
        """Close for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def subscribe(self, key: str, frame: bytes) -> None:
        """Want `key` from now on, over every reconnect; `frame` asks the venue for it. Repeating sends it again."""
        self._wanted[key] = frame
        if self.is_connected:
            self._queue(frame)

    def unsubscribe(self, key: str, frame: bytes) -> None:
        """Want `key` no more; `frame` tells the venue."""
        wanted = self._wanted.pop(key, None)
        if wanted is None or not self.is_connected:
            return
        if wanted in self._outbox:
            self._outbox.remove(wanted)
        else:
            self._queue(frame)

    def _queue(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._outbox_filled.set()

    async def _keep_connected(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                async with aiohttp.ClientSession(headers={"User-Agent": USER_AGENT}) as session:
                    await self._one_connection(session)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._listener.on_trouble(f"socket {self.name}: {type(error).__name__}: {error}")
            except Exception as error:  # noqa: BLE001  # a bug in the listener must not end the feed unseen
                self._listener.on_trouble(f"socket {self.name}: error in a listener: {error!r}")
            failures = 0 if loop.time() - begun >= STEADY_SECONDS else failures + 1
            await asyncio.sleep(self._backoff.seconds(max(0, failures - 1)))

    async def _one_connection(self, session: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await session.ws_connect(
                self._settings.url,
                proxy=self._settings.proxy_url,
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                decode_text=False,
            )
        try:
            if self._login is not None:
                await self._log_in(socket, self._login)
            await self._serve(socket)
        finally:
            await socket.close()

    async def _serve(self, socket: WebSocket) -> None:
        """Everything from the login to the end of a connection."""
        self.counters.connections += 1
        self._listener.on_connected()
        self._outbox.clear()
        self._outbox.extend(self._wanted.values())
        self._outbox_filled.set()
        self._connected.set()
        chores = [asyncio.create_task(chore) for chore in (self._ping(socket), self._send_outbox(socket))]
        reason = "stopped here"
        try:
            reason = await self._read(socket)
        finally:
            self._connected.clear()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            self._listener.on_disconnected(reason)

    async def _log_in(self, socket: WebSocket, login: Login) -> None:
        """Raises TimeoutError when no answer comes, ClientError when it is no."""
        await socket.send_str(login.frame().decode())
        async with asyncio.timeout(LOGIN_SECONDS):
            while True:
                message = await socket.receive()
                frame = self._frame(message)
                if frame is None:
                    raise aiohttp.ClientError("closed before the login was answered")
                answer = login.answer(frame)
                if answer == "":
                    return
                if answer is not None:
                    raise aiohttp.ClientError(f"login refused: {answer}")
                self._listener.on_frame(frame, self._now_ns())

    async def _read(self, socket: WebSocket) -> str:
        """Hand frames on until the connection ends; returns why it did."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        old_at = loop.time() + settings.max_age_seconds if settings.max_age_seconds is not None else None
        while True:
            try:
                message = await socket.receive(timeout=settings.idle_timeout_seconds)
            except TimeoutError:
                return f"silent for {settings.idle_timeout_seconds} s"
            frame = self._frame(message)
            if frame is None:
                return f"closed by the venue ({socket.close_code})"
            if frame:
                self._listener.on_frame(frame, self._now_ns())
            if old_at is not None and loop.time() >= old_at:
                return "replaced before its time is over"

    def _frame(self, message: WSMessage | WSMessageTextBytes) -> bytes | None:
        """The bytes of a message, empty for one that is to be skipped, None when the connection has ended."""
        if message.type is aiohttp.WSMsgType.TEXT:
            frame: bytes = message.data
        elif message.type is aiohttp.WSMsgType.BINARY:
            self.counters.binary_frames += 1
            frame = self._gunzip(message.data) if self._settings.gunzip_binary else message.data
        else:
            return None
        self.counters.frames += 1
        self.counters.bytes += len(frame)
        return frame

    def _gunzip(self, data: bytes) -> bytes:
        unpacker = zlib.decompressobj(GZIP_WINDOW)
        try:
            frame = unpacker.decompress(data, MAX_FRAME_BYTES)
        except zlib.error as error:
            self._listener.on_trouble(f"socket {self.name}: binary frame is not gzip: {error}")
            return b""
        if not unpacker.eof:
            self._listener.on_trouble(f"socket {self.name}: binary frame is cut off or too large: skipped")
            return b""
        return frame

    async def _ping(self, socket: WebSocket) -> None:
        text = self._settings.ping_frame.decode()
        with suppress(ConnectionError):
            while True:
                await socket.send_str(text)
                await asyncio.sleep(self._settings.ping_interval_seconds)

    async def _send_outbox(self, socket: WebSocket) -> None:
        pause = 1.0 / self._settings.frames_per_second
        with suppress(ConnectionError):
            while True:
                while self._outbox:
                    await socket.send_str(self._outbox.popleft().decode())
                    await asyncio.sleep(pause)
                self._outbox_filled.clear()
                await self._outbox_filled.wait()
