"""Reports that Nautilus asks for while it runs: one order, many, fills, positions, all against the local venue."""

from datetime import datetime
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.model.enums import OrderSide, OrderStatus, PositionSide
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId

from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.mexc.local_node import LocalNode, listing, local_node, quote
from tests.adapters.mexc.local_venue import run

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LATER = datetime.fromisoformat("2100-01-01T00:00:00+00:00")


def one(node: LocalNode, client_order_id: str | None, venue_order_id: str | None = None) -> GenerateOrderStatusReport:
    """The question after one order."""
    client = None if client_order_id is None else ClientOrderId(client_order_id)
    venue = None if venue_order_id is None else VenueOrderId(venue_order_id)
    return GenerateOrderStatusReport(node.id(), client, venue, UUID4(), 0)


def many(node: LocalNode, *, open_only: bool, start: datetime | None = None) -> GenerateOrderStatusReports:
    return GenerateOrderStatusReports(node.id(), start, None, open_only, UUID4(), 0)


def positions(symbol_id: Any) -> GeneratePositionStatusReports:
    return GeneratePositionStatusReports(symbol_id, None, None, UUID4(), 0)


def test_reports_while_running() -> None:
    """A filled market order, a resting limit and a waiting stop; and what the venue does not know."""

    async def story() -> None:
        async with LocalMexc(contracts=[listing(), listing("Y_USDT", 2)]) as venue:
            quote(venue, "99.5", "100")
            async with local_node(venue) as node:
                client = node.client
                taken = node.market(BUY, 10)
                await node.status(taken, OrderStatus.FILLED)
                resting = node.limit(BUY, 3, "90")
                stop = node.stop(SELL, 2, "80", reduce_only=True)
                await node.status(resting, OrderStatus.ACCEPTED)
                await node.status(stop, OrderStatus.ACCEPTED)

                filled = await client.generate_order_status_report(one(node, taken.client_order_id.value))
                assert filled is not None
                assert (filled.order_status, filled.filled_qty, filled.avg_px) == (OrderStatus.FILLED, 10, 100)
                by_id = await client.generate_order_status_report(one(node, None, resting.venue_order_id.value))
                assert by_id is not None
                assert (by_id.client_order_id, by_id.order_status) == (resting.client_order_id, OrderStatus.ACCEPTED)
                waiting = await client.generate_order_status_report(one(node, stop.client_order_id.value))
                assert waiting is not None
                assert (waiting.venue_order_id, waiting.trigger_price) == (stop.venue_order_id, 80)
                assert await client.generate_order_status_report(one(node, "never-sent")) is None

                opened = await client.generate_order_status_reports(many(node, open_only=True))
                assert {r.venue_order_id for r in opened} == {resting.venue_order_id, stop.venue_order_id}
                everything = await client.generate_order_status_reports(many(node, open_only=False))
                assert {r.venue_order_id for r in everything} == {
                    order.venue_order_id for order in (taken, resting, stop)
                }

                for contract in (node.id(), None):
                    command = GenerateFillReports(contract, None, None, None, UUID4(), 0)
                    (fill,) = await client.generate_fill_reports(command)
                    assert (fill.venue_order_id, fill.last_qty, fill.last_px) == (taken.venue_order_id, 10, 100)
                    assert fill.commission.as_decimal() == taken.events[-1].commission.as_decimal()
                future = GenerateFillReports(node.id(), None, LATER, LATER, UUID4(), 0)
                assert await client.generate_fill_reports(future) == []

                held = await client.generate_position_status_reports(positions(node.id()))
                assert sorted((r.position_side, r.quantity.as_decimal()) for r in held) == sorted(
                    [(PositionSide.LONG, 10), (PositionSide.FLAT, 0)]
                )
                (only,) = await client.generate_position_status_reports(positions(None))
                assert only.quantity == 10
                flat = await client.generate_position_status_reports(positions(node.id("Y_USDT")))
                assert {r.position_side for r in flat} == {PositionSide.FLAT}

    run(story())
