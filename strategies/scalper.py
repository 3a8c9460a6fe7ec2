"""The scalper: a thin Nautilus shell around the pure rules. Scans in, orders out.

At every scan the guards are asked first, then the decider; what it chooses is entered, and each trade has a manager
that says which orders rest. Here snapshots, books and accounts are handed to the rules, commands become orders, and
events go back to the trade that they belong to.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.enums import TimeInForce
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderRejected
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.position import Position
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from catalog.data_types import FlowSnapshotData, ScanData
from strategies.candidates import Candidate, Passed, Why, why_not
from strategies.config import FlowSettings
from strategies.decider import Account, Decider, settings_for
from strategies.features import FlowSnapshot, schema_id
from strategies.flow_actor import SCANS, SNAPSHOTS
from strategies.guards import (
    ClosedTrade,
    DataAge,
    GuardInputs,
    Guards,
    GuardSettings,
    Halt,
    MemoryJournal,
    OrderReject,
)
from strategies.halt_journal import SqliteJournal
from strategies.halt_notes import HaltNote, covered, note_of
from strategies.minute_history import Correlations
from strategies.model_folder import load_model
from strategies.order_translation import closed_by_venue, event_of, order_of, order_side
from strategies.resting_liquidity import seen_to, walls_of
from strategies.running_trade import RunningTrade, plan_of, trade_of
from strategies.scalper_settings import ScalperSettings
from strategies.scoring import Barriers, Model, RuleModel
from strategies.trade_log import Trade
from strategies.trade_manager import Alarm, Cancel, Command, Flatten, Move, Rang, Resize, Submit
from strategies.trading_venues import Terms, TradingVenues

SECOND_NS = 1_000_000_000
END = "end"
"""Why trades are left that are open when the strategy is stopped."""


class ScalperConfig(StrategyConfig, frozen=True):
    """`instruments` maps an asset to those that it may be traded on, the first being the one whose silence stops it.

    `maintenance_rates` are fractions of notional by instrument, of the largest position that may be opened; `scalper`
    is a ScalperSettings table, `guards` one of GuardSettings, `flow` the FlowSettings of the snapshots. `journal` is
    the file of the halts; without one they are forgotten at the end of the process.
    """

    instruments: dict[str, tuple[str, ...]]
    maintenance_rates: dict[str, str]
    flow: dict[str, Any] = {}
    scalper: dict[str, Any] = {}
    guards: dict[str, Any] = {}
    journal: str = ""


class Scalper(Strategy):
    """Trades what its decider chooses. `passed` counts setups that were not taken, by reason; `halts` is what the
    guards did. `on_passed`, if set, is given every scan's Passed."""

    def __init__(self, config: ScalperConfig) -> None:
        super().__init__(config)
        self.settings = ScalperSettings.model_validate(config.scalper)
        flow = FlowSettings.model_validate(config.flow)
        self.model = _model(self.settings, schema_id(flow))
        candidates = settings_for(self.model.barriers, self.settings.candidates)
        of = self.settings.correlation
        correlations = Correlations(of.window_minutes, of.min_minutes, of.shrink_minutes, self.settings.swing_bars)
        self.decider = Decider(self.model, candidates, correlations)
        self._correlations = correlations
        self._reach_bps = flow.levels_reach_bps
        self._guard_settings = GuardSettings.model_validate(config.guards)
        self._journal = SqliteJournal.open(Path(config.journal)) if config.journal else MemoryJournal()
        self.guards = Guards(self._guard_settings, self._journal)
        self.passed: Counter[str] = Counter()
        self.halts: list[HaltNote] = []
        self._chosen: list[tuple[Candidate, RunningTrade]] = []
        self.on_passed: Callable[[list[Passed]], None] | None = None
        self._follow: dict[int, list[Candidate]] | None = None
        self._terms: dict[str, list[Terms]] = {}
        self._snapshots: list[FlowSnapshot] = []
        self._running: dict[str, RunningTrade] = {}  # by trace id
        self._finished: list[RunningTrade] = []
        self._orders: dict[ClientOrderId, tuple[RunningTrade, str]] = {}
        self._ids: dict[tuple[str, str], ClientOrderId] = {}  # by trace id and ref
        self._idle_until: dict[str, int] = {}
        self._closed: list[ClosedTrade] = []
        self._counted: set[str] = set()
        self._rejects: list[OrderReject] = []
        self._told: set[tuple[str, str, str]] = set()  # lockout and trade, once each
        self._not_flat: dict[tuple[str, str], Halt] = {}
        self._closing: dict[InstrumentId, ClientOrderId] = {}  # orphans, and the order that closes each

    @property
    def trades(self) -> list[Trade]:
        """The trades that were entered, in the order in which they ended; those still open come last."""
        return [one.close_log() for one in (*self._finished, *self._running.values()) if one.trade.entered]

    @property
    def chosen(self) -> list[tuple[Candidate, Trade]]:
        """What was to be entered, and what became of it: of what was not entered the trade's reason says why."""
        return [(candidate, one.close_log()) for candidate, one in self._chosen]

    def follow(self, chosen: Iterable[Candidate]) -> None:
        """Enter these, at their times, instead of deciding: another world is held against the same decisions.

        Guards are not asked: a lockout of this world would be another decision.
        """
        self._follow = {}
        for candidate in chosen:
            self._follow.setdefault(candidate.setup.ts, []).append(candidate)

    # -- the scan ------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        for asset, names in self.config.instruments.items():
            self._terms[asset] = [self._terms_of(name) for name in names]
        self.venues = TradingVenues(self.cache, self._terms, self.decider.settings, self._correlations, self._reach_bps)
        self._by_id = {t.instrument.id.value: t.instrument for markets in self._terms.values() for t in markets}
        for instrument in self._by_id.values():
            self.subscribe_funding_rates(instrument.id)  # read off the cache
        self.subscribe_data(SNAPSHOTS)
        self.subscribe_data(SCANS)
        if self.settings.kill_file and self.settings.kill_watch_seconds:
            step = pd.Timedelta(seconds=self.settings.kill_watch_seconds)
            self.clock.set_timer("kill-file", step, callback=self._on_kill_watch)

    def _terms_of(self, name: str) -> Terms:
        instrument = self.cache.instrument(InstrumentId.from_str(name))
        if instrument is None:
            raise ValueError(f"{name} is to be traded but is not loaded: add its instrument to the catalog or node")
        if name not in self.config.maintenance_rates:
            raise ValueError(f"{name} has no maintenance rate: no stop can be held against its liquidation price")
        return Terms.of(instrument, self.config.maintenance_rates[name])

    def on_data(self, data: Any) -> None:
        if isinstance(data, FlowSnapshotData):
            if data.snapshot.asset in self._terms:
                self._snapshots.append(data.snapshot)
        elif isinstance(data, ScanData):
            snapshots, self._snapshots = self._snapshots, []
            self._on_scan(data.ts_init, snapshots)

    def _on_scan(self, ts: int, snapshots: list[FlowSnapshot]) -> None:
        equity = self._equity()
        self.decider.watch(snapshots)
        self.venues.begin(self.clock.timestamp_ns(), snapshots, equity)
        self._look_after(snapshots)
        if self._follow is not None:
            chosen = self._follow.get(ts, [])
        else:
            self._guard(snapshots, equity)
            chosen = self._decide(snapshots, equity)
        for candidate in chosen:
            self._enter(candidate)

    def _decide(self, snapshots: list[FlowSnapshot], equity: Decimal | None) -> list[Candidate]:
        now = self.clock.timestamp_ns()
        busy = {asset: "cooldown" for asset, until in self._idle_until.items() if now < until}
        busy |= {one.trade.asset: "in a trade" for one in self._running.values()}
        account = Account(equity, [one.position for one in self._running.values()], busy)
        chosen, passed = self.decider.decide(
            snapshots, self.venues, account, lambda asset, venue: self.guards.blocks(asset, venue, now)
        )
        self._pass_over(passed)
        return chosen

    def _pass_over(self, passed: list[Passed]) -> None:
        self.passed.update({why.value: count for why, count in why_not(passed).items()})
        if self.on_passed is not None:
            self.on_passed(passed)

    def _equity(self) -> Decimal | None:
        """Of all traded venues together, what is open at its mid; None if any of it is not known."""
        total = self.venues.balance()
        for one in self._running.values():
            if total is None or not one.manager.open_size:
                continue
            best = self.venues.best(self._by_id[one.trade.instrument_id])
            total = None if best is None else total + one.unrealised((best[0] + best[1]) / 2)
        return total

    def _look_after(self, snapshots: Sequence[FlowSnapshot]) -> None:
        """Show the running trades where prices and walls are."""
        by_asset = {snapshot.asset: snapshot for snapshot in snapshots}
        for one in list(self._running.values()):
            best = self.venues.best(self._by_id[one.trade.instrument_id])
            if best is None:
                continue
            one.see(*best)
            if not one.aims_at_walls:
                continue
            snapshot, mid, side = by_asset.get(one.trade.asset), (best[0] + best[1]) / 2, one.trade.side
            known = None if snapshot is None else seen_to(snapshot, mid, side, self._reach_bps)
            if snapshot is not None and known is not None:
                walls = walls_of(snapshot, mid, self._reach_bps)
                market = best[1] if side > 0 else best[0]
                one.aim_anew(walls, seen_to=known, market=market, now_ns=self.clock.timestamp_ns())
                self._after(one)

    # -- guards --------------------------------------------------------------------------------------------------------

    def _guard(self, snapshots: Sequence[FlowSnapshot], equity: Decimal | None) -> None:
        now = self.clock.timestamp_ns()
        since = now - self._guard_settings.reject_storm.within_seconds * SECOND_NS
        self._rejects = [reject for reject in self._rejects if reject.ts > since]
        leads = {s.asset: self._terms[s.asset][0].instrument for s in snapshots}
        halts = self.guards.check(
            GuardInputs(
                now_ns=now,
                equity=equity,
                trades=self._closed,
                rejects=self._rejects,
                data_ages=[
                    DataAge(asset, lead.id.value, self.venues.book_age_seconds(lead)) for asset, lead in leads.items()
                ],
                spreads_bps={s.asset: s["spread_bps"] for s in snapshots},
                reconciled=self._reconciled(),
                kill_file=bool(self.settings.kill_file) and Path(self.settings.kill_file).exists(),
            )
        )
        for event in self.guards.changes:
            self._note(note_of(event, list(self._running.values())))
        self._obey([halt for halt in halts if halt.lockout])

    def _obey(self, lockouts: Sequence[Halt]) -> None:
        """Cancel and close everything that a lockout covers, until it is flat."""
        now = self.clock.timestamp_ns()
        for halt in lockouts:
            key = halt.guard, halt.scope
            trades, orphans = covered(halt, list(self._running.values())), self._orphans(halt)
            if trades or orphans:
                self._not_flat[key] = halt
            for one in trades:
                if (*key, one.trade.trace_id) not in self._told:
                    self._told.add((*key, one.trade.trace_id))
                    one.on(Flatten(f"{halt.guard}: lockout"), now)
                    self._after(one)
            for position in orphans:
                self._close_orphan(position)
        for key, halt in list(self._not_flat.items()):
            if not covered(halt, self._running.values()) and not self._orphans(halt):
                del self._not_flat[key]
                self._told = {told for told in self._told if told[:2] != key}
                self._note(HaltNote(now, "flat", halt.guard, halt.scope, halt.reason, "nothing is open or working"))

    def _orphans(self, halt: Halt) -> list[Position]:
        """Positions of ours that no running trade knows, left by a process that ended, in the scope of a halt."""
        owned = {one.trade.instrument_id for one in self._running.values()}
        assets = {t.instrument.id: asset for asset, markets in self._terms.items() for t in markets}
        return [
            position
            for position in self.cache.positions_open(strategy_id=self.id)
            if position.instrument_id.value not in owned
            and halt.covers(assets.get(position.instrument_id, ""), position.instrument_id.venue.value)
        ]

    def _close_orphan(self, position: Position) -> None:
        """Close it at market, anew each time that the order before it has ended and something is left."""
        name = position.instrument_id
        last = self.cache.order(self._closing[name]) if name in self._closing else None
        if last is not None and not last.is_closed:
            return
        side = order_side(-1 if position.is_long else 1)
        order = self.order_factory.market(
            name, side, position.quantity, time_in_force=TimeInForce.IOC, reduce_only=True, tags=["orphan"]
        )
        self._closing[name] = order.client_order_id
        self.cancel_all_orders(name)
        self.submit_order(order)

    def _reconciled(self) -> bool:
        """Whether every account is known, and what the venues hold is what the running trades hold."""
        if any(self.cache.account_for_venue(t.instrument.id.venue) is None for m in self._terms.values() for t in m):
            return False
        held: dict[str, Decimal] = {}
        for position in self.cache.positions_open():
            name = position.instrument_id.value
            if name in self._by_id:
                held[name] = held.get(name, Decimal(0)) + position.signed_decimal_qty()
        for one in self._running.values():
            name = one.trade.instrument_id
            held[name] = held.get(name, Decimal(0)) - one.signed_open
        return not any(held.values())

    def _on_kill_watch(self, _event: TimeEvent) -> None:
        if Path(self.settings.kill_file).exists() and self._follow is None:
            self._guard([], self._equity())

    def _note(self, note: HaltNote) -> None:
        self.halts.append(note)
        self.log.warning(f"{note.what} {note.guard} ({note.scope}): {note.reason}; {note.action}")

    # -- trades --------------------------------------------------------------------------------------------------------

    def _enter(self, candidate: Candidate) -> None:
        settings, asset = self.settings, candidate.setup.asset
        trade = trade_of(candidate, model=self.model.name)
        if any(one.trade.asset == asset for one in self._running.values()):  # only when decisions are followed
            self._pass_over([candidate.pass_over(Why.BUSY, "in a trade")])
            return
        if settings.dry_run:
            planned = f"{trade.trace_id} size {trade.planned_size} stop {trade.stop}"
            self._pass_over([candidate.pass_over(Why.DRY_RUN, planned)])
            self.log.info(f"dry run: {planned}")
            return
        plan = plan_of(
            candidate,
            horizon_seconds=self.decider.settings.horizon_seconds,
            rest_seconds=settings.entry.timeout_seconds if settings.entry.style == "post_only" else None,
            break_even=settings.break_even_after_target,
        )
        one = RunningTrade(trade, plan, candidate.loss, self._carry_out)
        self._chosen.append((candidate, one))
        self._running[trade.trace_id] = one
        one.start(self.clock.timestamp_ns())
        self._after(one)

    def _carry_out(self, one: RunningTrade, command: Command) -> None:
        instrument, key = self._by_id[one.trade.instrument_id], one.trade.trace_id
        match command:
            case Submit():
                order = order_of(command, instrument, self.order_factory, key)
                # known before it is sent: an answer may come back while it is being sent
                self._orders[order.client_order_id] = one, command.ref
                self._ids[key, command.ref] = order.client_order_id
                self.submit_order(order)
            case Resize(ref, size):
                self.modify_order(self.cache.order(self._ids[key, ref]), quantity=instrument.make_qty(size))
            case Move(ref, price):
                self.modify_order(self.cache.order(self._ids[key, ref]), trigger_price=instrument.make_price(price))
            case Cancel(ref):
                self.cancel_order(self.cache.order(self._ids[key, ref]))
            case Alarm(name, at_ns):
                self._set_alarm(one, name, at_ns)

    def _set_alarm(self, one: RunningTrade, name: str, at_ns: int) -> None:
        def ring(_event: TimeEvent) -> None:
            one.on(Rang(name), self.clock.timestamp_ns())
            self._after(one)

        timer = f"{one.trade.trace_id}-{name}"
        if timer in self.clock.timer_names:
            self.clock.cancel_timer(timer)
        self.clock.set_time_alert_ns(timer, max(at_ns, self.clock.timestamp_ns() + 1), ring)

    def on_order_event(self, event: OrderEvent) -> None:
        """Give an event to its trade."""
        now = self.clock.timestamp_ns()
        if isinstance(event, OrderRejected):
            self._rejects.append(OrderReject(now, event.instrument_id.venue.value))
        known = self._orders.get(event.client_order_id)
        if known is not None:
            one, ref = known
            told = event_of(event, ref)
            if told is not None:
                one.on(told, now, event.client_order_id.value)
                self._after(one)
        elif isinstance(event, OrderFilled):
            for one in list(self._running.values()):
                closes = event.order_side == order_side(-one.trade.side)
                if one.trade.instrument_id == event.instrument_id.value and closes and one.manager.open_size > 0:
                    one.on(closed_by_venue(event), now, event.client_order_id.value)
                    self._after(one)
                    return

    def _after(self, one: RunningTrade) -> None:
        """Put a trade where it belongs: with the running ones, or with the finished."""
        trade, key = one.trade, one.trade.trace_id
        if not one.done:
            if key not in self._running:  # a fill came late
                self._finished.remove(one)
                self._running[key] = one
            return
        if self._running.pop(key, None) is None:
            return
        for name in one.manager.alarms:
            if f"{key}-{name}" in self.clock.timer_names:
                self.clock.cancel_timer(f"{key}-{name}")
        now = self.clock.timestamp_ns()
        self._idle_until[trade.asset] = now + self.settings.cooldown_seconds * SECOND_NS
        self._finished.append(one)
        if trade.entered and key not in self._counted:  # a trade that a late fill opened again is no second loss
            self._counted.add(key)
            self._closed.append(ClosedTrade(trade.net, trade.exit_ns, trade.asset, trade.venue))
        elif not trade.entered:
            candidate = next(candidate for candidate, chosen in self._chosen if chosen is one)
            self._pass_over([candidate.pass_over(Why.NOT_FILLED, trade.reason)])

    def on_stop(self) -> None:
        """Leave nothing behind: close what is open, cancel what rests.

        The fills of the last orders come when the strategy has stopped and its handlers are silent, so they are
        listened for on the bus.
        """
        self.msgbus.subscribe(topic=f"events.order.{self.id}", handler=self.on_order_event)
        for one in list(self._running.values()):
            one.on(Flatten(END), self.clock.timestamp_ns())
            self._after(one)

    def on_dispose(self) -> None:
        """Let go of the journal's file."""
        if isinstance(self._journal, SqliteJournal):
            self._journal.close()


def _model(settings: ScalperSettings, schema: str) -> Model:
    """The trained model of the settings, or the rule, whose barriers are those of the settings."""
    if settings.model:
        return load_model(Path(settings.model), schema_id=schema)
    barriers = Barriers(
        unit="R",
        take_profit=float(settings.candidates.target_r),
        stop=1.0,
        horizon_seconds=settings.candidates.horizon_seconds,
    )
    return RuleModel(schema, barriers)
