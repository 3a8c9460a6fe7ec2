"""The scoring interface, and the rule: an uncalibrated opinion, so that the system can trade before a model is trained.

A model says of every snapshot how probable it is that a long, and that a short, reaches its target before its stop and
its time barrier. Trained ones are loaded by :mod:`strategies.model_folder`.

The rule is transparent and nobody fitted it. It says which way taker flow, resting orders and trend lean together, from
the snapshot alone. Taker-flow imbalance moves the price of the same seconds (Cont, Kukanov and Stoikov, 2014); that it
predicts the next ones is the hypothesis, not a finding.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol, Self

import numpy as np
from pydantic import Field, model_validator

from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES
from strategies.logistic import expit
from strategies.model_record import Floats, PositiveNumber, Record


class Barriers(Record):
    """The question that a probability answers: is the target reached before the stop, and within the horizon?

    Distances from the entry, in `unit`: bps of its price, ATR at the entry, or R, the distance of whatever stop the
    strategy sets, so that the stop is 1.
    """

    unit: Literal["bps", "atr", "R"]
    take_profit: PositiveNumber
    stop: PositiveNumber
    horizon_seconds: Annotated[int, Field(gt=0, le=86_400)]

    @model_validator(mode="after")
    def _stop_is_r(self) -> Self:
        if self.unit == "R" and self.stop != 1.0:
            raise ValueError(f"stop {self.stop} must be 1 in R: R is the distance of the stop")
        return self


class Model(Protocol):
    """What scores snapshots. `name` is for every output, and says so where a model is not `calibrated`; `schema_id` is
    that of the snapshots it may be given; `barriers` are what its probabilities mean."""

    @property
    def name(self) -> str: ...

    @property
    def schema_id(self) -> str: ...

    @property
    def calibrated(self) -> bool: ...

    @property
    def barriers(self) -> Barriers: ...

    def score(self, values: Floats) -> Floats:
        """Probabilities of shape (n, 2), long and short, of snapshots' `values` of shape (n, len(FEATURES)).

        The short is scored on the mirrored vector. A row that lacks a feature that the model needs is NaN on both
        sides: missing is not zero. Rows do not touch one another: a row alone has the same bits as in a batch. Raises
        ValueError for another shape.
        """
        ...


def require_snapshots(values: Floats) -> None:
    """Raise ValueError unless `values` are of shape (n, len(FEATURES))."""
    if values.ndim != 2 or values.shape[1] != len(FEATURES):
        raise ValueError(
            f"values have shape {values.shape}: they must be (n, {len(FEATURES)}), a row for each snapshot; "
            "a single one is snapshot.values[np.newaxis]"
        )


@dataclass(frozen=True)
class Term:
    """One part of the score: a feature divided by `scale`, clipped to [-1, 1], times `weight`. All features flip sign
    with the side, so the score of a short is minus that of a long."""

    feature: str
    scale: float
    weight: float


RULE: tuple[Term, ...] = (
    Term("perp_flow_short", 0.5, 0.30),
    Term("spot_flow_short", 0.5, 0.20),
    Term("perp_flow_long", 0.3, 0.15),
    Term("obi_near_z", 2.5, 0.15),
    Term("obi_far_z", 2.5, 0.10),
    Term("trend_atr", 1.0, 0.10),
)
OPTIONAL = frozenset({"spot_flow_short"})  # an asset may have no spot market, or a quiet one: then it has no say

_AT = {feature.name: k for k, feature in enumerate(FEATURES)}
_COLUMNS = [_AT[term.feature] for term in RULE]
_SCALES, _WEIGHTS = np.array([term.scale for term in RULE]), np.array([term.weight for term in RULE])
_OPTIONAL = np.array([term.feature in OPTIONAL for term in RULE])
_SIDES = np.array([1.0, -1.0])  # long, short


_FEW = 32
"""Rows up to which a loop over them is faster than arrays of them: a scan has some, research has millions."""


def rule_score(snapshot: FlowSnapshot) -> float | None:
    """The score in [-1, 1] (above zero: long), or None where an input is missing.

    The weights of optional inputs that are missing are spread over the others, so the range stays the same.
    """
    score = _score_of(snapshot.values[_COLUMNS].tolist())
    return None if math.isnan(score) else score


def rule_scores(values: Floats) -> Floats:
    """The scores of many snapshots at once, `values` of shape (n, len(FEATURES)): shape (n,), NaN for None.

    Each has the bits that :func:`rule_score` gives. Raises ValueError for another shape.
    """
    require_snapshots(values)
    inputs = values[:, _COLUMNS]
    if len(inputs) <= _FEW:
        return np.array([_score_of(row) for row in inputs.tolist()], dtype=np.float64)
    absent = np.isnan(inputs) & _OPTIONAL
    parts = np.where(absent, 0.0, _WEIGHTS * np.clip(inputs / _SCALES, -1.0, 1.0))
    weights = np.where(absent, 0.0, _WEIGHTS)
    total, weight = np.zeros(len(values)), np.zeros(len(values))
    for k in range(len(RULE)):  # one after the other, as a row alone is added up
        total += parts[:, k]
        weight += weights[:, k]
    return total / weight


def _score_of(inputs: list[float]) -> float:
    """The score of one row's inputs in the order of RULE; NaN where one that is needed is missing."""
    total = weight = 0.0
    for value, term in zip(inputs, RULE, strict=True):
        if math.isnan(value):
            if term.feature in OPTIONAL:
                continue
            return math.nan
        total += term.weight * max(-1.0, min(1.0, value / term.scale))
        weight += term.weight
    return total / weight


RULE_BARRIERS = Barriers(unit="R", take_profit=1.5, stop=1.0, horizon_seconds=900)
"""Those of a profile that says nothing else."""
RULE_SLOPE = 2.32
"""Log-odds a unit of score. With RULE_BARRIERS the score 0.35, from which the scalper trades unless told otherwise, is
a probability of 0.60, the least that is traded by default. A choice, not a finding."""


@dataclass(frozen=True)
class RuleModel:
    """The rule as a model: the default until one is trained.

    Its pseudo-probability of a side is ``expit(log(stop / take_profit) + slope × score)``, the score negated for the
    short. It rises with the score; a score of 0 has what a market without drift gives, ``stop / (take_profit + stop)``
    (0.5 for equal barriers, 0.4 for 1.5 R), so no opinion never pays its costs. The time barrier has no part in it.
    """

    schema_id: str
    barriers: Barriers = RULE_BARRIERS
    slope: float = RULE_SLOPE
    name: str = field(default="rule, uncalibrated", init=False)
    calibrated: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and self.slope > 0):
            raise ValueError(f"slope must be a number above 0, got {self.slope}")

    def score(self, values: Floats) -> Floats:
        """Pseudo-probabilities, as :meth:`Model.score`."""
        scores = rule_scores(values)
        without_drift = math.log(self.barriers.stop / self.barriers.take_profit)
        return expit(without_drift + self.slope * (scores[:, np.newaxis] * _SIDES))
