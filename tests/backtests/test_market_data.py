from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import (
    CustomData,
    FundingRateUpdate,
    MarkPriceUpdate,
    OrderBookDelta,
    OrderBookDeltas,
    TradeTick,
)
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId

from backtests.market_data import MarketData, frames, row_range, spliced
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import BUYER, DECIMAL, NO_AGGRESSOR, SCHEMAS, SELLER, Chunk, Kind
from tests.backtests.conftest import alternating, book, chunk, ns, random_book, trades, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
SPOT = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT")
NAMES = (PERP.instrument_id, SPOT.instrument_id)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Two books, trades of both, and the perp's reports, over four milliseconds."""
    minutes = [500, 1_500, 2_500]
    count = len(minutes)
    return write_catalog(
        tmp_path_factory.mktemp("catalog"),
        {
            PERP: [
                book(random_book(1, 150)),
                trades(range(0, 4_000, 10), alternating(400)),
                chunk(Kind.MARKS, {"value": ["100.05"] * 40}, range(0, 4_000, 100)),
                chunk(
                    Kind.FUNDING,
                    {"rate": ["0.0001"] * count, "interval_minutes": [480] * count, "next_funding_ns": [0] * count},
                    minutes,
                ),
                chunk(Kind.OPEN_INTEREST, {"value": ["7", "8", "9"]}, minutes),
            ],
            SPOT: [book(random_book(2, 150)), trades(range(5, 4_000, 10))],
        },
    )


def events(catalog: Catalog, start: int = 0, end: int = 2**63 - 1, names: tuple[str, ...] = NAMES) -> list[Any]:
    return [event for part in MarketData(catalog, names, start, end).events() for event in part]


def plain(found: list[Any]) -> list[Any]:
    """Events as plain data that can be compared."""
    out: list[Any] = []
    for event in found:
        if isinstance(event, OrderBookDeltas):
            out.append([OrderBookDelta.to_dict(d) for d in event.deltas])
        elif isinstance(event, CustomData):
            out.append((event.data.instrument_id.value, event.data.value, event.ts_init))
        else:
            out.append(type(event).to_dict(event))
    return out


def stored(catalog: Catalog, name: str, kind: Kind) -> Path:
    return catalog.root / next(s.path for s in catalog.ledger.series() if (s.instrument_id, s.kind) == (name, kind))


def test_everything_comes_in_order_with_frames_whole(catalog: Catalog) -> None:
    """Times never step back, no two events share one, and each frame holds exactly the rows of one time."""
    found = events(catalog)
    assert all(a.ts_init < b.ts_init for a, b in pairwise(found))
    frames_found = [e for e in found if isinstance(e, OrderBookDeltas)]
    assert all(len({(d.ts_init, d.sequence) for d in f.deltas}) == 1 for f in frames_found)
    assert all([bool(d.flags & 128) for d in f.deltas] == [False] * (len(f.deltas) - 1) + [True] for f in frames_found)
    counts = Counter(type(e) for e in found)
    assert counts[OrderBookDeltas] == len(random_book(1, 150)) + len(random_book(2, 150))
    assert counts[TradeTick] == 800
    assert (counts[MarkPriceUpdate], counts[FundingRateUpdate], counts[CustomData]) == (40, 3, 3)


def test_funding_and_open_interest_arrive_at_their_place(catalog: Catalog) -> None:
    """Each comes between the trades of before and after it, with what was written."""
    found = events(catalog)
    places = [k for k, e in enumerate(found) if isinstance(e, FundingRateUpdate | CustomData)]
    assert len(places) == 6
    for k in places:
        assert found[k - 1].ts_init < found[k].ts_init < found[k + 1].ts_init
    interests = [e.data.value for e in found if isinstance(e, CustomData)]
    assert interests == [7.0, 8.0, 9.0]
    funding = [e for e in found if isinstance(e, FundingRateUpdate)]
    assert {(repr(e.rate), e.interval) for e in funding} == {("Decimal('0.0001')", 480)}


def test_reports_after_the_last_trade_are_not_lost(tmp_path: Path) -> None:
    """Open interest that comes when everything else has ended is handed on at the end."""
    late = chunk(Kind.OPEN_INTEREST, {"value": ["1", "2"]}, [50, 5_000])
    found = events(write_catalog(tmp_path, {PERP: [trades([10, 20]), late]}))
    assert [type(e) for e in found] == [TradeTick, TradeTick, CustomData, CustomData]


