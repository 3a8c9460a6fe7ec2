from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backtests.snapshot_file import Origin, SnapshotWriter
from backtests.snapshot_recorder import SnapshotRecorder
from catalog.data_types import FlowSnapshotData
from strategies.flow.groups import FEATURES
from tests.strategies.conftest import at, snapshot_of

NAMES = [f.name for f in FEATURES]
SNAPSHOTS = [snapshot_of({"price": 100.0 + k}, asset=asset, seconds=k) for k in range(3) for asset in ("BTC", "ETH")]
ORIGIN = Origin("by hand", "catalog", {"ETH": ("ETHUSDT",), "BTC": ("BTCUSDT",)}, (), at(0), at(2))


def recorded(path: Path | None) -> SnapshotRecorder:
    """A recorder that was given all of SNAPSHOTS, and has handed on what was pending."""
    if path is None:
        return fed(SnapshotRecorder(None))
    with SnapshotWriter(path, ORIGIN) as writer:
        return fed(SnapshotRecorder(writer))


def fed(recorder: SnapshotRecorder) -> SnapshotRecorder:
    for snapshot in SNAPSHOTS:
        recorder.on_data(FlowSnapshotData(snapshot))
    recorder.flush()
    return recorder


def test_the_file_has_one_column_a_feature(tmp_path: Path) -> None:
    """Time and asset first, then the features in their order as doubles, the schema id beside them."""
    recorded(tmp_path / "snapshots.parquet")
    table = pq.read_table(tmp_path / "snapshots.parquet")
    assert table.column_names == ["ts", "asset", *NAMES]
    assert table.column("ts").to_pylist()[:2] == [at(0), at(0)]
    assert table.column("price").to_pylist() == [100.0, 100.0, 101.0, 101.0, 102.0, 102.0]
    assert np.isnan(table.column("rsi").to_numpy()).all()
    assert Origin.read(tmp_path / "snapshots.parquet").schema_id == "by hand"


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_what_is_written_does_not_depend_on_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """The file has every snapshot once, in order, bit for bit, and its origin."""
    monkeypatch.setattr("backtests.snapshot_recorder.BATCH_ROWS", batch)
    recorder = recorded(tmp_path / "deep" / "snapshots.parquet")
    table = pq.read_table(tmp_path / "deep" / "snapshots.parquet")
    assert Origin.read(tmp_path / "deep" / "snapshots.parquet") == ORIGIN
    assert table.column("asset").to_pylist() == ["BTC", "ETH"] * 3
    values = np.column_stack([table.column(name).to_numpy() for name in NAMES])
    assert values.tobytes() == np.array([s.values for s in SNAPSHOTS]).tobytes()
    assert (recorder.count, recorder.schema_id) == (6, "by hand")


def test_a_full_batch_is_written_while_the_replay_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the replay: of six snapshots in batches of four, four have left before the end."""
    monkeypatch.setattr("backtests.snapshot_recorder.BATCH_ROWS", 4)
    with SnapshotWriter(tmp_path / "snapshots.parquet", ORIGIN) as writer:
        recorder = SnapshotRecorder(writer)
        for snapshot in SNAPSHOTS:
            recorder.on_data(FlowSnapshotData(snapshot))
        assert writer.rows == 4
        recorder.flush()
        assert writer.rows == 6


def test_without_a_snapshot_the_file_has_all_columns(tmp_path: Path) -> None:
    """An empty run can be read like any other."""
    with SnapshotWriter(tmp_path / "none.parquet", ORIGIN) as writer:
        SnapshotRecorder(writer).flush()
    table = pq.read_table(tmp_path / "none.parquet")
    assert (table.num_rows, table.column_names) == (0, ["ts", "asset", *NAMES])


def test_without_a_writer_snapshots_are_only_counted() -> None:
    """Nothing is kept and nothing is written."""
    recorder = recorded(None)
    assert (recorder.count, recorder.schema_id) == (6, "by hand")
