"""Volume surge: the volume of each time bucket scored against an exponentially weighted baseline of earlier ones.

A bucket without trades counts as zero volume, which is what it is while the market is live. After more than `max_empty`
empty buckets in a row the market counts as silent and the baseline is forgotten. The bucket in which a series starts is
seen only in part and is not used.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.ewma import EwmaState, configure_ewma, reset_ewma, update_ewma
from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import finite, float_column, int_column, same_length, whole

VolumeSurgeState = np.dtype(
    [
        ("baseline", EwmaState),
        ("zscore", "f8"),  # of the last completed bucket; NaN while the baseline is young
        ("flag", "i8"),  # 1 while zscore is above the threshold
        ("volume", "f8"),  # of the bucket being filled
        ("threshold", "f8"),
        ("bucket_ns", "i8"),
        ("end_ns", "i8"),  # of the bucket being filled; 0 before the first trade and after a silence
        ("partial", "i8"),  # 1 while the bucket being filled is the first of a series
        ("empty", "i8"),  # completed buckets without volume in a row
        ("max_empty", "i8"),
    ]
)


def configure_volume_surge(
    state: State, bucket_ns: int, span: int, threshold: float = 2.5, max_empty: int = 720
) -> None:
    """Prepare a fresh record: buckets of `bucket_ns`, a baseline of about `span` buckets, a flag above `threshold`."""
    state["bucket_ns"] = whole("bucket_ns", bucket_ns)
    state["max_empty"] = whole("max_empty", max_empty)
    state["threshold"] = finite("threshold", threshold)
    state["zscore"] = math.nan
    configure_ewma(state["baseline"], span)


@kernel
def reset_volume_surge(state: State) -> None:
    """Forget the baseline and the current bucket, keep the parameters: for the caller that lost the feed."""
    reset_ewma(state.baseline)
    state.zscore = math.nan
    state.flag = 0
    state.volume = 0.0
    state.end_ns = 0
    state.empty = 0


@kernel
def advance_volume_surge(state: State, ts: int) -> int:
    """Complete the buckets that end at or before `ts` (UNIX ns) and return how many."""
    if ts < state.end_ns or state.end_ns == 0:
        return 0
    completed = 0
    while ts >= state.end_ns:
        if state.partial == 1:
            state.partial = 0
        else:
            state.zscore = update_ewma(state.baseline, state.volume)
            state.flag = 1 if state.zscore > state.threshold else 0
        completed += 1
        state.empty = 0 if state.volume > 0.0 else state.empty + 1
        state.volume = 0.0
        state.end_ns += state.bucket_ns
        if state.empty > state.max_empty:
            reset_volume_surge(state)
            return completed
    return completed


@kernel
def update_volume_surge(state: State, ts: int, size: float) -> int:
    """Complete the buckets that end at or before `ts`, add the trade, return how many buckets were completed.

    A trade older than the bucket being filled (a late print) counts in the current one.
    """
    completed = advance_volume_surge(state, ts)
    if state.end_ns == 0:
        state.end_ns = ts - ts % state.bucket_ns + state.bucket_ns
        state.partial = 1
    state.volume += size
    return completed


@kernel
def update_volume_surge_single(states: States, ts: int, size: float) -> float:
    state = states[0]
    update_volume_surge(state, ts, size)
    value: float = state.zscore
    return value


@kernel
def advance_volume_surge_single(states: States, ts: int) -> float:
    state = states[0]
    advance_volume_surge(state, ts)
    value: float = state.zscore
    return value


@kernel
def update_volume_surge_many(states: States, i: int, ts: Ints, sizes: Floats, out: Floats) -> None:
    state = states[i]
    for k in range(len(ts)):
        update_volume_surge(state, ts[k], sizes[k])
        out[k] = state.zscore


class VolumeSurge:
    """Score of the last completed bucket's volume, and a flag while it is above `threshold`.

    Times are UNIX ns. `span` is the length of the baseline in buckets, see :mod:`indicators.ewma`.
    """

    def __init__(self, bucket_ns: int, span: int, threshold: float = 2.5, max_empty: int = 720) -> None:
        self._states = new_states(VolumeSurgeState)
        configure_volume_surge(self._states[0], bucket_ns, span, threshold, max_empty)
        self._update = entry(update_volume_surge_single, self._states, 0, 0.0)
        self._advance = entry(advance_volume_surge_single, self._states, 0)

    @property
    def value(self) -> float:
        """The z-score of the last completed bucket's volume, NaN until initialised."""
        return float(self._states["zscore"][0])

    @property
    def flag(self) -> bool:
        """True while the last completed bucket's score is above the threshold."""
        return bool(self._states["flag"][0])

    @property
    def initialized(self) -> bool:
        """True once `span` whole buckets have entered the baseline, so that the next one is scored."""
        return bool(self._states["baseline"]["count"][0] == self._states["baseline"]["span"][0])

    def update(self, ts: int, size: float) -> float:
        """Take a trade and return the score of the last bucket completed by then."""
        return self._update(self._states, ts, size)

    def advance(self, ts: int) -> float:
        """Complete the buckets that end at or before `ts` and return the score of the last one."""
        return self._advance(self._states, ts)

    def update_many(self, ts: npt.ArrayLike, sizes: npt.ArrayLike) -> Floats:
        """Take columns of trades, return the score after each: the same bits as `update` one by one."""
        times, size = int_column(ts), float_column(sizes)
        out = np.empty(same_length(ts=times, sizes=size))
        update_volume_surge_many(self._states, 0, times, size, out)
        return out
