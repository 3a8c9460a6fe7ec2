"""The life of one liquidity wall, from the sample that first shows it to its end, and the score that it earns.

A wall fails by running away: a spoofed order is there to be seen and leaves before it can be traded with. So what is
measured is whether it stays when price comes near. An approach begins when price is within `approach_bps` of the wall,
or the wall is its side's best level, and price has at least halved its distance: an order that is put beside the price
and taken away again has not been approached. It ends when price is twice as far again, and has one of three outcomes:
the wall held (also after each `half_age_ns` with price near), it was consumed (prints reached its price as it went: it
was there to trade with), or it was pulled (it went near price, and no print of the approach had reached it). To hold
counts 1 if prints reached the wall or it became the best level, and less the farther price stayed from it, down to
nothing where approaches begin, or a spoof that flees a little later would seem to have held. A wall that keeps half of
its size has held half as much and half failed. What prints have eaten is not held against it.

The persistence score is the mean of a beta-binomial posterior, the chance that the wall stays when price comes, times
an age factor::

    age factor x (base + held) / (1 + held + failed)        age factor = age / (age + half_age)
    base = (4 x 0.6 + H) / (4 + H + F)

`held` counts this wall's outcomes and its refills; `failed` its pulls, its returns after a cancel (flicker) and what it
has given up so far in an approach that still lasts. `H` and `F` are the same over all walls of its side. There an
outcome weighs the wall's age factor, because the quotes of market makers come and go every second and say little about
an order that rests, and the n-th outcome of a wall 1/n of that, because one wall that holds all day says nothing of the
next; all lose half of their weight every `spoof_half_life_ns`. Among spoofs an untested wall starts with less; one that
has held is judged by its own past. An untested wall of a clean side tends to 0.6 and passes 0.5 at five half ages;
once held, it passes it before two half ages.
"""

from enum import IntEnum

import numpy as np

from indicators.kernel import State, kernel

PRIOR = 0.6
"""Chance that an untested wall stays, before anything is known of its side."""

PRIOR_WEIGHT = 4.0
"""How many outcomes on a side weigh as much as that guess: one old wall pulled brings it from 0.6 to 0.48."""

REFILL = 0.25
"""Share of its largest size by which a wall must recover after having been eaten, to count as refilled."""

OUTGROWN = 0.5
"""A wall below the market's sizes that still has this share of its largest has not gone: the market has grown."""


class WallStatus(IntEnum):
    """What a wall is doing, or how it ended."""

    FREE = 0
    """No wall: the place in the table is free."""
    STANDING = 1
    CONSUMED = 2
    """Gone in a sample in which prints reached its price."""
    CANCELLED = 3
    """Gone away from price, or after an earlier print had reached it."""
    PULLED = 4
    """Gone as price was near, before any print reached it: the mark of a spoof."""


_FREE, _STANDING, _CONSUMED, _CANCELLED, _PULLED = (int(status) for status in WallStatus)

WallState = np.dtype(
    [
        ("status", "i8"),
        ("visible", "i8"),  # 0 while it lies beyond the sampled depth
        ("key", "i8"),  # price in units; of an ask negated
        ("resting", "f8"),  # size in the last sample that showed it, base units
        ("largest", "f8"),
        ("first_ns", "i8"),
        ("age_ns", "i8"),  # how long it was seen standing
        ("left_ns", "i8"),  # when it ended or was lost from sight
        ("eaten", "f8"),  # size lost in samples in which prints reached it
        ("trough", "f8"),  # size after it was last eaten, -1 where there is nothing to refill
        ("refills", "i8"),
        ("flickers", "i8"),  # returns after a cancel
        ("approaches", "i8"),
        ("approaching", "i8"),  # 1 during an approach, which the four below describe
        ("approach_ns", "i8"),
        ("approach_base", "f8"),  # size that it began with, less what was eaten
        ("touched", "i8"),  # 1 once prints reached it
        ("tested", "f8"),  # how near price has come: towards 0 where approaches begin, 1 at the touch
        ("held", "f8"),
        ("failed", "f8"),
        ("farthest", "i8"),  # twice the distance, in units, from which price comes when it approaches
        ("persistence", "f8"),
        ("distance_bps", "f8"),  # from the mid of the last sample that showed it
    ]
)

