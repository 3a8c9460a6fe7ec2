"""Spot trades: the protobuf reader, instruments, and the feed."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import TradeTick

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.spot import ExchangeInfo
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.spot import SpotFeed, SpotParser
from adapters.mexc.spot_instruments import spot_instrument
from adapters.mexc.spot_protobuf import SpotDeal, SpotDeals, read_deals
from tests.adapters.mexc.protobuf_frames import deal_bytes, field, frame_bytes, varint
from tests.adapters.mexc.recorded_payloads import FIXTURES, document, frames, needs_fixtures
from tests.adapters.mexc.spot_symbols import spot_symbol

NAME = "spot_ws_pb_aggre_deals_derived"
NOW = 1_736_409_765_060_000_000


@needs_fixtures
@pytest.mark.parametrize(
    ("variant", "trade_id"), [("protobuf_hex", None), ("protobuf_hex_with_tradeId_field5", "505979017439002624X1")]
)
def test_both_variants_of_the_fixture(variant: str, trade_id: str | None) -> None:
    """Every field of the JSON beside it; the newer one has the trade's id."""
    expected = document(NAME)["json"]
    row = expected["publicAggreDeals"]["deals"][0]
    assert read_deals(bytes.fromhex(document(NAME)[variant])) == SpotDeals(
        channel=expected["channel"],
        symbol=expected["symbol"],
        send_time_ms=expected["sendTime"],
        deals=(
            SpotDeal(
                price=Decimal(row["price"]),
                quantity=Decimal(row["quantity"]),
                taker_side=row["tradeType"],
                time_ms=row["time"],
                trade_id=trade_id,
            ),
        ),
    )


def test_unknown_fields_are_skipped() -> None:
    """Of every wire type, in the wrapper and in a trade; and several trades in order."""
    unknown = field(99, 7) + field(98, b"abc") + varint(97 << 3 | 1) + b"12345678" + varint(96 << 3 | 5) + b"1234"
    found = read_deals(unknown + frame_bytes(deal_bytes() + unknown, deal_bytes(price="3")) + unknown)
    assert found is not None
    assert [deal.price for deal in found.deals] == [Decimal("1.5"), Decimal(3)]


