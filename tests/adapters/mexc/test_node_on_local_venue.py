"""A node with nothing but the MEXC adapter, on a local MEXC: every order type, both position modes, a restart, flat."""

from decimal import Decimal

import pytest
from nautilus_trader.model.enums import BookType, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.orders import Order

from adapters.loopback.faults import Fault
from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.mexc.local_node import LocalNode, listing, local_node, quote, trade, until
from tests.adapters.mexc.local_venue import run
from tests.adapters.mexc.wire_account import agreed

BUY, SELL = OrderSide.BUY, OrderSide.SELL
MODES = pytest.mark.parametrize("mode", ["hedge", "one_way"])
CONTRACTS = 150


def settings(mode: str) -> dict[str, object]:
    return {"position_mode": mode, "change_position_mode": True, "leverage": 5, "refresh_interval_seconds": 1.0}


async def take_and_rest(node: LocalNode) -> None:
    """Market, limit, post-only, IOC and FOK, and what becomes of them."""
    venue = node.venue
    taken = node.market(BUY, 10)
    await node.status(taken, OrderStatus.FILLED)
    target = node.limit(SELL, 4, "110", reduce_only=True)
    await node.status(target, OrderStatus.ACCEPTED)
    trade(venue, Side.BUY, "110", 1)
    await node.status(target, OrderStatus.PARTIALLY_FILLED)
    trade(venue, Side.BUY, "110", 50)
    await node.status(target, OrderStatus.FILLED)
    quote(venue, "99.5", "100")

    resting = node.limit(BUY, 3, "95", post_only=True)
    await node.status(resting, OrderStatus.ACCEPTED)
    crossing = node.limit(BUY, 3, "101", post_only=True)
    await node.status(crossing, OrderStatus.REJECTED)
    assert crossing.events[-1].due_post_only
    quote(venue, "99.5", "100", vol=2)
    greedy = node.limit(BUY, 5, "100", time_in_force=TimeInForce.IOC)
    await node.status(greedy, OrderStatus.CANCELED)
    assert (greedy.filled_qty, node.hand.names(greedy)[-2:]) == (2, ["Filled", "Canceled"])
    whole = node.limit(BUY, 5, "100.5", time_in_force=TimeInForce.FOK)
    await node.status(whole, OrderStatus.CANCELED)
    assert whole.filled_qty == 0
    quote(venue, "99.5", "100")
    node.hand.cancel_order(resting)
    await node.status(resting, OrderStatus.CANCELED)


async def wait_for_prices(node: LocalNode) -> None:
    """Stops and take-profits, with and without a limit."""
    venue, make, instrument = node.venue, node.make, node.instrument()
    qty, price = instrument.make_qty, instrument.make_price
    stop = node.stop(SELL, 2, "90", reduce_only=True)
    touched = make.market_if_touched(node.id(), SELL, qty(1), price(120), reduce_only=True)
    stop_limit = make.stop_limit(node.id(), BUY, qty(2), price(130), price(125))
    limit_touched = make.limit_if_touched(node.id(), BUY, qty(2), price(84), price(85))
    for order in (touched, stop_limit, limit_touched):
        node.hand.submit_order(order)
    for order in (stop, touched, stop_limit, limit_touched):
        await node.status(order, OrderStatus.ACCEPTED)
    node.hand.modify_order(stop, trigger_price=price(92))
    await until(lambda: stop.trigger_price == price(92))
    node.hand.modify_order(stop_limit, price=price(126), trigger_price=price(124))
    await until(lambda: stop_limit.price == price(126))

    quote(venue, "91", "91.5")
    trade(venue, Side.SELL, "91", 1)
    await node.status(stop, OrderStatus.FILLED)
    quote(venue, "121", "121.5")
    trade(venue, Side.BUY, "121.5", 1)
    await node.status(touched, OrderStatus.FILLED)
    quote(venue, "126.5", "127")
    trade(venue, Side.BUY, "127", 1)
    await node.status(stop_limit, OrderStatus.TRIGGERED)
    trade(venue, Side.SELL, "126", 1)
    await node.status(stop_limit, OrderStatus.PARTIALLY_FILLED)
    node.hand.cancel_order(stop_limit)
    await node.status(stop_limit, OrderStatus.CANCELED)
    quote(venue, "84.5", "85")
    trade(venue, Side.SELL, "84.5", 1)
    await node.status(limit_touched, OrderStatus.TRIGGERED)
    quote(venue, "99.5", "100")
    node.hand.cancel_order(limit_touched)
    await until(lambda: limit_touched.is_closed)


