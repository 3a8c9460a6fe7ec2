"""Payloads as Nautilus data: values, flags, sides, times."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
from nautilus_trader.model.objects import Price, Quantity

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas import public_rest as rest
from adapters.mexc.schemas import public_socket as socket
from tests.adapters.mexc.recorded_payloads import frame, frame_data, needs_fixtures, rest_data
from tests.adapters.mexc.small_contracts import NOW, levels, parser, snapshot, update

BTC = parser()
DOGE = parser("DOGE_USDT", price_unit=Decimal("0.00001"))
MS = 1_000_000


def rows(deltas: OrderBookDeltas | None) -> list[tuple[Any, ...]]:
    assert deltas is not None
    return [
        (d.action, d.order.side, str(d.order.price), str(d.order.size), d.flags, d.sequence, d.ts_event, d.ts_init)
        for d in deltas.deltas
    ]


@needs_fixtures
def test_recorded_merged_depth() -> None:
    """Bids, then asks; zero contracts delete; the last row ends the batch; the engine's time is the event's."""
    found = rows(DOGE.deltas(frame_data("ws_public_depth_merged_doge", socket.DepthUpdate), NOW))
    common = (8752808003, 1789498405531 * MS, NOW)
    assert found[0] == (BookAction.UPDATE, OrderSide.BUY, "0.08003", "8905", 0, *common)
    assert found[2] == (BookAction.DELETE, OrderSide.BUY, "0.07969", "0", 0, *common)
    assert found[8] == (BookAction.UPDATE, OrderSide.SELL, "0.08010", "2868", 0, *common)
    assert found[15] == (BookAction.UPDATE, OrderSide.SELL, "0.08009", "2700", 128, *common)
    assert len(found) == 16


def test_a_deletion_in_exponent_form() -> None:
    """7.548E+4 is the level 75480.0."""
    change = socket.DepthUpdate(bids=[rest.Level(Decimal("7.548E+4"), Decimal(0), 0)], asks=[], version=1, cts=5)
    assert rows(BTC.deltas(change, NOW))[0][:5] == (BookAction.DELETE, OrderSide.BUY, "75480.0", "0", 128)


def test_a_frame_without_rows_is_no_change() -> None:
    """Versions can move on without a level."""
    assert BTC.deltas(update(5), NOW) is None


def test_a_whole_book() -> None:
    """A clear, then levels as a snapshot; empty levels are left out; the last row ends the batch."""
    found = rows(BTC.book(snapshot(7, bids=levels(("100.0", 5), ("99.9", 0)), asks=levels(("100.1", 6))), NOW))
    common = (7, 1_790_870_039_900 * MS, NOW)
    assert found == [
        (BookAction.CLEAR, OrderSide.NO_ORDER_SIDE, "0", "0", 0, *common),
        (BookAction.ADD, OrderSide.BUY, "100.0", "5", 32, *common),
        (BookAction.ADD, OrderSide.SELL, "100.1", "6", 32 | 128, *common),
    ]


@needs_fixtures
def test_recorded_snapshot() -> None:
    """Fifty levels a side, best first, with the version of the reply."""
    deltas = BTC.book(rest_data("rest_public_depth_btc_usdt_limit50", rest.DepthSnapshot), NOW)
    found = rows(deltas)
    assert len(found) == 101
    assert found[1][1:4] == (OrderSide.BUY, "83581.6", "22870")
    assert found[51][1:4] == (OrderSide.SELL, "83581.7", "63528")
    assert {row[5] for row in found} == {42262313630}
    assert {row[6] for row in found} == {1790845673755 * MS}


def test_an_unknown_book_is_empty() -> None:
    """One clear that ends its batch."""
    assert rows(BTC.no_book(0, NOW)) == [(BookAction.CLEAR, OrderSide.NO_ORDER_SIDE, "0", "0", 128, 0, NOW, NOW)]


@needs_fixtures
def test_recorded_trade() -> None:
    """Contracts as size, the taker as aggressor, the venue's id and time."""
    (tick,) = BTC.trades(frame_data("ws_public_deal_btc_2026", socket.Deals), NOW)
    assert TradeTick.to_dict(tick) == {
        "type": "TradeTick",
        "instrument_id": "BTCUSDT-PERP.MEXC",
        "price": "84062.6",
        "size": "13",
        "aggressor_side": "BUYER",
        "trade_id": "16435741160",
        "ts_event": 1790870038339 * MS,
        "ts_init": NOW,
    }


