"""The REST client: signs, waits its turn, repeats reads, and never repeats what changes something."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from adapters.mexc import endpoints
from adapters.mexc.assumptions import RECV_WINDOW_SECONDS
from adapters.mexc.backoff import Backoff
from adapters.mexc.circuit_breaker import CircuitBreaker
from adapters.mexc.clock_sync import ClockSync, PingSample
from adapters.mexc.credentials import Credentials
from adapters.mexc.endpoints import Endpoint, Method, Priority
from adapters.mexc.envelope import Answer, Verdict, judge, retry_after
from adapters.mexc.error_codes import CLOCK_CODE
from adapters.mexc.errors import (
    MexcBusyError,
    MexcError,
    MexcKeyError,
    MexcNotSentError,
    MexcPayloadError,
    MexcUnavailableError,
    MexcUnknownOutcomeError,
)
from adapters.mexc.http_transport import HttpTransport, NoConnectionError, NoReplyError
from adapters.mexc.request_gate import RequestGate
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.signing import Parameter, json_body, query_string, signed_headers
from adapters.mexc.wire_numbers import millis

READ_ATTEMPTS = 4
READ_BACKOFF = Backoff(0.25, 8.0)
BUSY_BACKOFF = Backoff(1.0, 30.0)
BAN_BACKOFF = Backoff(5.0, 300.0)
CLOCK_SYNC_SECONDS = 120.0
CLOCK_SYNC_PINGS = 3
MAX_WAIT_SECONDS = {Priority.CANCEL: 10.0, Priority.CREATE: 5.0, Priority.ACCOUNT: 30.0, Priority.MARKET: 120.0}
"""How long a request may wait for its turn. An order that is late by more is not worth sending."""


@dataclass(frozen=True)
class CallRecord:
    """One request, for metrics. `outcome` is a verdict's name, or "no_connection", "no_reply", "held_back"."""

    endpoint: str
    outcome: str
    seconds: float
    code: int


@dataclass(frozen=True)
class _Request:
    endpoint: Endpoint
    path: str
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class _Exchange:
    answer: Answer
    sent_ns: int
    received_ns: int


