import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.sides import BUYER, SELLER, UNKNOWN
from indicators.whale_bursts import WhaleBursts

PRINTS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2)), min_size=30, max_size=80
)


def columns(rows):
    steps, prices, sizes, sides = (np.array(column) for column in zip(*rows, strict=True))
    return 1_000_000 + np.cumsum(steps), prices.astype(float), sizes.astype(float), sides


def bursts_of(ts, sides, gap_ns):
    """Row numbers of each burst, by its definition."""
    bursts, last = [], None
    for k in np.flatnonzero(sides != UNKNOWN):
        if last is None or sides[k] != sides[last] or ts[k] - ts[last] > gap_ns:
            bursts.append([])
        bursts[-1].append(int(k))
        last = k
    return bursts


def test_hand_worked():
    """Gap 10, median of the last 4, from 2 bursts on.

    Bursts of notional 10 + 20 = 30 (buy), 40 (sell, ended by a gap) and 40 (sell) are judged by NaN, NaN and the 40 of
    (30, 40); the buy of 30 + 20 = 50 exceeds the median 40 of (30, 40, 40) with its second print, of 2 + 4 base units.
    """
    bursts = WhaleBursts(gap_ns=10, window=4, q=0.5, min_count=2)
    assert not bursts.update(100, 10.0, 1.0, BUYER)
    assert not bursts.update(110, 10.0, 2.0, BUYER)
    assert (bursts.side, bursts.notional, bursts.prints) == (BUYER, 30.0, 2)
    assert not bursts.update(112, 10.0, 4.0, SELLER)
    assert (bursts.side, bursts.notional, bursts.prints) == (SELLER, 40.0, 1)
    assert not bursts.initialized
    assert math.isnan(bursts.value)
    assert math.isnan(bursts.threshold)
    assert not bursts.update(123, 10.0, 4.0, SELLER)
    assert bursts.initialized
    assert (bursts.value, bursts.threshold, bursts.prints) == (0.0, 40.0, 1)
    assert not bursts.update(124, 15.0, 2.0, BUYER)
    assert bursts.update(130, 5.0, 4.0, BUYER)
    assert (bursts.value, bursts.count, bursts.is_whale) == (6.0, 1, True)
    # what follows in the burst adds to its flow, but it became a whale only once
    assert not bursts.update(130, 1.0, 3.0, BUYER)
    assert (bursts.value, bursts.count, bursts.notional) == (9.0, 1, 53.0)
    # a seller's 60 against the median 40 of (30, 40, 40, 53)
    assert bursts.update(131, 6.0, 10.0, SELLER)
    assert (bursts.value, bursts.count, bursts.side) == (-1.0, 2, SELLER)


def test_unknown_side_ends_no_burst_and_joins_none():
    """A print of unknown side leaves every figure as it was, and does not bridge a gap."""
    bursts = WhaleBursts(gap_ns=10, window=4, q=0.5, min_count=1)
    bursts.update(100, 1.0, 5.0, BUYER)
    assert not bursts.update(105, 1.0, 500.0, UNKNOWN)
    bursts.update(110, 1.0, 6.0, BUYER)
    assert (bursts.notional, bursts.prints) == (11.0, 2)
    bursts.update(115, 1.0, 500.0, UNKNOWN)
    bursts.update(121, 1.0, 3.0, BUYER)
    assert (bursts.notional, bursts.prints, bursts.threshold) == (3.0, 1, 11.0)


def test_advance_completes_a_burst_that_nothing_can_join():
    """At a distance of exactly the gap a print could still join; after it the burst is complete and none runs."""
    bursts = WhaleBursts(gap_ns=10, window=4, q=0.5, min_count=1)
    bursts.update(100, 2.0, 5.0, SELLER)
    bursts.advance(110)
    assert (bursts.side, bursts.initialized) == (SELLER, False)
    bursts.advance(111)
    assert (bursts.side, bursts.notional, bursts.prints, bursts.threshold) == (UNKNOWN, 0.0, 0, 10.0)
    bursts.advance(999)
    bursts.update(1000, 2.0, 1.0, SELLER)
    assert (bursts.notional, bursts.threshold) == (2.0, 10.0)
    assert bursts.update(1001, 2.0, 9.0, SELLER)
    assert bursts.is_whale
    bursts.advance(1012)
    assert not bursts.is_whale


