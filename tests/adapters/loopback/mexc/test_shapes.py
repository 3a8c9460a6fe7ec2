"""What the local venue says has the shape of what the real one was recorded or documented to say, field by field."""

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.loopback.mexc.client import QUICK, SYMBOL, Client, Socket, client_of, run

FIXTURES = Path(__file__).parents[4].parent / "shared" / "fixtures" / "mexc"
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the recorded payloads are not beside this checkout")

NOT_OURS = {
    "rest_public_contract_detail_btc_usdt": {
        "baseCoinIconUrl", "vid", "baseCoinId", "fn", "feeRateType", "tagIdList", "tempMaxLeverageLimited",
        "regularMaxLeverage",
    },
    "rest_private_account_assets": {"vcoinId"},
    "rest_private_tiered_fee_rate_v2": {
        "tieredDealAmount", "tieredEffectiveDay", "tieredAppointContract", "tieredExcludeContractId",
        "tieredContractIds", "tieredExcludeZeroFee", "statisticType", "fixedStartTime", "fixedEndTime",
    },
}  # fmt: skip
"""Keys of the real venue that say nothing here: pictures, internal ids, terms of a promotion."""


def kind(value: Any) -> str:
    """The JSON type; whole and broken numbers are one."""
    names = {bool: "bool", int: "number", float: "number", Decimal: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), "null")


def missing(real: Any, ours: Any, ignored: set[str], path: str = "") -> list[str]:
    """Where `ours` lacks a key of `real`, or has another type there. Of lists the first elements are compared."""
    if kind(real) != kind(ours):
        return [f"{path}: {kind(real)} there, {kind(ours)} here"]
    if isinstance(real, list):
        return missing(real[0], ours[0], ignored, f"{path}[]") if real and ours else []
    if not isinstance(real, dict):
        return []
    found = [f"{path}.{key} is not here" for key in real if key not in ours and key not in ignored]
    for key in real.keys() & ours.keys() - ignored:
        found += missing(real[key], ours[key], ignored, f"{path}.{key}")
    return found


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def frames(name: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in fixture(name)]


async def prepared(client: Client) -> dict[str, str]:
    """An account with one of everything; ids by name."""
    ids = {"filled": await client.order_id(1, 5), "open": await client.order_id(1, 10, "90000.0")}
    plan = {"symbol": SYMBOL, "vol": 1, "side": 1, "openType": 1, "leverage": 10, "orderType": 1, "price": 80_000}
    plan |= {"triggerPrice": 80_000, "triggerType": 2, "executeCycle": 3, "trend": 1}
    ids["plan"] = (await client.post("planorder/place/v2", plan))["data"]
    (position,) = client.venue.exchange.accounts["main"].positions
    stops = {"positionId": position.id, "vol": 5, "stopLossPrice": 80_000, "takeProfitPrice": 120_000}
    await client.post("stoporder/place", stops)
    return ids


