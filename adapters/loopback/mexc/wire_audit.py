"""What a client was told, read off the wire log alone: the third witness beside the client's cache and the ledger.

It knows the payloads and nothing of the engine. Frames that a fault withheld were not told; answers that were never
sent were not told either. A row counts once, however often it came, and the newest version of it holds.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.loopback.faults import Fault
from adapters.loopback.mexc.wire import decode
from adapters.loopback.wire_log import Exchanged, WireLog

WITHHELD = frozenset({Fault.DROP_PRIVATE.name, Fault.DISCONNECT.name})
OK_STATUS = 200
ORDER_LISTS = ("order/list/", "order/get/", "order/external/", "order/batch_query")
DEAL_LISTS = ("order/deal_details/", "order/list/order_deals")


@dataclass
class Told:
    """The newest rows by id (fills by order and id), and the newest assets by currency, as MEXC writes them."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    positions: dict[int, dict[str, Any]] = field(default_factory=dict)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)  # order ids in answers to creations, in order

    def fees(self) -> Decimal:
        """Of all fills told."""
        return sum((Decimal(row["fee"]) for row in self.deals.values()), Decimal(0))

    def contracts(self, symbol: str) -> Decimal:
        """Net contracts that the fills told make; sides 1 and 2 buy, 3 and 4 sell."""
        rows = [row for row in self.deals.values() if row["symbol"] == symbol]
        return sum((Decimal(row["vol"]) * (1 if row["side"] in (1, 2) else -1) for row in rows), Decimal(0))


def told(wire: WireLog, account: str) -> Told:
    """Everything that the clients of an account were told, in its order."""
    result = Told()
    for entry in wire.entries:
        if entry.account != account:
            continue
        if isinstance(entry, Exchanged):
            if entry.status == OK_STATUS:
                _take_answer(result, entry)
        elif entry.fault not in WITHHELD:
            frame = decode(entry.text)
            _take_push(result, frame["channel"].removeprefix("push.personal."), frame["data"])
    return result


def _take_push(result: Told, channel: str, data: dict[str, Any]) -> None:
    if channel == "order":
        _take_order(result, data)
    elif channel == "order.deal":
        result.deals[_deal_key(data)] = data
    elif channel == "position":
        _take_position(result, data)
    elif channel == "asset":
        result.assets[data["currency"]] = data


def _take_answer(result: Told, item: Exchanged) -> None:
    data = decode(item.answer).get("data")
    path = item.path.partition("/private/")[2]
    if path == "order/create" and isinstance(data, dict):
        result.accepted.append(str(data["orderId"]))
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict)]
    if path.startswith(DEAL_LISTS):
        result.deals |= {_deal_key(row): row for row in rows}
    elif path.startswith(ORDER_LISTS):
        for row in rows:
            _take_order(result, row)
    elif path.startswith(("position/open_positions", "position/list/history_positions")):
        if path == "position/open_positions" and not item.query:  # all there are: what is not among them is closed
            open_ids = {row["positionId"] for row in rows}
            result.positions = {key: row for key, row in result.positions.items() if key in open_ids}
        for row in rows:
            _take_position(result, row)
    elif path.startswith("account/asset"):
        result.assets |= {row["currency"]: row for row in rows}


def _deal_key(row: dict[str, Any]) -> str:
    """A trade with oneself is two fills of one id."""
    return f"{row['orderId']} {row['id']}"


def _take_order(result: Told, row: dict[str, Any]) -> None:
    known = result.orders.get(str(row["orderId"]))
    if known is None or row["version"] >= known["version"]:
        result.orders[str(row["orderId"])] = row


def _take_position(result: Told, row: dict[str, Any]) -> None:
    known = result.positions.get(row["positionId"])
    if known is None or row["version"] >= known["version"]:
        result.positions[row["positionId"]] = row
