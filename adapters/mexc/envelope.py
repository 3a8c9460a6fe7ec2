"""The envelope around every REST reply, and what an answer as a whole says. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import msgspec

from adapters.mexc.error_codes import SUCCESS_CODES, UNSURE_CODES, refusal
from adapters.mexc.errors import MexcBusyError, MexcRefusedError, MexcVenueDownError

DOWN_CODES = frozenset({500, 504, 604, 801})
BAN_STATUSES = frozenset({403, 418, 429})
"""From the edge in front of the venue, without an envelope: this address is held off as a whole."""
_SHOWN_CHARACTERS = 200


class Envelope(msgspec.Struct, frozen=True):
    """``{"success": true, "code": 0, "data": ...}`` or ``{"success": false, "code": int, "message": text}``.

    Any key may be missing: one recorded refusal has no ``success``, and an order that is not known is answered with
    success and without ``data``.
    """

    success: bool | None = None
    code: int | None = None
    data: msgspec.Raw = msgspec.Raw()
    message: str | None = None
    msg: str | None = None


class Verdict(StrEnum):
    """What an answer means for the one who asked."""

    SUCCESS = "success"
    REFUSED = "refused"
    UNSURE = "unsure"
    """Repeat it if it was a read; if not, find out what happened."""


@dataclass(frozen=True)
class Answer:
    """A judged reply. `data` is JSON text, empty where the reply had none; `error` is set unless it is a success."""

    verdict: Verdict
    data: bytes = b""
    error: MexcRefusedError | None = None
    venue_failed: bool = False
    """The venue or its edge is failing: counts for the circuit breaker."""
    banned: bool = False
    """The whole address is held off, not this endpoint alone."""


def judge(endpoint: str, status: int, body: bytes, retry_after_seconds: float | None = None) -> Answer:
    """What the reply with this HTTP status and body means."""
    envelope = _envelope(body)
    if envelope is None:
        return _without_envelope(endpoint, status, body, retry_after_seconds)
    if envelope.success and envelope.code in SUCCESS_CODES and status < 400:
        return Answer(Verdict.SUCCESS, bytes(envelope.data))
    code = envelope.code if envelope.code not in (None, 0) else status
    error = refusal(endpoint, code, envelope.message or envelope.msg or "")
    if isinstance(error, MexcBusyError):
        error.retry_after_seconds = retry_after_seconds
    unsure = code in UNSURE_CODES or status >= 500 or isinstance(error, MexcBusyError | MexcVenueDownError)
    return Answer(
        Verdict.UNSURE if unsure else Verdict.REFUSED,
        error=error,
        venue_failed=code in DOWN_CODES or status >= 500,
        banned=status in (418, 429),
    )


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a ``Retry-After`` header, which carries seconds or a date; None when missing or unreadable."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def _envelope(body: bytes) -> Envelope | None:
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if envelope.success is None and envelope.code is None else envelope


def _without_envelope(endpoint: str, status: int, body: bytes, retry_after_seconds: float | None) -> Answer:
    shown = body[:_SHOWN_CHARACTERS].decode(errors="replace")
    if status in BAN_STATUSES:
        held_off = MexcBusyError(endpoint, status, shown, "held off by the venue's edge", retry_after_seconds)
        return Answer(Verdict.UNSURE, error=held_off, banned=True)
    if status >= 500:
        down = MexcVenueDownError(endpoint, status, shown, "the venue's edge has no answer")
        return Answer(Verdict.UNSURE, error=down, venue_failed=True)
    strange = MexcRefusedError(endpoint, status, shown, "not an answer of the API")
    return Answer(Verdict.UNSURE, error=strange)
