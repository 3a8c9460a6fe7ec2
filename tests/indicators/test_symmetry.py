"""What a mirror, another unit, or one print told as two do to each indicator that has no such test of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.absorption import Absorption
from indicators.atr import Atr
from indicators.bars import TimeBars
from indicators.cvd import Cvd
from indicators.ema import Ema
from indicators.ewma import Ewma
from indicators.flow_window import FlowWindow
from indicators.lead_lag import LeadLag
from indicators.order_book_imbalance import OrderBookImbalance
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.rsi import Rsi
from indicators.sma import Sma
from indicators.trailing_change import TrailingChange
from indicators.volume_surge import VolumeSurge
from indicators.whale_bursts import WhaleBursts
from indicators.whale_trades import WhaleTrades

PRICE = st.floats(1e-3, 1e6)
SIZE = st.floats(1e-6, 1e4)
SIDE = st.integers(0, 2)
STEP_NS = st.integers(0, 35)
OTHER_SIDE = np.array([0, 2, 1])
READS = 1_000_000 + 10 * np.arange(0, 60, 4)


def columns(kinds, rows):
    """Columns of drawn rows; what was drawn as a step of time becomes a clock."""
    table = [np.array(column) for column in zip(*rows, strict=True)]
    return [1_000_000 + np.cumsum(c) if kind is STEP_NS else c for kind, c in zip(kinds, table, strict=True)]


def outputs(result):
    return result if isinstance(result, tuple) else (result,)


def rows_of(kinds, most=60):
    return st.lists(st.tuples(*kinds), min_size=8, max_size=most)


# -- another unit ------------------------------------------------------------------------------------------------------

# how to make the columns' outputs, the columns' kinds, which of them are in the unit, and the outputs' powers of it
SCALED = {
    "ema": (lambda *c: Ema(3).update_many(*c), [PRICE], [0], [1]),
    "sma": (lambda *c: Sma(3).update_many(*c), [PRICE], [0], [1]),
    "rsi": (lambda *c: Rsi(3).update_many(*c), [PRICE], [0], [0]),
    "atr": (lambda *c: Atr(3).update_many(*c), [PRICE, PRICE, PRICE], [0, 1, 2], [1]),
    "rolling_moments": (lambda *c: RollingMoments(4).update_many(*c), [PRICE], [0], [1, 2, 0]),
    "rolling_quantile": (lambda *c: RollingQuantile(5, 0.7, 2).update_many(*c), [SIZE], [0], [1]),
    "ewma": (lambda *c: Ewma(3).update_many(*c), [SIZE], [0], [0]),
    "cvd": (lambda *c: Cvd().update_many(*c), [SIZE, SIDE], [0], [1]),
    "flow_window": (
        lambda *c: tuple(FlowWindow(10, 3).update_many(*c, READS).T),
        [STEP_NS, SIZE, SIDE],
        [1],
        [1, 1, 0],
    ),
    "volume_surge": (lambda *c: VolumeSurge(10, 3, 2.5, 4).update_many(*c), [STEP_NS, SIZE], [1], [0]),
    "whale_trades, by size": (
        lambda *c: WhaleTrades(6, 0.7, 3).update_many(*c),
        [PRICE, SIZE, SIDE],
        [1],
        [0],
    ),
    "whale_trades, by price": (
        lambda *c: WhaleTrades(6, 0.7, 3).update_many(*c),
        [PRICE, SIZE, SIDE],
        [0],
        [0],
    ),
    "order_book_imbalance": (lambda *c: OrderBookImbalance(1, 4).update_many(*c), [SIZE, SIZE], [0, 1], [0, 0]),
    "trailing_change": (
        lambda ts, values: tuple(TrailingChange(10, 6, 70).update_many(ts, values, READS, 30).T),
        [STEP_NS, SIZE],
        [1],
        [1, 1, 0],
    ),
    "bars, prices": (
        lambda *c: tuple(TimeBars(10).update_many(*c)[name] for name in ("open", "high", "low", "close", "volume")),
        [STEP_NS, PRICE, SIZE],
        [1],
        [1, 1, 1, 1, 0],
    ),
    "bars, sizes": (
        lambda *c: tuple(TimeBars(10).update_many(*c)[name] for name in ("close", "volume", "trades")),
        [STEP_NS, PRICE, SIZE],
        [2],
        [0, 1, 0],
    ),
}


@pytest.mark.parametrize("name", SCALED)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), k=st.integers(-20, 20))
def test_another_unit(name, data, k):
    """Inputs times 2^k give outputs times a power of 2^k, bit for bit: prices, sizes, and ratios that keep still."""
    run, kinds, in_unit, powers = SCALED[name]
    table = columns(kinds, data.draw(rows_of(kinds)))
    scaled = [c * 2.0**k if n in in_unit else c for n, c in enumerate(table)]
    here, there = outputs(run(*table)), outputs(run(*scaled))
    assert len(here) == len(powers)
    for one, other, power in zip(here, there, powers, strict=True):
        assert np.array_equal(np.asarray(one) * 2.0 ** (k * power), np.asarray(other, dtype=float), equal_nan=True)


# -- the mirror --------------------------------------------------------------------------------------------------------

# how to make the outputs of the columns, of the mirrored columns, the columns' kinds, and the outputs' signs
MIRRORED = {
    "ema": (lambda x: Ema(3).update_many(x), lambda x: Ema(3).update_many(-x), [PRICE], [-1]),
    "sma": (lambda x: Sma(3).update_many(x), lambda x: Sma(3).update_many(-x), [PRICE], [-1]),
    "ewma": (lambda x: Ewma(3).update_many(x), lambda x: Ewma(3).update_many(-x), [PRICE], [-1]),
    "atr": (
        lambda high, low, close: Atr(3).update_many(high, low, close),
        lambda high, low, close: Atr(3).update_many(-low, -high, -close),
        [PRICE, PRICE, PRICE],
        [1],
    ),
    # three quarters of the way from below is one quarter from above: of five values, the fourth and the second
    "rolling_quantile": (
        lambda x: RollingQuantile(5, 0.75).update_many(x),
        lambda x: RollingQuantile(5, 0.25).update_many(-x),
        [PRICE],
        [-1],
    ),
    "bars": (
        lambda *c: tuple(TimeBars(10).update_many(*c)[name] for name in ("open", "high", "low", "close", "volume")),
        lambda ts, price, size: tuple(
            TimeBars(10).update_many(ts, -price, size)[name] for name in ("open", "low", "high", "close", "volume")
        ),
        [STEP_NS, PRICE, SIZE],
        [-1, -1, -1, -1, 1],
    ),
    "whale_trades": (
        lambda price, size, side: WhaleTrades(6, 0.7, 3).update_many(price, size, side),
        lambda price, size, side: WhaleTrades(6, 0.7, 3).update_many(price, size, OTHER_SIDE[side]),
        [PRICE, SIZE, SIDE],
        [1],
    ),
}


@pytest.mark.parametrize("name", MIRRORED)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_mirrored_input_gives_mirrored_output(name, data):
    """Up for down and buyers for sellers: values change their sign, ranges and volumes do not, bit for bit."""
    run, run_mirrored, kinds, signs = MIRRORED[name]
    table = columns(kinds, data.draw(rows_of(kinds)))
    here, there = outputs(run(*table)), outputs(run_mirrored(*table))
    for one, other, sign in zip(here, there, signs, strict=True):
        assert np.array_equal(sign * np.asarray(one, dtype=float), np.asarray(other, dtype=float), equal_nan=True)


# -- one print as two --------------------------------------------------------------------------------------------------

EIGHTHS = st.integers(1, 80).map(lambda n: n / 8)
PRINTS = st.lists(st.tuples(STEP_NS, st.integers(90, 110).map(float), EIGHTHS, SIDE), min_size=8, max_size=50)


def _cvd(_ts, _price, size, side):
    cvd = Cvd()
    cvd.update_many(size, side)
    return cvd.value, cvd.volume, cvd.buy_volume, cvd.sell_volume


def _bars(ts, price, size, _side):
    rows = TimeBars(10).update_many(ts, price, size)
    return [rows[name].tobytes() for name in ("start_ns", "open", "high", "low", "close", "volume")]


def _surge(ts, _price, size, _side):
    surge = VolumeSurge(10, 3, 2.5, 4)
    surge.update_many(ts, size)
    return np.array([surge.value, surge.advance(int(ts[-1]) + 10)]).tobytes(), surge.flag


def _bursts(ts, price, size, side):
    bursts = WhaleBursts(10, 6, 0.7, 3)
    bursts.update_many(ts, price, size, side)
    return np.array([bursts.value, bursts.threshold, bursts.notional]).tobytes(), bursts.count, bursts.side


def _leads(ts, price, _size, side):
    # prints of known takers as two streams of prices, which both begin before the first of them
    known = side > 0
    begin = np.array([999_990, 999_990]), np.array([0, 1]), np.array([100.0, 100.0])
    times, streams, prices = (
        np.concatenate(parts) for parts in zip(begin, (ts[known], side[known] - 1, price[known]), strict=True)
    )
    return LeadLag(step_ns=10, lags=3, span=4, stale_ns=10_000).update_many(times, streams, prices, READS).tobytes()


def _absorbed(ts, price, size, side):
    # fed by samples of running sums, as the flow does
    at = np.searchsorted(ts, READS, side="right") - 1
    seen = at >= 0
    net, gross = np.cumsum(size * np.array([0, 1, -1])[side])[at], np.cumsum(size)[at]
    last = np.where(seen, price[at], np.nan)
    return Absorption(4, 8, 2).update_many(last, net, gross, 1000.0 + gross)[0].tobytes()


SPLIT = {
    "cvd": _cvd,
    "flow_window": lambda ts, _price, size, side: FlowWindow(10, 3).update_many(ts, size, side, READS).tobytes(),
    "bars": _bars,
    "volume_surge": _surge,
    "whale_bursts": _bursts,
    "lead_lag": _leads,
    "absorption": _absorbed,
}
"""All but whale prints, trades of a bar, and prints of a burst, which by definition count prints."""


@pytest.mark.parametrize("name", SPLIT)
@settings(deadline=None, max_examples=40)
@given(rows=PRINTS, data=st.data())
def test_one_print_told_as_two(name, rows, data):
    """A fill that a venue tells as two prints of one time, price and side changes nothing. Eighths add up exactly."""
    ts, price, size, side = columns([STEP_NS, None, None, None], rows)
    split = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    twice = np.repeat(np.arange(len(rows)), 1 + split)
    parts = np.where(split[twice], size[twice] / 2, size[twice])
    assert SPLIT[name](ts[twice], price[twice], parts, side[twice]) == SPLIT[name](ts, price, size, side)
