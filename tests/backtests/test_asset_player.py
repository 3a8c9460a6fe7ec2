from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtests.asset_player import AssetPlayer, AssetTask
from backtests.bulk import Plan
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.state_fields import state_fields
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import ADD, BID, BUYER, CLEAR, F_LAST, NO_AGGRESSOR, SELLER, Chunk, Kind
from strategies.flow.groups import FEATURES, asset_dtype
from tests.backtests.conftest import MIDNIGHT_S, T0, book, chunk, ns, trades, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
OTHER = Market("BYBIT", MarketKind.PERP, "BTCUSDT")
SPOT = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT")
S = 1_000_000  # microseconds
AT = {f.name: k for k, f in enumerate(FEATURES)}


@pytest.fixture
def profile(lively: Path) -> Profile:
    """Warm within two seconds, and a snapshot every second."""
    base = load_profile(lively)
    return base.model_copy(update={"flow": base.flow.model_copy(update={"scan_seconds": 1})})


def task(catalog: Catalog, profile: Profile, start_ns: int = EVERYTHING[0], end_ns: int = EVERYTHING[1]) -> AssetTask:
    """The only piece of work that BTC makes."""
    (only,) = Plan.of(catalog, profile, start_ns, end_ns, ["BTC"]).tasks
    return only


def seconds(ts: Sequence[int]) -> list[float]:
    """Times as seconds after T0."""
    return [(t - T0) / 1e9 for t in ts]


def played(work: AssetTask, **settings: Any) -> tuple[list[float], np.ndarray]:
    """All snapshots: their seconds, and their values."""
    parts = list(AssetPlayer(work, **settings).snapshots())
    values = np.concatenate([values for _, values in parts]) if parts else np.empty((0, len(FEATURES)))
    return seconds([t for ts, _ in parts for t in ts.tolist()]), values


def column(values: np.ndarray, name: str) -> list[float]:
    return values[:, AT[name]].tolist()


def a_book(sizes: Sequence[int], levels: Sequence[tuple[str, str]] = ()) -> Chunk:
    """A bid of 99.9 that has one of `sizes` each second, an ask of 100.1 of one unit, and further bids."""
    frames = [(300_000, "snapshot", [("99.9", str(sizes[0])), *levels], [("100.1", "1")])]
    frames += [(k * S + 300_000, "diff", [("99.9", str(size))], []) for k, size in enumerate(sizes[1:], 1)]
    return book(frames)


def prints(count: int, *, first: int = 0, sides: Sequence[int] = ()) -> Chunk:
    """A print of one unit in the middle of each second, of buyers unless said otherwise."""
    return trades([(first + k) * S + 500_000 for k in range(count)], sides, price="100.1", size="1")


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_books_and_trades_up_to_each_second_are_in_its_snapshot(tmp_path: Path, profile: Profile) -> None:
    """Price and depth are of the book as it stood then, CVD of the prints so far; none without a taker counts."""
    sides = [BUYER, BUYER, SELLER, BUYER, NO_AGGRESSOR, BUYER]
    catalog = write_catalog(tmp_path, {PERP: [a_book([1, 2, 3, 4, 5, 6]), prints(6, sides=sides)]})
    times, values = played(task(catalog, profile))
    # warm when the book was sampled at 1 and 2 and two seconds of flow are covered; the last event is at 5.5
    assert times == [2, 3, 4, 5]
    assert column(values, "price") == [100.0] * 4
    assert column(values, "cvd_perp") == [2, 1, 2, 2]
    # 25 bps of the mid are 0.25: both best levels are inside
    assert column(values, "bid_depth_far") == [2, 3, 4, 5]
    assert column(values, "ask_depth_far") == [1] * 4


def test_an_event_at_a_whole_second_belongs_to_the_next_sample(tmp_path: Path, profile: Profile) -> None:
    """Its slot puts it after the timer of that second, as in the engine."""
    whole = trades([0, S, 2 * S, 3 * S, 4 * S])
    times, values = played(task(write_catalog(tmp_path, {PERP: [a_book([1] * 5), whole]}), profile))
    assert times == [2, 3, 4]
    assert column(values, "cvd_perp") == [2, 3, 4]


def test_marks_funding_and_open_interest_find_their_market(tmp_path: Path, profile: Profile) -> None:
    """Each is seen from the first sample after it, the open interest of both perps together."""
    series = {
        PERP: [
            a_book([1] * 6),
            prints(6),
            chunk(Kind.MARKS, {"value": ["101.000"]}, [3 * S + 1]),
            chunk(
                Kind.FUNDING,
                {"rate": ["-0.0003"], "interval_minutes": [480], "next_funding_ns": [ns(65 * S)]},
                [2 * S + 1],
            ),
            chunk(Kind.OPEN_INTEREST, {"value": ["70"]}, [2 * S + 2]),
        ],
        OTHER: [chunk(Kind.OPEN_INTEREST, {"value": ["30"]}, [4 * S + 2]), prints(6)],
    }
    times, values = played(task(write_catalog(tmp_path, series), profile))
    assert times == [2, 3, 4, 5]
    np.testing.assert_equal(column(values, "funding_rate"), [np.nan, -0.0003, -0.0003, -0.0003])
    np.testing.assert_equal(column(values, "time_to_funding_s"), [np.nan, 62, 61, 60])
    np.testing.assert_equal(column(values, "open_interest"), [np.nan, 70, 70, 100])
    premium = (101.0 - 100.0) / 100.0 * 1e4
    np.testing.assert_allclose(column(values, "mark_premium_bps"), [np.nan, np.nan, premium, premium])


