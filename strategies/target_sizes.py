"""How a position is split over its targets: whole steps, nothing lost, no part that a venue would refuse."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from strategies.checks import require_positive
from strategies.sizing import SizeRules
from strategies.targets import Ladder


@dataclass(frozen=True)
class Part:
    """The size (the venue's units) that is to rest at a target's price."""

    price: Decimal
    size: Decimal


def split_size(
    size: Decimal, ladder: Ladder, rules: SizeRules, held: Mapping[Decimal, Decimal] | None = None
) -> tuple[Part, ...]:
    """Parts of an open `size`, nearest first, that sum to exactly it.

    Each target gets its share rounded down to the step, the nearest what is left over. A part below the venue's minimum
    is merged with its nearer neighbour, at the nearer price; the nearest one with the next. A size that is below the
    minimum as a whole is one part at the nearest price: closing must not be withheld.

    `held` are sizes that rest already, by price, and is for a new plan: targets that were kept keep theirs, and the
    others share the rest, or all if there are no others. It is disregarded if it is more than is open. While an entry
    is still filling leave it out. Raises ValueError for a size that is not positive or off the step.
    """
    require_positive(size=size, step=rules.step, multiplier=rules.multiplier)
    if size % rules.step:
        raise ValueError(f"size {size} is off the venue's step {rules.step}: a position cannot be that")
    resting = {target.price: (held or {}).get(target.price, Decimal(0)) for target in ladder.targets}
    if sum(resting.values()) > size:
        resting = dict.fromkeys(resting, Decimal(0))
    free = [target for target in ladder.targets if not resting[target.price]] or ladder.targets
    rest = size - sum(resting.values())
    left, shares = rest, sum(target.share for target in free)
    for target in free:
        part = rest * target.share // (shares * rules.step) * rules.step
        resting[target.price] += part
        left -= part
    resting[free[0].price] += left
    return _merged([Part(price, part) for price, part in resting.items()], rules)


def _merged(parts: list[Part], rules: SizeRules) -> tuple[Part, ...]:
    """Merge parts, nearest first, the smallest that is too small before others, of equal ones the farther."""
    while len(parts) > 1:
        small = [k for k, part in enumerate(parts) if _too_small(part, rules)]
        if not small:
            break
        k = max(min(small, key=lambda k: (parts[k].size, -k)), 1)
        parts[k - 1 : k + 1] = [Part(parts[k - 1].price, parts[k - 1].size + parts[k].size)]
    return tuple(parts)


def _too_small(part: Part, rules: SizeRules) -> bool:
    notional = part.size * rules.multiplier * part.price
    return (
        part.size <= 0
        or (rules.min_size is not None and part.size < rules.min_size)
        or (rules.min_notional is not None and notional < rules.min_notional)
    )
