"""For how long features can remember: what a profile's windows say."""

import math

from strategies.config import FlowSettings
from strategies.flow.carry import HORIZONS_NS
from strategies.flow.groups import new_asset
from strategies.flow.markets import SECOND_NS, SLOW_NS

TIME_CONSTANTS = 14
"""After so many of its time constants an exponential memory keeps less than 1e-6 of what it held: exp(-14) is 8e-7."""
WINDOWS = 2
"""What is fed with a window's values is full one window after that."""
PRINTS_A_BURST = 5
"""Assumed, to say how long a number of bursts takes."""


def memory_seconds(settings: FlowSettings, trades_per_second: float) -> float:
    """Return the seconds after which nothing of a start can be left in a feature that forgets at all.

    TIME_CONSTANTS of the longest exponential memory, and WINDOWS of the longest window, be it of time or of a number of
    prints at `trades_per_second` (without prints: infinite). An exponential mean of span n, whose newest value weighs
    2 / (n + 1), has a time constant of n / 2 values, nearly.
    """
    s, asset = settings, new_asset(settings)[0]
    bars = max(s.ema_bars[1] / 2, s.macd_bars[1] / 2 + s.macd_bars[2] / 2, s.rsi_bars, s.atr_bars)
    exponential = max(
        bars * s.bar_seconds,
        s.heat_half_life_seconds / math.log(2),
        s.wall_span_reads / 2 * s.levels_seconds,
        s.lead_span_seconds / 2,
        s.surge_span_buckets / 2 * s.surge_bucket_seconds,
        s.cvd_smoothing_scans / 2 * s.scan_seconds,
        # these two are no settings
        s.scan_seconds / float(asset["absorption"]["score"]["alpha"]),
        float(asset["liquidity"]["walls"]["rules"]["spoof_half_life_ns"]) / SECOND_NS / math.log(2),
    )
    scans = max(s.slope_scans, s.divergence_scans + s.divergence_confirm_scans, s.absorption_scans)
    windows = max(
        s.flow_seconds[1],
        scans * s.scan_seconds,
        max(s.imbalance_window, s.basis_window) * s.sample_seconds,
        s.microprice_reads * s.levels_seconds,
        s.bollinger_bars * s.bar_seconds,
        HORIZONS_NS[-1] / SECOND_NS,
        SLOW_NS / SECOND_NS,
        s.open_interest_stale_seconds,
    )
    prints = max(s.whale_window, s.burst_window * PRINTS_A_BURST)
    counted = prints / trades_per_second if trades_per_second > 0 else math.inf
    return TIME_CONSTANTS * exponential + WINDOWS * max(windows, counted)