async def change_and_cancel(node: LocalNode) -> None:
    """Amend; cancel one, several and all; rows of a batch that fail."""
    venue, price, qty = node.venue, node.instrument().make_price, node.instrument().make_qty
    first, second, third = (node.limit(BUY, 2, p) for p in ("80", "81", "82"))
    for order in (first, second, third):
        await node.status(order, OrderStatus.ACCEPTED)
    node.hand.modify_order(first, quantity=qty(3), price=price(79))
    await until(lambda: (first.quantity, first.price) == (qty(3), price(79)))
    venue.faults.arm(Fault.DROP_PRIVATE, "order", times=2)  # the order's last row, and its fill
    trade(venue, Side.SELL, "82", 2)
    node.hand.cancel_orders([first, third])
    await node.status(third, OrderStatus.FILLED)
    await node.status(first, OrderStatus.CANCELED)
    waiting = node.stop(BUY, 1, "150")
    await node.status(waiting, OrderStatus.ACCEPTED)
    node.hand.cancel_all_orders(node.id())
    await node.status(second, OrderStatus.CANCELED)
    await node.status(waiting, OrderStatus.CANCELED)


async def refusals(node: LocalNode, mode: str) -> None:
    """What the venue cannot do is denied, and nothing is sent."""
    sent = len(node.venue.wire.exchanged)
    instrument = node.instrument()
    trailing = node.make.trailing_stop_market(node.id(), SELL, instrument.make_qty(1), Decimal(5))
    node.hand.submit_order(trailing)
    refused: list[Order] = [trailing, node.market(BUY, 1, time_in_force=TimeInForce.FOK)]
    if mode == "one_way":
        refused.append(node.market(SELL, 500))
    for order in refused:
        await node.status(order, OrderStatus.DENIED)
    orders = [item for item in node.venue.wire.exchanged[sent:] if item.method == "POST"]
    assert orders == []


async def both_sides(node: LocalNode, mode: str) -> None:
    """Hedge: a short beside the long. One-way: a plain sell takes from the long."""
    before = sum(position.signed_qty for position in node.positions())
    order = node.market(SELL, 3)
    await node.status(order, OrderStatus.FILLED)
    await until(lambda: sum(position.signed_qty for position in node.positions()) == before - 3)
    sides = sorted(position.side.name for position in node.positions())
    assert sides == (["LONG", "SHORT"] if mode == "hedge" else ["LONG"])


@MODES
def test_everything_beside_150_contracts_then_a_restart_then_flat(mode: str) -> None:
    """The whole story, with the three accounts agreeing at every stop."""

    async def story() -> None:
        feed = SyntheticFeed(CONTRACTS, seed=3, rate=10.0)
        async with LocalMexc(feed, contracts=[listing()]) as venue:
            quote(venue, "99.5", "100")
            async with local_node(venue, data={"subscriptions_per_second": 200.0}, **settings(mode)) as node:
                for contract in feed.contracts():
                    node.hand.subscribe_trade_ticks(node.id(contract.symbol))
                    node.hand.subscribe_order_book_deltas(node.id(contract.symbol), BookType.L2_MBP)
                await take_and_rest(node)
                await wait_for_prices(node)
                await change_and_cancel(node)
                await refusals(node, mode)
                await both_sides(node, mode)
                await until(lambda: len(node.hand.heard) == CONTRACTS)
                await agreed(node, mode)
                left = node.limit(BUY, 4, "90")
                guard = node.stop(SELL, 2, "70", reduce_only=True)
                await node.status(left, OrderStatus.ACCEPTED)
                await node.status(guard, OrderStatus.ACCEPTED)
            trade(venue, Side.SELL, "90", 1)  # while nobody looks
            async with local_node(venue, name="002", claims=["X_USDT"], **settings(mode)) as node:
                await agreed(node, mode)
                left = node.cache.order(left.client_order_id)
                assert left.status == OrderStatus.PARTIALLY_FILLED
                (guard,) = [o for o in node.cache.orders_open() if o.has_trigger_price]
                quote(venue, "69", "69.5")
                trade(venue, Side.SELL, "69", 1)
                await node.status(guard, OrderStatus.FILLED)
                node.hand.cancel_all_orders(node.id())
                await until(lambda: not node.cache.orders_open())
                for position in node.positions():
                    node.hand.close_position(position)
                await until(lambda: not node.positions())
                await agreed(node, mode)
                assert not venue.exchange.accounts[venue.account_id].positions
                assert node.failures == []

    run(story())
