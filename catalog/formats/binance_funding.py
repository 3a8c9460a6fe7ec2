"""Binance's public dumps of settled funding rates, as published at data.binance.vision.

``calc_time`` is ms and lies up to some ten ms past the hour. Source: github binance/binance-public-data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.binance_metrics import futures_market
from catalog.formats.clock import Clock
from catalog.formats.column_checks import Findings, TimeOrder, times_in_ns
from catalog.formats.csv_blocks import Column, Ints, Layout, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.markets import Market
from catalog.tables import SCHEMAS, Chunk, Kind

HOUR_NS = 3_600 * 1_000_000_000
_LAYOUT = Layout(
    (
        Column("calc_time", FieldKind.INT),
        Column("funding_interval_hours", FieldKind.INT),
        Column("last_funding_rate", FieldKind.DECIMAL),
    )
)


class _Settlements:
    """No settlement is missing: two of them are as far apart as the longer of their intervals, over blocks and files.

    The longer one, because a row tells the interval of its own time, and the venue changes intervals both ways.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._interval = 0

    def check(self, hours_ns: Ints, intervals_ns: Ints, findings: Findings) -> None:
        rows = np.flatnonzero(findings.good)
        if not len(rows):
            return
        times, intervals = hours_ns[rows], intervals_ns[rows]
        apart = np.diff(times, prepend=times[0] if self._last is None else self._last)
        allowed = np.maximum(intervals, np.append(self._interval, intervals[:-1]))
        self._last, self._interval = int(times[-1]), int(intervals[-1])
        distance = np.zeros_like(hours_ns)
        distance[rows] = apart
        findings.note(
            rows[apart > allowed],
            Anomaly.GAP,
            lambda row: (
                f"the settlement before is {distance[row] / HOUR_NS:g} h away, "
                f"the interval is {intervals_ns[row] // HOUR_NS} h"
            ),
        )


def _check_intervals(hours: Ints, findings: Findings) -> None:
    findings.reject(
        (hours <= 0) | (hours > 24),
        Anomaly.BAD_VALUE,
        lambda row: f"funding interval {hours[row]} h is not between 1 and 24",
    )


@dataclass(frozen=True)
class BinanceFunding:
    """Reader of ``SYMBOL-fundingRate-MONTH.zip``: the rate settled at ts_event, a fraction; positive: longs pay.

    ts_init is ts_event plus `clock_offset_ns`; the next settlement is given on the full hour.
    """

    symbol: str
    clock_offset_ns: int = 0

    @property
    def market(self) -> Market:
        return futures_market(self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        order = TimeOrder("calc_time", strict=True)
        settlements = _Settlements()
        for path in files:
            clock = Clock("calc_time")
            for block in read_blocks(path, _LAYOUT, log, progress):
                findings = Findings(block, path, log)
                ts = times_in_ns(clock, block.ints["calc_time"], findings)
                hours = block.ints["funding_interval_hours"]
                _check_intervals(hours, findings)
                order.check(ts, findings)
                full_hours = (ts + HOUR_NS // 2) // HOUR_NS * HOUR_NS
                settlements.check(full_hours, hours * HOUR_NS, findings)
                findings.report(ts)
                good = findings.good
                if good.any():
                    columns = [
                        to_decimals(block.words["last_funding_rate"][good]),
                        hours[good] * 60,
                        full_hours[good] + hours[good] * HOUR_NS,
                        ts[good],
                        ts[good] + self.clock_offset_ns,
                        block.lines[good],
                    ]
                    table = pa.Table.from_arrays(list(map(pa.array, columns)), schema=SCHEMAS[Kind.FUNDING])
                    yield Chunk(Kind.FUNDING, table, path.name)
