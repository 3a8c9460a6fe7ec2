"""Best bids and asks of Tardis.dev: the four common columns, then ``ask_amount,ask_price,bid_price,bid_amount``.

A side without orders has empty fields. Source: docs.tardis.dev, Downloadable CSV files, Data types.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from catalog.anomalies import AnomalyLog, Progress
from catalog.formats.column_checks import Findings, reject_negative, reject_not_positive
from catalog.formats.csv_blocks import Column, Layout, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.tardis import TardisClocks, common_columns, skipped, tardis_market
from catalog.markets import Market
from catalog.tables import SCHEMAS, Chunk, Kind

_PRICES = ("bid_price", "ask_price")
_AMOUNTS = ("bid_amount", "ask_amount")


@dataclass(frozen=True)
class TardisQuotes:
    """Reader of ``EXCHANGE_quotes_DATE_SYMBOL.csv.gz``; `exchange` is Tardis's name, such as ``binance-futures``.

    ts_init is local_timestamp plus `clock_offset_ns`. Rows without one of the sides are no quotes: they are left out
    and counted as SKIPPED.

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
        values = tuple(Column(name, FieldKind.DECIMAL, optional=True) for name in (*_PRICES, *_AMOUNTS))
        layout = Layout((*common_columns(self.exchange, self.market), *values))
        clocks = TardisClocks(self.clock_offset_ns, log)
        for path in files:
            clocks.begin_file()
            one_sided = 0
            for rows in read_blocks(path, layout, log, progress):
                two_sided = rows.present["bid_price"].copy()
                for name in (*_PRICES, *_AMOUNTS):
                    two_sided &= rows.present[name]
                one_sided += int((~two_sided).sum())
                block = rows if two_sided.all() else rows.take(two_sided)
                findings = Findings(block, path, log)
                ts_event, ts_init = clocks.read(block, findings)
                for name in _PRICES:
                    reject_not_positive(name, block.words[name], findings)
                for name in _AMOUNTS:
                    reject_negative(name, block.words[name], findings)
                findings.report(ts_event)
                good = findings.good
                if good.any():
                    columns = [
                        *(to_decimals(block.words[name][good]) for name in (*_PRICES, *_AMOUNTS)),
                        pa.array(ts_event[good]),
                        pa.array(ts_init[good]),
                        pa.array(block.lines[good]),
                    ]
                    yield Chunk(Kind.QUOTES, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.QUOTES]), path.name)
            clocks.end_file(path)
            skipped(one_sided, "rows without a bid or an ask", path, log)
