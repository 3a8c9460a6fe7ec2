"""A book that crosses is found at its line, however its rows are cut into chunks."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, OnGap
from catalog.anomalies import Kind as Anomaly
from catalog.book_continuity import BookContinuity
from catalog.tables import CLEAR, F_LAST, F_SNAPSHOT, SCHEMAS, Chunk, Kind
from tests.catalog.hand_made import Level, book

type Frame = tuple[str, Sequence[Level], Sequence[Level]]

SOUND: Frame = ("snapshot", [("100", "1"), ("99.5", "2")], [("100.5", "3"), ("101", "1")])
CROSSES: Frame = ("diff", [("99", "1"), ("101", "4")], [])
CROSSED_FRAMES: list[Frame] = [
    SOUND,  # line 1
    ("diff", [("100", "2")], []),
    CROSSES,  # line 3: best bid 101 at the asks 100.5 and 101
    ("diff", [("101", "0")], []),
    ("diff", [("98", "5")], []),
    SOUND,  # line 6
    ("diff", [], [("100.5", "1")]),
]


def check(chunks: Iterable[Chunk], on_gap: OnGap) -> tuple[pa.Table, AnomalyLog]:
    log = AnomalyLog(on_gap)
    continuity = BookContinuity(log)
    passed = [continuity.check(chunk).table for chunk in chunks]
    return pa.concat_tables([SCHEMAS[Kind.BOOK].empty_table(), *passed]), log


def cut(chunk: Chunk, at: Iterable[int]) -> list[Chunk]:
    edges = [0, *sorted(at), chunk.table.num_rows]
    return [Chunk(chunk.kind, chunk.table.slice(a, b - a), chunk.file) for a, b in pairwise(edges)]


def lines(table: pa.Table) -> list[int]:
    return table["line"].to_pylist()


@st.composite
def sound_books(draw: st.DrawFn) -> list[Frame]:
    """Frames whose bids are all below 100 and asks all above it."""

    def levels(low: int, high: int) -> list[Level]:
        prices = draw(st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True))
        return [(f"{price / 8}", draw(st.sampled_from(["0", "0.001", "7"]))) for price in prices]

    def whole(low: int, high: int) -> list[Level]:
        return [(price, size if size != "0" else "1") for price, size in levels(low, high)]

    frames: list[Frame] = [("snapshot", whole(700, 799), whole(801, 900))]
    for _ in range(draw(st.integers(0, 12))):
        if draw(st.booleans()):
            frames.append(("diff", levels(700, 799), levels(801, 900)))
        else:
            frames.append(("snapshot", whole(700, 799), whole(801, 900)))
    return frames


@settings(max_examples=60, deadline=None)
@given(sound_books(), st.data(), st.sampled_from(OnGap))
def test_a_sound_book_passes_unchanged(frames: list[Frame], data: st.DataObject, on_gap: OnGap) -> None:
    """Every row, in any chunking, also within a frame; nothing is reported."""
    chunk = book(frames)
    at = data.draw(st.lists(st.integers(0, chunk.table.num_rows), max_size=6))
    passed, log = check(cut(chunk, at), on_gap)
    assert passed.equals(chunk.table)
    assert not log.counts


@pytest.mark.parametrize("on_gap", OnGap)
@pytest.mark.parametrize("at", [(), (5,), (6,), (7,), (8,), (9,), tuple(range(18))])
def test_a_crossing_is_found_at_its_line(on_gap: OnGap, at: tuple[int, ...]) -> None:
    """Once, wherever the chunks begin: the frame of line 3 has rows 6 and 7."""
    _, log = check(cut(book(CROSSED_FRAMES), at), on_gap)
    (found,) = log.tolerated if on_gap is OnGap.RESYNC else log.refused
    assert (found.kind, found.file, found.line, found.ts) == (Anomaly.CROSSED_BOOK, "hand.csv", 3, 3_000)
    assert found.message == "best bid 101.0 is not below best ask 100.5 after update 30"


@pytest.mark.parametrize("at", [(), (6,), (8,), (9,), (10,)])
def test_resync_clears_and_starts_again_at_the_next_snapshot(at: tuple[int, ...]) -> None:
    """The crossing frame becomes a lone CLEAR of its time and id, its followers are left out up to line 6."""
    chunk = book(CROSSED_FRAMES)
    passed, _ = check(cut(chunk, at), OnGap.RESYNC)
    assert lines(passed) == [1] * 5 + [2] + [3] + [6] * 5 + [7]
    row = passed.to_pylist()[6]
    assert row == {
        "action": CLEAR,
        "side": 0,
        "price": 0,
        "size": 0,
        "flags": F_LAST | F_SNAPSHOT,
        "sequence": 30,
        "ts_event": 3_000,
        "ts_init": 3_000,
        "line": 3,
    }
    assert passed.slice(7).equals(chunk.table.slice(10))


def test_resync_without_another_snapshot_leaves_the_rest_out() -> None:
    """After the CLEAR nothing is known, in this chunk and in those that follow."""
    passed, log = check(cut(book(CROSSED_FRAMES[:5]), (9,)), OnGap.RESYNC)
    assert lines(passed) == [1] * 5 + [2, 3]
    assert log.counts == {Anomaly.CROSSED_BOOK: 1}


def test_a_snapshot_that_crosses_itself() -> None:
    """It is replaced as any other frame, and so is the next one if it is no better."""
    crossed: Frame = ("snapshot", [("100", "1")], [("100", "1")])
    passed, log = check([book([crossed, ("diff", [("1", "1")], []), crossed, SOUND])], OnGap.RESYNC)
    assert lines(passed) == [1, 3] + [4] * 5
    assert [(a.line, a.message[:40]) for a in log.tolerated] == [
        (1, "best bid 100.0 is not below best ask 100"),
        (3, "best bid 100.0 is not below best ask 100"),
    ]


def test_refusing_reports_each_fault_once() -> None:
    """The check begins anew at the next snapshot: a wrong book is one finding, two of them are two."""
    frames = [*CROSSED_FRAMES, CROSSES, ("diff", [("97", "1")], [])]
    _, log = check([book(frames)], OnGap.REFUSE)
    assert [a.line for a in log.refused] == [3, 8]


def test_a_book_may_cross_within_a_frame() -> None:
    """A message moves both sides; only after its last row is the book whole."""
    moved: Frame = ("diff", [("100.5", "1"), ("101", "1")], [("100.5", "0"), ("101", "0"), ("101.5", "2")])
    chunk = book([SOUND, moved])
    passed, log = check([chunk], OnGap.REFUSE)
    assert passed.equals(chunk.table)
    assert not log.refused


def test_one_sided_and_growing_books_are_no_crossings() -> None:
    """A side may be empty, and five thousand levels are as good as five."""
    deep = [(str(50_000 - n), "1") for n in range(5_000)]
    chunk = book([("snapshot", deep, []), ("diff", [], [("50001", "1")])])
    passed, log = check([chunk], OnGap.REFUSE)
    assert passed.num_rows == 5_002
    assert not log.refused


def test_prices_that_touch_in_the_eighth_decimal() -> None:
    """A tick of 1e-8 apart is not crossed; equal prices are."""
    apart: Frame = ("snapshot", [("0.00000123", "1")], [("0.00000124", "1")])
    _, log = check([book([apart])], OnGap.REFUSE)
    assert not log.refused
    _, log = check([book([apart, ("diff", [("0.00000124", "1")], [])])], OnGap.REFUSE)
    assert [a.message for a in log.refused] == ["best bid 1.24e-06 is not below best ask 1.24e-06 after update 20"]
