"""Where a span is cut: times spread over it, each a nanosecond after something, so that what comes next is hidden."""

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from backtests.market_data import SESSION_TYPES, MarketData

WINDOW_NS = 5_000_000_000
BURST_EVENTS = 8


class Moment(StrEnum):
    """What a cut comes after."""

    SCAN = "scan"  # when snapshots are made
    BURST = "burst"  # in the middle of the events that follow most closely on each other
    ORDER = "order"  # when one was sent


def cut_times(
    data: MarketData,
    first_ns: int,
    last_ns: int,
    count: int,
    moments: Sequence[Moment],
    *,
    scan_ns: int,
    orders: Sequence[int] = (),
) -> list[int]:
    """At most `count` times from `first_ns` on and before `last_ns`, in order and all different.

    They lie near times that divide the span evenly, each after another one of `moments`, which come in turn. `orders`
    are the times at which orders were sent. Times are UNIX ns.
    """
    chosen: set[int] = set()
    for k in range(count):
        anchor = first_ns + (last_ns - first_ns) * (k + 1) // (count + 1)
        kinds = [moments[(k + turn) % len(moments)] for turn in range(len(moments))]
        # where two would fall on one another there are few moments: the even time itself does then
        found = [_moment(data, kind, anchor, scan_ns, orders) + 1 for kind in kinds] + [anchor]
        chosen |= set([cut for cut in found if first_ns <= cut < last_ns and cut not in chosen][:1])
    return sorted(chosen)


def _moment(data: MarketData, kind: Moment, anchor: int, scan_ns: int, orders: Sequence[int]) -> int:
    if kind is Moment.SCAN:
        return anchor // scan_ns * scan_ns
    if kind is Moment.ORDER and orders:
        place = bisect_left(orders, anchor)
        return min(orders[max(place - 1, 0) : place + 1], key=lambda ts: abs(ts - anchor))
    times = event_times(data, anchor - WINDOW_NS, anchor + WINDOW_NS)
    if len(times) < 2:
        return anchor
    steps = min(BURST_EVENTS, len(times) - 1)
    densest = int(np.argmin(times[steps:] - times[:-steps]))
    return int(times[densest + steps // 2])


def event_times(data: MarketData, start_ns: int, end_ns: int) -> npt.NDArray[np.int64]:
    """The times of books, trades and marks between two times, both included: each once, in order."""
    found = [np.empty(0, np.int64)]
    for entry in data.series():
        if entry.kind in SESSION_TYPES and entry.first_ns <= end_ns and entry.last_ns >= start_ns:
            span = [("ts_init", ">=", max(start_ns, 0)), ("ts_init", "<=", end_ns)]
            table = pq.read_table(data.catalog.root / entry.path, columns=["ts_init"], filters=span)
            found.append(table.column(0).to_numpy().astype(np.int64))
    return np.unique(np.concatenate(found))
