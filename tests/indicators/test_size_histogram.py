import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.size_histogram import SizeHistogramState, add_sizes, configure_size_histogram, decay_sizes, read_sizes

SIZE = st.floats(1e-9, 1e9)


def histogram(samples, q=0.9, span=3):
    states = new_states(SizeHistogramState)
    configure_size_histogram(states[0], q, span)
    for sizes in samples:
        decay_sizes(states[0])
        add_sizes(states[0], np.array(sizes, dtype=float), len(sizes))
        read_sizes(states[0])
    return states[0]


def test_hand_worked():
    """Nine ones and a ten: the top tenth is the bin from 10 to 11; the median lies 4/9 into the bin from 1 to 1.125.

    From the top down the ones' bin brings the count to 10, which is 5 more than half of 10; of its 9 levels that is 5/9
    up from its lower edge: 1 + 5/9 x 1/8.
    """
    state = histogram([[1.0] * 9 + [10.0]])
    assert state["threshold"] == 10.0
    assert state["typical"] == pytest.approx(1.0 + 5.0 / 9.0 / 8.0)


def test_older_samples_fade():
    """With span 3 a sample weighs half of the next: four fours then weigh 2 against four ones, and 1 a sample later.

    At q = 0.6 the top 2.4 of 6 reach down to the ones; before, all of the weight was at four.
    """
    samples = [[4.0] * 4, [1.0] * 4]
    assert histogram(samples[:1], q=0.6)["threshold"] == 4.0
    assert histogram(samples, q=0.6)["total"] == 6.0
    assert histogram(samples, q=0.6)["threshold"] == 1.0
    assert histogram(samples, q=0.7)["threshold"] == 4.0
    assert histogram([*samples, [1.0] * 4], q=0.8)["threshold"] == 1.0


def test_levels_without_size_are_left_out():
    """Sizes of 0 and below and NaN are no levels; without any level there is no quantile."""
    state = histogram([[0.0, -1.0, math.nan]])
    assert state["total"] == 0.0
    assert math.isnan(state["threshold"])
    assert histogram([[0.0, 2.0, math.nan]])["threshold"] == 2.0


def test_sizes_beyond_the_range_enter_the_outermost_bins():
    """A size of 1e-300 counts as 2^-64, one of infinity in the last bin, below 2^64."""
    assert histogram([[1e-300]])["threshold"] == 2.0**-64
    assert histogram([[math.inf]])["threshold"] == 1.875 * 2.0**63


def test_bad_parameters_are_refused():
    """The quantile lies above the median and the span is at least 2."""
    state = new_states(SizeHistogramState)[0]
    for q, span, complaint in ((0.5, 3, "above the median"), (1.0, 3, "q is 1.0"), (0.9, 1, "span is 1")):
        with pytest.raises(ValueError, match=complaint):
            configure_size_histogram(state, q, span)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(SIZE, min_size=1, max_size=12), min_size=1, max_size=12), st.sampled_from([0.55, 0.75, 0.93]))
def test_equals_weighting_every_size(samples, q):
    """The weight at or above the bin of each quantile is enough, that above it is not: summed one size at a time."""
    state = histogram(samples, q)
    sizes = np.concatenate(samples)
    weights = np.concatenate([np.full(len(s), 0.5 ** (len(samples) - 1 - k)) for k, s in enumerate(samples)])
    slack = 1e-6 * weights.sum()
    for quantile, value in ((q, state["threshold"]), (0.5, state["typical"])):
        mantissa, exponent = math.frexp(value)
        lower = math.ldexp(math.floor(mantissa * 16.0) / 16.0, exponent)
        upper = lower + math.ldexp(1.0, exponent - 4)
        wanted = (1.0 - quantile) * weights.sum()
        if value != lower or quantile == q:
            assert weights[sizes >= lower].sum() >= wanted - slack
            assert weights[sizes >= upper].sum() <= wanted + slack


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(SIZE, min_size=1, max_size=12), min_size=1, max_size=8), st.integers(-20, 20))
def test_scales_exactly_with_powers_of_two(samples, k):
    """Sizes times 2^k give quantiles times 2^k, bit for bit."""
    scale = 2.0**k
    state, scaled = histogram(samples), histogram([np.array(s) * scale for s in samples])
    assert scaled["threshold"] == state["threshold"] * scale
    assert scaled["typical"] == state["typical"] * scale
