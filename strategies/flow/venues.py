"""The venues side by side: how far apart their prices are, and which market moves first."""

import numpy as np
import numpy.typing as npt

from indicators.kernel import State, kernel
from indicators.lead_lag import A, B, configure_lead_lag, lead_lag_dtype, read_lead_lag, update_lead_lag
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


def _stale_steps(settings: FlowSettings) -> int:
    return max(1, round(STALE_SECONDS * 1_000 / settings.lead_step_ms))


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    pair = lead_lag_dtype(LAGS, _stale_steps(settings))
    return np.dtype(
        [
            ("perps", pair),  # A: the lead, B: the second perp
            ("spot_and_perp", pair),  # A: the first spot market, B: the lead
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
    if number == 0:
        if state.second_perp > 0:
            update_lead_lag(state.venues.perps, ts, A, price)
        if state.first_spot > 0:
            update_lead_lag(state.venues.spot_and_perp, ts, B, price)
    elif number == state.second_perp:
        update_lead_lag(state.venues.perps, ts, B, price)
    elif number == state.first_spot:
        update_lead_lag(state.venues.spot_and_perp, ts, A, price)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    venues = state.venues
    count = 0
    for number in range(state.count):
        if state.markets[number].is_perp == 1 and book_is_fresh(state, number, ts):
            venues.mids[count] = mid_price(state.markets[number])
            count += 1
    out[DISPERSION] = price_dispersion(venues.mids, count, venues.deviations)
    out[PERP_LEAD] = read_lead_lag(venues.perps, ts)
    out[SPOT_LEAD] = read_lead_lag(venues.spot_and_perp, ts)


GROUP = FeatureGroup("venues", FEATURES, _layout, _configure, _write, on_trade=_on_trade)
