import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.order_book_imbalance import OrderBookImbalance


def test_hand_worked():
    """Bid 3 against ask 1 is 1/2; the third sample of window 3 on 1/2, 0, 1 scores 1/2 over sqrt(1/6)."""
    imbalance = OrderBookImbalance(window=3)
    assert np.isnan(imbalance.value).all()
    assert [imbalance.update(3.0, 1.0), imbalance.update(2.0, 2.0)] == [0.5, 0.0]
    assert np.isnan(imbalance.zscore).all()
    assert not imbalance.initialized
    assert imbalance.update(4.0, 0.0) == 1.0
    assert imbalance.initialized
    assert imbalance.zscore[0] == pytest.approx(0.5 / math.sqrt(1.0 / 6.0))


def test_an_empty_book_is_no_sample():
    """Where both sides are empty value and score are NaN, and the window is as if the sample had not been."""
    with_gap, without = OrderBookImbalance(window=2), OrderBookImbalance(window=2)
    for sample in ((1.0, 3.0), (2.0, 2.0)):
        with_gap.update(*sample)
        without.update(*sample)
    assert math.isnan(with_gap.update(0.0, 0.0))
    assert np.isnan(with_gap.zscore).all()
    assert with_gap.update(5.0, 1.0) == without.update(5.0, 1.0)
    assert with_gap.zscore == without.zscore


def test_bands_are_apart():
    """A sample of one band leaves the others alone; a band that does not exist is refused."""
    imbalance = OrderBookImbalance(bands=2, window=2)
    imbalance.update(1.0, 0.0, band=1)
    assert np.isnan(imbalance.value[0])
    assert imbalance.value[1] == 1.0
    with pytest.raises(ValueError, match="band is 2, but there are 2"):
        imbalance.update(1.0, 0.0, band=2)
    with pytest.raises(ValueError, match="band is -1"):
        imbalance.update_many([1.0], [0.0], band=-1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=4, max_size=40))
def test_mirrored_book_mirrors_the_imbalance(depths):
    """Swapping bids and asks negates value and score bit for bit; the value stays within -1 and 1."""
    bids, asks = np.array(depths).T
    value, zscore = OrderBookImbalance(window=3).update_many(bids, asks)
    mirrored = OrderBookImbalance(window=3).update_many(asks, bids)
    assert np.array_equal(value, -mirrored[0], equal_nan=True)
    assert np.array_equal(zscore, -mirrored[1], equal_nan=True)
    assert not (np.abs(value) > 1.0).any()
