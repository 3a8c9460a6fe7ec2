"""Public payloads, field by field, against the fixtures: every declared field has the very value of the wire."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas import public_rest as rest
from adapters.mexc.schemas import public_socket as socket
from adapters.mexc.schemas.decoding import decode, decode_any
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.spot import ExchangeInfo
from tests.adapters.mexc.recorded_payloads import (
    FIXTURES,
    document,
    frame,
    frame_data,
    frames,
    needs_fixtures,
    rest_data,
)

D = Decimal

REST = {
    "rest_public_contract_detail_btc_usdt": rest.ContractDetail,
    "rest_public_deals_btc_usdt": list[rest.Deal],
    "rest_public_deals_btc_usdt_legacy": list[rest.Deal],
    "rest_public_depth_btc_usdt_doc2025": rest.DepthSnapshot,
    "rest_public_depth_btc_usdt_limit50": rest.DepthSnapshot,
    "rest_public_depth_commits_eth_usdt": list[rest.DepthCommit],
    "rest_public_fair_price": rest.FairPrice,
    "rest_public_funding_rate_bulk_one_row": list[rest.FundingRate],
    "rest_public_index_price": rest.IndexPrice,
    "rest_public_kline_min15_btc_usdt": rest.Klines,
    "rest_public_ping": int,
    "rest_public_support_currencies": list[str],
}
SOCKET: dict[str, list[Any]] = {
    "ws_public_contract_update_doc": [rest.ContractDetail],
    "ws_public_control_frames": [str, str, int],
    "ws_public_deal_btc_2026": [socket.Deals],
    "ws_public_deal_btc_no_id_ccxt": [socket.Deals],
    "ws_public_depth_full_aero_20": [socket.FullDepth],
    "ws_public_depth_merged_btc_2022": [socket.DepthUpdate],
    "ws_public_depth_merged_doge": [socket.DepthUpdate],
    "ws_public_depth_step_doc": [socket.SteppedDepth],
    "ws_public_depth_unmerged_btc_run1": [str, *[socket.DepthUpdate] * 10],
    "ws_public_index_fair_funding_2026": [socket.PricePush, socket.PricePush, socket.FundingPush],
    "ws_public_kline_btc_min1_2026": [socket.Kline],
    "ws_public_pong_doc": [int],
    "ws_public_ticker_btc_2026": [rest.Ticker],
    "ws_public_tickers_eth_2024": [list[rest.Ticker]],
    "ws_public_tickers_one_row_2026": [list[rest.Ticker]],
}
UNREAD = {
    "appraisal", "showAppraisalCountdown", "automaticDelivery", "threshold", "baseCoinIconUrl", "vid", "baseCoinId",
    "openingCountdownOption", "showBeforeOpen", "isMaxLeverage", "leverageFeeRates", "tieredFeeRates", "stopOnlyFair",
    "preMarket", "typeLabel", "fn", "feeRateType", "tagIdList", "tempMaxLeverageLimited", "regularMaxLeverage",
}  # fmt: skip
"""Fields of contract/detail that nothing here needs."""


def plain(text: str | bytes) -> Any:
    """JSON with exact decimals."""
    return json.loads(text, parse_float=Decimal)


def same(value: Any, expected: Any, unread: set[str]) -> None:
    """The struct says what the JSON says: no more, no less (but for `unread`), numbers exactly."""
    if isinstance(value, rest.Level):
        assert [value.price, value.volume, value.orders] == expected
    elif isinstance(value, msgspec.Struct):
        names = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
        assert set(expected) - set(names) <= unread, set(expected) - set(names)
        for wire, name in names.items():
            if wire in expected:
                same(getattr(value, name), expected[wire], unread)
            else:
                assert getattr(value, name) in (None, "", 0, 1), f"{name} was made up"
    elif isinstance(value, list):
        assert len(value) == len(expected)
        for item, other in zip(value, expected, strict=True):
            same(item, other, unread)
    else:
        assert not isinstance(value, float)
        assert value == expected
        assert type(value) is type(expected) or isinstance(value, Decimal)


@needs_fixtures
@pytest.mark.parametrize("name", REST)
def test_rest_fixture(name: str) -> None:
    """A REST fixture's data, every field."""
    same(rest_data(name, REST[name]), plain((FIXTURES / f"{name}.json").read_text())["data"], UNREAD)


@needs_fixtures
@pytest.mark.parametrize("name", SOCKET)
def test_socket_fixture(name: str) -> None:
    """A frame's channel, symbol, time and data, every field."""
    assert len(frames(name)) == len(SOCKET[name])
    for number, (text, into) in enumerate(zip(frames(name), SOCKET[name], strict=True)):
        expected = plain(text)
        head = frame(name, number)
        assert (head.channel, head.symbol, head.ts) == (
            expected["channel"],
            expected.get("symbol"),
            expected.get("ts"),
        )
        same(frame_data(name, into, number), expected["data"], UNREAD | {"openingCountdownOption"})


