"""What all MEXC clients of a process share, so that they share rate limits, breaker, clock and metadata."""

import asyncio
from functools import lru_cache

from nautilus_trader.config import InstrumentProviderConfig

from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.rest import RestClient


@lru_cache(maxsize=8)
def shared_rest(
    loop: asyncio.AbstractEventLoop, base_url: str, proxy_url: str | None, timeout_seconds: float
) -> RestClient:
    """The one REST client of an event loop for this address."""
    return RestClient(HttpTransport(base_url, proxy_url=proxy_url, timeout_seconds=timeout_seconds))


@lru_cache(maxsize=8)
def shared_provider(rest: RestClient, config: InstrumentProviderConfig) -> MexcInstrumentProvider:
    """The one instrument provider of a REST client, for clients of the same provider settings."""
    return MexcInstrumentProvider(rest, config)
