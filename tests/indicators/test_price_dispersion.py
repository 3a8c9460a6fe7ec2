import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.price_dispersion import PriceDispersion

NAN = np.nan
ROW = st.lists(st.one_of(st.floats(1e-3, 1e6), st.just(NAN), st.integers(90, 110).map(float)), min_size=4, max_size=4)


def same(a, b):
    return np.array_equal(a, b, equal_nan=True)


def test_hand_worked():
    """Prices 99, 100, 101 and 100: (101 - 99) / 100 = 200 bps; the median is 100, so 99 is off by -100 bps."""
    dispersion = PriceDispersion(4)
    assert not dispersion.initialized
    assert dispersion.update([99.0, 100.0, 101.0, 100.0]) == 200.0
    assert dispersion.deviations.tolist() == [-100.0, 0.0, 100.0, 0.0]
    # three known: (130 - 100) / 110; the median is 100
    assert dispersion.update([100.0, NAN, 130.0, 100.0]) == 1e4 * 30 / 110
    assert same(dispersion.deviations, [0.0, NAN, 3000.0, 0.0])
    # two known: (110 - 90) / 100, and the median lies between them
    assert dispersion.update([NAN, 110.0, NAN, 90.0]) == 2000.0
    assert same(dispersion.deviations, [NAN, 1000.0, NAN, -1000.0])


@pytest.mark.parametrize("prices", [[NAN, NAN], [100.0, NAN], [NAN, 100.0], [0.0, 100.0]])
def test_one_price_has_no_dispersion(prices):
    """With fewer than two known prices everything is NaN, also after a time when there were more."""
    dispersion = PriceDispersion(2)
    dispersion.update([100.0, 101.0])
    assert np.isnan(dispersion.update(prices))
    assert np.isnan(dispersion.value)
    assert np.isnan(dispersion.deviations).all()
    assert not dispersion.initialized


def test_shapes_are_refused_with_the_remedy():
    """A row that does not fit the markets is refused: a missing price is NaN, not left out."""
    with pytest.raises(ValueError, match="a price for each of the 3 markets, NaN where missing"):
        PriceDispersion(3).update([1.0, 2.0])
    with pytest.raises(ValueError, match="each of the 3 markets"):
        PriceDispersion(3).update_many([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="markets is 1"):
        PriceDispersion(1)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=8), st.permutations(range(4)), st.integers(-20, 20))
def test_oracle_order_scale_and_drivers(rows, order, power):
    """Equals numpy; neither the order of the markets nor the unit of the price matters; both drivers agree."""
    table = np.array(rows)
    single, bulk = PriceDispersion(4), PriceDispersion(4)
    values, deviations = bulk.update_many(table)
    for k, row in enumerate(table):
        assert same(single.update(row), values[k])
        assert same(single.deviations, deviations[k])
        known = row[~np.isnan(row)]
        if len(known) < 2:
            assert np.isnan(values[k])
            assert np.isnan(deviations[k]).all()
            continue
        np.testing.assert_allclose(values[k], 1e4 * np.ptp(known) / known.mean(), rtol=1e-12)
        median = np.median(known)
        assert same(deviations[k], 1e4 * (row - median) / median)
    assert same(single.value, bulk.value)
    shuffled, shuffled_deviations = PriceDispersion(4).update_many(table[:, order])
    assert same(shuffled, values)
    assert same(shuffled_deviations, deviations[:, order])
    scaled, scaled_deviations = PriceDispersion(4).update_many(table * 2.0**power)
    assert same(scaled, values)
    assert same(scaled_deviations, deviations)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(900, 1100), min_size=2, max_size=6))
def test_mirror(prices):
    """Prices mirrored at their median negate every deviation exactly; the same price everywhere is no dispersion."""
    dispersion = PriceDispersion(len(prices))
    dispersion.update(np.array(prices, dtype=float))
    deviations = dispersion.deviations
    dispersion.update(2 * np.median(prices) - np.array(prices))
    assert (dispersion.deviations == -deviations).all()
    assert dispersion.update(np.full(len(prices), 0.1)) == 0.0
