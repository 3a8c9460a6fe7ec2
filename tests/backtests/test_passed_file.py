"""The file of setups that were not taken: written in batches, read group by group."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtests import passed_file
from backtests.passed_file import PASSED_SCHEMA, PassedFileError, PassedWriter, read_passed, reasons_by_asset
from strategies.candidates import Passed, Why, why_not

SCANS = [
    [
        Passed("BTC", 1, 5, "BINANCE", Why.COST, "dear"),
        Passed("BTC", 1, 5, "BYBIT", Why.COST, "dear too"),
        Passed("BTC", 1, 5, "MEXC", Why.STALE, "old"),
        Passed("ETH", -1, 5, None, Why.PROBABILITY, "0.4 is below 0.6"),
    ],
    [],
    [Passed("BTC", 1, 10, "BINANCE", Why.COST, "dear"), Passed("BTC", -1, 10, None, Why.BUSY, "cooldown")],
]


def written(path: Path) -> Path:
    with PassedWriter(path) as writer:
        for passed in SCANS:
            writer.add(passed)
    return path


def test_rows_by_hand(tmp_path: Path) -> None:
    """A row a setup and venue, sides as words; no venue is null, not a name."""
    rows = [row for group in read_passed(written(tmp_path / "passed.parquet")) for row in group.to_pylist()]
    assert len(rows) == 6
    assert rows[0] == {
        "ts": 5, "asset": "BTC", "side": "long", "venue": "BINANCE", "why": "cost", "detail": "dear"
    }  # fmt: skip
    assert (rows[3]["side"], rows[3]["venue"]) == ("short", None)


def test_groups_end_between_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of three is written with the fourth row of its scan, while the run goes on."""
    monkeypatch.setattr(passed_file, "BATCH_ROWS", 3)
    path = written(tmp_path / "passed.parquet")
    assert [group.num_rows for group in read_passed(path)] == [4, 2]


def test_reasons_are_counted_as_the_strategy_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setup that failed on two venues for one reason counts once: by asset, and as `why_not` in sum."""
    monkeypatch.setattr(passed_file, "BATCH_ROWS", 2)
    found = reasons_by_asset(written(tmp_path / "passed.parquet"))
    assert found == {"BTC": {Why.COST: 2, Why.STALE: 1, Why.BUSY: 1}, "ETH": {Why.PROBABILITY: 1}}
    assert sum(found.values(), start=type(found["BTC"])()) == why_not([one for scan in SCANS for one in scan])


def test_an_empty_file_has_all_columns(tmp_path: Path) -> None:
    """Nothing was passed over; it can be read like any other."""
    with PassedWriter(tmp_path / "new" / "passed.parquet"):
        pass
    assert pq.read_table(tmp_path / "new" / "passed.parquet").schema.names == PASSED_SCHEMA.names
    assert reasons_by_asset(tmp_path / "new" / "passed.parquet") == {}


def interrupted(path: Path) -> None:
    """A run that fails after a scan."""
    with PassedWriter(path) as writer:
        writer.add(SCANS[0])
        raise RuntimeError("the replay failed")


def test_what_was_not_closed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that failed leaves no file, and an earlier one as it was."""
    monkeypatch.setattr(passed_file, "BATCH_ROWS", 1)
    path = written(tmp_path / "passed.parquet")
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="the replay failed"):
        interrupted(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Neither Parquet nor of these columns: named, with what to do."""
    text, other = tmp_path / "text.parquet", tmp_path / "other.parquet"
    text.write_text("no table")
    pq.write_table(pa.table({"ts": [1]}), other)
    with pytest.raises(PassedFileError, match=r"text\.parquet cannot be read.*backtests/run\.py"):
        list(read_passed(text))
    with pytest.raises(PassedFileError, match=r"other\.parquet has other columns"):
        list(read_passed(other))
