"""The flow's shell in a real engine: what it hands on, when it samples, and what it publishes."""

import math
from decimal import Decimal

import pytest
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.data import CustomData, DataType, FundingRateUpdate, MarkPriceUpdate
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price

from catalog.data_types import OpenInterest
from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.flow.markets import band_limits
from strategies.flow_actor import FlowActor, FlowActorConfig, NautilusBookView, flow_market
from tests.strategies.conftest import at, book_frame, listed, print_of

BUY, SELL = AggressorSide.BUYER, AggressorSide.SELLER
TENTH, THOUSANDTH = Decimal("0.1"), Decimal("0.001")
BTC = listed(Market("BINANCE", MarketKind.PERP, "BTCUSDT"), Definition("BTC", "USDT", TENTH, THOUSANDTH))
ETH = listed(Market("BINANCE", MarketKind.PERP, "ETHUSDT"), Definition("ETH", "USDT", TENTH, THOUSANDTH))
SPOT = listed(Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT"), Definition("BTC", "USDT", TENTH, THOUSANDTH))
MEXC = listed(
    Market("MEXC", MarketKind.PERP, "BTC_USDT"), Definition("BTC", "USDT", TENTH, Decimal(1), Decimal("0.0001"))
)
FLOW = {
    "sample_seconds": 1,
    "scan_seconds": 2,
    "imbalance_window": 4,
    "warm_samples": 2,
    "flow_seconds": (2, 4),
    "surge_bucket_seconds": 1,
    "surge_span_buckets": 2,
    "whale_quantile": 0.9,
    "whale_window": 100,
    "bar_seconds": 1,
    "ema_bars": (1, 2),
    "rsi_bars": 2,
    "atr_bars": 2,
    "stale_seconds": 3.0,
}


def actor(*instruments: Instrument, without_book: tuple[Instrument, ...] = (), **flow) -> FlowActor:
    return FlowActor(
        FlowActorConfig(
            assets={"BTC": tuple(i.id.value for i in instruments)},
            flow=FLOW | flow,
            without_book=tuple(i.id.value for i in without_book),
        )
    )


def quotes(instrument: Instrument, first: float, last: float, step: float = 0.5) -> list:
    """Books that change all the time: one level a side around 1000.05, the bid's size counting up."""
    count = round((last - first) / step)
    return [book_frame(instrument, first + k * step, [("1000.0", str(k + 1))], [("1000.1", "1")]) for k in range(count)]


def trades(instrument: Instrument, first: int, last: int, size: str = "1") -> list:
    """A buyer a second, in its middle."""
    return [print_of(instrument, second + 0.5, "1000.1", size, BUY) for second in range(first, last)]


def test_snapshots_come_on_the_scan_clock(stage) -> None:
    """One every two seconds of the epoch once warm, stamped with the scan's time."""
    one = stage(BTC)
    script = one.play(quotes(BTC, 0.3, 9) + trades(BTC, 0, 9), actor(BTC), until=8.5)
    # the short window of two seconds is covered at 2, when the book was sampled at 1 and 2
    assert [s.ts for s in script.seen] == [at(second) for second in (2, 4, 6, 8)]
    assert {s.asset for s in script.seen} == {"BTC"}
    # at 8 the flow is that of the seconds 7 and 8: one buyer; the book is the frame of 7.8, the sixteenth
    last = script.seen[-1]
    assert (last["perp_flow_short"], last["cvd_perp"]) == (1.0, 8.0)
    assert (last["bid_depth_near"], last["ask_depth_near"]) == (16.0, 1.0)
    assert last["price"] == pytest.approx(1000.05)


def test_every_scan_ends_with_a_marker(stage) -> None:
    """After the snapshots of all assets of that time, and also where no asset has one yet."""
    one = stage(BTC, ETH)
    assets = {"BTC": (BTC.id.value,), "ETH": (ETH.id.value,)}
    data = quotes(BTC, 0.3, 9) + trades(BTC, 0, 9) + quotes(ETH, 4.3, 9) + trades(ETH, 4, 9)
    script = one.play(data, FlowActor(FlowActorConfig(assets=assets, flow=FLOW | {"scan_seconds": 1})), until=7.5)
    over = [(at(second), "") for second in range(1, 8)]
    btc = [(at(second), "BTC") for second in range(2, 8)]
    assert [heard for heard in script.heard if heard[1] != "ETH"] == [
        over[0], *(one for both in zip(btc, over[1:], strict=True) for one in both)
    ]  # fmt: skip
    eth = [number for number, (_, asset) in enumerate(script.heard) if asset == "ETH"]
    assert len(eth) > 1
    # each after the other asset's, before the marker of its time
    assert all(
        script.heard[k - 1 : k + 2] == [(ts, "BTC"), (ts, "ETH"), (ts, "")] for k in eth for ts in [script.heard[k][0]]
    )


def test_the_clock_is_the_epochs_and_not_the_starts(stage) -> None:
    """A run that begins at 0.7 scans at the same times as one that begins at 0."""
    data = quotes(BTC, 0.8, 9) + trades(BTC, 1, 9)
    seen = [stage(BTC).play(data, actor(BTC), since=since, until=8.5).seen for since in (0.0, 0.7)]
    assert [[s.ts for s in one] for one in seen] == [[at(4), at(6), at(8)]] * 2


def test_every_kind_of_event_finds_its_place(stage) -> None:
    """Marks, funding and open interest of the lead, contracts of a second venue, and spot trades without a book."""
    ts = at(5.5)
    one = stage(BTC, MEXC, SPOT)
    reports = [
        MarkPriceUpdate(BTC.id, Price.from_str("1001.0505"), ts, ts),
        FundingRateUpdate(BTC.id, Decimal("-0.0003"), ts, ts, next_funding_ns=at(66)),
        CustomData(
            DataType(OpenInterest, metadata={"instrument_id": MEXC.id.value}),
            OpenInterest(instrument_id=MEXC.id, value=2_000.0, ts_event=ts, ts_init=ts),
        ),
    ]
    books = [frame for instrument in (BTC, MEXC, SPOT) for frame in quotes(instrument, 0.3, 9)]
    prints = trades(BTC, 0, 9) + trades(SPOT, 0, 9) + [print_of(MEXC, 5.2, "1000.0", "30000", SELL)]
    script = one.play(books + prints + reports, actor(BTC, MEXC, SPOT, without_book=(SPOT,)), until=6.5)
    last = script.seen[-1]
    assert last.ts == at(6)
    # 6 bought, 30000 contracts of 0.0001 sold
    assert last["cvd_perp"] == pytest.approx(3.0)
    assert last["cvd_spot"] == 6.0
    assert last["mark_premium_bps"] == pytest.approx((1001.0505 - 1000.05) / 1000.05 * 1e4)
    assert (last["funding_rate"], last["time_to_funding_s"]) == (-0.0003, 60.0)
    assert last["open_interest"] == pytest.approx(0.2)
    # 12 and 12 contracts
    assert last["bid_depth_near"] == pytest.approx(12 + 12 * 0.0001)
    assert math.isnan(last["basis_bps"])


def test_a_lead_without_a_book_lives_on_trades(stage) -> None:
    """Its book is there but known in part only: nothing is read off it."""
    one = stage(BTC)
    script = one.play(quotes(BTC, 0.3, 9) + trades(BTC, 0, 9), actor(BTC, without_book=(BTC,)), until=8.5)
    last = script.seen[-1]
    assert last["price"] == 1000.1
    assert math.isnan(last["spread_bps"])
    assert math.isnan(last["bid_depth_near"])


def test_a_book_that_has_stopped_is_not_a_price(stage) -> None:
    """Its last change is at 5.8: some seconds later there are no snapshots any more, though trades go on."""
    one = stage(BTC)
    script = one.play(quotes(BTC, 0.3, 6) + trades(BTC, 0, 20), actor(BTC, scan_seconds=1), until=19.5)
    assert at(6) < script.seen[-1].ts < at(15)


def test_a_book_older_than_stale_seconds_is_not_used(stage) -> None:
    """Its last change is at 5.8, so it is seen at 6, and the last snapshot that uses it is of 9."""
    one = stage(BTC)
    script = one.play(quotes(BTC, 0.3, 6) + trades(BTC, 0, 20), actor(BTC, scan_seconds=1), until=19.5)
    assert script.seen[-1].ts == at(9)


def test_a_market_that_is_not_loaded_is_an_error(stage) -> None:
    """The error names the market and what to do."""
    one = stage(BTC)
    with pytest.raises(ValueError, match=r"BTCUSDT-PERP.MEXC is configured for the flow but not loaded"):
        one.play(quotes(BTC, 0, 2), actor(BTC, MEXC), until=1)


def test_an_inverse_market_is_refused() -> None:
    """It counts in quote currency, which would pass for base units."""
    coin_m = listed(
        Market("BINANCE_COINM", MarketKind.PERP, "BTCUSD_PERP", inverse=True),
        Definition("BTC", "USD", TENTH, Decimal(1), Decimal(100)),
    )
    with pytest.raises(ValueError, match=r"BTCUSD-PERP.BINANCE_COINM is inverse"):
        flow_market(coin_m, has_book=True)


def test_markets_are_described_by_their_instruments() -> None:
    """Kind, decimal places and multiplier come from the instrument."""
    mexc, spot = flow_market(MEXC, has_book=True), flow_market(SPOT, has_book=False)
    assert (mexc.is_perp, mexc.price_places, mexc.size_places, mexc.multiplier) == (True, 1, 0, 0.0001)
    assert (spot.is_perp, spot.price_places, spot.size_places, spot.multiplier) == (False, 1, 3, 1.0)
    assert (mexc.has_book, spot.has_book) == (True, False)


def test_the_view_of_nautiluss_book(stage) -> None:
    """Best prices in units, and depth down and up to a price, both inclusive, whether a level lies there or not."""
    bids, asks = [("100.0", "1.5"), ("99.9", "2"), ("99.0", "4")], [("100.2", "0.25"), ("100.5", "3")]
    one = stage(BTC)
    one.play([book_frame(BTC, 0, bids, asks)], actor(BTC), until=1)
    engine: BacktestEngine = one.engine
    view = NautilusBookView(engine.kernel.cache.order_book(BTC.id), 1, 3)
    assert view.best() == (1000, 1002)
    assert view.depths((1001, 1000, 999), (1001, 1002, 1004)) == (0.0, 1.5, 3.5, 0.0, 0.25, 0.25)
    assert view.depths((995, 990, 1), (1002, 1005, 9999)) == (3.5, 7.5, 7.5, 0.25, 3.25, 3.25)
    # 25 bps of 100.1 are 0.25025
    assert band_limits(1000, 1002, 25.0) == (999, 1003)


def test_the_levels_of_nautiluss_book(stage) -> None:
    """Those at the price and nearer, best first, exactly; an order nobody sent took nothing off the book."""
    bids, asks = [("100.0", "1.5"), ("99.9", "2"), ("99.0", "4")], [("100.2", "0.25"), ("100.5", "3")]
    one = stage(BTC)
    one.play([book_frame(BTC, 0, bids, asks)], actor(BTC), until=1)
    view = NautilusBookView(one.engine.kernel.cache.order_book(BTC.id), 1, 3)
    for _ in range(2):
        levels = [view.levels_down_to(999), view.levels_down_to(1), view.levels_up_to(1005), view.levels_up_to(1001)]
        assert [(prices.tolist(), sizes.tolist()) for prices, sizes in levels] == [
            ([1000, 999], [1.5, 2.0]),
            ([1000, 999, 990], [1.5, 2.0, 4.0]),
            ([1002, 1005], [0.25, 3.0]),
            ([], []),
        ]


def test_a_one_sided_book_has_no_best_prices(stage) -> None:
    """An empty side makes it no sample."""
    one = stage(BTC)
    one.play([book_frame(BTC, 0, [("100.0", "1")], [])], actor(BTC), until=1)
    assert NautilusBookView(one.engine.kernel.cache.order_book(BTC.id), 1, 3).best() is None
