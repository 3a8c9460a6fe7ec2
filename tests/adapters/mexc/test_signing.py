"""Signatures: against vectors, and what exactly is signed."""

from decimal import Decimal

import msgspec

from adapters.mexc.credentials import Credentials
from adapters.mexc.signing import json_body, login_frame, query_string, signature, signed_headers
from tests.adapters.mexc.recorded_payloads import document, needs_fixtures

KEY = Credentials("key-1", "secret-1")


@needs_fixtures
def test_rest_vectors() -> None:
    """GET with and without parameters, and POST, are signed as computed by the recipe."""
    vectors = document("derived_signing_vectors")
    key = Credentials(vectors["api_key"], vectors["secret"])
    for name, text in (("get", "param_string"), ("get_no_params", "param_string"), ("post", "body")):
        vector = vectors[name]
        assert signature(key, vectors["request_time"], vector[text]) == vector["signature"], name
    headers = signed_headers(key, int(vectors["request_time"]), vectors["get"]["param_string"])
    assert headers == {
        "ApiKey": vectors["api_key"],
        "Request-Time": vectors["request_time"],
        "Signature": vectors["get"]["signature"],
        "Content-Type": "application/json",
    }


@needs_fixtures
def test_login_vectors() -> None:
    """The socket's login is signed over key and time alone; a third party's vector agrees."""
    vectors = document("derived_signing_vectors")
    frame = msgspec.json.decode(login_frame(Credentials(vectors["api_key"], vectors["secret"]), 1761888808000))
    assert frame == {
        "method": "login",
        "param": {
            "apiKey": vectors["api_key"],
            "reqTime": "1761888808000",
            "signature": vectors["ws_login"]["signature"],
        },
    }
    other = vectors["third_party_ws_login_vector"]
    assert signature(Credentials(other["api_key"], other["secret"]), other["req_time"]) == other["signature"]


@needs_fixtures
def test_query_of_the_vector() -> None:
    """The vector's query comes out of its parameters, whatever their order."""
    parameters = {"symbol": "BTC_USDT", "page_size": 20, "page_num": 1, "end_time": 1761912240000}
    assert (
        query_string({"start_time": 1761888000000, **parameters})
        == document("derived_signing_vectors")["get"]["param_string"]
    )


def test_query_is_sorted_encoded_and_without_nulls() -> None:
    """Sorted by name; None is left out; blanks, commas and slashes are percent-encoded."""
    assert query_string({"b": "x y", "a": None, "c": "1,2/3+4"}) == "b=x%20y&c=1%2C2%2F3%2B4"
    assert query_string({"ids": ["1", "22"], "on": True, "off": False}) == "ids=1%2C22&off=false&on=true"
    assert query_string({"price": Decimal("1E-7")}) == "price=0.0000001"
    assert query_string({}) == ""


def test_body_has_plain_numbers() -> None:
    """Decimals are JSON numbers without exponent, keys keep their order, lists and nested objects too."""
    body = {"vol": Decimal("1E+3"), "price": Decimal("0.00001"), "more": [{"p": Decimal("7.5E+4")}, "x"], "n": None}
    assert json_body(body) == b'{"vol":1000,"price":0.00001,"more":[{"p":75000},"x"],"n":null}'
    assert json_body(["1", "2"]) == b'["1","2"]'


def test_receive_window_is_sent_only_when_asked() -> None:
    """Its unit is disputed, so by default it is not there."""
    assert "Recv-Window" not in signed_headers(KEY, 1, "")
    assert signed_headers(KEY, 1, "", 30)["Recv-Window"] == "30"
