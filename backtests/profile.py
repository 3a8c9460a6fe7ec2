"""A replay's profile: a TOML file, validated, with errors that name the key."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from backtests.latency import LatencyLaw
from strategies.config import FlowSettings, Settings
from strategies.guards import GuardSettings
from strategies.scalper_settings import ScalperSettings

DEFAULT_PROFILE = Path(__file__).parent / "profiles" / "default.toml"


class ProfileError(ValueError):
    """The profile cannot be used; the message names the file and the keys."""


class LatencySettings(Settings):
    """What a command takes to a venue: a log-normal from `floor_ms` on with this median. `feed_ms` is what data take to
    get here; left out, it is measured in the catalog."""

    median_ms: Annotated[float, Field(ge=0, le=60_000)] = 20.0
    sigma: Annotated[float, Field(ge=0, le=3)] = 0.5
    floor_ms: Annotated[float, Field(ge=0, le=60_000)] = 5.0
    feed_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None

    def law(self) -> LatencyLaw:
        """The law that latencies are drawn from."""
        return LatencyLaw(self.median_ms, self.sigma, self.floor_ms)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.law()
        return self


class VenueSettings(Settings):
    """One simulated venue. Fees are fractions of notional, money is in USDT.

    Fees are those of `fee_tier` in the venue's schedule (``profiles/fees.toml``) less `fee_discount`, unless both
    `maker_fee` and `taker_fee` are given.
    """

    starting_balance: Annotated[Decimal, Field(gt=0)] = Decimal(100_000)
    leverage: Annotated[Decimal, Field(ge=1, le=200)] = Decimal(10)
    margin_mode: Literal["isolated", "cross"] = "isolated"
    fee_tier: str = "VIP0"
    fee_discount: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal(0)
    maker_fee: Annotated[Decimal, Field(ge=Decimal("-0.01"), le=Decimal("0.01"))] | None = None
    taker_fee: Annotated[Decimal, Field(ge=0, le=Decimal("0.01"))] | None = None
    liquidation_fee: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.0125")
    price_band: Annotated[Decimal, Field(gt=0, lt=1)] | None = Decimal("0.05")  # of limits, from the mark
    max_position_notional: Annotated[Decimal, Field(gt=0)] | None = None  # our own cap, whatever a strategy asks for
    latency: LatencySettings = LatencySettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.maker_fee is None) != (self.taker_fee is None):
            raise ValueError("maker_fee and taker_fee go together: give both, or neither and a fee_tier")
        return self


class SimulationSettings(Settings):
    """What of an honest execution is simulated: all of it, unless somebody wants to know what a part costs."""

    latency: bool = True
    queue: bool = True  # resting orders wait for what was there before them
    fees: bool = True
    funding: bool = True
    liquidation: bool = True
    rules: bool = True  # margin, leverage, ticks, steps, limits and bands of the venues, and our own caps


class ReplaySettings(Settings):
    """What is replayed. `assets` empty: all that the catalog has."""

    assets: tuple[str, ...] = ()
    lead_venues: tuple[str, ...] = (
        "BINANCE",
        "BYBIT",
        "MEXC",
    )  # traded on; the first leads
    seed: Annotated[int, Field(ge=0)] = 7  # of everything that draws at random (the engine's fill model)


class Profile(Settings):
    """The whole of a profile."""

    replay: ReplaySettings = ReplaySettings()
    simulation: SimulationSettings = SimulationSettings()
    venues: dict[str, VenueSettings]
    flow: FlowSettings = FlowSettings()
    scalper: ScalperSettings = ScalperSettings()
    guards: GuardSettings = GuardSettings()


def load_profile(path: Path = DEFAULT_PROFILE) -> Profile:
    """Read a profile. Raises ProfileError naming each key that is wrong, its value and what is expected."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: is not TOML: {error}") from error
    try:
        return Profile.model_validate(table)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise ProfileError(f"{path}: {error.error_count()} keys are wrong\n" + "\n".join(lines)) from error
