"""What an update costs, beside the same indicators of others in the same run.

    python -m pytest tests/benchmarks/test_indicators.py --override-ini addopts="--import-mode=importlib"

Each figure is for one pass over 10,000 events: divide by 10,000 for one event (milliseconds become hundreds of ns).

- `events`: updates from Python one by one, as all that follow unless they say `column`. The call returns the value.
- `nautilus`: the built-in of NautilusTrader through `update_raw`, which returns nothing. Its MACD has no signal line.
- `talipp`, `hexital`: incremental libraries in Python, given their bars ready-made outside the measurement.
- `talib_stream`: the handles of TA-Lib's streaming API (0.8), opened on 400 values outside the measurement.
- `column`: one call of `update_many` with the whole column; `talib_column`: TA-Lib's function on it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import hexital.indicators as hexital
import numpy as np
import pytest
import talib
import talipp.indicators as talipp
from hexital import Candle
from nautilus_trader import indicators as nautilus
from talib import stream
from talipp.ohlcv import OHLCV

from indicators.absorption import Absorption
from indicators.atr import Atr, AtrState, configure_atr, reset_atr, update_atr
from indicators.bars import SILENCE, BarsState, TimeBars, add_trade, configure_bars, take_bar
from indicators.bollinger import Bollinger
from indicators.book_heatmap import BookHeatmap
from indicators.cvd import Cvd
from indicators.cvd_divergence import CvdDivergence
from indicators.ema import Ema, EmaState, configure_ema, reset_ema, update_ema
from indicators.ewma import Ewma
from indicators.flow_window import FlowWindow
from indicators.funding_pressure import FundingPressure
from indicators.kernel import entry, kernel, new_states
from indicators.kernel_density import KernelDensity
from indicators.ladder import ADD, DELETE, F_LAST, UPDATE, Ladder
from indicators.lead_lag import LeadLag
from indicators.liquidity_clusters import LiquidityClusters
from indicators.liquidity_walls import NO_TRADE_HIGH, NO_TRADE_LOW, LiquidityWalls
from indicators.macd import Macd
from indicators.microprice import Microprice
from indicators.order_book_imbalance import OrderBookImbalance
from indicators.price_dispersion import PriceDispersion
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.rolling_slope import RollingSlope
from indicators.rsi import Rsi, RsiState, configure_rsi, reset_rsi, update_rsi
from indicators.sides import ASK, BID
from indicators.sma import Sma
from indicators.tail_quantile import TailQuantile
from indicators.trailing_change import TrailingChange
from indicators.volume_surge import VolumeSurge
from indicators.whale_bursts import WhaleBursts
from indicators.whale_trades import WhaleTrades

EVENTS = 10_000
RNG = np.random.default_rng(11)
CLOSE = 100.0 + np.cumsum(RNG.normal(0.0, 0.1, EVENTS))
HIGH, LOW = CLOSE + 0.1, CLOSE - 0.1
SIZE = RNG.lognormal(0.0, 1.5, EVENTS)
SIDE = RNG.integers(1, 3, EVENTS)
CVD = np.cumsum(SIZE * (3 - 2 * SIDE))
BEST_BID = np.round(CLOSE * 100.0).astype(np.int64)
TIME = 1_700_000_000_000_000_000 + np.cumsum(RNG.exponential(30e6, EVENTS).astype(np.int64))

WILDER = nautilus.MovingAverageType.WILDER


class Classic(NamedTuple):
    """An indicator that others have too; those of TA-Lib by its name and parameters there."""

    ours: Callable[[], Any]
    nautilus: Callable[[], Any] | None
    talipp: Callable[[], Any] | None
    hexital: Callable[[], Any]
    talib: str
    parameters: tuple[float, ...]
    bars: bool = False


CLASSICS = {
    "sma_20": Classic(
        lambda: Sma(20),
        lambda: nautilus.SimpleMovingAverage(20),
        lambda: talipp.SMA(20),
        lambda: hexital.SMA(period=20),
        "SMA",
        (20,),
    ),
    "ema_20": Classic(
        lambda: Ema(20),
        lambda: nautilus.ExponentialMovingAverage(20),
        lambda: talipp.EMA(20),
        lambda: hexital.EMA(period=20),
        "EMA",
        (20,),
    ),
    "macd_12_26_9": Classic(
        lambda: Macd(12, 26, 9),
        lambda: nautilus.MovingAverageConvergenceDivergence(12, 26),
        lambda: talipp.MACD(12, 26, 9),
        lambda: hexital.MACD(fast_period=12, slow_period=26, signal_period=9),
        "MACD",
        (12, 26, 9),
    ),
    "bollinger_20": Classic(
        lambda: Bollinger(20, 2.0),
        lambda: NautilusOnCloses(nautilus.BollingerBands(20, 2.0)),
        lambda: talipp.BB(20, 2.0),
        lambda: hexital.BBANDS(period=20, std=2.0),
        "BBANDS",
        (20, 2.0, 2.0),
    ),
    "rsi_14": Classic(
        lambda: Rsi(14),
        lambda: nautilus.RelativeStrengthIndex(14, WILDER),
        lambda: talipp.RSI(14),
        lambda: hexital.RSI(period=14),
        "RSI",
        (14,),
    ),
    "atr_14": Classic(
        lambda: Atr(14),
        lambda: nautilus.AverageTrueRange(14, WILDER),
        lambda: talipp.ATR(14),
        lambda: hexital.ATR(period=14),
        "ATR",
        (14,),
        bars=True,
    ),
    "slope_20": Classic(
        lambda: RollingSlope(20),
        lambda: nautilus.LinearRegression(20),
        None,
        lambda: hexital.RegressionSlope(period=20),
        "LINEARREG_SLOPE",
        (20,),
    ),
    "variance_20": Classic(
        lambda: RollingMoments(20),
        None,
        lambda: talipp.StdDev(20),
        lambda: hexital.STDEV(period=20),
        "VAR",
        (20,),
    ),
    "variance_300": Classic(
        lambda: RollingMoments(300),
        None,
        lambda: talipp.StdDev(300),
        lambda: hexital.STDEV(period=300),
        "VAR",
        (300,),
    ),
}

ALONE = {
    "ewma": (lambda: Ewma(300), [SIZE]),
    "rolling_quantile_1000": (lambda: RollingQuantile(1000, 0.99), [SIZE]),
    "tail_quantile_1000": (lambda: TailQuantile(1000, 0.99), [SIZE]),
    "whale_trades_1000": (lambda: WhaleTrades(), [CLOSE, SIZE, SIDE]),
    "cvd": (lambda: Cvd(), [SIZE, SIDE]),
    "cvd_divergence_180": (lambda: CvdDivergence(180), [CLOSE, CVD]),
    "volume_surge": (lambda: VolumeSurge(1_000_000_000, 300), [TIME, SIZE]),
    "whale_bursts_1000": (lambda: WhaleBursts(50_000_000), [TIME, CLOSE, SIZE, SIDE]),
    "absorption_60": (Absorption, [CLOSE, CVD, np.cumsum(SIZE), 1e6 + CVD]),
    "microprice": (Microprice, [BEST_BID, SIZE, BEST_BID + 1, SIZE[::-1]]),
    "price_dispersion_5": (lambda: PriceDispersion(5), [CLOSE[:, None] + RNG.normal(0.0, 0.01, (EVENTS, 5))]),
    "funding_pressure": (
        FundingPressure,
        [1e-4 * SIZE, np.full(EVENTS, 28_800_000_000_000), np.full(EVENTS, TIME[-1]), TIME],
    ),
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


class NautilusOnCloses:
    """Nautilus's Bollinger bands average the typical price: here all three prices are the close."""

    def __init__(self, bands):
        self._update = bands.update_raw

    def update_raw(self, close):
        self._update(close, close, close)


