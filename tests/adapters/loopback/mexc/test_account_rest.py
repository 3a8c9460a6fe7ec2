"""Money, fees, leverage, modes and positions by REST; request limits."""

from decimal import Decimal

from adapters.loopback.mexc.assumptions import Assumptions
from tests.adapters.loopback.mexc.client import SYMBOL, quiet_venue, run


def test_assets_follow_orders_and_positions() -> None:
    """Bought 10 at 100,000: worth 100, margin 10, fee 0.08; an order of 10 at 99,000 freezes 9.9 and 0.0792."""

    async def test() -> None:
        async with quiet_venue(deposits={"USDT": Decimal(1_000)}) as client:
            await client.order_id(1, 10)
            await client.order_id(1, 10, "99000.0")
            (row,) = (await client.private("account/assets"))["data"]
            assert (row["positionMargin"], row["frozenBalance"]) == (10, Decimal("9.9792"))
            assert row["availableBalance"] == 1_000 - Decimal("0.08") - 10 - Decimal("9.9792")
            assert row["equity"] == Decimal("999.92")
            assert (await client.private("account/asset/USDT"))["data"] == row
            assert (await client.private("account/asset/XYZ"))["code"] == 4001

    run(test())


def test_the_real_fees_are_not_those_of_the_contract_list() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            fees = (await client.private("account/tiered_fee_rate/v2", symbol=SYMBOL))["data"]
            assert (fees["realMakerFee"], fees["realTakerFee"]) == (Decimal("0.0006"), Decimal("0.0008"))
            detail = (await client.get("detail", symbol=SYMBOL))["data"]
            assert (detail["makerFeeRate"], detail["takerFeeRate"]) == (0, Decimal("0.0002"))

    run(test())


def test_leverage_is_set_by_side_and_by_position() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            setting = {"symbol": SYMBOL, "leverage": 7, "openType": 1, "positionType": 2}
            assert await client.post("position/change_leverage", setting) == {"success": True, "code": 0}
            rows = (await client.private("position/leverage", symbol=SYMBOL))["data"]
            assert [(row["positionType"], row["leverage"]) for row in rows] == [(1, 20), (2, 7)]
            await client.order_id(1, 10)
            (position,) = (await client.private("position/open_positions"))["data"]
            by_position = {"positionId": position["positionId"], "leverage": 20}
            assert (await client.post("position/change_leverage", by_position))["success"]
            (position,) = (await client.private("position/open_positions", symbol=SYMBOL))["data"]
            assert (position["leverage"], position["im"]) == (20, 5)
            assert (await client.create(1, 1))["code"] == 2021
            await client.order_id(1, 1, "99000.0", leverage=20)
            assert (await client.post("position/change_leverage", by_position))["code"] == 2019

    run(test())


def test_positions_are_told_while_open_and_after() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 5)
            await client.order_id(3, 2, openType=2)
            rows = (await client.private("position/open_positions"))["data"]
            assert [(r["positionType"], r["holdVol"], r["openType"], r["state"]) for r in rows] == [
                (1, 5, 1, 1),
                (2, 2, 2, 1),
            ]
            assert 0 < rows[0]["liquidatePrice"] < 91_000
            await client.order_id(4, 5)
            (closed,) = (await client.private("position/list/history_positions", page_num=1, page_size=20))["data"]
            assert (closed["state"], closed["holdVol"], closed["closeVol"]) == (3, 0, 5)
            assert closed["closeProfitLoss"] == Decimal("-0.00005")
            assert closed["closeAvgPrice"] == Decimal("99999.9")

    run(test())


def test_margin_can_be_moved_into_a_position() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 10)
            (before,) = (await client.private("position/open_positions"))["data"]
            change = {"positionId": before["positionId"], "amount": 5, "type": "ADD"}
            assert (await client.post("position/change_margin", change))["success"]
            (after,) = (await client.private("position/open_positions"))["data"]
            assert after["im"] == before["im"] + 5
            assert after["liquidatePrice"] < before["liquidatePrice"]

    run(test())


def test_close_all_leaves_no_position() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 5)
            await client.order_id(3, 2, symbol="ETH_USDT")
            await client.order_id(4, 3, "105000.0")
            assert (await client.post("position/close_all", {}))["success"]
            assert (await client.private("position/open_positions"))["data"] == []
            assert (await client.private("order/list/open_orders"))["data"] == []

    run(test())


def test_the_position_mode_is_a_bare_number_and_changes_only_when_flat() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            assert (await client.private("position/position_mode"))["data"] == 1
            await client.order_id(1, 5)
            assert (await client.post("position/change_position_mode", {"positionMode": 2}))["code"] == 2019
            await client.order_id(4, 5)
            assert (await client.post("position/change_position_mode", {"positionMode": 2}))["success"]
            assert (await client.private("position/position_mode"))["data"] == 2

    run(test())


def test_funding_that_was_paid_is_on_record() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 10)
            venue = client.venue.venue
            market = venue.exchange.markets[SYMBOL]
            market.funding.rate = Decimal("0.0001")
            venue.funding.settle(market, venue.now_ms())
            records = (await client.private("position/funding_records", page_num=1, page_size=20))["data"]
            (row,) = records["resultList"]
            assert (row["funding"], row["rate"], row["positionValue"]) == (Decimal("-0.01"), Decimal("0.0001"), 100)
            (position,) = (await client.private("position/open_positions"))["data"]
            assert position["holdFee"] == Decimal("-0.01")

    run(test())


def test_risk_limits_are_by_symbol_and_side_and_cannot_be_changed() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            rows = (await client.private("account/risk_limit", symbol=SYMBOL))["data"][SYMBOL]
            assert [row["positionType"] for row in rows] == [2, 1]
            assert (await client.post("account/change_risk_level", {}))["code"] == 8817

    run(test())


def test_the_fifth_create_within_two_seconds_is_too_frequent_and_cancels_have_their_own_limit() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            answers = [await client.create(1, 1, "99000.0") for _ in range(5)]
            assert [answer["code"] for answer in answers] == [0, 0, 0, 0, 510]
            assert (await client.post("order/cancel_all", {}))["success"]
            assert len(client.venue.exchange.orders) == 4

    run(test())


def test_the_status_of_a_refusal_for_frequency_can_be_another() -> None:
    async def test() -> None:
        async with quiet_venue(assumptions=Assumptions(too_frequent_status=429)) as client:
            for _ in range(10):
                await client.get("detail")
            url = f"{client.venue.rest_url}/api/v1/contract/detail"
            async with client.http.get(url) as answer:
                assert (answer.status, (await answer.json())["code"]) == (429, 510)

    run(test())


def test_the_wire_log_has_every_request_and_no_key() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 1, "99000.0")
            (item,) = client.venue.wire.requests("order/create")
            assert (item.method, item.status, item.account) == ("POST", 200, "main")
            assert '"vol": 1' in item.body
            assert "orderId" in item.answer
            assert client.venue.api_key not in repr(item)
            assert client.venue.api_secret not in repr(item)

    run(test())
