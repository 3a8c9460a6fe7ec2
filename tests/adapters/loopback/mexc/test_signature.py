"""Signatures, the time window and permissions: by the vectors of the reference, and on the wire."""

import json
import time
from pathlib import Path

import aiohttp
import pytest

from adapters.loopback.mexc.codes import ApiError
from adapters.loopback.mexc.signature import ApiKey, check_login, check_request, parameter_string, sign
from tests.adapters.loopback.mexc.client import Client, quiet_venue, run

VECTORS = Path(__file__).parents[4].parent / "shared" / "fixtures" / "mexc" / "derived_signing_vectors.json"


@pytest.mark.skipif(not VECTORS.is_file(), reason="the recorded payloads are not beside this checkout")
def test_the_vectors_of_the_reference() -> None:
    """GET, GET without parameters, POST and login, as computed by others."""
    vectors = json.loads(VECTORS.read_text())
    secret = vectors["secret"]
    for name in ("get", "get_no_params", "post", "ws_login"):
        assert sign(secret, vectors[name]["target"]) == vectors[name]["signature"], name
    other = vectors["third_party_ws_login_vector"]
    assert sign(other["secret"], other["api_key"] + other["req_time"]) == other["signature"]
    keys = {vectors["api_key"]: ApiKey(vectors["api_key"], secret)}
    now = int(vectors["request_time"])
    headers = {"ApiKey": vectors["api_key"], "Request-Time": vectors["request_time"]}
    get, post = vectors["get"], vectors["post"]
    check_request(keys, headers | {"Signature": get["signature"]}, "GET", get["param_string"], "", now)
    check_request(keys, headers | {"Signature": post["signature"]}, "POST", "", post["body"], now)
    check_login(keys, vectors["api_key"], vectors["request_time"], vectors["ws_login"]["signature"], now)


def test_a_query_is_signed_by_sorted_keys_and_as_it_was_encoded() -> None:
    assert parameter_string("GET", "b=2&a=1%2C2&c=", "") == "a=1%2C2&b=2&c="
    assert parameter_string("POST", "b=2", '{"z":1}') == '{"z":1}'


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ApiKey": "another"}, 401),
        ({"Request-Time": "0"}, 513),
        ({"Request-Time": "soon"}, 513),
        ({"Signature": "0" * 64}, 602),
    ],
)
def test_what_is_wrong_has_its_code(change: dict[str, str], code: int) -> None:
    keys = {"k": ApiKey("k", "s")}
    headers = {"ApiKey": "k", "Request-Time": "1000", "Signature": sign("s", "k1000")}
    check_request(keys, headers, "GET", "", "", 10_999)
    with pytest.raises(ApiError) as caught:
        check_request(keys, headers | change, "GET", "", "", 11_000)
    assert caught.value.code == code


def test_the_window_is_ten_seconds_unless_the_client_asks_for_another() -> None:
    keys = {"k": ApiKey("k", "s")}
    headers = {"ApiKey": "k", "Request-Time": "100000", "Signature": sign("s", "k100000")}
    for now in (90_000, 110_000):
        check_request(keys, headers, "GET", "", "", now)
    for now in (89_999, 110_001):
        with pytest.raises(ApiError):
            check_request(keys, headers, "GET", "", "", now)
    check_request(keys, headers | {"Recv-Window": "60"}, "GET", "", "", 160_000)
    with pytest.raises(ApiError):
        check_request(keys, headers | {"Recv-Window": "600"}, "GET", "", "", 160_001)


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(ApiKey("k", "hush"))


def test_refusals_on_the_wire_are_answers_of_the_venue() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            for headers, code in (
                ({}, 401),
                (client.headers("", at_ms=int(time.time() * 1000) - 11_000), 513),
                (client.headers("", signed_by="forged"), 602),
                (client.headers("a=1"), 602),
            ):
                status, body = await _assets(client, headers)
                assert (status, body["success"], body["code"]) == (200, False, code)
                assert "data" not in body

    run(test())


def test_a_key_needs_the_permission() -> None:
    reader = ApiKey("reader", "secret", permissions=frozenset({701, 703}))

    async def test() -> None:
        async with quiet_venue(keys=[reader]) as client:
            assert (await client.private("account/assets"))["success"]
            assert (await client.create(1, 1))["code"] == 704

    run(test())


async def _assets(client: Client, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
    url = f"{client.venue.rest_url}/api/v1/private/account/assets"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.json()