def test_frames_of_other_kinds_are_not_trades() -> None:
    """A frame of the depth channel has no field 314."""
    assert read_deals(field(1, "spot@depth") + field(313, b"")) is None
    assert read_deals(b"") is None


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        (frame_bytes(deal_bytes())[:-1], "wrapper: cut off"),
        (b"\xff" * 11, "wrapper: number longer than 10 bytes"),
        (b"\x80", "wrapper: cut off in a number"),
        (b"\x00\x01", "wrapper: field number 0"),
        (b"\x0b", "wrapper: wire type 3"),
        (field(314, 5), "publicAggreDeals: a number"),
        (field(1, 5), "channel: a number"),
        (field(6, b"x"), "sendTime: bytes instead of a number"),
        (field(1, b"\xff"), "channel: no UTF-8 text"),
        (frame_bytes(field(1, "1")), "deals.quantity: required field is missing"),
        (frame_bytes(field(1, "1") + field(2, "1") + field(3, 1)), "deals.time: required field is missing"),
        (frame_bytes(deal_bytes(price="abc")), "deals.price: 'abc' is no number"),
        (frame_bytes(deal_bytes(price="٣")), "deals.price: '٣' is no number"),
        (frame_bytes(deal_bytes(price="1" * 70)), "deals.price: "),
    ],
)
def test_damaged_frames_are_errors_with_their_place(frame: bytes, place: str) -> None:
    """Never a guess, never an endless loop."""
    with pytest.raises(MexcPayloadError) as caught:
        read_deals(frame)
    assert str(caught.value).startswith(f"spot.aggre.deals: {place}")


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Trades, nothing, or a clean error."""
    with contextlib.suppress(MexcPayloadError):
        read_deals(data)


@given(st.integers(0, 2**64 - 1))
def test_any_varint(number: int) -> None:
    """Times up to 64 bits come back as they are."""
    found = read_deals(frame_bytes(deal_bytes(time=number)))
    assert found is not None
    assert found.deals[0].time_ms == number


@needs_fixtures
def test_recorded_instrument() -> None:
    """Sizes have the places of the asset, because trades are finer than the step of orders."""
    info = decode((FIXTURES / "rest_spot_exchange_info_btcusdt.json").read_bytes(), ExchangeInfo, "exchangeInfo")
    made = spot_instrument(info.symbols[0], NOW)
    assert made.id.value == "BTCUSDT.MEXC_SPOT"
    assert (str(made.price_increment), made.price_precision) == ("0.01", 2)
    assert (str(made.size_increment), made.size_precision) == ("0.00000100", 8)
    assert (made.maker_fee, made.taker_fee) == (0, Decimal("0.0005"))


def test_a_step_of_zero_is_the_assets_smallest_unit() -> None:
    """Some symbols have no step."""
    assert str(spot_instrument(spot_symbol(base_size_precision=Decimal(0)), NOW).size_increment) == "0.00000001"


@pytest.mark.parametrize(
    "changes",
    [
        {"quote_precision": 40},
        {"base_asset_precision": -1, "base_size_precision": Decimal(1)},
        {"base_size_precision": Decimal("NaN")},
    ],
)
def test_impossible_symbols(changes: dict[str, Any]) -> None:
    """Named errors."""
    with pytest.raises(MexcPayloadError, match="exchangeInfo: "):
        spot_instrument(spot_symbol(**changes), NOW)


class User:
    def __init__(self) -> None:
        self.ticks: list[TradeTick] = []
        self.troubles: list[str] = []

    def on_spot_trade(self, tick: TradeTick) -> None:
        self.ticks.append(tick)

    def on_feed_trouble(self, text: str) -> None:
        self.troubles.append(text)


def feed(user: User) -> SpotFeed:
    made = SpotFeed(SocketSettings("wss://wbs-api.mexc.com/ws"), 30, 100, user, lambda: NOW)
    made.define(SpotParser(spot_instrument(spot_symbol(), NOW)))
    return made


@needs_fixtures
def test_a_recorded_frame_becomes_a_trade() -> None:
    """Base units, the taker's side, the venue's time, the venue's id or one of the row."""
    user = User()
    made = feed(user)
    for variant in ("protobuf_hex", "protobuf_hex_with_tradeId_field5"):
        made.on_frame(bytes.fromhex(document(NAME)[variant]), NOW)
    first, second = (TradeTick.to_dict(tick) for tick in user.ticks)
    assert second == {
        "type": "TradeTick",
        "instrument_id": "BTCUSDT.MEXC_SPOT",
        "price": "93220.00",
        "size": "0.04438243",
        "aggressor_side": "SELLER",
        "trade_id": "505979017439002624X1",
        "ts_event": 1736409765051000000,
        "ts_init": NOW,
    }
    assert first | {"trade_id": ""} == second | {"trade_id": ""}
    assert len(first["trade_id"]) == 24
    assert user.troubles == []


def test_other_symbols_bad_rows_and_refusals() -> None:
    """Unwanted symbols are passed over; what cannot be read is told; so is a refused subscription."""
    user = User()
    made = feed(user)
    made.on_frame(frame_bytes(deal_bytes(time=1_736_409_765_000), symbol="ETHUSDT"), NOW)
    assert (user.ticks, user.troubles) == ([], [])
    made.on_frame(frame_bytes(deal_bytes(side=3, time=1_736_409_765_000)), NOW)
    made.on_frame(frame_bytes(deal_bytes(quantity="0", time=1_736_409_765_000)), NOW)
    made.on_frame(b'{"id":0,"code":0,"msg":"Not Subscribed successfully! [x]"}', NOW)
    assert [text.split(":")[0] for text in user.troubles] == ["spot", "spot", "the venue refuses a subscription"]


@needs_fixtures
def test_control_frames_of_the_fixture() -> None:
    """Pongs and acknowledgements are no trouble."""
    user = User()
    made = feed(user)
    for text in frames("spot_ws_control_frames"):
        made.on_frame(text.encode(), NOW)
    assert user.troubles == []
