import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.rolling_quantile import RollingQuantile
from indicators.tail_quantile import TailQuantile

KINDS = [RollingQuantile, TailQuantile]
"""Two ways to the same numbers: heaps, and an ordered tail."""


@pytest.mark.parametrize("kind", KINDS)
def test_hand_worked(kind):
    """Window 3, median, from 2 values on: 5 | 5 1 -> 5 (the higher) | 5 1 3 -> 3 | 1 3 2 -> 2 | 3 2 9 -> 3."""
    quantile = kind(3, 0.5, min_count=2)
    assert math.isnan(quantile.update(5.0))
    assert not quantile.initialized
    assert quantile.update(1.0) == 5.0
    assert quantile.initialized
    assert [quantile.update(x) for x in (3.0, 2.0, 9.0)] == [3.0, 2.0, 3.0]
    assert quantile.value == 3.0


@pytest.mark.parametrize("kind", KINDS)
def test_nan_is_refused(kind):
    """NaN has no place in an order: it is refused with its position."""
    quantile = kind(3, 0.5)
    with pytest.raises(ValueError, match="x is NaN"):
        quantile.update(math.nan)
    with pytest.raises(ValueError, match=r"xs\[1\] is NaN"):
        quantile.update_many([1.0, math.nan])


@settings(deadline=None, max_examples=150)
@given(
    values=st.lists(st.one_of(st.floats(-1e3, 1e3), st.integers(0, 3).map(float)), min_size=1, max_size=150),
    q=st.sampled_from([0.01, 0.25, 0.5, 0.75, 0.9, 0.99]),
    min_count=st.integers(1, 7),
    kind=st.sampled_from(KINDS),
)
def test_equals_numpy(values, q, min_count, kind):
    """While the window fills and after, the value is numpy's 'higher' quantile of the last 7, ties or not."""
    ours = kind(7, q, min_count).update_many(values)
    for end in range(1, len(values) + 1):
        if end < min_count:
            assert math.isnan(ours[end - 1])
        else:
            assert ours[end - 1] == np.quantile(values[max(0, end - 7) : end], q, method="higher")


SHAPES = {
    "random": lambda rng, n: rng.lognormal(size=n),
    "ties": lambda rng, n: rng.integers(0, 5, n).astype(float),
    "rising": lambda rng, n: np.arange(n, dtype=float),
    "falling": lambda rng, n: -np.arange(n, dtype=float),
    "constant": lambda rng, n: np.ones(n),
    "saw": lambda rng, n: np.arange(n) % 137 * 1.0,
    "collapse": lambda rng, n: rng.lognormal(size=n) * np.where(np.arange(n) < n // 2, 1e6, 1.0),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("q", [0.02, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_reserve_runs_out_and_over(shape, q, kind):
    """Long windows, whose largest values alone are kept, equal numpy when those run out, run over or all tie."""
    values = SHAPES[shape](np.random.default_rng(5), 3000)
    ours = kind(300, q).update_many(values)
    windows = np.lib.stride_tricks.sliding_window_view(values, 300)
    assert np.array_equal(ours[299:], np.quantile(windows, q, axis=1, method="higher"))
