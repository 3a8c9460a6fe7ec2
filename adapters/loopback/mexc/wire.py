"""JSON as MEXC writes and reads it: numbers are exact decimals, never floats."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from adapters.loopback.mexc.codes import OK, PARAMETER, ApiError

LARGEST_POWER = 20
"""Of ten: numbers beyond, or as small, are refused before anybody has to count with them."""

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> str:
    """Compact JSON; a Decimal is written as the number it is, with its trailing zeros or exponent."""
    return _encoder.encode(value).decode()


def decode(text: str) -> Any:
    """Raises ValueError. Fractions come back as decimals, whole numbers as integers."""
    return json.loads(text, parse_float=Decimal)


def success(data: Any = None, *, with_data: bool = True) -> dict[str, Any]:
    """The envelope of an answer; without data where the venue has nothing to say."""
    envelope: dict[str, Any] = {"success": True, "code": OK}
    if with_data:
        envelope["data"] = data
    return envelope


def failure(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "code": code, "message": message}


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent: what REST and pushes mostly carry."""
    normal = value.normalize()
    return normal.quantize(Decimal(1)) if normal.as_tuple().exponent > 0 else normal  # type: ignore[operator]


def java(value: Decimal) -> Decimal:
    """The same number without trailing zeros, as Java strips them: 75480 becomes 7.548E+4 on the wire."""
    return value.normalize()


def number(body: dict[str, Any], key: str) -> Decimal | None:
    """A number that clients may send as a number or as text; None where it is missing, null or empty text.

    Raises ApiError for what is no number.
    """
    value = body.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ApiError(PARAMETER, f"{key} is no number")
    try:
        parsed = Decimal(value)
    except ArithmeticError:
        raise ApiError(PARAMETER, f"{key} is no number") from None
    if not parsed.is_finite() or abs(parsed.adjusted()) > LARGEST_POWER:
        raise ApiError(PARAMETER, f"{key} is no number")
    return parsed


def integer(body: dict[str, Any], key: str) -> int | None:
    """As `number`, for whole ones."""
    value = number(body, key)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise ApiError(PARAMETER, f"{key} is no whole number")
    return int(value)


def required[T](value: T | None, key: str) -> T:
    """Raises ApiError for what is missing."""
    if value is None:
        raise ApiError(PARAMETER, f"{key} is required")
    return value


def text(body: dict[str, Any], key: str) -> str:
    """Text, empty where missing. Raises ApiError for another type."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ApiError(PARAMETER, f"{key} is no text")
    return value
