"""All orders of the account, and what has to be asked about them: rows and fills in, each event once out. Pure.

A row belongs to the order whose id it carries, else to the one whose client order id its ``externalOid`` stands for,
else to one that the engine knows from before. What belongs to none is a stray: it waits a moment (the order that a
trigger order became has a name of the venue's making, and may come before the news that it was triggered), then it is
asked for, and in the end the one who asks says whose it is (`adopt`) or that it is nobody's (`ignore`).

Times are milliseconds of one clock of this machine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.mexc.order_events import OrderEvent
from adapters.mexc.order_track import Ask, Known, OrderSpec, OrderTrack
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow

FIRST_ASK_MS = 400
"""Pushes that belong together come within this time: nothing is asked for before."""
LONGEST_ASK_MS = 10_000
STRAY_GRACE_MS = 1_500
KEEP_CLOSED_MS = 3_600_000

type Find = Callable[[str, str | None], Known | None]
"""(venue's order id, ``externalOid``): the order as the engine has it from before, None when it has none."""


class StrayKind(StrEnum):
    ORDER = "stray order"
    PLAN = "stray plan"


@dataclass(frozen=True)
class Question:
    """To be asked of the venue about an order of ours."""

    ask: Ask
    track: OrderTrack


@dataclass
class Stray:
    """What has come of an order that belongs to nobody yet."""

    kind: StrayKind
    id: str
    symbol: str
    since_ms: int
    rows: list[OrderRow] = field(default_factory=list)
    deals: list[DealRow] = field(default_factory=list)
    plan: PlanOrderRow | None = None


@dataclass
class _Timer:
    due_ms: int
    tries: int = 0

    def rings(self, now_ms: int, first_ms: int) -> bool:
        """Whether its time has come; it is set anew, twice as far."""
        if self.due_ms > now_ms:
            return False
        self.tries += 1
        self.due_ms = now_ms + min(LONGEST_ASK_MS, first_ms * 2 ** min(self.tries, 16))
        return True


class Fills:
    """Every order's track, and the strays. `decode` turns an ``externalOid`` into a client order id, or None."""

    def __init__(self, find: Find, decode: Callable[[str | None], str | None]) -> None:
        self._find = find
        self._decode = decode
        self._tracks: dict[str, OrderTrack] = {}
        self._live: dict[str, OrderTrack] = {}
        self._orders: dict[str, str] = {}  # order id -> key
        self._plans: dict[str, str] = {}  # plan id -> key
        self._touched: dict[str, int] = {}
        self._strays: dict[tuple[StrayKind, str], Stray] = {}
        self._ignored: set[tuple[StrayKind, str]] = set()
        self._timers: dict[tuple[str, str], _Timer] = {}
        self._events: list[OrderEvent] = []

    # -- orders --------------------------------------------------------------------------------------------------------

    def expect(self, spec: OrderSpec, now_ms: int) -> OrderTrack:
        """An order is about to be sent. ValueError when one of this name was sent before."""
        if spec.key in self._tracks:
            raise ValueError(f"order {spec.key} was sent before: a second one needs another client order id")
        return self._keep(OrderTrack(spec, self._events), now_ms)

    def adopt(self, known: Known, now_ms: int) -> OrderTrack:
        """An order that the engine knows. Strays that are about it are taken in."""
        track = self._tracks.get(known.spec.key)
        if track is None:
            track = self._keep(OrderTrack.of(known, self._events), now_ms)
        return track

    def ignore(self, stray: Stray) -> None:
        """The engine does not want this order: nothing of it is kept from now on."""
        self._ignored.add((stray.kind, stray.id))
        self._strays.pop((stray.kind, stray.id), None)

    def track(self, key: str) -> OrderTrack | None:
        """The order of this client order id."""
        return self._tracks.get(key)

    def by_venue_id(self, venue_order_id: str) -> OrderTrack | None:
        """The order of this id, whether of a plan or of an order."""
        key = self._orders.get(venue_order_id) or self._plans.get(venue_order_id)
        return None if key is None else self._tracks.get(key)

    def knows_plan(self, plan_id: str) -> bool:
        """Whether this trigger order is one of ours, or one that the engine has from before."""
        return plan_id in self._plans or self._find(plan_id, None) is not None

    def live(self) -> list[OrderTrack]:
        """Orders that are not known to be over, fills and all."""
        return list(self._live.values())

    def take(self) -> list[OrderEvent]:
        """The events since the last call, in order."""
        events = self._events.copy()
        self._events.clear()
        return events

    # -- what arrives --------------------------------------------------------------------------------------------------

    def on_order(self, row: OrderRow, now_ms: int) -> None:
        """A row of an order."""
        track = self._owner(row.order_id, row.external_oid, row.symbol, now_ms)
        if track is not None:
            track.on_order(row)
            self._touch(track, now_ms)
        elif (stray := self._stray(StrayKind.ORDER, row.order_id, row.symbol, now_ms)) is not None:
            stray.rows.append(row)

    def on_deal(self, deal: DealRow, now_ms: int) -> None:
        """A fill."""
        track = self._owner(deal.order_id, deal.external_oid, deal.symbol, now_ms)
        if track is not None:
            track.on_deal(deal)
            self._touch(track, now_ms)
        elif (stray := self._stray(StrayKind.ORDER, deal.order_id, deal.symbol, now_ms)) is not None:
            stray.deals.append(deal)

    def on_plan(self, row: PlanOrderRow, now_ms: int) -> None:
        """A row of a trigger order."""
        track = self._plan_owner(row, now_ms)
        if track is not None:
            track.on_plan(row)
            self._touch(track, now_ms)
        elif (stray := self._stray(StrayKind.PLAN, row.id, row.symbol, now_ms)) is not None:
            stray.plan = row if stray.plan is None or row.update_time >= stray.plan.update_time else stray.plan

    def on_open(self, orders: Iterable[OrderRow], plans: Iterable[PlanOrderRow], asked_ms: int, now_ms: int) -> None:
        """Everything that is open at the venue, asked for at `asked_ms`: whoever is not among it is doubted."""
        listed: set[str] = set()
        for row in orders:
            listed.add(row.order_id)
            self.on_order(row, now_ms)
        for plan in plans:
            listed.add(plan.id)
            self.on_plan(plan, now_ms)
        for key, track in self._live.items():
            old_news = track.accepted and self._touched[key] < asked_ms
            if old_news and track.order_id not in listed and track.venue_order_id not in listed:
                track.doubt()

    def touch(self, track: OrderTrack, now_ms: int) -> None:
        """To be called after anything was told to a track directly (an acknowledgement, a refusal)."""
        self._touch(track, now_ms)

    # -- what is to be asked -------------------------------------------------------------------------------------------

    def due(self, now_ms: int) -> list[Question]:
        """What is to be asked now: what did not come by itself, again and again at growing distance."""
        wanted = {(track.spec.key, ask): track for track in self.live() for ask in track.asks}
        questions = [
            Question(Ask(ask), track)
            for (key, ask), track in wanted.items()
            if self._timer((key, ask), now_ms, FIRST_ASK_MS).rings(now_ms, FIRST_ASK_MS)
        ]
        waiting = set(wanted) | set(self._strays)
        self._timers = {name: timer for name, timer in self._timers.items() if name in waiting}
        return questions

    def due_strays(self, now_ms: int) -> list[Stray]:
        """Strays whose owner has not turned up in time."""
        return [
            stray
            for name, stray in self._strays.items()
            if self._timer(name, stray.since_ms, STRAY_GRACE_MS).rings(now_ms, STRAY_GRACE_MS)
        ]

    def prune(self, now_ms: int) -> None:
        """Forget orders that have been over for an hour: whatever comes of them is looked up in the engine."""
        old = [t for t in self._tracks.values() if t.closed and self._touched[t.spec.key] < now_ms - KEEP_CLOSED_MS]
        for track in old:
            del self._tracks[track.spec.key], self._touched[track.spec.key]
        for index in (self._orders, self._plans):
            for venue_id in [i for i, key in index.items() if key not in self._tracks]:
                del index[venue_id]

    # -- whose it is ---------------------------------------------------------------------------------------------------

    def _owner(self, order_id: str, external_oid: str | None, symbol: str, now_ms: int) -> OrderTrack | None:
        key = self._orders.get(order_id) or self._decode(external_oid)
        track = self._tracks.get(key) if key is not None else None
        if track is None and (known := self._find(order_id, external_oid)) is not None:
            track = self.adopt(known, now_ms)
        return track if track is not None and track.spec.symbol == symbol else None

    def _plan_owner(self, row: PlanOrderRow, now_ms: int) -> OrderTrack | None:
        key = self._plans.get(row.id)
        if key is not None:
            return self._tracks.get(key)
        known = self._find(row.id, None)
        return None if known is None else self.adopt(known, now_ms)

    def _keep(self, track: OrderTrack, now_ms: int) -> OrderTrack:
        self._tracks[track.spec.key] = track
        self._touch(track, now_ms)
        return track

    def _touch(self, track: OrderTrack, now_ms: int) -> None:
        """Note the time, and the ids that it has come to have; strays of those ids come home."""
        self._touched[track.spec.key] = now_ms
        if track.closed:
            self._live.pop(track.spec.key, None)
        else:
            self._live[track.spec.key] = track
        for kind, index, venue_id in (
            (StrayKind.PLAN, self._plans, track.venue_order_id if track.spec.is_plan else None),
            (StrayKind.ORDER, self._orders, track.order_id),
        ):
            if venue_id is not None and venue_id not in index:
                index[venue_id] = track.spec.key
                self._bring_home(self._strays.pop((kind, venue_id), None), now_ms)

    def _bring_home(self, stray: Stray | None, now_ms: int) -> None:
        if stray is None:
            return
        if stray.plan is not None:
            self.on_plan(stray.plan, now_ms)
        for deal in stray.deals:
            self.on_deal(deal, now_ms)
        for row in stray.rows:
            self.on_order(row, now_ms)

    def _stray(self, kind: StrayKind, venue_id: str, symbol: str, now_ms: int) -> Stray | None:
        if (kind, venue_id) in self._ignored:
            return None
        return self._strays.setdefault((kind, venue_id), Stray(kind, venue_id, symbol, now_ms))

    def _timer(self, name: tuple[str, str], since_ms: int, first_ms: int) -> _Timer:
        return self._timers.setdefault(name, _Timer(since_ms + first_ms))
