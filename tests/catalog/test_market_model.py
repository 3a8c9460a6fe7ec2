"""The built-in market: exact, uncrossed, repeatable, and shaped like the markets it stands for."""

from collections import defaultdict
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.market_columns import Arrivals, decimals_from_units, decimals_on_grid
from catalog.market_levels import ROOM
from catalog.market_model import LATEST_NS, SampleMarket
from catalog.market_price import HOUR_NS
from catalog.market_specs import MarketSpec
from catalog.market_takers import MAX_WALK
from catalog.markets import MarketKind
from catalog.tables import ADD, ASK, BID, BUYER, CLEAR, DECIMAL, DELETE, F_LAST, F_SNAPSHOT, UPDATE, Kind

MINUTE_NS = 60_000_000_000
SHORT = SampleMarket(seed=7, hours=0.25, assets=2)
ODD_START = SampleMarket(seed=3, hours=0.25, assets=1, start_ns=SHORT.start_ns + 7 * HOUR_NS + 53 * MINUTE_NS)

type Tables = dict[tuple[str, Kind], pa.Table]


@cache
def tables(market: SampleMarket) -> Tables:
    """All chunks of a sample, joined by market and kind."""
    parts: dict[tuple[str, Kind], list[pa.Table]] = defaultdict(list)
    for spec, chunk in market.chunks():
        parts[spec.market.instrument_id, chunk.kind].append(chunk.table)
    return {key: pa.concat_tables(part) for key, part in parts.items()}


def spec_of(market: SampleMarket, instrument_id: str) -> MarketSpec:
    return next(spec for spec in market.specs() if spec.market.instrument_id == instrument_id)


def kinds_of(market: SampleMarket, kind: Kind) -> list[tuple[MarketSpec, pa.Table]]:
    found = [(spec_of(market, name), table) for (name, k), table in tables(market).items() if k is kind]
    assert found
    return found


def frames(table: pa.Table) -> list[list[dict[str, Any]]]:
    """Rows grouped into frames by F_LAST alone."""
    out: list[list[dict[str, Any]]] = [[]]
    for row in table.to_pylist():
        out[-1].append(row)
        if row["flags"] & F_LAST:
            out.append([])
    assert out.pop() == []
    return out


@pytest.mark.parametrize("name", ["BTCUSDT-PERP.BINANCE", "ETHUSDT-SPOT.BYBIT", "ETHUSDT-PERP.MEXC"])
def test_books_rebuild_uncrossed_and_takers_trade_at_their_touch(name: str) -> None:
    """Every frame changes only what is there and leaves bids below asks; each trade takes from the best level left."""
    market = tables(SHORT)
    book: dict[int, dict[Decimal, Decimal]] = {BID: {}, ASK: {}}
    events: list[tuple[int, Any]] = [(frame[0]["ts_event"], frame) for frame in frames(market[name, Kind.BOOK])[:1500]]
    horizon = events[-1][0]
    events += [(t["ts_event"], t) for t in market[name, Kind.TRADES].to_pylist() if t["ts_event"] < horizon]
    events.sort(key=lambda event: event[0])
    assert len({time for time, _ in events}) == len(events)
    trades = 0
    left: dict[Decimal, Decimal] = {}  # of levels that takers hit since the last frame
    for _, event in events:
        if isinstance(event, dict):
            side = ASK if event["aggressor_side"] == BUYER else BID
            there = [price for price, size in book[side].items() if left.get(price, size) > 0]
            touch = min(there) if side == ASK else max(there)
            assert event["price"] == touch
            left[touch] = left.get(touch, book[side][touch]) - event["size"]
            assert left[touch] >= 0
            trades += 1
            continue
        for row in event:
            levels = book.get(row["side"], {})
            if row["action"] == CLEAR:
                book = {BID: {}, ASK: {}}
            elif row["action"] == DELETE:
                assert row["size"] == 0
                del levels[row["price"]]
            else:
                assert row["size"] > 0
                assert (row["price"] in levels) == (row["action"] == UPDATE)
                levels[row["price"]] = row["size"]
        assert max(book[BID]) < min(book[ASK])
        assert len({(row["side"], row["price"]) for row in event}) == len(event)
        assert all(8 <= len(levels) <= ROOM for levels in book.values())
        left = {}
    assert trades > 100


