"""ccxt's own MEXC clients, pointed at a local venue: nobody here wrote them, so they know nothing of our reading."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.async_support
import ccxt.pro

from adapters.loopback.mexc.local import LocalMexc

BTC = "BTC/USDT:USDT"


@asynccontextmanager
async def ccxt_client(venue: LocalMexc, *, sockets: bool = False) -> AsyncIterator[Any]:
    """A client with the markets loaded; by REST, or `sockets` too. Only its addresses are changed."""
    kind = ccxt.pro.mexc if sockets else ccxt.async_support.mexc
    options = {"defaultType": "swap", "fetchMarkets": {"types": {"spot": False, "swap": True}}}
    client = kind({"apiKey": venue.api_key, "secret": venue.api_secret, "enableRateLimit": False, "options": options})
    client.urls["api"]["contract"] = {
        "public": f"{venue.rest_url}/api/v1/contract",
        "private": f"{venue.rest_url}/api/v1/private",
    }
    if sockets:
        client.urls["api"]["ws"]["swap"] = venue.ws_url
    client.set_markets(await client.fetch_swap_markets())  # spot markets, which load_markets asks for too, are not here
    try:
        yield client
    finally:
        await client.close()
