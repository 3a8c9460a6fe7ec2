"""Bybit's public dumps of trades, as published at public.bybit.com.

Derivatives: ``timestamp,symbol,side,size,price,tickDirection,trdMatchID,...`` with decimal seconds and a UUID a trade.
Spot: ``id,timestamp,price,volume,side`` with ms and a row number that starts again in every file. Newer files of both
have a column RPI more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.clock import Clock
from catalog.formats.column_checks import Findings, TradeIds, UniqueIds, times_in_ns
from catalog.formats.csv_blocks import Column, Ints, Layout, read_blocks
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.trade_columns import TradeChecks, trade_chunk
from catalog.markets import Market, MarketKind
from catalog.tables import BUYER, SELLER, Chunk

CATEGORIES = ("linear", "spot", "inverse")
_SIDES = np.array([BUYER, SELLER, BUYER, SELLER], np.uint8)
_BUY_OR_SELL = ("Buy", "Sell", "buy", "sell")  # derivatives, spot


def bybit_market(category: str, symbol: str) -> Market:
    """The market of Bybit's own symbol. Raises ValueError for another `category` than linear, spot, inverse."""
    if category not in CATEGORIES:
        raise ValueError(f"category {category!r} is unknown to Bybit: use one of {', '.join(CATEGORIES)}")
    kind = MarketKind.SPOT if category == "spot" else MarketKind.PERP
    return Market("BYBIT", kind, symbol.upper(), inverse=category == "inverse")


def _layout(trade_id: Column, size: str, time: FieldKind, *more: Column) -> Layout:
    return Layout(
        (
            trade_id,
            Column("timestamp", time),
            Column("price", FieldKind.DECIMAL),
            Column(size, FieldKind.DECIMAL),
            Column("side", FieldKind.CHOICE, _BUY_OR_SELL),
            *more,
        )
    )


@dataclass(frozen=True)
class BybitTrades:
    """Reader of ``SYMBOLDATE.csv.gz`` (linear, inverse) and ``SYMBOL_DATE.csv.gz`` (spot).

    The files carry no receive time: ts_init is the trade's time plus `clock_offset_ns`. Sizes are base units, on
    inverse markets contracts of one USD. A file that is sorted newest first is refused with TIME_BACKWARDS.

    Raises:
        ValueError: unknown category.
    """

    category: str
    symbol: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        bybit_market(self.category, self.symbol)

    @property
    def market(self) -> Market:
        return bybit_market(self.category, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        is_spot = self.category == "spot"
        trade_id, size = ("id", "volume") if is_spot else ("trdMatchID", "size")
        symbol = Column("symbol", FieldKind.CHOICE, (self.market.symbol,), Anomaly.WRONG_SYMBOL)
        layout = (
            _layout(Column(trade_id, FieldKind.INT, as_text=True), size, FieldKind.INT)
            if is_spot
            else _layout(Column(trade_id, FieldKind.TEXT), size, FieldKind.SECONDS, symbol)
        )
        checks = TradeChecks(UniqueIds())
        for path in files:
            clock = Clock("trade time")
            if is_spot:
                checks.ids = TradeIds(contiguous=True)
            for position, block in enumerate(read_blocks(path, layout, log, progress)):
                findings = Findings(block, path, log)
                ts = times_in_ns(clock, block.ints["timestamp"], findings)
                if position == 0 and _is_newest_first(ts):
                    message = "the file is sorted newest first: reverse its rows below the header"
                    log.report(Anomaly.TIME_BACKWARDS, path, int(block.lines[0]), message, int(ts[0]))
                    break
                checks.check(block, "price", size, trade_id, ts, findings)
                findings.report(ts)
                if findings.good.any():
                    side = _SIDES[block.codes["side"]]
                    ts_init = ts + self.clock_offset_ns
                    yield trade_chunk(block, "price", size, trade_id, side, ts, ts_init, findings.good, path)


def _is_newest_first(ts: Ints) -> bool:
    return bool(len(ts) > 2 and ts[0] > ts[-1] and (np.diff(ts) <= 0).all())
