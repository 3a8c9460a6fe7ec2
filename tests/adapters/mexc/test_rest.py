"""The REST client against a scripted venue: what is sent, what is repeated, and what never is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.mexc import endpoints, rest
from adapters.mexc.backoff import Backoff
from adapters.mexc.circuit_breaker import BreakerRule, CircuitBreaker
from adapters.mexc.credentials import Credentials
from adapters.mexc.endpoints import CANCEL_ORDERS, CREATE_ORDER, DEPTH, KLINE, OPEN_ORDERS, ORDER_BY_CLIENT_ID
from adapters.mexc.errors import (
    MexcClockError,
    MexcFundsError,
    MexcKeyError,
    MexcNotSentError,
    MexcParameterError,
    MexcPayloadError,
    MexcUnavailableError,
    MexcUnknownOutcomeError,
)
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.rest import CallRecord, RestClient
from adapters.mexc.signing import signature
from tests.adapters.mexc.local_venue import LocalHttp, refused, run, serving, success

KEY = Credentials("key-1", "secret-1")
ORDER = {"symbol": "BTC_USDT", "vol": 1}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoffs of milliseconds: the steps are tested where they are pure."""
    for name in ("READ_BACKOFF", "BUSY_BACKOFF", "BAN_BACKOFF"):
        monkeypatch.setattr(rest, name, Backoff(0.001, 0.002))


@asynccontextmanager
async def client(venue: LocalHttp, *, key: bool = True, **options: object) -> AsyncIterator[RestClient]:
    async with serving(venue.handle) as address:
        made = RestClient(HttpTransport(f"http://{address}", timeout_seconds=2.0), **options)  # type: ignore[arg-type]
        if key:
            made.sign_with(KEY)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()


def test_a_signed_get_is_signed_over_what_is_sent() -> None:
    """Sorted and encoded query; the path is filled in, encoded, and not part of the signature."""
    venue = LocalHttp([lambda: success("[1,2]")])

    async def story() -> list[int] | None:
        async with client(venue) as made:
            return await made.get(
                ORDER_BY_CLIENT_ID,
                list[int],
                path={"symbol": "BTC_USDT", "external_oid": "a/b"},
                parameters={"b": "x y", "a": "1,2", "none": None},
            )

    assert run(story()) == [1, 2]
    (seen,) = venue.seen
    assert (seen.method, seen.path, seen.query) == (
        "GET",
        "/api/v1/private/order/external/BTC_USDT/a%2Fb",
        "a=1%2C2&b=x%20y",
    )
    assert seen.headers["ApiKey"] == "key-1"
    assert seen.headers["Signature"] == signature(KEY, seen.headers["Request-Time"], seen.query)
    assert seen.headers["User-Agent"] == "crossflow/0.1"
    assert "Recv-Window" not in seen.headers


def test_a_post_is_signed_over_its_very_bytes() -> None:
    """The body that arrives is the one that was signed."""
    venue = LocalHttp([lambda: success('{"orderId":"7"}')])

    async def story() -> dict[str, str] | None:
        async with client(venue) as made:
            return await made.post(CREATE_ORDER, ORDER, dict[str, str])

    assert run(story()) == {"orderId": "7"}
    (seen,) = venue.seen
    assert seen.body == b'{"symbol":"BTC_USDT","vol":1}'
    assert seen.headers["Signature"] == signature(KEY, seen.headers["Request-Time"], seen.body)
    assert seen.headers["Content-Type"] == "application/json"


def test_requests_carry_the_venues_time() -> None:
    """After a ping, Request-Time is the venue's clock, not this machine's."""
    venue = LocalHttp([success])

    async def story() -> None:
        async with client(venue) as made:
            await made.sync_clock()
            await made.get(OPEN_ORDERS, list[int])

    run(story())
    assert abs(int(venue.seen[0].headers["Request-Time"]) - 1761875313209) < 60_000


def test_public_requests_are_not_signed() -> None:
    """No header of the key, with and without one."""
    venue = LocalHttp([success])

    async def story() -> None:
        async with client(venue) as made:
            await made.get(DEPTH, dict, path={"symbol": "BTC_USDT"}, parameters={"limit": 5})

    run(story())
    assert venue.seen[0].path == "/api/v1/contract/depth/BTC_USDT"
    assert not {"ApiKey", "Signature", "Request-Time"} & venue.seen[0].headers.keys()


