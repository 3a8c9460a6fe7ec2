"""Absorption and distribution: aggressive flow that does not move the price while positions are opened."""

import numpy as np
import numpy.typing as npt

from indicators.absorption import absorption_dtype, configure_absorption, update_absorption
from indicators.kernel import State, kernel
from strategies.config import FlowSettings
from strategies.flow.markets import SECOND_NS, is_scan, market_price, summed_cvd
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_INPUTS = (Input.LEAD_PRICE, Input.PERP_TRADES, Input.OPEN_INTEREST)
_WARM_UP = "3 windows"

FEATURES = (
    Feature(
        "absorption",
        "0..1",
        Flip.SWAP,
        _WARM_UP,
        _INPUTS,
        "takers sell, the price holds, open interest rises",
        partner="distribution",
    ),
    Feature(
        "distribution",
        "0..1",
        Flip.SWAP,
        _WARM_UP,
        _INPUTS,
        "takers buy, the price does not rise, open interest does",
        partner="absorption",
    ),
)
ABSORPTION, DISTRIBUTION = range(2)


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("score", absorption_dtype(settings.absorption_scans)),
            ("reporting", "i8"),  # perps with a known open interest at the last scan
            ("stale_ns", "i8"),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    configure_absorption(state["score"])
    state["stale_ns"] = round(settings.open_interest_stale_seconds * SECOND_NS)


@kernel
def _open_interest(state: State, ts: int) -> float:
    """The sum over the perps that report, base units; NaN where none does, and when another set does than before."""
    total = 0.0
    reporting = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.open_interest_ns > 0 and ts - market.open_interest_ns <= state.absorption.stale_ns:
            total += market.open_interest
            reporting += 1 << number
    same = reporting == state.absorption.reporting
    state.absorption.reporting = reporting
    interest: float = total if same and reporting > 0 else np.nan
    return interest


@kernel
def _perp_volume(state: State) -> float:
    volume = 0.0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 1:
            volume += market.cvd.volume
    return volume


@kernel
def _on_sample(state: State, ts: int) -> None:
    if is_scan(state, ts):
        price, cvd = market_price(state, 0, ts), summed_cvd(state, 1)
        update_absorption(state.absorption.score, price, cvd, _perp_volume(state), _open_interest(state, ts))


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    out[ABSORPTION] = state.absorption.score.absorption
    out[DISTRIBUTION] = state.absorption.score.distribution


GROUP = FeatureGroup("absorption", FEATURES, _layout, _configure, _write, on_sample=_on_sample)
