"""Connecting to a venue that does not answer at once: tried again, for a node whose client gave up never starts."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.mexc.backoff import Backoff
from adapters.mexc.errors import MexcNotSentError, MexcUnavailableError

CONNECT_ATTEMPTS = 8
CONNECT_BACKOFF = Backoff(0.5, 10.0)


async def until_answered(work: Callable[[], Awaitable[None]], warn: Callable[[str], None]) -> None:
    """Do `work`, anew while the venue does not answer, `CONNECT_ATTEMPTS` times at most: then its last error is raised.

    What was done before it failed is done again, so `work` must bear that. Other errors are raised at once.
    """
    for attempt in range(CONNECT_ATTEMPTS - 1):
        try:
            await work()
        except (MexcUnavailableError, MexcNotSentError) as error:
            warn(f"not connected yet: {error}")
            await asyncio.sleep(CONNECT_BACKOFF.seconds(attempt))
        else:
            return
    await work()
