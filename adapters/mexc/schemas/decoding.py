"""Reading a payload into a struct: every failure becomes an error that names the channel and the field."""

import re
from typing import Any

import msgspec

from adapters.mexc.errors import MexcPayloadError

_FIELD = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(into: Any) -> msgspec.json.Decoder[Any]:
    decoder = _DECODERS.get(into)
    if decoder is None:
        decoder = _DECODERS[into] = msgspec.json.Decoder(into)
    return decoder


def decode[T](payload: bytes | str | msgspec.Raw, into: type[T], channel: str) -> T:
    """`payload` as `into`. MexcPayloadError with the channel and the path of the field that is wrong or missing."""
    decoded: T = decode_any(payload, into, channel)
    return decoded


def decode_any(payload: bytes | str | msgspec.Raw, into: Any, channel: str) -> Any:
    """The same for a union, which is no class."""
    try:
        return _decoder(into).decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise payload_error(error, channel) from error


def payload_error(error: Exception, channel: str) -> MexcPayloadError:
    """The decoder's complaint, with its path taken apart."""
    text = str(error)
    where = _FIELD.search(text)
    path = where["path"] if where else ""
    problem = text[: where.start()] if where else text
    if missing := _MISSING.search(problem):
        path = f"{path}.{missing['name']}" if path else missing["name"]
        problem = "required field is missing"
    return MexcPayloadError(channel, path, problem)
