from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.atr import AtrState, configure_atr, reset_atr, update_atr
from indicators.bars import SILENCE, Bar, BarsState, TimeBars, add_trade, advance_bars, configure_bars, take_bar
from indicators.kernel import kernel, new_states

Market = np.dtype([("bars", BarsState), ("atr", AtrState)])


@kernel
def trade_at(states, i, ts, price, size):
    state = states[i]
    feed_atr(state, add_trade(state.bars, ts, price, size))


@kernel
def advance_at(states, i, ts):
    state = states[i]
    feed_atr(state, advance_bars(state.bars, ts))


@kernel
def feed_atr(state, completed):
    if completed == SILENCE:
        reset_atr(state.atr)
    for _ in range(completed):
        take_bar(state.bars)
        bar = state.bars.taken
        update_atr(state.atr, bar.high, bar.low, bar.close)


def test_bars_are_aligned_and_gaps_are_flat():
    """Steps of 10: trades at 3, 7, 12 and 35 give bars at 0 and 10, and a flat one at 20."""
    bars = TimeBars(10)
    assert not bars.initialized
    assert bars.update(3, 5.0, 1.0) == []
    assert bars.initialized
    assert bars.update(7, 4.0, 2.0) == []
    assert bars.update(12, 6.0, 1.5) == [Bar(0, 5.0, 5.0, 4.0, 4.0, 3.0, 2)]
    assert bars.update(35, 7.0, 1.0) == [Bar(10, 6.0, 6.0, 6.0, 6.0, 1.5, 1), Bar(20, 6.0, 6.0, 6.0, 6.0, 0.0, 0)]


def test_a_bar_ends_at_its_end():
    """A trade at the very end of a step belongs to the next bar; advancing to that time completes the bar."""
    bars = TimeBars(10)
    bars.update(9, 5.0, 1.0)
    assert bars.advance(9) == []
    assert bars.advance(10) == [Bar(0, 5.0, 5.0, 5.0, 5.0, 1.0, 1)]
    assert bars.advance(10) == []
    # the first trade of a bar opens it: the flat start at the last close leaves no trace
    bars.update(10, 8.0, 1.0)
    assert bars.advance(20) == [Bar(10, 8.0, 8.0, 8.0, 8.0, 1.0, 1)]


def test_silence_ends_the_series():
    """With at most 2 flat bars in a row the third ends the series: nothing is made up, and the next trade starts."""
    bars = TimeBars(10, max_flat=2)
    bars.update(5, 5.0, 1.0)
    assert len(bars.update(39, 6.0, 1.0)) == 3
    assert len(bars.update(65, 7.0, 1.0)) == 3
    assert bars.silences == 0
    assert bars.update(115, 8.0, 1.0) == []
    assert bars.silences == 1
    assert bars.advance(120) == [Bar(110, 8.0, 8.0, 8.0, 8.0, 1.0, 1)]
    assert len(bars.advance(140)) == 2
    assert bars.advance(150) == []
    assert bars.silences == 2
    assert not bars.initialized
    assert bars.advance(10**15) == []


def test_late_trade_counts_in_the_current_bar():
    """A print older than the bar being built can not reopen a bar that was handed out."""
    bars = TimeBars(10)
    bars.update(5, 5.0, 1.0)
    bars.update(11, 6.0, 1.0)
    assert bars.update(9, 9.0, 2.0) == []
    assert bars.advance(20) == [Bar(10, 6.0, 9.0, 6.0, 9.0, 3.0, 2)]


TRADES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(TRADES, st.integers(0, 4))
def test_bulk_equals_one_by_one_and_a_model(steps, max_flat):
    """Bulk, per event and a grouping of the trades by step in plain Python agree on every bar."""
    ts = 1000 + np.cumsum([s[0] for s in steps])
    prices, sizes = (np.array([s[k] for s in steps], dtype=float) for k in (1, 2))
    single, bulk = TimeBars(10, max_flat), TimeBars(10, max_flat)
    events = zip(ts.tolist(), prices.tolist(), sizes.tolist(), strict=True)
    one_by_one = [bar for event in events for bar in single.update(*event)]
    rows = [Bar(*row.item()) for row in bulk.update_many(ts, prices, sizes)]
    assert rows == one_by_one
    assert single.silences == bulk.silences

    model = []
    steps_used = sorted(set((ts // 10).tolist()))
    for step, following in pairwise(steps_used):
        if following - step - 1 > max_flat:
            continue
        inside = prices[ts // 10 == step]
        volume, close = sizes[ts // 10 == step].sum(), inside[-1]
        model.append(Bar(step * 10, inside[0], inside.max(), inside.min(), close, volume, len(inside)))
        model += [Bar(k * 10, close, close, close, close, 0.0, 0) for k in range(step + 1, following)]
    assert rows == model


@settings(deadline=None, max_examples=40)
@given(TRADES, st.integers(0, 3))
def test_advancing_between_trades_changes_nothing(steps, max_flat):
    """An ATR fed by trades alone and one whose clock also ticks at every step end in the same state."""
    states = new_states(Market, 2)
    for state in states:
        configure_bars(state["bars"], 10, max_flat)
        configure_atr(state["atr"], 2)
    now = 1000
    for step, price, size in steps:
        for tick in range(now, now + step, 3):
            advance_at(states, 1, tick)
        now += step
        trade_at(states, 0, now, float(price), float(size))
        trade_at(states, 1, now, float(price), float(size))
    assert states["atr"][0].tobytes() == states["atr"][1].tobytes()
    assert states["bars"]["building"][0].tobytes() == states["bars"]["building"][1].tobytes()
