import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from strategies.booster import Booster
from strategies.booster_text import BoosterError
from strategies.model_record import Floats
from tests.strategies.boosters import BOOSTER, FEATURES

ROWS = np.array([[0.0, 50.0], [0.5, 50.0], [0.5, 70.0], [0.5, np.nan]])


class LightGBMError(Exception):
    """As the library's own."""


class OneHalf:
    """A booster whose raw score is always a half."""

    def __init__(self, model_str: str) -> None:
        if "rsi" not in model_str:
            raise LightGBMError("Model format error")

    def predict(self, values: Floats, raw_score: bool, num_threads: int) -> Floats:
        assert raw_score
        assert num_threads == 1
        return np.full(len(values), 0.5)


def pretend(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Let the import of lightgbm give or raise `answer`."""

    def import_module(name: str) -> Any:
        assert name == "lightgbm"
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(importlib, "import_module", import_module)


LIBRARY = SimpleNamespace(Booster=OneHalf, basic=SimpleNamespace(LightGBMError=LightGBMError))


def test_log_odds_are_raw_scores_times_the_sigmoids_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    """A half times the objective's sigmoid of 2."""
    pretend(monkeypatch, LIBRARY)
    assert Booster(BOOSTER, FEATURES).log_odds(ROWS).tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ImportError("No module named 'lightgbm'"), 'not installed .*: install it with "pip install lightgbm"'),
        (
            OSError("libgomp.so.1: cannot open"),
            'cannot be loaded .libgomp.*: it needs the OpenMP .* "apt install libgomp1"',
        ),
        (SimpleNamespace(Booster=LIBRARY.basic.LightGBMError, basic=LIBRARY.basic), "LightGBM cannot read it"),
    ],
)
def test_without_a_library_that_works(monkeypatch: pytest.MonkeyPatch, answer: Any, message: str) -> None:
    """The error says what to install."""

    def refuse(**_: object) -> None:
        raise LightGBMError("Model format error")

    if isinstance(answer, SimpleNamespace):
        answer.Booster = refuse
    pretend(monkeypatch, answer)
    with pytest.raises(BoosterError, match=message):
        Booster(BOOSTER, FEATURES)


def test_it_is_checked_before_the_library_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither damage nor a missing value that would count as zero gets as far as the import."""
    pretend(monkeypatch, AssertionError("imported"))
    with pytest.raises(BoosterError, match="never missing in training"):
        Booster(BOOSTER, FEATURES, takes_missing=("perp_flow_short",))
    with pytest.raises(BoosterError, match="tree_sizes"):
        Booster(BOOSTER[:500], FEATURES)


def test_the_library_itself_by_hand() -> None:
    """Each leaf of the tree and the 0.125 of the stump, twice; a missing RSI goes right."""
    pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    found = Booster(BOOSTER, FEATURES, takes_missing=("rsi",)).log_odds(ROWS)
    assert found.tolist() == [-0.75, 0.75, 2.25, 2.25]


def test_the_library_itself_trained() -> None:
    """A trained booster comes back through its text: its own probabilities, and rows alone as in a batch."""
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    random = np.random.default_rng(2)
    x = random.normal(size=(2_000, 2))
    y = x[:, 0] * x[:, 1] + random.normal(size=2_000) > 0
    x[::5, 1] = np.nan
    data = lightgbm.Dataset(x, y, feature_name=list(FEATURES))
    trained = lightgbm.train({"objective": "binary", "verbosity": -1, "sigmoid": 0.7, "num_threads": 1}, data, 30)
    ours = Booster(trained.model_to_string(), FEATURES, takes_missing=("rsi",))
    log_odds = ours.log_odds(x)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), trained.predict(x), rtol=1e-13)
    assert [float(ours.log_odds(row[np.newaxis])[0]) for row in x[:100]] == log_odds[:100].tolist()
