"""Private payloads, field by field, against the fixtures: numbers exact, ids as text, times as numbers."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.mexc.constants import (
    MexcMarginMode,
    MexcOrderSide,
    MexcOrderState,
    MexcOrderType,
    MexcPlanState,
    MexcPositionMode,
    MexcTriggerType,
)
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas import private as orders
from adapters.mexc.schemas import private_account as account
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.payload import Payload
from adapters.mexc.schemas.private_replies import decode_new_id, decode_rows
from tests.adapters.mexc.recorded_payloads import FIXTURES, frame, frame_data, frames, needs_fixtures, rest_data

D = Decimal

REST: dict[str, Any] = {
    "rest_private_account_assets": list[account.AssetRow],
    "rest_private_account_assets_legacy": list[account.AssetRow],
    "rest_private_deal_details": list[orders.DealRow],
    "rest_private_history_orders_doge": list[orders.OrderRow],
    "rest_private_open_orders": list[orders.OrderRow],
    "rest_private_open_positions_btc_long_isolated": list[account.PositionRow],
    "rest_private_order_cancel_mixed_results": list[orders.CancelResult],
    "rest_private_order_create_ok": orders.CreateReply,
    "rest_private_order_get_market_filled": orders.OrderRow,
    "rest_private_planorder_list": list[orders.PlanOrderRow],
    "rest_private_planorder_place_v2_ok": str,
    "rest_private_position_leverage": list[account.LeverageRow],
    "rest_private_position_mode_hedge": int,
    "rest_private_risk_limit": dict[str, list[account.LeverageRow]],
    "rest_private_stoporder_open_orders": list[orders.StopOrderRow],
    "rest_private_tiered_fee_rate_v2": account.FeeRates,
}
SOCKET: dict[str, list[Any]] = {
    "ws_private_asset_arb": [account.AssetRow],
    "ws_private_liquidate_risk_arb": [account.LiquidateRisk],
    "ws_private_login_and_filter_acks": [str, str],
    "ws_private_misc_docsynthetic": [
        account.PositionModePush,
        account.LeverageModePush,
        account.RiskLimitPush,
        orders.StopOrderPush,
        orders.ChaseFailure,
        account.ReversedPosition,
    ],
    "ws_private_order_deal_arb": [orders.DealRow],
    "ws_private_order_market_filled_arb": [orders.OrderRow],
    "ws_private_order_partial_fill_docsynthetic": [orders.OrderRow],
    "ws_private_plan_order_arb": [orders.PlanOrderRow],
    "ws_private_position_open_arb": [account.PositionRow],
}
WITHOUT_DATA = {"rest_private_order_cancel_all_ok", "rest_private_order_external_not_found"}
REFUSALS = {f"rest_private_order_create_error_{what}" for what in ("balance", "contract_not_allowed", "maintenance")}
UNREAD = {
    # orders
    "priceStr", "dealAvgPriceStr", "showCancelReason", "showProfitRateShare", "bboTypeNum", "totalFee",
    "zeroSaveTotalFeeBinance", "zeroTradeTotalFeeBinance", "bizSource", "makerFeeRate", "takerFeeRate", "sideType",
    "positionType", "priceProtect", "lossTrend", "profitTrend", "ensureStopLoss", "extraTakerFeeRate",
    # positions and money
    "holdAvgPriceFullyScale", "openAvgPriceFullyScale", "profitRatio", "newOpenAvgPrice", "newCloseAvgPrice",
    "deductFeeList", "adlLevel", "debtAmount", "contributeMarginAmount", "vcoinId",
    # stop orders
    "profitLossVolType", "takeProfitVol", "stopLossVol", "volType", "takeProfitReverse", "stopLossReverse",
    "closeTryTimes", "reverseTryTimes", "reverseErrorCode", "takeProfitType",
    # fees
    "joinDiscount", "enjoyDiscount", "discountRate", "joinDeduct", "enjoyDeduct", "deductRate", "dealAmount",
    "walletBalance", "inviterKyc", "feeType", "agentFee", "leverageFeeRates", "tieredFeeRates", "tieredDealAmount",
    "tieredEffectiveDay", "tieredAppointContract", "tieredExcludeContractId", "tieredContractIds",
    "tieredExcludeZeroFee", "statisticType", "fixedStartTime", "fixedEndTime",
}  # fmt: skip
"""Fields that nothing here needs."""


def plain(text: str) -> Any:
    """JSON with exact decimals."""
    return json.loads(text, parse_float=Decimal)


def same(value: Any, expected: Any) -> None:
    """The struct says what the JSON says: no more, no less (but for `UNREAD`), numbers exactly, ids as text."""
    if isinstance(value, Payload):
        names = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
        assert set(expected) - set(names) <= UNREAD, set(expected) - set(names) - UNREAD
        for wire, name in names.items():
            read = getattr(value, name)
            if wire not in expected:
                assert read in (None, ""), f"{name} was made up"
            elif name in value.ids:
                assert read == str(expected[wire])
            elif name in value.links:
                assert read == (None if expected[wire] in (0, "0") else str(expected[wire]))
            elif name in value.times:
                assert read == int(expected[wire])
                assert isinstance(read, int)
            else:
                same(read, expected[wire])
    elif isinstance(value, list):
        assert len(value) == len(expected)
        for item, other in zip(value, expected, strict=True):
            same(item, other)
    elif isinstance(value, dict):
        assert value.keys() == expected.keys()
        for key in value:
            same(value[key], expected[key])
    else:
        assert not isinstance(value, float)
        assert value == expected


@needs_fixtures
@pytest.mark.parametrize("name", REST)
def test_rest_fixture(name: str) -> None:
    """A REST fixture's data, every field."""
    same(rest_data(name, REST[name]), plain((FIXTURES / f"{name}.json").read_text())["data"])