@needs_fixtures
def test_recorded_trade_without_id() -> None:
    """An id is made of what the row says: always the same for the same row."""
    deals = frame_data("ws_public_deal_btc_no_id_ccxt", socket.Deals)
    (tick,), (again,) = BTC.trades(deals, NOW), BTC.trades(deals, NOW + 1)
    assert (tick.price, tick.size, tick.aggressor_side) == (
        Price.from_str("114350.4"),
        Quantity.from_int(4),
        AggressorSide.SELLER,
    )
    assert tick.trade_id == again.trade_id
    assert tick.ts_event == 1760368563597 * MS


def deal(time: int, price: str = "100.0", volume: str = "1", side: int = 1, trade_id: Any = None) -> rest.Deal:
    return rest.Deal(price=Decimal(price), volume=Decimal(volume), taker_side=side, time=time, trade_id=trade_id)


def test_rows_of_a_frame_are_put_in_order_of_time() -> None:
    """They come in none; equal times keep the order of the frame."""
    ticks = BTC.trades([deal(3, trade_id="c"), deal(1, trade_id="a"), deal(3, trade_id="d"), deal(2, trade_id=9)], NOW)
    assert [tick.trade_id.value for tick in ticks] == ["a", "9", "c", "d"]


def test_old_shape_of_one_object() -> None:
    """Before 2025-08 a frame had one trade."""
    (tick,) = BTC.trades(deal(5, trade_id=7), NOW)
    assert tick.trade_id.value == "7"


@needs_fixtures
def test_past_trades_are_oldest_first_with_ids_of_their_own() -> None:
    """REST rows come newest first and have no ids; equal rows are told apart."""
    ticks = BTC.past_trades(rest_data("rest_public_deals_btc_usdt", list[rest.Deal]), NOW)
    assert [(str(t.size), t.ts_event) for t in ticks] == [("12", 1761883066624 * MS), ("14", 1761883066648 * MS)]
    twins = BTC.past_trades([deal(5), deal(5), deal(4)], NOW)
    assert len({t.trade_id.value for t in twins}) == 3
    assert [t.trade_id.value for t in BTC.past_trades([deal(5), deal(4)], NOW)] == [
        twins[0].trade_id.value,
        twins[1].trade_id.value,
    ]


@needs_fixtures
def test_recorded_mark_index_and_funding() -> None:
    """Prices with the contract's places; the rate exactly; the next settlement in ns."""
    name = "ws_public_index_fair_funding_2026"
    index = BTC.index_price(frame_data(name, socket.PricePush, 0).price, frame(name, 0).ts, NOW)
    assert (index.value, str(index.value), index.ts_event) == (Price.from_str("76027.1"), "76027.1", 1789498540911 * MS)
    mark = BTC.mark_price(frame_data(name, socket.PricePush, 1).price, frame(name, 1).ts, NOW)
    assert (str(mark.value), mark.ts_event, mark.ts_init) == ("75986.0", 1789498540821 * MS, NOW)
    funding = BTC.funding(frame_data(name, socket.FundingPush, 2), 8, frame(name, 2).ts, NOW)
    assert (funding.rate, funding.interval, funding.next_funding_ns) == (Decimal("0.000081"), 480, 1789516800000 * MS)
    assert BTC.funding(frame_data(name, socket.FundingPush, 2), None, 5, NOW).interval is None


def test_reference_prices_keep_places_beyond_the_tick() -> None:
    """An index has no tick: nothing is rounded."""
    assert str(BTC.index_price(Decimal("76027.123"), 5, NOW).value) == "76027.123"


