from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.flow.markets import band_limits


@pytest.mark.parametrize(
    ("best_bid", "best_ask", "bps", "expected"),
    [
        # mid 10000: 5 bps are 5 units
        (9_999, 10_001, 5.0, (9_995, 10_005)),
        (9_999, 10_001, 25.0, (9_975, 10_025)),
        # mid 20000.5: 5 bps are 10.00025 units, so 19990.49975 to 20010.50025
        (20_000, 20_001, 5.0, (19_991, 20_010)),
        # 4.5 units reach from 9000 no further than 4
        (8_999, 9_001, 5.0, (8_996, 9_004)),
        # a band narrower than half the spread holds no level
        (90, 110, 5.0, (100, 100)),
    ],
)
def test_by_hand(best_bid: int, best_ask: int, bps: float, expected: tuple[int, int]) -> None:
    """The limits are the outermost whole units within the band around the mid."""
    assert band_limits(best_bid, best_ask, bps) == expected


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.floats(0.1, 100.0))
def test_symmetric_about_the_mid(best_bid: int, spread: int, bps: float) -> None:
    """Both limits are equally far from the mid, so neither side of the book is favoured."""
    lowest, highest = band_limits(best_bid, best_bid + spread, bps)
    assert lowest + highest == 2 * best_bid + spread


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.floats(0.1, 50.0))
def test_a_wider_band_holds_a_narrower_one(best_bid: int, spread: int, bps: float) -> None:
    """Twice the basis points reach at least as far on both sides."""
    narrow, wide = (band_limits(best_bid, best_bid + spread, reach) for reach in (bps, 2 * bps))
    assert wide[0] <= narrow[0]
    assert narrow[1] <= wide[1]


@given(st.integers(1, 10**7), st.integers(0, 10**4), st.sampled_from([1, 5, 10, 25, 50]))
def test_the_limits_are_inclusive(best_bid: int, spread: int, bps: int) -> None:
    """Each limit is within the band, and one unit further is not."""
    lowest, highest = band_limits(best_bid, best_bid + spread, float(bps))
    mid = best_bid + Fraction(spread, 2)
    reach = mid * bps / 10_000
    assert mid - lowest <= reach < mid - (lowest - 1)
    assert highest - mid <= reach < highest + 1 - mid
