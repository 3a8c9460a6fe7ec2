"""What rested where, as a picture."""

from pathlib import Path

import numpy as np

from backtests.depth_map import COLUMNS, REACH_BPS, ROWS, depth_map
from catalog.markets import Market, MarketKind
from catalog.tables import Kind
from tests.backtests.conftest import book, ns, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")


def paths_of(root: Path, frames: list) -> list[Path]:
    catalog = write_catalog(root, {PERP: [book(frames)]})
    return [root / s.path for s in catalog.ledger.series() if s.kind == Kind.BOOK]


def test_a_size_lies_in_the_bucket_of_its_price(tmp_path: Path) -> None:
    """7 at 99.85 and 9 at 100.2 around a mid of 100; a bucket in sight where nothing rests holds 0."""
    bids, asks = [("99.9", "1"), ("99.8", "7"), ("99.5", "1")], [("100.1", "2"), ("100.2", "9"), ("100.5", "1")]
    frames = [(1_000, "snapshot", bids, asks), (2_000, "diff", [("99.9", "3")], [])]
    found = depth_map(paths_of(tmp_path, frames), ns(0), ns(2_001))
    assert found is not None
    assert found.size.shape == (len(found.edges) - 1, COLUMNS)
    assert len(found.edges) - 1 <= ROWS

    def at(price: float, column: int) -> float:
        return float(found.size[np.searchsorted(found.edges, price) - 1, column])

    # thousandths
    assert (at(99.8, -1), at(100.2, -1), at(99.9, -1), at(99.9, -2)) == (7_000, 9_000, 3_000, 1_000)
    assert at(99.95, -1) == 0.0
    assert (found.bid[-1], found.ask[-1]) == (99.9, 100.1)


def test_what_was_not_known_is_missing(tmp_path: Path) -> None:
    """Before the snapshot, beyond the reach and beyond the last level there is NaN."""
    levels = [("99.9", "1"), ("99.8", "7"), ("90.0", "1")], [("100.1", "2"), ("100.2", "9")]
    found = depth_map(paths_of(tmp_path, [(1_000, "snapshot", *levels)]), ns(0), ns(2_000))
    assert found is not None
    assert np.isnan(found.size[:, 0]).all()
    assert np.isnan(found.bid[0])
    assert found.edges[0] >= 100.0 * (1 - REACH_BPS / 1e4) - 1e-6
    assert np.isnan(found.size[found.edges[:-1] > 100.2, -1]).all()


def test_no_book_no_picture(tmp_path: Path) -> None:
    """A book that never has two sides gives none."""
    assert depth_map(paths_of(tmp_path, [(1_000, "snapshot", [("99.9", "1")], [])]), ns(0), ns(2_000)) is None
