"""Order book frames as rows."""

from decimal import Decimal

import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.frames import BookFrames, read_decimals
from catalog.formats.level_kernel import LevelReader
from catalog.tables import ADD, ASK, BID, CLEAR, DELETE, F_LAST, F_SNAPSHOT, NO_SIDE, UPDATE

AT = {"sequence": 7, "ts_event": 1, "ts_init": 2, "line": 3}


def rows(frames: BookFrames) -> list[tuple[int, int, str, str, int]]:
    table = frames.take().table
    return [
        (r["action"], r["side"], str(r["price"].normalize()), str(r["size"].normalize()), r["flags"])
        for r in table.to_pylist()
    ]


def test_snapshot_clears_and_adds() -> None:
    """CLEAR, bids, asks; all part of a snapshot, the last row ends the frame."""
    frames = BookFrames("f", AnomalyLog())
    frames.snapshot([["10", "1"], ["9", "2"]], [["11", "3"]], **AT)
    assert len(frames) == 4
    assert rows(frames) == [
        (CLEAR, NO_SIDE, "0", "0", F_SNAPSHOT),
        (ADD, BID, "1E+1", "1", F_SNAPSHOT),
        (ADD, BID, "9", "2", F_SNAPSHOT),
        (ADD, ASK, "11", "3", F_SNAPSHOT | F_LAST),
    ]
    assert len(frames) == 0


def test_diff_updates_and_deletes() -> None:
    """A size of zero deletes, also when written with decimals; times, sequence and line go on every row."""
    frames = BookFrames("f", AnomalyLog())
    frames.diff([["9.5", "0.000"]], [["11", "3"]], **AT)
    table = frames.take().table
    assert table["action"].to_pylist() == [DELETE, UPDATE]
    assert table["side"].to_pylist() == [BID, ASK]
    assert table["flags"].to_pylist() == [0, F_LAST]
    assert table.select(["sequence", "ts_event", "ts_init", "line"]).to_pylist() == [AT, AT]


def test_every_frame_ends_in_one_last_row() -> None:
    """Frames keep apart, even those of the same sequence."""
    frames = BookFrames("f", AnomalyLog())
    frames.diff([["1", "1"], ["2", "1"]], [], **AT)
    frames.diff([], [["3", "1"]], **AT)
    assert frames.take().table["flags"].to_pylist() == [0, F_LAST, F_LAST]


def test_empty_diff_adds_nothing_and_lone_clear_is_a_frame() -> None:
    """A diff without levels has no row to carry it; a CLEAR has one."""
    frames = BookFrames("f", AnomalyLog())
    frames.diff([], [], **AT)
    assert len(frames) == 0
    frames.clear(**AT)
    assert rows(frames) == [(CLEAR, NO_SIDE, "0", "0", F_LAST | F_SNAPSHOT)]


def test_empty_snapshot_is_a_clear() -> None:
    """An empty book is known to be empty."""
    frames = BookFrames("f", AnomalyLog())
    frames.snapshot([], [], **AT)
    assert rows(frames) == [(CLEAR, NO_SIDE, "0", "0", F_LAST | F_SNAPSHOT)]


def test_prices_are_exact() -> None:
    """All sixteen places and large prices survive."""
    frames = BookFrames("f", AnomalyLog())
    frames.diff([["123456789.0000000000000001", "0.0000000000000001"]], [], **AT)
    (row,) = frames.take().table.to_pylist()
    assert row["price"] == Decimal("123456789.0000000000000001")
    assert row["size"] == Decimal("0.0000000000000001")


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        (["-1", "1"], Kind.BAD_VALUE),
        (["0", "1"], Kind.BAD_VALUE),
        (["1", "-1"], Kind.BAD_VALUE),
        (["x", "1"], Kind.MALFORMED),
        (["1", "nan"], Kind.MALFORMED),
        ([1, "1"], Kind.MALFORMED),
        (["0.00000000000000001", "1"], Kind.MALFORMED),
    ],
)
def test_bad_levels_are_reported_and_left_out(level: list[str], kind: Kind) -> None:
    """The rest of the frame stays, and its last row still ends it."""
    log = AnomalyLog()
    frames = BookFrames("f", log)
    frames.diff([["5", "1"], level], [], **AT)
    table = frames.take().table
    assert table["price"].to_pylist() == [Decimal(5)]
    assert table["flags"].to_pylist() == [F_LAST]
    assert [(a.kind, a.line) for a in log.refused] == [(kind, 3)]


def test_snapshot_level_of_size_zero_is_bad() -> None:
    """There is nothing to delete in a book that is given whole."""
    log = AnomalyLog()
    frames = BookFrames("f", log)
    frames.snapshot([["5", "0"]], [], **AT)
    assert frames.take().table.num_rows == 1
    assert [a.kind for a in log.refused] == [Kind.BAD_VALUE]


@pytest.mark.parametrize("levels", [[["1"]], [["1", "2", "3"]], [5], ["123"]])
def test_a_level_must_be_a_pair(levels: list[list[str]]) -> None:
    """Anything else would shift prices against sizes."""
    frames = BookFrames("f", AnomalyLog())
    with pytest.raises(ValueError, match="pairs"):
        frames.diff(levels, [], **AT)
    assert len(frames) == 0


def test_levels_that_came_as_numbers_stand_among_texts() -> None:
    """Rows keep the order of the frames, whichever way their levels came, and a bad text is still told by its line."""
    cut = LevelReader().cut(b'{"u":1,"b":[["10","1"],["9","0.0"]],"a":[["11","2"]]}')
    assert cut is not None
    log = AnomalyLog()
    frames = BookFrames("f", log)
    frames.clear(**AT)
    frames.diff(cut.bids, cut.asks, **AT)
    frames.diff([["8", "1"], ["x", "1"]], cut.asks, **(AT | {"line": 4}))
    frames.diff(cut.bids[:0], cut.asks[:0], **AT)
    assert len(frames) == 6 + 1
    assert rows(frames) == [
        (CLEAR, NO_SIDE, "0", "0", F_SNAPSHOT | F_LAST),
        (UPDATE, BID, "1E+1", "1", 0),
        (DELETE, BID, "9", "0", 0),
        (UPDATE, ASK, "11", "2", F_LAST),
        (UPDATE, BID, "8", "1", 0),
        (UPDATE, ASK, "11", "2", F_LAST),
    ]
    assert [(a.kind, a.line) for a in log.refused] == [(Kind.MALFORMED, 4)]


def test_read_decimals_names_the_unreadable() -> None:
    """Positions of texts that are no numbers come apart from the values."""
    values, unreadable = read_decimals(["1.5", "", "2"])
    assert unreadable == [1]
    assert values.to_pylist() == [Decimal("1.5"), Decimal(0), Decimal(2)]
