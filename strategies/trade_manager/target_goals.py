"""How much is to rest at which target price, while an entry still fills and targets are being taken."""

from collections.abc import Mapping
from decimal import Decimal

from strategies.sizing import SizeRules
from strategies.target_sizes import Part, split_size
from strategies.targets import Ladder


class TargetGoals:
    """A ladder or parts, and what their targets have had since they were planned."""

    def __init__(self, targets: Ladder | tuple[Part, ...], rules: SizeRules) -> None:
        self._targets = targets
        self._rules = rules
        self._held: dict[Decimal, Decimal] = {}
        self._had: dict[Decimal, Decimal] = dict.fromkeys(self._prices(), Decimal(0))

    def replan(self, ladder: Ladder, resting: Mapping[Decimal, Decimal]) -> None:
        """Take a new ladder; what is `resting` by price stays where it is as far as the ladder allows."""
        self._targets = ladder
        self._held = dict(resting)
        self._had = dict.fromkeys(self._prices(), Decimal(0))

    def filled_shares(self, ladder: Ladder, open_size: Decimal) -> list[Decimal]:
        """Of each target of `ladder` the share of its own part that it had, 0 to 1, with `open_size` still open."""
        whole = self._whole(open_size + sum(self._had.values()))
        parts = {part.price: part.size for part in self._parts(whole, filling=False)} if whole > 0 else {}
        return [
            min(self._had.get(target.price, Decimal(0)) / part, Decimal(1))
            if (part := parts.get(target.price, Decimal(0)))
            else Decimal(0)
            for target in ladder.targets
        ]

    def filled(self, price: Decimal, size: Decimal) -> None:
        """A target at `price` was filled; one of an older ladder is an exit like any other."""
        if price in self._had:
            self._had[price] += size

    def wanted(self, open_size: Decimal, *, filling: bool) -> dict[Decimal, Decimal]:
        """What is to rest by price, nearest first, of a positive open size; its sum is never more than that.

        The plan is made of what would be open had no target been filled, and each target has had its own part. So a
        fill changes nothing for the others. `filling` says that the entry may still grow.
        """
        goals: dict[Decimal, Decimal] = {}
        left = open_size
        for part in self._parts(self._whole(open_size + sum(self._had.values())), filling=filling):
            size = self._whole(min(part.size - self._had[part.price], left))
            if size > 0:
                goals[part.price] = size
                left -= size
        return goals

    def _whole(self, size: Decimal) -> Decimal:
        return size - size % self._rules.step

    def _parts(self, size: Decimal, *, filling: bool) -> tuple[Part, ...]:
        if isinstance(self._targets, Ladder):
            return split_size(size, self._targets, self._rules, None if filling else self._held)
        return self._targets

    def _prices(self) -> list[Decimal]:
        targets = self._targets.targets if isinstance(self._targets, Ladder) else self._targets
        return [target.price for target in targets]
