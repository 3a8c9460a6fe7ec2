"""Three accounts of what happened: Nautilus's cache, the local venue's ledger, and what went over the wire.

Each is read by itself, with its own words, into the same plain rows; `differences` tells where they do not agree.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId

from adapters.loopback.matching.order import Side, State
from adapters.loopback.matching.triggers import TriggerState
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.wire_log import Exchanged

ACCOUNT = AccountId("MEXC-master")
ANSWERED = 200


@dataclass(frozen=True)
class Fill:
    order_id: str
    side: str
    vol: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True)
class OrderEnd:
    """`life` is "open", "filled" or "over"."""

    life: str
    vol: Decimal
    filled: Decimal


@dataclass
class Book:
    """One account of it: fills by order and trade id, orders by the venue's id, contracts by symbol and side, money."""

    fills: dict[str, Fill]
    orders: dict[str, OrderEnd]
    positions: dict[tuple[str, str], Decimal]
    money: dict[str, tuple[Decimal, Decimal]]
    """Total and free, by currency."""


def engine_book(cache: Cache, venue: LocalMexc, *, one_way: bool) -> Book:
    """What Nautilus has. Orders without an id that the venue has no name of are left out: it never had them."""
    fills, orders = {}, {}
    children = {str(t.id): str(t.order_id) for t in venue.exchange.triggers.all.values()}
    by_client_id = {order.request.client_id: str(order.id) for order in venue.exchange.orders.values()}
    for order in cache.orders():
        named = by_client_id.get(order.client_order_id.value)
        name = named if order.venue_order_id is None else order.venue_order_id.value
        if name is None:
            continue
        life = "open" if order.is_open else "filled" if order.status == OrderStatus.FILLED else "over"
        orders[name] = OrderEnd(life, order.quantity.as_decimal(), order.filled_qty.as_decimal())
        for event in order.events:
            if isinstance(event, OrderFilled):
                fills[f"{children.get(name, name)} {event.trade_id.value.removesuffix('-M')}"] = Fill(
                    children.get(name, name),
                    "buy" if event.order_side == OrderSide.BUY else "sell",
                    event.last_qty.as_decimal(),
                    event.last_px.as_decimal(),
                    event.commission.as_decimal(),
                )
    held: Counter[tuple[str, str]] = Counter()
    for position in cache.positions_open():
        symbol = cache.instrument(position.instrument_id).raw_symbol.value
        held[symbol, "net" if one_way else position.side.name.lower()] += (
            position.signed_decimal_qty() if one_way else position.quantity.as_decimal()
        )
    account = cache.account(ACCOUNT)
    money = {
        code.code: (account.balance_total(code).as_decimal(), account.balance_free(code).as_decimal())
        for code in account.balances()
    }
    return Book(fills, orders, {key: vol for key, vol in held.items() if vol}, money)


def venue_book(venue: LocalMexc, *, one_way: bool) -> Book:
    """What the venue's ledger has of the account."""
    account = venue.exchange.accounts[venue.account_id]
    fills = {
        f"{fill.order_id} {fill.id}": Fill(str(fill.order_id), fill.side.name.lower(), fill.vol, fill.price, fill.fee)
        for fill in venue.ledger.fills(venue.account_id)
    }
    orders = {}
    triggers = [t for t in venue.exchange.triggers.all.values() if t.account == venue.account_id]
    children = {trigger.order_id for trigger in triggers if trigger.order_id}
    for order in venue.exchange.orders.values():
        if order.request.account == venue.account_id and order.id not in children:
            life = "open" if order.is_open else "filled" if order.state is State.FILLED else "over"
            orders[str(order.id)] = OrderEnd(life, order.vol, order.filled)
    for trigger in triggers:
        child = venue.exchange.orders.get(trigger.order_id)
        orders[str(trigger.id)] = _plan_end(trigger, child)
    held: Counter[tuple[str, str]] = Counter()
    for position in account.positions:
        side = "net" if one_way else "long" if position.side is Side.BUY else "short"
        held[position.symbol, side] += position.side * position.vol if one_way else position.vol
    money = {
        code: (purse.available + purse.frozen + purse.margin, purse.available) for code, purse in account.purses.items()
    }
    return Book(fills, orders, {key: vol for key, vol in held.items() if vol}, money)


def _forget_unfilled(orders: dict[str, OrderEnd], venue: LocalMexc, since_ms: int, engine: dict[str, OrderEnd]) -> None:
    for name in [n for n, end in orders.items() if end.life == "over" and not end.filled and n not in engine]:
        made = venue.exchange.orders.get(int(name)) or venue.exchange.triggers.all[int(name)]
        if made.created_ms < since_ms:
            del orders[name]


def _merge_renamed(orders: dict[str, OrderEnd], venue: LocalMexc, engine: dict[str, OrderEnd]) -> dict[str, str]:
    """Orders that went on under another id after a change are one order, if the engine has them as one: new by old."""
    renamed: dict[str, str] = {}
    for item in venue.wire.requests("order/change_limit_order"):
        body = _loads(item.body)
        old = str(body["orderId"])
        new = _answered_id(item) or _made_by(item, body, venue)
        if new is not None and new != old and old not in engine and old in orders:
            former, now = orders.pop(old), orders[new]
            orders[new] = OrderEnd(now.life, now.vol + former.filled, now.filled + former.filled)
            renamed[old] = new
    return renamed


