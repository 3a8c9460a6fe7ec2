"""Features on a common scale, by what was measured on the training data and is stored with the model.

Every normaliser takes an array of shape (n, features) and gives one of the same shape. Missing stays missing (NaN). The
mirrored vector goes through the same normaliser: sides stay symmetric.
"""

from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from strategies.model_record import MAX_FEATURES, MAX_QUANTILES, Floats, Number, PerFeature, PositiveNumber, Record

_LEAVE_OUT = "a feature that is constant in training says nothing: leave it out"


class AsIs(Record):
    """No normalisation."""

    kind: Literal["none"] = "none"

    def count(self) -> int | None:
        """Of features; None: any."""
        return None

    def apply(self, values: Floats) -> Floats:
        """The values themselves."""
        return values


class ZScore(Record):
    """``(x - mean) / sd``, in standard deviations of the training data."""

    kind: Literal["z-score"] = "z-score"
    mean: PerFeature
    sd: Annotated[tuple[PositiveNumber, ...], Field(min_length=1, max_length=MAX_FEATURES)]

    @model_validator(mode="after")
    def _as_long(self) -> Self:
        _require_as_long(mean=self.mean, sd=self.sd)
        return self

    def count(self) -> int:
        """Of features."""
        return len(self.mean)

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.mean), np.array(self.sd)

    def apply(self, values: Floats) -> Floats:
        """The z-scores."""
        mean, sd = self._arrays
        return (values - mean) / sd


class MinMax(Record):
    """``(x - low) / (high - low)``: 0 to 1 over the range of the training data, beyond it by the same line unless
    `clip`."""

    kind: Literal["min-max"] = "min-max"
    low: PerFeature
    high: PerFeature
    clip: bool

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _require_as_long(low=self.low, high=self.high)
        for k, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            if low >= high:
                raise ValueError(f"low[{k}] {low} must be below high[{k}] {high}: {_LEAVE_OUT}")
        return self

    def count(self) -> int:
        """Of features."""
        return len(self.low)

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.low), np.array(self.high)

    def apply(self, values: Floats) -> Floats:
        """The shares of the range."""
        low, high = self._arrays
        scaled = (values - low) / (high - low)
        return np.clip(scaled, 0.0, 1.0) if self.clip else scaled


class Rank(Record):
    """The share of the training data that was smaller, 0 to 1.

    `quantiles` has a table for each feature: its quantiles at equally spaced levels from 0 to 1. Between two it is
    linear, beyond the ends 0 and 1. A value that fills several quantiles (zero, often) gets the middle of their levels,
    at the ends too, where scikit-learn's QuantileTransformer puts 0 and 1.
    """

    kind: Literal["rank"] = "rank"
    quantiles: Annotated[
        tuple[Annotated[tuple[Number, ...], Field(min_length=2, max_length=MAX_QUANTILES)], ...],
        Field(min_length=1, max_length=MAX_FEATURES),
    ]

    @model_validator(mode="after")
    def _rise(self) -> Self:
        for k, table in enumerate(self.quantiles):
            fallen = np.flatnonzero(np.diff(table) < 0)
            if len(fallen):
                i = int(fallen[0]) + 1
                raise ValueError(f"quantiles[{k}][{i}] {table[i]} is below the one before it, {table[i - 1]}")
            if table[0] == table[-1]:
                raise ValueError(f"quantiles[{k}] are all {table[0]}: {_LEAVE_OUT}")
        return self

    def count(self) -> int:
        """Of features."""
        return len(self.quantiles)

    @cached_property
    def _tables(self) -> tuple[Floats, ...]:
        return tuple(np.array(table) for table in self.quantiles)

    def apply(self, values: Floats) -> Floats:
        """The ranks."""
        ranks = np.empty_like(values)
        for k, table in enumerate(self._tables):
            ranks[:, k] = _ranks(values[:, k], table)
        return ranks


type Normaliser = Annotated[AsIs | ZScore | MinMax | Rank, Field(discriminator="kind")]


def _ranks(values: Floats, table: Floats) -> Floats:
    last = len(table) - 1
    below = np.searchsorted(table, values, "left")  # quantiles smaller than the value
    up_to = np.searchsorted(table, values, "right")
    left = np.clip(below - 1, 0, last - 1)
    span = table[left + 1] - table[left]
    inside = (below == up_to) & (below > 0) & (below <= last)
    share = np.where(inside, values - table[left], 0.0) / np.where(inside, span, 1.0)
    position = np.where(below == up_to, np.clip(below - 1 + share, 0.0, last), (below + up_to - 1) / 2)
    return np.where(np.isnan(values), np.nan, position / last)


def _require_as_long(**lists: tuple[float, ...]) -> None:
    (first, one), (second, other) = lists.items()
    if len(one) != len(other):
        raise ValueError(f"{first} has {len(one)} numbers and {second} {len(other)}: each needs one a feature")
