"""What was told over the wire, against what the ledger knows."""

from decimal import Decimal

from adapters.loopback.faults import Fault
from adapters.loopback.matching.ledger import PositionEntry
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.wire_audit import Told, told
from tests.adapters.loopback.mexc.client import SYMBOL, Client, quiet_venue, run


async def trade(client: Client) -> None:
    """Open 60 in two fills, sell 20 by a maker order in two fills, cancel what is left of it."""
    await client.order_id(1, 60)
    order_id = await client.order_id(4, 30, "100000.2")
    for vol in (60, 10):  # 50 stand before the order
        client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal("100000.2"), Decimal(vol))
    await client.post("order/cancel", [order_id])


def agrees(client: Client, heard: Told) -> bool:
    """Fills, fees, orders, the position and the money are those of the ledger."""
    ledger, account = client.venue.ledger, client.venue.exchange.accounts["main"]
    fills = {str(f.id): (f.vol, f.price, f.fee, str(f.order_id)) for f in ledger.fills("main")}
    rows = {str(d["id"]): (d["vol"], d["price"], d["fee"], d["orderId"]) for d in heard.deals.values()}
    orders = {str(o.id): (o.filled, o.version) for o in client.venue.exchange.orders.values()}
    purse = account.purses["USDT"]
    return (
        fills == rows
        and heard.fees() == sum(f.fee for f in ledger.fills("main"))
        and orders == {key: (o["dealVol"], o["version"]) for key, o in heard.orders.items()}
        and {p.id: p.vol for p in account.positions} == {k: p["holdVol"] for k, p in heard.positions.items()}
        and heard.contracts(SYMBOL) == sum(p.side * p.vol for p in account.positions)
        and heard.assets["USDT"]["availableBalance"] == purse.available
    )


def test_frames_alone_tell_everything() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            await trade(client)
            await socket.gather()
            heard = told(client.venue.wire, "main")
            assert len(heard.deals) == 4
            assert len(heard.accepted) == 2
            assert agrees(client, heard)
            assert not agrees(client, told(client.venue.wire, "another"))

    run(test())


def test_what_was_doubled_counts_once_and_what_was_withheld_does_not_count() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            client.venue.faults.arm(Fault.DUPLICATE_PRIVATE, "order.deal")
            client.venue.faults.arm(Fault.DROP_PRIVATE, "order.deal")
            await trade(client)
            await socket.gather()
            assert len(told(client.venue.wire, "main").deals) == 3
            assert (await client.private("order/list/order_deals/v3"))["success"]
            assert agrees(client, told(client.venue.wire, "main"))

    run(test())


def test_without_a_socket_queries_tell_the_same() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await trade(client)
            for path in ("order/list/history_orders", "order/list/order_deals/v3", "position/open_positions"):
                assert (await client.private(path))["success"]
            assert (await client.private("account/assets"))["success"]
            assert agrees(client, told(client.venue.wire, "main"))
            assert len(list(client.venue.ledger.of(PositionEntry))) == 4

    run(test())
