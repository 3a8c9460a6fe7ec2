from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from backtests.book_seed import book_state
from backtests.series_rows import SIDES, Rows, SeriesFile, chained_batches, seed_rows
from catalog.instruments import Definition
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.tables import (
    ADD,
    ASK,
    BID,
    BUYER,
    CLEAR,
    DELETE,
    F_LAST,
    NO_AGGRESSOR,
    NO_SIDE,
    SELLER,
    UPDATE,
    Chunk,
    Kind,
)
from tests.backtests.conftest import book, chunk, ns, random_book, trades, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
FRAMES = [
    (10, "snapshot", [("99.9", "1"), ("99.8", "2.5")], [("100.1", "0.001")]),
    (20, "diff", [("99.9", "0")], [("100.2", "4")]),
    (30, "diff", [("99.8", "9")], []),
]
CUT = (0, 2**63 - 1)

type Row = tuple[int, int, float, int]  # microsecond, whole, amount, code


def written(root: Path, one: Chunk, definition: Definition | None = None) -> Path:
    """The file of a chunk in a catalog that has nothing else, or of its next one."""
    catalog = write_catalog(root, {PERP: [one]}, {PERP: definition} if definition else None)
    return root / catalog.ledger.series()[-1].path


def rows(batches: Iterable[Rows]) -> list[Row]:
    """All rows with their microsecond after T0."""
    return [
        ((ts - ns(0)) // 1_000, whole, amount, code)
        for batch in batches
        for ts, whole, amount, code in zip(*(column.tolist() for column in batch), strict=True)
    ]


def read(path: Path, kind: Kind, start_ns: int = CUT[0], end_ns: int = CUT[1]) -> list[Row]:
    return rows(SeriesFile.of_span(path, kind, start_ns, end_ns).batches())


def test_a_book(tmp_path: Path) -> None:
    """Price and size in units of their last places; the code says action and side; a clear is of no side."""
    assert read(written(tmp_path, book(FRAMES)), Kind.BOOK) == [
        (10, 0, 0.0, SIDES * CLEAR + NO_SIDE),
        (10, 999, 1_000.0, SIDES * ADD + BID),
        (10, 998, 2_500.0, SIDES * ADD + BID),
        (10, 1_001, 1.0, SIDES * ADD + ASK),
        (20, 999, 0.0, SIDES * DELETE + BID),
        (20, 1_002, 4_000.0, SIDES * UPDATE + ASK),
        (30, 998, 9_000.0, SIDES * UPDATE + BID),
    ]


def test_codes_cannot_be_mistaken_for_one_another() -> None:
    """Whatever two bytes a damaged file has for action and side, no other two have their code."""
    assert len({SIDES * action + side for action in range(256) for side in range(256)}) == 256 * 256


def test_trades(tmp_path: Path) -> None:
    """The code is the taker's side, and prints without a taker are there to be left out by the kernel."""
    one = trades([10, 20, 20], [BUYER, SELLER, NO_AGGRESSOR], price="63943.9", size="0.012")
    assert read(written(tmp_path, one), Kind.TRADES) == [
        (10, 639_439, 12.0, 1),
        (20, 639_439, 12.0, 2),
        (20, 639_439, 12.0, 0),
    ]


def test_trades_of_a_market_without_places(tmp_path: Path) -> None:
    """Contracts are counted whole, and so is a price of whole quotes."""
    contracts = Definition("BTC", "USDT", Decimal(1), Decimal(1), Decimal("0.0001"))
    assert read(written(tmp_path, trades([10], price="63943", size="7"), contracts), Kind.TRADES) == [
        (10, 63_943, 7.0, 1)
    ]


def test_marks(tmp_path: Path) -> None:
    """A mark has more places than the tick, and is the double nearest to its decimal."""
    one = chunk(Kind.MARKS, {"value": ["100.05", "63943.12345679", "0.3"]}, [10, 20, 30])
    assert read(written(tmp_path, one), Kind.MARKS) == [
        (10, 0, 100.05, 0),
        (20, 0, 63943.12345679, 0),
        (30, 0, 0.3, 0),
    ]


def test_funding(tmp_path: Path) -> None:
    """The rate with its sign, and when it is due; 0 where the source does not say."""
    columns = {"rate": ["-0.0003", "0.0001"], "interval_minutes": [480, 0], "next_funding_ns": [ns(77), 0]}
    assert read(written(tmp_path, chunk(Kind.FUNDING, columns, [10, 20])), Kind.FUNDING) == [
        (10, ns(77), -0.0003, 0),
        (20, 0, 0.0001, 0),
    ]


def test_open_interest(tmp_path: Path) -> None:
    """The value as the venue counts."""
    one = chunk(Kind.OPEN_INTEREST, {"value": ["81234.567", "0"]}, [10, 20])
    assert read(written(tmp_path, one), Kind.OPEN_INTEREST) == [(10, 0, 81_234.567, 0), (20, 0, 0.0, 0)]


@pytest.mark.parametrize("kind", [Kind.TRADES, Kind.MARKS, Kind.FUNDING, Kind.OPEN_INTEREST, Kind.BOOK])
def test_a_span_cuts_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """From start to end, both included, over the edges of row groups and of batches."""
    monkeypatch.setattr("catalog.store.ROW_GROUP", 4)
    monkeypatch.setattr("backtests.series_rows.BATCH_ROWS", 3)
    times = [k // 2 * 10 for k in range(24)]
    count = len(times)
    chunks = {
        Kind.TRADES: trades(times),
        Kind.MARKS: chunk(Kind.MARKS, {"value": ["1"] * count}, times),
        Kind.FUNDING: chunk(
            Kind.FUNDING,
            {"rate": ["0"] * count, "interval_minutes": [0] * count, "next_funding_ns": [0] * count},
            times,
        ),
        Kind.OPEN_INTEREST: chunk(Kind.OPEN_INTEREST, {"value": ["1"] * count}, times),
        Kind.BOOK: book([(us, "diff", [("99.9", "1")], []) for us in times]),
    }
    path = written(tmp_path, chunks[kind])
    for first, last in ((0, 110), (20, 70), (30, 30), (25, 29), (105, 200), (-20, -10), (111, 200)):
        found = [us for us, *_ in read(path, kind, ns(first), ns(last) + 999)]
        assert found == [us for us in times if first <= us <= last]


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 1_000])
def test_the_size_of_a_batch_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Frames that end in another batch than they began in are no damage; no batch is longer than asked."""
    path = written(tmp_path, book(random_book(1, 60)))
    whole, part = (read(path, Kind.BOOK, *span) for span in (CUT, (ns(400), ns(900))))
    monkeypatch.setattr("backtests.series_rows.BATCH_ROWS", batch)
    batches = list(SeriesFile.of_span(path, Kind.BOOK, *CUT).batches())
    assert max(len(one.ts) for one in batches) == min(batch, len(whole))
    assert rows(batches) == whole
    assert read(path, Kind.BOOK, ns(400), ns(900)) == part
    assert 0 < len(part) < len(whole)


# -- frames without an end ---------------------------------------------------------------------------------------------


def unfinished(flags: list[int], times: list[int]) -> Chunk:
    count = len(times)
    columns = {"action": [ADD] * count, "side": [BID] * count, "price": ["99.9"] * count, "size": ["1"] * count}
    return chunk(Kind.BOOK, columns | {"flags": flags, "sequence": list(range(count))}, times)


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_book_whose_last_frame_has_no_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """A writer that died left half a frame: the error names the file and the remedy, after the whole rows."""
    monkeypatch.setattr("backtests.series_rows.BATCH_ROWS", batch)
    path = written(tmp_path, unfinished([F_LAST, 0, F_LAST, 0], [10, 20, 20, 30]))
    with pytest.raises(CatalogError, match=r"\.parquet: the book's last frame has no end.*ingest it anew"):
        read(path, Kind.BOOK)


def test_a_span_that_ends_before_the_damage_is_read(tmp_path: Path) -> None:
    """Half a frame after the end is nobody's concern."""
    path = written(tmp_path, unfinished([F_LAST, 0, F_LAST, 0], [10, 20, 20, 30]))
    assert [us for us, *_ in read(path, Kind.BOOK, ns(0), ns(29))] == [10, 20, 20]
    assert read(path, Kind.BOOK, ns(0), ns(9)) == []