def _under_last_names(fills: dict[str, Fill], renamed: dict[str, str]) -> dict[str, Fill]:
    """Fills from before a change, under the id that their order has come to have."""
    found = {}
    for key, fill in fills.items():
        name = fill.order_id
        while name in renamed:
            name = renamed[name]
        found[f"{name} {key.partition(' ')[2]}"] = replace(fill, order_id=name)
    return found


def _answered_id(item: Exchanged) -> str | None:
    answer = _loads(item.answer) if item.status == ANSWERED and item.answer.startswith("{") else {}
    return str(answer["data"]) if answer.get("success") else None


def _made_by(item: Exchanged, body: dict[str, Any], venue: LocalMexc) -> str | None:
    """The order that a change made whose answer was lost: of its price and of that moment, named by the venue."""
    old = venue.exchange.orders[int(body["orderId"])]
    for order in venue.exchange.orders.values():
        same = (order.request.symbol, order.request.side) == (old.request.symbol, old.request.side)
        then = abs(order.created_ms - item.ts_ms) <= 50 and order.request.client_id.startswith("_m_")
        if same and then and order.request.price == Decimal(body["price"]):
            return str(order.id)
    return None


def _plan_end(trigger: Any, child: Any) -> OrderEnd:
    if child is not None:
        life = "open" if child.is_open else "filled" if child.state is State.FILLED else "over"
        return OrderEnd(life, child.vol, child.filled)
    return OrderEnd("open" if trigger.state is TriggerState.WAITING else "over", trigger.request.vol, Decimal(0))


def wire_fills(venue: LocalMexc) -> dict[str, Fill]:
    """Every fill that was really delivered, by push or as an answer."""
    return {
        f"{row['orderId']} {row['id']}": Fill(
            str(row["orderId"]),
            "buy" if row["side"] in (1, 2) else "sell",
            Decimal(row["vol"]),
            Decimal(row["price"]),
            Decimal(row["fee"]),
        )
        for row in _delivered_deals(venue)
    }


def posted_twice(venue: LocalMexc) -> list[str]:
    """Client order ids under which more than one order was sent."""
    names = Counter(json.loads(item.body)["externalOid"] for item in venue.wire.requests("order/create"))
    return [name for name, count in names.items() if count > 1]


def differences(cache: Cache, venue: LocalMexc, *, one_way: bool = False, since_ms: int = 0) -> list[str]:
    """Where the three accounts differ, in words; empty when they agree on everything.

    Orders that ended without a fill before `since_ms` (venue time) may be missing from the engine: it began after them.
    """
    engine, ledger, wire = (
        engine_book(cache, venue, one_way=one_way),
        venue_book(venue, one_way=one_way),
        wire_fills(venue),
    )
    renamed = _merge_renamed(ledger.orders, venue, engine.orders)
    ledger.fills, wire = _under_last_names(ledger.fills, renamed), _under_last_names(wire, renamed)
    _forget_unfilled(ledger.orders, venue, since_ms, engine.orders)
    found = [f"sent twice: {name}" for name in posted_twice(venue)]
    found += _diff("fill", "engine", engine.fills, "venue", ledger.fills)
    found += _diff("fill", "wire", wire, "venue", ledger.fills)
    found += _diff("order", "engine", engine.orders, "venue", ledger.orders)
    found += _diff("position", "engine", engine.positions, "venue", ledger.positions)
    found += _diff("money", "engine", engine.money, "venue", ledger.money)
    found += _diff("position", "fills", _positions_of(engine.fills, venue), "venue", _nets(ledger.positions))
    return found


def _diff(what: str, first: str, a: dict[Any, Any], second: str, b: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(a.keys() | b.keys(), key=str):
        if a.get(key) != b.get(key):
            yield f"{what} {key}: {first} {a.get(key)}, {second} {b.get(key)}"


def _positions_of(fills: dict[str, Fill], venue: LocalMexc) -> dict[str, Decimal]:
    """Nets from fills alone."""
    net: Counter[str] = Counter()
    for fill in fills.values():
        symbol = venue.exchange.orders[int(fill.order_id)].request.symbol
        net[symbol] += fill.vol if fill.side == "buy" else -fill.vol
    return {symbol: vol for symbol, vol in net.items() if vol}


def _nets(positions: dict[tuple[str, str], Decimal]) -> dict[str, Decimal]:
    net: Counter[str] = Counter()
    for (symbol, side), vol in positions.items():
        net[symbol] += -vol if side == "short" else vol
    return {symbol: vol for symbol, vol in net.items() if vol}


def _delivered_deals(venue: LocalMexc) -> Iterator[dict[str, Any]]:
    for frame in venue.wire.frames:
        message = _loads(frame.text)
        if message["channel"] == "push.personal.order.deal" and frame.fault not in ("DROP_PRIVATE", "DISCONNECT"):
            yield message["data"]
    for item in venue.wire.exchanged:
        asked = "deal_details" in item.path or "order_deals" in item.path
        if asked and item.status == ANSWERED and (answer := _loads(item.answer)).get("success"):
            yield from answer["data"]


def _loads(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=int)
    return loaded
