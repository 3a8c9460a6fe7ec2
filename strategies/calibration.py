"""From a model's log-odds to probabilities that come true as often as they say.

A calibrator is fitted on data that the model was not trained on, and stored with the model. It never falls where the
model rises: one that does was fitted on a model that is worse than chance, and is refused. All take log-odds of shape
(n,) and give probabilities of shape (n,); NaN stays NaN.
"""

from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from strategies.logistic import expit
from strategies.model_record import MAX_KNOTS, Floats, Number, PositiveNumber, Record

type Scale = Literal["log-odds", "probability"]
"""What a calibrator was fitted on: the model's log-odds, or the probabilities that they are before calibration."""


class Uncalibrated(Record):
    """The model's own probabilities."""

    kind: Literal["none"] = "none"

    def apply(self, log_odds: Floats) -> Floats:
        """Probabilities."""
        return expit(log_odds)


class Platt(Record):
    """``1 / (1 + exp(a f + b))`` of the model's output f (Platt, 1999; scikit-learn's "sigmoid"), a below 0."""

    kind: Literal["platt"] = "platt"
    on: Scale
    a: Annotated[float, Field(ge=-1e15, lt=0)]
    b: Number

    def apply(self, log_odds: Floats) -> Floats:
        """Probabilities."""
        return expit(-(self.a * _output(log_odds, self.on) + self.b))


class Isotonic(Record):
    """A curve of rising knots (Zadrozny and Elkan, 2002): `y` are probabilities at outputs `x`; beyond the ends flat.

    `between` two knots the curve is linear (as scikit-learn's), or a step: the probability of the last knot not above
    the output.
    """

    kind: Literal["isotonic"] = "isotonic"
    on: Scale
    between: Literal["linear", "step"]
    x: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_KNOTS)]
    y: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1, max_length=MAX_KNOTS)]

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} knots and y {len(self.y)}: each knot needs both")
        for k in range(1, len(self.x)):
            if self.x[k] <= self.x[k - 1]:
                raise ValueError(f"x[{k}] {self.x[k]} must be above the knot before it, {self.x[k - 1]}")
            if self.y[k] < self.y[k - 1]:
                raise ValueError(f"y[{k}] {self.y[k]} must not be below the knot before it, {self.y[k - 1]}")
        return self

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        return np.array(self.x), np.array(self.y)

    def apply(self, log_odds: Floats) -> Floats:
        """Probabilities."""
        x, y = self._knots
        output = _output(log_odds, self.on)
        left = np.clip(np.searchsorted(x, output, "right") - 1, 0, len(x) - 1)
        if self.between == "step":
            return np.where(np.isnan(output), np.nan, y[left])
        right = np.minimum(left + 1, len(x) - 1)
        inside = np.clip(output, x[0], x[-1])
        share = (inside - x[left]) / np.where(right > left, x[right] - x[left], 1.0)
        return np.minimum(y[left] + share * (y[right] - y[left]), y[right])  # a rounding must not pass the next knot


class Temperature(Record):
    """The log-odds over a temperature (Guo, Pleiss, Sun and Weinberger, 2017): above 1 less sure, below 1 surer.

    It is ``1 / beta_`` of scikit-learn's "temperature" where that was fitted on probabilities, and ``1 / (2 beta_)``
    where on a decision function, of which it takes the two classes to lie at -f and f.
    """

    kind: Literal["temperature"] = "temperature"
    temperature: PositiveNumber

    def apply(self, log_odds: Floats) -> Floats:
        """Probabilities."""
        return expit(log_odds / self.temperature)


type Calibrator = Annotated[Uncalibrated | Platt | Isotonic | Temperature, Field(discriminator="kind")]


def _output(log_odds: Floats, on: Scale) -> Floats:
    return log_odds if on == "log-odds" else expit(log_odds)
