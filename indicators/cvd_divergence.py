"""Regular divergence of price and CVD: a new extreme of price that the flow of market orders does not confirm.

Price and CVD are sampled on one clock, and the CVD is smoothed by an EMA of `smoothing` samples. Each reading sees the
last `window` samples alone:

- Peaks are those of ``scipy.signal.find_peaks`` (see :mod:`indicators.peaks`): at least `distance` samples apart, and
  at least `prominence` standard deviations (population, of that series in that window) prominent. Troughs are the peaks
  of the negated series.
- A peak counts once `confirm` samples have followed the last sample of its top: a divergence is never seen earlier than
  that, and nothing later than the reading enters it. Peaks are found anew each time. So a higher peak, though it does
  not count yet, already removes a lower one nearer than `distance`, and a peak may also lose its prominence when the
  samples before it leave. Earlier readings are never revised.
- The last two counted price peaks are each matched to the nearest counted CVD peak within `match` samples, of two
  equally near the later (smoothing delays the CVD). Both must have one; the same for both is no lower than itself.
- Bearish: the later price peak is higher and its CVD peak lower than the earlier one's. Bullish: the later price trough
  is lower and its CVD trough higher. Equal is neither.
- It is void once a sample after the later price peak lies beyond it by more than the prominence asked of peaks. Less is
  noise by the same measure that makes a peak; more is a new extreme, which has to be judged when it has turned. It also
  ends with the next counted price peak, and when one of the four peaks leaves the window.
- The strength is the geometric mean of the two differences, each in standard deviations of its series: no units.

Only differences enter: neither where the CVD's sum was begun matters, nor the price's level, nor the unit of either.
Mirroring both series swaps bullish and bearish.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from indicators.ema import EmaState, configure_ema, reset_ema, update_ema
from indicators.kernel import Floats, Ints, State, States, bound_entry, kernel, new_states
from indicators.parameters import finite, float_column, same_length, whole, window_of
from indicators.peaks import find_peaks, peaks_dtype


def cvd_divergence_dtype(window: int) -> np.dtype[np.void]:
    """Return the state's layout for the last `window` samples; each length is compiled on its own."""
    column = ("f8", (whole("window", window, minimum=5),))
    return np.dtype(
        [
            ("bullish", "f8"),  # strength at the last reading: 0 where there is none, NaN until the window is full
            ("bearish", "f8"),
            ("bullish_age", "f8"),  # samples since the later price trough, NaN where there is none
            ("bearish_age", "f8"),
            ("distance", "i8"),
            ("prominence", "f8"),
            ("confirm", "i8"),
            ("match", "i8"),
            ("reference", "f8"),  # the CVD of the first sample: all others are held as distances from it
            ("smoothed", EmaState),
            ("head", "i8"),  # where the next sample goes, which is the oldest when full
            ("count", "i8"),
            ("price_ring", *column),
            ("cvd_ring", *column),
            ("price", *column),  # the window in order of time, while it is read
            ("cvd", *column),
            ("price_peaks", peaks_dtype(window)),
            ("cvd_peaks", peaks_dtype(window)),
        ]
    )


def configure_cvd_divergence(
    state: State, smoothing: int = 6, distance: int = 12, prominence: float = 0.5, confirm: int = 6, match: int = 6
) -> None:
    """Prepare a fresh record. All but `prominence`, in standard deviations, are counted in samples.

    Raises:
        ValueError: a parameter is out of its range, or the window can not hold two counted peaks.
    """
    if finite("prominence", prominence) < 0.0:
        raise ValueError(f"prominence is {prominence!r}: give a number of at least 0")
    window = window_of(state.dtype, "price_ring")
    # the first sample is no peak, and two peaks have a lower sample between them
    shortest = 2 + max(2, whole("distance", distance)) + whole("confirm", confirm)
    if window < shortest:
        raise ValueError(f"window is {window}: two peaks at this distance and confirmation need {shortest} samples")
    configure_ema(state["smoothed"], whole("smoothing", smoothing))
    state["distance"] = distance
    state["prominence"] = prominence
    state["confirm"] = confirm
    state["match"] = whole("match", match, minimum=0)
    for name in ("bullish", "bearish", "bullish_age", "bearish_age"):
        state[name] = math.nan


@kernel
def update_cvd_divergence(state: State, price: float, cvd: float) -> None:
    """Take a sample: a price and the CVD at that time, base units from any level. The values change on reading only.

    A sample of which either is NaN or infinite is missing: the window and the smoothing start again after it.
    """
    if not (math.isfinite(price) and math.isfinite(cvd)):
        reset_ema(state.smoothed)
        state.count = 0  # the ring is filled anew from wherever its head is
        return
    if state.smoothed.count == 0:
        state.reference = cvd
    smoothed = update_ema(state.smoothed, cvd - state.reference)
    if math.isnan(smoothed):
        return
    window = len(state.price_ring)
    state.price_ring[state.head] = price
    state.cvd_ring[state.head] = smoothed
    state.head += 1
    if state.head == window:
        state.head = 0
    if state.count < window:
        state.count += 1


@kernel
def read_cvd_divergence(state: State) -> None:
    """Set the record's values by the window as it is now; O(n log n) at worst in its length."""
    price = state.price
    cvd = state.cvd
    if state.count < len(price):
        state.bullish = state.bearish = math.nan
        state.bullish_age = state.bearish_age = math.nan
        return
    _in_order_of_time(state.price_ring, state.head, price)
    _in_order_of_time(state.cvd_ring, state.head, cvd)
    price_deviation = _deviation(price)
    cvd_deviation = _deviation(cvd)
    state.bearish, state.bearish_age = _diverge_at_peaks(state, price_deviation, cvd_deviation)
    for k in range(len(price)):
        price[k] = -price[k]
        cvd[k] = -cvd[k]
    state.bullish, state.bullish_age = _diverge_at_peaks(state, price_deviation, cvd_deviation)


