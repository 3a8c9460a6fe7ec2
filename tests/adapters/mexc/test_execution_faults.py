"""One fault at a time, against a node on a local MEXC: nothing is sent twice, no fill is lost, nothing lives unseen."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus

from adapters.loopback.faults import Fault
from adapters.loopback.matching.order import Effect, Kind, MarginMode, NewOrder, Side
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.mexc.rest_server import RestServer
from tests.adapters.mexc.local_node import LocalNode, listing, local_node, quote, trade, until
from tests.adapters.mexc.local_venue import run
from tests.adapters.mexc.quick_windows import shorten
from tests.adapters.mexc.three_ledgers import differences

BUY, SELL = OrderSide.BUY, OrderSide.SELL
CREATE, PLAN = "order/create", "planorder/place"
QUICK: dict[str, Any] = {"request_timeout_seconds": 1.0, "refresh_interval_seconds": 1.0, "leverage": 5}
UNWATCHED = {"inflight_check_interval_ms": 0}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        yield


def local(**more: Any) -> LocalMexc:
    return LocalMexc(contracts=[listing()], **more)


async def agreed(node: LocalNode) -> None:
    try:
        await until(lambda: not differences(node.cache, node.venue), seconds=20)
    except AssertionError:
        raise AssertionError(f"never agreed: {differences(node.cache, node.venue)}") from None
    assert node.failures == []


def sent(venue: LocalMexc, path: str) -> int:
    return len(venue.wire.requests(path))


# -- the fate of orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_ACK, Fault.ERROR_AFTER])
@pytest.mark.parametrize("push_lost", [False, True])
def test_order_that_was_taken_is_found(fault: Fault, push_lost: bool) -> None:
    """By its push, or by its name; it was sent once."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.arm(fault, CREATE)
            if push_lost:
                venue.faults.arm(Fault.DROP_PRIVATE, "personal.order")
            order = node.limit(BUY, 2, "90")
            await node.status(order, OrderStatus.ACCEPTED)
            assert sent(venue, CREATE) == 1
            await agreed(node)

    run(story())


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.RATE_LIMITED])
def test_order_that_was_not_taken_is_rejected_when_that_is_certain(fault: Fault) -> None:
    """After the window, not before, and it is not sent again."""

    async def story() -> None:
        async with local() as venue, local_node(venue, engine=UNWATCHED, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.arm(fault, CREATE)
            order = node.limit(BUY, 2, "90")
            await node.status(order, OrderStatus.SUBMITTED)
            await node.status(order, OrderStatus.REJECTED)
            assert "did not take it" in order.events[-1].reason
            assert order.events[-1].ts_init - order.events[-2].ts_init >= 2_000_000_000
            assert sent(venue, CREATE) == 1
            await agreed(node)

    run(story())


def test_order_that_arrives_after_its_sender_has_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hung in the network for longer than the time-out: asked for too early it is missing, and then it is there."""
    serve = RestServer._serve
    late = [1.4]

    async def slowly(server: RestServer, route: Any, request: web.Request) -> web.Response:
        if CREATE in route.path and late:
            await request.read()
            await asyncio.sleep(late.pop())
        return await serve(server, route, request)

    monkeypatch.setattr(RestServer, "_serve", slowly)

    async def story() -> None:
        async with local() as venue, local_node(venue, engine=UNWATCHED, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.rate(Fault.DROP_PRIVATE, 1.0)
            order = node.limit(BUY, 2, "90")
            await node.status(order, OrderStatus.ACCEPTED)
            assert sent(venue, "order/external") >= 1
            assert sent(venue, CREATE) == 1
            await agreed(node)

    run(story())


@pytest.mark.parametrize("fault", [Fault.LOST_ACK, Fault.ERROR_BEFORE])
def test_trigger_orders_are_recognised_by_their_content(fault: Fault) -> None:
    """Two equal stops: the answer to the first is lost, so the second waits until it is clear which is which."""

    async def story() -> None:
        async with local() as venue, local_node(venue, engine=UNWATCHED, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.arm(fault, PLAN)
            venue.faults.arm(Fault.DROP_PRIVATE, "plan.order")
            first, second = node.stop(BUY, 1, "120"), node.stop(BUY, 1, "120")
            await node.status(second, OrderStatus.ACCEPTED)
            taken = fault is Fault.LOST_ACK
            await node.status(first, OrderStatus.ACCEPTED if taken else OrderStatus.REJECTED)
            assert sent(venue, PLAN) == 2
            assert len(venue.exchange.triggers.waiting(venue.account_id)) == (2 if taken else 1)
            assert first.venue_order_id != second.venue_order_id
            await agreed(node)

    run(story())


def test_order_that_nautilus_has_given_up_is_cancelled_when_it_turns_up() -> None:
    """Nautilus rejects an order without answer after some checks; alive at the venue, it must not stay there."""
    hasty = {"inflight_check_interval_ms": 100, "inflight_check_threshold_ms": 100, "inflight_check_retries": 1}

    async def story() -> None:
        async with local() as venue, local_node(venue, engine=hasty, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.arm(Fault.LOST_ACK, CREATE)
            venue.faults.arm(Fault.DROP_PRIVATE, "personal.order")
            venue.faults.arm(Fault.ERROR_BEFORE, "order/external", times=6)
            order = node.limit(BUY, 2, "90")
            await node.status(order, OrderStatus.REJECTED)
            assert order.events[-1].reason == "UNKNOWN"
            await until(lambda: not venue.exchange.accounts[venue.account_id].open_orders)

    run(story())


def test_cancel_overtakes_the_answer_to_the_order() -> None:
    """The sending has no answer yet: the order is cancelled by its name."""

    async def story() -> None:
        async with local() as venue, local_node(venue, engine=UNWATCHED, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.faults.delay_s = (0.8, 0.8)
            venue.faults.arm(Fault.DELAY_REPLY, CREATE)
            venue.faults.arm(Fault.DROP_PRIVATE, "personal.order")
            order = node.limit(BUY, 2, "90")
            await until(lambda: sent(venue, CREATE))
            node.hand.cancel_order(order)
            await node.status(order, OrderStatus.CANCELED)
            assert sent(venue, "cancel_with_external") == 1
            await agreed(node)

    run(story())


# -- fills -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.DROP_PRIVATE, Fault.DUPLICATE_PRIVATE, Fault.REORDER_PRIVATE])
def test_fills_are_told_once_whatever_happens_to_their_pushes(fault: Fault) -> None:
    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            order = node.limit(BUY, 6, "90")
            await node.status(order, OrderStatus.ACCEPTED)
            venue.faults.rate(fault, 1.0)
            for _ in range(3):
                trade(venue, Side.SELL, "90", 2)
            await node.status(order, OrderStatus.FILLED)
            assert node.hand.names(order)[-3:] == ["Filled"] * 3
            assert order.liquidity_side == LiquiditySide.MAKER
            await agreed(node)

    run(story())


def test_what_happened_while_the_line_was_cut() -> None:
    """No replay after a reconnect: open orders, fills and money are asked for."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **(QUICK | {"refresh_interval_seconds": 600.0})) as node:
            quote(venue, "99.5", "100")
            order, other = node.limit(BUY, 6, "90"), node.limit(BUY, 6, "80")
            await node.status(order, OrderStatus.ACCEPTED)
            await node.status(other, OrderStatus.ACCEPTED)
            venue.disconnect()
            await until(lambda: not node.client.socket.is_connected)
            trade(venue, Side.SELL, "90", 6)
            venue.exchange.cancel(venue.account_id, int(other.venue_order_id.value))
            await node.status(order, OrderStatus.FILLED)
            await node.status(other, OrderStatus.CANCELED)
            await agreed(node)

    run(story())


def test_order_of_another_hand_is_taken_in() -> None:
    """By hand on the web page, or a liquidation: Nautilus hears of it, and of its fills and fees."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            foreign = venue.exchange.submit(
                NewOrder(
                    venue.account_id, "X_USDT", Side.BUY, Effect.OPEN, Kind.LIMIT, Decimal(4), Decimal(90),
                    MarginMode.ISOLATED, 5, "_m_from_the_web",
                )
            )  # fmt: skip
            trade(venue, Side.SELL, "90", 3)
            await until(lambda: node.positions() and node.positions()[0].quantity == 3)
            (order,) = node.cache.orders_open()
            assert (order.venue_order_id.value, order.strategy_id.value) == (str(foreign.id), "EXTERNAL")
            venue.exchange.cancel(venue.account_id, foreign.id)
            await node.status(order, OrderStatus.CANCELED)
            await agreed(node)

    run(story())


def test_exit_whose_fill_overtakes_that_of_its_entry() -> None:
    """In one-way mode Nautilus would drop it, and be wrong about the position for good."""

    async def story() -> None:
        one_way = {"position_mode": "one_way", "change_position_mode": True}
        async with local() as venue, local_node(venue, **QUICK, **one_way) as node:
            quote(venue, "99.5", "100")
            entry, leave = node.limit(BUY, 2, "90"), node.stop(SELL, 2, "85", reduce_only=True)
            await node.status(entry, OrderStatus.ACCEPTED)
            await node.status(leave, OrderStatus.ACCEPTED)
            venue.faults.arm(Fault.DROP_PRIVATE, "personal.order", times=2)
            trade(venue, Side.SELL, "90", 2)
            quote(venue, "84", "84.5")
            trade(venue, Side.SELL, "84", 1)
            await node.status(leave, OrderStatus.FILLED)
            await node.status(entry, OrderStatus.FILLED)
            await until(lambda: not node.positions())
            await until(lambda: not differences(node.cache, venue, one_way=True), seconds=60)

    run(story())


def test_node_starts_at_a_venue_that_fails_at_first() -> None:
    """Both clients wait until it answers, and the account is surveyed then: a start that gave up would never trade."""

    async def heal(venue: LocalMexc) -> None:
        await asyncio.sleep(3.0)
        venue.faults.rate(Fault.ERROR_BEFORE, 0.0)

    async def story() -> None:
        async with local() as venue:
            quote(venue, "99.5", "100")
            venue.faults.rate(Fault.ERROR_BEFORE, 1.0)
            healing = asyncio.create_task(heal(venue))
            async with local_node(venue, data={}, **QUICK) as node:
                await healing
                order = node.limit(BUY, 2, "90")
                await node.status(order, OrderStatus.ACCEPTED)
                await agreed(node)

    run(story())


# -- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps_id", [True, False])
@pytest.mark.parametrize("fault", [None, Fault.LOST_ACK, Fault.ERROR_BEFORE])
def test_change_is_found_out_about(keeps_id: bool, fault: Fault | None) -> None:
    """Whether its answer comes or not, and whether the venue keeps the order's id or not."""

    async def story() -> None:
        assumptions = Assumptions(amend_keeps_id=keeps_id)
        async with local(assumptions=assumptions) as venue, local_node(venue, engine=UNWATCHED, **QUICK) as node:
            quote(venue, "99.5", "100")
            order = node.limit(BUY, 2, "90")
            await node.status(order, OrderStatus.ACCEPTED)
            if fault is not None:
                venue.faults.arm(fault, "change_limit_order")
            price = node.instrument().make_price(91)
            node.hand.modify_order(order, price=price)
            await until(lambda: order.status == OrderStatus.ACCEPTED and len(order.events) > 4)
            changed = fault is not Fault.ERROR_BEFORE
            assert node.hand.names(order)[-1] == ("Updated" if changed else "ModifyRejected")
            assert (order.price == price) is changed
            assert sent(venue, "change_limit_order") == 1
            await agreed(node)
            trade(venue, Side.SELL, "90", 2)
            await node.status(order, OrderStatus.FILLED)
            await agreed(node)

    run(story())


def test_change_of_a_partly_filled_order_is_refused() -> None:
    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            order = node.limit(BUY, 4, "90")
            await node.status(order, OrderStatus.ACCEPTED)
            trade(venue, Side.SELL, "90", 1)
            await node.status(order, OrderStatus.PARTIALLY_FILLED)
            node.hand.modify_order(order, price=node.instrument().make_price(91))
            await until(lambda: "ModifyRejected" in node.hand.names(order))
            assert sent(venue, "change_limit_order") == 0

    run(story())
