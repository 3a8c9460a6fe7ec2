"""Keeps what is known of the account true: pushes as they come, and questions where they did not."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol

from adapters.mexc.account_reader import Span
from adapters.mexc.balances import AssetBook
from adapters.mexc.constants import MexcPlanState
from adapters.mexc.errors import MexcError
from adapters.mexc.fills import Question, Stray, StrayKind
from adapters.mexc.order_room import MINUTE_MS, PLAN_LIFE_MS, OrderRoom
from adapters.mexc.order_track import Ask, OrderTrack
from adapters.mexc.position_check import PositionCheck
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import AssetRow, LiquidateRisk, PositionModePush, PositionRow

TICK_SECONDS = 0.1
SOONEST_REFRESH_SECONDS = 1.0
PRUNE_SECONDS = 600.0
HELD_SECONDS = 120.0
"""Without a reconciliation at the start, pushes are held back no longer than this."""
HOUR_MS = 60 * MINUTE_MS


class StreamState(StrEnum):
    """Whether pushes are taken in: held back until the start's reconciliation is over, which they would disturb."""

    HELD = "held"
    LIVE = "live"


class AccountOwner(Protocol):
    """Who is told what the watch finds out about the account, beyond what the tracks tell."""

    def go_live(self) -> None:
        """Pushes have been held back for long enough: `release` is to be called."""

    def on_tick(self) -> None:
        """Called ten times a second."""

    def on_money(self) -> None:
        """Balances have changed, or were asked for."""

    def on_position_mode(self, push: PositionModePush) -> None:
        """The position mode was set by somebody."""

    def awaits(self, plan: PlanOrderRow) -> bool:
        """Whether a trigger order of this content is being sent."""

    def take_foreign(self, stray: Stray) -> None:
        """An order that nobody here placed."""

    def cancel_again(self, track: OrderTrack) -> None:
        """The venue has taken its cancel, and shows it open."""