WallRules = np.dtype(
    [
        ("min_ratio", "f8"),
        ("merge_units", "i8"),
        ("reach_bps", "f8"),
        ("approach_bps", "f8"),
        ("half_age_ns", "i8"),
        ("memory_ns", "i8"),
        ("spoof_half_life_ns", "i8"),
    ]
)

SidePast = np.dtype(
    [
        ("held", "f8"),  # outcomes of all walls of the side, by their age factor, decayed
        ("failed", "f8"),
        ("consumed", "i8"),  # how many walls ended this way, ever
        ("cancelled", "i8"),
        ("pulled", "i8"),
    ]
)


@kernel
def open_wall(wall: State, key: int, resting: float, twice_distance: int, ts: int) -> None:
    """Begin a wall of age 0 in a place of the table, whatever was there."""
    wall.status = _STANDING
    wall.visible = 1
    wall.key = key
    wall.resting = resting
    wall.largest = resting
    wall.first_ns = ts
    wall.age_ns = 0
    wall.left_ns = 0
    wall.eaten = 0.0
    wall.trough = -1.0
    wall.refills = 0
    wall.flickers = 0
    wall.approaches = 0
    wall.approaching = 0
    wall.approach_ns = 0
    wall.approach_base = 0.0
    wall.touched = 0
    wall.tested = 0.0
    wall.held = 0.0
    wall.failed = 0.0
    wall.farthest = twice_distance
    wall.persistence = 0.0
    wall.distance_bps = 0.0


@kernel
def hide_wall(wall: State, rules: State, ts: int) -> None:
    """Note that the sample at `ts` does not reach as far as the wall: it neither ages nor ends, but is forgotten."""
    if wall.status == _STANDING and wall.visible == 1:
        wall.visible = 0
        wall.left_ns = ts
        wall.approaching = 0
        wall.trough = -1.0
    elif ts - wall.left_ns > rules.memory_ns:
        wall.status = _FREE


@kernel
def follow_wall(
    past: State,
    wall: State,
    rules: State,
    ts: int,
    elapsed_ns: int,
    resting: float,
    starts: bool,
    stands: bool,
    touched: bool,
    twice_distance: int,
    twice_near: int,
    is_best: bool,
) -> None:
    """Take what a sample shows at the wall's price.

    Args:
        past: outcomes of the wall's side.
        wall: the wall, not FREE.
        rules: the parameters.
        ts: time of the sample, UNIX ns.
        elapsed_ns: time since the sample before.
        resting: size at the wall's price.
        starts: whether that makes a new wall.
        stands: whether it is enough for a wall that is known.
        touched: whether prints since the last sample reached the price.
        twice_distance: twice the distance in units from price (the mid, or the deepest print if nearer) to the wall.
        twice_near: the same of `approach_bps`.
        is_best: whether no level of its side is nearer to the other side.
    """
    if wall.status != _STANDING:
        if starts:
            _return_wall(past, wall, rules, resting, twice_distance)
        elif ts - wall.left_ns > rules.memory_ns:
            wall.status = _FREE
        return
    if wall.visible == 0:
        # what happened out of sight is not known
        if stands:
            wall.visible = 1
            _rest(wall, resting)
        else:
            wall.status = _FREE
        return
    limit = min(twice_near, wall.farthest >> 1)
    near = 2 * twice_distance <= wall.farthest and (twice_distance <= twice_near or is_best)
    far = not near and twice_distance >= 2 * limit
    if near and wall.approaching == 0:
        wall.approaches += 1
        _begin_approach(wall, ts, wall.resting)
    if near:
        wall.tested = max(wall.tested, 1.0 if touched or is_best else 1.0 - twice_distance / (limit + 1.0))
    if touched:
        _eat(wall, resting)
    if not stands:
        _end_wall(past, wall, rules, ts, resting, touched, near)
        return
    wall.age_ns += elapsed_ns
    if wall.trough >= 0.0 and resting >= wall.trough + REFILL * wall.largest:
        wall.trough = -1.0
        wall.refills += 1
        _settle(past, wall, rules, 1.0, 0.0)
    _rest(wall, resting)
    if wall.approaching == 0:
        wall.farthest = max(wall.farthest, twice_distance)
    elif far or ts - wall.approach_ns >= rules.half_age_ns:
        kept = _kept_share(wall)
        _settle(past, wall, rules, kept * wall.tested, 1.0 - kept)
        if far:
            wall.approaching = 0
            wall.farthest = twice_distance
        else:
            _begin_approach(wall, ts, resting)


