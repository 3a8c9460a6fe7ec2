"""What model.json holds: everything of a model but a booster's trees, and where it comes from.

Lengths and ranges are checked here; whether features exist, and whether the schema is the one that runs, when a folder
is loaded or saved (:mod:`strategies.model_folder`).
"""

import hashlib
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, field_validator, model_validator

from strategies.calibration import Calibrator
from strategies.model_record import MAX_FEATURES, Hash, Number, PerFeature, PositiveNumber, Record
from strategies.normalisation import Normaliser
from strategies.scoring import Barriers

FORMAT_VERSION = 1

_NAME = r"^[A-Za-z0-9][A-Za-z0-9 .,:+()_-]{0,79}$"
_FEATURE = r"^[a-z][a-z0-9_]{0,63}$"
_FILE = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"  # a plain name: no folder, nothing hidden

type _Some = Annotated[tuple[Annotated[str, Field(pattern=_FEATURE)], ...], Field(max_length=MAX_FEATURES)]
type SchemaId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class TrainedOn(Record):
    """The data: the catalog's digest (SHA-256) and the span read of it, UNIX ns, the end not included."""

    catalog_digest: Hash
    start_ns: Annotated[int, Field(gt=0, lt=2**63)]
    end_ns: Annotated[int, Field(gt=0, lt=2**63)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start_ns >= self.end_ns:
            raise ValueError(f"start_ns {self.start_ns} must be before end_ns {self.end_ns}")
        return self


class BoosterFile(Record):
    """The booster's own text, a file beside model.json, and its SHA-256."""

    file: Annotated[str, Field(pattern=_FILE)] = "booster.txt"
    sha256: Hash

    @classmethod
    def of(cls, text: str) -> Self:
        """That of a booster's text (``booster.model_to_string()``)."""
        return cls(sha256=hashlib.sha256(text.encode()).hexdigest())

    @model_validator(mode="after")
    def _beside(self) -> Self:
        if self.file == "model.json":
            raise ValueError("file model.json is the manifest itself: the booster needs another name")
        return self


class _Manifest(Record):
    format_version: int
    schema_id: SchemaId
    barriers: Barriers

    @field_validator("format_version")
    @classmethod
    def _known(cls, version: int) -> int:
        if version != FORMAT_VERSION:
            raise ValueError(
                f"this program reads format {FORMAT_VERSION}: use the one that wrote the model, or train anew"
            )
        return version


class RuleManifest(_Manifest):
    """The rule of :mod:`strategies.scoring`, with barriers and slope (log-odds a unit of score) of one's own."""

    kind: Literal["rule"] = "rule"
    slope: PositiveNumber


class _Trained(_Manifest):
    """A model that was fitted. `features` are names in the order of its inputs; `metrics` are what training measured,
    for reports."""

    name: Annotated[str, Field(pattern=_NAME)]
    features: Annotated[_Some, Field(min_length=1)]
    normaliser: Normaliser
    calibrator: Calibrator
    trained_on: TrainedOn
    git_commit: Annotated[str, Field(pattern="^[0-9a-f]{40}$")]
    metrics: Annotated[dict[Annotated[str, Field(pattern=_FEATURE)], Number], Field(max_length=256)]

    @model_validator(mode="after")
    def _fits_features(self) -> Self:
        twice = sorted({name for name in self.features if self.features.count(name) > 1})
        if twice:
            raise ValueError(f"features name {twice[0]} twice")
        count = self.normaliser.count()
        if count not in (None, len(self.features)):
            raise ValueError(f"normaliser is for {count} features and the model has {len(self.features)}")
        return self


class LogisticManifest(_Trained):
    """Logistic regression: log-odds are `intercept` plus the normalised features times `coefficients`."""

    kind: Literal["logistic"] = "logistic"
    coefficients: PerFeature
    intercept: Number

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.coefficients) != len(self.features):
            raise ValueError(
                f"coefficients are {len(self.coefficients)} and the model has {len(self.features)} features"
            )
        return self


class LightGBMManifest(_Trained):
    """LightGBM with the binary objective. `takes_missing` are the features that were missing at times in training: NaN
    goes down the trees as it did there. A row that lacks another is not scored."""

    kind: Literal["lightgbm"] = "lightgbm"
    booster: BoosterFile
    takes_missing: _Some

    @model_validator(mode="after")
    def _of_the_features(self) -> Self:
        for name in self.takes_missing:
            if name not in self.features:
                raise ValueError(f"takes_missing names {name}, which is not among the features")
        return self


type TrainedManifest = LogisticManifest | LightGBMManifest
type Manifest = TrainedManifest | RuleManifest

MANIFEST: TypeAdapter[Manifest] = TypeAdapter(
    Annotated[LogisticManifest | LightGBMManifest | RuleManifest, Field(discriminator="kind")]
)
