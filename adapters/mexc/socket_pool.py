"""Many subscriptions over several sockets: each symbol has a place on one of them, and all its channels go there."""

from collections.abc import Callable
from itertools import count

from adapters.mexc.socket_session import SocketSession


class ShardPlan:
    """Which symbol is on which shard: at most `max_symbols` on each, the fullest with room first. Pure."""

    def __init__(self, max_symbols: int) -> None:
        if max_symbols < 1:
            raise ValueError(f"max_symbols {max_symbols} must be at least 1: a socket without symbols has no use")
        self._max_symbols = max_symbols
        self._shard_of: dict[str, int] = {}
        self._members: dict[int, set[str]] = {}

    def place(self, symbol: str) -> int:
        """The shard of a symbol, given now if it has none."""
        shard = self._shard_of.get(symbol)
        if shard is None:
            shard = self._with_room()
            self._shard_of[symbol] = shard
            self._members.setdefault(shard, set()).add(symbol)
        return shard

    def release(self, symbol: str) -> int | None:
        """Take a symbol off; returns its shard when nobody is left there, else None."""
        shard = self._shard_of.pop(symbol, None)
        if shard is None:
            return None
        members = self._members[shard]
        members.remove(symbol)
        if members:
            return None
        del self._members[shard]
        return shard

    def members(self, shard: int) -> frozenset[str]:
        """The symbols on a shard."""
        return frozenset(self._members.get(shard, ()))

    def _with_room(self) -> int:
        roomy = [shard for shard, members in self._members.items() if len(members) < self._max_symbols]
        if roomy:
            return max(roomy, key=lambda shard: len(self._members[shard]))
        return next(shard for shard in count() if shard not in self._members)


class SocketPool:
    """Sockets made as they are needed and closed when empty. `make_session` is given the number of the shard."""

    def __init__(self, max_symbols: int, make_session: Callable[[int], SocketSession]) -> None:
        self._max_symbols = max_symbols
        self._plan = ShardPlan(max_symbols)
        self._make_session = make_session
        self._sessions: dict[int, SocketSession] = {}
        self._channels: dict[str, set[str]] = {}

    def subscribe(self, symbol: str, channel: str, frame: bytes) -> None:
        """Want `channel` of `symbol`; `frame` asks for it. Repeating it sends the frame again."""
        shard = self._plan.place(symbol)
        session = self._sessions.get(shard)
        if session is None:
            session = self._sessions[shard] = self._make_session(shard)
            session.start()
        self._channels.setdefault(symbol, set()).add(channel)
        session.subscribe(f"{channel}:{symbol}", frame)

    async def unsubscribe(self, symbol: str, channel: str, frame: bytes) -> None:
        """Want it no more. The last channel of a symbol frees its place, the last symbol closes the socket."""
        channels = self._channels.get(symbol, set())
        if channel not in channels:
            return
        channels.remove(channel)
        self._sessions[self._plan.place(symbol)].unsubscribe(f"{channel}:{symbol}", frame)
        if channels:
            return
        del self._channels[symbol]
        empty = self._plan.release(symbol)
        if empty is not None:
            await self._sessions.pop(empty).stop()

    async def stop(self) -> None:
        """Close all sockets and forget what was wanted."""
        sessions, self._sessions = self._sessions, {}
        self._channels.clear()
        self._plan = ShardPlan(self._max_symbols)
        for session in sessions.values():
            await session.stop()

    @property
    def sessions(self) -> tuple[SocketSession, ...]:
        return tuple(self._sessions.values())

    def symbols(self, shard: int) -> frozenset[str]:
        """The symbols on a shard: those that a lost connection concerns."""
        return self._plan.members(shard)
