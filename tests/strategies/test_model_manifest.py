import json
from pathlib import Path
from typing import Any

import pytest

from tests.strategies.boosters import BOOSTER
from tests.strategies.models import BOOSTED, LOGISTIC, refusal, written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format_version = 2: this program reads format 1"),
        ({"format_version": True}, "format_version = True: Input should be a valid integer"),
        ({"kind": "pickle"}, "Input tag 'pickle'"),
        ({"comment": "hello"}, "comment = 'hello': Extra inputs are not permitted; write the folder with save_model"),
        ({"barriers": LOGISTIC["barriers"] | {"trail": 1}}, "barriers.trail = 1: Extra inputs"),
        ({"normaliser": LOGISTIC["normaliser"] | {"x": 1}}, "normaliser.x = 1: Extra inputs"),
        ({"normaliser": {"kind": "z-score", "mean": [0.0] * 4, "sd": [1, 1, 1, -2]}}, "normaliser.sd[3] = -2: Input"),
        (
            {"normaliser": {"kind": "z-score", "mean": [0.0], "sd": [1.0]}},
            "normaliser is for 1 features and the model has 4",
        ),
        (
            {"calibrator": {"kind": "platt", "on": "log-odds", "a": 1.0, "b": 0.0}},
            "calibrator.a = 1.0: Input should be less",
        ),
        ({"coefficients": [1.0, 2.0]}, "coefficients are 2 and the model has 4 features"),
        ({"coefficients": [1.0, 2.0, 3.0, "4"]}, "coefficients[3] = '4': Input should be a valid number"),
        ({"coefficients": [1.0, 2.0, 3.0, None]}, "coefficients[3] = None: Input should be a valid number"),
        ({"coefficients": [1.0, 2.0, 3.0, True]}, "coefficients[3] = True: Input should be a valid number"),
        ({"coefficients": [1.0] * 100_000}, "coefficients = [1.0, 1.0,"),
        ({"intercept": 1e300}, "intercept = 1e+300: Input should be less than"),
        ({"features": []}, "features = []: Tuple should have at least 1 item"),
        ({"features": ["perp_flow_short", "rsi", "rsi", "spread_bps"]}, "features name rsi twice"),
        ({"features": ["perp_flow_short", "rsi", "astrology", "spread_bps"]}, "features[2] = astrology: there is none"),
        (
            {"features": ["perp_flow_short", "rsi", "price", "spread_bps"]},
            "features[2] = price: it has a level of its own",
        ),
        (
            {"features": ["perp_flow_short", "rsi", "../etc", "spread_bps"]},
            "features[2] = '../etc': String should match",
        ),
        ({"name": "<script>"}, "name = '<script>': String should match"),
        ({"name": "by hand\n"}, "name = 'by hand\\n': String should match"),
        ({"git_commit": "main"}, "git_commit = 'main': String should match"),
        ({"trained_on": LOGISTIC["trained_on"] | {"end_ns": 1}}, "start_ns 1 must be before end_ns 1"),
        ({"metrics": {"brier": float("1e16")}}, "metrics.brier = 1e+16"),
        ({"barriers": LOGISTIC["barriers"] | {"horizon_seconds": 900.5}}, "barriers.horizon_seconds = 900.5: Input"),
    ],
)
def test_manifests_that_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """The error names file, key, value and what to do."""
    said = refusal(written(tmp_path / "model", LOGISTIC | changes))
    assert message in said
    assert said.startswith(f"{tmp_path / 'model' / 'model.json'}: ")
    assert len(said) < 1_000


@pytest.mark.parametrize("key", sorted(LOGISTIC))
def test_nothing_may_be_left_out(tmp_path: Path, key: str) -> None:
    """No default stands in for what was not stored."""
    given = {name: value for name, value in LOGISTIC.items() if name != key}
    assert key in refusal(written(tmp_path / "model", given))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not the JSON of a model"),
        ("[]", "the whole = []"),
        (json.dumps(LOGISTIC).replace("-0.5", "NaN"), "NaN is not a number"),
        (json.dumps(LOGISTIC).replace("-0.5", "-Infinity"), "-Infinity is not a number"),
        (json.dumps(LOGISTIC).replace("-0.5", "1e999"), "intercept = inf: Input should be a finite number"),
        (json.dumps(LOGISTIC)[:-1] + ', "intercept": 9}', "the key 'intercept' is given twice"),
        (json.dumps(LOGISTIC)[:-1], "it is not the JSON of a model"),
        ("[" * 200_000, "it is not the JSON of a model"),
        ("9" * 10_000, "it is not the JSON of a model"),
        (json.dumps(LOGISTIC).replace("by hand", "\\ud800"), "model.json: "),
    ],
)
def test_texts_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """What JSON allows Python to misread is refused too."""
    assert message in refusal(written(tmp_path / "model", text))


@pytest.mark.parametrize("file", ["../booster.txt", "/etc/passwd", "a/b.txt", ".hidden", "..", "", "model.json", "b\n"])
def test_a_booster_is_a_plain_name_beside_the_manifest(tmp_path: Path, file: str) -> None:
    """No path leads out of the folder."""
    given = BOOSTED | {"booster": BOOSTED["booster"] | {"file": file}}
    assert "booster" in refusal(written(tmp_path / "model", given, BOOSTER))


def test_missing_features_must_be_of_the_model(tmp_path: Path) -> None:
    """A name in takes_missing that is no feature of it is a mistake."""
    said = refusal(written(tmp_path / "model", BOOSTED | {"takes_missing": ["basis_bps"]}, BOOSTER))
    assert "takes_missing names basis_bps, which is not among the features" in said
