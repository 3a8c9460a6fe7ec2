"""Walls in a book: how the orders behind a :class:`catalog.market_walls.WallPlan` appear, refill, flee and end."""

import numpy as np

from catalog.market_levels import (
    HELD,
    LEAVING,
    MAX_WALLS,
    ROOM,
    BookState,
    add_level,
    has_level,
    level_at,
    update_level,
)
from catalog.market_price import BLOCK_NS, STEP_NS, Floats, Ints
from catalog.market_walls import WallPlan
from indicators.kernel import State, States, kernel, new_states

REFILLED = 0.3  # of what takers ate from a real wall comes back with each regular frame
MOST_EATEN = 2.0  # planned sizes: then its owner has had enough
BROKEN = 20.0  # half spreads by which the fair price is beyond a real wall
FLICKER, FLICKER_RANGE = 0.05, 0.15  # chance that a spoof changes its size in a frame, and by what share of it

_WALL = np.dtype(
    [
        ("number", "i8"),
        ("start", "i8"),  # UNIX ns
        ("end", "i8"),
        ("side", "i8"),  # 0 bids, 1 asks
        ("key", "i8"),  # outward
        ("planned", "i8"),  # size; 0 in a place that holds no live wall
        ("flee", "f8"),  # share of the price at which a spoof goes; 0 for real walls
        ("left", "i8"),  # size after the frame before
        ("eaten", "i8"),  # by takers, since it was raised
    ]
)


def no_walls() -> States:
    """Places for live walls, all free."""
    return new_states(_WALL, MAX_WALLS)


def wall_records(plan: WallPlan | None) -> States:
    """The plan as records that kernels read."""
    records = new_states(_WALL, 0 if plan is None else plan.start_ns.size)
    if plan is not None:
        records["number"], records["start"], records["end"] = plan.number, plan.start_ns, plan.end_ns
        records["side"], records["key"] = plan.side, (2 * plan.side - 1) * plan.ticks
        records["planned"] = plan.size
        records["flee"] = np.where(plan.real, 0.0, plan.flee_bps / 1e4)
    return records


def adopt_ends(walls: States, plan: States) -> None:
    """Give live walls the ends that a later block's plan has for them."""
    ends = dict(zip(plan["number"].tolist(), plan["end"].tolist(), strict=True))
    for wall in walls:
        if wall["planned"]:
            wall["end"] = ends.get(int(wall["number"]), int(wall["end"]))


