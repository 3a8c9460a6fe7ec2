"""Nautilus data types of our own.

Nautilus has no open interest. It is stored and replayed as :class:`OpenInterest`; snapshots travel on the message bus
as :class:`FlowSnapshotData`, a wrapper without any rule of its own around the pure snapshot of ``strategies.features``.
"""

from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.identifiers import InstrumentId

from strategies.features import FlowSnapshot


@customdataclass
class OpenInterest(Data):
    """Open interest of one perpetual, in the venue's own size units (base units, or contracts).

    Sources: Binance ``openInterestHist`` and the ``metrics`` dump, Bybit ``open-interest``, MEXC ``holdVol``.
    """

    instrument_id: InstrumentId
    value: float = 0.0


class FlowSnapshotData(Data):
    """One asset's flow snapshot as Nautilus data; `ts_event` and `ts_init` are the time of the scan."""

    def __init__(self, snapshot: FlowSnapshot) -> None:
        self.snapshot = snapshot

    @property
    def ts_event(self) -> int:
        return self.snapshot.ts

    @property
    def ts_init(self) -> int:
        return self.snapshot.ts

    def __repr__(self) -> str:
        return f"FlowSnapshotData({self.snapshot.asset}, ts={self.snapshot.ts})"


class ScanData(Data):
    """A scan is over: every snapshot of its time has been published. `ts_event` and `ts_init` are its time."""

    def __init__(self, ts: int) -> None:
        self._ts = ts

    @property
    def ts_event(self) -> int:
        return self._ts

    @property
    def ts_init(self) -> int:
        return self._ts

    def __repr__(self) -> str:
        return f"ScanData(ts={self._ts})"