@needs_fixtures
def test_every_public_fixture_is_read() -> None:
    """None is forgotten; the two refusals are in the tests of errors."""
    refusals = {"rest_public_error_delisted_contract_detail", "rest_public_error_unknown_contract"}
    assert {path.stem for path in FIXTURES.glob("*_public_*.json")} == {*REST, *SOCKET} | refusals


@needs_fixtures
def test_numbers_by_hand() -> None:
    """Some, written out, so that the comparison above does not only compare a parser with a parser."""
    deal = frame_data("ws_public_deal_btc_2026", socket.Deals)[0]
    assert (deal.price, deal.volume, deal.taker_side, deal.time) == (D("84062.6"), D(13), 1, 1790870038339)
    assert (deal.trade_id, deal.cts, deal.position_effect, deal.self_trade) == ("16435741160", "1790870038339", 3, 1)
    update = frame_data("ws_public_depth_merged_doge", socket.DepthUpdate)
    assert (update.first_version, update.last_version, update.cts) == (8752807948, 8752808003, 1789498405531)
    assert (update.asks[0].price, update.asks[0].volume, update.asks[0].orders) == (D("0.0801"), D(2868), 1)
    assert (update.bids[2].price, update.bids[2].volume) == (D("0.07969"), D(0))
    unmerged = frame_data("ws_public_depth_unmerged_btc_run1", socket.DepthUpdate, 1)
    assert (unmerged.first_version, unmerged.last_version, unmerged.begin) == (42265411274, 42265411274, None)
    ticker = frame_data("ws_public_ticker_btc_2026", rest.Ticker)
    assert (ticker.hold_vol, ticker.bid1, ticker.funding_rate) == (D(546882118), D("84054.9"), D("0.000072"))
    detail = rest_data("rest_public_contract_detail_btc_usdt", rest.ContractDetail)
    assert (detail.contract_size, detail.price_unit, detail.limit_max_vol) == (D("0.0001"), D("0.1"), D(2500000))
    assert detail.risk_limit_custom is not None
    assert detail.risk_limit_custom[3] == rest.RiskTier(
        level=4, max_vol=D(2800000), mmr=D("0.01"), imr=D("0.02"), max_leverage=D(50)
    )
    funding = rest_data("rest_public_funding_rate_bulk_one_row", list[rest.FundingRate])[0]
    assert (funding.funding_rate, funding.collect_cycle, funding.idx_price) == (D("0.000067"), 8, D("77271.6"))


@needs_fixtures
def test_exponent_forms_in_their_places() -> None:
    """A depth row and a kline's turnover in exponent form."""
    depth, klines = document("wire_number_forms")
    update = decode(msgspec.json.decode(depth, type=Frame).data, socket.DepthUpdate, "push.depth")
    assert update.bids == [rest.Level(price=D(75480), volume=D(0), orders=0)]

    class Envelope(msgspec.Struct):
        data: msgspec.Raw

    columns = plain(klines)["data"] | {name: [] for name in ("open", "close", "high", "low")}
    read = decode(msgspec.json.encode(columns | {"amount": [msgspec.Raw(b"6.106243567181E7")]}), rest.Klines, "kline")
    assert read.amount == [D("61062435.67181")]


@pytest.mark.parametrize("wrapped", [True, False])
def test_deals_as_list_and_as_object(wrapped: bool) -> None:
    """One object before 2025-08, a list since; the id as text, as number, or not at all."""
    for trade_id, expected in (
        (b'"i":"16435741160",', "16435741160"),
        (b'"i":9007199254740993,', 9007199254740993),
        (b"", None),
    ):
        row = b'{"p":1.5,"v":2,"T":2,%b"t":1790870038339}' % trade_id
        deals = decode_any(b"[" + row + b"]" if wrapped else row, socket.Deals, "push.deal")
        deal = deals[0] if wrapped else deals
        assert isinstance(deals, list) == wrapped
        assert (deal.price, deal.taker_side, deal.trade_id, deal.self_trade) == (D("1.5"), 2, expected, None)


def test_changed_shapes() -> None:
    """Rates of change are a list on the socket and an object on REST; cts is null, missing, number or text."""
    ticker = b'{"symbol":"A_USDT","lastPrice":1,"timestamp":1790870036854,"riseFallRates":%b}'
    assert decode(ticker % b"[0.5,-1]", rest.Ticker, "t").rise_fall_rates == [D("0.5"), D(-1)]
    as_object = decode(ticker % b'{"zone":"UTC+8","r":0.5}', rest.Ticker, "t").rise_fall_rates
    assert isinstance(as_object, dict)
    assert bytes(as_object["r"]) == b"0.5"
    for text, expected in ((b',"cts":null', None), (b"", None), (b',"cts":7', 7), (b',"cts":"7"', "7")):
        assert decode(b'{"asks":[],"bids":[],"version":1%b}' % text, rest.DepthSnapshot, "d").cts == expected


