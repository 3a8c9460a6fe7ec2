"""Who may ask: keys, signatures and the time window of a request, as the API reference has them.

Written from the reference and held against its test vectors; it shares nothing with the client that it checks.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.loopback.mexc.codes import BAD_SIGNATURE, OUT_OF_TIME, UNAUTHORIZED, ApiError

WINDOW_SECONDS = 10
LARGEST_WINDOW_SECONDS = 60


@dataclass(frozen=True)
class ApiKey:
    """A key of an account. `permissions` are the codes of those it has (see `PERMISSIONS`)."""

    key: str
    secret: str = field(repr=False)
    account: str = "main"
    permissions: frozenset[int] = frozenset({701, 702, 703, 704})


PERMISSIONS = {
    701: "Reading the account is not permitted",
    702: "Changing the account is not permitted",
    703: "Reading orders is not permitted",
    704: "Placing orders is not permitted",
}
"""By the code of the refusal: what a key without the permission cannot do."""


def sign(secret: str, target: str) -> str:
    """HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), target.encode(), hashlib.sha256).hexdigest()


def parameter_string(method: str, raw_query: str, body: str) -> str:
    """What of a request is signed: the body of a POST as it is, else the query as it was sent, sorted by key."""
    if method == "POST":
        return body
    return "&".join(sorted((pair for pair in raw_query.split("&") if pair), key=lambda pair: pair.partition("=")[0]))


def check_request(
    keys: Mapping[str, ApiKey], headers: Mapping[str, str], method: str, raw_query: str, body: str, now_ms: int
) -> ApiKey:
    """The key that signed a request. Raises ApiError: 401 without a known key, 513 out of time, 602 if forged."""
    key = keys.get(headers.get("ApiKey", ""))
    if key is None:
        raise ApiError(UNAUTHORIZED)
    stamp = headers.get("Request-Time", "")
    _check_time(stamp, headers.get("Recv-Window", ""), now_ms)
    expected = sign(key.secret, key.key + stamp + parameter_string(method, raw_query, body))
    if not hmac.compare_digest(expected, headers.get("Signature", "")):
        raise ApiError(BAD_SIGNATURE)
    return key


def check_login(keys: Mapping[str, ApiKey], key_text: str, stamp: str, signature: str, now_ms: int) -> ApiKey:
    """As `check_request`, for the login of a socket."""
    key = keys.get(key_text)
    if key is None:
        raise ApiError(UNAUTHORIZED)
    _check_time(stamp, "", now_ms)
    if not hmac.compare_digest(sign(key.secret, key.key + stamp), signature):
        raise ApiError(BAD_SIGNATURE)
    return key


def _check_time(stamp: str, window: str, now_ms: int) -> None:
    if not stamp.isdigit():
        raise ApiError(OUT_OF_TIME)
    seconds = int(window) if window.isdigit() else WINDOW_SECONDS
    if abs(now_ms - int(stamp)) > min(seconds, LARGEST_WINDOW_SECONDS) * 1000:
        raise ApiError(OUT_OF_TIME)
