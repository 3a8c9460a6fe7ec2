"""Incremental order books of Tardis.dev."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats import tardis_book
from catalog.formats.csv_blocks import read_blocks
from catalog.formats.tardis_book import TardisBook
from catalog.tables import ADD, ASK, BID, CLEAR, DELETE, F_LAST, F_SNAPSHOT, UPDATE

HEADER = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
US = 1_598_918_403_000_000
READER = TardisBook("BTCUSDT", "binance-futures")


def level(at: int, snapshot: bool, side: str, price: str, amount: str, latency: int = 300) -> str:
    times = f"{US + at},{US + at + latency}"
    return f"binance-futures,BTCUSDT,{times},{str(snapshot).lower()},{side},{price},{amount}\n"


def read(folder: Path, *texts: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.csv")
        files[-1].write_text(HEADER + text)
    log = AnomalyLog()
    rows = [row for chunk in READER.read(files, log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def sketch(rows: list[dict[str, Any]]) -> list[tuple[int, int, str, int, int, int]]:
    return [
        (row["action"], row["side"], f"{row['price'].normalize():f}", row["flags"], row["sequence"], row["line"])
        for row in rows
    ]


SNAPSHOT = level(0, True, "bid", "10", "1") + level(0, True, "ask", "11.5", "2")
SEEDED = [
    (CLEAR, 0, "0", F_SNAPSHOT, 1, 2),
    (ADD, BID, "10", F_SNAPSHOT, 1, 2),
    (ADD, ASK, "11.5", F_SNAPSHOT | F_LAST, 1, 2),
]


def test_rows_of_one_message_are_one_frame(tmp_path: Path) -> None:
    """A snapshot clears and adds; of a diff, amount zero deletes; the last row of a frame is flagged."""
    diffs = level(5, False, "bid", "10", "0") + level(5, False, "bid", "9", "3") + level(6, False, "ask", "12", "1")
    rows, found = read(tmp_path, SNAPSHOT + diffs)
    assert not found
    assert sketch(rows) == [
        *SEEDED,
        (DELETE, BID, "10", 0, 2, 4),
        (UPDATE, BID, "9", F_LAST, 2, 4),
        (UPDATE, ASK, "12", F_LAST, 3, 6),
    ]
    assert {(row["ts_event"], row["ts_init"]) for row in rows[:3]} == {(US * 1000, (US + 300) * 1000)}


def test_a_later_snapshot_discards_the_book(tmp_path: Path) -> None:
    """Also when it follows another snapshot."""
    rows, found = read(tmp_path, SNAPSHOT + level(5, True, "bid", "9", "1") + level(6, False, "bid", "8", "1"))
    assert not found
    assert [row["action"] for row in rows] == [CLEAR, ADD, ADD, CLEAR, ADD, UPDATE]
    assert [row["sequence"] for row in rows] == [1, 1, 1, 2, 2, 3]


def test_levels_before_the_first_snapshot_are_counted(tmp_path: Path) -> None:
    """They change a book that is not known."""
    rows, found = read(tmp_path, level(-5, False, "bid", "10", "1") + SNAPSHOT)
    assert [row["action"] for row in rows] == [CLEAR, ADD, ADD]
    assert found == [(Kind.SKIPPED, None)]


def test_a_stream_without_snapshot_gives_no_book(tmp_path: Path) -> None:
    """And that is told."""
    rows, found = read(tmp_path, level(0, False, "bid", "10", "1"))
    assert not rows
    assert found == [(Kind.SKIPPED, None), (Kind.UNSEEDED_BOOK, None)]


def test_the_book_goes_on_over_files(tmp_path: Path) -> None:
    """The frame number and the seed are those of the stream."""
    rows, found = read(tmp_path, SNAPSHOT, level(7, False, "ask", "12", "1"))
    assert not found
    assert sketch(rows) == [*SEEDED, (UPDATE, ASK, "12", F_LAST, 2, 2)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (level(5, False, "bid", "0", "1"), Kind.BAD_VALUE),
        (level(5, False, "bid", "9", "-1"), Kind.BAD_VALUE),
        (level(5, True, "bid", "9", "0"), Kind.BAD_VALUE),
        (level(5, False, "buy", "9", "1"), Kind.BAD_VALUE),
        (level(5, False, "bid", "", "1"), Kind.MALFORMED),
        (level(-5, False, "bid", "9", "1"), Kind.TIME_BACKWARDS),
        (level(5, False, "bid", "9", "1").replace("BTCUSDT", "ETHUSDT"), Kind.WRONG_SYMBOL),
        (level(5, False, "bid", "9", "1").replace("false", "no"), Kind.BAD_VALUE),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The level is left out and its line named."""
    rows, found = read(tmp_path, SNAPSHOT + line)
    assert sketch(rows) == SEEDED
    assert found == [(kind, 4)]


@settings(deadline=None, max_examples=30)
@given(
    messages=st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=12),
    block_bytes=st.integers(1, 700),
)
def test_frames_do_not_depend_on_blocks(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[bool, int]], block_bytes: int
) -> None:
    """However the file is cut into blocks, a message is one frame with all its levels."""
    text = SNAPSHOT
    for number, (snapshot, levels) in enumerate(messages, 1):
        text += "".join(level(number, snapshot, "bid", str(i), "1") for i in range(1, levels + 1))
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tardis_book, "read_blocks", partial(read_blocks, block_bytes=block_bytes))
        rows, found = read(folder, text)
    assert not found
    sizes = [3] + [levels + snapshot for snapshot, levels in messages]
    assert [row["sequence"] for row in rows] == [n for n, size in enumerate(sizes, 1) for _ in range(size)]
    assert [k for k, row in enumerate(rows, 1) if row["flags"] & F_LAST] == [
        sum(sizes[:n]) for n in range(1, len(sizes) + 1)
    ]
