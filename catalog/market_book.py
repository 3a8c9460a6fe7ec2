"""The order books of the built-in market: one line of events, in which makers, walls and takers take turns.

A touch that was emptied shows at once in a frame of its own, everything else waits for the next regular frame. So the
book that a reader rebuilds is at every moment the one that takers met, but for what they took since.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from catalog.market_flow import FlowBlock
from catalog.market_levels import (
    COLUMNS,
    MAX_FRAME_ROWS,
    TRADE_COLUMNS,
    BookState,
    close_frame,
    delete_level,
    empty_book,
    open_frame,
    show_touch,
    write_snapshot,
)
from catalog.market_makers import (
    MIN_LEVELS,
    BookShape,
    advance,
    book_shape,
    cancel_ended,
    extend,
    keep_reach,
    keep_spacing,
    refill_touch,
    resize,
    retreat,
)
from catalog.market_price import BLOCK_NS, STEP_NS, STEPS, Floats, Ints
from catalog.market_reports import PREMIUM_NS
from catalog.market_takers import EVENT_GAP_NS, MAX_WALK, impact_price, sweep_wall, take
from catalog.market_wall_orders import (
    adopt_ends,
    is_broken,
    no_walls,
    raise_walls,
    tend_walls,
    wall_frame_times,
    wall_records,
)
from catalog.market_walls import WallPlan
from indicators.kernel import States, kernel

__all__ = ["BookBlock", "BookShape", "VenueBook", "book_shape", "run_book"]

NEVER = np.iinfo(np.int64).max
SETTLING_FRAMES = 400  # before the start, for the book to take its shape
MENDED = 2  # gaps of a side that makers mend in a regular frame at most


class Timetable(NamedTuple):
    """When things are due in a block, UNIX ns in order; at one time the first named comes first."""

    impacts: Ints  # impact prices are taken
    snapshots: Ints
    takers: Ints
    frames: Ints  # of makers and walls


@kernel
def regular_frame(
    rng: np.random.Generator,
    shape: BookShape,
    book: BookState,
    walls: States,
    plan: States,
    wall: int,
    rows: Ints,
    n: int,
    now: int,
    mid: float,
) -> tuple[int, int]:
    """Write what makers did since the last frame; `wall` is the next of the plan. Returns n and the next wall."""
    first = n
    open_frame(book, now)
    n, mid = tend_walls(rng, book, walls, rows, n, shape.half_spread, mid)
    n, wall = raise_walls(book, walls, plan, wall, rows, n, shape.half_spread, mid)
    for side in range(2):
        fair = (2 * side - 1) * mid
        n = retreat(shape, book, rows, n, side, fair)
        n = refill_touch(book, rows, n, side)
        n = advance(rng, shape, book, rows, n, side, fair)
        n = keep_reach(rng, shape, book, rows, n, side, fair)
        for _ in range(MENDED):
            n = keep_spacing(rng, shape, book, rows, n, side, fair)
    n = resize(rng, shape, book, rows, n, mid)
    for side in range(2):
        n = cancel_ended(book, rows, n, side)
    close_frame(book, rows, first, n, 0)
    return n, wall


@kernel
def emptied_frame(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, mid: float
) -> int:
    """Tell of levels that a taker emptied, at once."""
    first = n
    open_frame(book, book.clock[0] + EVENT_GAP_NS)
    while book.levels[side] > 0 and book.size[side, 0] == 0:
        n = delete_level(book, rows, n, side, 0)
    n = show_touch(book, rows, n, side)
    n = show_touch(book, rows, n, 1 - side)
    while book.levels[side] < MIN_LEVELS:
        n = extend(rng, shape, book, rows, n, side, (2 * side - 1) * mid)
    close_frame(book, rows, first, n, 0)
    return n


@kernel
def _with_room(rows: Ints, n: int, more: int) -> Ints:
    if n + more <= rows.shape[0]:
        return rows
    wider = np.empty((2 * rows.shape[0] + more, rows.shape[1]), np.int64)
    for i in range(n):  # what a slice could raise takes two seconds to compile
        for j in range(rows.shape[1]):
            wider[i, j] = rows[i, j]
    return wider


@kernel
def run_book(
    rng: np.random.Generator,
    shape: BookShape,
    book: BookState,
    walls: States,
    plan: States,
    mids: Floats,
    start_ns: int,
    due: Timetable,
    taker_sides: Ints,
    taker_sizes: Ints,
    impact: Floats,
) -> tuple[Ints, Ints]:
    """Play what is due in the order of its times; `book` and `walls` move on.

    Returns book rows (see :mod:`catalog.market_levels`) and trades, and fills `impact` (n, 2) with impact bids and
    asks. Each taker trades. `taker_sizes` are the sizes wished for.
    """
    rows = np.empty((8192, COLUMNS), np.int64)
    trades = np.empty((2 * due.takers.size + MAX_WALK, TRADE_COLUMNS), np.int64)
    n = m = wall = int(np.int64(0))  # a literal 0 would compile everything below twice
    snapshot = frame = taker = sample = 0
    while True:
        next_snapshot = due.snapshots[snapshot] if snapshot < due.snapshots.size else NEVER
        next_frame = due.frames[frame] if frame < due.frames.size else NEVER
        next_taker = due.takers[taker] if taker < due.takers.size else NEVER
        next_sample = due.impacts[sample] if sample < due.impacts.size else NEVER
        time = min(next_snapshot, next_frame, next_taker, next_sample)
        if time == NEVER:
            return rows[:n], trades[:m]
        rows = _with_room(rows, n, MAX_FRAME_ROWS)
        trades = _with_room(trades, m, MAX_WALK)
        now = max(time, book.clock[0] + EVENT_GAP_NS)
        mid = mids[min(max((time - start_ns) // STEP_NS, 0), STEPS - 1)]
        if time == next_sample:
            for side in range(2):
                impact[sample, side] = impact_price(book, side, shape.impact)
            sample += 1
        elif time == next_snapshot:
            n = write_snapshot(book, rows, n, now)
            snapshot += 1
        elif time == next_taker:
            side = 1 if taker_sides[taker] > 0 else 0
            m = take(book, side, taker_sizes[taker], now, taker, trades, m)
            if book.size[side, 0] == 0:
                n = emptied_frame(rng, shape, book, rows, n, side, mid)
            taker += 1
        else:
            for i in range(walls.size):
                if is_broken(walls[i], now, shape.half_spread, mid):
                    side = walls[i].side
                    now = max(now, book.clock[0] + EVENT_GAP_NS)
                    m = sweep_wall(book, side, walls[i].key, now, trades, m)
                    if book.size[side, 0] == 0:
                        n = emptied_frame(rng, shape, book, rows, n, side, mid)
                    rows = _with_room(rows, n, MAX_FRAME_ROWS)
                    trades = _with_room(trades, m, MAX_WALK)
            now = max(now, book.clock[0] + EVENT_GAP_NS)
            n, wall = regular_frame(rng, shape, book, walls, plan, wall, rows, n, now, mid)
            frame += 1


@dataclass(frozen=True)
class BookBlock:
    """What a market published in one block.

    `rows` is (n, COLUMNS), see :mod:`catalog.market_levels`; `trades` is (m, TRADE_COLUMNS): time, price in ticks, size
    in steps, and the index of its taker in the block's flow, negative for takers that break a wall. `impact` is (k, 2):
    impact bid and ask in ticks, every PREMIUM_NS from the block's start on.
    """

    rows: Ints
    trades: Ints
    impact: Floats


class VenueBook:
    """The book of one market, carried from block to block."""

    def __init__(self, shape: BookShape, frames_per_second: float) -> None:
        self._shape = shape
        self._frames_a_block = frames_per_second * BLOCK_NS / 1e9
        self._book = empty_book()
        self._walls = no_walls()

    def block(
        self,
        rng: np.random.Generator,
        mids: Floats,
        flow: FlowBlock,
        start_ns: int,
        snapshot_times: Ints,
        walls: WallPlan | None = None,
    ) -> BookBlock:
        """`mids` is the fair price in ticks on the grid. Of `walls`, those that started before are known or over."""
        plan = wall_records(walls)
        adopt_ends(self._walls, plan)
        wall_frames = wall_frame_times(plan, mids, start_ns)
        if self._book.levels[0] == 0:
            self._settle(rng, mids, start_ns)
        else:
            plan = plan[plan["start"] >= start_ns]
        frames = rng.poisson(self._frames_a_block)
        random_frames = rng.integers(start_ns + 1, start_ns + BLOCK_NS, frames)
        frame_times = np.sort(np.concatenate((random_frames, wall_frames)))
        impact_times = np.arange(start_ns, start_ns + BLOCK_NS, PREMIUM_NS, dtype=np.int64)
        due = Timetable(impact_times, snapshot_times, flow.times, frame_times)
        return self._run(rng, plan, mids, flow, start_ns, due)

    def _settle(self, rng: np.random.Generator, mids: Floats, start_ns: int) -> None:
        none = np.empty(0, np.int64)
        frame_times = start_ns - EVENT_GAP_NS * np.arange(SETTLING_FRAMES, 0, -1)
        due = Timetable(none, none, none, frame_times)
        self._run(rng, wall_records(None), mids, FlowBlock(none, none, none), start_ns, due)

    def _run(
        self, rng: np.random.Generator, plan: States, mids: Floats, flow: FlowBlock, start_ns: int, due: Timetable
    ) -> BookBlock:
        impact = np.empty((due.impacts.size, 2))
        rows, trades = run_book(
            rng, self._shape, self._book, self._walls, plan, mids, start_ns, due, flow.sides, flow.sizes, impact
        )
        return BookBlock(rows, trades, impact)