RIVALS = [
    (name, driver)
    for name, classic in CLASSICS.items()
    for driver in ("events", "nautilus", "talib_stream", "talipp", "hexital", "column", "talib_column")
    if getattr(classic, driver, True) is not None
]


@pytest.mark.parametrize(("name", "driver"), RIVALS)
def test_beside_others(benchmark, name, driver):
    """The classics, by driver and beside those of others."""
    classic = CLASSICS[name]
    benchmark.group = name
    columns = [HIGH, LOW, CLOSE] if classic.bars else [CLOSE]
    events = rows(columns) if classic.bars else CLOSE.tolist()
    each = feed if classic.bars else feed_single
    if driver == "events":
        benchmark(each, classic.ours().update, events)
    elif driver == "column":
        indicator = classic.ours()
        indicator.update_many(*columns)
        benchmark(indicator.update_many, *columns)
    elif driver == "talib_column":
        benchmark(getattr(talib, classic.talib), *columns, *classic.parameters)
    elif driver == "talib_stream":
        handle = getattr(stream, classic.talib)
        history = [column[:400] for column in columns]
        benchmark.pedantic(each, setup=lambda: ((handle(*history, *classic.parameters).update, events), {}), rounds=10)
    elif driver == "nautilus":
        benchmark.pedantic(each, setup=lambda: ((classic.nautilus().update_raw, events), {}), rounds=3)
    elif driver == "talipp":
        bars = [OHLCV(close, *bar) for *bar, close in rows([HIGH, LOW, CLOSE, CLOSE])] if classic.bars else events
        benchmark.pedantic(
            feed_single,
            setup=lambda: ((classic.talipp().add, bars), {}),
            rounds=1 if name == "variance_300" else 3,
        )
    else:
        # a candle keeps what was computed from it: new ones each round
        benchmark.pedantic(
            feed_single,
            setup=lambda: (
                (classic.hexital().append, [Candle(c, h, low, c, 1) for h, low, c in rows([HIGH, LOW, CLOSE])]),
                {},
            ),
            rounds=2,
        )


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("driver", ["events", "column"])
def test_alone(benchmark, name, driver):
    """Indicators that the others do not have, by driver."""
    make, columns = ALONE[name]
    benchmark.group = name
    indicator = make()
    if driver == "column":
        indicator.update_many(*columns)
        benchmark(indicator.update_many, *columns)
    else:
        # a new one each round: time only goes forward
        benchmark.pedantic(
            lambda update, events: feed(update, events), setup=lambda: ((make().update, rows(columns)), {}), rounds=10
        )


