"""Technical on events made by hand."""

import pytest

from indicators.sides import BUYER
from tests.strategies.flow.world import PERP, SPOT, World, around


def test_trend_rsi_and_atr_are_of_the_leads_bars() -> None:
    """Bars of a second with closes 100, 101, 99; see the comments."""
    world = World(PERP, SPOT)
    world.trade(7.5, 1.0, BUYER, price=100.0)
    world.trade(8.2, 1.0, BUYER, price=103.0)
    world.trade(8.4, 1.0, BUYER, price=101.0)
    world.trade(8.6, 1.0, BUYER, price=500.0, market=1)  # spot: no part of the bars
    world.trade(9.5, 1.0, BUYER, price=99.0)
    for time in (9, 10):
        world.books(time, around(1_000))
    snapshot = world.features(10)
    # true ranges 103 - 100 and 101 - 99
    assert snapshot["atr"] == 2.5
    assert snapshot["atr_bps"] == 250.0
    # one up, two down
    assert snapshot["rsi"] == pytest.approx(100 / 3)
    # fast 99; slow from 100.5 two thirds of the way to 99
    assert snapshot["trend_atr"] == pytest.approx((99 - 99.5) / 2.5)


def test_macd_and_bollinger_are_of_the_leads_bars() -> None:
    """Closes 100, 102, 101 with MACD (1, 2, 2) and bands of two bars, in ATR of the true ranges 2 and 1.

    The fast average is the close. Slow: 101 after two closes, then 101 + (101 - 101) x 2/3 = 101: lines 1 and 0, the
    signal their mean 0.5, the histogram -0.5. Bands of 102 and 101: the middle 101.5 and two deviations of 0.5 on
    either side, so the close lies a quarter of the way up.
    """
    world = World()
    for second, close in ((7, 100.0), (8, 102.0), (9, 101.0)):
        world.trade(second + 0.5, 1.0, BUYER, price=close)
    for time in (9, 10):
        world.books(time, around(1_000))
    snapshot = world.features(10)
    assert snapshot["macd_histogram_atr"] == pytest.approx(-0.5 / 1.5)
    assert snapshot["bollinger_b"] == pytest.approx(0.25)
