"""Snapshots of a replay written to Parquet while it runs."""

from typing import Any

import numpy as np
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig

from backtests.snapshot_file import SnapshotWriter
from catalog.data_types import FlowSnapshotData
from strategies.features import FlowSnapshot
from strategies.flow_actor import SNAPSHOTS

BATCH_ROWS = 8_192


class SnapshotRecorder(Actor):
    """Counts snapshots, and hands them to a writer if there is one."""

    def __init__(self, writer: SnapshotWriter | None) -> None:
        super().__init__(ActorConfig())
        self.count = 0
        self.schema_id: str | None = None
        self._writer = writer
        self._pending: list[FlowSnapshot] = []

    def on_start(self) -> None:
        self.subscribe_data(SNAPSHOTS)

    def on_data(self, data: Any) -> None:
        if not isinstance(data, FlowSnapshotData):
            return
        self.count += 1
        self.schema_id = data.snapshot.schema_id
        if self._writer is not None:
            self._pending.append(data.snapshot)
            if len(self._pending) >= BATCH_ROWS:
                self.flush()

    def flush(self) -> None:
        """Hand on what is pending."""
        if self._writer is not None and self._pending:
            ts = np.array([s.ts for s in self._pending], np.int64)
            values = np.array([s.values for s in self._pending])
            self._writer.write(ts, self._writer.numbers([s.asset for s in self._pending]), values)
            self._pending = []
