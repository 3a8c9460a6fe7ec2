import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.funding_pressure import FundingPressure, funding_rate_bps_8h

HOUR = 3_600_000_000_000
NOW = 1_700_000_000_000_000_000


def test_hand_worked():
    """1 bp per 4 hours is 2 bps per 8 hours; a time constant before the settlement it counts e times less."""
    pressure = FundingPressure(tau_ns=2 * HOUR)
    assert not pressure.initialized
    assert pressure.update(0.0001, 4 * HOUR, NOW, NOW) == 2.0
    assert pressure.update(0.0001, 4 * HOUR, NOW + 2 * HOUR, NOW) == pytest.approx(2.0 / math.e, rel=1e-15)
    assert pressure.update(-0.0001, 8 * HOUR, NOW + HOUR, NOW) == pytest.approx(-math.exp(-0.5), rel=1e-15)
    assert pressure.initialized
    assert pressure.value == pytest.approx(-math.exp(-0.5), rel=1e-15)


@pytest.mark.parametrize(
    ("rate", "interval", "due"),
    [
        (math.nan, 8 * HOUR, NOW + HOUR),
        (0.0001, 0, NOW + HOUR),
        (0.0001, 8 * HOUR, 0),
        (0.0001, 8 * HOUR, NOW - 1),
    ],
)
def test_what_is_not_known_is_nan(rate, interval, due):
    """Without rate, interval or next settlement, and after that settlement, there is no pressure to know of."""
    pressure = FundingPressure()
    pressure.update(0.0001, 8 * HOUR, NOW + HOUR, NOW)
    assert math.isnan(pressure.update(rate, interval, due, NOW))
    assert math.isnan(pressure.value)
    assert not pressure.initialized


def test_a_rate_of_zero_is_known():
    """A rate of exactly zero is a pressure of zero, which is not the same as missing."""
    assert FundingPressure().update(0.0, 8 * HOUR, NOW + HOUR, NOW) == 0.0
    assert funding_rate_bps_8h(0.0, HOUR) == 0.0


def test_parameters_are_refused():
    """The time constant must be a positive number of nanoseconds."""
    with pytest.raises(ValueError, match="tau_ns is 0"):
        FundingPressure(0)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-30_000, 30_000).map(lambda k: k / 1e6), st.just(math.nan)),
            st.sampled_from([0, HOUR, 4 * HOUR, 8 * HOUR]),
            st.one_of(st.just(0), st.integers(NOW - HOUR, NOW + 8 * HOUR)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_mirror_growth_and_drivers(rows):
    """The other sign negates exactly, the pressure never falls as settlement nears, and both drivers agree."""
    rates, intervals, due = (np.array(column) for column in zip(*rows, strict=True))
    ts = np.full(len(rows), NOW)
    single, bulk = FundingPressure(), FundingPressure()
    out = bulk.update_many(rates, intervals, due, ts)
    one_by_one = [single.update(*row, NOW) for row in rows]
    assert out.tobytes() == np.array(one_by_one).tobytes()
    assert np.array_equal(single.value, bulk.value, equal_nan=True)
    assert np.array_equal(FundingPressure().update_many(-rates, intervals, due, ts), -out, equal_nan=True)
    known = np.isfinite(rates) & (intervals > 0) & (due >= NOW)
    assert (np.isnan(out) == ~known).all()
    later = FundingPressure().update_many(rates, intervals, due, np.minimum(ts + HOUR // 2, np.maximum(due, ts)))
    assert (np.abs(later[known]) >= np.abs(out[known])).all()
    half = FundingPressure().update_many(rates / 2, intervals // 2, due, ts)
    np.testing.assert_allclose(half, out, rtol=1e-14)
