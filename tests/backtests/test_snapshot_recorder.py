from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backtests.snapshot_recorder import SnapshotRecorder, SnapshotRecorderConfig, snapshot_table
from catalog.data_types import FlowSnapshotData
from strategies.flow.groups import FEATURES
from tests.strategies.conftest import at, snapshot_of

NAMES = [f.name for f in FEATURES]
SNAPSHOTS = [snapshot_of({"price": 100.0 + k}, asset=asset, seconds=k) for k in range(3) for asset in ("BTC", "ETH")]


def recorded(path: Path | None) -> SnapshotRecorder:
    recorder = SnapshotRecorder(SnapshotRecorderConfig(path=None if path is None else str(path)))
    for snapshot in SNAPSHOTS:
        recorder.on_data(FlowSnapshotData(snapshot))
    recorder.close()
    return recorder


def test_a_table_has_one_column_a_feature() -> None:
    """Time and asset first, then the features in their order as doubles, the schema id beside them."""
    table = snapshot_table(SNAPSHOTS, "by hand")
    assert table.column_names == ["ts", "asset", *NAMES]
    assert table.column("ts").to_pylist()[:2] == [at(0), at(0)]
    assert table.column("price").to_pylist() == [100.0, 100.0, 101.0, 101.0, 102.0, 102.0]
    assert np.isnan(table.column("rsi").to_numpy()).all()
    assert table.schema.metadata == {b"schema_id": b"by hand"}


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_what_is_written_does_not_depend_on_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """The file has every snapshot once, in order, bit for bit, and its schema id."""
    monkeypatch.setattr("backtests.snapshot_recorder.BATCH", batch)
    recorder = recorded(tmp_path / "deep" / "snapshots.parquet")
    table = pq.read_table(tmp_path / "deep" / "snapshots.parquet")
    assert table.schema.metadata == {b"schema_id": b"by hand"}
    assert table.column("asset").to_pylist() == ["BTC", "ETH"] * 3
    values = np.column_stack([table.column(name).to_numpy() for name in NAMES])
    assert values.tobytes() == np.array([s.values for s in SNAPSHOTS]).tobytes()
    assert (recorder.count, recorder.schema_id) == (6, "by hand")


def test_without_a_snapshot_the_file_has_all_columns(tmp_path: Path) -> None:
    """An empty run can be read like any other."""
    recorder = SnapshotRecorder(SnapshotRecorderConfig(path=str(tmp_path / "none.parquet")))
    recorder.close()
    table = pq.read_table(tmp_path / "none.parquet")
    assert (table.num_rows, table.column_names) == (0, ["ts", "asset", *NAMES])


def test_without_a_path_snapshots_are_only_counted() -> None:
    """Nothing is kept and nothing is written."""
    recorder = recorded(None)
    assert (recorder.count, recorder.schema_id) == (6, "by hand")
