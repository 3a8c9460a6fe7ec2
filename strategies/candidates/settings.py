"""Settings of candidates and of the choice between them."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from strategies.checks import require_fraction, require_not_negative, require_positive
from strategies.stops import StopSettings
from strategies.targets import TargetSettings


class Objective(StrEnum):
    """What the chosen candidates have the greatest sum of."""

    NET_VALUE = "net value"
    PROBABILITY = "probability"
    EVERY = "every signal"  # probability, and nobody asks what a trade costs: what the others are compared with


@dataclass(frozen=True)
class CandidateSettings:
    """Who qualifies, how much is staked, how many are taken. Raises ValueError for values out of range."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a key that is not known is an error

    min_probability: Decimal = Decimal("0.60")
    horizon_seconds: int = 900  # the time barrier
    stale_seconds: Decimal = Decimal(10)  # a book that has not changed for longer is not used
    target_r: Decimal = Decimal("1.5")  # of the stop's distance: where the probability's target lies, the farthest aim
    exact_stop: bool = False  # a stop that a minimum distance widens is not traded: probabilities are of the rule's own
    time_out_share: Decimal = Decimal(0)  # of the trades that miss the target, that end by time
    time_out_gross_r: Decimal = Decimal(0)  # before costs, of these, in distances of the stop
    risk_fraction: Decimal = Decimal("0.005")  # of equity, lost at the stop with all costs
    max_notional: Decimal = Decimal(50_000)  # our own cap a position, account currency
    max_leverage: Decimal | None = None  # our own cap of a position's notional over equity
    depth_share: Decimal = Decimal("0.2")  # of the visible size within reach, that an entry takes at most
    entry_reach_bps: Decimal = Decimal(10)  # beyond the best price, that an entry may walk
    max_positions: int = 5  # open ones included
    risk_budget_fraction: Decimal = Decimal("0.05")  # of equity, at stake in all positions together
    max_per_venue: int | None = None  # positions, open ones included
    max_per_side: int | None = None  # positions, open ones included
    correlation_limit: float = 0.8  # above it two of one net direction are the same bet
    objective: Objective = Objective.NET_VALUE
    stop: StopSettings = field(default_factory=StopSettings)
    targets: TargetSettings = field(default_factory=TargetSettings)

    def __post_init__(self) -> None:
        require_positive(
            horizon_seconds=Decimal(self.horizon_seconds),
            stale_seconds=self.stale_seconds,
            target_r=self.target_r,
            risk_fraction=self.risk_fraction,
            max_notional=self.max_notional,
            depth_share=self.depth_share,
            risk_budget_fraction=self.risk_budget_fraction,
        )
        require_fraction(
            min_probability=self.min_probability,
            time_out_share=self.time_out_share,
            risk_fraction=self.risk_fraction,
            depth_share=self.depth_share,
            risk_budget_fraction=self.risk_budget_fraction,
        )
        require_not_negative(entry_reach_bps=self.entry_reach_bps)
        if self.max_leverage is not None:
            require_positive(max_leverage=self.max_leverage)
        if not -1 <= self.time_out_gross_r <= 0:
            raise ValueError(
                f"time_out_gross_r {self.time_out_gross_r} must lie in [-1, 0]: from the stop to no move at all"
            )
        for name in ("max_positions", "max_per_venue", "max_per_side"):
            most = getattr(self, name)
            if most is not None and most < 0:
                raise ValueError(f"{name} must be 0 or more, got {most}: None is no cap, 0 bars all")
        if math.isnan(self.correlation_limit) or not -1 <= self.correlation_limit <= 1:
            raise ValueError(f"correlation_limit must lie in [-1, 1], got {self.correlation_limit}")
