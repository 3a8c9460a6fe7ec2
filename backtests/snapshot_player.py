"""Snapshots from a file, published at their times: the strategy decides on what was computed before."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId

from backtests.snapshot_file import read_snapshots
from catalog.data_types import FlowSnapshotData, ScanData
from strategies.config import FlowSettings
from strategies.features import FlowSnapshot, first_sample_ns
from strategies.flow_actor import SCANS, SNAPSHOTS

SECOND_NS = 1_000_000_000


class SnapshotPlayerConfig(ActorConfig, frozen=True):
    """`path` of the file, the `assets` of which snapshots are published, and the instruments that are traded."""

    path: str
    assets: tuple[str, ...]
    tradable: tuple[str, ...]
    flow: dict[str, Any] = {}


class SnapshotPlayer(Actor):
    """Stands in for :class:`strategies.flow_actor.FlowActor`: the same snapshots, on the same clock, at the same times.

    Like it, it has the engine keep the books of what is traded, off which the strategy reads its entry price.
    """

    def __init__(self, config: SnapshotPlayerConfig) -> None:
        super().__init__(config)
        flow = FlowSettings.model_validate(config.flow)
        self._step_ns, self._scan_ns = flow.sample_seconds * SECOND_NS, flow.scan_seconds * SECOND_NS
        self._snapshots: Iterator[FlowSnapshot] = iter(())
        self._next: FlowSnapshot | None = None

    def on_start(self) -> None:
        for name in self.config.tradable:
            identity = InstrumentId.from_str(name)
            if self.cache.order_book(identity) is not None:  # a replay shares the venue's own
                continue
            self.subscribe_order_book_deltas(identity, BookType.L2_MBP, managed=True)
            topic = f"data.book.deltas.{identity.venue}.{identity.symbol}"
            self.msgbus.unsubscribe(topic, self.handle_order_book_deltas)
        self._snapshots = read_snapshots(Path(self.config.path))
        self._next = next(self._snapshots, None)
        # the clock of the actor that it stands in for, so that events of one time come in the same order
        start = pd.Timestamp(first_sample_ns(self.clock.timestamp_ns(), self._step_ns) - self._step_ns, tz="UTC")
        step = timedelta(microseconds=self._step_ns // 1_000)
        self.clock.set_timer("flow-sample", step, start.to_pydatetime(), callback=self._on_sample)

    def _on_sample(self, event: TimeEvent) -> None:
        while self._next is not None and self._next.ts <= event.ts_event:
            if self._next.asset in self.config.assets:
                self.publish_data(SNAPSHOTS, FlowSnapshotData(self._next))
            self._next = next(self._snapshots, None)
        if event.ts_event % self._scan_ns == 0:
            self.publish_data(SCANS, ScanData(event.ts_event))
