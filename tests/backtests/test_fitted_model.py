"""The labels of the fitted model, worked out by hand."""

import numpy as np
import pytest

from backtests.best_prices import BestPrices
from tests.backtests.fitted_model import Bin, Floats, extremes, mids, platt, reliability, touched

BOOK = BestPrices(
    ts=np.array([0, 3, 5, 12, 20]),
    bid=np.array([99.0, 101.0, 98.0, 100.0, 103.0]),
    ask=np.array([100.0, 102.0, 99.0, 101.0, 104.0]),
)
ENDS = np.array([[0, 5, 10, 15], [5, 10, 15, 20]])


def steps(*prices: tuple[float, float]) -> tuple[Floats, Floats]:
    """The lowest and highest prices of the steps of one row."""
    low, high = zip(*prices, strict=True)
    return np.array([low]), np.array([high])


def test_a_step_sees_what_stood_at_its_start_and_every_change_up_to_its_end() -> None:
    """From 5 to 10 nothing changes: the bid is 98; the change at 5 belongs to the step before it too."""
    low, high = extremes(BOOK, ENDS, 1)
    assert low.tolist() == [[98, 98, 98], [98, 98, 100]]
    assert high.tolist() == [[101, 98, 100], [98, 100, 103]]


def test_a_short_is_left_at_the_ask() -> None:
    """All asks are one above the bids."""
    low, high = extremes(BOOK, ENDS, -1)
    assert low.tolist() == [[99, 99, 99], [99, 99, 101]]
    assert high.tolist() == [[102, 99, 101], [99, 101, 104]]


def test_the_mid_at_a_time_is_that_of_the_last_change() -> None:
    assert mids(BOOK, np.array([4, 5, 19])).tolist() == [101.5, 98.5, 100.5]


@pytest.mark.parametrize(
    ("seen", "won", "timed_out", "gross_r"),
    [
        ([(99.5, 100.5), (99.2, 101.5)], True, False, 1.5),  # the target is at 101.5: touching counts
        ([(99.0, 100.5), (99.2, 101.5)], False, False, -1.0),  # the stop, at 99, came first
        ([(99.0, 101.5), (99.2, 100.5)], False, False, -1.0),  # both in one step: the stop wins
        ([(99.5, 100.5), (99.2, 101.4)], False, True, 0.25),  # neither: the price at the time barrier is 100.25
    ],
)
def test_what_is_touched_first_decides(
    seen: list[tuple[float, float]], won: bool, timed_out: bool, gross_r: float
) -> None:
    """A long at 100 with a stop one away and its target at 1.5 R; the mirrored short ends the same."""
    price, stop, last = np.array([100.0]), np.array([1.0]), 100.25
    found = touched(1, price, stop, 1.5, steps(*seen), np.array([last]))
    mirror = [(200 - high, 200 - low) for low, high in seen]
    mirrored = touched(-1, price, stop, 1.5, steps(*mirror), np.array([200 - last]))
    assert [part.tolist() for part in found] == [[won], [timed_out], [gross_r]]
    assert [part.tolist() for part in mirrored] == [[won], [timed_out], [gross_r]]


def test_reliability_holds_what_was_stated_against_what_came_true() -> None:
    """Two of four near a half came true, one of one above; nothing lies between."""
    stated = np.array([0.4, 0.5, 0.5, 0.6, 0.9])
    came_true = np.array([True, False, True, False, True])
    assert reliability(stated, came_true, [0.0, 0.7, 0.8, 1.0]) == [Bin(4, 0.5, 0.5), Bin(1, 0.9, 1.0)]


def test_the_curve_of_a_model_that_knows_nothing_is_flat() -> None:
    """Outcomes that fall where the model rises: the base rate, a quarter, is all that is known."""
    slope, level = platt(np.array([1.0, 2.0, 3.0, 0.0]), np.array([False, False, False, True]))
    assert slope < 1e-5
    assert 1 / (1 + np.exp(-level)) == pytest.approx(0.25)
