"""Where to take profit: a ladder of up to three targets just in front of resting liquidity, split by its strength.

Price is drawn to large resting size and often turns in front of it, so a target lies a tick before a wall and not in
its queue. Targets lie beyond break-even (nearer they would be losses after costs) and no farther than the barrier (the
farthest price worth aiming at within the horizon). Where nothing rests in between, they are fixed multiples of R.

`replan` says how a ladder changes, `strategies.target_sizes` how a position is split over it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from strategies.checks import require_fraction, require_not_negative, require_positive, require_side
from strategies.ticks import to_tick

BPS = Decimal("0.0001")
SHARE_STEP = Decimal("0.0001")
LEAST_SHARE = Decimal("0.001")  # of what is open, that a kept target is counted with at least


class Source(StrEnum):
    """What a target aims at."""

    WALL = "wall"
    CLUSTER = "cluster"
    MAGNET = "magnet"
    MULTIPLE = "R multiple"
    BARRIER = "barrier"


class NoTarget(StrEnum):
    """Why there is nothing to aim at, and so no trade."""

    NO_ROOM = "no price between break-even and the barrier"


@dataclass(frozen=True)
class Wall:
    """Resting liquidity on the target side: its price (quote per base), and its strength in a unit that all share."""

    price: Decimal
    strength: Decimal
    source: Source = Source.WALL

    def __post_init__(self) -> None:
        require_positive(price=self.price, strength=self.strength)


@dataclass(frozen=True)
class Target:
    """A take-profit: `price` on the tick, `share` of what was open when its ladder was made, its wall."""

    price: Decimal
    share: Decimal
    source: Source
    wall: Decimal | None = None


@dataclass(frozen=True)
class TargetSettings:
    """How a ladder is made. Raises ValueError for values outside of their ranges."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a key that is not known is an error

    max_targets: int = 3  # 1 to 3
    multiples: tuple[Decimal, ...] = (Decimal("1.5"),)  # of R, where there is no wall: the nearest first
    front_ticks: int = 1  # between a target and its wall, at least 1
    min_gap_bps: Decimal = Decimal(2)  # of entry, between two targets
    same_wall_bps: Decimal = Decimal(1)  # of entry: a wall this near to where it was is still there
    min_share: Decimal = Decimal("0.15")  # of a wall's target, unless it is the only one

    def __post_init__(self) -> None:
        if self.max_targets not in (1, 2, 3):
            raise ValueError(f"max_targets must be 1, 2 or 3, got {self.max_targets}")
        if not self.multiples or list(self.multiples) != sorted(set(self.multiples)):
            raise ValueError(f"multiples {self.multiples} must rise and not be empty")
        require_positive(first_multiple=self.multiples[0], front_ticks=Decimal(self.front_ticks))
        require_not_negative(min_gap_bps=self.min_gap_bps, same_wall_bps=self.same_wall_bps, min_share=self.min_share)
        if self.min_share > Decimal("0.3"):
            raise ValueError(f"min_share {self.min_share} must be at most 0.3: three targets need room")


@dataclass(frozen=True)
class Reach:
    """Where targets of a trade may lie: beyond `break_even`, up to `barrier`; prices in quote per base."""

    side: int  # 1 long, -1 short
    entry: Decimal
    break_even: Decimal  # price at which an exit pays the costs of the round trip
    barrier: Decimal  # the farthest worth aiming at
    stop_distance: Decimal  # R, quote per base
    tick: Decimal

    def __post_init__(self) -> None:
        require_side(self.side)
        require_positive(
            entry=self.entry,
            break_even=self.break_even,
            barrier=self.barrier,
            stop_distance=self.stop_distance,
            tick=self.tick,
        )
        if self.side * (self.break_even - self.entry) < 0:
            raise ValueError(f"break_even {self.break_even} is a loss before costs from entry {self.entry}")

    def inner(self, price: Decimal) -> Decimal:
        """The price on the tick, nearer to entry if it lies between two."""
        return to_tick(price, self.tick, -self.side)

    def holds(self, price: Decimal, market: Decimal | None = None) -> bool:
        """Whether a target may lie there; with `market`, whether it also lies beyond that price."""
        if market is not None and self.side * (price - market) <= 0:
            return False
        return self.side * (price - self.break_even) > 0 and self.side * (self.barrier - price) >= 0


@dataclass(frozen=True)
class Ladder:
    """Targets of a trade, nearest first; their shares sum to exactly 1."""

    targets: tuple[Target, ...]
    reach: Reach
    settings: TargetSettings

    @property
    def mean_distance(self) -> Decimal:
        """Distance from entry at which all targets together pay out, quote per base."""
        side, entry = self.reach.side, self.reach.entry
        return sum((target.share * side * (target.price - entry) for target in self.targets), Decimal(0))


def plan_targets(reach: Reach, walls: Iterable[Wall], settings: TargetSettings) -> Ladder | NoTarget:
    """The ladder of a new trade, or the reason why there is none.

    A wall's target lies `front_ticks` before it. Walls whose targets are within `min_gap_bps` of a stronger one's are
    seen as one liquidity and have none of their own. Of the rest the strongest `max_targets` count, without those whose
    share would be below `min_share`; shares are as their strengths. Without any, up to `max_targets` `multiples` within
    reach share alike, and without these the barrier takes all. Walls out of reach, on the other side too, have no say.
    """
    barrier = reach.inner(reach.barrier)
    if not reach.holds(barrier):
        return NoTarget.NO_ROOM
    aims = _at_walls(reach, walls, settings, slots=settings.max_targets, whole=Decimal(1))
    return _ladder(aims or _fixed(reach, settings, Decimal(1)), reach, settings)