@needs_fixtures
@pytest.mark.parametrize("name", SOCKET)
def test_socket_fixture(name: str) -> None:
    """A frame's channel and data, every field."""
    assert len(frames(name)) == len(SOCKET[name])
    for number, (text, into) in enumerate(zip(frames(name), SOCKET[name], strict=True)):
        expected = plain(text)
        assert frame(name, number).channel == expected["channel"]
        same(frame_data(name, into, number), expected["data"])


@needs_fixtures
def test_every_private_fixture_is_read() -> None:
    """None is forgotten; the refusals are in the tests of errors."""
    found = {path.stem for path in FIXTURES.glob("*_private_*.json")}
    assert found == {*REST, *SOCKET} | WITHOUT_DATA | REFUSALS


@needs_fixtures
def test_numbers_by_hand() -> None:
    """Some, written out, so that the comparison above does not only compare a parser with a parser."""
    order = rest_data("rest_private_history_orders_doge", list[orders.OrderRow])[1]
    assert (order.order_id, order.position_id, order.external_oid) == ("739211257974395392", "1110417836", "test00001")
    assert (order.price, order.used_margin, order.deal_vol) == (D("0.18645"), D("0.93225"), D(1))
    assert order.side is MexcOrderSide.OPEN_SHORT
    assert order.order_type is MexcOrderType.MARKET
    assert order.state is MexcOrderState.FILLED
    assert order.open_type is MexcMarginMode.ISOLATED
    assert order.position_mode is MexcPositionMode.HEDGE
    assert (order.version, order.create_time) == (2, 1761912098000)
    resting = rest_data("rest_private_open_orders", list[orders.OrderRow])[1]
    assert (resting.position_id, resting.order_margin, resting.reduce_only) == (None, D("80.016"), False)
    part = frame_data("ws_private_order_partial_fill_docsynthetic", orders.OrderRow)
    assert (part.order_id, part.version, part.deal_vol, part.remain_vol) == ("123456789", None, D(5), D(5))
    deal = frame_data("ws_private_order_deal_arb", orders.DealRow)
    assert (deal.id, deal.fee, deal.took, deal.is_self) == ("13914408525", D("0.0018"), True, False)
    plan = rest_data("rest_private_planorder_list", list[orders.PlanOrderRow])[0]
    assert (plan.trigger_price, plan.execute_cycle, plan.order_id) == (D("0.00001"), 87600, None)
    assert plan.trigger_type is MexcTriggerType.AT_OR_BELOW
    assert plan.state is MexcPlanState.UNTRIGGERED
    stop = rest_data("rest_private_stoporder_open_orders", list[orders.StopOrderRow])[0]
    assert (stop.id, stop.position_id, stop.place_order_id) == ("357859177", "1027177055", "720744238723187712")
    results = rest_data("rest_private_order_cancel_mixed_results", list[orders.CancelResult])
    assert [(row.order_id, row.error_code) for row in results] == [
        ("101716841474621953", 2040),
        ("108885377779302912", 2041),
        ("108886241042563584", 0),
    ]
    asset = rest_data("rest_private_account_assets", list[account.AssetRow])[0]
    assert (asset.available_balance, asset.cash_balance) == (D("32.80984793658"), D("32.80984793"))
    pushed = frame_data("ws_private_asset_arb", account.AssetRow)
    assert (pushed.available_balance, pushed.position_margin, pushed.cash_balance) == (D("7.5"), D("2.3"), None)
    fees = rest_data("rest_private_tiered_fee_rate_v2", account.FeeRates)
    assert (fees.real_maker_fee, fees.real_taker_fee, fees.fee_rate_mode) == (D(0), D(0), "TIERED")


