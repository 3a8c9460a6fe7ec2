"""Snapshots of a replay written to Parquet while it runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig

from catalog.data_types import FlowSnapshotData
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES
from strategies.flow_actor import SNAPSHOTS

BATCH = 10_000


class SnapshotRecorderConfig(ActorConfig, frozen=True):
    """`path` of the Parquet file; None counts snapshots without keeping them."""

    path: str | None = None


class SnapshotRecorder(Actor):
    """Columns ``ts`` (UNIX ns), ``asset`` and one of doubles a feature; the schema id is in the file's metadata."""

    def __init__(self, config: SnapshotRecorderConfig) -> None:
        super().__init__(config)
        self.count = 0
        self.schema_id: str | None = None
        self._pending: list[FlowSnapshot] = []
        self._writer: pq.ParquetWriter | None = None

    def on_start(self) -> None:
        self.subscribe_data(SNAPSHOTS)

    def on_data(self, data: Any) -> None:
        if not isinstance(data, FlowSnapshotData):
            return
        self.count += 1
        self.schema_id = data.snapshot.schema_id
        if self.config.path is not None:
            self._pending.append(data.snapshot)
            if len(self._pending) >= BATCH:
                self._flush()

    def close(self) -> None:
        """Write what is pending and close the file; without a snapshot it has no rows but all columns."""
        if self.config.path is not None:
            self._flush()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _flush(self) -> None:
        table = snapshot_table(self._pending, self.schema_id or "")
        if self._writer is None:
            path = Path(str(self.config.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        if table.num_rows:
            self._writer.write_table(table)
        self._pending = []


def snapshot_table(snapshots: list[FlowSnapshot], schema_id: str) -> pa.Table:
    """Snapshots as a table."""
    values = np.array([s.values for s in snapshots]).reshape(len(snapshots), len(FEATURES))
    columns: dict[str, pa.Array] = {
        "ts": pa.array([s.ts for s in snapshots], pa.int64()),
        "asset": pa.array([s.asset for s in snapshots], pa.string()),
    }
    columns |= {f.name: pa.array(values[:, k], pa.float64()) for k, f in enumerate(FEATURES)}
    return pa.table(columns).replace_schema_metadata({"schema_id": schema_id})
