import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from strategies.minute_history import MINUTE_NS, Correlations, MinuteHistory

FIRST = 28_000_000
"""The minute since 1970 that every history here begins with."""
SCAN_NS = 5_000_000_000

type Prices = Sequence[float | None]
"""One price a minute; None where there is none."""


def minute_ns(minute: int, scan: int = 0) -> int:
    return (FIRST + minute) * MINUTE_NS + scan * SCAN_NS


def history(prices: Prices, *, minutes: int = 4, swing_bars: int = 1) -> MinuteHistory:
    made = MinuteHistory(minutes, swing_bars)
    for minute, price in enumerate(prices):
        if price is not None:
            made.update(minute_ns(minute), price)
    return made


def correlations(*, minutes: int = 60, min_minutes: int = 2, shrink: float = 0.0, **prices: Prices) -> Correlations:
    made = Correlations(minutes, min_minutes, shrink, 1)
    for minute in range(max(map(len, prices.values()))):
        for asset, of in prices.items():
            price = of[minute] if minute < len(of) else None
            if price is not None:
                made.update(asset, minute_ns(minute), price)
    return made


def test_returns_by_hand() -> None:
    """From 100 to 110 and to 99: a tenth up, a tenth down; before them nothing is known."""
    assert_allclose(history([100.0, 110.0, 99.0]).returns(FIRST + 3), [math.nan, 0.1, -0.1])


def test_the_minute_that_is_being_made_has_no_return() -> None:
    """Of minute 2, which has a price already, nothing is told before it is over."""
    made = history([100.0, 110.0, 99.0])
    assert made.minute == FIRST + 2
    assert_allclose(made.returns(FIRST + 2), [math.nan, math.nan, 0.1])


def test_the_last_price_of_a_minute_is_its_close() -> None:
    """The scan at the very end of a minute belongs to the next one."""
    made = MinuteHistory(2, 1)
    for scan, price in ((0, 100.0), (11, 200.0), (12, 300.0), (23, 400.0)):
        made.update(minute_ns(0, scan), price)
    assert_allclose(made.returns(FIRST + 2), [1.0])


def test_a_minute_without_a_price_has_no_close() -> None:
    """Of five closes the third is missing: the returns to it and from it are, and no other."""
    gap = history([100.0, 110.0, None, 121.0, 242.0], minutes=5)
    assert_allclose(gap.returns(FIRST + 5), [0.1, math.nan, math.nan, 1.0])


def test_minutes_after_the_last_price_are_missing() -> None:
    """Asked two minutes later, the last two returns are not known."""
    assert_allclose(history([100.0, 110.0], minutes=5).returns(FIRST + 4), [math.nan, 0.1, math.nan, math.nan])


def test_a_gap_longer_than_the_memory_leaves_nothing_of_before() -> None:
    """A place of the ring that a minute long ago had is empty, not old."""
    made = history([100.0, 110.0, 121.0, *[None] * 9, 50.0, 100.0], minutes=4)
    assert_allclose(made.returns(FIRST + 14), [math.nan, math.nan, 1.0])


@pytest.mark.parametrize("price", [math.nan, math.inf, 0.0, -1.0])
def test_a_price_that_is_not_known_changes_nothing(price: float) -> None:
    """Neither a close nor the minute: the gap it leaves is seen at the next price."""
    made = history([100.0, price, 121.0])
    assert_allclose(made.returns(FIRST + 3), [math.nan, math.nan, math.nan])


def test_a_return_needs_two_closes() -> None:
    """The error says why."""
    with pytest.raises(ValueError, match="minutes must be at least 2, got 1"):
        MinuteHistory(1, 1)


def test_swings_are_of_whole_minutes() -> None:
    """The low of 98, seen inside minute 1 and not at its close, is a swing once minute 2 is over, and not before."""
    made = MinuteHistory(10, 1)
    seen = [(0, 0, 100.0), (1, 0, 99.0), (1, 3, 98.0), (1, 11, 101.0), (2, 0, 100.0), (2, 11, 102.0)]
    for minute, scan, price in seen:
        made.update(minute_ns(minute, scan), price)
    assert (made.swings.low, made.swings.high) == (None, None)
    made.update(minute_ns(3), 101.0)
    assert (made.swings.low, made.swings.high) == (Decimal(98), None)


def test_swings_begin_anew_after_a_gap() -> None:
    """What lay in the gap is not known: the low of before is forgotten, and the next needs three new minutes."""
    made = history([100.0, 98.0, 100.0, 100.0], minutes=10)
    assert made.swings.low == Decimal(98)
    made.update(minute_ns(5), 99.0)
    assert made.swings.low is None
    for minute, price in ((6, 97.0), (7, 99.0)):
        made.update(minute_ns(minute), price)
        assert made.swings.low is None
    made.update(minute_ns(8), 99.0)
    assert made.swings.low == Decimal(97)


SCANS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from((90.0, 95.0, 100.0, 101.5, 120.0, math.nan))), min_size=1, max_size=60
)
"""Scans since the last one, and the price then."""


