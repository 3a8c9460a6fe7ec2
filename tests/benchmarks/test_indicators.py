"""What an update costs, beside talipp's incremental indicators in the same run.

    python -m pytest tests/benchmarks/test_indicators.py --override-ini addopts="--import-mode=importlib"

Each figure is for one pass over 10,000 events: divide by 10,000 for one event (milliseconds become hundreds of ns).
`events` are updates from Python one by one, `talipp` the same events through talipp's `add`, `bulk` one call of
`update_many` with the same column.
"""

import numpy as np
import pytest
from talipp.indicators import ATR, BB, EMA, RSI, SMA, StdDev
from talipp.ohlcv import OHLCV

from indicators.atr import Atr, AtrState, configure_atr, reset_atr, update_atr
from indicators.bars import SILENCE, BarsState, TimeBars, add_trade, configure_bars, take_bar
from indicators.cvd import Cvd
from indicators.ema import Ema, EmaState, configure_ema, reset_ema, update_ema
from indicators.ewma import Ewma
from indicators.flow_window import FlowWindow
from indicators.kernel import entry, kernel, new_states
from indicators.ladder import ADD, DELETE, F_LAST, UPDATE, Ladder
from indicators.order_book_imbalance import OrderBookImbalance
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.rsi import Rsi, RsiState, configure_rsi, reset_rsi, update_rsi
from indicators.sides import ASK, BID
from indicators.sma import Sma
from indicators.volume_surge import VolumeSurge
from indicators.whale_trades import WhaleTrades

EVENTS = 10_000
RNG = np.random.default_rng(11)
CLOSE = 100.0 + np.cumsum(RNG.normal(0.0, 0.1, EVENTS))
HIGH, LOW = CLOSE + 0.1, CLOSE - 0.1
SIZE = RNG.lognormal(0.0, 1.5, EVENTS)
SIDE = RNG.integers(1, 3, EVENTS)
TIME = 1_700_000_000_000_000_000 + np.cumsum(RNG.exponential(30e6, EVENTS).astype(np.int64))

PAIRS = {
    "ema_20": (lambda: Ema(20), lambda: EMA(20), [CLOSE]),
    "sma_20": (lambda: Sma(20), lambda: SMA(20), [CLOSE]),
    "rsi_14": (lambda: Rsi(14), lambda: RSI(14), [CLOSE]),
    "atr_14": (lambda: Atr(14), lambda: ATR(14), [HIGH, LOW, CLOSE]),
    "variance_20": (lambda: RollingMoments(20), lambda: StdDev(20), [CLOSE]),
    "variance_300": (lambda: RollingMoments(300), lambda: StdDev(300), [CLOSE]),
    "bands_20": (lambda: RollingMoments(20), lambda: BB(20, 2.0), [CLOSE]),
}

ALONE = {
    "ewma": (lambda: Ewma(300), [SIZE]),
    "rolling_quantile_1000": (lambda: RollingQuantile(1000, 0.99), [SIZE]),
    "whale_trades_1000": (lambda: WhaleTrades(), [CLOSE, SIZE, SIDE]),
    "cvd": (lambda: Cvd(), [SIZE, SIDE]),
    "volume_surge": (lambda: VolumeSurge(1_000_000_000, 300), [TIME, SIZE]),
    "time_bars": (lambda: TimeBars(60_000_000_000), [TIME, CLOSE, SIZE]),
    "order_book_imbalance_300": (lambda: OrderBookImbalance(1, 300), [SIZE, SIZE[::-1]]),
}


def rows(columns):
    return list(zip(*(column.tolist() for column in columns), strict=True))


def feed(update, events):
    for event in events:
        update(*event)


def feed_single(update, events):
    for event in events:
        update(event)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("driver", ["events", "bulk", "talipp"])