REST: dict[str, Callable[[Client, dict[str, str]], Coroutine[Any, Any, Any]]] = {
    "rest_public_ping": lambda c, _: c.get("ping"),
    "rest_public_contract_detail_btc_usdt": lambda c, _: c.get("detail", symbol=SYMBOL),
    "rest_public_support_currencies": lambda c, _: c.get("support_currencies"),
    "rest_public_depth_btc_usdt_limit50": lambda c, _: c.get(f"depth/{SYMBOL}", limit=50),
    "rest_public_depth_commits_eth_usdt": lambda c, _: c.get(f"depth_commits/{SYMBOL}/5"),
    "rest_public_deals_btc_usdt": lambda c, _: c.get(f"deals/{SYMBOL}"),
    "rest_public_kline_min15_btc_usdt": lambda c, _: c.get(f"kline/{SYMBOL}", interval="Min15"),
    "rest_public_index_price": lambda c, _: c.get(f"index_price/{SYMBOL}"),
    "rest_public_fair_price": lambda c, _: c.get(f"fair_price/{SYMBOL}"),
    "rest_public_funding_rate_bulk_one_row": lambda c, _: c.get("funding_rate"),
    "rest_public_error_unknown_contract": lambda c, _: c.get("depth/BTCUSDT"),
    "rest_public_error_delisted_contract_detail": lambda c, _: c.get("detail", symbol="ALIGN_USDT"),
    "rest_private_account_assets": lambda c, _: c.private("account/assets"),
    "rest_private_tiered_fee_rate_v2": lambda c, _: c.private("account/tiered_fee_rate/v2", symbol=SYMBOL),
    "rest_private_risk_limit": lambda c, _: c.private("account/risk_limit", symbol=SYMBOL),
    "rest_private_position_leverage": lambda c, _: c.private("position/leverage", symbol=SYMBOL),
    "rest_private_position_mode_hedge": lambda c, _: c.private("position/position_mode"),
    "rest_private_open_positions_btc_long_isolated": lambda c, _: c.private("position/open_positions"),
    "rest_private_order_get_market_filled": lambda c, ids: c.private(f"order/get/{ids['filled']}"),
    "rest_private_history_orders_doge": lambda c, _: c.private("order/list/history_orders"),
    "rest_private_deal_details": lambda c, ids: c.private(f"order/deal_details/{ids['filled']}"),
    "rest_private_order_external_not_found": lambda c, _: c.private(f"order/external/{SYMBOL}/none"),
    "rest_private_order_create_ok": lambda c, _: c.create(1, 1),
    "rest_private_order_create_error_balance": lambda c, _: c.create(1, 4_000_000, "95000.0"),
    "rest_private_order_cancel_mixed_results": lambda c, ids: c.post("order/cancel", [ids["open"], 1]),
    "rest_private_order_cancel_all_ok": lambda c, _: c.post("order/cancel_all", {"symbol": SYMBOL}),
    "rest_private_planorder_place_v2_ok": lambda c, _: placed_plan(c),
    "rest_private_planorder_list": lambda c, _: c.private("planorder/list/orders"),
    "rest_private_stoporder_open_orders": lambda c, _: c.private("stoporder/open_orders"),
}


async def placed_plan(client: Client) -> Any:
    plan = {"symbol": SYMBOL, "vol": 1, "side": 1, "openType": 1, "leverage": 10, "orderType": 5}
    return await client.post(
        "planorder/place/v2", plan | {"triggerPrice": 120_000, "triggerType": 1, "executeCycle": 1, "trend": 1}
    )


@pytest.mark.parametrize("name", list(REST))
def test_an_answer_has_every_field_of_the_real_one_with_its_type(name: str) -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1, seed=2)) as venue, client_of(venue) as client:
            ids = await prepared(client)
            ours = await REST[name](client, ids)
            real = fixture(name)
            assert not missing(real, ours, NOT_OURS.get(name, set()))
            assert ours.keys() == real.keys()

    run(test())


def test_an_open_order_of_a_one_way_account_has_every_field() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1, seed=2)) as venue, client_of(venue) as client:
            await client.post("position/change_position_mode", {"positionMode": 2})
            await client.order_id(1, 10, "90000.0", openType=2)
            ours = await client.private("order/list/open_orders", page_num=1, page_size=100)
            assert not missing(fixture("rest_private_open_orders"), ours, set())

    run(test())


@asynccontextmanager
async def socket_of_a_venue(*, login: bool = False) -> AsyncIterator[tuple[Client, Socket]]:
    local = LocalMexc(SyntheticFeed(1, seed=2))
    async with local as venue, client_of(venue) as client, client.socket(login=login) as socket:
        yield client, socket


PUBLIC: dict[str, tuple[str, dict[str, object]]] = {
    "ws_public_depth_merged_doge": ("depth", {"symbol": SYMBOL}),
    "ws_public_depth_unmerged_btc_run1": ("depth", {"symbol": SYMBOL, "compress": False}),
    "ws_public_depth_full_aero_20": ("depth.full", {"symbol": SYMBOL, "limit": 20}),
    "ws_public_depth_step_doc": ("depth.step", {"symbol": SYMBOL, "step": "1.0"}),
    "ws_public_deal_btc_2026": ("deal", {"symbol": SYMBOL}),
    "ws_public_ticker_btc_2026": ("ticker", {"symbol": SYMBOL}),
    "ws_public_tickers_one_row_2026": ("tickers", {}),
    "ws_public_kline_btc_min1_2026": ("kline", {"symbol": SYMBOL, "interval": "Min1"}),
}


