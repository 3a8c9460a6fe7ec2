"""Divergence: extremes of price that the flow of takers does not confirm."""

import numpy as np
import numpy.typing as npt

from indicators.cvd_divergence import (
    configure_cvd_divergence,
    cvd_divergence_dtype,
    read_cvd_divergence,
    update_cvd_divergence,
)
from indicators.kernel import State, kernel
from strategies.config import FlowSettings
from strategies.flow.markets import is_scan, market_price, summed_cvd
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_INPUTS = (Input.LEAD_PRICE, Input.PERP_TRADES)
_WARM_UP = "divergence window"

FEATURES = (
    Feature(
        "bullish_divergence",
        "sd",
        Flip.SWAP,
        _WARM_UP,
        _INPUTS,
        "strength of a lower trough of price with a higher one of the smoothed perp CVD; 0 where there is none",
        partner="bearish_divergence",
    ),
    Feature(
        "bearish_divergence",
        "sd",
        Flip.SWAP,
        _WARM_UP,
        _INPUTS,
        "strength of a higher peak of price with a lower one of the smoothed perp CVD; 0 where there is none",
        partner="bullish_divergence",
    ),
)
BULLISH, BEARISH = range(2)


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    return np.dtype([("cvd", cvd_divergence_dtype(settings.divergence_scans))])


def _configure(state: State, settings: FlowSettings) -> None:
    configure_cvd_divergence(
        state["cvd"],
        smoothing=settings.cvd_smoothing_scans,
        distance=settings.divergence_distance_scans,
        prominence=settings.divergence_prominence_sd,
        confirm=settings.divergence_confirm_scans,
        match=settings.divergence_match_scans,
    )


@kernel
def _on_sample(state: State, ts: int) -> None:
    if is_scan(state, ts):
        update_cvd_divergence(state.divergence.cvd, market_price(state, 0, ts), summed_cvd(state, 1))
        read_cvd_divergence(state.divergence.cvd)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    out[BULLISH] = state.divergence.cvd.bullish
    out[BEARISH] = state.divergence.cvd.bearish


GROUP = FeatureGroup("divergence", FEATURES, _layout, _configure, _write, on_sample=_on_sample)
