"""Diffs and snapshots of Binance as the frames that a live node would have applied."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from catalog.anomalies import AnomalyLog, OnGap
from catalog.anomalies import Kind as Anomaly
from catalog.formats import binance_book
from catalog.formats.binance_book import BinanceBook, Diff, Snapshot
from catalog.formats.sequence import BinanceFuturesSequence
from catalog.tables import CLEAR, F_LAST, SCHEMAS, Chunk, Kind

MS = 1_000_000


def diff(ms: int, first: int, final: int, previous: int) -> Diff:
    """Received at `ms`."""
    return Diff("f", ms, first, final, previous, ms * MS, ms * MS, [["10", "1"]], [])


def snapshot(ms: int, last_update_id: int) -> Snapshot:
    return Snapshot("f", ms, last_update_id, ms * MS, ms * MS, [["9", "5"]], [["11", "5"]])


def feed(
    events: Sequence[Diff | Snapshot], on_gap: OnGap = OnGap.REFUSE
) -> tuple[list[tuple[str, int, int]], AnomalyLog]:
    """The frames as (kind, sequence, ms), and what was found."""
    log = AnomalyLog(on_gap)
    ready: list[Chunk] = []
    book = BinanceBook(BinanceFuturesSequence(), log, ready)
    for event in events:
        if isinstance(event, Diff):
            book.diff(event)
        else:
            book.snapshot(event)
    book.finish()
    book.end_file("f")
    table = pa.concat_tables([SCHEMAS[Kind.BOOK].empty_table(), *(chunk.table for chunk in ready)])
    found = []
    actions: list[int] = []
    for row in table.to_pylist():
        actions.append(row["action"])
        if row["flags"] & F_LAST:
            kind = "diff" if actions[0] != CLEAR else "clear" if len(actions) == 1 else "snapshot"
            found.append((kind, row["sequence"], row["ts_init"] // MS))
            actions = []
    return found, log


def refused(log: AnomalyLog) -> list[tuple[Anomaly, int | None]]:
    return [(a.kind, a.line) for a in log.refused]


def told(log: AnomalyLog) -> list[str]:
    return [f"{a.kind}: {a.message}" for a in log.tolerated]


def test_diffs_older_than_the_snapshot_may_come_after_it() -> None:
    """A diff stream slower than REST: the rule drops u < lastUpdateId there too."""
    found, log = feed([snapshot(1, 7), diff(2, 1, 6, 0), diff(3, 7, 9, 6)])
    assert found == [("snapshot", 7, 1), ("diff", 9, 3)]
    assert told(log) == ["skipped: 1 diffs older than the snapshot"]


def test_a_diff_that_cannot_be_read_has_not_been_seen() -> None:
    """There is a gap before the next one, unless nothing was known before."""
    log = AnomalyLog()
    ready: list[Chunk] = []
    book = BinanceBook(BinanceFuturesSequence(), log, ready)
    unreadable = [["10"]]
    for line, event in enumerate([diff(1, 1, 5, 0), diff(2, 6, 9, 5), diff(3, 10, 12, 9), diff(4, 13, 14, 12)], 1):
        if line % 2:
            with pytest.raises(ValueError, match="pairs"):
                book.diff(event._replace(bids=unreadable))
        else:
            book.diff(event)
    book.finish()
    book.end_file("f")
    assert refused(log) == [(Anomaly.GAP, 4)]


def test_tolerated_gap_clears_the_book_until_the_next_snapshot() -> None:
    """A lone CLEAR at the gap; the diffs after it wait for the snapshot as at the start."""
    events: list[Diff | Snapshot] = [
        snapshot(0, 5),
        diff(1, 6, 7, 5),
        diff(2, 10, 12, 9),
        diff(3, 13, 14, 12),
        snapshot(4, 13),
    ]
    found, log = feed([*events, diff(5, 15, 16, 14)], on_gap=OnGap.RESYNC)
    assert found == [
        ("snapshot", 5, 0),
        ("diff", 7, 1),
        ("clear", 9, 2),
        ("snapshot", 13, 4),
        ("diff", 14, 4),
        ("diff", 16, 5),
    ]
    log.raise_if_refused()
    assert log.counts[Anomaly.GAP] == 1


def test_diffs_after_a_gap_without_a_snapshot_are_counted() -> None:
    """Nothing is lost silently."""
    events: list[Diff | Snapshot] = [snapshot(0, 5), diff(2, 10, 12, 9), diff(3, 13, 14, 12)]
    found, log = feed(events, on_gap=OnGap.RESYNC)
    assert found == [("snapshot", 5, 0), ("clear", 9, 2)]
    assert "skipped: 2 diffs after a gap without a snapshot" in told(log)


def test_a_second_gap_before_the_snapshot_starts_the_wait_anew() -> None:
    """Only the unbroken end of the chain can join the snapshot."""
    events: list[Diff | Snapshot] = [snapshot(0, 5), diff(1, 10, 12, 9), diff(2, 20, 22, 19), snapshot(3, 21)]
    found, log = feed(events, on_gap=OnGap.RESYNC)
    assert found == [("snapshot", 5, 0), ("clear", 9, 1), ("snapshot", 21, 3), ("diff", 22, 3)]
    assert log.counts[Anomaly.GAP] == 2


def test_duplicate_diff() -> None:
    """The same ids twice are refused and not applied twice."""
    found, log = feed([snapshot(0, 5), diff(1, 6, 7, 5), diff(2, 6, 7, 5), diff(3, 8, 9, 7)])
    assert refused(log) == [(Anomaly.DUPLICATE, 2)]
    assert len(found) == 3


def test_without_a_snapshot_the_diffs_are_kept() -> None:
    """A lone CLEAR at the first diff, every diff at its own time, and UNSEEDED_BOOK once."""
    found, log = feed([diff(1, 1, 5, 0), diff(2, 6, 9, 5)])
    assert found == [("clear", 0, 1), ("diff", 5, 1), ("diff", 9, 2)]
    assert log.counts == {Anomaly.UNSEEDED_BOOK: 1}


def test_chain_is_checked_while_unseeded() -> None:
    """A gap among held diffs is a gap; the unseeded book begins anew there."""
    events: list[Diff | Snapshot] = [diff(1, 1, 5, 0), diff(2, 8, 9, 7), diff(3, 10, 11, 9)]
    found, log = feed(events, on_gap=OnGap.RESYNC)
    assert found == [
        ("clear", 0, 1),
        ("diff", 5, 1),
        ("clear", 7, 2),
        ("diff", 9, 2),
        ("diff", 11, 3),
    ]
    assert (log.counts[Anomaly.GAP], log.counts[Anomaly.UNSEEDED_BOOK]) == (1, 1)


def test_late_snapshot_seeds_an_unseeded_book() -> None:
    """After a minute the diffs are let go; a snapshot that comes then carries on with what it does not hold."""
    events: list[Diff | Snapshot] = [
        diff(0, 1, 5, 0),
        diff(61_000, 6, 9, 5),
        diff(61_001, 10, 12, 9),
        snapshot(61_002, 10),
    ]
    found, log = feed([*events, diff(61_003, 13, 14, 12)])
    assert found == [
        ("clear", 0, 0),
        ("diff", 5, 0),
        ("diff", 9, 61_000),
        ("diff", 12, 61_001),
        ("snapshot", 10, 61_002),
        ("diff", 12, 61_002),  # again: the snapshot is older than it
        ("diff", 14, 61_003),
    ]
    assert log.counts == {Anomaly.UNSEEDED_BOOK: 1}


def test_held_diffs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More diffs than the limit are let go without waiting for a minute."""
    monkeypatch.setattr(binance_book, "BUFFER_DIFFS", 2)
    found, log = feed([*(diff(i, i, i, i - 1) for i in range(1, 6)), snapshot(6, 5)])
    kinds = [kind for kind, *_ in found]
    assert kinds == ["clear", *["diff"] * 5, "snapshot", "diff"]
    assert log.counts == {Anomaly.UNSEEDED_BOOK: 1}


def test_snapshot_older_than_the_held_diffs_is_of_no_use() -> None:
    """The venue says to ask again; the next one that joins is taken."""
    found, log = feed([diff(1, 10, 12, 9), snapshot(2, 5), snapshot(3, 11)])
    assert found == [("snapshot", 11, 3), ("diff", 12, 3)]
    assert not log.refused
    assert any("1 snapshots older" in text for text in told(log))


def test_polled_snapshots() -> None:
    """While the book is known an older snapshot is passed over, one that is ahead restarts it."""
    events: list[Diff | Snapshot] = [
        snapshot(0, 5),
        diff(1, 6, 9, 5),
        snapshot(2, 8),
        diff(3, 10, 12, 9),
        snapshot(4, 15),
    ]
    found, log = feed([*events, diff(5, 13, 14, 12), diff(6, 15, 16, 14)])
    assert found == [
        ("snapshot", 5, 0),
        ("diff", 9, 1),
        ("diff", 12, 3),
        ("snapshot", 15, 4),
        ("diff", 16, 6),
    ]
    assert not log.refused
    assert "skipped: 1 diffs older than the snapshot" in told(log)
    assert any("1 snapshots older" in text for text in told(log))
