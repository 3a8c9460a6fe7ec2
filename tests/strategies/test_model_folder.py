import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies.model_folder as model_folder
from strategies.booster_text import BoosterError
from strategies.model_folder import ModelError, load_model, save_model
from strategies.model_manifest import BoosterFile, LightGBMManifest
from strategies.model_record import Floats
from strategies.scoring import RuleModel
from strategies.trained_model import TrainedModel
from tests.strategies.boosters import BOOSTER, FEATURES
from tests.strategies.models import BOOSTED, LOGISTIC, RULE, SCHEMA, logistic, manifest_of, refusal, rows, written

ROW = rows({"perp_flow_short": 0.25, "rsi": 60.0, "bid_wall_bps": 10.0, "ask_wall_bps": 40.0, "spread_bps": 1.5})

# -- there and back ----------------------------------------------------------------------------------------------------


def test_a_logistic_model_comes_back(tmp_path: Path) -> None:
    """It scores the same bits, and says the same of itself."""
    save_model(tmp_path / "new" / "model", manifest_of(LOGISTIC))
    model = load_model(tmp_path / "new" / "model", schema_id=SCHEMA)
    assert isinstance(model, TrainedModel)
    assert model.manifest == manifest_of(LOGISTIC)
    np.testing.assert_array_equal(model.score(ROW), logistic().score(ROW))


def test_a_rule_comes_back(tmp_path: Path) -> None:
    """With its own slope and barriers, still uncalibrated."""
    manifest = manifest_of(RULE)
    save_model(tmp_path / "rule", manifest)
    assert load_model(tmp_path / "rule", schema_id=SCHEMA) == RuleModel(SCHEMA, manifest.barriers, slope=2.0)


class OneHalf:
    """Stands for a booster: log-odds of a half, once the text and the features are those that were saved."""

    def __init__(self, text: str, features: tuple[str, ...], takes_missing: tuple[str, ...]) -> None:
        assert (text, features, takes_missing) == (BOOSTER, FEATURES, ("rsi",))

    def log_odds(self, values: Floats) -> Floats:
        return np.full(len(values), 0.5)


def test_a_booster_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text byte for byte, from the file beside the manifest."""
    monkeypatch.setattr(model_folder, "Booster", OneHalf)
    save_model(tmp_path / "model", manifest_of(BOOSTED), booster=BOOSTER)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["booster.txt", "model.json"]
    expected = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(load_model(tmp_path / "model", schema_id=SCHEMA).score(ROW), [[expected, expected]])


def test_a_booster_by_the_library_itself(tmp_path: Path) -> None:
    """Long: flow 0.25, RSI 60: 0.25 + 0.125, twice. Short: flow -0.25: -0.5 + 0.125, twice."""
    pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    save_model(tmp_path / "model", manifest_of(BOOSTED), booster=BOOSTER)
    expected = 1 / (1 + np.exp([[-0.75, 0.75]]))
    np.testing.assert_allclose(load_model(tmp_path / "model", schema_id=SCHEMA).score(ROW), expected)


def test_a_booster_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the booster's file and passes on what to install."""

    def missing(*_: object) -> None:
        raise BoosterError("LightGBM is not installed: install it")

    monkeypatch.setattr(model_folder, "Booster", missing)
    save_model(tmp_path / "model", manifest_of(BOOSTED), booster=BOOSTER)
    assert refusal(tmp_path / "model").endswith("model/booster.txt: LightGBM is not installed: install it")


NUMBERS = st.lists(st.floats(-1e15, 1e15), min_size=4, max_size=4)


@given(NUMBERS, NUMBERS, st.lists(st.floats(5e-324, 1e15), min_size=4, max_size=4), st.floats(-1e15, -5e-324))
def test_numbers_come_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, some: list[float], mean: list[float], sd: list[float], a: float
) -> None:
    """Subnormal, huge or negative zero."""
    given = LOGISTIC | {
        "coefficients": some,
        "normaliser": {"kind": "z-score", "mean": mean, "sd": sd},
        "calibrator": {"kind": "platt", "on": "log-odds", "a": a, "b": -0.0},
    }
    folder = tmp_path_factory.mktemp("models") / "model"
    save_model(folder, manifest_of(given))
    model = load_model(folder, schema_id=SCHEMA)
    assert isinstance(model, TrainedModel)
    dumped = model.manifest.model_dump(mode="json")
    assert repr([dumped[key] for key in ("coefficients", "normaliser", "calibrator")]) == repr(
        [some, given["normaliser"], given["calibrator"]]
    )


