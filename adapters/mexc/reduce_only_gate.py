"""Holds back fills of reduce-only orders until the engine has the position that they reduce. Pure.

In one-way mode Nautilus keeps one position a contract, and drops a fill of a reduce-only order that would open one. If
the news of the entry was lost and the exit's fill comes first, the position would be wrong for good. So such a fill
waits until what it closes was told, or for a few seconds; whatever else happens to its order waits behind it.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from adapters.mexc.order_events import Filled, OrderEvent
from adapters.mexc.sides import direction

PATIENCE_MS = 8_000


@dataclass
class _Waiting:
    event: OrderEvent
    since_ms: int


@dataclass
class ReduceOnlyGate:
    """Events go in one by one, and come out in an order that the engine takes."""

    nets: dict[str, Decimal] = field(default_factory=dict)
    """By symbol: contracts as the engine was told, negative when short."""
    _waiting: list[_Waiting] = field(default_factory=list)

    def start(self, nets: dict[str, Decimal]) -> None:
        """What the engine has when it begins to be told."""
        self.nets = dict(nets)

    @property
    def holds(self) -> bool:
        """Whether something waits: what it closes should be asked for."""
        return bool(self._waiting)

    def pass_on(self, event: OrderEvent, *, reduce_only: bool, now_ms: int) -> list[OrderEvent]:
        """What may be told now that this has happened."""
        behind = any(waiting.event.key == event.key for waiting in self._waiting)
        if behind or (reduce_only and isinstance(event, Filled) and not self._covered(event)):
            self._waiting.append(_Waiting(event, now_ms))
            return []
        return [self._count(event), *self._released(now_ms)]

    def overdue(self, now_ms: int) -> list[OrderEvent]:
        """What has waited for long enough, and what becomes free by it."""
        return self._released(now_ms)

    def _released(self, now_ms: int) -> list[OrderEvent]:
        """Go through what waits until nothing more is free."""
        out: list[OrderEvent] = []
        while (free := self._first_free(now_ms)) is not None:
            self._waiting.remove(free)
            out.append(self._count(free.event))
        return out

    def _first_free(self, now_ms: int) -> _Waiting | None:
        stuck: set[str] = set()
        for waiting in self._waiting:
            event = waiting.event
            if event.key in stuck:
                continue
            covered = not isinstance(event, Filled) or self._covered(event)
            if covered or now_ms - waiting.since_ms >= PATIENCE_MS:
                return waiting
            stuck.add(event.key)
        return None

    def _covered(self, event: Filled) -> bool:
        """Whether the engine has at least this much to reduce."""
        net = self.nets.get(event.deal.symbol, Decimal(0))
        against = -net if direction(event.deal.side).buys else net
        return against >= event.deal.vol

    def _count(self, event: OrderEvent) -> OrderEvent:
        if isinstance(event, Filled):
            deal = event.deal
            change = deal.vol if direction(deal.side).buys else -deal.vol
            self.nets[deal.symbol] = self.nets.get(deal.symbol, Decimal(0)) + change
        return event
