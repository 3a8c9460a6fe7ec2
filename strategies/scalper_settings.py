"""Settings of the scalper: a profile's ``[scalper]`` table."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from strategies.candidates.settings import CandidateSettings
from strategies.config import Count, Settings

MOST_POSITIONS = 5
MOST_RISK = Decimal("0.05")


class EntrySettings(Settings):
    """How a trade is entered: a market IOC order, or a post-only limit at the best price of its own side that is
    cancelled after `timeout_seconds`. Costs are forecast as those of a taker, whichever it is."""

    style: Literal["market", "post_only"] = "market"
    timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 5.0


class CorrelationSettings(Settings):
    """Of minute returns: over how many, how many are needed, and the weight (in minutes) of "they move as one"."""

    window_minutes: Annotated[int, Field(ge=10, le=1_440)] = 240
    min_minutes: Annotated[int, Field(ge=2)] = 60
    shrink_minutes: Annotated[float, Field(ge=0, le=1e6)] = 30.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_minutes >= self.window_minutes:
            raise ValueError(f"min_minutes {self.min_minutes} must be below window_minutes {self.window_minutes}")
        return self


class ScalperSettings(Settings):
    """What the scalper trades, how much, and when it gets out."""

    model: str = ""  # folder of a trained model; empty: the rule, which is uncalibrated
    candidates: CandidateSettings = CandidateSettings()
    entry: EntrySettings = EntrySettings()
    correlation: CorrelationSettings = CorrelationSettings()
    swing_bars: Count = 2  # minute bars on either side of a swing
    break_even_after_target: bool = True  # the stop goes to break-even once a target is filled
    cooldown_seconds: Annotated[int, Field(ge=0)] = 120  # after a trade, on the same asset
    kill_file: str = ""  # path of a file that stops everything once it exists; empty: none
    kill_watch_seconds: Annotated[float, Field(ge=0, le=60)] = 0  # looked for this often; 0: at each scan alone
    dry_run: bool = False  # decide and log, send nothing

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.candidates.max_positions > MOST_POSITIONS:
            raise ValueError(f"candidates.max_positions {self.candidates.max_positions} is above {MOST_POSITIONS}")
        if self.candidates.risk_fraction > MOST_RISK:
            raise ValueError(f"candidates.risk_fraction {self.candidates.risk_fraction} is above {MOST_RISK} of equity")
        return self
