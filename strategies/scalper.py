"""The scalper: a thin Nautilus shell around the pure rules. Snapshots in, orders out.

One trade an asset at a time, on the asset's lead perp. Entries are market IOC orders (a GTC market order larger than
the book would hang for ever); the protective stop rests at the venue from the first fill on and follows every further
one; the target rests beside it; the time barrier closes what is left. Exits are placed one by one because not every
venue links orders.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from catalog.data_types import FlowSnapshotData
from strategies.config import ScalperSettings
from strategies.exits import atr_exits
from strategies.features import FlowSnapshot
from strategies.flow_actor import SNAPSHOTS
from strategies.scoring import rule_score
from strategies.sizing import SizeRules, TooSmall, position_size
from strategies.trade_log import Trade

RETRY_SECONDS = 1  # between attempts to close what an IOC order left open


class ScalperConfig(StrategyConfig, frozen=True):
    """`instruments` maps an asset to the instrument that it is traded on; `scalper` is a ScalperSettings table."""

    instruments: dict[str, str]
    scalper: dict[str, Any] = {}


@dataclass
class _Live:
    """A trade with its orders."""

    trade: Trade
    instrument: Instrument
    entry: ClientOrderId
    stop: ClientOrderId | None = None
    target: ClientOrderId | None = None
    closing: ClientOrderId | None = None
    entry_done: bool = False
    leaving: str = ""  # why the trade is being left; empty while it may still reach its target


class Scalper(Strategy):
    """Trades the rule score. `trades` is the log; `passed` counts setups that were not taken, by reason."""

    def __init__(self, config: ScalperConfig) -> None:
        super().__init__(config)
        self.settings = ScalperSettings.model_validate(config.scalper)
        self.trades: list[Trade] = []
        self.passed: dict[str, int] = {}
        self._live: dict[str, _Live] = {}  # by asset
        self._by_order: dict[ClientOrderId, _Live] = {}
        self._idle_until: dict[str, int] = {}

    # -- decide --------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        for name in self.config.instruments.values():
            if self.cache.instrument(InstrumentId.from_str(name)) is None:
                raise ValueError(f"{name} is to be traded but is not loaded: add its instrument to the catalog or node")
        self.subscribe_data(SNAPSHOTS)

    def on_data(self, data: Any) -> None:
        if isinstance(data, FlowSnapshotData) and data.snapshot.asset in self.config.instruments:
            self._consider(data.snapshot)

    def _consider(self, snapshot: FlowSnapshot) -> None:
        score = rule_score(snapshot)
        if score is None:
            return self._pass("not warm")
        if abs(score) < self.settings.min_score:
            return self._pass("score")
        if snapshot.asset in self._live:
            return self._pass("in a trade")
        if snapshot.ts < self._idle_until.get(snapshot.asset, 0):
            return self._pass("cooldown")
        if len(self._live) >= self.settings.max_positions:
            return self._pass("max positions")
        spread, atr = snapshot["spread_bps"], snapshot["atr"]
        if not spread <= self.settings.max_spread_bps:  # NaN is not a narrow spread
            return self._pass("spread")
        if not atr > 0:
            return self._pass("no ATR")
        return self._enter(snapshot, score, atr)

    def _enter(self, snapshot: FlowSnapshot, score: float, atr: float) -> None:
        instrument = self.cache.instrument(InstrumentId.from_str(self.config.instruments[snapshot.asset]))
        book = self.cache.order_book(instrument.id)
        side = 1 if score > 0 else -1
        touch = None if book is None else book.best_ask_price() if side > 0 else book.best_bid_price()
        if touch is None:
            return self._pass("no price")
        equity = self._equity(instrument)
        if equity is None or equity <= 0:
            return self._pass("no equity")
        price, tick = touch.as_decimal(), instrument.price_increment.as_decimal()
        exits = atr_exits(
            side=side,
            entry=price,
            atr=Decimal(str(atr)),
            stop_multiple=Decimal(str(self.settings.stop_atr_multiple)),
            target_multiple=Decimal(str(self.settings.target_stop_multiple)),
            min_stop_bps=Decimal(str(self.settings.min_stop_bps)),
            tick=tick,
        )
        rules = _size_rules(instrument)
        size = position_size(
            equity=equity,
            risk_fraction=Decimal(str(self.settings.risk_fraction)),
            stop_distance=exits.risk,
            price=price,
            max_notional=self.settings.max_notional,
            rules=rules,
        )
        if isinstance(size, TooSmall):
            return self._pass(str(size))
        trade = Trade(
            asset=snapshot.asset,
            instrument_id=instrument.id.value,
            side=side,
            score=score,
            setup=snapshot,
            planned_size=size,
            stop=exits.stop,
            target=exits.target,
            risk=exits.risk,
            multiplier=rules.multiplier,
            decided_ns=snapshot.ts,
        )
        if self.settings.dry_run:
            self.log.info(f"dry run: {trade.asset} side {side} size {size} stop {exits.stop} target {exits.target}")
            return self._pass("dry run")
        order = self.order_factory.market(
            instrument.id, _order_side(side), instrument.make_qty(size), time_in_force=TimeInForce.IOC
        )
        live = _Live(trade, instrument, order.client_order_id)
        self._live[snapshot.asset] = live
        self._by_order[order.client_order_id] = live
        self.submit_order(order)
        return None

    def _equity(self, instrument: Instrument) -> Decimal | None:
        account = self.portfolio.account(instrument.id.venue)
        if account is None:
            return None
        currency = instrument.settlement_currency
        balance = account.balance_total(currency)
        if balance is None:
            return None
        unrealized = self.portfolio.unrealized_pnls(instrument.id.venue).get(currency)
        equity: Decimal = balance.as_decimal() + (unrealized.as_decimal() if unrealized is not None else 0)
        return equity

    def _pass(self, reason: str) -> None:
        self.passed[reason] = self.passed.get(reason, 0) + 1

    # -- manage --------------------------------------------------------------------------------------------------------

    def on_order_filled(self, event: OrderFilled) -> None:
        live = self._book(event)
        if live is not None:
            self._protect(live)

    def _book(self, event: OrderFilled) -> _Live | None:
        """Enter a fill into its trade and return the trade; None for an order that is not ours."""
        order_id = event.client_order_id
        live = self._by_order.get(order_id) or self._closed_by_venue(event)
        if live is None:
            return None
        trade, is_entry = live.trade, order_id == live.entry
        first = is_entry and not trade.entered
        trade.fill(
            entry=is_entry,
            size=event.last_qty.as_decimal(),
            price=event.last_px.as_decimal(),
            fee=event.commission.as_decimal(),
            ts=event.ts_event,
            order_id=order_id.value,
        )
        if first:
            self._close_after(self.settings.horizon_seconds, live, "time")
        if is_entry:
            live.entry_done = live.entry_done or self._is_closed(order_id)
        else:
            if order_id == live.stop:
                self._leave(live, "stop")
            elif order_id not in self._by_order:
                self._leave(live, "liquidation")
            trade.reason = live.leaving or "target"
        return live

    def _closed_by_venue(self, event: OrderFilled) -> _Live | None:
        """The trade that was closed by an order which nobody here sent: a liquidation, or auto-deleveraging."""
        for live in self._live.values():
            if live.instrument.id == event.instrument_id and live.trade.open_size > 0:
                return live if event.order_side == _order_side(-live.trade.side) else None
        return None

    def _protect(self, live: _Live) -> None:
        """Make stop and target rest for exactly what is open; finish a trade that is flat."""
        trade = live.trade
        if trade.open_size <= 0:
            if live.entry_done:
                self._finish(live)
            return
        size = live.instrument.make_qty(trade.open_size)
        exit_side = _order_side(-trade.side)
        if live.stop is None:
            stop = self.order_factory.stop_market(
                live.instrument.id,
                exit_side,
                size,
                trigger_price=live.instrument.make_price(trade.stop),
                reduce_only=True,
            )
            # known before it is sent: a denial comes back while it is being sent
            live.stop = stop.client_order_id
            self._send(live, stop)
        elif self._is_closed(live.stop):
            self._close(live, "stop gone")
        else:
            self._resize(live.stop, size)
        if live.leaving:
            self._cancel(live.target)
        elif live.target is None:
            target = self.order_factory.limit(
                live.instrument.id,
                exit_side,
                size,
                price=live.instrument.make_price(trade.target),
                reduce_only=True,
            )
            live.target = target.client_order_id
            self._send(live, target)
        else:
            self._resize(live.target, size)

    def _send(self, live: _Live, order: Order) -> None:
        self._by_order[order.client_order_id] = live
        self.submit_order(order)

    def _resize(self, order_id: ClientOrderId, size: Quantity) -> None:
        order = self.cache.order(order_id)
        if order.is_open and not order.is_pending_update and order.leaves_qty != size:
            self.modify_order(order, quantity=order.filled_qty + size)

    def on_order_accepted(self, event: OrderAccepted) -> None:
        self._look_again(event.client_order_id)

    def on_order_updated(self, event: OrderUpdated) -> None:
        self._look_again(event.client_order_id)

    def _look_again(self, order_id: ClientOrderId) -> None:
        """A stop or target can be resized or cancelled only once the venue has it: much may have come in between."""
        live = self._by_order.get(order_id)
        if live is None or order_id not in (live.stop, live.target):
            return
        if self._is_live(live):
            self._protect(live)
        else:
            self._cancel(order_id)

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        live = self._by_order.get(event.client_order_id)
        if live is None or event.client_order_id != live.stop or not self._is_live(live):
            return
        # one that is larger than the position does no harm: it only reduces
        if self.cache.order(live.stop).leaves_qty.as_decimal() < live.trade.open_size:
            self._close(live, "stop refused")

    def on_order_rejected(self, event: OrderRejected) -> None:
        self._order_ended(event.client_order_id, "stop refused")

    def on_order_denied(self, event: OrderDenied) -> None:
        self._order_ended(event.client_order_id, "stop refused")

    def on_order_canceled(self, event: OrderCanceled) -> None:
        self._order_ended(event.client_order_id, "stop gone")

    def on_order_expired(self, event: OrderExpired) -> None:
        self._order_ended(event.client_order_id, "stop gone")

    def _order_ended(self, order_id: ClientOrderId, if_stop: str) -> None:
        live = self._by_order.get(order_id)
        if live is None or not self._is_live(live):
            return
        if order_id == live.entry:
            live.entry_done = True
            self._protect(live)
        elif order_id == live.closing:
            live.closing = None  # the timer tries again
        elif order_id == live.stop and live.trade.open_size > 0:
            # naked is worse than out: what cannot be protected is closed at once
            self._close(live, if_stop)

    def _close(self, live: _Live, reason: str) -> None:
        """Close what is open with a market IOC order; the stop keeps resting meanwhile."""
        self._leave(live, reason)
        if live.closing is None:
            order = self.order_factory.market(
                live.instrument.id,
                _order_side(-live.trade.side),
                live.instrument.make_qty(live.trade.open_size),
                time_in_force=TimeInForce.IOC,
                reduce_only=True,
            )
            live.closing = order.client_order_id
            self._send(live, order)

    def _leave(self, live: _Live, reason: str) -> None:
        """Give up the target. What is still open a second later, because the book was too thin, is closed at market."""
        if not live.leaving:
            live.leaving = reason
            self._cancel(live.target)
            self._close_after(RETRY_SECONDS, live, reason)

    def _close_after(self, seconds: int, live: _Live, reason: str) -> None:
        def close(_event: TimeEvent) -> None:
            if self._is_live(live) and live.trade.open_size > 0:
                self._close(live, reason)
                self._close_after(RETRY_SECONDS, live, reason)

        due = self.clock.utc_now() + timedelta(seconds=seconds)
        self.clock.set_time_alert(f"{reason}-{live.entry}", due, callback=close, override=True)

    def _cancel(self, order_id: ClientOrderId | None) -> None:
        order = self.cache.order(order_id) if order_id is not None else None
        if order is not None and order.is_open and not order.is_pending_cancel:
            self.cancel_order(order)

    def _is_closed(self, order_id: ClientOrderId) -> bool:
        return bool(self.cache.order(order_id).is_closed)

    def _is_live(self, live: _Live) -> bool:
        return self._live.get(live.trade.asset) is live

    def _finish(self, live: _Live) -> None:
        trade = live.trade
        if not self._is_live(live):
            return
        del self._live[trade.asset]
        self._cancel(live.stop)
        self._cancel(live.target)
        self._idle_until[trade.asset] = self.clock.timestamp_ns() + self.settings.cooldown_seconds * 1_000_000_000
        if trade.entered:
            self.trades.append(trade)
        else:
            self._pass("entry not filled")

    def on_stop(self) -> None:
        """Leave nothing behind: close what is open, cancel what rests, and log what was still open.

        The fills of the last orders come when the strategy has stopped and its handlers are silent, so they are
        listened for on the bus.
        """
        self.msgbus.subscribe(topic=f"events.order.{self.id}", handler=self._on_last_event)
        for live in self._live.values():
            if live.trade.open_size > 0:
                self._close(live, "end")
                live.trade.reason = live.leaving
            if live.trade.entered:
                self.trades.append(live.trade)
        for instrument_id in {InstrumentId.from_str(name) for name in self.config.instruments.values()}:
            self.cancel_all_orders(instrument_id)

    def _on_last_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled):
            self._book(event)


def _order_side(side: int) -> OrderSide:
    return OrderSide.BUY if side > 0 else OrderSide.SELL


def _size_rules(instrument: Instrument) -> SizeRules:
    def decimal(value: Any) -> Decimal | None:
        return None if value is None else value.as_decimal()

    return SizeRules(
        step=instrument.size_increment.as_decimal(),
        multiplier=instrument.multiplier.as_decimal(),
        min_size=decimal(instrument.min_quantity),
        max_size=decimal(instrument.max_quantity),
        min_notional=decimal(instrument.min_notional),
    )