def test_only_the_instruments_asked_for(catalog: Catalog) -> None:
    """Others are not read."""
    assert {e.instrument_id.value for e in events(catalog, names=NAMES[1:])} == {SPOT.instrument_id}


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_size_of_a_chunk_changes_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Frames that end in another chunk than they began in are whole all the same."""
    whole, part = plain(events(catalog)), plain(events(catalog, ns(1_234), ns(3_210)))
    monkeypatch.setattr("backtests.market_data.CHUNK_ROWS", rows)
    assert plain(events(catalog)) == whole
    assert plain(events(catalog, ns(1_234), ns(3_210))) == part


def test_a_part_is_the_whole_without_the_rest(catalog: Catalog) -> None:
    """From start to end, both inclusive; only the books' states at the start are added in front."""
    first, last = ns(1_234), ns(3_210)
    whole = [e for e in events(catalog) if first <= e.ts_init <= last]
    part = events(catalog, first, last)
    is_seed = [isinstance(e, OrderBookDeltas) and e.ts_init // 1_000 == first // 1_000 for e in part]
    assert {e.instrument_id.value for e, seed in zip(part, is_seed, strict=True) if seed} == set(NAMES)
    assert plain([e for e, seed in zip(part, is_seed, strict=True) if not seed]) == plain(whole)


def final_book(found: list[Any], name: str) -> list[list[tuple[str, float]]]:
    order_book = OrderBook(InstrumentId.from_str(name), BookType.L2_MBP)
    for event in found:
        if isinstance(event, OrderBookDeltas) and event.instrument_id.value == name:
            order_book.apply_deltas(event)
    return [[(str(x.price), x.size()) for x in side] for side in (order_book.bids(), order_book.asks())]


@pytest.mark.parametrize("start", [777, 1_234, 2_001])
def test_a_start_inside_a_book_ends_in_the_same_book(catalog: Catalog, start: int) -> None:
    """A snapshot of the state at the start and all that follows lead to the book of those who saw everything."""
    for name in NAMES:
        end = ns(start + 300)
        whole = [e for e in events(catalog) if e.ts_init <= end]
        assert final_book(events(catalog, ns(start), end), name) == final_book(whole, name)


def test_a_start_at_the_very_time_of_a_frame(tmp_path: Path) -> None:
    """The snapshot of the state before comes before that frame."""
    changes = [
        (10, "snapshot", [("99.9", "1")], [("100.1", "1")]),
        (20, "diff", [("99.8", "2")], []),
        (30, "diff", [("99.7", "3")], []),
    ]
    found = events(write_catalog(tmp_path, {PERP: [book(changes)]}), ns(20))
    assert [len(e.deltas) for e in found] == [3, 1, 1]
    assert final_book(found, PERP.instrument_id)[0] == [("99.9", 1.0), ("99.8", 2.0), ("99.7", 3.0)]


def test_rows_of_one_time_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """150 000 prints, a hundred a microsecond, over two row groups: in whole and in parts they come as written."""
    count = 150_000
    times = ns(0) + np.arange(count) // 100 * 1_000
    ones = pa.array(np.ones(count, dtype=np.int64)).cast(DECIMAL)
    numbers = pa.array(np.arange(count))
    columns = {
        "price": ones,
        "size": ones,
        "aggressor_side": pa.array(np.full(count, BUYER, dtype=np.uint8)),
        "trade_id": numbers.cast(pa.string()),
        "ts_event": pa.array(times),
        "ts_init": pa.array(times),
        "line": numbers,
    }
    schema = SCHEMAS[Kind.TRADES]
    table = pa.Table.from_arrays([columns[f.name] for f in schema], schema=schema)
    catalog = write_catalog(tmp_path, {PERP: [Chunk(Kind.TRADES, table, "by hand")]})
    assert [int(e.trade_id.value) for e in events(catalog)] == list(range(count))
    # microseconds 1300 to 1330 inclusive straddle row 131 072, where the second group begins
    part = events(catalog, ns(1_300), ns(1_330) + 999)
    assert [int(e.trade_id.value) for e in part] == list(range(130_000, 133_100))


def test_edges_of_a_file(tmp_path: Path) -> None:
    """Prints at 10, 20, 20 and 30: a start or end at a time takes all prints of that time."""
    catalog = write_catalog(tmp_path, {PERP: [trades([10, 20, 20, 30])]})
    path = stored(catalog, PERP.instrument_id, Kind.TRADES)
    (series,) = catalog.ledger.series()
    slot = series.first_ns - ns(10)
    at = {us: ns(us) + slot for us in (10, 20, 30)}
    assert row_range(path, 0, 2**63 - 1) == (0, 4)
    assert row_range(path, at[10], at[30]) == (0, 4)
    assert row_range(path, at[10] + 1, at[30] - 1) == (1, 3)
    assert row_range(path, at[20], at[20]) == (1, 3)
    assert row_range(path, at[20] + 1, at[30]) == (3, 4)
    first, last = row_range(path, at[30] + 1, 2**63 - 1)
    assert first == last
    first, last = row_range(path, 0, at[10] - 1)
    assert first == last
    assert MarketData(catalog, NAMES, at[20], at[20]).rows() == 2


def test_edges_over_many_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where times repeat across row groups the range is that of a plain search in all times."""
    monkeypatch.setattr("catalog.store.ROW_GROUP", 4)
    times = [k // 3 * 10 for k in range(40)]
    catalog = write_catalog(tmp_path, {PERP: [trades(times)]})
    path = stored(catalog, PERP.instrument_id, Kind.TRADES)
    slot = catalog.ledger.series()[0].first_ns - ns(0)
    for first in range(-1, 15):
        for last in range(first, 15):
            inside = [k for k, us in enumerate(times) if first * 10 <= us <= last * 10]
            begin, end = row_range(path, ns(first * 10) + slot, ns(last * 10) + slot)
            assert list(range(begin, end)) == inside


def test_the_span_is_that_of_the_data_inside(catalog: Catalog) -> None:
    """It is cut at the asked times, and None where there is nothing."""
    everything = MarketData(catalog, NAMES).span()
    assert everything is not None
    last_us = max(3_995, random_book(1, 150)[-1][0], random_book(2, 150)[-1][0])
    assert [time // 1_000 * 1_000 for time in everything] == [ns(0), ns(last_us)]
    assert MarketData(catalog, NAMES, ns(1_000), ns(2_000)).span() == (ns(1_000), ns(2_000))
    assert MarketData(catalog, NAMES, ns(10_000_000)).span() is None
    assert MarketData(catalog, ("ETHUSDT-PERP.BINANCE",)).span() is None
    assert events(catalog, ns(10_000_000)) == []


def test_rows_and_progress_count_the_same(catalog: Catalog) -> None:
    """What is announced is what is told while reading, funding and open interest apart."""
    told: list[int] = []
    data = MarketData(catalog, NAMES)
    for _ in data.events(told.append):
        pass
    assert sum(told) == data.rows() - 6


def test_prints_without_a_taker_are_left_out(tmp_path: Path) -> None:
    """Nobody could trade with an insurance fund's print, so it must not fill or trigger anything."""
    catalog = write_catalog(tmp_path, {PERP: [trades([10, 20, 30], [SELLER, NO_AGGRESSOR, BUYER])]})
    assert [e.trade_id.value for e in events(catalog)] == ["0", "2"]


def test_a_frame_without_an_end_is_damage() -> None:
    """The error names the instrument and what to do."""
    delta = OrderBookDelta.clear(InstrumentId.from_str(PERP.instrument_id), 1, 1, 1)
    unfinished = OrderBookDelta.from_dict(OrderBookDelta.to_dict(delta) | {"flags": 0})
    with pytest.raises(ValueError, match=r"BTCUSDT-PERP.BINANCE: the book's last frame has no end"):
        list(frames(iter([[unfinished]])))


class At:
    """An event of which only the time matters."""

    def __init__(self, ts_init: int) -> None:
        self.ts_init = ts_init


def test_splicing_by_hand() -> None:
    """Slow events go before, between and after the chunks of fast ones, in order of time."""
    fast = iter([[At(10), At(20)], [At(30)], [At(40), At(50)]])
    slow = iter([At(5), At(15), At(16), At(25), At(45), At(60), At(70)])
    assert [[e.ts_init for e in part] for part in spliced(fast, slow)] == [
        [5, 10, 15, 16, 20],
        [25, 30],
        [40, 45, 50],
        [60, 70],
    ]