class RestClient:
    """MEXC's contract REST API. One instance for all clients of a process, so that they share limits and breaker.

    `get` and `post` return the decoded ``data`` (None where the reply has none), or raise a subclass of
    :class:`MexcError`. `now_ns` is UNIX ns; `on_call` is told of every request.
    """

    def __init__(
        self,
        transport: HttpTransport,
        *,
        gate: RequestGate | None = None,
        breaker: CircuitBreaker | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._transport = transport
        self._gate = gate or RequestGate()
        self._breaker = breaker or CircuitBreaker()
        self._now_ns = now_ns
        self._on_call = on_call
        self._credentials: Credentials | None = None
        self._clock_task: asyncio.Task[None] | None = None
        self._holders = 0
        self._busy_in_row: dict[str, int] = {}
        self._bans_in_row = 0
        self.clock = ClockSync()

    def sign_with(self, credentials: Credentials) -> None:
        """Use this key for private requests."""
        self._credentials = credentials

    @property
    def has_credentials(self) -> bool:
        return self._credentials is not None

    async def start(self) -> None:
        """Make ready, and keep the clock set from now on. Every `start` needs its `stop`: the last one closes."""
        self._holders += 1
        if self._holders == 1:
            self._transport.open()
            self._clock_task = asyncio.create_task(self._keep_clock(), name="mexc-clock")

    async def stop(self) -> None:
        """Let go; closes the connections when nobody else holds them."""
        self._holders -= 1
        if self._holders == 0 and self._clock_task is not None:
            self._clock_task.cancel()
            await self._transport.close()

    def venue_ms(self) -> int:
        """The venue's time now, UNIX milliseconds."""
        return self.clock.venue_ms(self._now_ns())

    async def get[T](
        self,
        endpoint: Endpoint,
        into: type[T],
        *,
        path: Mapping[str, str] | None = None,
        parameters: Mapping[str, Parameter] | None = None,
    ) -> T | None:
        """Ask. Repeated on failure; MexcUnavailableError when no try was answered."""
        filled = endpoint.path.format_map({name: quote(part, safe="") for name, part in (path or {}).items()})
        exchange = await self._ask(_Request(endpoint, filled, query_string(parameters or {})))
        return _data(exchange.answer, into, endpoint)

    async def post[T](
        self, endpoint: Endpoint, body: object, into: type[T], *, max_wait_seconds: float | None = None
    ) -> T | None:
        """Change something, once. MexcUnknownOutcomeError when it was sent and the venue's decision is not known.

        A reply that says success but cannot be read is an unknown outcome too. MexcNotSentError: nothing happened,
        for want of a connection, of the breaker's leave, or of a turn within `max_wait_seconds`.
        """
        request = _Request(endpoint, endpoint.path, body=b"" if body is None else json_body(body))
        if endpoint.repeatable:
            return _data((await self._ask(request)).answer, into, endpoint)
        exchange = await self._change(request, max_wait_seconds)
        try:
            return _data(exchange.answer, into, endpoint)
        except MexcPayloadError as error:
            sent_ms = self.clock.venue_ms(exchange.sent_ns)
            raise MexcUnknownOutcomeError(endpoint.name, sent_ms, f"accepted, but {error}") from error

    async def sync_clock(self) -> None:
        """Compare clocks with the venue, `CLOCK_SYNC_PINGS` times. An exchange during which this machine's clock was
        set back says nothing; MexcUnavailableError when there is no other."""
        ping = _Request(endpoints.PING, endpoints.PING.path)
        for _ in range(CLOCK_SYNC_PINGS):
            exchange = await self._ask(ping)
            venue_ms = millis(decode(exchange.answer.data, int, endpoints.PING.name), endpoints.PING.name, "data")
            if exchange.received_ns >= exchange.sent_ns:
                self.clock.add(PingSample(exchange.sent_ns, exchange.received_ns, venue_ms))
        if not self.clock.synced:
            raise MexcUnavailableError("clock not synced: it was set back during every ping")

    async def _keep_clock(self) -> None:
        while True:
            await self._try_sync()
            await asyncio.sleep(CLOCK_SYNC_SECONDS)

    async def _try_sync(self) -> None:
        """Without a sync the last one holds, and a refused time (513) brings the next."""
        try:
            await self.sync_clock()
        except MexcError as error:
            self._note(endpoints.PING, f"clock not synced: {type(error).__name__}")

    async def _ask(self, request: _Request) -> _Exchange:
        """Send until it is answered, `READ_ATTEMPTS` times at most."""
        last: Exception | None = None
        for attempt in range(READ_ATTEMPTS):
            try:
                exchange = await self._exchange(request, None)
            except (MexcUnknownOutcomeError, MexcNotSentError) as error:
                last = error
            else:
                if exchange.answer.error is None:
                    return exchange
                last = exchange.answer.error
                if last.code == CLOCK_CODE and request.endpoint.private and attempt == 0:
                    await self._reset_clock()
                    continue
                if exchange.answer.verdict is Verdict.REFUSED:
                    raise last
            await asyncio.sleep(READ_BACKOFF.seconds(attempt))
        raise MexcUnavailableError(f"{request.endpoint.name}: no answer in {READ_ATTEMPTS} tries: {last}") from last

    async def _change(self, request: _Request, max_wait_seconds: float | None) -> _Exchange:
        """Send once."""
        exchange = await self._exchange(request, max_wait_seconds)
        error = exchange.answer.error
        if error is None:
            return exchange
        if exchange.answer.verdict is Verdict.REFUSED:
            if error.code == CLOCK_CODE:
                await self._reset_clock()
            raise error
        sent_ms = self.clock.venue_ms(exchange.sent_ns)
        raise MexcUnknownOutcomeError(request.endpoint.name, sent_ms, str(error)) from error

    async def _reset_clock(self) -> None:
        self.clock.forget()
        await self._try_sync()

    async def _exchange(self, request: _Request, max_wait_seconds: float | None) -> _Exchange:
        """One request and its judged reply, after its turn has come."""
        endpoint = request.endpoint
        wait = MAX_WAIT_SECONDS[endpoint.priority] if max_wait_seconds is None else max_wait_seconds
        async with self._gate.turn(endpoint, wait):
            sent_ns = self._now_ns()
            headers = self._headers(request, sent_ns)
            self._check_breaker(endpoint)
            answer = await self._send(request, headers, sent_ns)
            received_ns = self._now_ns()
            self._learn(endpoint, answer)
            return _Exchange(answer, sent_ns, received_ns)

    async def _send(self, request: _Request, headers: dict[str, str], sent_ns: int) -> Answer:
        endpoint = request.endpoint
        body = request.body if endpoint.method is Method.POST else None
        now = asyncio.get_running_loop().time
        try:
            reply = await self._transport.send(endpoint.method, request.path, request.query, body, headers)
        except NoConnectionError as error:
            self._breaker.failed(now())
            self._note(endpoint, "no_connection")
            raise MexcNotSentError(f"{endpoint.name}: no connection to the venue: not sent: {error}") from error
        except NoReplyError as error:
            self._breaker.failed(now())
            self._note(endpoint, "no_reply")
            raise MexcUnknownOutcomeError(endpoint.name, self.clock.venue_ms(sent_ns), str(error)) from error
        except BaseException:
            self._breaker.abandoned(now())
            raise
        answer = judge(endpoint.name, reply.status, reply.body, retry_after(reply.retry_after))
        self._note(endpoint, answer.verdict, reply.seconds, answer.error.code if answer.error else 0)
        return answer

    def _headers(self, request: _Request, sent_ns: int) -> dict[str, str]:
        if not request.endpoint.private:
            return {"Content-Type": "application/json"}
        if self._credentials is None:
            raise MexcKeyError(
                f"{request.endpoint.name} is private, and there is no API key: set it in the environment"
            )
        parameters = request.body if request.endpoint.method is Method.POST else request.query
        return signed_headers(self._credentials, self.clock.venue_ms(sent_ns), parameters, RECV_WINDOW_SECONDS)

    def _check_breaker(self, endpoint: Endpoint) -> None:
        now = asyncio.get_running_loop().time()
        if not self._breaker.admits(now, urgent=endpoint.priority is Priority.CANCEL):
            self._note(endpoint, "held_back")
            seconds = max(0.0, self._breaker.retry_at() - now)
            raise MexcNotSentError(
                f"{endpoint.name}: the venue is failing, and requests are held back for {seconds:.1f} s: not sent"
            )

    def _learn(self, endpoint: Endpoint, answer: Answer) -> None:
        """Let limits and breaker know what the venue said."""
        now = asyncio.get_running_loop().time()
        if answer.venue_failed:
            self._breaker.failed(now)
        else:
            self._breaker.succeeded(now)
        if not isinstance(answer.error, MexcBusyError):
            self._busy_in_row.pop(endpoint.name, None)
            self._bans_in_row = 0
        elif answer.banned:
            self._gate.pause_all(BAN_BACKOFF.seconds(self._bans_in_row, answer.error.retry_after_seconds))
            self._bans_in_row += 1
        else:
            in_row = self._busy_in_row.get(endpoint.name, 0)
            self._gate.pause(endpoint, BUSY_BACKOFF.seconds(in_row, answer.error.retry_after_seconds))
            self._busy_in_row[endpoint.name] = in_row + 1

    def _note(self, endpoint: Endpoint, outcome: str, seconds: float = 0.0, code: int = 0) -> None:
        if self._on_call is not None:
            self._on_call(CallRecord(endpoint.name, str(outcome), seconds, code))


def _data[T](answer: Answer, into: type[T], endpoint: Endpoint) -> T | None:
    return None if answer.data in (b"", b"null") else decode(answer.data, into, endpoint.name)
