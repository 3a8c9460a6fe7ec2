"""A trained model at work: features picked, normalised, scored and calibrated, both sides in one pass."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from strategies.flow.groups import FEATURES
from strategies.mirror import mirrored
from strategies.model_manifest import LightGBMManifest, TrainedManifest
from strategies.model_record import Floats
from strategies.scoring import Barriers, require_snapshots

_AT = {feature.name: k for k, feature in enumerate(FEATURES)}


@dataclass(frozen=True)
class TrainedModel:
    """A :class:`strategies.scoring.Model`. `log_odds` takes normalised features, shape (n, features of the model), and
    gives shape (n,)."""

    manifest: TrainedManifest
    log_odds: Callable[[Floats], Floats]

    @property
    def name(self) -> str:
        """The manifest's, marked where the model is not calibrated."""
        return self.manifest.name if self.calibrated else f"{self.manifest.name}, uncalibrated"

    @property
    def schema_id(self) -> str:
        """Of the snapshots that it was trained on."""
        return self.manifest.schema_id

    @property
    def calibrated(self) -> bool:
        """Whether its probabilities went through a calibrator."""
        return self.manifest.calibrator.kind != "none"

    @property
    def barriers(self) -> Barriers:
        """Those of its labels."""
        return self.manifest.barriers

    @cached_property
    def _columns(self) -> list[int]:
        return [_AT[name] for name in self.manifest.features]

    @cached_property
    def _may_miss(self) -> NDArray[np.bool_]:
        taken = self.manifest.takes_missing if isinstance(self.manifest, LightGBMManifest) else ()
        return np.array([name in taken for name in self.manifest.features])

    def score(self, values: Floats) -> Floats:
        """Probabilities as :meth:`strategies.scoring.Model.score`. Features that the manifest `takes_missing` may be
        NaN; infinity is a fault and never scored."""
        require_snapshots(values)
        sides = np.stack((values, mirrored(values)))[:, :, self._columns]
        rows = (np.isfinite(sides) | (np.isnan(sides) & self._may_miss)).all(axis=(0, 2))
        probabilities = np.full((len(values), 2), np.nan)
        if rows.any():
            inputs = sides[:, rows].reshape(-1, len(self._columns))
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is dropped below
                found = self.log_odds(self.manifest.normaliser.apply(inputs))
            found[~np.isfinite(found)] = np.nan
            probabilities[rows] = self.manifest.calibrator.apply(found).reshape(2, -1).T
        return probabilities
