"""Plan orders and TP/SL by REST."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.loopback.matching.order import Side
from tests.adapters.loopback.mexc.client import SYMBOL, Client, quiet_venue, run

PLAN = {
    "symbol": SYMBOL,
    "vol": 2,
    "side": 1,
    "openType": 1,
    "leverage": 10,
    "orderType": 5,
    "triggerPrice": 100_005,
    "triggerType": 1,
    "executeCycle": 2,
    "trend": 1,
}


async def plans(client: Client, **query: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await client.private("planorder/list/orders", **query))["data"]
    return rows


def test_a_plan_order_is_placed_listed_and_executed() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            answer = await client.post("planorder/place/v2", PLAN)
            assert isinstance(answer["data"], str)
            (row,) = await plans(client, states=1)
            assert (row["id"], row["state"], row["triggerPrice"], row["executeCycle"]) == (
                answer["data"], 1, 100_005, 168,
            )  # fmt: skip
            assert "price" not in row
            assert "orderId" not in row
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal(100_005), Decimal(1))
            (row,) = await plans(client)
            assert row["state"] == 3
            order = (await client.private(f"order/get/{row['orderId']}"))["data"]
            assert (order["dealVol"], order["orderType"]) == (2, 5)

    run(test())


def test_the_older_endpoint_answers_by_a_bare_number() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert isinstance((await client.post("planorder/place", PLAN))["data"], int)

    run(test())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"trend": 4}, 3001),
        ({"triggerType": 3}, 3002),
        ({"executeCycle": 9}, 3003),
        ({"triggerPrice": 0}, 3004),
        ({"triggerPrice": 100_000.05}, 3004),
        ({"triggerPrice": None}, 600),
        ({"orderType": 7}, 2029),
    ],
)
def test_what_is_refused_has_its_code(change: dict[str, Any], code: int) -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert (await client.post("planorder/place/v2", PLAN | change))["code"] == code

    run(test())


def test_plan_orders_are_changed_and_cancelled() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            first = (await client.post("planorder/place/v2", PLAN | {"orderType": 1, "price": 99_000}))["data"]
            change = {"orderId": first, "triggerPrice": 100_010, "price": 99_001}
            assert (await client.post("planorder/change_price", change))["success"]
            (row,) = await plans(client)
            assert (row["triggerPrice"], row["price"]) == (100_010, 99_001)
            cancel = [{"symbol": SYMBOL, "orderId": first}]
            assert await client.post("planorder/cancel", cancel) == {"success": True, "code": 0}
            assert (await client.post("planorder/cancel", cancel))["code"] == 2040
            await client.post("planorder/place/v2", PLAN)
            await client.post("planorder/cancel_all", {"symbol": SYMBOL})
            assert [row["state"] for row in await plans(client)] == [2, 2]

    run(test())


def test_a_plan_that_cannot_be_carried_out_fails_with_an_error_code() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.post("planorder/place/v2", PLAN | {"side": 4})
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal(100_005), Decimal(1))
            (row,) = await plans(client)
            assert (row["state"], row["errorCode"]) == (5, 3)

    run(test())


async def position_id(client: Client) -> int:
    (row,) = (await client.private("position/open_positions"))["data"]
    number: int = row["positionId"]
    return number


def test_stops_of_a_position_are_placed_changed_and_end_it() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 5)
            held = await position_id(client)
            stop = {"positionId": held, "vol": 5, "lossTrend": 2, "stopLossPrice": 99_990, "takeProfitPrice": 100_500}
            assert (await client.post("stoporder/place", stop))["success"]
            (row,) = (await client.private("stoporder/open_orders"))["data"]
            assert (row["positionId"], row["stopLossPrice"], row["lossTrend"]) == (str(held), 99_990, 2)
            change = {"stopPlanOrderId": row["id"], "stopLossPrice": 99_950}
            assert (await client.post("stoporder/change_plan_price", change))["success"]
            client.venue.exchange.feed_prices(SYMBOL, fair=Decimal(99_960))
            assert await position_id(client) == held
            client.venue.exchange.feed_prices(SYMBOL, fair=Decimal(99_950))
            assert (await client.private("position/open_positions"))["data"] == []
            (row,) = (await client.private("stoporder/list/orders"))["data"]
            assert (row["state"], row["triggerSide"], row["isFinished"]) == (3, 2, 1)
            assert (await client.private(f"order/get/{row['placeOrderId']}"))["data"]["side"] == 4

    run(test())


def test_stops_are_refused_with_their_codes_and_cancelled() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert (await client.post("stoporder/place", {"positionId": 1, "vol": 1, "stopLossPrice": 1}))[
                "code"
            ] == 2009
            await client.order_id(1, 5)
            held = await position_id(client)
            wrong = {"positionId": held, "vol": 5}
            assert (await client.post("stoporder/place", wrong))["code"] == 5001
            crossed = wrong | {"stopLossPrice": 101_000, "takeProfitPrice": 99_000}
            assert (await client.post("stoporder/place", crossed))["code"] == 5003
            more = wrong | {"vol": 6, "stopLossPrice": 99_000}
            assert (await client.post("stoporder/place", more))["code"] == 5004

    run(test())


def test_stops_that_come_with_an_order_can_be_moved_and_cancelled() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            order_id = await client.order_id(1, 5, "99000.0", stopLossPrice=98_000)
            (row,) = (await client.private("stoporder/open_orders"))["data"]
            assert (row["orderId"], row["stopLossPrice"]) == (order_id, 98_000)
            moved = await client.post("stoporder/change_price", {"orderId": order_id, "stopLossPrice": 98_500})
            assert moved["success"]
            (row,) = (await client.private("stoporder/open_orders"))["data"]
            assert row["stopLossPrice"] == 98_500
            assert (await client.post("stoporder/cancel", [{"stopPlanOrderId": row["id"]}]))["success"]
            assert (await client.private("stoporder/open_orders"))["data"] == []
            assert (await client.post("stoporder/change_price", {"orderId": order_id}))["code"] == 5002

    run(test())
