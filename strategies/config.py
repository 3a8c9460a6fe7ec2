"""Settings of flow and decisions: frozen, validated, with units in their names. A profile's tables are these models."""

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
    levels_seconds: Annotated[int, Field(gt=0, le=3600)] = 5  # the lead's levels are read on this clock
    levels_reach_bps: Positive = 40.0  # and this far, each side of the mid
    level_group_bps: Positive = 0.5  # levels are summed in price steps of no more than this
    microprice_reads: Annotated[int, Field(ge=2, le=20_000)] = 60  # for the z-score of the microprice
    wall_quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.98  # of level sizes, that a wall reaches
    wall_span_reads: Annotated[int, Field(ge=2)] = 120  # over which that quantile rolls
    wall_min_reads: Count = 12  # before anything is called a wall
    heat_half_life_seconds: Positive = 120.0  # of the book heatmap
    imbalance_window: Annotated[int, Field(ge=2, le=20_000)] = 300  # samples
    warm_samples: Annotated[int, Field(ge=2)] = 60  # book samples of the lead market before the first snapshot
    flow_seconds: tuple[Count, Count] = (60, 300)  # short and long window of taker flow
    slope_scans: Annotated[int, Field(ge=2, le=2_000)] = 60  # window of the slopes of smoothed CVD
    cvd_smoothing_scans: Annotated[int, Field(ge=2)] = 6  # span of the EMA that smooths CVD
    divergence_scans: Annotated[int, Field(ge=10, le=5_000)] = 180  # window in which peaks are found
    divergence_distance_scans: Count = 12  # between two peaks
    divergence_prominence_sd: Annotated[float, Field(ge=0)] = 0.5  # of a peak
    divergence_confirm_scans: Count = 6  # after a peak before it counts
    divergence_match_scans: Annotated[int, Field(ge=0)] = 6  # between a peak of price and its peak of CVD
    absorption_scans: Annotated[int, Field(ge=2, le=2_000)] = 60  # window of absorption and distribution, even
    lead_step_ms: Count = 100  # grid on which lead and lag between markets are measured
    lead_span_seconds: Positive = 300.0  # of its weights
    surge_bucket_seconds: Count = 5
    surge_span_buckets: Annotated[int, Field(ge=2)] = 60  # length of the baseline
    surge_threshold: Positive = 2.5
    whale_quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.99
    whale_window: Annotated[int, Field(ge=100, le=20_000)] = 1_000  # trades
    burst_gap_seconds: Positive = 0.2  # prints of one side this near belong to one burst
    burst_window: Annotated[int, Field(ge=50, le=20_000)] = 1_000  # bursts
    bar_seconds: Count = 60
    ema_bars: tuple[Count, Count] = (9, 21)  # fast and slow
    rsi_bars: Annotated[int, Field(ge=2)] = 14
    atr_bars: Annotated[int, Field(ge=2)] = 14
    macd_bars: tuple[Count, Count, Count] = (12, 26, 9)  # fast, slow, signal
    bollinger_bars: Annotated[int, Field(ge=2)] = 20
    basis_window: Annotated[int, Field(ge=2, le=20_000)] = 300  # samples
    open_interest_stale_seconds: Positive = 660.0  # reports come every 1 to 5 minutes: two missed ones are a silence
    stale_seconds: Positive = 10.0  # a book or price older than this is not used

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.scan_seconds % self.sample_seconds:
            raise ValueError(
                f"scan_seconds {self.scan_seconds} must be a multiple of sample_seconds {self.sample_seconds}"
            )
        if self.levels_seconds % self.sample_seconds:
            raise ValueError(
                f"levels_seconds {self.levels_seconds} must be a multiple of sample_seconds {self.sample_seconds}"
            )
        if not self.depth_bands_bps or list(self.depth_bands_bps) != sorted(set(self.depth_bands_bps)):
            raise ValueError(f"depth_bands_bps {self.depth_bands_bps} must rise and not be empty")
        if len(self.depth_bands_bps) != 3:
            raise ValueError(f"depth_bands_bps must name three bands (near, middle, far), got {self.depth_bands_bps}")
        for name in ("flow_seconds", "ema_bars", "macd_bars"):
            short, long = getattr(self, name)[:2]
            if short >= long:
                raise ValueError(f"{name} {getattr(self, name)}: the first must be shorter than the second")
        if self.absorption_scans % 2:
            raise ValueError(f"absorption_scans {self.absorption_scans} must be even: the window has two halves")
        if self.warm_samples > self.imbalance_window:
            raise ValueError(f"warm_samples {self.warm_samples} cannot exceed imbalance_window {self.imbalance_window}")
        return self
