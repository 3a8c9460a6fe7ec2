"""The private channels: entries of the ledger become frames for the sockets that are logged in."""

from collections.abc import Iterable
from typing import Any

from adapters.loopback.matching.ledger import (
    AssetEntry,
    Entry,
    FillEntry,
    OrderEntry,
    PositionEntry,
    TriggerEntry,
)
from adapters.loopback.mexc.rows import asset_push, deal_push, order_push, position_push, spare_money
from adapters.loopback.mexc.session import Session
from adapters.loopback.mexc.trigger_rows import is_plan, plan_push, stop_order_push, stop_row
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import encode

type Push = tuple[str, str, dict[str, Any]]  # filter key, symbol, data


class PrivateStreams:
    """Pushes what the ledger notes."""

    def __init__(self, venue: Venue, sessions: Iterable[Session]) -> None:
        self._venue = venue
        self._sessions = sessions
        venue.exchange.ledger.listeners.append(self._on_entry)
        venue.on_position_mode.append(self._on_position_mode)

    def _on_entry(self, entry: Entry) -> None:
        if any(session.account == entry.account for session in self._sessions):
            for key, symbol, data in self._pushes(entry):
                self._send(entry.account, key, symbol, data)

    def _on_position_mode(self, account_id: str, mode: int) -> None:
        self._send(account_id, "position.mode", "", {"positionMode": mode})

    def _send(self, account_id: str, key: str, symbol: str, data: dict[str, Any]) -> None:
        channel = f"push.personal.{key}"
        text = encode({"channel": channel, "data": data, "ts": self._venue.now_ms()})
        for session in list(self._sessions):
            if session.account == account_id and session.filter.passes(key, symbol):
                session.push_private(text, channel)

    def _pushes(self, entry: Entry) -> list[Push]:
        account = self._venue.exchange.accounts[entry.account]
        markets = self._venue.exchange.markets
        match entry:
            case OrderEntry(order=order):
                symbol = order.request.symbol
                return [("order", symbol, order_push(order, account, markets[symbol]))]
            case FillEntry():
                return [("order.deal", entry.symbol, deal_push(entry, account))]
            case PositionEntry(position=position):
                spare = spare_money(account, position)
                return [("position", position.symbol, position_push(position, markets[position.symbol], spare))]
            case AssetEntry():
                return [("asset", "", asset_push(entry))]
            case TriggerEntry(trigger=trigger) if is_plan(trigger):
                return [("plan.order", trigger.symbol, plan_push(trigger, account))]
            case TriggerEntry(trigger=trigger):
                pushes: list[Push] = [("stop.planorder", trigger.symbol, stop_row(trigger))]
                if trigger.parent_id:
                    pushes.append(("stop.order", trigger.symbol, stop_order_push(trigger)))
                return pushes
            case _:  # cash and funding show in assets and positions
                return []
