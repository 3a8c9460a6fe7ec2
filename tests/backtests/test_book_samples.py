"""A market's book at given times, straight from its files."""

from pathlib import Path

import numpy as np
import pytest

from backtests.book_samples import book_samples
from catalog.markets import Market, MarketKind
from catalog.tables import Kind
from indicators.sides import ASK, BID
from tests.backtests.conftest import book, ns, random_book, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")

type Levels = tuple[list[tuple[int, float]], list[tuple[int, float]]]


def files(root: Path, frames: list) -> list[Path]:
    catalog = write_catalog(root, {PERP: [book(frames)]})
    return [root / s.path for s in catalog.ledger.series() if s.kind == Kind.BOOK]


def seen(paths: list[Path], times: list[int]) -> list[Levels]:
    out: list[Levels] = []
    for _, ladder in book_samples(paths, np.array(times, np.int64)):
        bids, asks = ([*zip(*(side.tolist() for side in ladder.levels(code)), strict=True)] for code in (BID, ASK))
        out.append((bids, asks))
    return out


FRAMES = [
    (10, "snapshot", [("99.9", "1"), ("99.8", "2")], [("100.1", "3")]),
    (20, "diff", [("99.9", "0")], [("100.2", "4")]),
    (30, "diff", [("99.8", "5")], []),
]


def test_by_hand(tmp_path: Path) -> None:
    """Nothing before the snapshot; prices in tenths and sizes in thousandths after each frame; the last one stays."""
    after = [
        ([], []),
        ([(999, 1000.0), (998, 2000.0)], [(1001, 3000.0)]),
        ([(998, 2000.0)], [(1001, 3000.0), (1002, 4000.0)]),
        ([(998, 5000.0)], [(1001, 3000.0), (1002, 4000.0)]),
    ]
    assert seen(files(tmp_path, FRAMES), [ns(us) for us in (9, 15, 25, 35)]) == after
    assert seen(files(tmp_path / "late", FRAMES), [ns(99)]) == after[-1:]


def test_the_same_time_twice(tmp_path: Path) -> None:
    """Asking twice changes nothing."""
    once, again = seen(files(tmp_path, FRAMES), [ns(25), ns(25)])
    assert once == again


@pytest.mark.parametrize("seed", range(3))
def test_any_time_alone_or_among_others(tmp_path: Path, seed: int) -> None:
    """The book at a time does not depend on what other times were asked for."""
    paths = files(tmp_path, random_book(seed, 200))
    times = np.sort(np.random.default_rng(seed).integers(ns(0), ns(4_000), 40)).tolist()
    assert seen(paths, times) == [seen(paths, [time])[0] for time in times]