# -- a start inside of a book ------------------------------------------------------------------------------------------


def test_a_seed_is_the_book_as_it_stood(tmp_path: Path) -> None:
    """Cleared, then every level of it, the bids first and each side best first, all at the time of the start."""
    state = book_state(written(tmp_path, book(FRAMES)), ns(30))
    assert state is not None
    assert rows([seed_rows(state)]) == [
        (30, 0, 0.0, SIDES * CLEAR + NO_SIDE),
        (30, 998, 2_500.0, SIDES * ADD + BID),
        (30, 1_001, 1.0, SIDES * ADD + ASK),
        (30, 1_002, 4_000.0, SIDES * ADD + ASK),
    ]


def test_files_follow_one_another_after_the_seed(tmp_path: Path) -> None:
    """The state at the start, the rest of the first file, and all of the next one."""
    first = written(tmp_path, book(FRAMES))
    second = written(tmp_path, book([(40, "diff", [("99.7", "3")], [])]))
    assert first != second
    state = book_state(first, ns(30))
    assert state is not None
    files = [SeriesFile.of_span(path, Kind.BOOK, ns(30), CUT[1]) for path in (first, second)]
    chained = list(chained_batches(seed_rows(state), files))
    assert [len(batch.ts) for batch in chained] == [4, 1, 1]
    assert rows(chained)[4:] == [(30, 998, 9_000.0, SIDES * UPDATE + BID), (40, 997, 3_000.0, SIDES * UPDATE + BID)]
    assert rows(chained_batches(None, files)) == rows(chained)[4:]


def test_columns_are_what_compiled_code_takes(tmp_path: Path) -> None:
    """int64 and doubles, for every kind and for a seed."""
    path = written(tmp_path, book(FRAMES))
    state = book_state(path, ns(30))
    assert state is not None
    for batch in [seed_rows(state), *SeriesFile.of_span(path, Kind.BOOK, *CUT).batches()]:
        assert [column.dtype for column in batch] == [np.int64, np.int64, np.float64, np.int64]