def test_beside_talipp(benchmark, name, driver):
    """The classics, by driver and beside talipp, which gets its bars ready-made outside the measurement."""
    ours, theirs, columns = PAIRS[name]
    benchmark.group = name
    if driver == "bulk":
        indicator = ours()
        indicator.update_many(*columns)
        benchmark(indicator.update_many, *columns)
        return
    if driver == "talipp":
        single = len(columns) == 1
        events = (
            columns[0].tolist() if single else [OHLCV(close, *bar) for *bar, close in rows([HIGH, LOW, CLOSE, CLOSE])]
        )
        rounds = 1 if name == "variance_300" else 5
        benchmark.pedantic(lambda: feed_single(theirs().add, events), rounds=rounds, warmup_rounds=0)
        return
    events = columns[0].tolist() if len(columns) == 1 else rows(columns)
    benchmark(feed_single if len(columns) == 1 else feed, ours().update, events)


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("driver", ["events", "bulk"])
def test_alone(benchmark, name, driver):
    """Indicators that talipp does not have, by driver."""
    make, columns = ALONE[name]
    benchmark.group = name
    indicator = make()
    if driver == "bulk":
        indicator.update_many(*columns)
        benchmark(indicator.update_many, *columns)
    else:
        # a new one each round: time only goes forward
        benchmark.pedantic(
            lambda update, events: feed(update, events), setup=lambda: ((make().update, rows(columns)), {}), rounds=10
        )


@pytest.mark.parametrize("driver", ["events", "bulk"])
def test_flow_window(benchmark, driver):
    """Ten thousand trades into a window of 300 buckets of a second, read every 5 seconds in bulk."""
    benchmark.group = "flow_window_300"
    reads = np.arange(TIME[0], TIME[-1], 5_000_000_000)
    if driver == "bulk":
        FlowWindow(1_000_000_000, 300).update_many(TIME, SIZE, SIDE, reads)
        benchmark(lambda: FlowWindow(1_000_000_000, 300).update_many(TIME, SIZE, SIDE, reads))
    else:
        benchmark(lambda: feed(FlowWindow(1_000_000_000, 300).update, rows([TIME, SIZE, SIDE])))


Market = np.dtype([("bars", BarsState), ("ema", EmaState), ("rsi", RsiState), ("atr", AtrState)])


@kernel
def trade(state, ts, price, size):
    completed = add_trade(state.bars, ts, price, size)
    if completed == SILENCE:
        reset_ema(state.ema)
        reset_rsi(state.rsi)
        reset_atr(state.atr)
    for _ in range(completed):
        take_bar(state.bars)
        bar = state.bars.taken
        update_ema(state.ema, bar.close)
        update_rsi(state.rsi, bar.close)
        update_atr(state.atr, bar.high, bar.low, bar.close)
    return state.atr.value


@kernel
def trade_at(states, i, ts, price, size):
    return trade(states[i], ts, price, size)


@kernel
def trade_many(states, i, ts, prices, sizes, out):
    state = states[i]
    for k in range(len(ts)):
        out[k] = trade(state, ts[k], prices[k], sizes[k])


@pytest.mark.parametrize("driver", ["events", "bulk", "dispatched"])
def test_one_trade_through_bars_and_classics(benchmark, driver):
    """One call for everything that a trade touches; `dispatched` is numba's own call without `entry`."""
    benchmark.group = "trade to bars, EMA, RSI, ATR"
    states = new_states(Market)
    configure_bars(states[0]["bars"], 1_000_000_000)
    configure_ema(states[0]["ema"], 20)
    configure_rsi(states[0]["rsi"])
    configure_atr(states[0]["atr"])
    if driver == "bulk":
        out = np.empty(EVENTS)
        trade_many(states, 0, TIME, CLOSE, SIZE, out)
        benchmark(trade_many, states, 0, TIME, CLOSE, SIZE, out)
        return
    call = trade_at if driver == "dispatched" else entry(trade_at, states, 0, 0, 0.0, 0.0)
    events = [(states, 0, *event) for event in rows([TIME, CLOSE, SIZE])]
    benchmark(feed, call, events)


def test_ladder(benchmark):
    """Ten thousand level changes on a book of 1,400 levels a side, most of them near the best; each ends a frame."""
    benchmark.group = "ladder"
    middle = 100_000
    sides = RNG.integers(BID, ASK + 1, EVENTS)
    distance = np.minimum(RNG.geometric(0.03, EVENTS), 1_400)
    prices = np.where(sides == BID, middle - distance, middle + distance)
    actions = np.where(RNG.random(EVENTS) < 0.3, DELETE, UPDATE)
    flags = np.full(EVENTS, F_LAST)
    ladder = Ladder()
    for k in range(1, 1_401):
        ladder.apply(BID, ADD, middle - k, 1.0)
        ladder.apply(ASK, ADD, middle + k, 1.0)
    benchmark(ladder.apply_rows, actions, sides, prices, SIZE, flags)
    assert min(ladder.count(BID), ladder.count(ASK)) > 1_000
