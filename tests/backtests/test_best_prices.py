"""A market's best prices as they changed, straight from its files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests import best_prices as module
from backtests.best_prices import BestPrices, best_prices
from backtests.book_samples import book_samples
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.tables import Kind
from tests.backtests.conftest import book, ns, random_book, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
FRAMES = [
    (10, "snapshot", [("99.9", "1"), ("99.8", "2")], [("100.1", "3")]),
    (20, "diff", [("99.7", "5")], []),
    (30, "diff", [("99.9", "0")], [("100.0", "4")]),
    (40, "diff", [], [("100.0", "0"), ("100.1", "0")]),
]
"""The best prices change at 10, 30 and 40, when the asks are gone."""

type Row = tuple[int, float, float]


def files(root: Path, frames: list) -> list[Path]:
    catalog = write_catalog(root, {PERP: [book(frames)]})
    return [root / s.path for s in catalog.ledger.series() if s.kind == Kind.BOOK]


def rewrite(path: Path, table: pa.Table, **options: int) -> None:
    """Put other rows into a file of the catalog, or the same ones in other groups."""
    meta = pq.read_metadata(path).metadata
    kept = {key: value for key, value in meta.items() if not key.startswith(b"ARROW")}
    pq.write_table(table.replace_schema_metadata(kept), path, **options)


def rows(prices: BestPrices) -> list[Row]:
    """Microsecond, bid and ask; 0 for none."""
    us = [(ts - ns(0)) // 1_000 for ts in prices.ts.tolist()]
    return list(zip(us, np.nan_to_num(prices.bid).tolist(), np.nan_to_num(prices.ask).tolist(), strict=True))


def test_every_change_by_hand(tmp_path: Path) -> None:
    """What stood at the start, then the changes; a diff behind the best price is none, a lost side has no price."""
    windows = [(ns(15), ns(35)), (ns(0), ns(99)), (ns(31), ns(32)), (ns(50), ns(60))]
    found = [rows(prices) for prices in best_prices(files(tmp_path, FRAMES), windows)]
    assert found == [
        [(15, 99.9, 100.1), (30, 99.8, 100.0)],
        [(0, 0, 0), (10, 99.9, 100.1), (30, 99.8, 100.0), (40, 99.8, 0)],
        [(31, 99.8, 100.0)],
        [(50, 99.8, 0)],
    ]


def test_no_window_and_no_file(tmp_path: Path) -> None:
    """Nothing is asked: nothing is read. A market without files has no price at any time."""
    assert best_prices(files(tmp_path, FRAMES), []) == []
    assert rows(best_prices([], [(ns(1), ns(2))])[0]) == [(1, 0, 0)]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_book_at_any_time(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several row groups and files, with room for a single level at first: the mid is that of the sampled book."""
    monkeypatch.setattr(module, "CAPACITY", 1)
    frames = random_book(seed, 300)
    last = frames[-1][0]
    paths = [*files(tmp_path / "one", frames), *files(tmp_path / "two", random_book(seed + 10, 100, last + 10))]
    for path in paths:
        rewrite(path, pq.read_table(path), row_group_size=97)
    times = np.sort(np.random.default_rng(seed).integers(ns(0), ns(2 * last), 60))
    windows = [(int(first), int(first) + 400_000) for first in times]
    prices = best_prices(paths, windows)
    for number, (_, ladder) in enumerate(book_samples(paths, times)):
        bid, ask = ladder.best()
        mid = float("nan") if bid is None or ask is None else (bid / 10 + ask / 10) / 2
        assert prices[number].mid(int(times[number])) == pytest.approx(mid, nan_ok=True)
    for number, (_, ladder) in enumerate(book_samples(paths, np.array([end for _, end in windows]))):
        bid, ask = ladder.best()
        assert rows(prices[number])[-1][1:] == ((bid or 0) / 10, (ask or 0) / 10)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A row of no side stops it, with the file and what to do."""
    (path,) = files(tmp_path, FRAMES)
    table = pq.read_table(path)
    sides = table.column("side").to_numpy().copy()
    sides[1] = 7
    rewrite(path, table.set_column(table.column_names.index("side"), table.schema.field("side"), [sides]))
    with pytest.raises(CatalogError, match=r"order_book_deltas.*ingest it anew"):
        best_prices([path], [(ns(0), ns(99))])


def test_the_mid_before_the_first_price_is_not_known() -> None:
    """Missing is not zero."""
    prices = BestPrices(np.array([10, 20]), np.array([99.0, np.nan]), np.array([101.0, 101.0]))
    assert prices.mid(10) == prices.mid(19) == 100.0
    assert np.isnan(prices.mid(9))
    assert np.isnan(prices.mid(20))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=200), st.integers(1, 20))
def test_thinning_keeps_the_extremes(quotes: list[tuple[int, int]], buckets: int) -> None:
    """Few rows are kept, in their order, among them the first, the last and the extremes of both sides."""
    ts = np.arange(len(quotes)) * 7
    bid, ask = np.array(quotes, float).T
    thin = BestPrices(ts, bid, ask).thinned(buckets)
    assert len(thin) <= max(4 * buckets + 2, 4 * buckets)
    assert thin.ts.tolist() == sorted(set(thin.ts.tolist()) & set(ts.tolist()))
    assert (thin.ts[0], thin.ts[-1]) == (ts[0], ts[-1])
    for whole, kept in ((bid, thin.bid), (ask, thin.ask)):
        assert (kept.min(), kept.max()) == (whole.min(), whole.max())
    assert [(b, a) for b, a in zip(thin.bid, thin.ask, strict=True)] == [quotes[t // 7] for t in thin.ts.tolist()]


def test_sides_that_are_empty_are_no_extremes() -> None:
    """A stretch without any bid keeps its asks."""
    ts = np.arange(40)
    ask = np.arange(40.0)
    thin = BestPrices(ts, np.full(40, np.nan), ask).thinned(2)
    assert thin.ask.tolist() == [0.0, 19.0, 20.0, 39.0]
