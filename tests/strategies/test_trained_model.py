import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from strategies.mirror import mirrored
from strategies.model_manifest import LightGBMManifest
from strategies.model_record import Floats
from strategies.scoring import Model
from strategies.trained_model import TrainedModel
from tests.strategies.models import AT, LEARNABLE, LIGHTGBM, SCHEMA, logistic, rows, snapshots

ROW = {"perp_flow_short": 0.25, "rsi": 60.0, "bid_wall_bps": 10.0, "ask_wall_bps": 40.0, "spread_bps": 1.5}


def expit(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def test_both_sides_by_hand() -> None:
    """Long z-scores 0.5, 1, -1, 1: -0.5 + 0.5 + 0.5 + 0.25 + 2. Short: flow and RSI turn, the ask's wall is its bid's:
    -0.5, -1, 2, 1: -0.5 - 0.5 - 0.5 - 0.5 + 2."""
    assert logistic().score(rows(ROW)).tolist() == [[pytest.approx(expit(2.75)), pytest.approx(0.5)]]


@pytest.mark.parametrize("name", sorted(ROW))
def test_a_row_without_a_needed_feature_is_not_scored(name: str) -> None:
    """Missing or infinite, it takes both sides with it, and leaves the other row alone; others may be missing."""
    values = rows(ROW, ROW, ROW)
    values[0, AT[name]], values[2, AT[name]] = math.nan, math.inf
    found = logistic().score(values)
    assert np.isnan(found[[0, 2]]).all()
    np.testing.assert_array_equal(found[1:2], logistic().score(rows(ROW)))


def test_one_that_takes_missing_features_is_asked() -> None:
    """The booster sees NaN where it may be; other features are needed, and infinity it never sees."""
    seen: list[Floats] = []

    def log_odds(values: Floats) -> Floats:
        seen.append(values)
        return np.zeros(len(values))

    manifest = LightGBMManifest.model_validate(
        LIGHTGBM | {"takes_missing": ["rsi", "perp_flow_short"], "normaliser": {"kind": "none"}}, strict=False
    )
    some = {name: value for name, value in ROW.items() if name != "rsi"}
    values = rows(some, some | {"rsi": math.inf}, some | {"spread_bps": math.nan})
    found = TrainedModel(manifest, log_odds).score(values)
    np.testing.assert_array_equal(found, [[0.5, 0.5], [math.nan, math.nan], [math.nan, math.nan]])
    np.testing.assert_array_equal(seen, [[[0.25, math.nan, 10, 1.5], [-0.25, math.nan, 40, 1.5]]])


def test_what_it_says_of_itself() -> None:
    """The manifest's name, schema and barriers; without a calibrator every output says so."""
    model: Model = logistic()
    assert (model.name, model.schema_id, model.calibrated) == ("by hand", SCHEMA, True)
    assert (model.barriers.take_profit, model.barriers.stop, model.barriers.unit) == (30.0, 20.0, "bps")
    raw = logistic(calibrator={"kind": "none"})
    assert (raw.name, raw.calibrated) == ("by hand, uncalibrated", False)


def test_no_rows_and_wrong_shapes() -> None:
    """Nothing to score is no error; a single vector is."""
    assert logistic().score(rows()).shape == (0, 2)
    with pytest.raises(ValueError, match=r"shape \(60,\).*newaxis"):
        logistic().score(rows(ROW)[0])


def test_log_odds_beyond_numbers_are_no_opinion() -> None:
    """An overflow is NaN, not certainty."""
    found = logistic().score(rows(ROW | {"spread_bps": 1.7e308, "perp_flow_short": -1.7e308}))
    assert np.isnan(found).all()


def test_as_scikit_learn() -> None:
    """StandardScaler and LogisticRegression, on all features that a model may have."""
    random = np.random.default_rng(5)
    columns = [AT[name] for name in LEARNABLE]
    values = random.normal(3, 2, (400, len(AT)))
    labels = values[:, columns[0]] + random.normal(0, 2, 400) > 3
    oracle = make_pipeline(StandardScaler(), LogisticRegression()).fit(values[:, columns], labels)
    scaler, regression = (step for _, step in oracle.steps)
    model = logistic(
        features=LEARNABLE,
        normaliser={"kind": "z-score", "mean": scaler.mean_.tolist(), "sd": scaler.scale_.tolist()},
        coefficients=regression.coef_[0].tolist(),
        intercept=float(regression.intercept_[0]),
        calibrator={"kind": "none"},
    )
    sides = (values, mirrored(values))
    expected = np.column_stack([oracle.predict_proba(side[:, columns])[:, 1] for side in sides])
    np.testing.assert_allclose(model.score(values), expected, rtol=1e-11)


N = len(LEARNABLE)
NORMALISERS: list[dict[str, Any]] = [
    {"kind": "none"},
    {"kind": "z-score", "mean": [0.25] * N, "sd": [3.0] * N},
    {"kind": "min-max", "low": [-10.0] * N, "high": [10.0] * N, "clip": True},
    {"kind": "rank", "quantiles": [[-10.0, -1.0, 0.0, 0.0, 3.0, 10.0]] * N},
]
CALIBRATORS: list[dict[str, Any]] = [
    {"kind": "none"},
    {"kind": "platt", "on": "probability", "a": -3.0, "b": 1.0},
    {"kind": "isotonic", "on": "log-odds", "between": "linear", "x": [-5.0, 0.0, 3.0], "y": [0.1, 0.5, 0.6]},
    {"kind": "temperature", "temperature": 1.7},
]


@given(
    snapshots(missing=True) | snapshots(),
    st.lists(st.floats(-2, 2), min_size=N, max_size=N),
    st.sampled_from(NORMALISERS),
    st.sampled_from(CALIBRATORS),
)
def test_sides_are_symmetric_and_rows_apart(
    values: Floats, coefficients: list[float], normaliser: dict[str, Any], calibrator: dict[str, Any]
) -> None:
    """Whatever the model: the mirrored world swaps long and short to the bit, and a row alone scores as in a batch."""
    model = logistic(features=LEARNABLE, coefficients=coefficients, normaliser=normaliser, calibrator=calibrator)
    found = model.score(values)
    np.testing.assert_array_equal(model.score(mirrored(values)), found[:, ::-1])
    np.testing.assert_array_equal(np.concatenate([model.score(row[np.newaxis]) for row in values]), found)
    missing = np.isnan(values[:, [AT[name] for name in LEARNABLE]]).any(axis=1)
    assert (np.isnan(found) == missing[:, np.newaxis]).all()


@pytest.mark.parametrize("calibrator", CALIBRATORS)
@pytest.mark.parametrize("normaliser", NORMALISERS)
def test_rows_apart_in_a_long_batch(normaliser: dict[str, Any], calibrator: dict[str, Any]) -> None:
    """Nor does a batch so long that the processor takes many rows at a step change a bit."""
    values = np.random.default_rng(1).normal(0, 5, (1_003, len(AT)))
    model = logistic(features=LEARNABLE, coefficients=[0.1] * N, normaliser=normaliser, calibrator=calibrator)
    found = model.score(values)
    some = [0, 1, 7, 500, 998, 1_002]
    np.testing.assert_array_equal(np.concatenate([model.score(values[k : k + 1]) for k in some]), found[some])
