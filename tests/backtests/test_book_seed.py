from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import BookType, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId

from backtests.book_seed import book_at
from backtests.market_data import MarketData
from catalog.markets import Market, MarketKind
from catalog.tables import Kind
from tests.backtests.conftest import book, ns, random_book, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
NAME = PERP.instrument_id


def levels(order_book: OrderBook) -> list[list[tuple[str, str]]]:
    """Both sides as texts, best first."""
    return [[(str(x.price), f"{x.size():.3f}") for x in side] for side in (order_book.bids(), order_book.asks())]


def empty_book() -> OrderBook:
    return OrderBook(InstrumentId.from_str(NAME), BookType.L2_MBP)


def written(root: Path, frames: list) -> Path:
    catalog = write_catalog(root, {PERP: [book(frames)]})
    return root / next(s.path for s in catalog.ledger.series() if s.kind == Kind.BOOK)


def test_by_hand(tmp_path: Path) -> None:
    """After a level was changed, one deleted and one added, the snapshot has what is left, best first, at the time."""
    path = written(
        tmp_path,
        [
            (10, "snapshot", [("99.9", "1"), ("99.8", "2")], [("100.1", "3")]),
            (20, "diff", [("99.9", "0"), ("99.8", "5")], [("100.2", "4")]),
            (30, "diff", [("99.8", "9")], []),
        ],
    )
    frame = book_at(path, NAME, ns(30))
    assert frame is not None
    assert [(str(d.order.price), str(d.order.size)) for d in frame.deltas[1:]] == [
        ("99.8", "5.000"),
        ("100.1", "3.000"),
        ("100.2", "4.000"),
    ]
    assert frame.deltas[0].is_clear
    assert {d.ts_init for d in frame.deltas} == {frame.ts_init}
    # at the microsecond of the start, in the series' own slot
    assert frame.ts_init // 1_000 == ns(30) // 1_000
    assert frame.ts_init % 1_000 != 0
    last = [bool(d.flags & RecordFlag.F_LAST) for d in frame.deltas]
    assert last == [False] * 3 + [True]


def test_before_the_first_row_there_is_no_book(tmp_path: Path) -> None:
    """Nothing came yet: None, and not an empty frame."""
    path = written(tmp_path, [(10, "snapshot", [("99.9", "1")], [("100.1", "3")])])
    assert book_at(path, NAME, ns(10)) is None
    assert book_at(path, NAME, ns(11)) is not None


def test_a_book_that_was_emptied_is_none(tmp_path: Path) -> None:
    """All levels were deleted: there is nothing to give."""
    frames = [(10, "snapshot", [("99.9", "1")], [("100.1", "3")]), (20, "diff", [("99.9", "0")], [("100.1", "0")])]
    assert book_at(written(tmp_path, frames), NAME, ns(21)) is None


def test_without_a_snapshot_the_file_counts_from_its_beginning(tmp_path: Path) -> None:
    """A recording that never had a snapshot gives what its diffs have said."""
    frame = book_at(written(tmp_path, [(10, "diff", [("99.9", "1")], []), (20, "diff", [], [])][:1]), NAME, ns(20))
    assert frame is not None
    assert len(frame.deltas) == 2


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 3_500), min_size=5, max_size=5))
def test_equals_a_book_that_saw_everything(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, seed: int, cuts: list[int]
) -> None:
    """At any time the snapshot leads to the same levels as all frames before it, however the file is cut in groups."""
    monkeypatch.setattr("catalog.store.ROW_GROUP", 64)
    root = tmp_path_factory.mktemp("random")
    frames = random_book(seed, 120)
    catalog = write_catalog(root, {PERP: [book(frames)]})
    path = root / catalog.ledger.series()[0].path
    events = [event for chunk in MarketData(catalog, (NAME,)).events() for event in chunk]
    for cut in cuts:
        full, seeded = empty_book(), empty_book()
        for event in events:
            if event.ts_init < ns(cut):
                full.apply_deltas(event)
        frame = book_at(path, NAME, ns(cut))
        if frame is not None:
            seeded.apply_deltas(frame)
        assert levels(seeded) == levels(full)
