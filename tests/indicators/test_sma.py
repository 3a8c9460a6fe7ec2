import math

from indicators.sma import Sma


def test_plain_mean_of_the_last_values():
    """Period 2 on 1, 3, 8: NaN, 2, 5.5."""
    sma = Sma(2)
    assert math.isnan(sma.update(1.0))
    assert not sma.initialized
    assert sma.update(3.0) == 2.0
    assert sma.update(8.0) == sma.value == 5.5
    assert sma.initialized