ROW = {
    "orderId": "1", "symbol": "X_USDT", "side": 1, "orderType": 1, "state": 2, "vol": 1, "dealVol": 0,
    "createTime": 1761912098000, "updateTime": 1761912098000,
}  # fmt: skip


@pytest.mark.parametrize("missing", sorted(ROW))
def test_missing_required_field_is_named_with_its_channel(missing: str) -> None:
    row = {name: value for name, value in ROW.items() if name != missing}
    with pytest.raises(MexcPayloadError) as caught:
        decode(msgspec.json.encode(row), orders.OrderRow, "push.personal.order")
    assert (caught.value.channel, caught.value.field) == ("push.personal.order", missing)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"orderId": -1}, "orderId"),
        ({"orderId": ""}, "orderId"),
        ({"orderId": 1.5}, "orderId"),
        ({"vol": "NaN"}, "vol"),
        ({"vol": "1E+999"}, "vol"),
        ({"side": 9}, "side"),
        ({"state": 7}, "state"),
        ({"createTime": "yesterday"}, "createTime"),
    ],
)
def test_impossible_value_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MexcPayloadError, match=named):
        decode(msgspec.json.encode(ROW | change), orders.OrderRow, "push.personal.order")


def test_unknown_fields_are_passed_over() -> None:
    row = decode(msgspec.json.encode(ROW | {"newIn2027": [1, {"a": None}]}), orders.OrderRow, "order/get")
    assert row.order_id == "1"


@pytest.mark.parametrize("name", ["taker", "isTaker"])
def test_both_names_of_the_taker_flag(name: str) -> None:
    """The wire says taker, the documentation isTaker."""
    deal = {
        "id": 9007199254740993, "orderId": "1", "symbol": "X_USDT", "side": 2, "vol": 1, "price": 1, "fee": -0.1,
        "feeCurrency": "USDT", "timestamp": "1761912098000",
    }  # fmt: skip
    for taker in (True, False):
        row = decode(msgspec.json.encode(deal | {name: taker}), orders.DealRow, "push.personal.order.deal")
        assert (row.took, row.id, row.timestamp) == (taker, "9007199254740993", 1761912098000)
    with pytest.raises(MexcPayloadError) as caught:
        decode(msgspec.json.encode(deal), orders.DealRow, "push.personal.order.deal")
    assert caught.value.field == "taker"


def test_rows_as_a_list_and_as_a_page() -> None:
    """Some lists are documented as pages and sampled as lists."""
    listed = msgspec.json.encode([ROW])
    paged = msgspec.json.encode({"pageSize": 20, "resultList": [ROW]})
    rows = [decode_rows(payload, orders.OrderRow, "order/list") for payload in (listed, paged)]
    assert rows[0] == rows[1]
    assert rows[0][0].order_id == "1"
    with pytest.raises(MexcPayloadError, match="resultList"):
        decode_rows(b'{"rows":[]}', orders.OrderRow, "order/list")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"orderId":"739113577038255616","ts":1761888808839}', ("739113577038255616", 1761888808839)),
        (b'"739206374277809664"', ("739206374277809664", None)),
        (b"102057569836905984", ("102057569836905984", None)),
    ],
)
def test_id_of_a_new_order_in_its_three_shapes(payload: bytes, expected: tuple[str, int | None]) -> None:
    reply = decode_new_id(payload, "order/create")
    assert (reply.order_id, reply.ts) == expected


@needs_fixtures
def test_acks_carry_their_time_as_text() -> None:
    """``rs.login`` is documented with ``ts`` as a string."""
    assert decode(frames("ws_private_login_and_filter_acks")[0], Frame, "private").ts == "1587442022003"