def wall_frame_times(plan: States, mids: Floats, start_ns: int) -> Ints:
    """When a block's book must have a frame so that walls appear, flee and end on time."""
    stop_ns = start_ns + BLOCK_NS
    times = [max(start_ns, start) for start in plan["start"].tolist()] + plan["end"].tolist()
    for wall in plan[plan["flee"] > 0.0]:
        first = max(0, -(-(int(wall["start"]) - start_ns) // STEP_NS))
        last = max(first, min(mids.size, -(-(int(wall["end"]) - start_ns) // STEP_NS)))
        distances = wall["key"] - (2 * wall["side"] - 1) * mids[first:last]
        near = np.flatnonzero(distances < wall["flee"] * mids[first:last])
        times += [start_ns + (first + int(step)) * STEP_NS for step in near[:1]]
    return np.array(sorted({time for time in times if start_ns <= time < stop_ns}), dtype=np.int64)


@kernel
def is_broken(wall: State, now: int, half_spread: float, mid: float) -> bool:
    """True if the price has come to a real wall when it ends, or far beyond it before: takers then sweep it."""
    if wall.planned == 0 or wall.flee > 0.0:
        return False
    distance = wall.key - (2 * wall.side - 1) * mid
    broken: bool = distance < -BROKEN * half_spread or (now >= wall.end and distance <= half_spread)
    return broken


@kernel
def held_mid(walls: States, half_spread: float, mid: float) -> float:
    """The fair price as the makers see it: no nearer than half a spread to a real wall that stands in its way."""
    for i in range(walls.size):
        wall = walls[i]
        if wall.planned > 0 and wall.flee == 0.0:
            mid = min(mid, wall.key - half_spread) if wall.side == 1 else max(mid, half_spread - wall.key)
    return mid


@kernel
def tend_walls(
    rng: np.random.Generator, book: BookState, walls: States, rows: Ints, n: int, half_spread: float, mid: float
) -> tuple[int, float]:
    """Refill live walls and let go those that are over: their levels leave with this frame.

    Returns the number of rows, and the fair price as far as the real walls that are left let it come.
    """
    for i in range(walls.size):
        if walls[i].planned > 0 and walls[i].flee == 0.0:
            n = _tend_wall(rng, book, walls[i], rows, n, half_spread, mid)
    mid = held_mid(walls, half_spread, mid)
    for i in range(walls.size):
        if walls[i].planned > 0 and walls[i].flee > 0.0:
            n = _tend_wall(rng, book, walls[i], rows, n, half_spread, mid)
    return n, mid


@kernel
def _tend_wall(
    rng: np.random.Generator, book: BookState, wall: State, rows: Ints, n: int, half_spread: float, mid: float
) -> int:
    side = wall.side
    index = level_at(book, side, wall.key)
    if not has_level(book, side, index, wall.key) or book.end[side, index] != HELD:
        wall.planned = 0  # takers ate all of it
        return n
    wall.eaten += wall.left - book.size[side, index]
    if _is_over(wall, book.clock[0], wall.key - (2 * side - 1) * mid, mid, half_spread):
        book.end[side, index] = LEAVING
        wall.planned = 0
        return n
    missing = wall.planned - book.size[side, index]
    if wall.flee == 0.0 and missing > 0:
        book.size[side, index] += int(np.ceil(REFILLED * missing))
    elif wall.flee > 0.0 and rng.random() < FLICKER:
        share = 1.0 + FLICKER_RANGE * (2.0 * rng.random() - 1.0)
        book.size[side, index] = max(1, int(share * wall.planned))
    wall.left = book.size[side, index]
    if book.size[side, index] != book.shown[side, index]:
        n = update_level(book, rows, n, side, index)
    return n


@kernel
def _is_over(wall: State, now: int, distance: float, mid: float, half_spread: float) -> bool:
    if now >= wall.end:
        return True
    if wall.flee > 0.0:
        fled: bool = distance < wall.flee * mid
        return fled
    over: bool = wall.eaten >= MOST_EATEN * wall.planned or distance < -BROKEN * half_spread
    return over


@kernel
def raise_walls(
    book: BookState, walls: States, plan: States, first: int, rows: Ints, n: int, half_spread: float, mid: float
) -> tuple[int, int]:
    """Put in the walls of `plan` from `first` on that have started; returns the number of rows, and the next first.

    A wall that would stand in the way of the fair price, or on top of another one, is not raised.
    """
    while first < plan.size and plan[first].start <= book.clock[0]:
        place = 0
        while place < walls.size and walls[place].planned > 0:
            place += 1
        wall = plan[first]
        first += 1
        side, key = wall.side, wall.key
        distance = key - (2 * side - 1) * mid
        if place == walls.size or wall.end <= book.clock[0] or distance < max(half_spread, wall.flee * mid):
            continue
        index = level_at(book, side, key)
        if has_level(book, side, index, key):
            if book.end[side, index] == HELD:
                continue
            book.size[side, index] = wall.planned
            book.full[side, index] = wall.planned
            book.end[side, index] = HELD
            n = update_level(book, rows, n, side, index)
        elif book.levels[side] < ROOM:
            n = add_level(book, rows, n, side, index, key, wall.planned, HELD)
        else:
            continue
        walls[place] = wall
        walls[place].left = wall.planned
    return n, first
