"""Bybit's dumps of order books."""

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.bybit_book import BybitBook
from catalog.tables import ADD, ASK, BID, CLEAR, DELETE, F_LAST, F_SNAPSHOT, UPDATE

DATA = Path(__file__).parents[3].parent / "shared" / "data"
MS = 1_733_011_200_691
READER = BybitBook("linear", "XRPUSDT")
type Levels = list[list[str]]


def message(
    kind: str, update: int, bids: Levels, asks: Levels, after_ms: int = 0, symbol: str = "XRPUSDT", **more: object
) -> str:
    data = {"s": symbol, "b": bids, "a": asks, "u": update, "seq": 1}
    frame = {"topic": f"orderbook.500.{symbol}", "type": kind, "ts": MS + after_ms, "data": data}
    return json.dumps(frame | {"cts": MS + after_ms - 2} | more)


def read(
    folder: Path, *files: list[str], on_gap: OnGap = OnGap.REFUSE
) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    paths = []
    for number, lines in enumerate(files):
        paths.append(folder / f"{number}.zip")
        with zipfile.ZipFile(paths[-1], "w") as archive:
            archive.writestr("book.data", "\n".join(lines))
    log = AnomalyLog(on_gap)
    rows = [row for chunk in READER.read(paths, log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def sketch(rows: list[dict[str, Any]]) -> list[tuple[int, int, str, int]]:
    return [(row["action"], row["side"], f"{row['price'].normalize():f}", row["sequence"]) for row in rows]


SNAPSHOT = message("snapshot", 10, [["1.5", "7"]], [["1.6", "8"]])
SEEDED = [(CLEAR, 0, "0", 10), (ADD, BID, "1.5", 10), (ADD, ASK, "1.6", 10)]


def test_snapshot_and_delta(tmp_path: Path) -> None:
    """A snapshot clears and adds, a delta updates, and deletes at size zero; ts is pushed, cts matched."""
    rows, found = read(tmp_path, [SNAPSHOT, message("delta", 11, [["1.5", "0"]], [["1.6", "9"]], 100)])
    assert not found
    assert sketch(rows) == [*SEEDED, (DELETE, BID, "1.5", 11), (UPDATE, ASK, "1.6", 11)]
    assert [row["flags"] for row in rows] == [F_SNAPSHOT, F_SNAPSHOT, F_SNAPSHOT | F_LAST, 0, F_LAST]
    assert (rows[0]["ts_init"], rows[0]["ts_event"]) == (MS * 1_000_000, (MS - 2) * 1_000_000)
    assert rows[4]["size"] == Decimal(9)
    assert [row["line"] for row in rows] == [1, 1, 1, 2, 2]


def test_without_cts_the_push_time_is_all_there_is(tmp_path: Path) -> None:
    """Early files have no cts."""
    frame = json.loads(SNAPSHOT)
    del frame["cts"]
    rows, _ = read(tmp_path, [json.dumps(frame)])
    assert rows[0]["ts_event"] == rows[0]["ts_init"] == MS * 1_000_000


def test_a_gap_clears_the_book_until_the_next_snapshot(tmp_path: Path) -> None:
    """u 11 is missing: a lone CLEAR, deltas left out and counted, then the new snapshot."""
    lines = [
        SNAPSHOT,
        message("delta", 12, [["1.4", "1"]], [], 1),
        message("delta", 13, [["1.3", "1"]], [], 2),
        message("snapshot", 20, [["1.2", "1"]], [], 3),
    ]
    rows, found = read(tmp_path, lines, on_gap=OnGap.RESYNC)
    assert sketch(rows) == [*SEEDED, (CLEAR, 0, "0", 12), (CLEAR, 0, "0", 20), (ADD, BID, "1.2", 20)]
    assert found == [(Kind.GAP, 2), (Kind.SKIPPED, None)]


def test_update_id_one_is_a_snapshot(tmp_path: Path) -> None:
    """After a restart of the service ids begin anew, whatever the type says."""
    rows, found = read(tmp_path, [SNAPSHOT, message("delta", 1, [["1.1", "1"]], [], 1)])
    assert not found
    assert sketch(rows)[3:] == [(CLEAR, 0, "0", 1), (ADD, BID, "1.1", 1)]


def test_the_chain_goes_on_over_files(tmp_path: Path) -> None:
    """The second file continues the first."""
    rows, found = read(tmp_path, [SNAPSHOT], [message("delta", 11, [["1.4", "1"]], [], 1)])
    assert not found
    assert len(rows) == 4


def test_deltas_before_any_snapshot_are_counted(tmp_path: Path) -> None:
    """Without a snapshot there is no book, and that is told."""
    rows, found = read(tmp_path, [message("delta", 5, [["1.4", "1"]], [])])
    assert not rows
    assert found == [(Kind.SKIPPED, None), (Kind.UNSEEDED_BOOK, None)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (message("delta", 10, [], [["1.6", "1"]], 1), Kind.DUPLICATE),
        (SNAPSHOT, Kind.DUPLICATE),
        (message("delta", 11, [], [["1.6", "1"]], -1), Kind.TIME_BACKWARDS),
        (message("delta", 11, [], [["1.6", "1"]], 1, symbol="BTCUSDT"), Kind.WRONG_SYMBOL),
        (message("delta", 11, [], [["1.6", "1"]], 1, cts=MS - 400_000), Kind.BAD_VALUE),
        (message("delta", 11, [], [["1.6", "1"]], ts=0), Kind.BAD_VALUE),
        (message("delta", 11, [], [["1.6", "1"]], ts=MS * 1000), Kind.MALFORMED),
        (message("update", 11, [], [["1.6", "1"]], 1), Kind.MALFORMED),
        (message("delta", 11, [], [["1.6"]], 1), Kind.MALFORMED),
        (message("delta", 11, [], [["1.6", "x"]], 1), Kind.MALFORMED),
        (message("delta", 11, [], [["-1.6", "1"]], 1), Kind.BAD_VALUE),
        ('{"topic":"orderbook.500.XRPUSDT"}', Kind.MALFORMED),
        ("[]", Kind.MALFORMED),
    ],
)
def test_what_is_wrong_with_a_message(tmp_path: Path, line: str, kind: Kind) -> None:
    """The message is left out and its line named."""
    rows, found = read(tmp_path, [SNAPSHOT, line, ""])
    assert found == [(kind, 2)]
    assert sketch(rows) == SEEDED


def test_a_file_cut_inside_a_message_is_truncated(tmp_path: Path) -> None:
    """Half a message at the end."""
    _, found = read(tmp_path, [SNAPSHOT, SNAPSHOT[:40]])
    assert found == [(Kind.TRUNCATED, 2)]


def test_pushed_before_matched_is_a_clock_finding(tmp_path: Path) -> None:
    """Told once a file."""
    _, found = read(tmp_path, [message("snapshot", 10, [["1.5", "7"]], [], cts=MS + 5)])
    assert found == [(Kind.CLOCK_SKEW, None)]


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
def test_a_real_file_has_no_findings() -> None:
    """One snapshot of 500 levels a side and 49 deltas with contiguous update ids."""
    log = AnomalyLog()
    path = DATA / "wire_samples" / "xrpusdt-ob500.data.zip"
    rows = [row for chunk in READER.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    assert not log.counts
    snapshot = [row for row in rows if row["line"] == 1]
    assert [row["side"] for row in snapshot] == [0] + [BID] * 500 + [ASK] * 500
    assert (snapshot[1]["price"], snapshot[1]["size"]) == (Decimal("1.9531"), Decimal(6203))
    first = 20_254_869
    assert sorted({row["sequence"] for row in rows}) == list(range(first, first + 50))
    assert sum(row["flags"] & F_LAST > 0 for row in rows) == 50
    assert rows[0]["ts_event"] == 1_733_011_200_589_000_000
