"""What a socket is given: its settings, the one who listens to it, and how it logs in."""

from dataclasses import dataclass
from typing import Protocol

from adapters.mexc.connection import check_url


class SocketListener(Protocol):
    """Who is told what happens on a socket. Nothing here may raise, and nothing may block."""

    def on_connected(self) -> None:
        """Connected and logged in; subscriptions follow."""

    def on_disconnected(self, reason: str) -> None:
        """The connection is lost; it is coming back by itself. Called once for every `on_connected`."""

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        """One whole message, as it came (gunzipped where need be). `received_ns` is UNIX ns."""

    def on_trouble(self, text: str) -> None:
        """Something that a person should read: a refused login, a failed connection, an unreadable frame."""


class Login(Protocol):
    """How a private socket introduces itself."""

    def frame(self) -> bytes:
        """The frame to send, signed for now."""

    def answer(self, frame: bytes) -> str | None:
        """ "" when `frame` says that the login succeeded, the venue's words when it was refused, None otherwise."""


@dataclass(frozen=True)
class SocketSettings:
    """How a socket is kept. `max_age_seconds` replaces it before the venue ends it; None: it may live for ever."""

    url: str
    ping_frame: bytes = b'{"method":"ping"}'
    ping_interval_seconds: float = 15.0
    idle_timeout_seconds: float = 40.0
    frames_per_second: float = 20.0
    gunzip_binary: bool = True
    max_age_seconds: float | None = None
    proxy_url: str | None = None

    def __post_init__(self) -> None:
        check_url(self.url, "ws")
        if not 0 < self.ping_interval_seconds < self.idle_timeout_seconds:
            raise ValueError(
                f"ping every {self.ping_interval_seconds} s, idle after {self.idle_timeout_seconds} s: the pings must "
                "come more often, or every quiet socket looks dead"
            )
        if self.frames_per_second <= 0:
            raise ValueError(f"frames_per_second {self.frames_per_second} must be above 0")


@dataclass
class SocketCounters:
    """What a socket has seen since it was made."""

    frames: int = 0
    bytes: int = 0
    binary_frames: int = 0
    connections: int = 0