def replan(
    ladder: Ladder,
    walls: Sequence[Wall],
    filled_shares: Sequence[Decimal],
    *,
    seen_to: Decimal | None = None,
    market: Decimal | None = None,
) -> Ladder:
    """The ladder for what is still open, after a look at `walls`. These are all the rules:

    1. A target whose wall is still there (within `same_wall_bps` of where it was, however strong) never moves. Nor does
       one whose wall lies beyond `seen_to`, the farthest price that was seen of the book: not seen is not gone. Nor
       does one without a wall, at an R multiple or the barrier.
    2. As long as no open target has lost its wall the ladder itself is returned, whatever new walls there are.
    3. When one has, filled targets drop out, rule 1 holds for the others, and what the lost ones had open is planned
       anew: on walls as in `plan_targets`, in the places that are free, no nearer than `min_gap_bps` to a target that
       was kept or is filled. If there is no such wall it goes to the kept targets in proportion; if there are none of
       these either, to fixed multiples or the barrier.
    4. The shares of a new ladder are of what is open then.

    `walls` are all that are known now: do not ask while the book is stale, no walls would be walls that have gone.
    `filled_shares` says of each target how much of its own order is filled, 0 to 1. With `market` (the best price that
    a new target would rest behind: a long's ask) new targets lie beyond it too; only the barrier, the last resort, may
    then be one that fills at once. Raises ValueError for filled shares that do not fit the ladder.
    """
    if len(filled_shares) != len(ladder.targets):
        raise ValueError(f"{len(filled_shares)} filled shares for {len(ladder.targets)} targets: give one for each")
    for filled in filled_shares:
        require_fraction(filled_share=filled)
    reach, settings = ladder.reach, ladder.settings
    kept, freed = [], Decimal(0)
    for target, filled in zip(ladder.targets, filled_shares, strict=True):
        rest = target.share * (1 - filled)
        if rest and _stands(target, walls, reach, settings, seen_to):
            kept.append((target, rest))
        else:
            freed += rest
    if not freed:
        return ladder
    whole = freed + sum(rest for _, rest in kept)
    taken = [t.price for t, filled in zip(ladder.targets, filled_shares, strict=True) if filled == 1]
    taken += [target.price for target, _ in kept]
    slots = settings.max_targets - len(kept)
    aims = _at_walls(reach, walls, settings, slots, freed, whole=whole, taken=taken, market=market)
    if not aims and not kept:
        aims = _fixed(reach, settings, freed, market)
    return _ladder([*kept, *aims], reach, settings)


type _Aim = tuple[Target, Decimal]
"""A target whose share is not final, and its weight."""


def _at_walls(
    reach: Reach,
    walls: Iterable[Wall],
    settings: TargetSettings,
    slots: int,
    part: Decimal = Decimal(1),
    *,
    whole: Decimal,
    taken: Sequence[Decimal] = (),
    market: Decimal | None = None,
) -> list[_Aim]:
    """Targets in front of the strongest walls; together they weigh `part` of the ladder's `whole`."""
    gap = reach.entry * settings.min_gap_bps * BPS
    prices, found = list(taken), list[tuple[Decimal, Wall]]()
    for wall in sorted(walls, key=lambda wall: (-wall.strength, reach.side * wall.price)):
        if len(found) == slots:
            break
        price = wall.price - reach.side * settings.front_ticks * reach.tick
        if price <= 0:
            continue
        price = reach.inner(price)
        if reach.holds(price, market) and all(abs(price - other) > gap for other in prices):
            prices.append(price)
            found.append((price, wall))
    total = sum((wall.strength for _, wall in found), Decimal(0))
    while len(found) > 1 and found[-1][1].strength * part < settings.min_share * whole * total:
        total -= found.pop()[1].strength
    return [(Target(price, Decimal(0), wall.source, wall.price), part * wall.strength / total) for price, wall in found]


def _fixed(reach: Reach, settings: TargetSettings, part: Decimal, market: Decimal | None = None) -> list[_Aim]:
    """Targets at multiples of R, else one at the barrier."""
    prices: list[Decimal] = []
    for multiple in settings.multiples:
        price = reach.entry + reach.side * reach.stop_distance * multiple
        if price > 0 and reach.holds(price := reach.inner(price), market) and price not in prices:
            prices.append(price)
    prices = prices[: settings.max_targets]
    if not prices:
        return [(Target(reach.inner(reach.barrier), Decimal(0), Source.BARRIER), part)]
    return [(Target(price, Decimal(0), Source.MULTIPLE), part / len(prices)) for price in prices]


def _stands(
    target: Target, walls: Iterable[Wall], reach: Reach, settings: TargetSettings, seen_to: Decimal | None
) -> bool:
    if target.wall is None or (seen_to is not None and reach.side * (target.wall - seen_to) > 0):
        return True
    near = reach.entry * settings.same_wall_bps * BPS
    return any(abs(wall.price - target.wall) <= near for wall in walls)


def _ladder(aims: Sequence[_Aim], reach: Reach, settings: TargetSettings) -> Ladder:
    """Sort by distance and make weights shares: whole steps that sum to 1, what is left over to the nearest."""
    aims = sorted(aims, key=lambda aim: reach.side * aim[0].price)
    least = sum(weight for _, weight in aims) * LEAST_SHARE
    weights = [max(weight, least) for _, weight in aims]
    total = sum(weights)
    shares = [(weight / total).quantize(SHARE_STEP, ROUND_DOWN) for weight in weights[1:]]
    shares.insert(0, 1 - sum(shares, Decimal(0)))
    targets = (
        Target(target.price, share, target.source, target.wall) for (target, _), share in zip(aims, shares, strict=True)
    )
    return Ladder(tuple(targets), reach, settings)
