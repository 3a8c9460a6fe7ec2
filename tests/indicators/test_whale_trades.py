import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.sides import BUYER, SELLER, UNKNOWN
from indicators.whale_trades import WhaleTrades


def test_hand_worked():
    """Window 4, median, from 2 trades on: after notionals 10 and 20 the threshold is 20, which only 21 exceeds."""
    whales = WhaleTrades(window=4, q=0.5, min_count=2)
    assert not whales.update(10.0, 1.0, BUYER)
    assert not whales.update(10.0, 2.0, BUYER)
    assert whales.initialized
    assert whales.threshold == 20.0
    assert whales.value == 0.0
    assert not whales.update(5.0, 4.0, BUYER)
    assert whales.update(7.0, 3.0, SELLER)
    assert (whales.value, whales.volume, whales.count) == (-3.0, 3.0, 1)
    # the whale has entered its window: 10, 20, 20, 21
    assert whales.threshold == 20.0
    assert whales.update(50.0, 1.0, UNKNOWN)
    assert (whales.value, whales.volume, whales.count) == (-3.0, 4.0, 2)


def test_nothing_is_a_whale_before_min_count():
    """Without enough trades to compare with, a print of any size is no whale and the flow is NaN."""
    whales = WhaleTrades(window=4, q=0.5, min_count=3)
    assert [whales.update(1.0, 10.0**k, BUYER) for k in range(3)] == [False] * 3
    assert whales.value == 0.0
    assert math.isnan(WhaleTrades().value)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2)), min_size=5, max_size=60))
def test_equals_numpy_and_mirrors(trades):
    """A whale exceeds numpy's quantile of the trades before it; swapping the sides negates the flow."""
    prices, sizes, sides = (np.array(column) for column in zip(*trades, strict=True))
    whales, mirrored = WhaleTrades(8, 0.8, 3), WhaleTrades(8, 0.8, 3)
    found = whales.update_many(prices, sizes, sides)
    notional = (prices * sizes).astype(float)
    for k in range(3, len(trades)):
        threshold = np.quantile(notional[max(0, k - 8) : k], 0.8, method="higher")
        assert found[k] == (notional[k] > threshold)
    assert not found[:3].any()
    mirrored.update_many(prices, sizes, np.choose(sides, [0, 2, 1]))
    assert whales.value == -mirrored.value
    assert whales.count == found.sum()
    assert whales.volume == sizes[found].sum()
