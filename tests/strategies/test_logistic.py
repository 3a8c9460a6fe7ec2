import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit as oracle

from strategies.logistic import expit, linear_log_odds


def test_by_hand() -> None:
    """Even odds, odds of 3 to 1 both ways, and ends that do not overflow."""
    found = expit(np.array([0.0, math.log(3), -math.log(3), 1e300, -1e300, np.inf, -np.inf, np.nan]))
    np.testing.assert_allclose(found, [0.5, 0.75, 0.25, 1, 0, 1, 0, np.nan], rtol=1e-15)


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=40))
def test_as_scipy_and_alone_as_in_a_batch(log_odds: list[float]) -> None:
    """SciPy's expit to a few ulp (which gives up on the smallest), and no row's bits depend on how many there are."""
    batch = expit(np.array(log_odds))
    np.testing.assert_allclose(batch, oracle(log_odds), rtol=1e-14, atol=1e-306)
    assert [float(expit(np.array([z]))[0]) for z in log_odds] == batch.tolist()


def test_linear_log_odds_by_hand() -> None:
    """-1 + 2 × 3 - 0.5 × 4."""
    assert linear_log_odds(np.array([[3.0, 4.0]]), np.array([2.0, -0.5]), -1.0).tolist() == [3.0]
