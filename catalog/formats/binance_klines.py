"""Binance's public dumps of klines (bars), as published at data.binance.vision.

Twelve columns; futures files have a header, spot files have none. Times are ms; spot turned to us on 2025-01-01.
Source: github binance/binance-public-data.
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
from catalog.formats.clock import Clock
from catalog.formats.column_checks import Findings, reject_negative, reject_not_positive, times_in_ns
from catalog.formats.csv_blocks import Column, CsvBlock, Ints, Layout, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.markets import Market
from catalog.tables import SCHEMAS, Chunk, Kind

INTERVAL_SECONDS = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
    "3d": 259_200,
    "1w": 604_800,
}
_PRICES = ("open", "high", "low", "close")
_NAMES = (
    "open_time",
    *_PRICES,
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
_LAYOUT = Layout(
    (
        Column("open_time", FieldKind.INT),
        *(Column(name, FieldKind.DECIMAL) for name in _PRICES),
        Column("volume", FieldKind.DECIMAL),
        Column("close_time", FieldKind.INT),
    ),
    headerless=(_NAMES,),
)


class _BarSpacing:
    """Bars follow each other without holes: open times over blocks and files."""

    def __init__(self, step_ns: int) -> None:
        self._step = step_ns
        self._last: int | None = None

    def check(self, opens: Ints, findings: Findings) -> None:
        rows = np.flatnonzero(findings.good)
        if not len(rows):
            return
        times = opens[rows]
        first = times[0] - self._step if self._last is None else self._last
        spacing = np.zeros_like(opens)
        spacing[rows] = np.diff(times, prepend=first)
        self._last = int(times[-1])
        stands = findings.good.copy()
        findings.reject(
            stands & (spacing == 0), Anomaly.DUPLICATE, lambda row: f"the bar that opens at {opens[row]} ns comes twice"
        )
        findings.reject(
            stands & (spacing < 0),
            Anomaly.TIME_BACKWARDS,
            lambda row: f"open time steps back from {opens[row] - spacing[row]} to {opens[row]} ns",
        )
        findings.reject(
            stands & (spacing % self._step != 0),
            Anomaly.BAD_VALUE,
            lambda row: f"the bar opens {spacing[row] / 1e9:g} s after the one before, not whole intervals",
        )
        findings.note(
            np.flatnonzero(findings.good & (spacing > self._step)),
            Anomaly.GAP,
            lambda row: f"{spacing[row] // self._step - 1} bars are missing before this one",
        )


@dataclass(frozen=True)
class BinanceKlines:
    """Reader of ``SYMBOL-INTERVAL-DATE.zip``; `interval` is Binance's name, from ``1s`` to ``1w``.

    A bar is known when it has closed: ts_event is its close time plus one unit of the file's clock, and ts_init the
    same plus `clock_offset_ns`. Volume is in base units, on COIN-M in contracts.

    Raises:
        ValueError: unknown market type or interval. Months (``1mo``) have no fixed length and are not read.
    """

    market_type: str
    symbol: str
    interval: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        binance_market(self.market_type, self.symbol)
        if self.interval not in INTERVAL_SECONDS:
            raise ValueError(f"interval {self.interval!r} is unknown: use one of {', '.join(INTERVAL_SECONDS)}")

    @property
    def market(self) -> Market:
        return binance_market(self.market_type, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        step_ns = INTERVAL_SECONDS[self.interval] * 1_000_000_000
        spacing = _BarSpacing(step_ns)
        for path in files:
            open_clock, close_clock = Clock("open time"), Clock("close time")
            for block in read_blocks(path, _LAYOUT, log, progress):
                findings = Findings(block, path, log)
                opens = times_in_ns(open_clock, block.ints["open_time"], findings)
                closes = times_in_ns(close_clock, block.ints["close_time"], findings) + close_clock.multiplier
                self._check_duration(closes - opens, step_ns, findings)
                _check_values(block, findings)
                spacing.check(opens, findings)
                findings.report(closes)
                if findings.good.any():
                    yield self._chunk(block.take(findings.good), closes[findings.good], path)

    def _check_duration(self, durations: Ints, step_ns: int, findings: Findings) -> None:
        findings.reject(
            durations != step_ns,
            Anomaly.BAD_VALUE,
            lambda row: f"the bar lasts {durations[row] / 1e9:g} s, not {self.interval}: is the interval right?",
        )

    def _chunk(self, block: CsvBlock, closes: Ints, path: Path) -> Chunk:
        steps = np.full(len(block), INTERVAL_SECONDS[self.interval], np.int64)
        columns = [
            pa.array(steps),
            *(to_decimals(block.words[name]) for name in (*_PRICES, "volume")),
            pa.array(closes),
            pa.array(closes + self.clock_offset_ns),
            pa.array(block.lines),
        ]
        return Chunk(Kind.BARS, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.BARS]), path.name)


def _check_values(block: CsvBlock, findings: Findings) -> None:
    for name in _PRICES:
        reject_not_positive(f"{name} price", block.words[name], findings)
    reject_negative("volume", block.words["volume"], findings)
    opened, high, low, close = (to_decimals(block.words[name]) for name in _PRICES)
    inside = pc.and_(
        pc.less_equal(pc.max_element_wise(opened, close), high),
        pc.greater_equal(pc.min_element_wise(opened, close), low),
    )
    findings.reject(
        ~inside.to_numpy(zero_copy_only=False),
        Anomaly.BAD_VALUE,
        lambda row: f"open {opened[row]} and close {close[row]} are not between low {low[row]} and high {high[row]}",
    )
