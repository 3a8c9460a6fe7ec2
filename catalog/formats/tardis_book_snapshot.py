"""Book snapshots of Tardis.dev (book_snapshot_5, book_snapshot_25): the top of the book, one row each time it changes.

The four common columns, then ``asks[i].price,asks[i].amount,bids[i].price,bids[i].amount`` from i = 0, the best level;
fields of absent levels are empty. Source: docs.tardis.dev, Downloadable CSV files, Data types.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.anomalies import AnomalyLog, Progress
from catalog.anomalies import Kind as Anomaly
from catalog.formats.column_checks import Findings, Mask, decimal_text
from catalog.formats.csv_blocks import Column, CsvBlock, Ints, Layout, is_negative, is_zero, read_blocks, to_decimals
from catalog.formats.csv_kernel import FieldKind
from catalog.formats.tardis import TardisClocks, common_columns, tardis_market
from catalog.markets import Market
from catalog.tables import ADD, ASK, BID, CLEAR, F_LAST, F_SNAPSHOT, NO_SIDE, SCHEMAS, Chunk, Kind

BLOCK_BYTES = 1 << 20  # a level takes some 16 bytes: 65,000 rows of a chunk


@dataclass(frozen=True)
class _SnapshotLayout(Layout):
    """The common columns and as many levels as the header names, at least the best one."""

    def columns_of(self, names: tuple[str, ...]) -> tuple[Column, ...]:
        depth = 1
        while f"asks[{depth}].price" in names or f"bids[{depth}].price" in names:
            depth += 1
        return (*self.columns, *(Column(name, FieldKind.DECIMAL, optional=True) for name in _level_names(depth)))


def _level_names(depth: int) -> list[str]:
    """Bids from the best, then asks from the best: price and amount each."""
    return [f"{side}[{i}].{what}" for side in ("bids", "asks") for i in range(depth) for what in ("price", "amount")]


@dataclass(frozen=True)
class TardisBookSnapshot:
    """Reader of ``EXCHANGE_book_snapshot_N_DATE_SYMBOL.csv.gz``; `exchange` is Tardis's, as ``binance-futures``.

    Every row becomes a frame of CLEAR and the levels, bids first. ts_init is local_timestamp plus `clock_offset_ns`,
    the sequence a running number of the frame. A row without any level is a lone CLEAR.

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
        layout = _SnapshotLayout(common_columns(self.exchange, self.market))
        clocks = TardisClocks(self.clock_offset_ns, log)
        frame = 0
        for path in files:
            clocks.begin_file()
            for block in read_blocks(path, layout, log, progress, BLOCK_BYTES):
                findings = Findings(block, path, log)
                ts_event, ts_init = clocks.read(block, findings)
                for name in _level_names(_depth(block))[::2]:
                    _check_level(block, name.removesuffix(".price"), findings)
                findings.report(ts_event)
                good = findings.good
                if good.any():
                    yield _chunk(block.take(good), ts_event[good], ts_init[good], frame, path)
                    frame += int(np.count_nonzero(good))
            clocks.end_file(path)


def _check_level(block: CsvBlock, level: str, findings: Findings) -> None:
    price, amount = f"{level}.price", f"{level}.amount"
    findings.reject(
        block.present[price] != block.present[amount],
        Anomaly.MALFORMED,
        lambda _: f"{level} has a price or an amount, but not both",
    )
    bad = is_negative(block.words[price]) | is_zero(block.words[price])
    bad |= is_negative(block.words[amount]) | is_zero(block.words[amount])
    findings.reject(
        block.present[price] & bad,
        Anomaly.BAD_VALUE,
        lambda row: (
            f"{level} with price {decimal_text(block.words[price][row])} and amount "
            f"{decimal_text(block.words[amount][row])}: both must be above zero"
        ),
    )


def _depth(block: CsvBlock) -> int:
    return len(block.words) // 4


def _chunk(block: CsvBlock, ts_event: Ints, ts_init: Ints, frame: int, path: Path) -> Chunk:
    depth, rows = _depth(block), len(block)
    names = _level_names(depth)
    width = 1 + 2 * depth  # CLEAR, bids, asks
    price = np.zeros((rows, width, 2), np.int64)
    amount = np.zeros((rows, width, 2), np.int64)
    there: Mask = np.ones((rows, width), np.bool_)
    for level, name in enumerate(names[::2], start=1):
        price[:, level] = block.words[name]
        amount[:, level] = block.words[name.removesuffix("price") + "amount"]
        there[:, level] = block.present[name]
    at = np.flatnonzero(there)
    row = at // width
    side = np.repeat(np.array([NO_SIDE, BID, ASK], np.uint8), [1, depth, depth])[at % width]
    last = np.append(row[1:] != row[:-1], True)
    columns = [
        pa.array(np.where(side == NO_SIDE, CLEAR, ADD).astype(np.uint8)),
        pa.array(side),
        to_decimals(price.reshape(-1, 2)[at]),
        to_decimals(amount.reshape(-1, 2)[at]),
        pa.array((F_SNAPSHOT + np.where(last, F_LAST, 0)).astype(np.uint8)),
        pa.array((frame + 1 + row).astype(np.uint64)),
        pa.array(ts_event[row]),
        pa.array(ts_init[row]),
        pa.array(block.lines[row]),
    ]
    return Chunk(Kind.BOOK, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.BOOK]), path.name)
