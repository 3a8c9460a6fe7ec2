"""Integer ticks and steps as the exact Arrow tables of :mod:`catalog.tables`."""

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.market_levels import (
    ACTION,
    FLAGS,
    PRICE,
    SEQUENCE,
    SIDE,
    SIZE,
    TAKER,
    TIME,
    TRADE_PRICE,
    TRADE_SIZE,
    TRADE_TIME,
    per_taker,
)
from catalog.market_price import Ints
from catalog.market_reports import FUNDING_INTERVAL_NS, FUNDING_PLACES, MINUTE_NS, ReportBlock
from catalog.market_specs import MarketSpec
from catalog.tables import BUYER, DECIMAL, F_LAST, SCHEMAS, SELLER, Chunk, Kind

FILE = "built-in market"


def decimals_from_units(units: Ints, places: int) -> pa.Array:
    """The exact decimals ``units / 10**places`` with the scale of the catalog; `places` is at most that scale.

    No float is involved: an int64 is widened to the two words of a decimal128 and rescaled by Arrow. Raises ValueError
    for places that the catalog's 16 cannot hold.
    """
    if not 0 <= places <= DECIMAL.scale:
        raise ValueError(f"places is {places}: the catalog's decimals have 0 to {DECIMAL.scale}")
    words = np.empty((units.size, 2), dtype="<i8")
    words[:, 0] = units
    words[:, 1] = units >> 63  # the sign, spread over the high word
    narrow = pa.Array.from_buffers(pa.decimal128(DECIMAL.precision, places), units.size, [None, pa.py_buffer(words)])
    return narrow.cast(DECIMAL)


def decimals_on_grid(counts: Ints, step: Decimal) -> pa.Array:
    """The exact decimals ``counts * step``: prices from ticks, sizes from steps. `step` is positive."""
    places = max(0, -int(step.as_tuple().exponent))
    return decimals_from_units(counts * int(step.scaleb(places)), places)


class Arrivals:
    """When the recorder gets the events of one market and kind: late by a log-normal latency, never out of order."""

    def __init__(self, latency_seconds: float) -> None:
        self._log_median = float(np.log(latency_seconds * 1e9))
        self._last = 0
        self._count = 0

    def take(self, rng: np.random.Generator, times: Ints) -> tuple[Ints, Ints]:
        """The arrival time, strictly increasing, and the 1-based number of each event."""
        number = self._count + 1 + np.arange(times.size, dtype=np.int64)
        delays = np.exp(self._log_median + 0.4 * rng.standard_normal(times.size)).astype(np.int64)
        # an event that would overtake comes 1 ns after the one before it
        arrivals: Ints = np.maximum.accumulate(np.maximum(times + delays - number, self._last - self._count)) + number
        if times.size:
            self._last, self._count = int(arrivals[-1]), int(number[-1])
        return arrivals, number


def _chunk(kind: Kind, columns: dict[str, pa.Array | npt.NDArray[np.generic]]) -> Chunk:
    return Chunk(kind, pa.table(columns, schema=SCHEMAS[kind]), FILE)


def book_chunk(spec: MarketSpec, rows: Ints, arrivals: Arrivals, rng: np.random.Generator) -> Chunk:
    """Book rows as :mod:`catalog.market_levels` writes them; rows of a frame arrive together."""
    last = np.flatnonzero(rows[:, FLAGS] & F_LAST)
    lengths = np.diff(last, prepend=-1)
    ts_init, number = arrivals.take(rng, rows[last, TIME])
    columns = {
        "action": rows[:, ACTION].astype(np.uint8),
        "side": rows[:, SIDE].astype(np.uint8),
        "price": decimals_on_grid(rows[:, PRICE], spec.price_tick),
        "size": decimals_on_grid(rows[:, SIZE], spec.size_step),
        "flags": rows[:, FLAGS].astype(np.uint8),
        "sequence": rows[:, SEQUENCE].astype(np.uint64),
        "ts_event": np.ascontiguousarray(rows[:, TIME]),
        "ts_init": np.repeat(ts_init, lengths),
        "line": np.repeat(number, lengths),
    }
    return _chunk(Kind.BOOK, columns)


def trade_chunk(spec: MarketSpec, trades: Ints, sides: Ints, arrivals: Arrivals, rng: np.random.Generator) -> Chunk:
    """Trades as :class:`catalog.market_book.BookBlock` has them; `sides` are those of the takers. Ids count from 1."""
    times = np.ascontiguousarray(trades[:, TRADE_TIME])
    ts_init, number = arrivals.take(rng, times)
    columns = {
        "price": decimals_on_grid(trades[:, TRADE_PRICE], spec.price_tick),
        "size": decimals_on_grid(trades[:, TRADE_SIZE], spec.size_step),
        "aggressor_side": np.where(per_taker(sides, 1, -1)[trades[:, TAKER]] > 0, BUYER, SELLER).astype(np.uint8),
        "trade_id": pa.array(number).cast(pa.string()),
        "ts_event": times,
        "ts_init": ts_init,
        "line": number,
    }
    return _chunk(Kind.TRADES, columns)


def report_chunks(
    spec: MarketSpec, reports: ReportBlock, arrivals: dict[Kind, Arrivals], rng: np.random.Generator
) -> list[Chunk]:
    """Marks, funding and open interest of a perp."""

    def timed(kind: Kind, times: Ints) -> dict[str, Ints]:
        ts_init, number = arrivals[kind].take(rng, times)
        return {"ts_event": times, "ts_init": ts_init, "line": number}

    marks = {
        "value": decimals_on_grid(reports.marks, spec.price_tick),
        **timed(Kind.MARKS, reports.mark_times),
    }
    funding = {
        "rate": decimals_from_units(reports.funding_rates, FUNDING_PLACES),
        "interval_minutes": np.full(reports.minute_times.size, FUNDING_INTERVAL_NS // MINUTE_NS, np.int64),
        "next_funding_ns": reports.next_funding,
        **timed(Kind.FUNDING, reports.minute_times),
    }
    open_interest = {
        "value": decimals_on_grid(reports.open_interest, spec.size_step),
        **timed(Kind.OPEN_INTEREST, reports.minute_times),
    }
    return [_chunk(Kind.MARKS, marks), _chunk(Kind.FUNDING, funding), _chunk(Kind.OPEN_INTEREST, open_interest)]


def before(chunk: Chunk, end_ns: int) -> Chunk:
    """The rows of a chunk that happened before `end_ns`."""
    rows = int(np.searchsorted(chunk.table["ts_event"].to_numpy(), end_ns))
    return Chunk(chunk.kind, chunk.table.slice(0, rows), chunk.file)
