"""What holding costs and who pays: basis, mark premium, funding, open interest."""

import numpy as np
import numpy.typing as npt

from indicators.funding_pressure import EIGHT_HOURS_NS, funding_pressure
from indicators.kernel import State, kernel
from indicators.rolling_moments import (
    configure_rolling_moments,
    reset_rolling_moments,
    rolling_moments_dtype,
    rolling_zscore,
    update_rolling_moments,
)
from indicators.trailing_change import (
    configure_trailing_change,
    fresh_trailing_value,
    read_trailing_change,
    trailing_change_dtype,
    update_trailing_change,
)
from strategies.config import FlowSettings
from strategies.flow.markets import BPS, MAX_MARKETS, SECOND_NS, SLOW_NS, book_is_fresh, market_price, mid_price
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_BASIS = (Input.LEAD_PRICE, Input.SPOT_BOOKS)
_INTEREST = (Input.OPEN_INTEREST,)

FEATURES = (
    Feature("basis_bps", "bps", Flip.NEGATE, "1 sample", _BASIS, "lead perp over the mean spot mid"),
    Feature("basis_z", "sd", Flip.NEGATE, "basis window", _BASIS, "z-score of the basis over the last samples"),
    Feature("mark_premium_bps", "bps", Flip.NEGATE, "1 mark", (Input.MARK, Input.LEAD_PRICE), "mark over price, lead"),
    Feature("funding_rate", "fraction", Flip.NEGATE, "1 update", (Input.FUNDING,), "of the lead perp, per interval"),
    Feature("time_to_funding_s", "s", Flip.SAME, "1 update", (Input.FUNDING,), "to the lead perp's next settlement"),
    Feature(
        "funding_pressure_bps",
        "bps",
        Flip.NEGATE,
        "1 update",
        (Input.FUNDING,),
        "what falls due at the next settlement, weighted up as it nears (time constant 2 h); above 0 longs pay",
    ),
    Feature(
        "open_interest", "base units", Flip.SAME, "1 update", _INTEREST, "sum over the perps that report it", False
    ),
    Feature(
        "oi_change_5m",
        "fraction",
        Flip.SAME,
        "5 min",
        _INTEREST,
        "change of open interest, perps known then and now; in slots of a minute, so over 5 to 6",
    ),
    Feature("oi_change_15m", "fraction", Flip.SAME, "15 min", _INTEREST, "the same over 15 minutes"),
    Feature("oi_change_1h", "fraction", Flip.SAME, "1 h", _INTEREST, "the same over an hour"),
)
BASIS, BASIS_Z, PREMIUM, FUNDING, TO_FUNDING, PRESSURE, INTEREST, CHANGE = range(8)
HORIZONS_NS = (300 * SECOND_NS, 900 * SECOND_NS, 3600 * SECOND_NS)
PRESSURE_TAU_NS = 7200 * SECOND_NS
SLOT_NS = 60 * SECOND_NS  # venues report it by the minute at best


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("basis", "f8"),  # bps, of the last sample; NaN where an input was missing
            ("basis_history", rolling_moments_dtype(settings.basis_window)),
            ("interest", trailing_change_dtype(HORIZONS_NS[-1] // SLOT_NS), (MAX_MARKETS,)),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    state["basis"] = np.nan
    configure_rolling_moments(state["basis_history"])
    for market in state["interest"]:
        configure_trailing_change(market, SLOT_NS, round(settings.open_interest_stale_seconds * SECOND_NS))


@kernel
def _basis_bps(state: State, ts: int) -> float:
    price = market_price(state, 0, ts)
    spot_mid = 0.0
    spots = 0
    for number in range(state.count):
        if state.markets[number].is_perp == 0 and book_is_fresh(state, number, ts):
            spot_mid += mid_price(state.markets[number])
            spots += 1
    if state.markets[0].is_perp == 0 or spots == 0:
        return float(np.nan)
    spot_mid /= spots
    basis: float = (price - spot_mid) / spot_mid * BPS
    return basis


@kernel
def _on_sample(state: State, ts: int) -> None:
    carry = state.carry
    carry.basis = _basis_bps(state, ts)
    if carry.basis == carry.basis:
        update_rolling_moments(carry.basis_history, carry.basis)
    else:
        reset_rolling_moments(carry.basis_history)


@kernel
def _on_open_interest(state: State, number: int, ts: int) -> None:
    update_trailing_change(state.carry.interest[number], ts, state.markets[number].open_interest)


@kernel
def _interest_change(state: State, ts: int, horizon_ns: int) -> float:
    """Relative change over the horizon, of the perps whose open interest is known at both ends."""
    now = 0.0
    before = 0.0
    for number in range(state.count):
        ring = state.carry.interest[number]
        newest = fresh_trailing_value(ring, ts)
        oldest = read_trailing_change(ring, ts, horizon_ns)
        if newest == newest and oldest == oldest:
            now += newest
            before += oldest
    change: float = now / before - 1.0 if before > 0.0 else np.nan
    return change


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    interest = 0.0
    reporting = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 1 and market.open_interest_ns > 0 and ts - market.open_interest_ns <= SLOW_NS:
            interest += market.open_interest
            reporting += 1
    if reporting > 0:
        out[INTEREST] = interest
    for k in range(len(HORIZONS_NS)):
        out[CHANGE + k] = _interest_change(state, ts, HORIZONS_NS[k])
    lead = state.markets[0]
    if lead.is_perp == 0:
        return
    price = state.lead_price.price
    out[BASIS] = _basis_bps(state, ts)
    if out[BASIS] == out[BASIS]:
        out[BASIS_Z] = rolling_zscore(state.carry.basis_history)
    if lead.mark_ns > 0 and ts - lead.mark_ns <= state.stale_ns:
        out[PREMIUM] = (lead.mark - price) / price * BPS
    if lead.funding_ns > 0 and ts - lead.funding_ns <= SLOW_NS:
        out[FUNDING] = lead.funding_rate
        if lead.next_funding_ns > ts:
            out[TO_FUNDING] = (lead.next_funding_ns - ts) / SECOND_NS
            # an interval of eight hours leaves the rate as it is: what falls due, whatever it was earned over
            out[PRESSURE] = funding_pressure(
                lead.funding_rate, EIGHT_HOURS_NS, lead.next_funding_ns, ts, PRESSURE_TAU_NS
            )


GROUP = FeatureGroup(
    "carry", FEATURES, _layout, _configure, _write, on_sample=_on_sample, on_open_interest=_on_open_interest
)
