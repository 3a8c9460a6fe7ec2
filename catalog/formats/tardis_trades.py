"""Trades of Tardis.dev: ``exchange,symbol,timestamp,local_timestamp,id,side,price,amount``.

``side`` is the taker's: buy, sell or unknown. Source: docs.tardis.dev, Downloadable CSV files, Data types.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.anomalies import AnomalyLog, Progress
from catalog.formats.column_checks import Findings, TradeIds, UniqueIds
from catalog.formats.csv_blocks import Column, Layout, read_blocks
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.tardis import TardisClocks, common_columns, tardis_market
from catalog.formats.trade_columns import TradeChecks, trade_chunk
from catalog.markets import Market, MarketKind
from catalog.tables import BUYER, NO_AGGRESSOR, SELLER, Chunk

_SIDES = np.array([BUYER, SELLER, NO_AGGRESSOR], np.uint8)


@dataclass(frozen=True)
class TardisTrades:
    """Reader of ``EXCHANGE_trades_DATE_SYMBOL.csv.gz``; `exchange` is Tardis's name, such as ``binance-futures``.

    ts_init is local_timestamp plus `clock_offset_ns`. Binance's ids are numbers and must rise; Bybit's have no order.

    Raises:
        ValueError: an exchange that has no venue here.
    """

    symbol: str
    exchange: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        tardis_market(self.exchange, self.symbol)

    @property
    def market(self) -> Market:
        return tardis_market(self.exchange, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        market = self.market
        has_numbers = market.venue != "BYBIT"
        layout = Layout(
            (
                *common_columns(self.exchange, market),
                Column("id", FieldKind.INT, as_text=True) if has_numbers else Column("id", FieldKind.TEXT),
                Column("side", FieldKind.CHOICE, ("buy", "sell", "unknown")),
                Column("price", FieldKind.DECIMAL),
                Column("amount", FieldKind.DECIMAL),
            )
        )
        ids = TradeIds(contiguous=market.kind is MarketKind.SPOT) if has_numbers else UniqueIds()
        checks = TradeChecks(ids)
        clocks = TardisClocks(self.clock_offset_ns, log)
        for path in files:
            clocks.begin_file()
            for block in read_blocks(path, layout, log, progress):
                findings = Findings(block, path, log)
                ts_event, ts_init = clocks.read(block, findings)
                checks.check(block, "price", "amount", "id", ts_event, findings)
                findings.report(ts_event)
                if findings.good.any():
                    side = _SIDES[block.codes["side"]]
                    yield trade_chunk(block, "price", "amount", "id", side, ts_event, ts_init, findings.good, path)
            clocks.end_file(path)
