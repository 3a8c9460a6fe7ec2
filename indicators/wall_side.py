"""The walls of one side of a book: what a sample shows at the known ones, and which of its levels are new ones.

Prices come as sort keys through `sign`: 1 for bids and -1 for asks, so that a larger key is nearer to the other side.
"""

import numpy as np

from indicators.kernel import Floats, Ints, State, kernel
from indicators.parameters import whole
from indicators.wall_memory import SidePast, WallState, WallStatus, follow_wall, hide_wall, open_wall

STAYS = 0.5
"""Share of what begins a wall that a known wall must keep to go on."""

SPLIT = 0.5
"""Share of what begins a wall that the largest of its merged levels must have."""

_FREE, _STANDING = int(WallStatus.FREE), int(WallStatus.STANDING)


def wall_side_dtype(capacity: int) -> np.dtype[np.void]:
    """Return the layout of one side with room for `capacity` walls."""
    return np.dtype([("past", SidePast), ("walls", WallState, (whole("capacity", capacity),))])


@kernel
def follow_walls(
    side: State,
    rules: State,
    ts: int,
    elapsed_ns: int,
    sign: int,
    prices: Ints,
    sizes: Floats,
    count: int,
    twice_mid: int,
    reached: int,
    begins: float,
    typical: float,
) -> None:
    """Show every known wall what rests at its price.

    `reached` is the key of the deepest print since the last sample, `begins` the size that makes a wall, `typical` the
    median level's.
    """
    merge = rules.merge_units
    best, last = sign * prices[0], sign * prices[count - 1]
    other_best = sign * twice_mid - best
    # a print beyond the other side's best is no nearer than the mid; doubled, NO_TRADE would not fit an integer
    twice_price = min(sign * twice_mid, 2 * min(reached, other_best))
    twice_near = int(twice_mid * rules.approach_bps / 10_000)
    for i in range(len(side.walls)):
        wall = side.walls[i]
        if wall.status == _FREE:
            continue
        if wall.key - merge < last:
            hide_wall(wall, rules, ts)
            continue
        resting, neighbours = _around(prices, sizes, count, sign, wall.key, merge)
        excess = resting - neighbours * typical
        follow_wall(
            side.past,
            wall,
            rules,
            ts,
            elapsed_ns,
            resting,
            excess >= begins,
            excess >= STAYS * begins,
            reached <= wall.key + merge,
            twice_price - 2 * wall.key,
            twice_near,
            wall.key + merge >= best,
        )


@kernel
def find_walls(
    side: State,
    rules: State,
    ts: int,
    sign: int,
    prices: Ints,
    sizes: Floats,
    count: int,
    twice_mid: int,
    begins: float,
    typical: float,
) -> None:
    """Open a wall at each level that is one and is not known."""
    merge = rules.merge_units
    least = begins if merge == 0 else SPLIT * begins
    last = sign * prices[count - 1]
    for k in range(count):
        if sizes[k] >= least:
            key = sign * prices[k]
            if key - merge < last or not _is_peak(prices, sizes, count, k, merge) or _is_known(side, key, merge):
                continue
            resting, neighbours = _around(prices, sizes, count, sign, key, merge)
            if resting - neighbours * typical >= begins:
                place = _place_for(side, resting)
                if place >= 0:
                    open_wall(side.walls[place], key, resting, sign * twice_mid - 2 * key, ts)


@kernel
def _around(prices: Ints, sizes: Floats, count: int, sign: int, key: int, merge: int) -> tuple[float, int]:
    """Return the size within `merge` units of `key`, and how many levels but one hold it."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if sign * prices[middle] > key + merge:
            low = middle + 1
        else:
            high = middle
    resting, k = 0.0, low
    while k < count and sign * prices[k] >= key - merge:
        resting += sizes[k]
        k += 1
    return resting, max(k - low - 1, 0)


@kernel
def _is_peak(prices: Ints, sizes: Floats, count: int, k: int, merge: int) -> bool:
    """True if no level within `merge` units is larger, nor one as large nearer to the best."""
    j = k - 1
    while j >= 0 and abs(prices[j] - prices[k]) <= merge:
        if sizes[j] >= sizes[k]:
            return False
        j -= 1
    j = k + 1
    while j < count and abs(prices[j] - prices[k]) <= merge:
        if sizes[j] > sizes[k]:
            return False
        j += 1
    return True


@kernel
def _is_known(side: State, key: int, merge: int) -> bool:
    for i in range(len(side.walls)):
        wall = side.walls[i]
        if wall.status != _FREE and abs(wall.key - key) <= merge:
            return True
    return False


@kernel
def _place_for(side: State, resting: float) -> int:
    """Return where a new wall of this size goes: a free place, else the weakest wall's, or -1 if that is stronger.

    A wall that ended goes first; a standing one is as strong as its size x (1 + persistence). Of equals the farthest
    from the best price goes, and a new wall is weaker than an equal one.
    """
    weakest = -1
    least = resting
    for i in range(len(side.walls)):
        wall = side.walls[i]
        if wall.status == _FREE:
            return i
        strength = wall.resting * (1.0 + wall.persistence) if wall.status == _STANDING else 0.0
        if strength < least or (weakest >= 0 and strength == least and wall.key < side.walls[weakest].key):
            weakest = i
            least = strength
    return weakest
