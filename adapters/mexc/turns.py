"""One at a time for each name, and as many names at once as there are."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns[K: Hashable]:
    """Locks by name, kept only as long as somebody holds one or waits for it."""

    def __init__(self) -> None:
        self._turns: dict[K, _Turn] = {}

    def __contains__(self, name: K) -> bool:
        """Whether somebody holds this name, or waits for it."""
        return name in self._turns

    @asynccontextmanager
    async def of(self, name: K) -> AsyncIterator[None]:
        """Wait for the turn of this name, and hold it while the block runs."""
        turn = self._turns.setdefault(name, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[name]