def timed(scans: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    ends = np.cumsum([after for after, _ in scans]).tolist()
    return [(minute_ns(0, end), price) for end, (_, price) in zip(ends, scans, strict=True)]


def fed(scans: Sequence[tuple[int, float]], minutes: int) -> MinuteHistory:
    made = MinuteHistory(minutes, 1)
    for ts, price in scans:
        made.update(ts, price)
    return made


@given(SCANS, st.integers(2, 7), st.integers(0, 3))
def test_returns_are_those_of_a_plain_table(scans: list[tuple[int, float]], minutes: int, later: int) -> None:
    """The ring of closes is a table of the last price of each minute, whatever gaps there are."""
    seen = timed(scans)
    table = {ts // MINUTE_NS: price for ts, price in seen if not math.isnan(price)}
    minute = seen[-1][0] // MINUTE_NS + later
    closes = np.array([table.get(k, math.nan) for k in range(minute - minutes, minute)])
    assert_array_equal(fed(seen, minutes).returns(minute), closes[1:] / closes[:-1] - 1)


@given(SCANS, st.integers(2, 7), st.data())
def test_no_look_ahead(scans: list[tuple[int, float]], minutes: int, data: st.DataObject) -> None:
    """What was answered when less was known is never answered otherwise: at most it is forgotten."""
    seen = timed(scans)
    known = data.draw(st.integers(1, len(seen)))
    minute = seen[known - 1][0] // MINUTE_NS
    then, now = fed(seen[:known], minutes).returns(minute), fed(seen, minutes).returns(minute)
    told = ~np.isnan(now)
    assert_array_equal(now[told], then[told])
    if fed(seen, minutes).minute <= minute:
        assert_array_equal(now, then)


A = (100.0, 101.0, 100.5, 103.0, 102.0, 102.5, 101.0)
B = (50.0, 50.2, 50.4, 51.0, 50.1, 50.9, 50.3)


def returns_of(prices: Sequence[float]) -> np.ndarray:
    return np.array(prices[1:]) / np.array(prices[:-1]) - 1


def test_correlation_is_numpys_without_shrinkage() -> None:
    """Of six prices that are over; the seventh, of the minute that is being made, has no say."""
    numpy_says = np.corrcoef(returns_of(A[:-1]), returns_of(B[:-1]))[0, 1]
    assert correlations(a=A, b=B).between("a", "b") == pytest.approx(numpy_says)


def test_correlation_is_shrunk_towards_one() -> None:
    """Five pairs of returns with the weight of five more that are one."""
    numpy_says = np.corrcoef(returns_of(A[:-1]), returns_of(B[:-1]))[0, 1]
    assert correlations(a=A, b=B, shrink=5.0).between("a", "b") == pytest.approx((numpy_says + 1) / 2)


def test_returns_are_aligned_by_the_minute() -> None:
    """One that came two minutes later, missed minute 4 and is silent since 6 is held against the other's returns of the
    same minutes."""
    late = (None, None, 50.4, 51.0, None, 50.9, 50.3)
    whole = (*A, 104.0)
    both = [3, 6]  # minutes that have a close, and so has the one before, in both
    a = [whole[k] / whole[k - 1] - 1 for k in both]
    b = [51.0 / 50.4 - 1, 50.3 / 50.9 - 1]
    found = correlations(a=whole, b=late).between("a", "b")
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert math.isnan(correlations(a=whole, b=late, min_minutes=3).between("a", "b"))


def test_what_is_not_known_is_nan() -> None:
    """An asset that was never seen, one that is new, and two that have too few minutes in common."""
    made = correlations(a=A, b=B[:1], min_minutes=5)
    assert math.isnan(made.between("a", "b"))
    assert math.isnan(made.between("a", "never"))
    assert math.isnan(correlations(a=A, b=B, min_minutes=6).between("a", "b"))


def test_swings_by_asset() -> None:
    """None before the first price; then those of its own minutes."""
    made = correlations(a=(100.0, 98.0, 100.0, 100.0), b=B[:1])
    assert made.swings("never") is None
    lows = [swings.low for asset in ("a", "b") if (swings := made.swings(asset)) is not None]
    assert lows == [Decimal(98), None]


PRICE = st.sampled_from((99.0, 100.0, 100.7, 102.0, math.nan))


@given(st.lists(st.tuples(st.integers(1, 13), PRICE, PRICE), min_size=10, max_size=30), st.integers(3, 8))
def test_an_answer_is_that_of_what_was_seen_until_then(scans: list[tuple[int, float, float]], minutes: int) -> None:
    """Asked after every scan or just once, in either order of names: nothing of an older minute is kept."""
    made, ts = Correlations(minutes, 2, 3.0, 1), minute_ns(0)
    seen: list[tuple[str, int, float]] = []
    for after, a, b in scans:
        ts += after * SCAN_NS
        fresh = Correlations(minutes, 2, 3.0, 1)
        seen += [("a", ts, a), ("b", ts, b)]
        for one in seen:
            fresh.update(*one)
        for one in seen[-2:]:
            made.update(*one)
        once = fresh.between("b", "a")
        assert_array_equal([made.between("a", "b"), made.between("b", "a")], [once, once])
        assert math.isnan(once) or -1 <= once <= 1
