"""Placing, changing, cancelling and querying orders, with MEXC's codes for what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.signature import ApiKey
from tests.adapters.loopback.mexc.client import SYMBOL, quiet_venue, run


def test_a_market_order_is_acknowledged_by_a_text_id_and_then_found_filled() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            answer = await client.create(1, 60, externalOid="mine-1")
            assert set(answer["data"]) == {"orderId", "ts"}
            assert isinstance(answer["data"]["orderId"], str)
            order = (await client.private(f"order/get/{answer['data']['orderId']}"))["data"]
            assert (order["state"], order["dealVol"], order["orderType"]) == (3, 60, 5)
            assert order["dealAvgPrice"] == Decimal("100000.016666666667")
            assert order["takerFee"] == Decimal("0.4800000800")  # 600.0001 x 0.0008
            assert (order["externalOid"], order["version"], order["errorCode"]) == ("mine-1", 2, 0)
            by_external = (await client.private(f"order/external/{SYMBOL}/mine-1"))["data"]
            assert by_external == order

    run(test())


def test_an_external_id_that_is_unknown_is_a_success_without_data() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert await client.private(f"order/external/{SYMBOL}/nobody") == {"success": True, "code": 0}

    run(test())


def test_an_order_without_an_external_id_gets_one_of_the_venue() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            order_id = await client.order_id(1, 1, "99000.0")
            external = (await client.private(f"order/get/{order_id}"))["data"]["externalOid"]
            assert external.startswith("_m_")
            assert len(external) == 32

    run(test())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"side": 5}, 2001),
        ({"openType": 3}, 2002),
        ({"type": 9}, 2029),
        ({"vol": 0}, 2011),
        ({"vol": 1.5}, 2015),
        ({"vol": None}, 600),
        ({"vol": "much"}, 600),
        ({"price": 90000.05}, 2015),
        ({"price": None}, 2007),
        ({"price": 120_000}, 2003),
        ({"side": 3, "price": 80_000}, 2004),
        ({"leverage": 101}, 2006),
        ({"leverage": None}, 600),
        ({"vol": 4_000_000}, 2005),
        ({"side": 4}, 2009),
        ({"positionMode": 2}, 7002),
        ({"reduceOnly": True}, 600),
        ({"externalOid": "x" * 33}, 2030),
        ({"externalOid": "no spaces"}, 600),
        ({"symbol": "NOPE_USDT"}, 1001),
        ({"symbol": None}, 600),
    ],
)
def test_what_is_refused_has_its_code_and_leaves_nothing(change: dict[str, Any], code: int) -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            order = {"symbol": SYMBOL, "side": 1, "vol": 1, "type": 1, "price": 90_000, "openType": 1, "leverage": 10}
            answer = await client.post("order/create", order | change)
            assert (answer["success"], answer["code"]) == (False, code), answer
            assert client.venue.exchange.orders == {}

    run(test())


def test_an_external_id_serves_once() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 1, "99000.0", externalOid="once")
            assert (await client.create(1, 1, "99000.0", externalOid="once"))["code"] == 2042
            assert len(client.venue.exchange.orders) == 1

    run(test())


def test_by_the_other_reading_a_market_order_needs_a_price() -> None:
    async def test() -> None:
        async with quiet_venue(assumptions=Assumptions(market_order_needs_price=True)) as client:
            assert (await client.create(1, 1))["code"] == 600
            assert (await client.create(1, 1, "0", type=5))["success"]

    run(test())


def test_numbers_may_come_as_text() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            texts = {"symbol": SYMBOL, "side": "1", "vol": "2", "type": "1", "price": "99000.1", "openType": "2"}
            order_id = (await client.post("order/create", texts))["data"]["orderId"]
            order = (await client.private(f"order/get/{order_id}"))["data"]
            assert (order["price"], order["vol"]) == (Decimal("99000.1"), 2)

    run(test())


@pytest.mark.parametrize(("code", "error", "filled"), [(2, 20, 0), (3, 18, 50), (4, 19, 0)])
def test_a_crossing_order_of_each_type_is_acknowledged_and_ends_with_its_error_code(
    code: int, error: int, filled: int
) -> None:
    """70 at 100,000.0, where 50 are: post-only, immediate or cancel, fill or kill."""

    async def test() -> None:
        async with quiet_venue() as client:
            order_id = await client.order_id(1, 70, "100000.0", type=code)
            order = (await client.private(f"order/get/{order_id}"))["data"]
            assert (order["state"], order["errorCode"], order["dealVol"]) == (4, error, filled)

    run(test())


def test_cancels_answer_row_by_row_with_ids_as_numbers() -> None:
    """One of three rows fails for an unknown id, one because the order is filled; the envelope is a success."""

    async def test() -> None:
        async with quiet_venue() as client:
            resting, filled = await client.order_id(1, 1, "99000.0"), await client.order_id(1, 1)
            answer = await client.post("order/cancel", [resting, int(filled), 5])
            assert answer["success"]
            assert [(row["orderId"], row["errorCode"]) for row in answer["data"]] == [
                (int(resting), 0),
                (int(filled), 2041),
                (5, 2040),
            ]
            assert (await client.post("order/cancel", ["1"] * 51))["code"] == 2013
            assert (await client.post("order/cancel", {"orderId": 1}))["code"] == 600

    run(test())


def test_cancels_by_external_id_take_one_object_or_an_array() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 1, "99000.0", externalOid="a")
            await client.order_id(1, 1, "99000.0", externalOid="b")
            one = await client.post("order/cancel_with_external", {"symbol": SYMBOL, "externalOid": "a"})
            many = await client.post(
                "order/batch_cancel_with_external",
                [{"symbol": SYMBOL, "externalOid": "b"}, {"symbol": SYMBOL, "externalOid": "c"}],
            )
            assert [row["errorCode"] for row in one["data"] + many["data"]] == [0, 0, 2040]
            assert [row["externalOid"] for row in many["data"]] == ["b", "c"]

    run(test())


def test_cancel_all_takes_one_contract_or_all_and_leaves_trigger_orders() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 1, "99000.0")
            await client.order_id(1, 1, "99000.0", symbol="ETH_USDT")
            plan = {"symbol": SYMBOL, "vol": 1, "side": 1, "openType": 1, "leverage": 10, "orderType": 5}
            plan |= {"triggerPrice": 110_000, "triggerType": 1, "executeCycle": 1, "trend": 1}
            assert (await client.post("planorder/place/v2", plan))["success"]
            assert await client.post("order/cancel_all", {"symbol": SYMBOL}) == {"success": True, "code": 0}
            rows = (await client.private("order/list/open_orders"))["data"]
            assert [row["symbol"] for row in rows] == ["ETH_USDT"]
            await client.post("order/cancel_all", {"symbol": ""})
            assert (await client.private("order/list/open_orders"))["data"] == []
            assert len(client.venue.exchange.triggers.waiting("main")) == 1

    run(test())


def test_an_order_can_be_changed_in_place() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            order_id = await client.order_id(1, 5, "99000.0")
            answer = await client.post("order/change_limit_order", {"orderId": order_id, "price": 99000.1, "vol": 3})
            assert answer["data"] == order_id
            order = (await client.private(f"order/get/{order_id}"))["data"]
            assert (order["price"], order["vol"], order["version"]) == (Decimal("99000.1"), 3, 2)

    run(test())


def test_by_the_other_reading_a_change_makes_a_new_order() -> None:
    async def test() -> None:
        async with quiet_venue(assumptions=Assumptions(amend_keeps_id=False)) as client:
            order_id = await client.order_id(1, 5, "99000.0")
            answer = await client.post("order/change_limit_order", {"orderId": order_id, "price": 99001, "vol": 3})
            assert answer["data"] != order_id
            (row,) = (await client.private("order/list/open_orders"))["data"]
            assert (row["orderId"], row["price"], row["vol"]) == (answer["data"], 99001, 3)

    run(test())


def test_batches_are_for_market_makers() -> None:
    async def test() -> None:
        order = {"symbol": SYMBOL, "side": 1, "vol": 1, "openType": 1, "leverage": 10, "type": 1, "price": 99_000}
        async with quiet_venue() as client:
            assert (await client.post("order/submit_batch", [order]))["code"] == 511
        async with quiet_venue(assumptions=Assumptions(market_maker=True)) as client:
            answer = await client.post("order/submit_batch", [order, order | {"vol": 0}])
            assert [row["errorCode"] for row in answer["data"]] == [0, 2011]

    run(test())


def test_history_has_what_is_done_newest_first_and_open_orders_the_rest() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            resting = await client.order_id(1, 1, "99000.0")
            cancelled = await client.order_id(1, 1, "99000.0")
            await client.post("order/cancel", [cancelled])
            filled = await client.order_id(1, 1)
            history = (await client.private("order/list/history_orders", page_num=1, page_size=20))["data"]
            assert [row["orderId"] for row in history] == [filled, cancelled]
            only = (await client.private("order/list/history_orders", states="3"))["data"]
            assert [row["orderId"] for row in only] == [filled]
            rows = (await client.private(f"order/list/open_orders/{SYMBOL}"))["data"]
            assert [row["orderId"] for row in rows] == [resting]
            batch = (await client.private("order/batch_query", order_ids=f"{resting},{filled},7"))["data"]
            assert [row["orderId"] for row in batch] == [resting, filled]

    run(test())


def test_fills_are_told_by_order_and_all_together() -> None:
    """60 against two levels are two fills, taker; a resting order's fill is a maker's."""

    async def test() -> None:
        async with quiet_venue() as client:
            taker = await client.order_id(1, 60)
            maker = await client.order_id(3, 5, "100000.2")
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal("100000.2"), Decimal(52))
            deals = (await client.private(f"order/deal_details/{taker}"))["data"]
            assert [(d["vol"], d["price"], d["taker"]) for d in deals] == [
                (50, 100_000, True),
                (10, Decimal("100000.1"), True),
            ]
            every = (await client.private("order/list/order_deals/v3", symbol=SYMBOL, page_size=1000))["data"]
            assert [(d["orderId"], d["vol"], d["taker"], d["side"]) for d in every] == [
                (maker, 2, False, 3),
                (taker, 10, True, 1),
                (taker, 50, True, 1),
            ]
            assert every[0]["fee"] == Decimal("2") * Decimal("10.00002") * Decimal("0.0006")

    run(test())


def test_orders_of_others_are_not_there() -> None:
    async def test() -> None:
        keys = [ApiKey("one", "s1", "one"), ApiKey("two", "s2", "two")]
        async with quiet_venue(keys=keys) as client:
            order_id = await client.order_id(1, 1, "99000.0", externalOid="a")
            client.venue.keys.reverse()
            assert (await client.private(f"order/get/{order_id}"))["code"] == 2040
            assert await client.private(f"order/external/{SYMBOL}/a") == {"success": True, "code": 0}
            assert (await client.post("order/cancel", [order_id]))["data"][0]["errorCode"] == 2040

    run(test())


def test_one_way_mode_nets_and_takes_the_reduce_only_flag() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert (await client.post("position/change_position_mode", {"positionMode": 2}))["success"]
            assert (await client.create(1, 5))["success"]
            assert (await client.create(3, 2, positionMode=2))["success"]
            assert (await client.create(3, 4, positionMode=2, reduceOnly=True))["code"] == 2008
            assert (await client.create(3, 3, positionMode=2, reduceOnly=True))["success"]
            assert (await client.private("position/open_positions"))["data"] == []

    run(test())


def test_by_the_other_reading_an_opening_side_against_the_position_is_refused() -> None:
    async def test() -> None:
        async with quiet_venue(assumptions=Assumptions(nets_in_one_way=False)) as client:
            await client.post("position/change_position_mode", {"positionMode": 2})
            assert (await client.create(1, 5))["success"]
            assert (await client.create(3, 2))["code"] == 2022
            assert (await client.create(4, 2))["success"]

    run(test())
