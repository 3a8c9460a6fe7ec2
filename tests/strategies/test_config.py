from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.config import FlowSettings, ScalperSettings


def test_the_defaults_are_valid() -> None:
    """A profile may leave everything out."""
    assert FlowSettings().scan_seconds % FlowSettings().sample_seconds == 0
    assert ScalperSettings().max_positions == 5


@pytest.mark.parametrize("model", [FlowSettings, ScalperSettings])
def test_settings_survive_json(model: type[FlowSettings] | type[ScalperSettings]) -> None:
    """What Nautilus carries through its configs as plain JSON comes back equal, decimals included."""
    assert model.model_validate(model().model_dump(mode="json")) == model()


@pytest.mark.parametrize("model", [FlowSettings, ScalperSettings])
def test_an_unknown_key_is_an_error(model: type[FlowSettings] | type[ScalperSettings]) -> None:
    """A misspelt key does not pass for its default."""
    with pytest.raises(ValidationError, match="scan_secnds"):
        model.model_validate({"scan_secnds": 5})


def test_settings_are_frozen() -> None:
    """Nobody changes a setting while it is in use."""
    with pytest.raises(ValidationError, match="frozen"):
        ScalperSettings().min_score = 0.1  # type: ignore[misc]  # what is tested


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_seconds": 2, "scan_seconds": 5}, "scan_seconds 5 must be a multiple of sample_seconds 2"),
        ({"depth_bands_bps": (5.0, 5.0, 25.0)}, "must rise"),
        ({"depth_bands_bps": (10.0, 5.0, 25.0)}, "must rise"),
        ({"depth_bands_bps": ()}, "must rise and not be empty"),
        ({"depth_bands_bps": (5.0, 10.0)}, "three bands"),
        ({"flow_seconds": (300, 60)}, r"flow_seconds \(300, 60\)"),
        ({"ema_bars": (9, 9)}, r"ema_bars \(9, 9\)"),
        ({"imbalance_window": 50, "warm_samples": 60}, "warm_samples 60 cannot exceed imbalance_window 50"),
        ({"sample_seconds": 0}, "greater than 0"),
        ({"sample_seconds": 61, "scan_seconds": 61}, "less than or equal to 60"),
        ({"whale_quantile": 0.5}, "greater than 0.5"),
        ({"whale_window": 99}, "greater than or equal to 100"),
        ({"stale_seconds": 0.0}, "greater than 0"),
    ],
)
def test_flow_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    """The error shows the value and the rule it breaks."""
    with pytest.raises(ValidationError, match=message):
        FlowSettings(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"min_score": 0.0},
        {"min_score": 1.1},
        {"risk_fraction": 0.051},
        {"max_positions": 6},
        {"max_positions": 0},
        {"max_notional": Decimal(0)},
        {"cooldown_seconds": -1},
        {"horizon_seconds": 0},
    ],
)
def test_scalper_settings_out_of_bounds(changes: dict[str, Any]) -> None:
    """Limits of risk are limits of the type: at most 5 % a trade and 5 positions."""
    with pytest.raises(ValidationError, match=next(iter(changes))):
        ScalperSettings(**changes)