def test_a_touch_that_takers_emptied_leaves_the_book_at_once() -> None:
    """The next frame after a trade that took all that was left deletes the level, a microsecond after the prints."""
    market = tables(SHORT)
    name = "BTCUSDT-PERP.BINANCE"
    frame_times = np.unique(market[name, Kind.BOOK]["ts_event"].to_numpy())
    trade_times = market[name, Kind.TRADES]["ts_event"].to_numpy()
    deleted_at = {
        (row["ts_event"], row["price"]) for row in market[name, Kind.BOOK].to_pylist() if row["action"] == DELETE
    }
    shown: dict[Decimal, Decimal] = {}
    emptied = 0
    rows = [(row["ts_event"], 0, row) for row in market[name, Kind.BOOK].to_pylist()]
    rows += [(row["ts_event"], 1, row) for row in market[name, Kind.TRADES].to_pylist()]
    for time, is_trade, row in sorted(rows, key=lambda event: event[:2]):
        if not is_trade:
            shown[row["price"]] = row["size"]
            continue
        shown[row["price"]] -= row["size"]
        if shown[row["price"]] == 0:
            emptied += 1
            frame = int(frame_times[np.searchsorted(frame_times, time)])
            assert (frame, row["price"]) in deleted_at
            assert frame - trade_times[np.searchsorted(trade_times, frame) - 1] == 1_000
            assert frame - time <= MAX_WALK * 1_000
    assert emptied > 0


