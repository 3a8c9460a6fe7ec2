"""The peer of the imbalance benchmark: hftbacktest over one market's events, in an environment of its own.

    python hftbacktest_imbalance.py EVENTS.npy TICK LOT [roi|hashmap]

EVENTS.npy holds an array of hftbacktest's event type, times in UNIX nanoseconds, in the order of time; TICK and LOT are
the steps of its prices and of its quantities. The backtester is stepped by 100 ms, and at every step the imbalance of
the five best levels a side is read: (bids - asks) / (bids + asks) of their quantities, 0 while a side is empty.

It prints one line of JSON: `events` (rows), `seconds` (CPU time of the best of the rounds, without loading and without
compiling), `steps`, `checksum` (the sum of the imbalances), `version` (of hftbacktest) and `depth` (the kind of book).

The books are vectors over a range of prices unless `hashmap` is asked for: their tutorials call that the efficient one
for values that are made of levels, and it measures so.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import hftbacktest
import numpy as np
import numpy.typing as npt
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest
from numba import njit

type Events = npt.NDArray[np.void]

STEP_NS = 100_000_000
LEVELS = 5
ROUNDS = 5
WARM_UP_EVENTS = 5_000
# what an event is, in the low byte of its `ev`
DEPTH_KINDS = (1, 4)  # a change of a level, and a level of a snapshot
TRADE_KIND = 2
ALIGNMENT = 64  # bytes: their record is declared to lie on a cache line, which numpy does not see to
END_OF_DATA = 1


@njit
def vector_imbalances(hbt: Any, lowest: int, highest: int) -> tuple[int, float, int]:
    """Step to the end of the data. Returns the steps, the sum of their imbalances and why it ended."""
    steps, total = 0, 0.0
    # views of the living book: looked up once they are a tenth faster than at every step, as the tutorials have it
    depth = hbt.depth(0)
    bid_sizes, ask_sizes, first = depth.bid_depth, depth.ask_depth, depth.roi_lb_tick
    ended = hbt.elapse(STEP_NS)
    while ended == 0:
        steps += 1
        # an empty side has its best price at the far end of int64, which is out of the range
        best_bid, best_ask = depth.best_bid_tick, depth.best_ask_tick
        if lowest <= best_bid and best_ask <= highest:
            bids, found, at = 0.0, 0, best_bid - first
            while found < LEVELS and at >= 0:
                if bid_sizes[at] > 0.0:
                    bids += bid_sizes[at]
                    found += 1
                at -= 1
            asks, found, at = 0.0, 0, best_ask - first
            while found < LEVELS and at < len(ask_sizes):
                if ask_sizes[at] > 0.0:
                    asks += ask_sizes[at]
                    found += 1
                at += 1
            total += (bids - asks) / (bids + asks)
        ended = hbt.elapse(STEP_NS)
    return steps, total, ended


@njit
def hashmap_imbalances(hbt: Any, lowest: int, highest: int) -> tuple[int, float, int]:
    """The same by their book of hash maps, which is asked price by price."""
    steps, total = 0, 0.0
    depth = hbt.depth(0)
    ended = hbt.elapse(STEP_NS)
    while ended == 0:
        steps += 1
        best_bid, best_ask = depth.best_bid_tick, depth.best_ask_tick
        if lowest <= best_bid and best_ask <= highest:
            bids, found, at = 0.0, 0, best_bid
            while found < LEVELS and at >= lowest:
                size = depth.bid_qty_at_tick(at)
                if size > 0.0:
                    bids += size
                    found += 1
                at -= 1
            asks, found, at = 0.0, 0, best_ask
            while found < LEVELS and at <= highest:
                size = depth.ask_qty_at_tick(at)
                if size > 0.0:
                    asks += size
                    found += 1
                at += 1
            total += (bids - asks) / (bids + asks)
        ended = hbt.elapse(STEP_NS)
    return steps, total, ended


BOOKS: dict[str, tuple[Callable[..., Any], Callable[..., tuple[int, float, int]]]] = {
    "roi": (ROIVectorMarketDepthBacktest, vector_imbalances),
    "hashmap": (HashMapMarketDepthBacktest, hashmap_imbalances),
}


def aligned(events: Events) -> Events:
    """A copy that begins on a cache line."""
    room = np.empty(events.nbytes + ALIGNMENT, dtype=np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    copy: Events = room[start : start + events.nbytes].view(events.dtype)
    copy[:] = events
    return copy


def price_range(events: Events, tick: float) -> tuple[int, int]:
    """The lowest and the highest price that their books are to know, in ticks: those of all levels, within reason.

    A vector book is blind outside of its range and a clear wipes all of it. Recorded books have levels at a hundredth
    and at ten times the price, so it ends at half and at twice what was traded: the tutorials choose about that.
    """
    kind = events["ev"] & np.uint64(0xFF)
    prices = events["px"][np.isin(kind, np.array(DEPTH_KINDS, dtype=np.uint64))]
    traded = events["px"][kind == TRADE_KIND]
    lowest, highest = float(prices.min()), float(prices.max())
    if len(traded):
        lowest, highest = max(lowest, float(traded.min()) / 2), min(highest, float(traded.max()) * 2)
    return round(lowest / tick), round(highest / tick)


def run(events: Events, tick: float, lot: float, ticks: tuple[int, int], book: str) -> tuple[float, int, float]:
    """One pass over the events: CPU seconds, steps and the sum of the imbalances."""
    build, imbalances = BOOKS[book]
    asset = BacktestAsset().data(events).linear_asset(1.0).no_partial_fill_exchange()
    asset = asset.constant_order_latency(0, 0).risk_adverse_queue_model().trading_value_fee_model(0.0, 0.0)
    asset = asset.tick_size(tick).lot_size(lot).roi_lb(ticks[0] * tick).roi_ub(ticks[1] * tick)
    hbt = build([asset])
    begin = time.process_time()
    steps, total, ended = imbalances(hbt, *ticks)
    seconds = time.process_time() - begin
    hbt.close()
    if ended != END_OF_DATA:
        raise RuntimeError(f"hftbacktest stopped with code {ended} after {steps} steps")
    return seconds, steps, total


def main(path: str, tick: float, lot: float, book: str = "roi") -> None:
    """Measure a file of events."""
    events = aligned(np.load(path))
    ticks = price_range(events, tick)
    run(events[:WARM_UP_EVENTS], tick, lot, ticks, book)  # compiles
    rounds = [run(events, tick, lot, ticks, book) for _ in range(ROUNDS)]
    _, steps, total = rounds[0]
    result = {
        "events": len(events),
        "seconds": min(seconds for seconds, _, _ in rounds),
        "steps": steps,
        "checksum": total,
        "version": hftbacktest.__version__,
        "depth": book,
    }
    print(json.dumps(result))  # it is what the caller reads


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:5])
