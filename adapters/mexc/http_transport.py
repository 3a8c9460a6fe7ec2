"""One HTTP exchange, and the one question that matters when it fails: was the request sent, or not?"""

import asyncio
from dataclasses import dataclass

import aiohttp
from yarl import URL

from adapters.mexc.connection import USER_AGENT, check_url


class NoConnectionError(Exception):
    """The connection could not be made: nothing was sent."""


class NoReplyError(Exception):
    """The request was sent, at least in part, and no whole reply came."""


@dataclass(frozen=True)
class Reply:
    """A whole reply; `retry_after` is the header of that name as it came."""

    status: int
    body: bytes
    retry_after: str | None
    seconds: float


class HttpTransport:
    """Requests to one host. TLS is verified always; redirects are not followed, nothing is repeated."""

    def __init__(self, base_url: str, *, proxy_url: str | None = None, timeout_seconds: float = 10.0) -> None:
        check_url(base_url, "http")
        self._base_url = base_url.rstrip("/")
        self._proxy_url = proxy_url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make ready to send; connections are made as they are needed."""
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"User-Agent": USER_AGENT}, timeout=self._timeout)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(
        self, method: str, path: str, query: str = "", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """`path` and `query` are sent as they are: encode them before. NoConnectionError or NoReplyError."""
        if self._session is None:
            raise NoConnectionError("the client is not started")
        begun = asyncio.get_running_loop().time()
        address = URL(f"{self._base_url}{path}{'?' if query else ''}{query}", encoded=True)
        try:
            async with self._session.request(
                method, address, data=body, headers=headers, proxy=self._proxy_url, allow_redirects=False
            ) as response:
                content = await response.read()
                seconds = asyncio.get_running_loop().time() - begun
                return Reply(response.status, content, response.headers.get("Retry-After"), seconds)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NoConnectionError(_reason(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoReplyError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
