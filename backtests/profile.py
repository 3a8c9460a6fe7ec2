"""A replay's profile: a TOML file, validated, with errors that name the key."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from strategies.config import FlowSettings, ScalperSettings, Settings

DEFAULT_PROFILE = Path(__file__).parent / "profiles" / "default.toml"


class ProfileError(ValueError):
    """The profile cannot be used; the message names the file and the keys."""


class VenueSettings(Settings):
    """One simulated venue. Fees are fractions of notional."""

    starting_balance: Annotated[Decimal, Field(gt=0)] = Decimal(100_000)  # in USDT
    leverage: Annotated[Decimal, Field(ge=1, le=125)] = Decimal(10)
    maker_fee: Annotated[Decimal, Field(ge=Decimal("-0.01"), le=Decimal("0.01"))]
    taker_fee: Annotated[Decimal, Field(ge=0, le=Decimal("0.01"))]


class ReplaySettings(Settings):
    """What is replayed. `assets` empty: all that the catalog has."""

    assets: tuple[str, ...] = ()
    lead_venues: tuple[str, ...] = ("BINANCE", "BYBIT", "MEXC")  # where an asset is traded: the first that has it
    seed: Annotated[int, Field(ge=0)] = 7  # of everything that draws at random (the engine's fill model)


class Profile(Settings):
    """The whole of a profile."""

    replay: ReplaySettings = ReplaySettings()
    venues: dict[str, VenueSettings]
    flow: FlowSettings = FlowSettings()
    scalper: ScalperSettings = ScalperSettings()


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