@needs_fixtures
def test_funding_by_rest() -> None:
    """The estimate with its interval, and a settled rate at its time."""
    row = rest_data("rest_public_funding_rate_bulk_one_row", list[rest.FundingRate])[0]
    now = BTC.funding_now(row, NOW)
    assert (now.rate, now.interval, now.next_funding_ns, now.ts_event) == (
        Decimal("0.000067"),
        480,
        1789459200000 * MS,
        1789455551670 * MS,
    )
    settled = rest.SettledFunding(
        symbol="BTC_USDT", funding_rate=Decimal("-0.0001"), settle_time="1789430400000", collect_cycle=4
    )
    past = BTC.settled_funding(settled, NOW)
    assert (past.rate, past.interval, past.next_funding_ns, past.ts_event) == (
        Decimal("-0.0001"),
        240,
        None,
        1789430400000 * MS,
    )


@needs_fixtures
def test_recorded_open_interest() -> None:
    """holdVol, in contracts, at the time of the push."""
    name = "ws_public_ticker_btc_2026"
    found = BTC.open_interest(frame_data(name, rest.Ticker).hold_vol, frame(name).ts, NOW)
    assert (found.value, found.ts_event, found.ts_init) == (546882118.0, 1790870036854 * MS, NOW)
    assert found.instrument_id.value == "BTCUSDT-PERP.MEXC"


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (lambda: BTC.deltas(update(1, bids=levels(("100.05", 1))), NOW), "push.depth: price: 100.05 has more"),
        (lambda: BTC.deltas(update(1, bids=levels(("0", 1))), NOW), "push.depth: price: 0 must be above 0"),
        (lambda: BTC.deltas(update(1, bids=levels(("-1", 1))), NOW), "push.depth: price: -1 must be above 0"),
        (lambda: BTC.deltas(update(1, bids=levels(("1", -1))), NOW), "push.depth: volume: -1 must be above 0"),
        (lambda: BTC.deltas(update(1, asks=levels(("1E+99", 1))), NOW), "push.depth: price: "),
        (lambda: BTC.deltas(update(2**63, bids=levels(("1", 1))), NOW), "push.depth: version: "),
        (lambda: BTC.deltas(update(1, bids=levels(("1", 1)), cts=-5), NOW), "push.depth: cts: "),
        (lambda: BTC.trades(deal(5, side=3), NOW), "push.deal: T: 3 is no side"),
        (lambda: BTC.trades(deal(5, volume="0"), NOW), "push.deal: v: trade"),
        (lambda: BTC.trades(deal(5, volume="0.5"), NOW), "push.deal: volume: 0.5 has more"),
        (lambda: BTC.trades(deal(0), NOW), "push.deal: t: "),
        (lambda: BTC.trades(deal(5, trade_id=""), NOW), "push.deal: i: "),
        (lambda: BTC.mark_price(Decimal(1), None, NOW), "push.fair.price: ts: required field is missing"),
        (lambda: BTC.mark_price(Decimal(0), 5, NOW), "push.fair.price: price: 0 must be above 0"),
        (lambda: BTC.index_price(Decimal("NaN"), 5, NOW), "push.index.price: price: "),
        (lambda: BTC.index_price(Decimal("1E-17"), 5, NOW), "push.index.price: price: "),
        (lambda: BTC.open_interest(Decimal(-1), 5, NOW), "push.ticker: holdVol: "),
    ],
)
def test_what_cannot_be_is_an_error_with_its_place(payload: Any, place: str) -> None:
    """Never rounded, never clipped, never skipped without a word."""
    with pytest.raises(MexcPayloadError) as caught:
        payload()
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize("cycle", [0, -8, 10_000])
def test_impossible_funding(cycle: int) -> None:
    """An interval of no hours, and a rate above one."""
    push = socket.FundingPush(symbol="A", rate=Decimal("0.1"), next_settle_time=5)
    with pytest.raises(MexcPayloadError, match="collectCycle"):
        BTC.funding(push, cycle, 5, NOW)
    with pytest.raises(MexcPayloadError, match="no fraction"):
        BTC.funding(socket.FundingPush(symbol="A", rate=Decimal(2), next_settle_time=5), 8, 5, NOW)
