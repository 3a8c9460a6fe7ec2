import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

from strategies.model_record import Floats
from strategies.normalisation import AsIs, MinMax, Normaliser, Rank, ZScore

NORMALISER: TypeAdapter[Normaliser] = TypeAdapter(Normaliser)
RANDOM = np.random.default_rng(7)
TRAINING, NEW = RANDOM.normal(5, 3, (500, 3)), RANDOM.normal(5, 5, (200, 3))


def column(*values: float) -> Floats:
    return np.array(values)[:, np.newaxis]


def test_z_score_by_hand() -> None:
    """A mean of 2 and a standard deviation of 4; missing stays missing."""
    found = ZScore(mean=(2.0,), sd=(4.0,)).apply(column(2, 10, -2, np.nan))
    np.testing.assert_array_equal(found, column(0, 2, -1, np.nan))


@pytest.mark.parametrize(("clip", "below", "above"), [(False, -0.5, 1.5), (True, 0.0, 1.0)])
def test_min_max_by_hand(clip: bool, below: float, above: float) -> None:
    """A range from 2 to 6: beyond it goes on, unless clipped; missing stays missing either way."""
    found = MinMax(low=(2.0,), high=(6.0,), clip=clip).apply(column(0, 2, 3, 6, 8, np.nan))
    np.testing.assert_array_equal(found, column(below, 0, 0.25, 1, above, np.nan))


def test_rank_by_hand() -> None:
    """Quantiles 0, 1, 3, 3, 7 at levels of a quarter: linear between, the middle of tied ones, flat beyond."""
    found = Rank(quantiles=((0.0, 1.0, 3.0, 3.0, 7.0),)).apply(column(-9, 0, 0.5, 2, 3, 5, 7, 9, np.nan))
    np.testing.assert_array_equal(found, column(0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1, np.nan))


def test_rank_of_a_value_that_fills_an_end() -> None:
    """Where three of five quantiles are zero, zero is in the middle of theirs; just above it is past them all."""
    found = Rank(quantiles=((0.0, 0.0, 0.0, 1.0, 2.0),)).apply(column(-1e-300, 0, 1e-300, 0.5))
    np.testing.assert_allclose(found, column(0, 0.25, 0.5, 0.625), rtol=1e-15)


def test_as_is() -> None:
    """Nothing happens, for any number of features."""
    assert AsIs().apply(NEW) is NEW
    assert AsIs().count() is None


def test_z_score_as_scikit_learn() -> None:
    """StandardScaler's numbers, from what it learned."""
    oracle = StandardScaler().fit(TRAINING)
    ours = ZScore(mean=tuple(oracle.mean_.tolist()), sd=tuple(oracle.scale_.tolist()))
    np.testing.assert_allclose(ours.apply(NEW), oracle.transform(NEW), rtol=1e-13)


@pytest.mark.parametrize("clip", [False, True])
def test_min_max_as_scikit_learn(clip: bool) -> None:
    """MinMaxScaler's numbers, from what it learned."""
    oracle = MinMaxScaler(clip=clip).fit(TRAINING)
    low, high = tuple(oracle.data_min_.tolist()), tuple(oracle.data_max_.tolist())
    np.testing.assert_allclose(MinMax(low=low, high=high, clip=clip).apply(NEW), oracle.transform(NEW), atol=1e-13)


def test_rank_as_scikit_learn() -> None:
    """QuantileTransformer's numbers, from its table, with ties inside of it."""
    training = np.sort(np.concatenate((TRAINING, np.full((60, 3), 5.0))), axis=0)
    oracle = QuantileTransformer(n_quantiles=50, subsample=None).fit(training)
    ours = Rank(quantiles=tuple(map(tuple, oracle.quantiles_.T.tolist())))
    new = np.concatenate((NEW, training, np.full((1, 3), np.nan)))
    np.testing.assert_allclose(ours.apply(new), oracle.transform(new), atol=1e-12)


QUANTILES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20).map(sorted).filter(lambda q: q[0] < q[-1])
POSITIVE = st.floats(1e-3, 1e3)
ALL_KINDS = st.one_of(
    st.builds(lambda m, s: ZScore(mean=(m,), sd=(s,)), st.floats(-1e6, 1e6), POSITIVE),
    st.builds(
        lambda low, width, clip: MinMax(low=(low,), high=(low + width,), clip=clip),
        st.floats(-1e6, 1e6),
        POSITIVE,
        st.booleans(),
    ),
    st.builds(lambda q: Rank(quantiles=(tuple(q),)), QUANTILES),
)


@given(ALL_KINDS, st.lists(st.floats(-1e7, 1e7) | st.just(np.nan), min_size=1, max_size=20), st.data())
def test_rises_keeps_missing_and_rows_apart(normaliser: Any, values: list[float], data: st.DataObject) -> None:
    """No normaliser falls; only what is missing is missing after it; a row alone has the bits of a batch."""
    if isinstance(normaliser, Rank):
        values += data.draw(st.lists(st.sampled_from(normaliser.quantiles[0])))  # hits of a quantile are rare by chance
    found = normaliser.apply(column(*values))
    np.testing.assert_array_equal(np.isnan(found[:, 0]), np.isnan(values))
    np.testing.assert_array_equal(np.concatenate([normaliser.apply(column(v)) for v in values]), found)
    present = sorted(v for v in values if not np.isnan(v))
    assert (np.diff(normaliser.apply(column(*present))[:, 0]) >= 0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "robust"}, "robust"),
        ({"kind": "z-score", "mean": [0.0, 1.0], "sd": [1.0]}, "mean has 2 numbers and sd 1"),
        ({"kind": "z-score", "mean": [0.0], "sd": [0.0]}, "greater than 0"),
        ({"kind": "z-score", "mean": [], "sd": []}, "at least 1 item"),
        ({"kind": "z-score", "mean": [0.0], "sd": ["1"]}, "valid number"),
        ({"kind": "z-score", "mean": [1e16], "sd": [1.0]}, "less than or equal to 1000000000000000"),
        ({"kind": "min-max", "low": [1.0], "high": [1.0], "clip": True}, r"low\[0\] 1.0 must be below high\[0\] 1.0"),
        ({"kind": "min-max", "low": [0.0], "high": [1.0], "clip": 1}, "valid boolean"),
        ({"kind": "rank", "quantiles": [[0.0, 2.0, 1.0]]}, r"quantiles\[0\]\[2\] 1.0 is below the one before it, 2.0"),
        ({"kind": "rank", "quantiles": [[0.0, 1.0], [3.0, 3.0]]}, r"quantiles\[1\] are all 3.0"),
        ({"kind": "rank", "quantiles": [[0.0]]}, "at least 2 items"),
        ({"kind": "rank", "quantiles": [[float(k) for k in range(1_002)]]}, "at most 1001 items"),
    ],
)
def test_refused(given: dict[str, Any], message: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(ValidationError, match=message):
        NORMALISER.validate_json(json.dumps(given))
