"""Trades of a block of rows: the checks that all trade files share, and the table."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.formats.column_checks import Findings, PriceSteps, TimeOrder, TradeIds, UniqueIds, reject_not_positive
from catalog.formats.csv_blocks import CsvBlock, Ints, to_decimals
from catalog.tables import SCHEMAS, Chunk, Kind


class TradeChecks:
    """State of the checks that outlives a block and a file. `ids` is the venue's rule for trade ids."""

    def __init__(self, ids: TradeIds | UniqueIds) -> None:
        self.ids = ids
        self._order = TimeOrder("trade time")
        self._steps = PriceSteps()

    def check(self, block: CsvBlock, price: str, size: str, trade_id: str, ts_event: Ints, findings: Findings) -> None:
        """Check values, ids, time order and price steps of the named columns; `ts_event` in UNIX ns."""
        reject_not_positive("trade price", block.words[price], findings)
        reject_not_positive("trade size", block.words[size], findings)
        if isinstance(self.ids, TradeIds):
            self.ids.check(block.ints[trade_id], findings)
        else:
            self.ids.check(block.texts[trade_id], ts_event, findings)
        self._order.check(ts_event, findings)
        self._steps.check(block.words[price], ts_event, findings)


def trade_chunk(
    block: CsvBlock,
    price: str,
    size: str,
    trade_id: str,
    side: npt.NDArray[np.uint8],
    ts_event: Ints,
    ts_init: Ints,
    good: npt.NDArray[np.bool_],
    path: Path,
) -> Chunk:
    """The rows under `good` as a chunk; `side` is AggressorSide, times are UNIX ns."""
    if not good.all():
        block, side, ts_event, ts_init = block.take(good), side[good], ts_event[good], ts_init[good]
    columns = [
        to_decimals(block.words[price]),
        to_decimals(block.words[size]),
        pa.array(side),
        block.texts[trade_id],
        pa.array(ts_event),
        pa.array(ts_init),
        pa.array(block.lines),
    ]
    return Chunk(Kind.TRADES, pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.TRADES]), path.name)
