"""Settings of the guards, one table a guard. A profile's ``[guards]`` is this model."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from strategies.config import Count, Positive, Settings


class DailyDrawdownSettings(Settings):
    """A lockout when equity has lost this fraction of its reference.

    `reference` is ``day_start`` (equity at the first check of the UTC day) or ``peak`` (the highest equity of the day).
    """

    enabled: bool = True
    max_fraction: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.05")
    reference: Literal["day_start", "peak"] = "day_start"


class ConsecutiveLossesSettings(Settings):
    """A pause after this many losing trades in a row, over all assets and venues."""

    enabled: bool = True
    max_losses: Count = 3
    halt_seconds: Count = 3600


class StaleDataSettings(Settings):
    """An asset is halted while data of a market that its entries rest on are older than this."""

    enabled: bool = True
    stale_seconds: Positive = 10.0


class SpreadSettings(Settings):
    """An asset is halted while its spread is blown out.

    That is: wider than `max_bps`, or wider than both `floor_bps` and `median_multiple` times the median of the last
    `window_samples` spreads. Spreads are sampled at most every `sample_seconds`, and the median counts from
    `min_samples` on. A tight market's spread multiplies at no cost, hence the floor.
    """

    enabled: bool = True
    max_bps: Positive = 20.0
    median_multiple: Annotated[float, Field(gt=1)] = 5.0
    floor_bps: Positive = 2.0
    window_samples: Annotated[int, Field(ge=2, le=20_000)] = 240
    min_samples: Annotated[int, Field(ge=2)] = 24
    sample_seconds: Positive = 5.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_samples > self.window_samples:
            raise ValueError(f"min_samples {self.min_samples} cannot exceed window_samples {self.window_samples}")
        if self.floor_bps > self.max_bps:
            raise ValueError(f"floor_bps {self.floor_bps} cannot exceed max_bps {self.max_bps}")
        return self


class RejectStormSettings(Settings):
    """A venue is halted for a time when it rejects this many orders within so many seconds."""

    enabled: bool = True
    max_rejects: Count = 5
    within_seconds: Count = 10
    halt_seconds: Count = 300

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.halt_seconds < self.within_seconds:
            raise ValueError(
                f"halt_seconds {self.halt_seconds} must not be below within_seconds {self.within_seconds}: "
                "the same rejects would halt the venue twice"
            )
        return self


class GuardSettings(Settings):
    """All guards. Unknown equity, the kill file and an unfinished reconciliation always halt: they have no switch."""

    daily_drawdown: DailyDrawdownSettings = DailyDrawdownSettings()
    consecutive_losses: ConsecutiveLossesSettings = ConsecutiveLossesSettings()
    stale_data: StaleDataSettings = StaleDataSettings()
    spread: SpreadSettings = SpreadSettings()
    reject_storm: RejectStormSettings = RejectStormSettings()
