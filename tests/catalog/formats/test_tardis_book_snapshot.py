"""Book snapshots of Tardis.dev."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.tardis_book_snapshot import TardisBookSnapshot
from catalog.tables import ADD, ASK, BID, CLEAR, F_LAST, F_SNAPSHOT

DATA = Path(__file__).parents[3].parent / "shared" / "data"
LEVELS = ",".join(f"asks[{i}].price,asks[{i}].amount,bids[{i}].price,bids[{i}].amount" for i in range(2))
HEADER = f"exchange,symbol,timestamp,local_timestamp,{LEVELS}\n"
US = 1_598_918_403_000_000
READER = TardisBookSnapshot("BTCUSDT", "binance-futures")


def snapshot(levels: str, at: int = 0) -> str:
    return f"binance-futures,BTCUSDT,{US + at},{US + at + 300},{levels}\n"


def read(folder: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "book.csv"
    path.write_text(text)
    log = AnomalyLog()
    rows = [row for chunk in READER.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def sketch(rows: list[dict[str, Any]]) -> list[tuple[int, int, str, str, int, int]]:
    return [
        (
            row["action"],
            row["side"],
            f"{row['price'].normalize():f}",
            f"{row['size'].normalize():f}",
            row["flags"],
            row["sequence"],
        )
        for row in rows
    ]


FULL = snapshot("11,1,10,2,12,3,9.5,4")
FIRST = [
    (CLEAR, 0, "0", "0", F_SNAPSHOT, 1),
    (ADD, BID, "10", "2", F_SNAPSHOT, 1),
    (ADD, BID, "9.5", "4", F_SNAPSHOT, 1),
    (ADD, ASK, "11", "1", F_SNAPSHOT, 1),
    (ADD, ASK, "12", "3", F_SNAPSHOT | F_LAST, 1),
]


def test_every_row_is_a_whole_book(tmp_path: Path) -> None:
    """CLEAR, bids from the best, asks from the best."""
    rows, found = read(tmp_path, HEADER + FULL + snapshot("11,1,10,2,12,3,9.5,4", 5))
    assert not found
    assert sketch(rows) == [*FIRST, *((*row[:-1], 2) for row in FIRST)]
    assert {(row["ts_event"], row["ts_init"], row["line"]) for row in rows[:5]} == {(US * 1000, (US + 300) * 1000, 2)}


def test_absent_levels_are_no_rows(tmp_path: Path) -> None:
    """A thin side has fewer levels, an empty book is a lone CLEAR."""
    rows, found = read(tmp_path, HEADER + snapshot(",,10,2,,,,") + snapshot(",,,,,,,", 1))
    assert not found
    assert sketch(rows) == [
        (CLEAR, 0, "0", "0", F_SNAPSHOT, 1),
        (ADD, BID, "10", "2", F_SNAPSHOT | F_LAST, 1),
        (CLEAR, 0, "0", "0", F_SNAPSHOT | F_LAST, 2),
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (snapshot("11,,10,2,12,3,9,4", 1), Kind.MALFORMED),
        (snapshot("11,x,10,2,12,3,9,4", 1), Kind.MALFORMED),
        (snapshot("11,0,10,2,12,3,9,4", 1), Kind.BAD_VALUE),
        (snapshot("11,1,-10,2,12,3,9,4", 1), Kind.BAD_VALUE),
        (snapshot("11,1,10,2,12,3,9,4", -1), Kind.TIME_BACKWARDS),
        (FULL.replace("BTCUSDT", "ETHUSDT"), Kind.WRONG_SYMBOL),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The whole frame is left out and its line named."""
    rows, found = read(tmp_path, HEADER + FULL + line)
    assert sketch(rows) == FIRST
    assert found == [(kind, 3)]


def test_a_header_with_a_hole_is_malformed(tmp_path: Path) -> None:
    """A level must have all four columns."""
    _, found = read(tmp_path, HEADER.replace("bids[1].amount", "bids[1].size") + FULL)
    assert found == [(Kind.MALFORMED, 1)]


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
@pytest.mark.parametrize("depth", [5, 25])
def test_real_files_have_no_findings(depth: int) -> None:
    """Ten full snapshots each; the number of levels is told by the header."""
    log = AnomalyLog()
    path = DATA / "tardis_csv_2020" / f"binance-futures_book_snapshot_{depth}_BTCUSDT.csv"
    rows = [row for chunk in READER.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    assert not log.counts
    assert [row["side"] for row in rows] == ([0] + [BID] * depth + [ASK] * depth) * 10
    assert (rows[1]["price"], rows[1]["size"]) == (Decimal("11657.07"), Decimal("10.896"))
    assert (rows[1 + depth]["price"], rows[1 + depth]["size"]) == (Decimal("11657.08"), Decimal("1.714"))
