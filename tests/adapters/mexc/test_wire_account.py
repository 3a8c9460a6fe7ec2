"""A node trades, is restarted and ends flat: what went over the wire tells the same account as ledger and cache."""

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from adapters.loopback.faults import Fault
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.mexc.local_node import listing, local_node, quote, trade, until
from tests.adapters.mexc.local_venue import run
from tests.adapters.mexc.wire_account import agreed

BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.mark.parametrize("mode", ["hedge", "one_way"])
def test_orders_fees_positions_and_money_off_the_wire(mode: str) -> None:
    """Held, partly filled, after pushes that were dropped and doubled, after a restart, and flat."""
    settings = {"position_mode": mode, "change_position_mode": True, "leverage": 5, "refresh_interval_seconds": 0.5}

    async def story() -> None:
        async with LocalMexc(contracts=[listing()]) as venue:
            quote(venue, "99.5", "100")
            async with local_node(venue, **settings) as node:
                await node.status(node.market(BUY, 10), OrderStatus.FILLED)
                resting = node.limit(SELL, 4, "110", reduce_only=True)
                await node.status(resting, OrderStatus.ACCEPTED)
                await agreed(node, mode)
                venue.faults.arm(Fault.DROP_PRIVATE, "order.deal")
                venue.faults.arm(Fault.DUPLICATE_PRIVATE, "order")
                trade(venue, Side.BUY, "110", 1)
                await node.status(resting, OrderStatus.PARTIALLY_FILLED)
                await agreed(node, mode)
            trade(venue, Side.BUY, "110", 2)  # while nobody listens
            async with local_node(venue, name="002", claims=["X_USDT"], **settings) as node:
                await agreed(node, mode)
                node.hand.cancel_all_orders(node.id())
                await until(lambda: not node.cache.orders_open())
                for position in node.positions():
                    node.hand.close_position(position)
                await until(lambda: not node.positions())
                await agreed(node, mode)
                assert not venue.exchange.accounts[venue.account_id].positions

    run(story())
