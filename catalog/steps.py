"""Ticks and steps: what prices and sizes are multiples of, checked or inferred, exactly and whole columns at once.

A decimal column of scale 16 is an array of 128-bit integers. A value v is a multiple of a step s if
v - round(v / s) * s is zero. The quotient of doubles is the right integer wherever v is a multiple, and the remainder
then fits 64 bits, so wrapping arithmetic on the low words is exact: no 128-bit division is needed.
"""

import math
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nautilus_trader.model.objects import PRICE_MAX, QUANTITY_MAX

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as AnomalyKind
from catalog.instruments import Definition, InstrumentMetadataError, Source, split_symbol
from catalog.markets import Market
from catalog.tables import Chunk, Kind

type Words = npt.NDArray[np.uint64]  # shape (n, 2): low and high word of 128-bit integers

SCALE = 10**16
TWO_64 = 2.0**64
LARGEST_QUOTIENT = 2.0**51  # beyond it the rounded quotient of doubles may not be the right integer
LARGEST_INFERRED = 100 * SCALE  # a tick above 100 would not fit the arithmetic; none is that coarse
LISTED = 50  # findings a column and chunk: enough to see what is wrong

PRICES = {
    Kind.TRADES: ("price",),
    Kind.BOOK: ("price",),
    Kind.QUOTES: ("bid_price", "ask_price"),
    Kind.BARS: ("open", "high", "low", "close"),
}
SIZES = {Kind.TRADES: ("size",), Kind.BOOK: ("size",), Kind.QUOTES: ("bid_size", "ask_size"), Kind.BARS: ("volume",)}

_OFF_STEP = {
    Source.METADATA: "metadata of another time or market?",
    Source.INFERRED: "earlier files had too little to infer it from, fill a new catalog with --instruments",
    Source.BUILT_IN: "the built-in market takes no other data, fill another catalog",
}


def words(column: pa.ChunkedArray | pa.Array) -> Words:
    """The 128-bit integers of a decimal column."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [
        np.frombuffer(c.buffers()[1], dtype=np.uint64).reshape(-1, 2)[c.offset : c.offset + len(c)]
        for c in chunks
        if len(c)
    ]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.uint64)


def near_doubles(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.float64]:
    """Doubles of a decimal column that keep order and identity (of up to 15 digits); they may be an ulp off nearest."""
    values = words(column)
    doubles: npt.NDArray[np.float64] = (values[:, 1].view(np.int64) * TWO_64 + values[:, 0]) / SCALE
    return doubles


def off_step(values: Words, step: int) -> npt.NDArray[np.bool]:
    """Which values are no multiples of `step` (a whole number of 10^-16 below 2^63)."""
    low = values[:, 0]
    near = values[:, 1].view(np.int64) * TWO_64 + low
    quotient = near / step
    if len(values) and float(np.abs(quotient).max()) >= LARGEST_QUOTIENT:
        return np.array([((int(high) << 64) + int(word)) % step != 0 for word, high in values], dtype=np.bool)
    whole = np.rint(quotient).astype(np.int64).view(np.uint64)
    remainder: npt.NDArray[np.bool] = (low - whole * np.uint64(step)) != 0
    return remainder


def within_limits(chunk: Chunk, log: AnomalyLog) -> bool:
    """False, and BAD_VALUE for each, where values are beyond Nautilus's, whose reader ends the process on them."""
    prices = ("value",) if chunk.kind is Kind.MARKS else PRICES.get(chunk.kind, ())
    limits = dict.fromkeys(prices, PRICE_MAX) | dict.fromkeys(SIZES.get(chunk.kind, ()), QUANTITY_MAX)
    within = True
    for name, limit in limits.items():
        column = chunk.table.column(name)
        # a high word is about 1844 units: what is beyond the limit is beyond its high word, and is looked at exactly
        suspects = np.flatnonzero(words(column)[:, 1].view(np.int64) >= int(limit) * SCALE >> 64)
        for i in [int(i) for i in suspects if column[int(i)].as_py() > int(limit)][:LISTED]:
            within = False
            message = f"{name} {column[i].as_py().normalize():f} is more than Nautilus can hold, {int(limit):,}"
            log.report(AnomalyKind.BAD_VALUE, chunk.file, chunk.table.column("line")[i].as_py(), message)
    return within


class GivenSteps:
    """Holds the data against a known definition: every price on its tick, every size on its step."""

    def __init__(self, given: Definition, log: AnomalyLog) -> None:
        self._given = given
        self._log = log

    def check(self, chunk: Chunk) -> None:
        """Report BAD_VALUE for what is off."""
        for name in PRICES.get(chunk.kind, ()):
            self._hold(chunk, name, self._given.price_tick, "tick")
        for name in SIZES.get(chunk.kind, ()):
            self._hold(chunk, name, self._given.size_step, "step")

    def definition(self) -> Definition:
        return self._given

    def _hold(self, chunk: Chunk, name: str, step: Decimal, word: str) -> None:
        column = chunk.table.column(name)
        for i in np.flatnonzero(off_step(words(column), _raw(step)))[:LISTED]:
            value = column[int(i)].as_py().normalize()
            self._log.report(
                AnomalyKind.BAD_VALUE,
                chunk.file,
                chunk.table.column("line")[int(i)].as_py(),
                f"{name} {value:f} is not a multiple of {word} {step:f} ({self._given.source}): "
                f"{_OFF_STEP[self._given.source]}",
            )


@dataclass
class InferredSteps:
    """Finds the coarsest tick and step, of those that divide 100, on which all the data lies."""

    market: Market
    _price: "_CommonStep" = field(default_factory=lambda: _CommonStep())
    _size: "_CommonStep" = field(default_factory=lambda: _CommonStep())

    def check(self, chunk: Chunk) -> None:
        """Take the chunk's prices and sizes into account."""
        for name in PRICES.get(chunk.kind, ()):
            self._price.add(words(chunk.table.column(name)))
        for name in SIZES.get(chunk.kind, ()):
            self._size.add(words(chunk.table.column(name)))

    def definition(self) -> Definition:
        """Raises InstrumentMetadataError where the data has no prices or sizes to infer from."""
        if not (self._price.divisor and self._size.divisor):
            raise InstrumentMetadataError(
                f"{self.market.instrument_id} is not in the catalog and this format has no prices and sizes to infer "
                "it from: give --instruments, or ingest its trades or book first"
            )
        base, quote = split_symbol(self.market)
        return Definition(base, quote, self._price.step, self._size.step, source=Source.INFERRED)


@dataclass
class _CommonStep:
    divisor: int = 0  # of all values so far, in 10^-16; 0: nothing but zeros seen

    def add(self, values: Words) -> None:
        while len(values):
            values = values[off_step(values, self.divisor) if self.divisor else values.any(axis=1)]
            # each round takes one value that does not fit: the divisor halves at least, so there are few
            if len(values):
                low, high = (int(word) for word in values[0])
                self.divisor = math.gcd(self.divisor or LARGEST_INFERRED, (high << 64) + low)

    @property
    def step(self) -> Decimal:
        return (Decimal(self.divisor) / SCALE).normalize()


def _raw(step: Decimal) -> int:
    raw = step * SCALE
    if raw != raw.to_integral_value() or not 0 < raw < 2**63:
        raise InstrumentMetadataError(f"a tick or step of {step} cannot be held: it must be below 922, on 16 places")
    return int(raw)
