from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.config import FlowSettings
from strategies.scalper_settings import ScalperSettings


def test_the_defaults_are_valid() -> None:
    """A profile may leave everything out."""
    assert FlowSettings().scan_seconds % FlowSettings().sample_seconds == 0
    assert ScalperSettings().candidates.max_positions == 5


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
        ScalperSettings().cooldown_seconds = 1  # type: ignore[misc]  # what is tested


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
    ("changes", "message"),
    [
        ({"candidates": {"risk_fraction": "0.051"}}, "candidates.risk_fraction 0.051 is above 0.05 of equity"),
        ({"candidates": {"max_positions": 6}}, "candidates.max_positions 6 is above 5"),
        ({"candidates": {"min_probability": "1.1"}}, "min_probability"),
        ({"candidates": {"max_notional": 0}}, "max_notional"),
        ({"candidates": {"horizon_seconds": 0}}, "horizon_seconds"),
        ({"candidates": {"stop": {"atr_multiple": 0}}}, "atr_multiple"),
        ({"candidates": {"targets": {"max_targets": 4}}}, "max_targets must be 1, 2 or 3, got 4"),
        ({"entry": {"style": "limit"}}, "entry.style"),
        ({"entry": {"timeout_seconds": 0}}, "entry.timeout_seconds"),
        ({"correlation": {"window_minutes": 60, "min_minutes": 60}}, "min_minutes 60 must be below window_minutes 60"),
        ({"cooldown_seconds": -1}, "cooldown_seconds"),
        ({"kill_watch_seconds": 61}, "kill_watch_seconds"),
    ],
)
def test_scalper_settings_out_of_bounds(changes: dict[str, Any], message: str) -> None:
    """Limits of risk are limits of the type: at most 5 % a trade and 5 positions. The error names value and rule."""
    with pytest.raises(ValidationError, match=message):
        ScalperSettings.model_validate(changes)


@pytest.mark.parametrize(
    "nest",
    [
        lambda wrong: {"entry": wrong},
        lambda wrong: {"correlation": wrong},
        lambda wrong: {"candidates": wrong},
        lambda wrong: {"candidates": {"stop": wrong}},
        lambda wrong: {"candidates": {"targets": wrong}},
    ],
    ids=["entry", "correlation", "candidates", "stop", "targets"],
)
def test_an_unknown_key_of_a_table_within_is_an_error(nest: Callable[[dict[str, int]], dict[str, Any]]) -> None:
    """No table takes a misspelt key for its default, however deep it lies."""
    with pytest.raises(ValidationError, match=r"atr_multipel\n.*(not permitted|unexpected)"):
        ScalperSettings.model_validate(nest({"atr_multipel": 2}))
