"""The classics on bars of the lead market: trend, momentum, range."""

import numpy as np
import numpy.typing as npt

from indicators.atr import AtrState, configure_atr, reset_atr, update_atr
from indicators.bars import SILENCE, BarsState, add_trade, advance_bars, configure_bars, take_bar
from indicators.bollinger import bollinger_dtype, configure_bollinger, reset_bollinger, update_bollinger
from indicators.ema import EmaState, configure_ema, reset_ema, update_ema
from indicators.kernel import State, kernel
from indicators.macd import MacdState, configure_macd, reset_macd, update_macd
from indicators.rsi import RsiState, configure_rsi, reset_rsi, update_rsi
from strategies.config import FlowSettings
from strategies.flow.markets import BPS, SECOND_NS
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_BARS = (Input.LEAD_BARS,)
_BARS_AND_PRICE = (Input.LEAD_BARS, Input.LEAD_PRICE)

FEATURES = (
    Feature("trend_atr", "ATR", Flip.NEGATE, "slow EMA, ATR", _BARS, "fast minus slow EMA of closes"),
    Feature("macd_histogram_atr", "ATR", Flip.NEGATE, "MACD, ATR", _BARS, "MACD of closes minus its signal line"),
    Feature("rsi", "0..100", Flip.COMPLEMENT_100, "RSI bars", _BARS, "Wilder's RSI of closes"),
    Feature(
        "bollinger_b",
        "band",
        Flip.COMPLEMENT_1,
        "Bollinger bars",
        _BARS,
        "where the last close lies in its Bollinger bands: 0 lower, 1 upper; NaN in bands without width",
    ),
    Feature("atr", "quote", Flip.SAME, "ATR bars", _BARS, "Wilder's average true range", learnable=False),
    Feature("atr_bps", "bps", Flip.SAME, "ATR bars", _BARS_AND_PRICE, "the same over price"),
)
TREND, MACD, RSI, BOLLINGER, ATR, ATR_BPS = range(len(FEATURES))


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("bars", BarsState),
            ("ema_fast", EmaState),
            ("ema_slow", EmaState),
            ("macd", MacdState),
            ("rsi", RsiState),
            ("atr", AtrState),
            ("bollinger", bollinger_dtype(settings.bollinger_bars)),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    configure_bars(state["bars"], settings.bar_seconds * SECOND_NS)
    configure_ema(state["ema_fast"], settings.ema_bars[0])
    configure_ema(state["ema_slow"], settings.ema_bars[1])
    configure_macd(state["macd"], *settings.macd_bars)
    configure_rsi(state["rsi"], settings.rsi_bars)
    configure_atr(state["atr"], settings.atr_bars)
    configure_bollinger(state["bollinger"])


@kernel
def _take_bars(classics: State, completed: int) -> None:
    if completed == SILENCE:
        reset_ema(classics.ema_fast)
        reset_ema(classics.ema_slow)
        reset_macd(classics.macd)
        reset_rsi(classics.rsi)
        reset_atr(classics.atr)
        reset_bollinger(classics.bollinger)
    for _ in range(completed):
        take_bar(classics.bars)
        bar = classics.bars.taken
        update_ema(classics.ema_fast, bar.close)
        update_ema(classics.ema_slow, bar.close)
        update_macd(classics.macd, bar.close)
        update_rsi(classics.rsi, bar.close)
        update_atr(classics.atr, bar.high, bar.low, bar.close)
        update_bollinger(classics.bollinger, bar.close)


@kernel
def _on_trade(state: State, number: int, price: float, base: float, taker_side: int, ts: int) -> None:
    if number == 0:
        _take_bars(state.technical, add_trade(state.technical.bars, ts, price, base))


@kernel
def _advance(state: State, ts: int) -> None:
    _take_bars(state.technical, advance_bars(state.technical.bars, ts))


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    classics = state.technical
    atr = classics.atr.value
    out[RSI] = classics.rsi.value
    out[BOLLINGER] = classics.bollinger.percent_b
    out[ATR] = atr
    out[ATR_BPS] = atr / state.lead_price.price * BPS
    if atr > 0.0:
        out[TREND] = (classics.ema_fast.value - classics.ema_slow.value) / atr
        out[MACD] = classics.macd.histogram / atr


GROUP = FeatureGroup("technical", FEATURES, _layout, _configure, _write, on_trade=_on_trade, advance=_advance)
