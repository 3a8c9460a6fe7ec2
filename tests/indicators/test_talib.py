"""TA-Lib is the oracle of the classics, from its first defined value on."""

from pathlib import Path

import numpy as np
import pytest
import talib

from indicators.atr import Atr
from indicators.ema import Ema
from indicators.rolling_moments import RollingMoments
from indicators.rsi import Rsi
from indicators.sma import Sma

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "binance_klines_1m_2025"


def walk(level, step, n=2000):
    rng = np.random.default_rng(7)
    close = level + np.cumsum(rng.normal(0.0, step, n))
    high = close + rng.exponential(step, n)
    low = close - rng.exponential(step, n)
    return high, low, close


def assert_equal_from_first(ours, theirs):
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("period", [2, 14, 99])
@pytest.mark.parametrize(("level", "step"), [(100.0, 0.3), (1e5, 10.0)])
def test_classics_equal_talib(level, step, period):
    """EMA, SMA, RSI and ATR have TA-Lib's values and its warm-up for several periods and price levels."""
    high, low, close = walk(level, step)
    assert_equal_from_first(Ema(period).update_many(close), talib.EMA(close, period))
    assert_equal_from_first(Sma(period).update_many(close), talib.SMA(close, period))
    assert_equal_from_first(Rsi(period).update_many(close), talib.RSI(close, period))
    assert_equal_from_first(Atr(period).update_many(high, low, close), talib.ATR(high, low, close, period))


def test_variance_equals_talib_where_talib_is_exact_enough():
    """The population variance is TA-Lib's VAR; its naive sums hold 6 digits on small numbers."""
    _, _, close = walk(1.0, 0.3)
    np.testing.assert_allclose(RollingMoments(20).update_many(close)[1][19:], talib.VAR(close, 20)[19:], rtol=1e-6)


def test_flat_market_equals_talib():
    """A market that never moves has RSI 0, as in TA-Lib, and ATR 0."""
    close = np.full(40, 5.0)
    assert_equal_from_first(Rsi(14).update_many(close), talib.RSI(close, 14))
    assert_equal_from_first(Atr(14).update_many(close, close, close), talib.ATR(close, close, close, 14))


def test_real_minutes_equal_talib():
    """On six weeks of real one-minute bars the values are TA-Lib's to the last bar."""
    path = DATA / "BTC_USDT_USDT-1m-futures.feather"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    feather = pytest.importorskip("pyarrow.feather")
    table = feather.read_table(path, columns=["high", "low", "close"])
    high, low, close = (np.asarray(table[name], dtype=float) for name in ("high", "low", "close"))
    assert_equal_from_first(Ema(20).update_many(close), talib.EMA(close, 20))
    assert_equal_from_first(Rsi(14).update_many(close), talib.RSI(close, 14))
    assert_equal_from_first(Atr(14).update_many(high, low, close), talib.ATR(high, low, close, 14))