@kernel
def wall_persistence(past: State, wall: State, rules: State) -> float:
    """Return the score of a wall, in [0, 1]."""
    base = (PRIOR_WEIGHT * PRIOR + past.held) / (PRIOR_WEIGHT + past.held + past.failed)
    failed = wall.failed
    if wall.approaching == 1:
        failed += 1.0 - _kept_share(wall)
    score: float = _age_factor(wall, rules) * ((base + wall.held) / (1.0 + wall.held + failed))
    return score


@kernel
def decay_past(past: State, rules: State, elapsed_ns: int) -> None:
    """Let the outcomes of a side fade over the time since the last sample."""
    factor = 0.5 ** (elapsed_ns / rules.spoof_half_life_ns)
    past.held *= factor
    past.failed *= factor


@kernel
def _age_factor(wall: State, rules: State) -> float:
    factor: float = wall.age_ns / (wall.age_ns + rules.half_age_ns)
    return factor


@kernel
def _rest(wall: State, resting: float) -> None:
    wall.resting = resting
    wall.largest = max(wall.largest, resting)


@kernel
def _begin_approach(wall: State, ts: int, resting: float) -> None:
    wall.approaching = 1
    wall.approach_ns = ts
    wall.approach_base = resting
    wall.touched = 0
    wall.tested = 0.0


@kernel
def _eat(wall: State, resting: float) -> None:
    wall.touched = 1
    eaten = wall.resting - resting
    if eaten > 0.0:
        wall.eaten += eaten
        wall.approach_base -= eaten
        wall.trough = resting if wall.trough < 0.0 else min(wall.trough, resting)


@kernel
def _kept_share(wall: State) -> float:
    """Return which share of the size it had as price came the wall still has, apart from what was eaten."""
    if wall.resting >= wall.approach_base:
        return 1.0
    share: float = wall.resting / wall.approach_base
    return share


@kernel
def _settle(past: State, wall: State, rules: State, held: float, failed: float) -> None:
    """Count an outcome for the wall and for its side."""
    weight = _age_factor(wall, rules) / (1.0 + wall.held + wall.failed)
    wall.held += held
    wall.failed += failed
    past.held += weight * held
    past.failed += weight * failed


@kernel
def _end_wall(past: State, wall: State, rules: State, ts: int, resting: float, touched: bool, near: bool) -> None:
    if resting >= OUTGROWN * wall.largest:
        wall.status = _FREE
        return
    if touched:
        wall.status = _CONSUMED
        past.consumed += 1
        _settle(past, wall, rules, 1.0, 0.0)
    elif near and wall.touched == 0:
        wall.status = _PULLED
        past.pulled += 1
        _settle(past, wall, rules, 0.0, 1.0)
    else:
        wall.status = _CANCELLED
        past.cancelled += 1
    wall.resting = resting
    wall.left_ns = ts
    wall.approaching = 0
    wall.trough = -1.0


@kernel
def _return_wall(past: State, wall: State, rules: State, resting: float, twice_distance: int) -> None:
    if wall.status == _CONSUMED:
        wall.refills += 1
        _settle(past, wall, rules, 1.0, 0.0)
    else:
        wall.flickers += 1
        wall.failed += 1.0
    wall.status = _STANDING
    wall.visible = 1
    wall.farthest = twice_distance
    _rest(wall, resting)