def test_versions_without_merging() -> None:
    """begin and end of null or 0 stand for the version alone."""
    for extra in (b"", b',"begin":null,"end":null', b',"begin":0,"end":0'):
        update = decode(b'{"asks":[],"bids":[],"version":9%b}' % extra, socket.DepthUpdate, "push.depth")
        assert (update.first_version, update.last_version) == (9, 9)


@needs_fixtures
def test_unknown_fields_are_ignored() -> None:
    """New keys at any level, and a column more in a depth row, change nothing."""
    for name, kind in SOCKET.items():
        text = json.loads(frames(name)[-1])
        data = json.loads(json.dumps(text["data"]))
        _add_fields(data)
        before = frame_data(name, kind[-1], len(kind) - 1)
        assert decode_any(json.dumps(data), kind[-1], "c") == decode_any(json.dumps(text["data"]), kind[-1], "c")
        assert before is not None


def _add_fields(value: Any) -> None:
    if isinstance(value, dict):
        for inner in list(value.values()):
            _add_fields(inner)
        value["neverSeen"] = {"deep": [1, None]}
    elif isinstance(value, list):
        for inner in value:
            _add_fields(inner)
        if len(value) == 3 and isinstance(value[2], int):
            value.append("new column")


@pytest.mark.parametrize(
    ("into", "payload", "field"),
    [
        (socket.DepthUpdate, '{"asks":[],"bids":[]}', "version"),
        (socket.DepthUpdate, '{"bids":[],"version":1}', "asks"),
        (socket.DepthUpdate, '{"asks":[[1]],"bids":[],"version":1}', r"asks\[0\]"),
        (socket.DepthUpdate, '{"asks":[[1,null,1]],"bids":[],"version":1}', r"asks\[0\]\[1\]"),
        (socket.Kline, '{"interval":"Min1","o":1,"h":1,"l":1,"c":1,"q":1,"a":1}', "t"),
        (socket.FundingPush, '{"symbol":"A","rate":0.1}', "nextSettleTime"),
        (socket.PricePush, '{"symbol":"A"}', "price"),
        (rest.ContractDetail, '{"symbol":"A"}', "baseCoin"),
        (rest.Ticker, '{"symbol":"A","timestamp":1}', "lastPrice"),
        (rest.Klines, '{"time":[1]}', "open"),
        (list[rest.Deal], '[{"p":1,"v":1,"T":1}]', r"\[0\]\.t"),
        (ExchangeInfo, '{"symbols":[{"symbol":"A"}]}', r"symbols\[0\]\.status"),
        (rest.DepthSnapshot, "[]", "payload"),
        (rest.DepthSnapshot, '{"asks":', "payload"),
        (rest.DepthSnapshot, b'\xff\xfe', "payload"),
    ],
)  # fmt: skip
def test_missing_fields_are_named(into: Any, payload: str | bytes, field: str) -> None:
    """The error has the channel and the path of what is missing or wrong."""
    with pytest.raises(MexcPayloadError, match=f"^push.test: {field}: ") as caught:
        decode_any(payload, into, "push.test")
    assert caught.value.channel == "push.test"


@needs_fixtures
def test_every_required_field_of_every_fixture_is_missed() -> None:
    """Take each required field out of each frame in turn: the error names it."""
    missed = 0
    for name, kinds in SOCKET.items():
        data = json.loads(frames(name)[-1])["data"]
        rows, kind = (data, kinds[-1]) if not isinstance(data, list) else (data[0], _row_kind(kinds[-1]))
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            continue
        for info in msgspec.structs.fields(kind):
            if info.required:
                broken = {key: value for key, value in rows.items() if key != info.encode_name}
                with pytest.raises(MexcPayloadError) as caught:
                    decode_any(json.dumps(broken), kind, name)
                assert caught.value.field == info.encode_name
                missed += 1
    assert missed > 40


def _row_kind(kind: Any) -> Any:
    return rest.Deal if kind is socket.Deals else kind.__args__[0]


@needs_fixtures
def test_spot_exchange_info() -> None:
    """The recorded spot instrument."""
    info = decode((FIXTURES / "rest_spot_exchange_info_btcusdt.json").read_bytes(), ExchangeInfo, "exchangeInfo")
    (row,) = info.symbols
    assert (row.symbol, row.status, row.base_asset, row.quote_asset) == ("BTCUSDT", "1", "BTC", "USDT")
    assert (row.base_size_precision, row.quote_precision, row.base_asset_precision) == (D("0.000001"), 2, 8)
    assert (row.maker_commission, row.taker_commission) == (D(0), D("0.0005"))
    assert info.server_time == 1790860445528
