"""The venues side by side: how far apart their prices are, and which market moves first."""

import numpy as np
import numpy.typing as npt

from indicators.kernel import State, kernel
from indicators.lead_lag import (
    A,
    B,
    advance_lead_lag,
    configure_lead_lag,
    lead_lag_dtype,
    read_lead_lag,
    take_price,
)
from indicators.price_dispersion import price_dispersion
from strategies.config import FlowSettings
from strategies.flow.markets import MAX_MARKETS, book_is_fresh, mid_price
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

FEATURES = (
    Feature(
        "dispersion_bps",
        "bps",
        Flip.SAME,
        "1 sample",
        (Input.PERP_BOOKS,),
        "highest minus lowest perp mid",
    ),
    Feature(
        "perp_lead",
        "-1..1",
        Flip.SAME,
        "lead span",
        (Input.PERP_TRADES,),
        "whether the lead perp moves before the second perp (above 0) or after it",
    ),
    Feature(
        "spot_lead",
        "-1..1",
        Flip.SAME,
        "lead span",
        (Input.PERP_TRADES, Input.SPOT_TRADES),
        "whether the first spot market moves before the lead (above 0) or after it",
    ),
)
DISPERSION, PERP_LEAD, SPOT_LEAD = range(3)
LAGS = 3  # steps
STALE_SECONDS = 10.0  # of a stream's silence
NEVER = 2**63 - 1


def _stale_steps(settings: FlowSettings) -> int:
    return max(1, round(STALE_SECONDS * 1_000 / settings.lead_step_ms))


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    pair = lead_lag_dtype(LAGS, _stale_steps(settings))
    return np.dtype(
        [
            ("perps", pair),  # A: the lead, B: the second perp
            ("spot_and_perp", pair),  # A: the first spot market, B: the lead
            ("end_ns", "i8"),  # of the step that both pairs fill; 0 while a print must be told at once
            ("noted", "i8", (MAX_MARKETS,)),  # 1 for a market whose last print the pairs have not been told
            ("noted_price", "f8", (MAX_MARKETS,)),
            ("noted_ns", "i8", (MAX_MARKETS,)),
            ("mids", "f8", (MAX_MARKETS,)),
            ("deviations", "f8", (MAX_MARKETS,)),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    step_ns = settings.lead_step_ms * 1_000_000
    span = max(2, round(settings.lead_span_seconds * 1_000 / settings.lead_step_ms))
    for name in ("perps", "spot_and_perp"):
        configure_lead_lag(state[name], step_ns, _stale_steps(settings), span)


@kernel
def _on_trade(state: State, number: int, price: float, base: float, taker_side: int, ts: int) -> None:
    # a grid keeps the last price of a step: while the grids run, prints are noted, and told when the step is over
    venues = state.venues
    if ts >= venues.end_ns:
        _tell_pairs(state, ts)
    venues.noted[number] = 1
    venues.noted_price[number] = price
    venues.noted_ns[number] = ts
    if venues.end_ns == 0:
        _tell_pairs(state, ts)


@kernel
def _tell_pairs(state: State, ts: int) -> None:
    """Tell the pairs what was noted, which is of the step being filled, then bring their grids to `ts`."""
    venues = state.venues
    venues.end_ns = NEVER
    if state.second_perp > 0:
        _tell(venues, venues.perps, 0, state.second_perp, ts)
    if state.first_spot > 0:
        _tell(venues, venues.spot_and_perp, state.first_spot, 0, ts)
    venues.noted[:] = 0


@kernel
def _tell(venues: State, pair: State, a: int, b: int, ts: int) -> None:
    if venues.noted[a] == 1:
        take_price(pair, venues.noted_ns[a], A, venues.noted_price[a])
    if venues.noted[b] == 1:
        take_price(pair, venues.noted_ns[b], B, venues.noted_price[b])
    advance_lead_lag(pair, ts)
    # what starts a grid, and what comes at that instant, can not wait
    venues.end_ns = min(venues.end_ns, pair.end_ns if ts > pair.start_ns else 0)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    venues = state.venues
    count = 0
    for number in range(state.count):
        if state.markets[number].is_perp == 1 and book_is_fresh(state, number, ts):
            venues.mids[count] = mid_price(state.markets[number])
            count += 1
    out[DISPERSION] = price_dispersion(venues.mids, count, venues.deviations)
    _tell_pairs(state, ts)
    out[PERP_LEAD] = read_lead_lag(venues.perps, ts)
    out[SPOT_LEAD] = read_lead_lag(venues.spot_and_perp, ts)


GROUP = FeatureGroup("venues", FEATURES, _layout, _configure, _write, on_trade=_on_trade)