@pytest.mark.parametrize("driver", ["events", "column"])
def test_flow_window(benchmark, driver):
    """Ten thousand trades into a window of 300 buckets of a second, read every 5 seconds in bulk."""
    benchmark.group = "flow_window_300"
    reads = np.arange(TIME[0], TIME[-1], 5_000_000_000)
    if driver == "column":
        FlowWindow(1_000_000_000, 300).update_many(TIME, SIZE, SIDE, reads)
        benchmark(lambda: FlowWindow(1_000_000_000, 300).update_many(TIME, SIZE, SIDE, reads))
    else:
        benchmark(lambda: feed(FlowWindow(1_000_000_000, 300).update, rows([TIME, SIZE, SIDE])))


@pytest.mark.parametrize("driver", ["events", "column"])
def test_lead_lag(benchmark, driver):
    """Ten thousand prices of two streams on a grid of 0.1 s with leads of up to a second, read every second in bulk."""
    benchmark.group = "lead_lag_10"
    if driver == "events":
        benchmark.pedantic(feed, setup=lambda: ((LeadLag().update_a, rows([TIME, CLOSE])), {}), rounds=10)
    else:
        reads = np.arange(TIME[0], TIME[-1], 1_000_000_000)
        benchmark.pedantic(
            lambda lead_lag: lead_lag.update_many(TIME, SIDE - 1, CLOSE, reads),
            setup=lambda: ((LeadLag(),), {}),
            rounds=10,
            warmup_rounds=1,
        )


