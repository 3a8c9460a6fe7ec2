"""The logistic function, elementwise: the same bits for a row alone and in a batch."""

import numpy as np

from strategies.model_record import Floats


def expit(log_odds: Floats) -> Floats:
    """Probabilities of log-odds, ``1 / (1 + exp(-z))``, without overflow; NaN stays NaN."""
    tail = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0.0, 1.0, tail) / (1.0 + tail)


def linear_log_odds(values: Floats, coefficients: Floats, intercept: float) -> Floats:
    """``intercept + values @ coefficients`` of shape (n,), `values` of shape (n, features).

    Summed feature by feature: a matrix product sums in an order that depends on the number of rows.
    """
    total = np.full(len(values), intercept)
    for column, coefficient in zip(values.T, coefficients, strict=True):
        total += column * coefficient
    return total
