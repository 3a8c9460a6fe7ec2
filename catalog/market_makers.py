"""The makers of the built-in market: levels that follow the fair price, thin out, fill up, change and are cancelled.

Cumulative depth grows with distance to the power 0.67, as measured on BTC perps. The times after which levels are
cancelled have a power law with an exponent near 2, as those of orders (Eisler, Kertész, Lillo, Mantegna 2007,
"Diffusive behavior and the modeling of characteristic times in limit order executions"), so that many are gone after a
frame or two and far more size is cancelled than traded. The other figures are assumptions.
"""

from typing import NamedTuple

import numpy as np

from catalog.market_levels import (
    HELD,
    LEAVING,
    MAX_LEVELS,
    BookState,
    add_level,
    delete_level,
    has_level,
    level_at,
    outermost_free,
    update_level,
)
from catalog.market_price import Ints
from indicators.kernel import kernel

MIN_LEVELS = 40  # a side: more than a taker and all walls at their end can take away together

DEPTH_EXPONENT = 0.67
SPACING_BPS = 0.15  # between levels at the touch, where the tick allows
SPACING_GROWTH = 0.02  # ticks of spacing for each tick of distance
REACH_BPS, LEAST_REACH = 50.0, 40.0  # where levels end: basis points, but at least so many ticks
LONGEST_REACH = 1.3  # reaches: a level further out leaves
CROWDED, SPARSE = 1.2, 1.7  # of the spacing wanted: two gaps below lose their level, a gap above gains one
RETREAT, ADVANCE = 0.3, 2.5  # half spreads from the fair price: a touch nearer leaves, one further away is bettered
LEAST_HALF_SPREAD = 0.4  # ticks
SIZE_NOISE = 0.6  # standard deviation of the log size of a level
RESIZED = 2.0  # levels that change their size in a regular frame, on average
REFILLED = 0.5  # of what takers ate from the touch comes back with each regular frame
PATIENCE, PATIENCE_GROWTH = 6.0, 0.15  # frames that a level rests: scale at the touch, and its growth with each spacing
LIFE_TAIL = 1.1  # exponent of the probability of a longer life; the density's is one more
LONGEST_LIFE = 1e9  # frames
IMPACT_SHARE = 0.0125  # of the depth within 10 bps: as 25 000 USDT, what Binance takes on BTC, are of 2 000 000


class BookShape(NamedTuple):
    """What a book looks like in ticks and size steps."""

    half_spread: float
    spacing: float
    reach: float
    depth: float  # the mean size within one tick of the fair price
    impact: float  # the size at whose mean prices the venue takes the premium


def book_shape(price: float, tick: float, spread_bps: float, depth_10bps: float) -> BookShape:
    """The shape of a book around `price`; `depth_10bps` is the size (in steps) on one side within 10 bps."""
    bp = price / 1e4 / tick
    return BookShape(
        half_spread=max(LEAST_HALF_SPREAD, 0.5 * spread_bps * bp),
        spacing=SPACING_BPS * bp,
        reach=max(LEAST_REACH, REACH_BPS * bp),
        depth=depth_10bps / (10.0 * bp) ** DEPTH_EXPONENT,
        impact=max(1.0, IMPACT_SHARE * depth_10bps),
    )


@kernel
def _spacing(shape: BookShape, distance: float) -> float:
    return max(1.0, shape.spacing + SPACING_GROWTH * distance)


@kernel
def depth_between(shape: BookShape, near: float, far: float) -> float:
    """The mean size that rests between two distances from the fair price, in ticks; none on its other side."""
    depth: float = shape.depth * (max(0.0, far) ** DEPTH_EXPONENT - max(0.0, near) ** DEPTH_EXPONENT)
    return depth


@kernel
def _draw_size(rng: np.random.Generator, mean: float) -> int:
    return max(1, int(mean * np.exp(SIZE_NOISE * rng.standard_normal() - 0.5 * SIZE_NOISE * SIZE_NOISE)))


@kernel
def _draw_end(rng: np.random.Generator, shape: BookShape, book: BookState, distance: float) -> int:
    """The frame in which a new level's makers will cancel it."""
    scale = PATIENCE * (1.0 + PATIENCE_GROWTH * max(0.0, distance) / max(1.0, shape.spacing))
    life = scale * ((1.0 - rng.random()) ** (-1.0 / LIFE_TAIL) - 1.0)
    return int(book.clock[1] + 1 + int(min(life, LONGEST_LIFE)))


@kernel
def _place(
    rng: np.random.Generator,
    shape: BookShape,
    book: BookState,
    rows: Ints,
    n: int,
    side: int,
    index: int,
    key: int,
    fair: float,
) -> int:
    """Put a new level in at `index`; it stands for the depth up to halfway to its neighbours."""
    distance = key - fair
    half = 0.5 * _spacing(shape, distance)
    near = 0.5 * (key + book.key[side, index - 1]) - fair if index > 0 else 0.0
    far = 0.5 * (key + book.key[side, index]) - fair if index < book.levels[side] else distance + half
    size = _draw_size(rng, depth_between(shape, near, far))
    return add_level(book, rows, n, side, index, key, size, _draw_end(rng, shape, book, distance))


