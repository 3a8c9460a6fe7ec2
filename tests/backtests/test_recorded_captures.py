"""The recorded Binance captures, from raw lines to snapshots, against code that shares nothing with the product."""

import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDeltas
from nautilus_trader.model.enums import AggressorSide, BookType

from backtests.profile import load_profile
from backtests.replay import disposing, run_replay
from catalog.store import Catalog
from strategies.config import FlowSettings
from strategies.flow.groups import FEATURES
from strategies.flow.schema import Input
from tests.backtests.recorded import CAPTURES, PERPS, Capture, events, ingest_capture, needs_captures, raw_events

pytestmark = needs_captures

BANDS = {"near": Decimal(5), "mid": Decimal(10), "far": Decimal(25)}


@pytest.mark.parametrize("name", CAPTURES)
def test_every_trade_of_the_capture_is_in_the_catalog(name: str, catalogs: dict[str, Catalog]) -> None:
    """Ids, prices, sizes and sides equal the raw lines; fills of the insurance fund have no taker."""
    capture = CAPTURES[name]
    side = {True: AggressorSide.SELLER, False: AggressorSide.BUYER}
    want = [
        (
            str(d["t"]),
            Decimal(d["p"]),
            Decimal(d["q"]),
            side[d["m"]] if d.get("X", "MARKET") == "MARKET" else AggressorSide.NO_AGGRESSOR,
        )
        for _, kind, d in raw_events(capture)
        if kind == "trade"
    ]
    got = [
        (str(t.trade_id), t.price.as_decimal(), t.size.as_decimal(), t.aggressor_side)
        for t in catalogs[name].nautilus.trade_ticks([capture.instrument_id])
    ]
    assert len(want) == capture.trades
    assert got == want


@pytest.mark.parametrize("name", CAPTURES)
def test_every_diff_that_the_sequence_rule_keeps_is_in_the_catalog(name: str, catalogs: dict[str, Catalog]) -> None:
    """The final update ids of all diffs, less those older than the snapshot, are the sequences of the frames."""
    capture = CAPTURES[name]
    snapshot = next((d["lastUpdateId"] for _, kind, d in raw_events(capture) if kind == "snapshot"), 0)
    diffs = [d for _, kind, d in raw_events(capture) if kind == "depthUpdate"]
    assert len(diffs) == capture.diffs
    want = [d["u"] for d in diffs if d["u"] >= snapshot and (d["b"] or d["a"])]
    frames = [e.sequence for e in events(catalogs[name], capture) if isinstance(e, OrderBookDeltas)]
    leading = 1  # the snapshot, or the CLEAR that opens a book without one
    assert frames[leading:] == want


@pytest.mark.parametrize("name", PERPS)
def test_rebuilt_best_prices_equal_the_venues_book_ticker(name: str, catalogs: dict[str, Catalog]) -> None:
    """At every update id that depth and bookTicker share, Nautilus's book from the catalog has the ticker's best."""
    capture = CAPTURES[name]
    tickers = {d["u"]: d for _, kind, d in raw_events(capture) if kind == "bookTicker"}
    assert len(tickers) == capture.tickers
    book = OrderBook(catalogs[name].instruments()[0].id, BookType.L2_MBP)
    shared = 0
    for event in events(catalogs[name], capture):
        if not isinstance(event, OrderBookDeltas):
            continue
        book.apply_deltas(event)
        ticker = tickers.get(event.sequence)
        if ticker is not None:
            shared += 1
            best = (book.best_bid_price(), book.best_bid_size(), book.best_ask_price(), book.best_ask_size())
            assert [x.as_decimal() for x in best] == [Decimal(ticker[k]) for k in ("b", "B", "a", "A")], event.sequence
    assert shared > 100


def test_a_book_without_a_snapshot_holds_no_wrong_level(catalogs: dict[str, Catalog]) -> None:
    """Levels of an unseeded book are true: at a shared update id its best is the ticker's, or one not touched yet."""
    capture = CAPTURES["spot2023"]
    tickers = {d["u"]: d for _, kind, d in raw_events(capture) if kind == "bookTicker"}
    book = OrderBook(catalogs["spot2023"].instruments()[0].id, BookType.L2_MBP)
    shared = equal = 0
    for event in events(catalogs["spot2023"], capture):
        if not isinstance(event, OrderBookDeltas):
            continue
        book.apply_deltas(event)
        ticker = tickers.get(event.sequence)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if ticker is None or bid is None or ask is None:
            continue
        shared += 1
        assert bid.as_decimal() <= Decimal(ticker["b"])
        assert ask.as_decimal() >= Decimal(ticker["a"])
        equal += (bid.as_decimal(), ask.as_decimal()) == (Decimal(ticker["b"]), Decimal(ticker["a"]))
    assert shared > 20
    assert equal / shared > 0.9
    assert catalogs["spot2023"].ledger.ingests[0].unseeded_books == [capture.instrument_id]


