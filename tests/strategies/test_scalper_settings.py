import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.candidates import CandidateSettings, Objective
from strategies.scalper_settings import CorrelationSettings, EntrySettings, ScalperSettings
from strategies.stops import StopRule, StopSettings
from strategies.targets import TargetSettings

FULL: dict[str, Any] = {
    "model": "models/first",
    "candidates": {
        "min_probability": "0.55",
        "max_leverage": "3",
        "max_per_venue": 2,
        "objective": "probability",
        "stop": {"rule": "wider", "atr_multiple": 1.5},
        "targets": {"max_targets": 2, "multiples": [1, "2.5"]},
    },
    "entry": {"style": "post_only", "timeout_seconds": 2.5},
    "correlation": {"window_minutes": 60, "min_minutes": 30, "shrink_minutes": 0},
    "swing_bars": 3,
    "break_even_after_target": False,
    "cooldown_seconds": 0,
    "kill_file": "stop.now",
    "kill_watch_seconds": 0.5,
    "dry_run": True,
}


def test_the_defaults_are_valid() -> None:
    """A profile may leave everything out."""
    settings = ScalperSettings()
    assert (settings.model, settings.entry.style, settings.dry_run) == ("", "market", False)
    assert settings.candidates == CandidateSettings()


def test_every_table_is_read() -> None:
    """Texts and numbers of a TOML file become exact decimals, rules and objectives."""
    settings = ScalperSettings.model_validate(FULL)
    assert settings.candidates.min_probability == Decimal("0.55")
    assert settings.candidates.objective is Objective.PROBABILITY
    assert settings.candidates.stop == StopSettings(rule=StopRule.WIDER, atr_multiple=Decimal("1.5"))
    assert settings.candidates.targets == TargetSettings(max_targets=2, multiples=(Decimal(1), Decimal("2.5")))
    assert (settings.entry, settings.correlation.min_minutes) == (
        EntrySettings(style="post_only", timeout_seconds=2.5),
        30,
    )


@pytest.mark.parametrize("table", [{}, FULL, {"candidates": {"objective": "every signal"}}])
def test_settings_survive_json(table: dict[str, Any]) -> None:
    """What Nautilus carries through its configs as plain JSON comes back equal, decimals and enums included."""
    settings = ScalperSettings.model_validate(table)
    plain = json.loads(json.dumps(settings.model_dump(mode="json")))
    assert ScalperSettings.model_validate(plain) == settings


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("candidates",),
        ("candidates", "stop"),
        ("candidates", "targets"),
        ("entry",),
        ("correlation",),
    ],
)
def test_a_key_that_is_not_known_is_an_error(path: tuple[str, ...]) -> None:
    """In every table: a misspelt key does not pass for its default. The error says which key it is, and where."""
    table: dict[str, Any] = {"min_probabilty": 1}
    for name in reversed(path):
        table = {name: table}
    with pytest.raises(ValidationError) as caught:
        ScalperSettings.model_validate(table)
    assert [error["loc"] for error in caught.value.errors()] == [(*path, "min_probabilty")]


def test_settings_are_frozen() -> None:
    """Nobody changes a setting while it is in use."""
    with pytest.raises(ValidationError, match="frozen"):
        ScalperSettings().dry_run = True  # type: ignore[misc]  # what is tested


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"candidates": {"max_positions": 6}}, "candidates.max_positions 6 is above 5"),
        ({"candidates": {"risk_fraction": "0.051"}}, "candidates.risk_fraction 0.051 is above 0.05 of equity"),
        ({"candidates": {"risk_fraction": 0}}, "risk_fraction must be positive, got 0"),
        ({"candidates": {"max_positions": -1}}, "max_positions must be 0 or more, got -1"),
        ({"candidates": {"max_notional": "NaN"}}, "max_notional"),
        ({"candidates": {"horizon_seconds": 0}}, "horizon_seconds must be positive"),
        ({"candidates": {"stop": {"atr_multiple": 0}}}, "atr_multiple must be positive"),
        ({"candidates": {"stop": {"rule": "nearest"}}}, "rule"),
        ({"candidates": {"targets": {"max_targets": 4}}}, "max_targets must be 1, 2 or 3"),
        ({"candidates": {"objective": "every"}}, "objective"),
        ({"entry": {"style": "limit"}}, "style"),
        ({"entry": {"timeout_seconds": 0}}, "timeout_seconds"),
        ({"entry": {"timeout_seconds": "inf"}}, "timeout_seconds"),
        ({"correlation": {"window_minutes": 9, "min_minutes": 2}}, "window_minutes"),
        ({"correlation": {"min_minutes": 1}}, "min_minutes"),
        ({"correlation": {"window_minutes": 60}}, "min_minutes 60 must be below window_minutes 60"),
        ({"correlation": {"shrink_minutes": -1}}, "shrink_minutes"),
        ({"correlation": {"shrink_minutes": "inf"}}, "shrink_minutes"),
        ({"swing_bars": 0}, "swing_bars"),
        ({"cooldown_seconds": -1}, "cooldown_seconds"),
        ({"kill_watch_seconds": -0.1}, "kill_watch_seconds"),
        ({"kill_watch_seconds": 61}, "kill_watch_seconds"),
        ({"dry_run": "perhaps"}, "dry_run"),
    ],
)
def test_values_out_of_bounds(table: dict[str, Any], message: str) -> None:
    """The error names the setting: at most 5 positions and 5 % of equity a trade are limits of the type."""
    with pytest.raises(ValidationError, match=message):
        ScalperSettings.model_validate(table)


def test_the_limits_themselves_are_allowed() -> None:
    """5 positions, 5 % a trade; none is a way to watch."""
    for positions in (0, 5):
        of = {"max_positions": positions, "risk_fraction": "0.05"}
        assert ScalperSettings.model_validate({"candidates": of}).candidates.max_positions == positions


def test_as_many_minutes_as_the_window_has_returns() -> None:
    """Of 60 closes there are 59 returns: to need them all is the most."""
    assert CorrelationSettings(window_minutes=60, min_minutes=59).min_minutes == 59
