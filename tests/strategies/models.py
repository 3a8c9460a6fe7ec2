"""Models made by hand, and snapshots for them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from strategies.flow.groups import FEATURES
from strategies.flow.schema import Feature, Flip
from strategies.logistic import linear_log_odds
from strategies.model_folder import ModelError, load_model
from strategies.model_manifest import MANIFEST, BoosterFile, LogisticManifest, Manifest
from strategies.model_record import Floats
from strategies.trained_model import TrainedModel
from tests.strategies.boosters import BOOSTER
from tests.strategies.boosters import FEATURES as OF_BOOSTER

SCHEMA = "0123456789abcdef"
AT = {feature.name: k for k, feature in enumerate(FEATURES)}
LEARNABLE = tuple(feature.name for feature in FEATURES if feature.learnable)

TRAINED: dict[str, Any] = {
    "format_version": 1,
    "name": "by hand",
    "schema_id": SCHEMA,
    "features": ["perp_flow_short", "rsi", "bid_wall_bps", "spread_bps"],
    "normaliser": {"kind": "z-score", "mean": [0.0, 50.0, 20.0, 1.0], "sd": [0.5, 10.0, 10.0, 0.5]},
    "calibrator": {"kind": "platt", "on": "log-odds", "a": -1.0, "b": 0.0},
    "barriers": {"unit": "bps", "take_profit": 30.0, "stop": 20.0, "horizon_seconds": 900},
    "trained_on": {"catalog_digest": "ab" * 32, "start_ns": 1, "end_ns": 2},
    "git_commit": "cd" * 20,
    "metrics": {"brier": 0.25},
}
LOGISTIC: dict[str, Any] = TRAINED | {"kind": "logistic", "coefficients": [1.0, 0.5, -0.25, 2.0], "intercept": -0.5}
LIGHTGBM: dict[str, Any] = TRAINED | {
    "kind": "lightgbm",
    "booster": {"file": "booster.txt", "sha256": "0" * 64},
    "takes_missing": [],
}
RULE: dict[str, Any] = {
    "format_version": 1,
    "kind": "rule",
    "schema_id": SCHEMA,
    "slope": 2.0,
    "barriers": {"unit": "R", "take_profit": 2.0, "stop": 1.0, "horizon_seconds": 600},
}
BOOSTED: dict[str, Any] = LIGHTGBM | {
    "features": list(OF_BOOSTER),
    "normaliser": {"kind": "none"},
    "booster": {"file": "booster.txt", "sha256": BoosterFile.of(BOOSTER).sha256},
    "takes_missing": ["rsi"],
}


def logistic(**changes: Any) -> TrainedModel:
    """The logistic model above with `changes`, given as in the file."""
    manifest = LogisticManifest.model_validate(LOGISTIC | changes, strict=False)
    coefficients = np.array(manifest.coefficients)
    return TrainedModel(manifest, lambda values: linear_log_odds(values, coefficients, manifest.intercept))


def rows(*snapshots: Mapping[str, float]) -> Floats:
    """Snapshots' values by name, all others missing."""
    values = np.full((len(snapshots), len(FEATURES)), np.nan)
    for row, snapshot in zip(values, snapshots, strict=True):
        for name, value in snapshot.items():
            row[AT[name]] = value
    return values


def _values_of(feature: Feature) -> st.SearchStrategy[float]:
    """Such that ``100 - x`` and ``1 - x`` are exact: then the mirror is its own inverse to the bit."""
    if feature.flip in (Flip.COMPLEMENT_100, Flip.COMPLEMENT_1):
        top = 100 if feature.flip is Flip.COMPLEMENT_100 else 1
        return st.integers(-1024, 1024 * (top + 1)).map(lambda k: k / 1024)
    return st.floats(-50, 50)


def snapshots(missing: bool = False) -> st.SearchStrategy[Floats]:
    """One to five rows of values of all features, some of them missing where asked for."""
    of_one = [_values_of(f) | st.just(np.nan) if missing else _values_of(f) for f in FEATURES]
    return st.lists(st.tuples(*of_one), min_size=1, max_size=5).map(np.array)


def manifest_of(given: dict[str, Any]) -> Manifest:
    """A manifest as the file would give it."""
    return MANIFEST.validate_json(json.dumps(given))


def written(folder: Path, given: object, booster: str | None = None) -> Path:
    """A folder as somebody else might write it."""
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(given if isinstance(given, str) else json.dumps(given))
    if booster is not None:
        (folder / "booster.txt").write_text(booster)
    return folder


def refusal(folder: Path, schema_id: str = SCHEMA) -> str:
    """What loading the folder says against it."""
    with pytest.raises(ModelError) as caught:
        load_model(folder, schema_id=schema_id)
    return str(caught.value)
