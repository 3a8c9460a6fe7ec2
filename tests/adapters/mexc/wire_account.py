"""The account as the wire log alone tells it, against the venue's ledger: orders, fills, fees, positions and money.

`three_ledgers` compares fills with the wire; here is the rest of it. What the venue wrote down is compared with the
newest row that was really delivered, by push or as an answer.
"""

from decimal import Decimal

from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.wire_audit import Told, told
from tests.adapters.mexc.local_node import LocalNode, until
from tests.adapters.mexc.three_ledgers import differences

OVER = (3, 4, 5)
"""States of an order that has ended."""


def wire_differences(venue: LocalMexc) -> list[str]:
    """Where what was delivered and what the venue wrote down differ, in words; empty when they agree."""
    heard = told(venue.wire, venue.account_id)
    return [*_orders(venue, heard), *_fees(venue, heard), *_positions(venue, heard), *_money(venue, heard)]


async def agreed(node: LocalNode, mode: str) -> None:
    """Wait until cache, ledger and wire agree on everything; fails with what differs."""

    def found() -> list[str]:
        return [*differences(node.cache, node.venue, one_way=mode == "one_way"), *wire_differences(node.venue)]

    try:
        await until(lambda: not found(), seconds=15)
    except AssertionError:
        raise AssertionError(found()) from None


def _orders(venue: LocalMexc, heard: Told) -> list[str]:
    found = []
    for order in venue.exchange.orders.values():
        row = heard.orders.get(str(order.id))
        if row is None:
            found.append(f"order {order.id}: never told")
        elif (Decimal(row["dealVol"]), row["state"] in OVER) != (order.filled, not order.is_open):
            found.append(f"order {order.id}: told {row['dealVol']} in state {row['state']}, has {order.filled}")
    return found


def _fees(venue: LocalMexc, heard: Told) -> list[str]:
    paid = sum((fill.fee for fill in venue.ledger.fills(venue.account_id)), Decimal(0))
    return [] if heard.fees() == paid else [f"fees: told {heard.fees()}, paid {paid}"]


def _positions(venue: LocalMexc, heard: Told) -> list[str]:
    held = {position.id: position.vol for position in venue.exchange.accounts[venue.account_id].positions}
    shown = {key: Decimal(row["holdVol"]) for key, row in heard.positions.items() if row["holdVol"]}
    return [] if held == shown else [f"positions: told {shown}, held {held}"]


def _money(venue: LocalMexc, heard: Told) -> list[str]:
    found = []
    for code, purse in venue.exchange.accounts[venue.account_id].purses.items():
        row = heard.assets.get(code, {})
        shown = tuple(row.get(name) for name in ("availableBalance", "frozenBalance", "positionMargin"))
        if shown != (purse.available, purse.frozen, purse.margin):
            found.append(f"{code}: told {shown}, has {(purse.available, purse.frozen, purse.margin)}")
    return found
