import math

from indicators.ema import Ema


def test_seed_is_the_plain_mean():
    """Period 3 (alpha 1/2) on 2, 4, 9, 7: NaN twice, the mean 5, then 5 + (7 - 5) / 2 = 6."""
    ema = Ema(3)
    assert math.isnan(ema.value)
    assert math.isnan(ema.update(2.0))
    assert math.isnan(ema.update(4.0))
    assert not ema.initialized
    assert ema.update(9.0) == 5.0
    assert ema.initialized
    assert ema.update(7.0) == ema.value == 6.0


def test_period_one_is_the_value_itself():
    """The shortest average follows every value."""
    assert Ema(1).update_many([3.0, 8.0, 1.0]).tolist() == [3.0, 8.0, 1.0]
