"""Absorption and distribution: aggressive flow that does not move the price while positions are opened.

Absorption: takers sell, the price does not give way, open interest rises: somebody buys all that is sold. Distribution
is its mirror: takers buy, the price does not rise, open interest rises. Each score is the geometric mean of four parts
in [0, 1], over the last n intervals between samples, here for absorption:

- flow: -net flow / volume, 0 when takers bought.
- held: 1 + log price change / expected drop, clipped to [0, 1]: 0 when the price fell as far as such flow usually takes
  it, 1 when it did not fall. The expected drop is -kappa x net flow, where kappa, the price impact (Kyle, Continuous
  auctions and insider trading, Econometrica 53, 1985), is the slope of a running regression of the log price change on
  the net flow over windows of the same length that ended before this one began (impact differs by horizon, hence the
  same length). It is never taken as less than a quarter of the typical price change over the typical flow, both
  without their signs: one absorption among those windows is enough to flatten the slope, and would hide the next.
- floor: 1 - (low of the first half - low of the second half) / expected drop, clipped to [0, 1], of log prices: 1 when
  no new low is made.
- opened: rise / (rise + typical change) of open interest, where the typical change is the running mean of its absolute
  change over earlier windows: 0 when it fell, 1/2 for a typical rise.

So a score is 0 as soon as one part is. At most one of the two scores is above 0. Neither depends on the unit of size or
price.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, entry, kernel, new_states
from indicators.parameters import float_column, same_length, whole, window_of

LEAST_IMPACT = 0.25
"""Of the typical price change over the typical flow: that ratio times their correlation would be the slope."""


def _rolling_low_dtype(window: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("first", "i8"),  # where the candidates begin; they ascend from there, and the first is the low
            ("kept", "i8"),
            ("candidates", "f8", (window,)),
            ("numbers", "i8", (window,)),  # of the candidates' samples
            ("earlier", "f8", (window,)),  # the low after sample number k lies at k % window
        ]
    )


def absorption_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for windows of `window` intervals (even); each length is compiled on its own."""
    if whole("window", window, minimum=2) % 2:
        raise ValueError(f"window is {window}, which has no halves: give an even number")
    low = _rolling_low_dtype(window // 2)
    return np.dtype(
        [
            ("absorption", "f8"),  # NaN until the baseline is known and while an input is missing
            ("distribution", "f8"),
            ("kappa", "f8"),  # log price change per base unit of net flow; NaN until the baseline is known
            ("samples", "i8"),  # since the last one that missed something
            ("log_prices", "f8", (2 * window,)),  # sample number k lies at k % (2 window)
            ("cvds", "f8", (2 * window,)),
            ("volumes", "f8", (2 * window,)),
            ("open_interests", "f8", (2 * window,)),
            ("low", low),
            ("low_of_mirror", low),
            ("alpha", "f8"),  # of the baselines, weighted as in indicators.ewma
            ("min_count", "i8"),
            ("pairs", "i8"),
            ("flow_average", "f8"),
            ("change_average", "f8"),
            ("flow_variance", "f8"),
            ("covariance", "f8"),
            ("typical_flow", "f8"),  # without its sign
            ("typical_price_change", "f8"),  # log, without its sign
            ("open_interest_changes", "i8"),
            ("typical_change", "f8"),  # of open interest over a window, without its sign
        ]
    )


def configure_absorption(state: State, span: int = 1440, min_count: int | None = None) -> None:
    """Prepare a fresh record: baselines of about `span` windows, used from `min_count` on (default: the window)."""
    state["alpha"] = 2.0 / (whole("span", span, minimum=2) + 1)
    state["min_count"] = window_of(state.dtype, "cvds") // 2 if min_count is None else whole("min_count", min_count, 2)
    state["absorption"] = math.nan
    state["distribution"] = math.nan
    state["kappa"] = math.nan


@kernel
def update_absorption(state: State, price: float, cvd: float, volume: float, open_interest: float) -> float:
    """Take a sample and return the absorption; the distribution is in the state.

    `price` is quote per base; `cvd` and `volume` are cumulative, base units; `open_interest` is in base units or
    contracts. NaN where missing: without open interest there is no score, and without one of the others the window
    starts anew. Samples must be evenly spaced.
    """
    return update_absorption_at_log(state, math.log(price) if price > 0.0 else math.nan, cvd, volume, open_interest)


@kernel
def update_absorption_at_log(state: State, log_price: float, cvd: float, volume: float, open_interest: float) -> float:
    """Do the same for a price given by its natural logarithm."""
    state.absorption = math.nan
    state.distribution = math.nan
    if math.isnan(log_price + cvd + volume):
        state.samples = 0
        state.low.kept = 0
        state.low_of_mirror.kept = 0
        return math.nan
    room = len(state.cvds)
    window = room // 2
    newest = state.samples % room
    middle = (state.samples + window) % room
    if state.samples >= room:
        # the slot of the sample to come holds the one from two windows ago
        _take_flow(state, state.cvds[middle] - state.cvds[newest], state.log_prices[middle] - state.log_prices[newest])
        _take_open_interest(state, state.open_interests[middle] - state.open_interests[newest])
    state.log_prices[newest] = log_price
    state.cvds[newest] = cvd
    state.volumes[newest] = volume
    state.open_interests[newest] = open_interest
    lower = _fall_of_low(state.low, state.samples, log_price)
    higher = _fall_of_low(state.low_of_mirror, state.samples, -log_price)
    state.samples += 1
    rise = open_interest - state.open_interests[middle]
    if state.pairs >= state.min_count and state.flow_variance > 0.0:
        least = LEAST_IMPACT * state.typical_price_change / state.typical_flow
        state.kappa = max(state.covariance / state.flow_variance, least)
        known = state.open_interest_changes >= state.min_count and not math.isnan(rise)
        if state.samples > window and known:
            opened = rise / (rise + state.typical_change) if rise > 0.0 else 0.0
            flow = cvd - state.cvds[middle]
            change = log_price - state.log_prices[middle]
            traded = volume - state.volumes[middle]
            state.absorption = _score(state.kappa, flow, traded, change, lower, opened)
            state.distribution = _score(state.kappa, -flow, traded, -change, higher, opened)
    absorption: float = state.absorption
    return absorption


@kernel
def _take_flow(state: State, flow: float, change: float) -> None:
    state.pairs += 1
    weight = max(state.alpha, 1.0 / state.pairs)
    flow_distance = flow - state.flow_average
    change_distance = change - state.change_average
    step = weight * flow_distance
    state.flow_average += step
    state.change_average += weight * change_distance
    state.flow_variance = (1.0 - weight) * (state.flow_variance + step * flow_distance)
    state.covariance = (1.0 - weight) * (state.covariance + step * change_distance)
    state.typical_flow += weight * (abs(flow) - state.typical_flow)
    state.typical_price_change += weight * (abs(change) - state.typical_price_change)


@kernel
def _take_open_interest(state: State, change: float) -> None:
    if math.isnan(change):
        return
    state.open_interest_changes += 1
    weight = max(state.alpha, 1.0 / state.open_interest_changes)
    state.typical_change += weight * (abs(change) - state.typical_change)


@kernel
def _fall_of_low(low: State, number: int, x: float) -> float:
    """Take sample `number` and return how far the low of the last half window lies below that of the half before."""
    candidates = low.candidates
    window = len(candidates)
    if low.kept > 0 and low.numbers[low.first] <= number - window:
        low.first = (low.first + 1) % window
        low.kept -= 1
    while low.kept > 0 and candidates[(low.first + low.kept - 1) % window] >= x:
        low.kept -= 1
    at = (low.first + low.kept) % window
    candidates[at] = x
    low.numbers[at] = number
    low.kept += 1
    lowest = candidates[low.first]
    fall: float = low.earlier[number % window] - lowest
    low.earlier[number % window] = lowest
    return fall


@kernel
def _score(kappa: float, flow: float, traded: float, change: float, fall_of_low: float, opened: float) -> float:
    expected_drop = -kappa * flow
    if not (flow < 0.0 and expected_drop > 0.0 and traded > 0.0):
        return 0.0
    selling = min(1.0, -flow / traded)
    held = max(0.0, min(1.0, 1.0 + change / expected_drop))
    floor = max(0.0, min(1.0, 1.0 - fall_of_low / expected_drop))
    return math.sqrt(math.sqrt(selling * held * floor * opened))


@kernel
def update_absorption_single(states: States, price: float, cvd: float, volume: float, open_interest: float) -> float:
    return update_absorption(states[0], price, cvd, volume, open_interest)


@kernel
def update_absorption_many(
    states: States,
    i: int,
    prices: Floats,
    cvds: Floats,
    volumes: Floats,
    open_interests: Floats,
    absorptions: Floats,
    distributions: Floats,
) -> None:
    state = states[i]
    for k in range(len(prices)):
        absorptions[k] = update_absorption(state, prices[k], cvds[k], volumes[k], open_interests[k])
        distributions[k] = state.distribution


class Absorption:
    """Absorption and distribution over the last `window` intervals between samples (default: 60 of 5 s, 5 minutes).

    What flow usually does is learnt from about `span` windows, one a sample, and used once `min_count` of them have
    ended before the present one began (default: as many as the window has intervals).
    """

    def __init__(self, window: int = 60, span: int = 1440, min_count: int | None = None) -> None:
        self._states = new_states(absorption_dtype(window))
        configure_absorption(self._states[0], span, min_count)
        self._update = entry(update_absorption_single, self._states, 0.0, 0.0, 0.0, 0.0)

    @property
    def value(self) -> float:
        """The absorption, 0 to 1; NaN until initialised and where open interest is missing."""
        return float(self._states["absorption"][0])

    @property
    def distribution(self) -> float:
        """The distribution, 0 to 1; NaN as the absorption."""
        return float(self._states["distribution"][0])

    @property
    def kappa(self) -> float:
        """Usual log price change per base unit of net flow over a window; NaN until `min_count` windows were seen."""
        return float(self._states["kappa"][0])

    @property
    def initialized(self) -> bool:
        """True once what flow usually does is known and the window is covered."""
        state = self._states[0]
        covered = state["samples"] > window_of(self._states.dtype, "cvds") // 2
        return bool(covered and not math.isnan(self.kappa) and state["open_interest_changes"] >= state["min_count"])

    def update(self, price: float, cvd: float, volume: float, open_interest: float) -> float:
        """Take a sample (quote per base; cumulative base units; base units or contracts) and return the absorption."""
        return self._update(self._states, price, cvd, volume, open_interest)

    def update_many(
        self, prices: npt.ArrayLike, cvds: npt.ArrayLike, volumes: npt.ArrayLike, open_interests: npt.ArrayLike
    ) -> tuple[Floats, Floats]:
        """Take columns of samples, return absorption and distribution after each: the same bits as one by one."""
        price, cvd, volume = float_column(prices), float_column(cvds), float_column(volumes)
        interest = float_column(open_interests)
        out = np.empty((2, same_length(prices=price, cvds=cvd, volumes=volume, open_interests=interest)))
        update_absorption_many(self._states, 0, price, cvd, volume, interest, out[0], out[1])
        return out[0], out[1]
