"""Makes the clients of a ``TradingNode``: ``node.add_exec_client_factory("MEXC", MexcLiveExecClientFactory)`` ..."""

import asyncio

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory
from nautilus_trader.model.identifiers import ClientId

from adapters.mexc.config import MexcDataClientConfig, MexcExecClientConfig, MexcSpotDataClientConfig
from adapters.mexc.constants import MEXC, MEXC_SPOT
from adapters.mexc.credentials import Credentials
from adapters.mexc.data_client import MexcDataClient
from adapters.mexc.execution_client import MexcExecutionClient
from adapters.mexc.shared import shared_provider, shared_rest
from adapters.mexc.spot_client import MexcSpotDataClient


class MexcLiveDataClientFactory(LiveDataClientFactory):
    """Market data of MEXC contracts."""

    @staticmethod
    def create(  # type: ignore[override]  # a factory is made for its own configuration
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        config: MexcDataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> MexcDataClient:
        """Called by the node's builder."""
        rest = shared_rest(loop, config.base_url_http, config.proxy_url, config.request_timeout_seconds)
        provider = shared_provider(rest, config.instrument_provider)
        return MexcDataClient(loop, ClientId(name or MEXC), msgbus, cache, clock, provider, rest, config)


class MexcLiveExecClientFactory(LiveExecClientFactory):
    """Orders on MEXC contracts."""

    @staticmethod
    def create(  # type: ignore[override]  # a factory is made for its own configuration
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        config: MexcExecClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> MexcExecutionClient:
        """Called by the node's builder. MexcKeyError when the environment has no API key."""
        rest = shared_rest(loop, config.base_url_http, config.proxy_url, config.request_timeout_seconds)
        provider = shared_provider(rest, config.instrument_provider)
        credentials = Credentials.from_environment()
        client_id = ClientId(name or MEXC)
        return MexcExecutionClient(loop, client_id, msgbus, cache, clock, provider, rest, credentials, config)


class MexcSpotLiveDataClientFactory(LiveDataClientFactory):
    """Trades of MEXC's spot market."""

    @staticmethod
    def create(  # type: ignore[override]  # a factory is made for its own configuration
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        config: MexcSpotDataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> MexcSpotDataClient:
        """Called by the node's builder."""
        return MexcSpotDataClient(loop, ClientId(name or MEXC_SPOT), msgbus, cache, clock, config)
