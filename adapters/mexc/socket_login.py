"""Logging a socket in with the API key."""

from collections.abc import Callable

import msgspec

from adapters.mexc.constants import Channel
from adapters.mexc.credentials import Credentials
from adapters.mexc.signing import login_frame


class _Head(msgspec.Struct, frozen=True):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()


class MexcLogin:
    """``rs.login`` with "success" lets in; ``rs.error`` is a refusal. `venue_ms` gives the venue's time, UNIX ms."""

    def __init__(self, credentials: Credentials, venue_ms: Callable[[], int]) -> None:
        self._credentials = credentials
        self._venue_ms = venue_ms

    def frame(self) -> bytes:
        """The login frame, signed for this moment."""
        return login_frame(self._credentials, self._venue_ms())

    def answer(self, frame: bytes) -> str | None:
        """ "" for success, the venue's words for a refusal, None for a frame that is neither."""
        try:
            head = msgspec.json.decode(frame, type=_Head)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if head.channel == Channel.LOGIN:
            text = _words(head.data)
            return "" if text == "success" else text or "no reason given"
        if head.channel == Channel.ERROR:
            return _words(head.data) or "no reason given"
        return None


def _words(data: msgspec.Raw) -> str:
    """The text of an answer, whatever bytes are in it."""
    return bytes(data).decode(errors="replace").strip('"')