@pytest.mark.parametrize("market", [SHORT, ODD_START])
def test_a_snapshot_starts_each_book_and_each_hour(market: SampleMarket) -> None:
    """A replay can start at the sample's beginning and at every full hour of UTC."""
    hours = {-(-market.start_ns // HOUR_NS) * HOUR_NS} & set(range(market.start_ns, market.end_ns, MINUTE_NS))
    for _, table in kinds_of(market, Kind.BOOK):
        snapshots = table.filter(pc.equal(table["action"], CLEAR))
        times = snapshots["ts_event"].to_pylist()
        assert [time // MINUTE_NS * MINUTE_NS for time in times] == sorted({market.start_ns} | hours)
        assert table["ts_event"][0].as_py() == market.start_ns
        for frame in (f for f in frames(table) if f[0]["action"] == CLEAR):
            assert all(row["flags"] & F_SNAPSHOT and row["action"] == ADD for row in frame[1:])
            assert {row["side"] for row in frame[1:]} == {BID, ASK}


def test_prices_and_sizes_are_whole_ticks_and_steps() -> None:
    """Every decimal is an exact multiple of the venue's tick or step; sizes of MEXC perps are whole contracts."""
    for (name, kind), table in tables(SHORT).items():
        spec = spec_of(SHORT, name)
        grids = {"price": spec.price_tick, "size": spec.size_step}
        if kind is not Kind.FUNDING:
            grids["value"] = spec.price_tick if kind is Kind.MARKS else spec.size_step
        for column, grid in grids.items():
            if column in table.column_names:
                assert all(value % grid == 0 for value in pc.unique(table[column]).to_pylist()), (name, kind, column)
        if spec.market.venue == "MEXC":
            assert spec.size_step == 1
            assert spec.multiplier == {"BTC": Decimal("0.0001"), "ETH": Decimal("0.01")}[spec.asset]


def test_every_kind_arrives_in_order_and_inside_the_sample() -> None:
    """ts_event never decreases, ts_init is later and strictly increases from event to event, lines count events."""
    for (name, kind), table in tables(SHORT).items():
        event, init, line = (table[c].to_numpy() for c in ("ts_event", "ts_init", "line"))
        assert SHORT.start_ns <= event[0], name
        assert event[-1] < SHORT.end_ns
        assert (np.diff(event) >= 0).all()
        assert (init > event).all()
        steps = np.diff(line)
        assert line[0] == 1
        assert set(np.unique(steps)) <= ({0, 1} if kind is Kind.BOOK else {1})
        assert ((np.diff(init) > 0) == (steps == 1)).all()


def test_frames_share_their_stamps_and_number_without_gaps() -> None:
    """All rows of a frame have one time, arrival and sequence; the next frame has the next sequence."""
    for _, table in kinds_of(SHORT, Kind.BOOK):
        stamps = [{(r["ts_event"], r["ts_init"], r["sequence"], r["line"]) for r in f} for f in frames(table)]
        assert all(len(stamp) == 1 for stamp in stamps)
        sequences = [stamp.pop()[2] for stamp in stamps]
        assert all(b == a + 1 for a, b in pairwise(sequences))


def test_the_same_arguments_give_the_same_tables() -> None:
    """Two runs agree in every value, and another seed does not."""
    again = SampleMarket(seed=7, hours=0.25, assets=2)
    tables.cache_clear()
    first = tables(SHORT)
    tables.cache_clear()
    second = tables(again)
    assert first.keys() == second.keys()
    assert all(first[key].equals(second[key]) for key in first)
    other = tables(SampleMarket(seed=8, hours=0.25, assets=1))
    assert not any(first[key].equals(table) for key, table in other.items())


def test_a_shorter_or_narrower_sample_is_part_of_a_larger_one() -> None:
    """Fewer hours, assets or venues change nothing in what is left."""
    full = tables(SHORT)
    for part in (
        SampleMarket(seed=7, hours=0.1, assets=2),  # ends inside a block
        SampleMarket(seed=7, hours=0.25, assets=1, venues=("BYBIT",)),
    ):
        for key, table in tables(part).items():
            assert table.num_rows > 0
            assert full[key].slice(0, table.num_rows).equals(table)
            if table.num_rows < full[key].num_rows:
                assert full[key]["ts_event"][table.num_rows].as_py() >= part.end_ns


def test_each_market_publishes_what_its_venue_does() -> None:
    """Perps have everything, spot has trades and a book, MEXC's spot has trades alone."""
    everything = {Kind.TRADES, Kind.BOOK, Kind.MARKS, Kind.FUNDING, Kind.OPEN_INTEREST}
    kinds: dict[str, set[Kind]] = defaultdict(set)
    for name, kind in tables(SHORT):
        kinds[name].add(kind)
    assert len(kinds) == len(SHORT.specs()) == 12
    for spec in SHORT.specs():
        expected = everything if spec.market.kind is MarketKind.PERP else {Kind.TRADES, Kind.BOOK}
        if spec.market.venue == "MEXC_SPOT":
            expected = {Kind.TRADES}
            assert not spec.has_book
        assert kinds[spec.market.instrument_id] == expected


def test_marks_come_every_second_and_funding_and_open_interest_every_minute() -> None:
    """A quarter of an hour has 900 marks and 15 of each of the others, evenly spaced."""
    for kind, step, count in ((Kind.MARKS, 1_000_000_000, 900), (Kind.FUNDING, MINUTE_NS, 15)):
        for _, table in kinds_of(SHORT, kind):
            assert table.num_rows == count
            assert set(np.diff(table["ts_event"].to_numpy())) == {step}
    for _, table in kinds_of(SHORT, Kind.OPEN_INTEREST):
        assert table.num_rows == 15
        assert pc.min(table["value"]).as_py() > 0


def test_funding_points_at_the_next_settlement() -> None:
    """Before 08:00 the next settlement is 08:00, from then on 16:00; the interval is eight hours."""
    eight = SHORT.start_ns + 8 * HOUR_NS
    for _, table in kinds_of(ODD_START, Kind.FUNDING):
        assert set(table["interval_minutes"].to_pylist()) == {480}
        assert pc.max(pc.abs(table["rate"])).as_py() < Decimal("0.005")
        for row in table.to_pylist():
            expected = eight if row["ts_event"] < eight else eight + 8 * HOUR_NS
            assert row["next_funding_ns"] == expected


def test_open_interest_moves_no_more_than_was_traded() -> None:
    """Between two reports the change is at most the volume between them."""
    market = tables(SHORT)
    for spec, table in kinds_of(SHORT, Kind.OPEN_INTEREST):
        trades = market[spec.market.instrument_id, Kind.TRADES]
        times = trades["ts_event"].to_numpy()
        sizes = trades["size"].to_pylist()
        for before, after in pairwise(table.to_pylist()):
            low, high = np.searchsorted(times, [before["ts_event"], after["ts_event"]], side="right")
            assert abs(after["value"] - before["value"]) <= sum(sizes[low:high])


def test_volumes_of_rows_are_those_planned() -> None:
    """About 2.5 frames a second on perps and 1 on spot, 3 to 12 rows a frame, and busier trading on larger markets."""
    seconds = SHORT.hours * 3600
    trades = {spec.market.instrument_id: table.num_rows for spec, table in kinds_of(SHORT, Kind.TRADES)}
    assert trades["BTCUSDT-PERP.BINANCE"] > trades["BTCUSDT-LINEAR.BYBIT"] > trades["BTCUSDT.MEXC_SPOT"] > 0
    for spec, table in kinds_of(SHORT, Kind.BOOK):
        count = pc.count_distinct(table["sequence"]).as_py()
        assert 0.8 < count / seconds / (2.5 if spec.is_perp else 1.0) < 1.6
        assert 3 < table.num_rows / count < 12


def test_venues_agree_on_the_price_within_a_basis() -> None:
    """Marks of one asset's perps stay within 10 bps of each other, and all markets near where they opened."""
    marks = {spec.market.venue: table["value"] for spec, table in kinds_of(ODD_START, Kind.MARKS)}
    base = np.asarray(marks.pop("BINANCE").cast(pa.float64()))
    assert np.abs(np.diff(np.log(base))).max() > 0
    for values in marks.values():
        assert np.abs(np.log(np.asarray(values.cast(pa.float64())) / base)).max() < 1e-3
    for spec, table in kinds_of(SHORT, Kind.TRADES):
        assert abs(table["price"][0].as_py() / spec.opening_price - 1) < Decimal("0.02")


@given(st.lists(st.integers(-(2**62), 2**62), max_size=20), st.integers(0, 16))
def test_units_become_exact_decimals(units: list[int], places: int) -> None:
    """Signs and all digits survive; the type is the catalog's."""
    array = decimals_from_units(np.array(units, dtype=np.int64), places)
    assert array.type == DECIMAL
    assert array.to_pylist() == [Decimal(unit).scaleb(-places) for unit in units]


def test_places_beyond_the_catalogs_are_refused() -> None:
    """Seventeen decimals cannot be stored exactly, so they are an error that names them."""
    with pytest.raises(ValueError, match="places is 17"):
        decimals_from_units(np.array([1]), 17)


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [("0.1", 930001, "93000.1"), ("0.00001", 14800, "0.148"), ("0.5", 3, "1.5"), ("25", 4, "100"), ("1E+1", 7, "70")],
)
def test_counts_on_a_grid(step: str, count: int, expected: str) -> None:
    """A count times its step, also for steps that are no power of ten."""
    assert decimals_on_grid(np.array([count]), Decimal(step)).to_pylist() == [Decimal(expected)]


def test_arrivals_keep_their_order_across_blocks() -> None:
    """Events a nanosecond apart arrive in order whatever their latencies, and the numbering goes on."""
    arrivals = Arrivals(latency_seconds=0.005)
    rng = np.random.default_rng(0)
    first, numbers = arrivals.take(rng, np.arange(1000, 1500))
    none, _ = arrivals.take(rng, np.empty(0, np.int64))
    second, more = arrivals.take(rng, np.arange(1500, 2000))
    assert none.size == 0
    assert (np.diff(np.concatenate((first, second))) > 0).all()
    assert np.concatenate((numbers, more)).tolist() == list(range(1, 1001))


def test_progress_counts_blocks_of_markets() -> None:
    """A quarter of an hour of one asset is two blocks of six markets."""
    seen: list[tuple[int, int]] = []
    for _ in SampleMarket(seed=1, hours=0.25, assets=1).chunks(lambda _, done, total: seen.append((done, total))):
        pass
    assert seen == [(done, 12) for done in range(1, 13)]


def test_assets_go_on_after_the_known_ones() -> None:
    """The eleventh asset is invented, and every instrument id of a large universe is its own."""
    specs = SampleMarket(seed=1, hours=1, assets=14).specs()
    assert [spec.asset for spec in specs[-6:]] == ["ALT14"] * 6
    assert len({spec.market.instrument_id for spec in specs}) == len(specs) == 84


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hours": 0.0}, "hours is 0.0"),
        ({"hours": float("nan")}, "hours is nan"),
        ({"assets": 0}, "assets is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"start_ns": 1}, "start_ns is 1"),
        ({"start_ns": LATEST_NS}, "end by 2200"),
        ({"venues": ("OKX",)}, "OKX"),
        ({"venues": ()}, "choose from BINANCE, BYBIT, MEXC"),
        ({"edge": -0.5}, "edge is -0.5"),
        ({"edge": 11.0}, "at most 10"),
        ({"edge": float("nan")}, "edge is nan"),
    ],
)
def test_arguments_that_make_no_market_are_refused(changes: dict[str, Any], message: str) -> None:
    """The error shows the value and what to give instead."""
    with pytest.raises(ValueError, match=message):
        SampleMarket(**({"seed": 1, "hours": 1.0, "assets": 1} | changes))
