"""Signatures of MEXC's contract API: HMAC-SHA256 over key, time and parameters, in lowercase hex.

Source: MEXC contract API, "Authentication". ``target = apiKey + requestTime + paramString``; the parameters of a GET
are sorted by name and percent-encoded, those of a POST are the bytes of the body as sent. Parts of the path are not
signed.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

import msgspec

from adapters.mexc.credentials import Credentials

type Parameter = str | int | Decimal | bool | Sequence[str | int] | None

_body_encoder = msgspec.json.Encoder(decimal_format="number")


def query_string(parameters: Mapping[str, Parameter]) -> str:
    """The query exactly as it is signed and sent: sorted by name, None left out, lists joined by commas, encoded."""
    return "&".join(
        f"{quote(name, safe='')}={quote(_text(value), safe='')}"
        for name, value in sorted(parameters.items())
        if value is not None
    )


def json_body(body: object) -> bytes:
    """The body exactly as it is signed and sent. Decimals become plain JSON numbers, never in exponent form."""
    return _body_encoder.encode(_without_exponents(body))


def signature(credentials: Credentials, request_time: str, parameters: bytes | str = b"") -> str:
    """The signature of one request. `request_time` is UNIX milliseconds, as the text that is sent along."""
    text = parameters.encode() if isinstance(parameters, str) else parameters
    target = (credentials.api_key + request_time).encode() + text
    return hmac.new(credentials.secret, target, hashlib.sha256).hexdigest()


def signed_headers(
    credentials: Credentials, request_time_ms: int, parameters: bytes | str, recv_window: int | None = None
) -> dict[str, str]:
    """The headers of a private request; `parameters` is its query string (GET) or its body (POST)."""
    request_time = str(request_time_ms)
    headers = {
        "ApiKey": credentials.api_key,
        "Request-Time": request_time,
        "Signature": signature(credentials, request_time, parameters),
        "Content-Type": "application/json",
    }
    if recv_window is not None:
        headers["Recv-Window"] = str(recv_window)
    return headers


def login_frame(credentials: Credentials, request_time_ms: int) -> bytes:
    """The frame that logs a socket in; after it the venue pushes everything private."""
    request_time = str(request_time_ms)
    parameters = {
        "apiKey": credentials.api_key,
        "reqTime": request_time,
        "signature": signature(credentials, request_time),
    }
    return msgspec.json.encode({"method": "login", "param": parameters})


def _without_exponents(value: object) -> object:
    if isinstance(value, Decimal):
        return Decimal(f"{value:f}")
    if isinstance(value, Mapping):
        return {key: _without_exponents(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_exponents(item) for item in value]
    return value


def _text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str | int):
        return str(value)
    if value is None:
        raise TypeError("a parameter that is None is left out before it is written")
    return ",".join(str(item) for item in value)
