"""Settings of flow and decisions: frozen, validated, with units in their names. A profile's tables are these models."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Settings(BaseModel):
    """A frozen table of a profile; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FlowSettings(Settings):
    """How market events become features. Every value is part of the schema id: other settings are other features."""

    sample_seconds: Annotated[int, Field(gt=0, le=60)] = 1  # books are sampled on this clock
    scan_seconds: Annotated[int, Field(gt=0, le=3600)] = 5  # snapshots are made on this clock
    depth_bands_bps: tuple[Positive, ...] = (5.0, 10.0, 25.0)  # each side of the mid
    imbalance_window: Annotated[int, Field(ge=2, le=20_000)] = 300  # samples
    warm_samples: Annotated[int, Field(ge=2)] = 60  # book samples of the lead market before the first snapshot
    flow_seconds: tuple[Count, Count] = (60, 300)  # short and long window of taker flow
    surge_bucket_seconds: Count = 5
    surge_span_buckets: Annotated[int, Field(ge=2)] = 60  # length of the baseline
    surge_threshold: Positive = 2.5
    whale_quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.99
    whale_window: Annotated[int, Field(ge=100, le=20_000)] = 1_000  # trades
    bar_seconds: Count = 60
    ema_bars: tuple[Count, Count] = (9, 21)  # fast and slow
    rsi_bars: Annotated[int, Field(ge=2)] = 14
    atr_bars: Annotated[int, Field(ge=2)] = 14
    stale_seconds: Positive = 10.0  # a book or price older than this is not used

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.scan_seconds % self.sample_seconds:
            raise ValueError(
                f"scan_seconds {self.scan_seconds} must be a multiple of sample_seconds {self.sample_seconds}"
            )
        if not self.depth_bands_bps or list(self.depth_bands_bps) != sorted(set(self.depth_bands_bps)):
            raise ValueError(f"depth_bands_bps {self.depth_bands_bps} must rise and not be empty")
        if len(self.depth_bands_bps) != 3:
            raise ValueError(f"depth_bands_bps must name three bands (near, middle, far), got {self.depth_bands_bps}")
        for name in ("flow_seconds", "ema_bars"):
            short, long = getattr(self, name)
            if short >= long:
                raise ValueError(f"{name} ({short}, {long}): the first must be shorter than the second")
        if self.warm_samples > self.imbalance_window:
            raise ValueError(f"warm_samples {self.warm_samples} cannot exceed imbalance_window {self.imbalance_window}")
        return self


class ScalperSettings(Settings):
    """What the scalper trades, how much, and when it gets out."""

    min_score: Annotated[float, Field(gt=0, le=1)] = 0.35  # of the rule score, on either side
    risk_fraction: Annotated[float, Field(gt=0, le=0.05)] = 0.005  # of equity, lost at the stop
    stop_atr_multiple: Positive = 2.0
    target_stop_multiple: Positive = 1.5  # target distance in R
    horizon_seconds: Count = 900  # the time barrier
    cooldown_seconds: Annotated[int, Field(ge=0)] = 120  # after a trade, on the same asset
    max_positions: Annotated[int, Field(gt=0, le=5)] = 5
    max_notional: Annotated[Decimal, Field(gt=0)] = Decimal(50_000)  # our own cap a position, in account currency
    max_spread_bps: Positive = 5.0
    min_stop_bps: Positive = 8.0  # a stop nearer than this is inside the noise of the spread
    dry_run: bool = False  # decide and log, send nothing
