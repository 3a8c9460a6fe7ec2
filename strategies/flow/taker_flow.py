"""Takers: cumulative volume delta, flow over windows, spot against perp, surges of volume, whales."""

import numpy as np
import numpy.typing as npt

from indicators.ema import EmaState, configure_ema, reset_ema, update_ema
from indicators.flow_window import (
    configure_flow_window,
    flow_window_dtype,
    read_flow_window,
    recent_flow,
    update_flow_window,
)
from indicators.kernel import State, kernel
from indicators.rolling_slope import (
    configure_rolling_slope,
    reset_rolling_slope,
    rolling_slope_dtype,
    update_rolling_slope,
)
from indicators.volume_surge import VolumeSurgeState, advance_volume_surge, configure_volume_surge, update_volume_surge
from indicators.whale_bursts import configure_whale_bursts, update_whale_bursts, whale_bursts_dtype
from indicators.whale_trades import configure_whale_trades, update_whale_trades, whale_trades_dtype
from strategies.config import FlowSettings
from strategies.flow.markets import SECOND_NS, is_scan, summed_cvd
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_PERP, _SPOT = (Input.PERP_TRADES,), (Input.SPOT_TRADES,)
_BOTH = _PERP + _SPOT

FEATURES = (
    Feature(
        "cvd_perp", "base units", Flip.NEGATE, "1 trade", _PERP, "buys minus sells since the start, all perps", False
    ),
    Feature(
        "cvd_spot", "base units", Flip.NEGATE, "1 trade", _SPOT, "buys minus sells since the start, all spot", False
    ),
    Feature("perp_flow_short", "ratio", Flip.NEGATE, "short window", _PERP, "net over gross taker volume, all perps"),
    Feature("perp_flow_long", "ratio", Flip.NEGATE, "long window", _PERP, "the same over the long window"),
    Feature("spot_flow_short", "ratio", Flip.NEGATE, "short window", _SPOT, "net over gross taker volume, all spot"),
    Feature("spot_flow_long", "ratio", Flip.NEGATE, "long window", _SPOT, "the same over the long window"),
    Feature("spot_minus_perp", "ratio", Flip.NEGATE, "long window", _BOTH, "spot minus perp flow of the long window"),
    Feature(
        "cvd_perp_slope",
        "ratio",
        Flip.NEGATE,
        "slope window",
        _PERP,
        "least-squares slope of the smoothed perp CVD, over the mean volume of the long window in the same time",
    ),
    Feature("cvd_spot_slope", "ratio", Flip.NEGATE, "slope window", _SPOT, "the same of all spot markets"),
    Feature(
        "volume_surge_z", "sd", Flip.SAME, "baseline", _PERP, "volume of the last bucket against its EWMA baseline"
    ),
    Feature("whale_flow_short", "ratio", Flip.NEGATE, "200 trades", _PERP, "net flow of whale prints over all volume"),
    Feature(
        "whale_burst_flow_short",
        "ratio",
        Flip.NEGATE,
        "50 bursts",
        _PERP,
        "net flow of runs of one side that grew to whale size, over all volume",
    ),
)
(
    CVD_PERP,
    CVD_SPOT,
    PERP_SHORT,
    PERP_LONG,
    SPOT_SHORT,
    SPOT_LONG,
    SPOT_MINUS_PERP,
    PERP_SLOPE,
    SPOT_SLOPE,
    SURGE,
    WHALES,
    BURSTS,
) = range(len(FEATURES))
WINDOWS = ("perp", "spot", "whales_short", "bursts_short")
MIN_WHALES, MIN_BURSTS = 200, 50


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    short, long = (flow_window_dtype(seconds) for seconds in settings.flow_seconds)
    slope = rolling_slope_dtype(settings.slope_scans)
    return np.dtype(
        [
            ("perp", long),  # of which the short window is the newest part
            ("spot", long),
            ("whales_short", short),
            ("bursts_short", short),
            ("short_buckets", "i8"),
            ("perp_volume", "f8"),  # of the short window; NaN until it is covered
            ("spot_volume", "f8"),
            ("surge", VolumeSurgeState),
            ("whales", whale_trades_dtype(settings.whale_window)),
            ("bursts", whale_bursts_dtype(settings.burst_window)),
            ("perp_smooth", EmaState),
            ("spot_smooth", EmaState),
            ("perp_slope", slope),
            ("spot_slope", slope),
            ("scans_per_window", "f8"),  # of the long window
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    for name in WINDOWS:
        configure_flow_window(state[name], SECOND_NS)
    configure_volume_surge(
        state["surge"], settings.surge_bucket_seconds * SECOND_NS, settings.surge_span_buckets, settings.surge_threshold
    )
    configure_whale_trades(state["whales"], settings.whale_quantile, min(MIN_WHALES, settings.whale_window))
    configure_whale_bursts(
        state["bursts"],
        round(settings.burst_gap_seconds * SECOND_NS),
        settings.whale_quantile,
        min(MIN_BURSTS, settings.burst_window),
    )
    for kind in ("perp", "spot"):
        configure_ema(state[f"{kind}_smooth"], settings.cvd_smoothing_scans)
        configure_rolling_slope(state[f"{kind}_slope"])
    state["short_buckets"] = settings.flow_seconds[0]
    state["perp_volume"] = state["spot_volume"] = np.nan
    state["scans_per_window"] = settings.flow_seconds[1] / settings.scan_seconds


@kernel
def _burst_volume(bursts: State, ts: int, price: float, base: float, taker_side: int) -> float:
    """What a print adds to the volume of whale bursts: all of its burst when that becomes one, then each print."""
    became = update_whale_bursts(bursts, ts, price, base, taker_side)
    volume: float = 0.0
    if became == 1:
        volume = bursts.volume
    elif bursts.is_whale == 1 and taker_side == bursts.side:
        volume = base
    return volume


@kernel
def _on_trade(state: State, number: int, price: float, base: float, taker_side: int, ts: int) -> None:
    flow = state.taker_flow
    if state.markets[number].is_perp == 1:
        update_flow_window(flow.perp, ts, base, taker_side)
        update_volume_surge(flow.surge, ts, base)
        if flow.whales_short.first < 0:
            # the windows of whales and bursts begin with the first trade: that there was none is known from then on
            update_flow_window(flow.whales_short, ts, 0.0, taker_side)
            update_flow_window(flow.bursts_short, ts, 0.0, taker_side)
        if update_whale_trades(flow.whales, price, base, taker_side) == 1:
            update_flow_window(flow.whales_short, ts, base, taker_side)
        burst = _burst_volume(flow.bursts, ts, price, base, taker_side)
        if burst > 0.0:
            update_flow_window(flow.bursts_short, ts, burst, taker_side)
    else:
        update_flow_window(flow.spot, ts, base, taker_side)


@kernel
def _follow_cvd(smooth: State, slope: State, cvd: float) -> None:
    if cvd != cvd:
        reset_ema(smooth)
        reset_rolling_slope(slope)
        return
    update_ema(smooth, cvd)
    if smooth.value == smooth.value:
        update_rolling_slope(slope, smooth.value)


@kernel
def _on_sample(state: State, ts: int) -> None:
    if is_scan(state, ts):
        flow = state.taker_flow
        _follow_cvd(flow.perp_smooth, flow.perp_slope, summed_cvd(state, 1))
        _follow_cvd(flow.spot_smooth, flow.spot_slope, summed_cvd(state, 0))


@kernel
def _advance(state: State, ts: int) -> None:
    flow = state.taker_flow
    advance_volume_surge(flow.surge, ts)
    read_flow_window(flow.perp, ts)
    read_flow_window(flow.spot, ts)
    read_flow_window(flow.whales_short, ts)
    read_flow_window(flow.bursts_short, ts)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    flow = state.taker_flow
    out[CVD_PERP] = summed_cvd(state, 1)
    out[CVD_SPOT] = summed_cvd(state, 0)
    net_perp, volume = recent_flow(flow.perp, flow.short_buckets)
    net_spot, spot_volume = recent_flow(flow.spot, flow.short_buckets)
    flow.perp_volume = volume
    flow.spot_volume = spot_volume
    out[PERP_LONG] = flow.perp.ratio
    out[SPOT_LONG] = flow.spot.ratio
    out[SPOT_MINUS_PERP] = flow.spot.ratio - flow.perp.ratio
    if flow.perp.volume > 0.0:
        out[PERP_SLOPE] = flow.perp_slope.slope * flow.scans_per_window / flow.perp.volume
    if flow.spot.volume > 0.0:
        out[SPOT_SLOPE] = flow.spot_slope.slope * flow.scans_per_window / flow.spot.volume
    out[SURGE] = flow.surge.zscore
    if spot_volume > 0.0:
        out[SPOT_SHORT] = net_spot / spot_volume
    if volume > 0.0:
        out[PERP_SHORT] = net_perp / volume
        if flow.whales.notional.count >= flow.whales.notional.min_count:
            out[WHALES] = flow.whales_short.net_flow / volume
        if flow.bursts.completed.count >= flow.bursts.completed.min_count:
            out[BURSTS] = flow.bursts_short.net_flow / volume


GROUP = FeatureGroup(
    "taker_flow",
    FEATURES,
    _layout,
    _configure,
    _write,
    on_trade=_on_trade,
    on_sample=_on_sample,
    advance=_advance,
)
