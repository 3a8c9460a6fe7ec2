"""The order books of the built-in market: levels that follow the fair price, and takers that eat them.

Cumulative depth grows with distance to the power 0.67, as measured on BTC perps. A taker takes at most what rests at
the touch, as nearly all takers do (Farmer, Gillemot, Lillo, Mike, Sen 2004, "What really causes large price changes?");
an emptied touch shows at once in a frame of its own, everything else waits for the next regular frame. So the book that
a reader rebuilds is at every moment the one that takers met, but for what they took from the touch since.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from catalog.market_flow import FlowBlock
from catalog.market_levels import (
    COLUMNS,
    MAX_FRAME_ROWS,
    MAX_LEVELS,
    BookState,
    add_level,
    close_frame,
    delete_level,
    empty_book,
    open_frame,
    show_traded,
    update_level,
    write_snapshot,
)
from catalog.market_price import BLOCK_NS, STEP_NS, STEPS, Floats, Ints
from indicators.kernel import kernel

MIN_LEVELS = 10  # a side
MAX_EMPTIED_ROWS = 3  # the level that went, the other touch, and one level at the end
EVENT_GAP_NS = 1_000  # the least time between two events of a market: order never hangs on a tie
NEVER = np.iinfo(np.int64).max
SETTLING_FRAMES = 300  # before the start, for the book to take its shape

DEPTH_EXPONENT = 0.67
SPACING_BPS = 0.15  # between levels at the touch, where the tick allows
SPACING_GROWTH = 0.1  # ticks of spacing for each tick of distance
REACH_BPS, LEAST_REACH = 25.0, 40.0  # where levels end: basis points, but at least so many ticks
CROWDED, SPARSE = (
    1.3,
    2.2,
)  # of the spacing wanted: two gaps below lose their level, a gap above gains one
RETREAT, ADVANCE = 0.3, 2.5  # half spreads from the fair price: a touch nearer leaves, one further away is bettered
LEAST_HALF_SPREAD = 0.4  # ticks
SIZE_NOISE = 0.6  # standard deviation of the log size of a level
FEWEST_REFRESHED, MOST_REFRESHED = 3, 6  # sizes that change in a regular frame


class BookShape(NamedTuple):
    """What a book looks like in ticks and size steps. `depth` is the mean size within one tick of the fair price."""

    half_spread: float
    spacing: float
    reach: float
    depth: float


def book_shape(price: float, tick: float, spread_bps: float, depth_10bps: float) -> BookShape:
    """The shape of a book around `price`; `depth_10bps` is the size (in steps) on one side within 10 bps."""
    bp = price / 1e4 / tick
    return BookShape(
        half_spread=max(LEAST_HALF_SPREAD, 0.5 * spread_bps * bp),
        spacing=SPACING_BPS * bp,
        reach=max(LEAST_REACH, REACH_BPS * bp),
        depth=depth_10bps / (10.0 * bp) ** DEPTH_EXPONENT,
    )


@kernel
def _spacing(shape: BookShape, distance: float) -> float:
    return max(1.0, shape.spacing + SPACING_GROWTH * distance)


@kernel
def _draw_size(rng: np.random.Generator, shape: BookShape, distance: float, anchor: int) -> int:
    """A size for a level at `distance` ticks; halfway (in logs) to `anchor`, the size it had, unless that is 0."""
    # a fair price that ran past the book before the next frame makes a distance negative for a moment
    distance = max(0.0, distance)
    half = 0.5 * _spacing(shape, distance)
    mean = shape.depth * ((distance + half) ** DEPTH_EXPONENT - max(0.0, distance - half) ** DEPTH_EXPONENT)
    if anchor > 0:
        mean = np.sqrt(mean * anchor)
    noise = np.exp(SIZE_NOISE * rng.standard_normal() - 0.5 * SIZE_NOISE * SIZE_NOISE)
    return max(1, int(mean * noise))


@kernel
def _extend(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    end = book.levels[side]
    last = book.key[side, end - 1]
    key = last + max(1, int(np.rint(_spacing(shape, last - fair))))
    return add_level(book, rows, n, side, end, key, _draw_size(rng, shape, key - fair, 0))


@kernel
def _follow_price(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    while book.levels[side] > 0 and book.key[side, 0] < fair + RETREAT * shape.half_spread:
        n = delete_level(book, rows, n, side, 0)
    n = show_traded(book, rows, n, side)
    wanted = int(np.ceil(fair + shape.half_spread))
    touch = book.key[side, 0] if book.levels[side] > 0 else NEVER
    if touch > wanted and touch > fair + ADVANCE * shape.half_spread:
        if book.levels[side] == MAX_LEVELS:
            n = delete_level(book, rows, n, side, MAX_LEVELS - 1)
        n = add_level(book, rows, n, side, 0, wanted, _draw_size(rng, shape, wanted - fair, 0))
    return n


@kernel
def _keep_reach(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    while book.levels[side] < MIN_LEVELS:
        n = _extend(rng, shape, book, rows, n, side, fair)
    outermost = book.levels[side] - 1
    distance = book.key[side, outermost] - fair
    if distance > 1.3 * shape.reach and outermost >= MIN_LEVELS:
        n = delete_level(book, rows, n, side, outermost)
    elif distance < shape.reach and outermost + 1 < MAX_LEVELS:
        n = _extend(rng, shape, book, rows, n, side, fair)
    return n


@kernel
def _keep_spacing(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    for i in range(book.levels[side] - 1):
        key = book.key[side, i]
        outer = book.key[side, i + 1]
        wanted = _spacing(shape, key - fair)
        if outer - key > SPARSE * wanted and book.levels[side] < MAX_LEVELS:
            middle = (key + outer) // 2
            return add_level(book, rows, n, side, i + 1, middle, _draw_size(rng, shape, middle - fair, 0))
        crowded = i > 0 and outer - book.key[side, i - 1] < CROWDED * wanted
        if crowded and book.levels[side] > MIN_LEVELS and book.named[side, i] != book.clock[1]:
            return delete_level(book, rows, n, side, i)
    return n


@kernel
def _refresh(rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, mid: float) -> int:
    changes = FEWEST_REFRESHED + int(rng.random() * (MOST_REFRESHED - FEWEST_REFRESHED + 1))
    for _ in range(changes):
        side = int(rng.random() * 2.0)
        u = rng.random()
        index = int(book.levels[side] * u * u)  # most changes are near the touch
        if book.named[side, index] != book.clock[1]:
            distance = book.key[side, index] - (2 * side - 1) * mid
            book.size[side, index] = _draw_size(rng, shape, distance, book.size[side, index])
            n = update_level(book, rows, n, side, index)
    return n


@kernel
def _regular_frame(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, now: int, mid: float
) -> int:
    first = n
    open_frame(book, now)
    for side in range(2):
        fair = (2 * side - 1) * mid
        n = _follow_price(rng, shape, book, rows, n, side, fair)
        n = _keep_reach(rng, shape, book, rows, n, side, fair)
        n = _keep_spacing(rng, shape, book, rows, n, side, fair)
    n = _refresh(rng, shape, book, rows, n, mid)
    close_frame(book, rows, first, n, 0)
    return n


@kernel
def _emptied_frame(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, now: int, side: int, mid: float
) -> int:
    first = n
    open_frame(book, now)
    n = delete_level(book, rows, n, side, 0)
    n = show_traded(book, rows, n, 1 - side)
    while book.levels[side] < MIN_LEVELS:
        n = _extend(rng, shape, book, rows, n, side, (2 * side - 1) * mid)
    close_frame(book, rows, first, n, 0)
    return n


@kernel
def run_book(
    rng: np.random.Generator,
    shape: BookShape,
    book: BookState,
    mids: Floats,
    start_ns: int,
    snapshot_times: Ints,
    frame_times: Ints,
    taker_times: Ints,
    taker_sides: Ints,
    taker_sizes: Ints,
    rows: Ints,
    trades: Ints,
) -> int:
    """Play frames and takers in the order of their times; `book` moves on.

    Fills `rows` (see :mod:`catalog.market_levels`) and `trades` (time, price in ticks, size in steps); returns the
    number of rows. Each taker trades. `taker_sizes` are the sizes wished for.
    """
    n = int(np.int64(0))  # a literal 0 would compile everything below twice
    snapshot = frame = taker = 0
    while True:
        next_snapshot = snapshot_times[snapshot] if snapshot < snapshot_times.size else NEVER
        next_frame = frame_times[frame] if frame < frame_times.size else NEVER
        next_taker = taker_times[taker] if taker < taker_times.size else NEVER
        due = min(next_snapshot, next_frame, next_taker)
        if due == NEVER:
            return n
        now = max(due, book.clock[0] + EVENT_GAP_NS)
        mid = mids[min(max((due - start_ns) // STEP_NS, 0), STEPS - 1)]
        if due == next_snapshot:
            n = write_snapshot(book, rows, n, now)
            snapshot += 1
        elif due == next_frame:
            n = _regular_frame(rng, shape, book, rows, n, now, mid)
            frame += 1
        else:
            side = 1 if taker_sides[taker] > 0 else 0
            size = min(taker_sizes[taker], book.size[side, 0])
            trades[taker, 0] = now
            trades[taker, 1] = (2 * side - 1) * book.key[side, 0]
            trades[taker, 2] = size
            book.size[side, 0] -= size
            book.traded[side] = 1
            book.clock[0] = now
            if book.size[side, 0] == 0:
                n = _emptied_frame(rng, shape, book, rows, n, now + EVENT_GAP_NS, side, mid)
            taker += 1


@dataclass(frozen=True)
class BookBlock:
    """What a market published in one block: book rows (n, COLUMNS), and trades (m, 3) as time, ticks, steps."""

    rows: Ints
    trades: Ints


class VenueBook:
    """The book of one market, carried from block to block."""

    def __init__(self, shape: BookShape, frames_per_second: float) -> None:
        self._shape = shape
        self._frames_a_block = frames_per_second * BLOCK_NS / 1e9
        self._book = empty_book()

    def block(
        self, rng: np.random.Generator, mids: Floats, flow: FlowBlock, start_ns: int, snapshot_times: Ints
    ) -> BookBlock:
        """`mids` is the fair price in ticks on the grid."""
        if self._book.levels[0] == 0:
            self._settle(rng, mids, start_ns)
        frames = rng.poisson(self._frames_a_block)
        frame_times = np.sort(rng.integers(start_ns + 1, start_ns + BLOCK_NS, frames))
        return self._run(rng, mids, flow, start_ns, snapshot_times, frame_times)

    def _settle(self, rng: np.random.Generator, mids: Floats, start_ns: int) -> None:
        frame_times = start_ns - EVENT_GAP_NS * np.arange(SETTLING_FRAMES, 0, -1)
        none = np.empty(0, np.int64)
        self._run(rng, mids, FlowBlock(none, none, none), start_ns, none, frame_times)

    def _run(
        self,
        rng: np.random.Generator,
        mids: Floats,
        flow: FlowBlock,
        start_ns: int,
        snapshot_times: Ints,
        frame_times: Ints,
    ) -> BookBlock:
        # the most that can be written; pages that never are cost nothing
        most = (frame_times.size + snapshot_times.size) * MAX_FRAME_ROWS + flow.times.size * MAX_EMPTIED_ROWS
        rows = np.empty((most, COLUMNS), np.int64)
        trades = np.empty((flow.times.size, 3), np.int64)
        n = run_book(
            rng, self._shape, self._book, mids, start_ns, snapshot_times, frame_times,
            flow.times, flow.sides, flow.sizes, rows, trades,
        )  # fmt: skip
        return BookBlock(rows[:n], trades)
