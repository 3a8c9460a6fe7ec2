"""TA-Lib is the oracle of the classics, from its first defined value on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from indicators.atr import Atr
from indicators.bars import TimeBars
from indicators.bollinger import Bollinger
from indicators.ema import Ema
from indicators.macd import Macd
from indicators.rolling_moments import RollingMoments
from indicators.rolling_slope import RollingSlope
from indicators.rsi import Rsi
from indicators.sma import Sma

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MINUTE_NS = 60_000_000_000


def walk(level, step, n=2000):
    rng = np.random.default_rng(7)
    close = level + np.cumsum(rng.normal(0.0, step, n))
    high = close + rng.exponential(step, n)
    low = close - rng.exponential(step, n)
    return high, low, close


def assert_equal_from_first(ours, theirs):
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=0.0)


def assert_classics_equal_talib(high, low, close, period):
    assert_equal_from_first(Ema(period).update_many(close), talib.EMA(close, period))
    assert_equal_from_first(Sma(period).update_many(close), talib.SMA(close, period))
    assert_equal_from_first(Rsi(period).update_many(close), talib.RSI(close, period))
    assert_equal_from_first(Atr(period).update_many(high, low, close), talib.ATR(high, low, close, period))
    bands = Bollinger(period).update_many(close)
    upper, middle, lower = talib.BBANDS(close, period, 2.0, 2.0, talib.MA_Type.SMA)
    assert_equal_from_first(bands.upper, upper)
    assert_equal_from_first(bands.middle, middle)
    assert_equal_from_first(bands.lower, lower)


def assert_macd_equals_talib(close, fast, slow, signal):
    for ours, theirs in zip(
        Macd(fast, slow, signal).update_many(close), talib.MACD(close, fast, slow, signal), strict=True
    ):
        assert_equal_from_first(ours, theirs)


def assert_ratios_and_slope_equal_talib(close, tick, base, period):
    """Compare with TA-Lib on ticks above `base`: near zero its naive sums of squares lose no digits."""
    above = np.round(close / tick) - base
    upper, middle, lower = talib.BBANDS(above, period, 2.0, 2.0, talib.MA_Type.SMA)
    bands = Bollinger(period).update_many(close)
    with np.errstate(invalid="ignore"):
        percent_b = (above - lower) / (upper - lower)
    assert_equal_from_first(bands.percent_b, percent_b)
    assert_equal_from_first(bands.bandwidth, (upper - lower) / (base + middle))
    slope = talib.LINEARREG_SLOPE(above, period) * tick
    # a window without a slope has one of some 1e-16 where prices are decimals
    np.testing.assert_allclose(RollingSlope(period).update_many(close), slope, rtol=1e-9, atol=1e-12 * tick)


@pytest.mark.parametrize("period", [2, 14, 99])
@pytest.mark.parametrize(("level", "step"), [(100.0, 0.3), (1e5, 10.0)])
def test_classics_equal_talib(level, step, period):
    """EMA, SMA, RSI, ATR and Bollinger have TA-Lib's values and its warm-up for several periods and price levels."""
    assert_classics_equal_talib(*walk(level, step), period)


@pytest.mark.parametrize("periods", [(12, 26, 9), (3, 10, 1), (2, 3, 5), (2, 50, 20)])
@pytest.mark.parametrize(("level", "step"), [(100.0, 0.3), (1e5, 10.0)])
def test_macd_equals_talib(level, step, periods):
    """MACD line, signal and histogram have TA-Lib's values and its warm-up."""
    assert_macd_equals_talib(walk(level, step)[2], *periods)


@pytest.mark.parametrize("period", [2, 14, 99])
@pytest.mark.parametrize(("base", "tick"), [(1_000, 0.1), (800_000, 0.125)])
def test_ratios_and_slope_equal_talib(base, tick, period):
    """%b and bandwidth are those of TA-Lib's bands, the rolling slope is its LINEARREG_SLOPE."""
    ticks = base + np.round(np.cumsum(np.random.default_rng(9).normal(0.0, 2.0, 2000)))
    assert_ratios_and_slope_equal_talib(ticks * tick, tick, base, period)


def test_variance_equals_talib_where_talib_is_exact_enough():
    """The population variance is TA-Lib's VAR; its naive sums hold 6 digits on small numbers."""
    _, _, close = walk(1.0, 0.3)
    np.testing.assert_allclose(RollingMoments(20).update_many(close)[1][19:], talib.VAR(close, 20)[19:], rtol=1e-6)