# -- what is not written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "booster", "message"),
    [
        (LOGISTIC, BOOSTER, "only a lightgbm model has, and needs, the text of a booster"),
        (BOOSTED, None, "only a lightgbm model has, and needs, the text of a booster"),
        (BOOSTED, BOOSTER + " ", "the files belong to different models"),
        (BOOSTED | {"takes_missing": ["perp_flow_short"]}, BOOSTER, r"booster.txt: .*never missing in training"),
        (
            LOGISTIC | {"features": ["perp_flow_short", "rsi", "atr", "spread_bps"]},
            None,
            r"features\[2\] = atr: it has a",
        ),
    ],
)
def test_what_would_not_load_is_not_written(
    tmp_path: Path, given: dict[str, Any], booster: str | None, message: str
) -> None:
    """And nothing is left behind."""
    with pytest.raises(ModelError, match=message):
        save_model(tmp_path / "model", manifest_of(given), booster=booster)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_changed_past_its_checks_is_not_written(tmp_path: Path) -> None:
    """A copy with a number that is none is found by reading what would be written."""
    broken = manifest_of(LOGISTIC).model_copy(update={"coefficients": (float("nan"),) * 4})
    with pytest.raises(ModelError, match="NaN is not a number"):
        save_model(tmp_path / "model", broken)


def test_a_model_is_never_overwritten(tmp_path: Path) -> None:
    """Not even by itself."""
    save_model(tmp_path / "model", manifest_of(RULE))
    with pytest.raises(ModelError, match="it exists, and a model is never overwritten"):
        save_model(tmp_path / "model", manifest_of(RULE))


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A disk that is full, or a rename that fails, leaves nothing under any name."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "rename")), full)
    with pytest.raises(ModelError, match=r"model: cannot be written .*No space left.*make room"):
        save_model(tmp_path / "model", manifest_of(RULE))
    assert list(tmp_path.iterdir()) == []


# -- what is not loaded ------------------------------------------------------------------------------------------------


def test_another_schema(tmp_path: Path) -> None:
    """The error names both, and the two ways out."""
    said = refusal(written(tmp_path / "model", LOGISTIC), schema_id="f" * 16)
    assert f"model.json: schema_id = {SCHEMA}: snapshots here have {'f' * 16}; train the model" in said


def _link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("file", ["model.json", "booster.txt"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "there is no such file: check the path"),
        (_link, "it is not a plain file"),
        (_folder, "it is not a plain file"),
        (_pipe, "it is not a plain file"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "it is not UTF-8 text"),
        (lambda path: os.truncate(path, 100 * 1024**2), "bytes, and no model is that large"),
        (lambda path: path.write_bytes(pickle.dumps(print)), "UTF-8|SHA-256|JSON"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, file: str, damage: Callable[[Path], Any], message: str) -> None:
    """Links, folders, pipes, what is too large, and what is no text; the error names the file."""
    folder = written(tmp_path / "model", BOOSTED, BOOSTER)
    damage(folder / file)
    said = refusal(folder)
    assert said.startswith(f"{folder / file}: ")
    assert any(part in said for part in message.split("|"))


def test_a_booster_of_another_model(tmp_path: Path) -> None:
    """One digit changed is another model."""
    folder = written(tmp_path / "model", BOOSTED, BOOSTER.replace("0.125", "0.126"))
    assert "the files belong to different models, or one was changed" in refusal(folder)


def test_the_booster_of_a_manifest() -> None:
    """SHA-256 of the text's bytes."""
    manifest = manifest_of(BOOSTED)
    assert isinstance(manifest, LightGBMManifest)
    assert manifest.booster == BoosterFile.of(BOOSTER)
