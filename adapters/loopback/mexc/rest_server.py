"""The HTTP side: every request is limited, checked, carried out, disturbed by faults, answered and logged."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.loopback.faults import Fault
from adapters.loopback.matching.order import Refused
from adapters.loopback.mexc import account_rest, market_rest, order_rest, query_rest, trigger_rest
from adapters.loopback.mexc.calls import NO_DATA, Call, Route
from adapters.loopback.mexc.codes import PARAMETER, REFUSALS, TOO_FREQUENT, ApiError
from adapters.loopback.mexc.signature import PERMISSIONS, check_request
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import decode, encode, failure, success
from adapters.loopback.wire_log import Exchanged

ROUTES = (*market_rest.ROUTES, *order_rest.ROUTES, *query_rest.ROUTES, *account_rest.ROUTES, *trigger_rest.ROUTES)
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
NEVER_ANSWERED = 0


@dataclass(frozen=True)
class Answer:
    """What goes back: status 0 closes the connection without a word."""

    status: int
    text: str
    fault: str = ""


class RestServer:
    """Serves the routes on a venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def register(self, app: web.Application) -> None:
        """Add all routes to an application."""
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._handler(route))

    def _handler(self, route: Route) -> Any:
        async def handle(request: web.Request) -> web.Response:
            return await self._serve(route, request)

        return handle

    async def _serve(self, route: Route, request: web.Request) -> web.Response:
        body = await request.text()
        account, answer = self._answer(route, request, body)
        self._log(request, account, body, answer)
        if self._venue.faults.happens(Fault.DELAY_REPLY, route.path):
            await asyncio.sleep(self._venue.faults.delay(Fault.DELAY_REPLY))
        if answer.status == NEVER_ANSWERED and request.transport is not None:
            request.transport.abort()
        is_json = answer.text.startswith("{")
        return web.Response(
            status=answer.status or 500,
            text=answer.text,
            content_type="application/json" if is_json else "text/html",
        )

    def _answer(self, route: Route, request: web.Request, body: str) -> tuple[str, Answer]:
        """(account, answer): what is done and what is said, faults included."""
        faults = self._venue.faults
        if faults.happens(Fault.ERROR_BEFORE, route.path):
            return "", Answer(502, BAD_GATEWAY, Fault.ERROR_BEFORE.name)
        if faults.happens(Fault.RATE_LIMITED, route.path):
            return "", self._refusal(ApiError(TOO_FREQUENT), Fault.RATE_LIMITED.name)
        account = ""
        try:
            self._limit(route, request)
            account = self._authorise(route, request, body)
            data = route.handler(self._call(request, body, account))
        except ApiError as error:
            return account, self._refusal(error)
        except Refused as refusal:
            return account, self._refusal(ApiError(*REFUSALS[refusal.reason]))
        if faults.happens(Fault.LOST_ACK, route.path):
            return account, Answer(NEVER_ANSWERED, "", Fault.LOST_ACK.name)
        if faults.happens(Fault.ERROR_AFTER, route.path):
            return account, Answer(502, BAD_GATEWAY, Fault.ERROR_AFTER.name)
        return account, Answer(200, encode(success(data, with_data=data is not NO_DATA)))

    def _refusal(self, error: ApiError, fault: str = "") -> Answer:
        status = self._venue.assumptions.too_frequent_status if error.code == TOO_FREQUENT else 200
        return Answer(status, encode(failure(error.code, error.message)), fault)

    def _limit(self, route: Route, request: web.Request) -> None:
        who = request.headers.get("ApiKey") or request.remote or ""
        now_ms = time.monotonic_ns() // 1_000_000  # not the venue's clock, which faults may set back
        if not self._venue.limiter.allows(who, route.path, route.limit, now_ms):
            raise ApiError(TOO_FREQUENT)

    def _authorise(self, route: Route, request: web.Request, body: str) -> str:
        if not route.permission:
            return ""
        raw_query = request.rel_url.raw_query_string
        key = check_request(self._venue.keys, request.headers, route.method, raw_query, body, self._venue.now_ms())
        if route.permission not in key.permissions:
            raise ApiError(route.permission, PERMISSIONS[route.permission])
        return key.account

    def _call(self, request: web.Request, body: str, account: str) -> Call:
        try:
            decoded = decode(body) if body else {}
        except ValueError:
            raise ApiError(PARAMETER, "the body is no JSON") from None
        return Call(self._venue, request.match_info, dict(request.query), decoded, account)

    def _log(self, request: web.Request, account: str, body: str, answer: Answer) -> None:
        self._venue.wire.entries.append(
            Exchanged(
                self._venue.now_ms(),
                account,
                request.method,
                request.path,
                request.rel_url.raw_query_string,
                body,
                answer.status,
                answer.text,
                answer.fault,
            )
        )