def test_private_requests_need_a_key() -> None:
    """Nothing is sent without one, and the breaker does not suffer."""
    venue = LocalHttp([success])

    async def story() -> None:
        async with client(venue, key=False) as made:
            for _ in range(9):
                with pytest.raises(MexcKeyError, match="no API key"):
                    await made.get(OPEN_ORDERS, list[int])

    run(story())
    assert venue.seen == []


@pytest.mark.parametrize(
    "failure",
    [
        lambda: refused(510),
        lambda: refused(500),
        lambda: refused(510, 429, {"Retry-After": "0"}),
        lambda: web.Response(status=502, text="<html>"),
        lambda: web.Response(status=403, text="<html>"),
        lambda: None,
    ],
)
def test_reads_are_repeated(failure: object) -> None:
    """Too many requests, a gateway's error, a page of the edge, a dropped connection: the third try is answered."""
    venue = LocalHttp([failure, failure, lambda: success("[3]")])  # type: ignore[list-item]

    async def story() -> list[int] | None:
        async with client(venue) as made:
            return await made.get(OPEN_ORDERS, list[int])

    assert run(story()) == [3]
    assert len(venue.seen) == 3


def test_reads_give_up_with_the_last_reason() -> None:
    """Four tries, then MexcUnavailableError."""
    venue = LocalHttp([lambda: refused(510)])

    async def story() -> None:
        async with client(venue) as made:
            with pytest.raises(MexcUnavailableError, match=r"no answer in 4 tries: .*510"):
                await made.get(OPEN_ORDERS, list[int])

    run(story())
    assert len(venue.seen) == 4


def test_refused_reads_are_not_repeated() -> None:
    """A wrong parameter stays wrong."""
    venue = LocalHttp([lambda: refused(600)])

    async def story() -> None:
        async with client(venue) as made:
            with pytest.raises(MexcParameterError):
                await made.get(KLINE, dict, path={"symbol": "X"})

    run(story())
    assert len(venue.seen) == 1


@pytest.mark.parametrize(
    "failure",
    [
        lambda: refused(500),
        lambda: refused(510),
        lambda: refused(2037),
        lambda: web.Response(status=502, text="<html>"),
        lambda: web.Response(status=403, text="<html>"),
        lambda: web.Response(status=429),
        lambda: web.Response(status=404),
        lambda: web.Response(text="not json"),
        lambda: success('{"orderId":[]}'),
        lambda: None,
    ],
)
@pytest.mark.parametrize("endpoint", [CREATE_ORDER, CANCEL_ORDERS])
def test_what_changes_something_is_sent_once_and_its_outcome_unknown(
    failure: object, endpoint: endpoints.Endpoint
) -> None:
    """Whatever is not a clear answer: one request on the wire, and an error that says what is not known."""
    venue = LocalHttp([failure])  # type: ignore[list-item]

    async def story() -> MexcUnknownOutcomeError:
        async with client(venue) as made:
            await made.sync_clock()
            with pytest.raises(MexcUnknownOutcomeError) as caught:
                await made.post(endpoint, ORDER, dict[str, str])
            return caught.value

    error = run(story())
    assert len(venue.seen) == 1
    assert error.endpoint == endpoint.name
    assert error.sent_ms == int(venue.seen[0].headers["Request-Time"])


def test_a_post_without_reply_in_time_is_unknown() -> None:
    """The venue hangs: the outcome is unknown, and nothing is sent again."""

    async def story() -> int:
        asked = 0

        async def hang(request: web.Request) -> web.Response:
            nonlocal asked
            asked += request.method == "POST"
            await asyncio.sleep(1.0 if request.method == "POST" else 0.0)
            return success("1761875313209")

        async with serving(hang) as address:
            made = RestClient(HttpTransport(f"http://{address}", timeout_seconds=0.1))
            made.sign_with(KEY)
            await made.start()
            with pytest.raises(MexcUnknownOutcomeError):
                await made.post(CREATE_ORDER, ORDER, dict)
            await made.stop()
        return asked

    assert run(story()) == 1


def test_a_clear_refusal_is_one() -> None:
    """Funds: the order does not exist, and the operator knows what to do."""
    venue = LocalHttp([lambda: refused(2005)])

    async def story() -> None:
        async with client(venue) as made:
            with pytest.raises(MexcFundsError, match="add margin"):
                await made.post(CREATE_ORDER, ORDER, dict)

    run(story())


def test_without_a_connection_nothing_was_sent() -> None:
    """A create that could not connect certainly did nothing."""

    async def story() -> None:
        made = RestClient(HttpTransport("http://127.0.0.1:9", timeout_seconds=0.5))
        made.sign_with(KEY)
        await made.start()
        with pytest.raises(MexcNotSentError, match="no connection"):
            await made.post(CREATE_ORDER, ORDER, dict)
        await made.stop()
        with pytest.raises(MexcNotSentError, match="not started"):
            await made.post(CREATE_ORDER, ORDER, dict)

    run(story())