def test_receive_clock_orders_events_and_is_not_clamped(catalogs: dict[str, Catalog]) -> None:
    """ts_init is the receive time to the microsecond, also where it lies 1.5 s before the venue's own time."""
    capture = CAPTURES["btc2024"]
    received = [(r // 1000, d["T"] * 1_000_000) for r, kind, d in raw_events(capture) if kind == "trade"]
    ticks = catalogs["btc2024"].nautilus.trade_ticks([capture.instrument_id])
    assert [(t.ts_init // 1000, t.ts_event) for t in ticks] == received
    assert all(t.ts_init < t.ts_event for t in ticks)
    assert catalogs["btc2024"].ledger.ingests[0].counts["clock_skew"] == 2


@pytest.mark.parametrize("name", CAPTURES)
def test_replayed_cvd_price_and_depth_equal_independent_code(
    name: str, catalogs: dict[str, Catalog], tmp_path: Path
) -> None:
    """Every snapshot's CVD, mid and depth bands are, to the last bit, those of a plain dict book over the raw lines."""
    capture = CAPTURES[name]
    path = tmp_path / "snapshots.parquet"
    with disposing(run_replay(catalogs[name], load_profile(), start_ns=0, end_ns=2**63 - 1, snapshots=path)):
        pass
    snapshots = pd.read_parquet(path)
    assert len(snapshots) > 60
    is_perp = capture.market == "usdm"
    for row, want in zip(snapshots.to_dict("records"), independent(capture, list(snapshots["ts"])), strict=True):
        cvd, last, book = want
        assert row["cvd_perp" if is_perp else "cvd_spot"] == cvd
        assert math.isnan(row["cvd_spot" if is_perp else "cvd_perp"])
        if not is_perp:
            assert row["price"] == last
            assert math.isnan(row["bid_depth_far"])  # nothing is read off a book that is known in part
            continue
        bids, asks = book
        best_bid, best_ask = max(bids), min(asks)
        mid = (best_bid + best_ask) / 2
        assert row["price"] == float(mid)
        for band, bps in BANDS.items():
            reach = mid * bps / 10_000
            bid = float(sum(size for price, size in bids.items() if price >= mid - reach))
            ask = float(sum(size for price, size in asks.items() if price <= mid + reach))
            assert (row[f"bid_depth_{band}"], row[f"ask_depth_{band}"]) == (bid, ask), (row["ts"], band)
            assert row[f"obi_{band}"] == (bid - ask) / (bid + ask)


QUICK = FlowSettings(
    scan_seconds=1,
    levels_seconds=1,
    imbalance_window=60,
    warm_samples=30,
    flow_seconds=(10, 30),
    slope_scans=20,
    surge_bucket_seconds=1,
    surge_span_buckets=20,
    divergence_scans=60,
    absorption_scans=20,
    lead_span_seconds=30.0,
    microprice_reads=30,
    basis_window=30,
    bar_seconds=2,
    whale_window=300,
    burst_window=100,
)
"""Everything warm within two minutes, as the captures last eight."""


@pytest.fixture(scope="module")
def spot_and_perp(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Snapshots of the perp and the spot market of April 2023 together, in the minutes that both were recorded."""
    root = tmp_path_factory.mktemp("both") / "catalog"
    for capture in (CAPTURES["btc2023"], CAPTURES["spot2023"]):
        ingest_capture(root, capture)
    path = root.parent / "snapshots.parquet"
    profile = load_profile().model_copy(update={"flow": QUICK})
    with disposing(run_replay(Catalog(root), profile, start_ns=0, end_ns=2**63 - 1, snapshots=path)):
        pass
    return pd.read_parquet(path)


def test_the_whole_schema_is_computed_on_recorded_flow(spot_and_perp: pd.DataFrame) -> None:
    """Once warm nothing is missing but what the recording does not hold: open interest, a second venue, a spot book."""
    both = spot_and_perp[spot_and_perp["cvd_spot"].notna()]
    warm = both.iloc[150:]
    assert len(warm) > 200
    absent = {Input.OPEN_INTEREST, Input.SPOT_BOOKS}
    alone = {"dispersion_bps", "perp_lead"}
    for feature in FEATURES:
        missing = warm[feature.name].isna()
        if absent & set(feature.inputs) or feature.name in alone:
            assert missing.all(), feature.name
        else:
            assert not missing.any(), (feature.name, int(missing.sum()))


Book = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]


def independent(capture: Capture, times: list[int]) -> Iterator[tuple[float, float, Book]]:
    """(CVD, last price, book) just before each time, from the raw lines alone."""
    cvd, last = 0.0, math.nan
    book: Book = ({}, {})
    waiting: list[dict[str, Any]] | None = []
    due = iter(times)
    ts = next(due)
    for received, kind, data in raw_events(capture):
        while received >= ts:
            yield cvd, last, book
            following = next(due, None)
            if following is None:
                return
            ts = following
        if kind == "trade" and data.get("X", "MARKET") == "MARKET":
            cvd += -float(data["q"]) if data["m"] else float(data["q"])
            last = float(data["p"])
        elif kind == "snapshot":
            for side, levels in zip(book, (data["bids"], data["asks"]), strict=True):
                side.update({Decimal(p): Decimal(q) for p, q in levels})
            for diff in waiting or []:
                if diff["u"] >= data["lastUpdateId"]:
                    _apply(book, diff)
            waiting = None
        elif kind == "depthUpdate":
            if waiting is None:
                _apply(book, data)
            else:
                waiting.append(data)
    yield cvd, last, book


def _apply(book: Book, diff: dict[str, Any]) -> None:
    for side, levels in zip(book, (diff["b"], diff["a"]), strict=True):
        for price, size in levels:
            if Decimal(size):
                side[Decimal(price)] = Decimal(size)
            else:
                side.pop(Decimal(price), None)
