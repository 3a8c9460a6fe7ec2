"""Login, filters and the private channels."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.loopback.matching.order import Side
from tests.adapters.loopback.mexc.client import SYMBOL, quiet_venue, run


def of(frames: list[dict[str, Any]], channel: str) -> list[dict[str, Any]]:
    return [frame["data"] for frame in frames if frame["channel"] == f"push.personal.{channel}"]


def test_login_is_answered_by_a_stamp_that_is_text_and_a_forged_one_by_an_error() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.send(client.login_frame(signed_by="forged"))
            assert (await socket.next())["channel"] == "rs.error"
            await client.order_id(1, 1)
            assert await socket.gather() == []
            await socket.send(client.login_frame())
            ack = await socket.next()
            assert (ack["channel"], ack["data"], type(ack["ts"])) == ("rs.login", "success", str)

    run(test())


def test_a_market_order_is_told_by_its_states_fills_position_and_assets() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            order_id = await client.order_id(1, 60, externalOid="mine")
            frames = await socket.gather()
            orders = of(frames, "order")
            assert [(o["state"], o["dealVol"], o["remainVol"], o["version"]) for o in orders] == [
                (2, 0, 60, 1),
                (3, 60, 0, 2),
            ]
            assert {(o["orderId"], o["externalOid"], o["positionMode"]) for o in orders} == {(order_id, "mine", 1)}
            deals = of(frames, "order.deal")
            assert [(d["vol"], d["price"], d["taker"], d["isSelf"]) for d in deals] == [
                (50, 100_000, True, False),
                (10, Decimal("100000.1"), True, False),
            ]
            assert sum(d["fee"] for d in deals) == orders[-1]["takerFee"]
            position = of(frames, "position")[-1]
            assert (position["holdVol"], position["state"], position["positionType"]) == (60, 1, 1)
            assert position["fee"] == -orders[-1]["takerFee"]
            asset = of(frames, "asset")[-1]
            assert asset["positionMargin"] == Decimal("60.00001")
            assert asset["frozenBalance"] == 0

    run(test())


def test_a_partial_fill_keeps_state_two_while_the_volumes_move() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            await client.order_id(1, 5, "99999.9")
            client.venue.exchange.feed_trade(SYMBOL, Side.SELL, Decimal("99999.9"), Decimal(52))
            orders = of(await socket.gather(), "order")
            assert [(o["state"], o["dealVol"], o["remainVol"]) for o in orders] == [(2, 0, 5), (2, 2, 3)]
            assert orders[-1]["makerFee"] > 0

    run(test())


def test_a_cancel_is_told_with_its_error_code() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            order_id = await client.order_id(1, 5, "99000.0")
            await client.post("order/cancel", [order_id])
            await client.order_id(1, 70, "100000.0", type=3)
            orders = of(await socket.gather(), "order")
            assert [(o["state"], o["errorCode"]) for o in orders if o["state"] == 4] == [(4, 0), (4, 18)]

    run(test())


def test_trigger_orders_are_told_from_waiting_to_executed() -> None:
    async def test() -> None:
        plan = {"symbol": SYMBOL, "vol": 2, "side": 1, "openType": 1, "leverage": 10, "orderType": 5}
        plan |= {"triggerPrice": 100_005, "triggerType": 1, "executeCycle": 1, "trend": 1}
        async with quiet_venue() as client, client.socket(login=True) as socket:
            plan_id = (await client.post("planorder/place/v2", plan))["data"]
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal(100_005), Decimal(1))
            await client.post("stoporder/place", {"positionId": 1_109_973_831, "vol": 2, "stopLossPrice": 90_000})
            frames = await socket.gather()
            first, last = of(frames, "plan.order")
            assert (first["id"], first["state"], last["state"]) == (plan_id, 1, 3)
            assert not {"orderId", "price"} & set(first)
            assert last["orderId"] == of(frames, "order")[0]["orderId"]
            (stop,) = of(frames, "stop.planorder")
            assert (stop["stopLossPrice"], stop["state"]) == (90_000, 1)

    run(test())


@pytest.mark.parametrize(
    ("filters", "channels"),
    [
        ([{"filter": "order"}], {"order"}),
        ([{"filter": "order.deal", "rules": ["ETH_USDT"]}, {"filter": "asset"}], {"asset"}),
        ([{"filter": "position", "rules": [SYMBOL]}], {"position"}),
        ([], {"order", "order.deal", "position", "asset"}),
    ],
)
def test_a_filter_lets_through_what_it_names_and_an_empty_one_everything(
    filters: list[dict[str, Any]], channels: set[str]
) -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            await socket.send({"method": "personal.filter", "param": {"filters": filters}})
            await socket.until("rs.personal.filter")
            await client.order_id(1, 1)
            frames = await socket.gather()
            assert {frame["channel"].removeprefix("push.personal.") for frame in frames} == channels

    run(test())


@pytest.mark.parametrize("place", ["top", "param"])
def test_a_login_may_ask_for_silence_until_it_filters(place: str) -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            frame = client.login_frame()
            (frame if place == "top" else frame["param"])["subscribe"] = False
            await socket.send(frame)
            await socket.until("rs.login")
            await client.order_id(1, 1)
            assert await socket.gather() == []
            await socket.send({"method": "personal.filter"})
            await socket.until("rs.personal.filter")
            await client.order_id(1, 1)
            assert await socket.gather()

    run(test())


def test_the_position_mode_is_told() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            await client.post("position/change_position_mode", {"positionMode": 2})
            assert of(await socket.gather(), "position.mode") == [{"positionMode": 2}]

    run(test())


def test_every_private_frame_is_in_the_wire_log_as_it_was_sent() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            await client.order_id(1, 60)
            await socket.gather()
            assert [f.text for f in client.venue.wire.frames] == socket.texts[1:]

    run(test())