def test_a_refused_clock_is_set_anew() -> None:
    """Code 513: a read is repeated with the new time, a create is refused, and the clock is right for the next."""
    venue = LocalHttp([lambda: refused(513), lambda: success("[1]"), lambda: refused(513)])

    async def story() -> tuple[int, int]:
        async with client(venue) as made:
            assert await made.get(OPEN_ORDERS, list[int]) == [1]
            before = venue.pings
            with pytest.raises(MexcClockError):
                await made.post(CREATE_ORDER, ORDER, dict)
            return before, venue.pings

    before, after = run(story())
    assert after >= before + 3
    assert len(venue.seen) == 3


def test_an_open_breaker_lets_only_cancels_through() -> None:
    """After failures nothing is sent but cancels; the error says that nothing was."""
    venue = LocalHttp([lambda: web.Response(status=502)])
    breaker = CircuitBreaker(BreakerRule(failures=2, first_open_seconds=60.0))

    async def story() -> int:
        async with client(venue, breaker=breaker) as made:
            for _ in range(2):
                with pytest.raises(MexcUnknownOutcomeError):
                    await made.post(CREATE_ORDER, ORDER, dict)
            sent = len(venue.seen)
            with pytest.raises(MexcNotSentError, match="held back"):
                await made.post(CREATE_ORDER, ORDER, dict)
            assert len(venue.seen) == sent
            with pytest.raises(MexcUnknownOutcomeError):
                await made.post(CANCEL_ORDERS, ["1"], list)
            return len(venue.seen) - sent

    assert run(story()) == 1


def test_refusals_are_no_failures_of_the_venue() -> None:
    """A hundred wrong orders do not open the breaker."""
    venue = LocalHttp([lambda: refused(2011)])

    async def story() -> None:
        async with client(venue, breaker=CircuitBreaker(BreakerRule(failures=2))) as made:
            for _ in range(4):
                with pytest.raises(MexcParameterError):
                    await made.post(CREATE_ORDER, ORDER, dict)

    run(story())


def test_an_unreadable_reply_names_endpoint_and_field() -> None:
    """Not a stack of the decoder's."""
    venue = LocalHttp([lambda: success('["x"]')])

    async def story() -> None:
        async with client(venue) as made:
            with pytest.raises(MexcPayloadError, match=r"order/list/open_orders: \[0\]: Expected `int`, got `str`"):
                await made.get(OPEN_ORDERS, list[int])

    run(story())


def test_every_exchange_is_told() -> None:
    """For metrics: endpoint, outcome, code."""
    venue = LocalHttp([lambda: refused(510), lambda: success("[]"), lambda: refused(2005)])
    calls: list[CallRecord] = []

    async def story() -> None:
        async with client(venue, on_call=calls.append) as made:
            await made.get(OPEN_ORDERS, list[int])
            with pytest.raises(MexcFundsError):
                await made.post(CREATE_ORDER, ORDER, dict)

    run(story())
    told = [(c.endpoint, c.outcome, c.code) for c in calls if c.endpoint != "ping"]
    assert told == [
        ("order/list/open_orders", "unsure", 510),
        ("order/list/open_orders", "success", 0),
        ("order/create", "refused", 2005),
    ]


def test_no_error_shows_the_key() -> None:
    """Neither messages nor causes of any error carry key, secret or signature."""
    venue = LocalHttp([lambda: None])

    async def story() -> list[BaseException]:
        async with client(venue) as made:
            with pytest.raises(MexcUnavailableError) as read:
                await made.get(OPEN_ORDERS, list[int])
            with pytest.raises(MexcUnknownOutcomeError) as change:
                await made.post(CREATE_ORDER, ORDER, dict)
            return [read.value, change.value]

    hidden = ("key-1", "secret-1")
    for error in run(story()):
        chain: BaseException | None = error
        while chain is not None:
            assert not any(word in repr(chain) + str(chain) for word in (*hidden, venue.seen[0].headers["Signature"]))
            chain = chain.__cause__


def test_the_last_holder_closes() -> None:
    """Two clients share one REST client: it works until both have let go."""
    venue = LocalHttp([lambda: success("[5]")])

    async def story() -> None:
        async with client(venue) as made:
            await made.start()
            await made.stop()
            assert await made.get(OPEN_ORDERS, list[int]) == [5]

    run(story())
