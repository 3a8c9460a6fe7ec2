import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.microprice import Microprice, best_microprice_bps

SIZE = st.one_of(st.floats(1e-6, 1e6), st.integers(1, 9).map(float))


@st.composite
def books(draw):
    """A book around a mid of M / 2: prices and sizes of both sides, best first."""
    spread = draw(st.integers(0, 9))
    twice_mid = 2 * draw(st.integers(10_000, 10_000_000)) + spread % 2
    sides = []
    for _ in range(2):
        steps = draw(st.lists(st.integers(1, 20), min_size=0, max_size=5))
        distances = spread + 2 * np.cumsum([0, *steps])
        sides.append((distances, np.array(draw(st.lists(SIZE, min_size=len(distances), max_size=len(distances))))))
    return twice_mid, *sides


def levels(twice_mid, bids, asks):
    return (twice_mid - bids[0]) // 2, bids[1], (twice_mid + asks[0]) // 2, asks[1]


def test_hand_worked():
    """Bid 99 x 3, ask 101 x 1: (99 x 1 + 101 x 3) / 4 = 100.5, which is 50 bps above 100."""
    microprice = Microprice()
    assert not microprice.initialized
    assert microprice.update(99, 3.0, 101, 1.0) == 50.0
    assert microprice.update(99, 1.0, 101, 1.0) == 0.0
    assert microprice.update(99, 0.0, 101, 1.0) == -100.0
    assert microprice.value == -100.0
    assert microprice.initialized


def test_band_by_hand():
    """Bids 99 x 1, 97 x 1 (mean 98, depth 2) and asks 101 x 6: (98 x 6 + 101 x 2) / 8 = 98.75, 125 bps below 100.

    The ask at 110 lies outside the band. A band that ends at the bids' 98 leaves 99 x 1: (99 x 6 + 101) / 7 = 99 + 2/7.
    """
    microprice = Microprice()
    book = [99, 97], [1.0, 1.0], [101, 110], [6.0, 50.0]
    assert microprice.update_band(*book, 97, 109) == -125.0
    assert microprice.update_band(*book, 98, 109) == pytest.approx(-1e4 * (5 / 7) / 100, rel=1e-15)
    assert microprice.value == pytest.approx(-1e4 * (5 / 7) / 100, rel=1e-15)


@pytest.mark.parametrize(
    "book",
    [
        ([], [], [101], [1.0], 0, 999),
        ([99], [1.0], [], [], 0, 999),
        ([99], [1.0], [101], [1.0], 100, 999),
        ([99], [1.0], [101], [1.0], 0, 100),
        ([99], [0.0], [101], [1.0], 0, 999),
        ([102], [1.0], [101], [1.0], 0, 999),
    ],
)
def test_what_is_not_known_is_nan(book):
    """A side without depth in the band and a crossed book have no microprice."""
    microprice = Microprice()
    assert math.isnan(microprice.update_band(*book))
    assert math.isnan(microprice.value)
    assert not microprice.initialized


def test_best_level_is_nan_where_not_known():
    """Two empty sizes, a crossed book and a side without levels have no microprice; a locked book has its one price."""
    microprice = Microprice()
    assert math.isnan(microprice.update(99, 0.0, 101, 0.0))
    assert math.isnan(microprice.update(102, 1.0, 101, 1.0))
    assert microprice.update(101, 1.0, 101, 5.0) == 0.0
    prices, sizes = np.array([100]), np.array([1.0])
    assert math.isnan(best_microprice_bps(prices, sizes, 0, prices, sizes, 1))
    assert math.isnan(best_microprice_bps(prices, sizes, 1, prices, sizes, 0))


@settings(deadline=None, max_examples=60)
@given(books(), st.integers(0, 120), st.integers(-20, 20))
def test_band_equals_exact_arithmetic_mirrors_and_scales(book, reach, power):
    """The definition in exact fractions; a mirrored book negates to the bit; neither unit matters."""
    twice_mid, bids, asks = book
    bid_prices, bid_sizes, ask_prices, ask_sizes = levels(twice_mid, bids, asks)
    limits = (twice_mid - reach + 1) // 2, (twice_mid + reach) // 2
    value = Microprice().update_band(bid_prices, bid_sizes, ask_prices, ask_sizes, *limits)
    mirrored = Microprice().update_band(*levels(twice_mid, asks, bids), *limits)
    scaled = Microprice().update_band(bid_prices, bid_sizes * 2.0**power, ask_prices, ask_sizes * 2.0**power, *limits)
    assert np.array_equal(mirrored, -value, equal_nan=True)
    assert np.array_equal(scaled, value, equal_nan=True)

    def within(prices, sizes):
        inside = [(int(p), Fraction(s)) for p, s in zip(prices, sizes, strict=True) if limits[0] <= p <= limits[1]]
        depth = sum(s for _, s in inside)
        return depth, sum(p * s for p, s in inside) / depth if depth else None

    (bid_depth, bid), (ask_depth, ask) = within(bid_prices, bid_sizes), within(ask_prices, ask_sizes)
    if bid is None or ask is None:
        assert math.isnan(value)
        return
    mid = Fraction(twice_mid, 2)
    exact = ((bid * ask_depth + ask * bid_depth) / (bid_depth + ask_depth) - mid) / mid * 10_000
    # against the larger of the two pulls, of which the value is the difference
    reached = max(abs(bid - mid), abs(ask - mid)) / mid * 10_000
    assert abs(value - exact) <= 1e-14 * reached


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 10_000_000), st.integers(0, 9), SIZE, SIZE), min_size=1, max_size=30))
def test_best_level_mirrors_is_bounded_and_drivers_agree(rows):
    """Within the spread; swapped sizes negate; a band of one level a side and both drivers give the same value."""
    bids, spreads, bid_sizes, ask_sizes = (np.array(column) for column in zip(*rows, strict=True))
    asks = bids + spreads
    single, bulk = Microprice(), Microprice()
    out = bulk.update_many(bids, bid_sizes, asks, ask_sizes)
    table = zip(bids.tolist(), bid_sizes.tolist(), asks.tolist(), ask_sizes.tolist(), strict=True)
    assert out.tobytes() == np.array([single.update(*row) for row in table]).tobytes()
    assert single.value == bulk.value
    assert (Microprice().update_many(bids, ask_sizes, asks, bid_sizes) == -out).all()
    assert (np.abs(out) <= 1e4 * spreads / (bids + asks) * (1 + 1e-15)).all()
    for k in range(len(rows)):
        level = bids[k : k + 1], bid_sizes[k : k + 1], asks[k : k + 1], ask_sizes[k : k + 1]
        assert best_microprice_bps(*level[:2], 1, *level[2:], 1) == out[k]
        band = Microprice().update_band(*level, int(bids[k]), int(asks[k]))
        assert band == pytest.approx(out[k], rel=1e-12, abs=1e-11)
