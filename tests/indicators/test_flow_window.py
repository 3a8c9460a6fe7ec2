import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.flow_window import FlowWindow, recent_flow
from indicators.sides import BUYER, SELLER, UNKNOWN


def test_hand_worked():
    """Two buckets of 10: at 25 the window is [10, 30): buy 3, sell 1, unknown 4 give net 2, volume 8, ratio 1/4."""
    window = FlowWindow(10, 2)
    window.update(5, 100.0, BUYER)
    window.update(10, 3.0, BUYER)
    window.update(19, 1.0, SELLER)
    # the first bucket was seen only in part and is still inside
    assert math.isnan(window.read(19))
    assert not window.initialized
    window.update(20, 4.0, UNKNOWN)
    assert window.read(25) == window.value == 0.25
    assert (window.net_flow, window.volume) == (2.0, 8.0)
    assert window.initialized
    # bucket 10 leaves whole at 30
    assert window.read(29) == 0.25
    assert window.read(30) == 0.0
    assert window.volume == 4.0


def test_no_volume_has_no_ratio():
    """Once every trade has left, net flow and volume are exactly 0 and their ratio is NaN."""
    window = FlowWindow(10, 2)
    window.update(0, 0.1, BUYER)
    window.update(10, 0.3, SELLER)
    assert math.isnan(window.read(1000))
    assert (window.net_flow, window.volume) == (0.0, 0.0)
    assert window.initialized


def test_late_trade_counts_in_its_own_bucket():
    """A late print lands in the bucket of its time, and nowhere when that has left the window."""
    window = FlowWindow(10, 2)
    window.update(0, 1.0, BUYER)
    window.update(25, 1.0, BUYER)
    window.update(15, 2.0, SELLER)
    window.update(9, 50.0, SELLER)
    assert window.read(25) == (1.0 - 2.0) / 3.0
    assert window.read(30) == 1.0


TRADES = st.lists(st.tuples(st.integers(0, 25), st.integers(1, 50), st.integers(0, 2)), min_size=1, max_size=50)


@settings(deadline=None, max_examples=60)
@given(TRADES, st.lists(st.integers(0, 60), min_size=1, max_size=5))
def test_equals_a_model(steps, waits):
    """The window holds exactly the trades of its buckets, whatever came before, after any wait."""
    ts = np.cumsum([s[0] for s in steps]).tolist()
    trades = [(t, size / 8.0, side) for t, (_, size, side) in zip(ts, steps, strict=True)]
    window = FlowWindow(10, 3)
    for trade in trades:
        window.update(*trade)
    now = ts[-1]
    for wait in waits:
        now += wait
        window.read(now)
        inside = [trade for trade in trades if trade[0] // 10 > now // 10 - 3]
        if now // 10 - ts[0] // 10 < 3:
            assert math.isnan(window.volume)
        else:
            assert window.volume == sum(Fraction(size) for _, size, _ in inside)
            assert window.net_flow == sum(Fraction(size) * (0, 1, -1)[side] for _, size, side in inside)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 25), st.floats(1e-6, 1e3), st.integers(0, 2)), min_size=1, max_size=40))
def test_mirrored_sides_mirror_the_flow(steps):
    """With the sides swapped the flow is negated bit for bit, and the ratio stays within -1 and 1."""
    ts = np.cumsum([s[0] for s in steps])
    sizes, sides = np.array([s[1] for s in steps]), np.array([s[2] for s in steps])
    reads = ts[0] + 10 * np.arange(3, 12)
    plus = FlowWindow(10, 3).update_many(ts, sizes, sides, reads)
    minus = FlowWindow(10, 3).update_many(ts, sizes, np.choose(sides, [0, 2, 1]), reads)
    assert np.array_equal(plus, minus * [-1.0, 1.0, -1.0], equal_nan=True)
    assert not (np.abs(plus[:, 2]) > 1.0).any()


@settings(deadline=None, max_examples=60)
@given(
    trades=st.lists(st.tuples(st.integers(0, 25), st.floats(1e-3, 1e3), st.integers(0, 2)), min_size=1, max_size=60),
    recent=st.integers(1, 5),
)
def test_the_newest_buckets_are_a_window_of_that_length(trades, recent):
    """Read off the longer window or kept on their own, the bits agree, covered or not."""
    long, short = FlowWindow(10, 5), FlowWindow(10, recent)
    ts = 0
    for wait, size, side in trades:
        ts += wait
        long.update(ts, size, side)
        short.update(ts, size, side)
    ts += 3
    long.read(ts)
    short.read(ts)
    expected = np.array([short.net_flow, short.volume])
    assert np.array(recent_flow(long._states[0], recent)).tobytes() == expected.tobytes()


def test_more_buckets_than_there_are_cannot_be_read():
    """They have left: NaN, not the sum of what is there."""
    window = FlowWindow(10, 2)
    for ts in (0, 10, 20, 30):
        window.update(ts, 1.0, BUYER)
    window.read(35)
    assert all(math.isnan(x) for x in recent_flow(window._states[0], 3))
