"""A LightGBM booster at work. The library is imported only when a model needs it."""

import importlib
from typing import Any

import numpy as np

from strategies.booster_text import BoosterError, read_booster
from strategies.model_record import Floats

_INSTALL = 'install it with "pip install lightgbm"'
_OPENMP = 'it needs the OpenMP library of the system, on Debian and Ubuntu "apt install libgomp1"'


class Booster:
    """The log-odds of a booster with the binary objective, of `features` by name in order.

    Raises BoosterError where LightGBM is missing or cannot read the text, for a booster of another kind or of other
    features, and where it would take a missing value of one of `takes_missing` for zero.
    """

    def __init__(self, text: str, features: tuple[str, ...], takes_missing: tuple[str, ...] = ()) -> None:
        self._sigmoid = read_booster(text, features, takes_missing)
        lightgbm = _lightgbm()
        try:
            self._booster = lightgbm.Booster(model_str=text)
            self.log_odds(np.zeros((1, len(features))))
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise BoosterError(f"LightGBM cannot read it ({error}): save it anew from the training run") from error

    def log_odds(self, values: Floats) -> Floats:
        """Of rows of shape (n, features); shape (n,). In one thread: rows are few, and who has many splits them."""
        raw: Floats = self._booster.predict(values, raw_score=True, num_threads=1)
        return raw * self._sigmoid


def _lightgbm() -> Any:
    try:
        return importlib.import_module("lightgbm")
    except ImportError as error:
        raise BoosterError(f"LightGBM is not installed ({error}): {_INSTALL}") from error
    except OSError as error:
        raise BoosterError(f"LightGBM cannot be loaded ({error}): {_OPENMP}") from error