def test_a_late_print_counts_at_the_time_of_the_last():
    """A print from before the last one joins its burst and does not turn the clock back."""
    bursts = WhaleBursts(gap_ns=10, window=4, q=0.5, min_count=1)
    bursts.update(100, 1.0, 1.0, BUYER)
    bursts.update(80, 1.0, 1.0, BUYER)
    bursts.update(110, 1.0, 1.0, BUYER)
    assert bursts.prints == 3


@pytest.mark.parametrize("parameters", [{"gap_ns": -1}, {"gap_ns": 1.5}, {"gap_ns": 1, "window": 3, "min_count": 4}])
def test_impossible_parameters_are_refused(parameters):
    """A gap that is no number of nanoseconds and a count that the window can not hold are named."""
    with pytest.raises(ValueError, match=r"gap_ns is|min_count is"):
        WhaleBursts(**parameters)


@settings(deadline=None, max_examples=60)
@given(PRINTS)
def test_equals_the_definition(rows):
    """A burst is a whale from its first print above numpy's quantile of the completed bursts before it."""
    ts, prices, sizes, sides = columns(rows)
    bursts = WhaleBursts(5, window=6, q=0.7, min_count=3)
    found = bursts.update_many(ts, prices, sizes, sides)
    expected, completed, flow, whales = np.zeros(len(rows), dtype=bool), [], 0.0, 0
    for burst in bursts_of(ts, sides, 5):
        grown = np.cumsum(prices[burst] * sizes[burst])
        if len(completed) >= 3:
            above = np.flatnonzero(grown > np.quantile(completed[-6:], 0.7, method="higher"))
            if len(above):
                expected[burst[above[0]]] = True
                flow += sizes[burst].sum() * (1 if sides[burst[0]] == BUYER else -1)
                whales += 1
        completed.append(grown[-1])
    assert found.tolist() == expected.tolist()
    assert bursts.count == whales
    # the running burst is not complete
    assert bursts.initialized == (len(completed) > 3)
    if bursts.initialized:
        assert bursts.value == flow
    else:
        assert math.isnan(bursts.value)


@settings(deadline=None, max_examples=60)
@given(PRINTS, st.integers(0, 80), st.integers(-3, 40))
def test_drivers_mirror_scale_and_reading(rows, cut, power):
    """One by one, in bulk and cut in two agree; other sides negate the flow; other units find the same whales."""
    ts, prices, sizes, sides = columns(rows)

    def make():
        return WhaleBursts(5, window=6, q=0.7, min_count=2)

    single, bulk, halves, mirrored, scaled, watched = make(), make(), make(), make(), make(), make()
    table = (ts, prices, sizes, sides)
    found = bulk.update_many(*table)
    one_by_one = [single.update(*row) for row in zip(*(column.tolist() for column in table), strict=True)]
    parts = [halves.update_many(*(c[part] for c in table)) for part in (slice(0, cut), slice(cut, None))]
    assert found.tolist() == one_by_one == np.concatenate(parts).tolist()
    assert mirrored.update_many(ts, prices, sizes, np.choose(sides, [0, 2, 1])).tolist() == found.tolist()
    assert scaled.update_many(ts, prices, sizes * 2.0**power, sides).tolist() == found.tolist()
    # reading between the prints changes no later one
    for k, row in enumerate(zip(*(column.tolist() for column in table), strict=True)):
        watched.advance(row[0])
        assert watched.update(*row) == found[k]
    for indicator in (single, bulk, halves, mirrored, scaled):
        indicator.advance(int(ts[-1]))
    values = [indicator.value for indicator in (single, bulk, halves, watched)]
    assert np.array(values).tobytes() == np.repeat(values[0], 4).tobytes()
    if bulk.initialized:
        assert mirrored.value == -bulk.value
        assert scaled.value == bulk.value * 2.0**power
    # what comes later changes nothing before it
    assert make().update_many(*(c[:cut] for c in table)).tolist() == found[:cut].tolist()