@kernel
def _in_order_of_time(ring: Floats, head: int, out: Floats) -> None:
    older = len(ring) - head
    for k in range(older):
        out[k] = ring[head + k]
    for k in range(head):
        out[older + k] = ring[k]


@kernel
def _deviation(values: Floats) -> float:
    """Return the population standard deviation; of the values' distances from the first, so exact 0 where all equal."""
    start = values[0]
    total = 0.0
    for k in range(len(values)):
        total += values[k] - start
    shift = total / len(values)
    squares = 0.0
    for k in range(len(values)):
        distance = values[k] - start - shift
        squares += distance * distance
    return math.sqrt(squares / len(values))


@kernel
def _diverge_at_peaks(state: State, price_deviation: float, cvd_deviation: float) -> tuple[float, float]:
    """Return the strength and age of a bearish divergence of the window as laid out, or 0 and NaN."""
    price = state.price
    cvd = state.cvd
    none = (0.0, math.nan)
    threshold = state.prominence * price_deviation
    number = find_peaks(state.price_peaks, price, state.distance, threshold)
    number = _count_confirmed(state.price_peaks.found, number, price, state.confirm)
    if number < 2:
        return none
    earlier = state.price_peaks.found[number - 2]
    later = state.price_peaks.found[number - 1]
    rise = price[later] - price[earlier]
    if not rise > 0.0:
        return none
    for k in range(later + 1, len(price)):
        if price[k] - price[later] > threshold:
            return none
    number = find_peaks(state.cvd_peaks, cvd, state.distance, state.prominence * cvd_deviation)
    number = _count_confirmed(state.cvd_peaks.found, number, cvd, state.confirm)
    first = _match(state.cvd_peaks.found, number, earlier, state.match)
    second = _match(state.cvd_peaks.found, number, later, state.match)
    if first < 0 or second < 0:
        return none
    fall = cvd[first] - cvd[second]
    if not fall > 0.0:
        return none
    return math.sqrt((rise / price_deviation) * (fall / cvd_deviation)), float(len(price) - 1 - later)


@kernel
def _count_confirmed(found: Ints, number: int, values: Floats, confirm: int) -> int:
    """Return how many peaks, from the first on, have a top whose last sample is `confirm` samples old."""
    while number > 0:
        last = found[number - 1]
        while values[last + 1] == values[last]:
            last += 1
        if len(values) - 1 - last >= confirm:
            break
        number -= 1
    return number


@kernel
def _match(found: Ints, number: int, position: int, most: int) -> int:
    """Return the peak nearest to `position` and at most `most` away, of equally near ones the later; -1 for none."""
    nearest = -1
    for j in range(number):
        away = abs(found[j] - position)
        if away <= most:
            nearest = found[j]
            most = away
    return nearest


@kernel
def update_cvd_divergence_single(states: States, price: float, cvd: float) -> float:
    state = states[0]
    update_cvd_divergence(state, price, cvd)
    read_cvd_divergence(state)
    value: float = state.bullish - state.bearish
    return value


@kernel
def update_cvd_divergence_many(
    states: States, i: int, prices: Floats, cvds: Floats, values: Floats, bullish: Floats, bearish: Floats
) -> None:
    state = states[i]
    for k in range(len(prices)):
        update_cvd_divergence(state, prices[k], cvds[k])
        read_cvd_divergence(state)
        values[k] = state.bullish - state.bearish
        bullish[k] = state.bullish
        bearish[k] = state.bearish


class CvdDivergence:
    """Bullish and bearish divergence of price and smoothed CVD over the last `window` samples, read at each sample."""

    def __init__(
        self,
        window: int = 180,
        smoothing: int = 6,
        distance: int = 12,
        prominence: float = 0.5,
        confirm: int = 6,
        match: int = 6,
    ) -> None:
        self._states = new_states(cvd_divergence_dtype(window))
        configure_cvd_divergence(self._states[0], smoothing, distance, prominence, confirm, match)
        self.update: Callable[[float, float], float] = bound_entry(update_cvd_divergence_single, self._states, 0.0, 0.0)
        """Take a price and the CVD at that time, base units from any level; return the new `value`."""

    @property
    def value(self) -> float:
        """Bullish less bearish strength, NaN until initialised."""
        return self.bullish - self.bearish

    @property
    def bullish(self) -> float:
        """Strength of the bullish divergence, 0 where there is none, NaN until initialised."""
        return float(self._states["bullish"][0])

    @property
    def bearish(self) -> float:
        """Strength of the bearish divergence, 0 where there is none, NaN until initialised."""
        return float(self._states["bearish"][0])

    @property
    def bullish_age(self) -> float:
        """Samples since the later trough of the price, NaN where there is no bullish divergence."""
        return float(self._states["bullish_age"][0])

    @property
    def bearish_age(self) -> float:
        """Samples since the later peak of the price, NaN where there is no bearish divergence."""
        return float(self._states["bearish_age"][0])

    @property
    def initialized(self) -> bool:
        """True once the window is full: after `smoothing` - 1 + `window` samples without a missing one."""
        return bool(self._states["count"][0] == window_of(self._states.dtype, "price_ring"))

    def update_many(self, prices: npt.ArrayLike, cvds: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Take columns of samples, return value, bullish and bearish after each: the same bits as one by one."""
        price, cvd = float_column(prices), float_column(cvds)
        out = np.empty((3, same_length(prices=price, cvds=cvd)))
        update_cvd_divergence_many(self._states, 0, price, cvd, out[0], out[1], out[2])
        return out[0], out[1], out[2]