def test_markets_that_are_silent_in_the_span_change_nothing(tmp_path: Path, profile: Profile) -> None:
    """Spot and a second perp have data, but not here: their features are missing, the others as if they were not."""
    lead = [a_book([1] * 8), prints(8)]
    later = {SPOT: [prints(3, first=20)], OTHER: [a_book([7]), prints(3, first=20)]}
    alone = task(write_catalog(tmp_path / "alone", {PERP: lead}), profile)
    both = task(write_catalog(tmp_path / "both", {PERP: lead} | later), profile, ns(S // 2), ns(7 * S))
    assert {series.market for series in both.series} == {0}
    times, values = played(both)
    assert times[-1] == 7
    assert np.isnan(column(values, "cvd_spot")).all()
    known = dict(zip(*played(replace(alone, start_ns=ns(S // 2), span=both.span)), strict=True))
    assert values.tobytes() == np.array([known[t] for t in times]).tobytes()


def test_an_asset_without_any_data_has_no_snapshot(tmp_path: Path, profile: Profile) -> None:
    """Others may have data in the span: the clock runs, and nothing is ever warm."""
    work = replace(task(write_catalog(tmp_path, {PERP: [a_book([1] * 5), prints(5)]}), profile), series=())
    assert work.rows() == 0
    assert played(work)[0] == []
    assert list(AssetPlayer(work, trace=[0]).traces()) == []


def test_a_start_inside_of_a_book_knows_its_levels(tmp_path: Path, profile: Profile) -> None:
    """The level that was last touched before the start counts, and those rows are not counted as read."""
    catalog = write_catalog(tmp_path, {PERP: [a_book([1] * 9, [("99.8", "5")]), prints(9)]})
    told: list[tuple[int, int]] = []
    work = task(catalog, profile, ns(3 * S))
    times, values = played(work, on_rows=lambda done, total: told.append((done, total)))
    assert times == [5, 6, 7, 8]
    assert column(values, "bid_depth_far") == [6] * 4
    # six frames of one level and six prints from 3 s on
    assert work.rows() == told[-1][0] == 12
    assert {total for _, total in told} == {12}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] >= 0


def test_a_trace_is_what_the_kernels_held(tmp_path: Path, profile: Profile) -> None:
    """From the first sample on, before there are snapshots: sizes of the bid, CVD, and how many samples there were."""
    catalog = write_catalog(tmp_path, {PERP: [a_book([1, 2, 3, 4, 5]), prints(5)]})
    known = state_fields(asset_dtype(profile.flow))
    fields = [known[name] for name in ("markets[0].cvd.delta", "samples", "markets[0].bid_depth[2]")]
    (part,) = AssetPlayer(task(catalog, profile), trace=[f.word for f in fields], trace_ns=2 * 10**9).traces()
    assert seconds(part[0].tolist()) == [2, 4]
    assert [part[1][:, k].copy().view(f.dtype).tolist() for k, f in enumerate(fields)] == [[2, 4], [2, 4], [2, 4]]


# -- sizes that must not matter ----------------------------------------------------------------------------------------


def set_sizes(monkeypatch: pytest.MonkeyPatch, *, batch: int, out: int, levels: int) -> None:
    for module in ("series_rows", "asset_player"):
        monkeypatch.setattr(f"backtests.{module}.BATCH_ROWS", batch)
    monkeypatch.setattr("backtests.asset_player.OUT_ROWS", out)
    monkeypatch.setattr("backtests.asset_player.LADDER_LEVELS", levels)


@pytest.mark.parametrize(("batch", "out", "levels"), [(1, 1, 1), (2, 3, 2), (7, 10_000, 5), (100, 2, 64)])
@pytest.mark.parametrize("start_ns", [EVERYTHING[0], ns((MIDNIGHT_S - 12) * S + 345_678)], ids=["whole", "part"])
def test_results_do_not_depend_on_how_much_is_held(
    midnight: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch, batch: int, out: int, levels: int, start_ns: int
) -> None:
    """Rows read at once, snapshots held, levels at first: every bit of every snapshot and trace is the same."""
    work = task(Catalog(midnight), profile, start_ns)
    words = [field.word for name, field in state_fields(asset_dtype(profile.flow)).items() if name.startswith("mark")]
    expected = played(work)
    traced = list(AssetPlayer(work, trace=words, trace_ns=10**9).traces())
    set_sizes(monkeypatch, batch=batch, out=out, levels=levels)
    found = played(work)
    assert found[0] == expected[0]
    assert len(found[0]) > 30
    assert found[1].tobytes() == expected[1].tobytes()
    parts = list(AssetPlayer(work, trace=words, trace_ns=10**9).traces())
    for k in range(2):
        assert np.concatenate([p[k] for p in parts]).tobytes() == np.concatenate([p[k] for p in traced]).tobytes()
    assert len(found[0]) < sum(len(p[0]) for p in parts)


@pytest.mark.parametrize("out", [1, 3, 4, 5])
def test_output_comes_in_batches(tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch, out: int) -> None:
    """No batch is longer than there is room, and what was handed out is not overwritten by the next."""
    catalog = write_catalog(tmp_path, {PERP: [a_book([1] * 10), prints(10)]})
    set_sizes(monkeypatch, batch=10, out=out, levels=10)
    parts = list(AssetPlayer(task(catalog, profile)).snapshots())
    assert [len(ts) for ts, _ in parts] == [out] * (8 // out) + [8 % out] * (8 % out > 0)
    assert seconds([t for ts, _ in parts for t in ts.tolist()]) == list(range(2, 10))
    assert [row for _, values in parts for row in column(values, "cvd_perp")] == list(range(2, 10))


def test_a_ladder_grows_with_its_book(tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty levels find room where there was room for one, and none is lost on the way."""
    levels = [(f"{99.9 - k / 10:.1f}", "1") for k in range(1, 40)]
    catalog = write_catalog(tmp_path, {PERP: [a_book([1] * 6, levels), prints(6)], OTHER: [a_book([1] * 6)]})
    set_sizes(monkeypatch, batch=1_000, out=100, levels=1)
    player = AssetPlayer(task(catalog, profile))
    (part,) = player.snapshots()
    # 25 bps of 100 are 0.25: the levels 99.9 and 99.8 of the lead, 99.9 of the other
    assert column(part[1], "bid_depth_far") == [3.0] * 4
    assert int(player._counts[0, 0]) == 40


def test_a_second_of_more_rows_than_are_read_at_once(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of prints within one sample, in batches of ten, are all in it; so are those that share a time."""
    crowd = sorted([2 * S + 10 + k // 3 for k in range(3_000)] + [k * S + 500_000 for k in range(6)])
    catalog = write_catalog(tmp_path, {PERP: [a_book([1] * 6), trades(crowd)]})
    set_sizes(monkeypatch, batch=10, out=100, levels=10)
    times, values = played(task(catalog, profile))
    assert times == [2, 3, 4, 5]
    assert column(values, "cvd_perp") == [2, 3_003, 3_004, 3_005]


# -- damage ------------------------------------------------------------------------------------------------------------


def damaged(root: Path, *, us: int, action: int, side: int) -> Catalog:
    """A market whose book has a row of that action and side among good ones."""
    times = [300_000, 300_000, 1_300_000, us, 9_300_000]
    rows = {
        "action": [CLEAR, ADD, ADD, action, ADD],
        "side": [0, BID, 2, side, BID],
        "price": ["0", "99.9", "100.1", "99.5", "99.9"],
        "size": ["0", "1", "1", "2.5", "1"],
        "flags": [0, F_LAST, F_LAST, F_LAST, F_LAST],
        "sequence": list(range(5)),
    }
    return write_catalog(root, {OTHER: [a_book([1] * 10), prints(10)], PERP: [chunk(Kind.BOOK, rows, times)]})


@pytest.mark.parametrize(("action", "side"), [(0, BID), (5, BID), (ADD, 0), (ADD, 3), (ADD, 5), (255, 255), (CLEAR, 7)])
@pytest.mark.parametrize("batch", [1, 1_000])
def test_a_row_that_is_none_is_an_error(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch, action: int, side: int, batch: int
) -> None:
    """The error names the market, the row, its time and the remedy; what no action or side is passes for no other."""
    set_sizes(monkeypatch, batch=batch, out=100, levels=10)
    work = task(damaged(tmp_path, us=3_300_000, action=action, side=side), profile)
    with pytest.raises(CatalogError) as caught:
        played(work)
    assert str(caught.value) == (
        f"BTCUSDT-PERP.BINANCE: action {action}, side {side}, price 995, size 2500 (units) "
        "at 2023-11-14 22:13:23.300000 is no row of a book: the catalog is damaged, ingest it anew"
    )


def test_damage_before_the_start_is_an_error_of_the_catalog_too(tmp_path: Path, profile: Profile) -> None:
    """The book at the start is rebuilt from its rows: the error names the file."""
    work = task(damaged(tmp_path, us=3_300_000, action=9, side=BID), profile, ns(5 * S))
    with pytest.raises(CatalogError, match=r"BTCUSDT-PERP\.BINANCE.*\.parquet: .*action 9.*ingest it anew"):
        played(work)


def test_a_book_that_was_never_finished_is_an_error(tmp_path: Path, profile: Profile) -> None:
    """Half a frame at the end: nothing is computed off it in silence."""
    row = {"action": [ADD], "side": [BID], "price": ["99.9"], "size": ["1"], "flags": [0], "sequence": [1]}
    catalog = write_catalog(tmp_path, {PERP: [chunk(Kind.BOOK, row, [300_000]), prints(5)]})
    with pytest.raises(CatalogError, match="the book's last frame has no end"):
        played(task(catalog, profile))