@pytest.mark.parametrize("name", list(PUBLIC))
def test_a_public_frame_has_exactly_the_keys_and_types_of_the_real_one(name: str) -> None:
    channel, param = PUBLIC[name]

    async def test() -> None:
        feed = SyntheticFeed(1, seed=2, rate=100.0)
        async with LocalMexc(feed, pace=QUICK) as venue, client_of(venue) as client, client.socket() as socket:
            await socket.subscribe(channel, **param)
            ours = await socket.until(f"push.{channel}")
            real = frames(name)[-1]
            assert ours.keys() == real.keys()
            assert not missing(real, ours, NOT_OURS.get(name, set()))
            if isinstance(real["data"], dict):  # some channels have more keys than the older recordings
                assert set(ours["data"]) - set(real["data"]) <= {"cts", "contractId"}

    run(test())


@pytest.mark.parametrize("channel", ["index.price", "fair.price", "funding.rate"])
def test_reference_prices_and_funding_are_pushed_as_recorded(channel: str) -> None:
    async def test() -> None:
        feed = SyntheticFeed(1, seed=2)
        async with LocalMexc(feed, pace=QUICK) as venue, client_of(venue) as client, client.socket() as socket:
            await socket.subscribe(channel, symbol=SYMBOL)
            venue.exchange.feed_prices(SYMBOL, fair=Decimal(93_000), index=Decimal(93_001))
            ours = await socket.until(f"push.{channel}")
            real = next(f for f in frames("ws_public_index_fair_funding_2026") if f["channel"] == f"push.{channel}")
            assert not missing(real, ours, set())
            assert ours["data"].keys() == real["data"].keys()

    run(test())


PRIVATE = {
    "ws_private_order_market_filled_arb": "order",
    "ws_private_order_deal_arb": "order.deal",
    "ws_private_position_open_arb": "position",
    "ws_private_asset_arb": "asset",
}


def test_private_frames_have_exactly_the_keys_and_types_of_the_recorded_ones() -> None:
    async def test() -> None:
        async with socket_of_a_venue(login=True) as (client, socket):
            await client.order_id(1, 5)
            ours = {frame["channel"]: frame for frame in await socket.gather()}
            for name, channel in PRIVATE.items():
                (real,) = frames(name)
                frame = ours[f"push.personal.{channel}"]
                assert not missing(real, frame, set()), name
                assert frame["data"].keys() == real["data"].keys(), name

    run(test())


def test_a_waiting_plan_order_is_pushed_as_recorded() -> None:
    async def test() -> None:
        async with socket_of_a_venue(login=True) as (client, socket):
            await placed_plan(client)
            ours = await socket.until("push.personal.plan.order")
            (real,) = frames("ws_private_plan_order_arb")
            assert not missing(real, ours, set())
            assert ours["data"].keys() == real["data"].keys()

    run(test())


def test_control_frames_are_those_of_the_venue() -> None:
    async def test() -> None:
        async with socket_of_a_venue() as (client, socket):
            await socket.send({"method": "sub.depth", "param": {"symbol": SYMBOL}})
            await socket.send({"method": "sub.depth", "param": {"symbol": "NOPE_USDT"}})
            await socket.send({"method": "ping"})
            ours = [await socket.until(f["channel"]) for f in frames("ws_public_control_frames")]
            for real, frame in zip(frames("ws_public_control_frames"), ours, strict=True):
                assert frame.keys() == real.keys()
                assert not missing(real, frame, set())
            await socket.send(client.login_frame())
            await socket.send({"method": "personal.filter", "param": {"filters": []}})
            for real in frames("ws_private_login_and_filter_acks"):
                frame = await socket.until(real["channel"])
                assert not missing(real, frame, set())
                assert frame["data"] == real["data"]

    run(test())


def test_a_contract_change_has_every_documented_field() -> None:
    async def test() -> None:
        async with socket_of_a_venue() as (client, socket):
            await socket.send({"method": "sub.contract", "param": {}})
            await socket.until("rs.sub.contract")
            client.venue.relist(client.venue.venue.listings[SYMBOL])
            (real,) = frames("ws_public_contract_update_doc")
            assert not missing(real, await socket.until("push.contract"), set())

    run(test())