@pytest.mark.parametrize("driver", ["events", "reads", "column"])
def test_trailing_change(benchmark, driver):
    """Ten thousand values into an hour of slots of 10 seconds; `reads` are relative changes over 5 minutes."""
    benchmark.group = "trailing_change_360"

    def make():
        return TrailingChange(10_000_000_000, 360, 60_000_000_000)

    if driver == "events":
        benchmark.pedantic(feed, setup=lambda: ((make().update, rows([TIME, CLOSE])), {}), rounds=10)
    elif driver == "reads":
        change = make()
        feed(change.update, rows([TIME, CLOSE]))
        benchmark(feed, change.relative, [(int(TIME[-1]), 300_000_000_000)] * EVENTS)
    else:
        benchmark.pedantic(
            lambda change: change.update_many(TIME, CLOSE, TIME, 300_000_000_000),
            setup=lambda: ((make(),), {}),
            rounds=10,
            warmup_rounds=1,
        )


BOOKS, LEVELS = 500, 200


def books():
    """Return bid prices and sizes, ask prices and sizes of 500 books of 200 levels a side that reach about 60 bps."""
    rng = np.random.default_rng(12)
    middle = 1_000_000 + np.cumsum(rng.integers(-20, 21, BOOKS))
    offsets = np.cumsum(rng.integers(1, 61, (2, LEVELS)), axis=1)
    sizes = rng.lognormal(0.0, 1.0, (2, LEVELS)) * np.where(rng.random((2, LEVELS)) < 0.02, 30.0, 1.0)
    flicker = rng.lognormal(0.0, 0.1, (2, BOOKS, LEVELS))
    grid = 20 * (middle // 20)  # levels stay where they are while the middle moves by less than this
    return (
        grid[:, None] - offsets[0],
        sizes[0] * flicker[0],
        grid[:, None] + 20 + offsets[1],
        sizes[1] * flicker[1],
    )


BOOK_INDICATORS = {
    "book_heatmap": (BookHeatmap, lambda heatmap: heatmap.update, lambda ts, table: (ts, *table)),
    "kernel_density": (KernelDensity, lambda density: density.update_levels, lambda ts, table: table),
    "liquidity_clusters": (LiquidityClusters, lambda clusters: clusters.update, lambda ts, table: table),
    "liquidity_walls": (
        LiquidityWalls,
        lambda walls: lambda ts, bid_p, bid_s, ask_p, ask_s: walls.update(ts, (bid_p, bid_s), (ask_p, ask_s)),
        lambda ts, table: (ts, *table, np.full(BOOKS, NO_TRADE_LOW), np.full(BOOKS, NO_TRADE_HIGH)),
    ),
}


@pytest.mark.parametrize("name", BOOK_INDICATORS)
@pytest.mark.parametrize("driver", ["events", "column"])
def test_books(benchmark, name, driver):
    """One pass over 500 books of 200 levels a side; `events` includes the checks of every book."""
    make, update, arguments = BOOK_INDICATORS[name]
    benchmark.group = f"{name} (500 books)"
    ts = TIME[0] + 1_000_000_000 * np.arange(BOOKS)
    bid_prices, bid_sizes, ask_prices, ask_sizes = books()
    if driver == "events":
        timed = name in ("book_heatmap", "liquidity_walls")
        columns = zip(bid_prices, bid_sizes, ask_prices, ask_sizes, strict=True)
        events = [(int(t), *book) if timed else book for t, book in zip(ts, columns, strict=True)]
        benchmark.pedantic(feed, setup=lambda: ((update(make()), events), {}), rounds=3, warmup_rounds=1)
        return
    full = np.full(BOOKS, LEVELS)
    columns = arguments(ts, (bid_prices, bid_sizes, full, ask_prices, ask_sizes, full))
    benchmark.pedantic(
        lambda indicator: indicator.update_many(*columns), setup=lambda: ((make(),), {}), rounds=3, warmup_rounds=1
    )


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


@pytest.mark.parametrize("driver", ["events", "column", "dispatched"])
def test_one_trade_through_bars_and_classics(benchmark, driver):
    """One call for everything that a trade touches; `dispatched` is numba's own call without `entry`."""
    benchmark.group = "trade to bars, EMA, RSI, ATR"
    states = new_states(Market)
    configure_bars(states[0]["bars"], 1_000_000_000)
    configure_ema(states[0]["ema"], 20)
    configure_rsi(states[0]["rsi"])
    configure_atr(states[0]["atr"])
    if driver == "column":
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
