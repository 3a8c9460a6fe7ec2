"""What a trade is to be, decided before its first order."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from strategies.checks import require_positive, require_side
from strategies.sizing import SizeRules
from strategies.target_sizes import Part
from strategies.targets import Ladder


@dataclass(frozen=True)
class PostOnly:
    """An entry that rests at `price`, and is cancelled `timeout_ns` after it was sent."""

    price: Decimal
    timeout_ns: int

    def __post_init__(self) -> None:
        require_positive(entry_price=self.price, timeout_ns=Decimal(self.timeout_ns))


@dataclass(frozen=True)
class TradePlan:
    """One trade. Prices in quote per base and on the tick, sizes in the venue's units.

    `targets` are a ladder, split over what is open by `split_size`, or parts, nearest first, of which the nearer have
    precedence while less than their sum is open. Without any, stop and time end the trade. `break_even` is where the
    stop goes once a target is filled; None where it stays. Raises ValueError for what cannot be.
    """

    asset: str
    instrument_id: str
    side: int  # 1 long, -1 short
    size: Decimal
    stop: Decimal  # trigger
    targets: Ladder | tuple[Part, ...]
    horizon_ns: int  # from the first fill to the time barrier
    rules: SizeRules
    entry: PostOnly | None = None  # None: market IOC
    break_even: Decimal | None = None

    def __post_init__(self) -> None:
        require_side(self.side)
        require_positive(size=self.size, stop=self.stop, step=self.rules.step, horizon_ns=Decimal(self.horizon_ns))
        if self.size % self.rules.step:
            raise ValueError(f"size {self.size} is off the venue's step {self.rules.step}: round it down first")
        if self.entry is not None and not self._beyond(self.entry.price, self.stop):
            raise ValueError(f"stop {self.stop} is not on the losing side of an entry at {self.entry.price}")
        if self.break_even is not None and not self._beyond(self.break_even, self.stop):
            raise ValueError(f"break_even {self.break_even} would loosen the stop at {self.stop}")
        if isinstance(self.targets, Ladder):
            if misfit := self.misfit(self.targets):
                raise ValueError(misfit)
        else:
            self._check_parts(self.targets)

    def misfit(self, ladder: Ladder) -> str:
        """Why a ladder cannot be this trade's; empty if it can."""
        if ladder.reach.side != self.side:
            return f"a ladder of side {ladder.reach.side} is not for a trade of side {self.side}"
        for target in ladder.targets:
            if not self._beyond(target.price, self.stop):
                return f"target {target.price} is not beyond the stop at {self.stop}"
        return ""

    def _beyond(self, price: Decimal, other: Decimal) -> bool:
        return self.side * (price - other) > 0

    def _check_parts(self, parts: tuple[Part, ...]) -> None:
        for part in parts:
            require_positive(part_size=part.size, part_price=part.price)
            if not self._beyond(part.price, self.stop):
                raise ValueError(f"target {part.price} is not beyond the stop at {self.stop}")
            if part.size % self.rules.step:
                raise ValueError(f"part {part.size} at {part.price} is off the venue's step {self.rules.step}")
        if sum(part.size for part in parts) > self.size:
            raise ValueError(f"targets of {sum(part.size for part in parts)} are more than the trade's {self.size}")
        for near, far in pairwise(parts):
            if not self._beyond(far.price, near.price):
                raise ValueError(f"targets must lie nearest first, got {near.price} before {far.price}")
