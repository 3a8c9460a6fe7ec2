"""Binance's public dumps of futures metrics, as published at data.binance.vision: open interest every five minutes.

``create_time`` is text, ``2024-10-28 00:05:00`` in UTC. Source: github binance/binance-public-data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.binance_events import binance_market
from catalog.formats.column_checks import Findings, TimeOrder, reject_negative
from catalog.formats.csv_blocks import Column, Ints, Layout, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.markets import Market
from catalog.tables import SCHEMAS, Chunk, Kind

COIN_M_SUFFIX = "_PERP"


def futures_market(symbol: str) -> Market:
    """The futures market of a symbol: COIN-M perpetuals are named ``TRXUSD_PERP``, all others are USDT-M."""
    return binance_market("coinm" if symbol.upper().endswith(COIN_M_SUFFIX) else "usdm", symbol)


@dataclass(frozen=True)
class BinanceMetrics:
    """Reader of ``SYMBOL-metrics-DATE.zip``: open interest in base units, on COIN-M in contracts.

    ts_event is ``create_time``, ts_init the same plus `clock_offset_ns`. Holes between the values are not reported.
    """

    symbol: str
    clock_offset_ns: int = 0

    @property
    def market(self) -> Market:
        return futures_market(self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        layout = Layout(
            (
                Column("create_time", FieldKind.TEXT),
                Column("symbol", FieldKind.CHOICE, (self.market.symbol,), Anomaly.WRONG_SYMBOL),
                Column("sum_open_interest", FieldKind.DECIMAL),
            )
        )
        order = TimeOrder("create_time", strict=True)
        for path in files:
            for block in read_blocks(path, layout, log, progress):
                findings = Findings(block, path, log)
                values = block.words["sum_open_interest"]
                ts = _utc_ns(block.texts["create_time"], findings)
                reject_negative("open interest", values, findings)
                order.check(ts, findings)
                findings.report(ts)
                good = findings.good
                if good.any():
                    times = ts[good]
                    lines = block.lines[good]
                    columns = [to_decimals(values[good]), times, times + self.clock_offset_ns, lines]
                    table = pa.Table.from_arrays(list(map(pa.array, columns)), schema=SCHEMAS[Kind.OPEN_INTEREST])
                    yield Chunk(Kind.OPEN_INTEREST, table, path.name)


def _utc_ns(texts: pa.StringArray, findings: Findings) -> Ints:
    """UNIX ns of ``YYYY-MM-DD HH:MM:SS``; 0 where the text is no such time, which is reported."""
    times = pc.strptime(texts, format="%Y-%m-%d %H:%M:%S", unit="s", error_is_null=True)
    seconds: Ints = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
    findings.reject(
        seconds <= 0,
        Anomaly.MALFORMED,
        lambda row: f"create_time {texts[row].as_py()[:40]!r} is not a time like 2024-10-28 00:05:00",
    )
    return np.maximum(seconds, 0) * 1_000_000_000
