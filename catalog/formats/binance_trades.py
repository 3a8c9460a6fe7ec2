"""Binance's public dumps of trades and aggregated trades, as published at data.binance.vision.

Futures files have a header (early ones have none), spot files have none and one column more. Booleans are true/false
or True/False. Times are ms; spot turned to us on 2025-01-01. Source: github binance/binance-public-data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.anomalies import AnomalyLog, Progress
from catalog.formats.binance_events import binance_market
from catalog.formats.clock import Clock
from catalog.formats.column_checks import Findings, TradeIds, times_in_ns
from catalog.formats.csv_blocks import Column, Layout, read_blocks
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.trade_columns import TradeChecks, trade_chunk
from catalog.markets import Market, MarketKind
from catalog.tables import BUYER, SELLER, Chunk

_FALSE_OR_TRUE = ("false", "true", "False", "True")
# buyer is maker: the seller took
_SIDES = np.array([BUYER, SELLER, BUYER, SELLER], np.uint8)


@dataclass(frozen=True)
class _Names:
    trade_id: str
    price: str
    size: str
    time: str
    all: tuple[str, ...]

    def layout(self) -> Layout:
        columns = (
            Column(self.trade_id, FieldKind.INT, as_text=True),
            Column(self.price, FieldKind.DECIMAL),
            Column(self.size, FieldKind.DECIMAL),
            Column(self.time, FieldKind.INT),
            Column("is_buyer_maker", FieldKind.CHOICE, _FALSE_OR_TRUE),
        )
        return Layout(columns, headerless=(self.all, (*self.all, "is_best_match")))


_AGGREGATED = _Names(
    "agg_trade_id",
    "price",
    "quantity",
    "transact_time",
    ("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker"),
)
_SINGLE = _Names("id", "price", "qty", "time", ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker"))


@dataclass(frozen=True)
class BinanceTrades:
    """Reader of ``SYMBOL-aggTrades-DATE.zip`` (`aggregated`) and ``SYMBOL-trades-DATE.zip``.

    `market_type` is spot, usdm or coinm. The files carry no receive time: ts_init is the trade's time plus
    `clock_offset_ns`. Sizes are base units, on COIN-M contracts.

    Raises:
        ValueError: unknown market type.
    """

    market_type: str
    symbol: str
    aggregated: bool
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        binance_market(self.market_type, self.symbol)

    @property
    def market(self) -> Market:
        return binance_market(self.market_type, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        names = _AGGREGATED if self.aggregated else _SINGLE
        layout = names.layout()
        checks = TradeChecks(TradeIds(contiguous=self.aggregated or self.market.kind is MarketKind.SPOT))
        for path in files:
            clock = Clock("trade time")
            for block in read_blocks(path, layout, log, progress):
                findings = Findings(block, path, log)
                ts = times_in_ns(clock, block.ints[names.time], findings)
                checks.check(block, names.price, names.size, names.trade_id, ts, findings)
                findings.report(ts)
                if findings.good.any():
                    side = _SIDES[block.codes["is_buyer_maker"]]
                    ts_init = ts + self.clock_offset_ns
                    yield trade_chunk(
                        block, names.price, names.size, names.trade_id, side, ts, ts_init, findings.good, path
                    )