@dataclass
class AccountWatch:
    """Hears the private stream, asks by REST, and feeds the tracks."""

    room: OrderRoom
    owner: AccountOwner
    positions: PositionCheck
    refresh_seconds: float
    assets: AssetBook = field(default_factory=AssetBook)
    state: StreamState = StreamState.HELD
    started_ms: int = 0
    """Venue time of the login. What was before is the reconciliation's, and must not be told again."""
    _held: list[OrderRow | DealRow | PlanOrderRow] = field(default_factory=list)
    _asking: set[object] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _refresh_wanted: bool = True
    _past_until_ms: int = 0
    _begun: float = 0.0  # seconds of the event loop, as the two below
    _refreshed: float = 0.0
    _pruned: float = 0.0

    # -- the private stream --------------------------------------------------------------------------------------------

    def on_order(self, row: OrderRow) -> None:
        self._hear(row)

    def on_deal(self, row: DealRow) -> None:
        self._hear(row)

    def on_plan(self, row: PlanOrderRow) -> None:
        self._hear(row)

    def on_position(self, row: PositionRow) -> None:
        """Positions follow from fills, and are compared at every refresh."""

    def on_asset(self, row: AssetRow, ts_ms: int) -> None:
        if self.assets.take(row, ts_ms):
            self.owner.on_money()

    def on_liquidation_risk(self, row: LiquidateRisk) -> None:
        self.room.warn(f"{row.symbol}: position {row.position_id} comes near its liquidation at {row.liquidate_price}")

    def on_position_mode(self, row: PositionModePush) -> None:
        self.owner.on_position_mode(row)

    def on_stream_up(self) -> None:
        self._refresh_wanted = True

    def on_stream_down(self, reason: str) -> None:
        self.room.warn(f"private socket down: {reason}")

    def on_stream_trouble(self, text: str, *, news_lost: bool) -> None:
        self.room.warn(f"private socket: {text}")
        self._refresh_wanted |= news_lost

    def want_refresh(self) -> None:
        """Something is missing: ask for everything soon."""
        self._refresh_wanted = True

    def release(self) -> None:
        """The engine knows what there was at the start: take in what was pushed meanwhile, and go on live."""
        if self.state is StreamState.LIVE:
            return
        self.state = StreamState.LIVE
        held, self._held = self._held, []
        for row in held:
            self._hear(row)

    def _hear(self, row: OrderRow | DealRow | PlanOrderRow) -> None:
        if self.state is StreamState.HELD:
            self._held.append(row)
            return
        fills, now = self.room.fills, self.room.now_ms()
        match row:
            case OrderRow():
                fills.on_order(row, now)
            case DealRow():
                fills.on_deal(row, now)
            case PlanOrderRow():
                fills.on_plan(row, now)
        self.room.news()

    # -- questions -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask whatever is due, for ever."""
        self._begun = self._refreshed = self._pruned = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self._tick(asyncio.get_running_loop().time())
            except Exception as error:  # noqa: BLE001  # a bug met once must not end the watch unseen
                self.room.warn(f"account watch: error of the adapter's own: {error!r}")

    def _tick(self, now: float) -> None:
        if self.state is StreamState.HELD:
            if now - self._begun >= HELD_SECONDS:
                self.owner.go_live()  # no reconciliation has come
            return
        self.owner.on_tick()
        self.ask()
        waited = now - self._refreshed
        due = waited >= self.refresh_seconds or (self._refresh_wanted and waited >= SOONEST_REFRESH_SECONDS)
        if due and self._start("refresh", self._refresh_or_again):
            self._refresh_wanted = False  # not while one is under way: that began before what is missing
            self._refreshed = now
        if now - self._pruned >= PRUNE_SECONDS:
            self._pruned = now
            self.room.fills.prune(self.room.now_ms())

    def ask(self) -> None:
        """Put the questions that are due, each in a task of its own."""
        now = self.room.now_ms()
        for question in self.room.fills.due(now):
            self._start((question.track.spec.key, question.ask), partial(self._answer, question))
        for stray in self.room.fills.due_strays(now):
            self._start((stray.kind, stray.id), partial(self._find_owner, stray))

    async def stop(self) -> None:
        """Leave all questions."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refresh(self) -> None:
        """Ask for everything that is open, for what has ended lately, for money and positions."""
        room, reader = self.room, self.room.reader
        asked_ms, venue_ms = room.now_ms(), await reader.venue_ms()
        orders = await reader.open_orders()
        waiting = Span(venue_ms - PLAN_LIFE_MS, venue_ms + MINUTE_MS)
        plans = await reader.plans(waiting, states=(MexcPlanState.UNTRIGGERED,))
        lately = Span(max(self.started_ms, self._past_until_ms - 2 * MINUTE_MS), venue_ms + MINUTE_MS)
        past_orders, past_plans = await reader.past_orders(lately), await reader.plans(lately)
        for row in past_orders:
            room.fills.on_order(row, room.now_ms())
        for plan in past_plans:
            room.fills.on_plan(plan, room.now_ms())
        room.fills.on_open(orders, plans, asked_ms, room.now_ms())
        self._past_until_ms = venue_ms
        room.news()
        await self.read_money()
        await self._compare_positions(venue_ms)

    async def _refresh_or_again(self) -> None:
        try:
            await self.refresh()
        except Exception:
            self._refresh_wanted = True
            raise

    async def read_money(self) -> None:
        """Ask for all balances."""
        pushes = self.assets.pushes  # before: a push that comes meanwhile is newer
        venue_ms = await self.room.reader.venue_ms()
        for row in await self.room.reader.assets():
            self.assets.take_answer(row, venue_ms, pushes)
        self.owner.on_money()

    async def _compare_positions(self, venue_ms: int) -> None:
        """Fills of contracts whose position is not the engine's are asked for."""
        differing = self.positions.differing(await self.room.reader.positions())
        self._refresh_wanted |= self.positions.unsure  # only a second look tells
        for symbol in differing:
            self.room.warn(f"{symbol}: {self.positions.difference(symbol)}: its fills of the last hour are asked for")
            span = Span(max(self.started_ms, venue_ms - HOUR_MS), venue_ms + MINUTE_MS)
            for deal in await self.room.reader.deals(symbol, span):
                self.room.fills.on_deal(deal, self.room.now_ms())
        self.room.news()

    async def _answer(self, question: Question) -> None:
        track, room = question.track, self.room
        if question.ask is not Ask.DEALS:
            await room.look(track)
            if track.cancelled and not track.ended and not track.closed:
                self.owner.cancel_again(track)
            return
        for order_id in track.ids_with_fills:
            for deal in await room.reader.deals_of(order_id):
                track.on_deal(deal)
        room.touched(track)

    async def _find_owner(self, stray: Stray) -> None:
        """Whose an order is: what one of our trigger orders became, or nobody's here."""
        room = self.room
        if stray.kind is StrayKind.PLAN:
            if stray.plan is not None and not self.owner.awaits(stray.plan):
                self.owner.take_foreign(stray)
            return
        neighbours = [track for track in room.fills.live() if track.spec.symbol == stray.symbol]
        if any(track.changing or (track.spec.is_plan and not track.accepted) for track in neighbours):
            return  # it may be what the venue makes of a change, or of a trigger order that it has not answered for
        for track in neighbours:
            if track.spec.is_plan and track.order_id is None:
                await room.look(track)
        if room.fills.by_venue_id(stray.id) is not None:
            return
        if not stray.rows and (row := await room.reader.order(stray.id)) is not None:
            stray.rows.append(row)
        if stray.rows:
            self.owner.take_foreign(stray)

    def _start(self, name: object, work: Callable[[], Coroutine[None, None, None]]) -> bool:
        """Begin a piece of work; False when the same is under way."""
        if name in self._asking:
            return False
        self._asking.add(name)
        task = asyncio.get_running_loop().create_task(self._guarded(name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _guarded(self, name: object, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await work()
        except MexcError as error:
            self.room.warn(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001  # a bug met once must not end the watch unseen
            self.room.warn(f"{name}: error of the adapter's own: {error!r}")
        finally:
            self._asking.discard(name)