@kernel
def extend(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    """Add a level beyond the outermost one that nobody holds."""
    outermost = outermost_free(book, side)
    last = book.key[side, outermost] if outermost >= 0 else int(np.ceil(fair + shape.half_spread))
    key = last + max(1, int(np.rint(_spacing(shape, last - fair))))
    index = level_at(book, side, key)
    while has_level(book, side, index, key):
        key += 1
        index += 1
    return _place(rng, shape, book, rows, n, side, index, key, fair)


@kernel
def retreat(shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float) -> int:
    """Levels that the fair price came too near to leave."""
    while book.levels[side] > 0 and book.key[side, 0] < fair + RETREAT * shape.half_spread:
        n = delete_level(book, rows, n, side, 0)
    return n


@kernel
def refill_touch(book: BookState, rows: Ints, n: int, side: int) -> int:
    """Bring back a share of what takers ate from the touch; walls refill by their own rule."""
    if book.levels[side] == 0:
        return n
    end = book.end[side, 0]
    if end in (HELD, LEAVING) or book.named[side, 0] == book.clock[1]:
        return n
    missing = book.full[side, 0] - book.size[side, 0]
    if missing > 0:
        book.size[side, 0] += int(np.ceil(REFILLED * missing))
    if book.size[side, 0] != book.shown[side, 0]:
        n = update_level(book, rows, n, side, 0)
    return n


@kernel
def advance(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    """A touch that the fair price left behind is bettered."""
    wanted = int(np.ceil(fair + shape.half_spread))
    alone = book.levels[side] == 0
    if alone or (book.key[side, 0] > wanted and book.key[side, 0] > fair + ADVANCE * shape.half_spread):
        if book.levels[side] >= MAX_LEVELS:
            n = delete_level(book, rows, n, side, outermost_free(book, side))
        n = _place(rng, shape, book, rows, n, side, 0, wanted, fair)
    return n


@kernel
def keep_reach(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    """Grow or cut the outer end by a level where it is too near or too far, and keep the least number of levels."""
    while book.levels[side] < MIN_LEVELS:
        n = extend(rng, shape, book, rows, n, side, fair)
    outermost = outermost_free(book, side)
    distance = book.key[side, outermost] - fair if outermost >= 0 else 0.0
    if distance > LONGEST_REACH * shape.reach and book.levels[side] > MIN_LEVELS:
        n = delete_level(book, rows, n, side, outermost)
    elif distance < shape.reach and book.levels[side] < MAX_LEVELS:
        n = extend(rng, shape, book, rows, n, side, fair)
    return n


@kernel
def keep_spacing(
    rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, side: int, fair: float
) -> int:
    """Mend the first gap that is too wide or too narrow, from a random level outwards."""
    u = rng.random()
    for i in range(int(book.levels[side] * u * u), book.levels[side] - 1):
        key = book.key[side, i]
        outer = book.key[side, i + 1]
        if key - fair > shape.reach:
            return n
        wanted = _spacing(shape, key - fair)
        if outer - key > SPARSE * wanted and book.levels[side] < MAX_LEVELS:
            between = key + int((0.25 + 0.5 * rng.random()) * (outer - key))
            return _place(rng, shape, book, rows, n, side, i + 1, max(between, key + 1), fair)
        crowded = i > 0 and outer - book.key[side, i - 1] < CROWDED * wanted
        free = book.end[side, i] != HELD and book.named[side, i] != book.clock[1]
        if crowded and free and book.levels[side] > MIN_LEVELS:
            return delete_level(book, rows, n, side, i)
    return n


@kernel
def resize(rng: np.random.Generator, shape: BookShape, book: BookState, rows: Ints, n: int, mid: float) -> int:
    """Change some sizes, mostly near the touch: halfway (in logs) to a fresh draw for the gap around the level."""
    for _ in range(rng.poisson(RESIZED)):
        side = int(rng.random() * 2.0)
        u = rng.random()
        i = int(book.levels[side] * u * u)
        held_or_over = book.end[side, i] == HELD or book.end[side, i] <= book.clock[1]
        if held_or_over or book.named[side, i] == book.clock[1]:
            continue
        fair = (2 * side - 1) * mid
        key = book.key[side, i]
        half = 0.5 * _spacing(shape, key - fair)
        near = 0.5 * (key + book.key[side, i - 1]) if i > 0 else fair
        far = 0.5 * (key + book.key[side, i + 1]) if i + 1 < book.levels[side] else key + half
        mean = depth_between(shape, near - fair, far - fair)
        book.size[side, i] = _draw_size(rng, np.sqrt(mean * book.full[side, i]))
        book.full[side, i] = book.size[side, i]
        n = update_level(book, rows, n, side, i)
    return n


@kernel
def cancel_ended(book: BookState, rows: Ints, n: int, side: int) -> int:
    """Levels leave whose time has come: the last step of a frame, for those that it has not named.

    The touch stays unless it is LEAVING: many makers queue there, who do not all go at once.
    """
    for i in range(book.levels[side] - 1, -1, -1):
        end = book.end[side, i]
        if end > book.clock[1] or book.named[side, i] == book.clock[1]:
            continue
        if end == LEAVING or (i > 0 and book.levels[side] > MIN_LEVELS):
            n = delete_level(book, rows, n, side, i)
    return n
