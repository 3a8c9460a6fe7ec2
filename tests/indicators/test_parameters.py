import numpy as np
import pytest

from indicators.atr import Atr
from indicators.ema import Ema
from indicators.flow_window import FlowWindow
from indicators.ladder import Ladder
from indicators.parameters import float_column, int_column
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.volume_surge import VolumeSurge
from indicators.whale_trades import WhaleTrades


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ema(0), "period is 0: give an integer of at least 1"),
        (lambda: Ema(2.5), "period is 2.5: give an integer"),
        (lambda: Ema(True), "period is True: give an integer"),
        (lambda: RollingMoments(1), "window is 1: give an integer of at least 2"),
        (lambda: RollingQuantile(10, 1.0), r"q is 1.0: give a number between 0 and 1"),
        (lambda: RollingQuantile(10, float("nan")), "q is nan"),
        (lambda: RollingQuantile(10, 0.5, 11), "min_count is 11, but the window holds 10"),
        (lambda: WhaleTrades(window=100), "min_count is 200, but the window holds 100"),
        (lambda: VolumeSurge(10, 3, threshold=float("inf")), "threshold is inf: give a finite number"),
        (lambda: FlowWindow(0, 5), "bucket_ns is 0"),
        (lambda: Ladder(0), "capacity is 0"),
    ],
)
def test_bad_parameters_are_refused(make, message):
    """A parameter that can not work raises ValueError with its name, its value and the remedy."""
    with pytest.raises(ValueError, match=message):
        make()


def test_columns_of_different_length_are_refused():
    """Kernels read columns side by side without checks, so the class refuses columns that differ in length."""
    with pytest.raises(ValueError, match="'highs': 3, 'lows': 2, 'closes': 3"):
        Atr(2).update_many([1.0, 2.0, 3.0], [1.0, 2.0], [1.0, 2.0, 3.0])


def test_columns_have_one_dimension_and_the_right_kind():
    """Tables and fractions are refused where a column of integers belongs."""
    with pytest.raises(ValueError, match="shape"):
        float_column(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="float64 where integers belong"):
        int_column([1.5])
    assert int_column(np.array([1, 2], dtype=np.uint8)).dtype == np.int64
    assert int_column([]).dtype == np.int64