def test_flat_market_equals_talib():
    """A market that never moves has RSI 0, as in TA-Lib, and ATR 0."""
    close = np.full(40, 5.0)
    assert_equal_from_first(Rsi(14).update_many(close), talib.RSI(close, 14))
    assert_equal_from_first(Atr(14).update_many(close, close, close), talib.ATR(close, close, close, 14))


def test_a_million_values_on_a_high_price():
    """Prices of 1e8 with a tick of 0.01: after a million bars errors are below 1e-9, most near 1e-15.

    TA-Lib on distances from 1e8, which doubles hold without rounding, has the exact values. MACD is a difference of two
    averages that are themselves right to 1e-15: what that leaves of its digits is what TA-Lib has, value for value. Its
    error is below 1e-15 of the price.
    """
    rng = np.random.default_rng(3)
    close = np.round(1e8 + 0.01 * np.cumsum(rng.integers(-3, 4, 1_000_000)), 2)
    high, low = (np.round(close + 0.01 * sign * rng.integers(0, 4, close.size), 2) for sign in (1, -1))
    above_high, above_low, above = high - 1e8, low - 1e8, close - 1e8
    assert_close = np.testing.assert_allclose
    assert_close(Rsi(14).update_many(close), talib.RSI(above, 14), rtol=1e-13)
    assert_close(Atr(14).update_many(high, low, close), talib.ATR(above_high, above_low, above, 14), rtol=1e-13)
    assert_close(Ema(20).update_many(close), 1e8 + talib.EMA(above, 20), rtol=1e-15)
    assert_close(Sma(20).update_many(close), 1e8 + talib.SMA(above, 20), rtol=1e-15)
    bands, theirs = Bollinger(20).update_many(close), talib.BBANDS(above, 20, 2.0, 2.0, talib.MA_Type.SMA)
    for ours, exact in zip((bands.upper, bands.middle, bands.lower), theirs, strict=True):
        assert_close(ours, 1e8 + exact, rtol=1e-15)
    macd, same, exact = Macd().update_many(close), talib.MACD(close), talib.MACD(above)
    for ours, theirs, distance in zip(macd, same, exact, strict=True):
        assert_close(ours, theirs, rtol=1e-9, atol=1e-16)
        assert_close(ours, distance, rtol=0.0, atol=1e-15 * 1e8)


def test_real_minutes_equal_talib():
    """On six weeks of real one-minute bars the values are TA-Lib's to the last bar."""
    path = DATA / "binance_klines_1m_2025" / "BTC_USDT_USDT-1m-futures.feather"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    feather = pytest.importorskip("pyarrow.feather")
    table = feather.read_table(path, columns=["high", "low", "close"])
    high, low, close = (np.asarray(table[name], dtype=float) for name in ("high", "low", "close"))
    assert_classics_equal_talib(high, low, close, 14)
    assert_macd_equals_talib(close, 12, 26, 9)


@pytest.fixture(scope="module")
def real_day():
    """Return a real day's aggregate trades (pandas) of APEUSDT, whose tick is 0.0001."""
    path = DATA / "binance_public_dumps" / "futures-APEUSDT-aggTrades-2024-10-18.zip"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    return pd.read_csv(path, usecols=["price", "quantity", "transact_time"])


@pytest.fixture(scope="module")
def real_bars(real_day):
    """Return the minutes of that day as pandas makes them."""
    prices = real_day["price"].set_axis(pd.to_datetime(real_day["transact_time"], unit="ms", utc=True))
    return prices.resample("1min").ohlc()


@pytest.mark.parametrize("period", [14, 99])
def test_real_day_equals_talib(real_bars, period):
    """From the minutes of a real day every value is TA-Lib's, from its first defined one to the last."""
    high, low, close = (real_bars[name].to_numpy(dtype=float) for name in ("high", "low", "close"))
    assert np.isfinite(close).sum() == 1440  # no minute without a trade
    assert_classics_equal_talib(high, low, close, period)
    assert_macd_equals_talib(close, period, 2 * period, 9)
    assert_ratios_and_slope_equal_talib(close, 0.0001, 7_264, period)


def test_real_day_from_its_trades(real_day, real_bars):
    """Bars built here from the single trades are those of pandas, so the whole way from trade to value is covered."""
    ours = TimeBars(MINUTE_NS).update_many(
        real_day["transact_time"].to_numpy() * 1_000_000, real_day["price"], real_day["quantity"]
    )
    for name in ("open", "high", "low", "close"):
        # the last minute is still being built
        assert np.array_equal(ours[name], real_bars[name].to_numpy()[:-1])
