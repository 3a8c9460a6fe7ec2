"""Signed taker flow and volume over a sliding window of time.

Trades fall into buckets of `bucket_ns`; the window is the bucket being filled and the `buckets` - 1 before it, and a
bucket leaves it whole. Sums are taken from the buckets when they are read, oldest first, so there is nothing to drift.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole
from indicators.sides import taker_sign


def flow_window_dtype(buckets: int) -> np.dtype[np.void]:
    """Return the state's layout for a window of `buckets` buckets; each number is compiled on its own."""
    return np.dtype(
        [
            ("net_flow", "f8"),  # of the window, as of the last read; NaN until it is covered
            ("volume", "f8"),
            ("ratio", "f8"),
            ("bucket_ns", "i8"),
            ("first", "i8"),  # number of the bucket of the first trade, -1 before it
            ("newest", "i8"),  # number of the bucket being filled: ts // bucket_ns
            ("end_ns", "i8"),  # of the bucket being filled
            ("slot", "i8"),  # where that one lies
            ("flows", "f8", (whole("buckets", buckets),)),  # bucket b lies at b % buckets
            ("volumes", "f8", (buckets,)),
        ]
    )


def configure_flow_window(state: State, bucket_ns: int) -> None:
    """Prepare a fresh record for buckets of `bucket_ns` nanoseconds."""
    state["bucket_ns"] = whole("bucket_ns", bucket_ns)
    state["first"] = -1
    state["net_flow"] = math.nan
    state["volume"] = math.nan
    state["ratio"] = math.nan


@kernel
def advance_flow_window(state: State, ts: int) -> None:
    """Move the window so that `ts` (UNIX ns) lies in its newest bucket; a `ts` before that changes nothing."""
    if ts < state.end_ns or state.first < 0:
        return
    buckets = len(state.flows)
    bucket = ts // state.bucket_ns
    emptied = min(bucket - state.newest, buckets)
    for k in range(emptied):
        slot = (bucket - k) % buckets
        state.flows[slot] = 0.0
        state.volumes[slot] = 0.0
    _begin_bucket(state, bucket)


@kernel
def _begin_bucket(state: State, bucket: int) -> None:
    state.newest = bucket
    state.end_ns = (bucket + 1) * state.bucket_ns
    state.slot = bucket % len(state.flows)


@kernel
def update_flow_window(state: State, ts: int, size: float, taker_side: int) -> None:
    """Take a trade of `size` base units (finite, positive).

    A late trade counts in the bucket of its own time, and not at all when that has left the window.
    """
    if ts >= state.end_ns:
        if state.first < 0:
            state.first = ts // state.bucket_ns
            _begin_bucket(state, state.first)
        else:
            advance_flow_window(state, ts)
    slot = state.slot
    if ts < state.end_ns - state.bucket_ns:
        bucket = ts // state.bucket_ns
        if bucket <= state.newest - len(state.flows):
            return
        slot = bucket % len(state.flows)
    state.volumes[slot] += size
    state.flows[slot] += taker_sign(taker_side) * size


@kernel
def read_flow_window(state: State, ts: int) -> None:
    """Move the window to `ts` and sum it into ``net_flow``, ``volume`` and ``ratio``.

    All three are NaN until the window is covered, that is until the bucket of the first trade, which was seen only in
    part, has left it. The ratio, net flow over volume, is NaN where the volume is zero.
    """
    advance_flow_window(state, ts)
    buckets = len(state.flows)
    if state.first < 0 or state.newest - state.first < buckets:
        return
    net_flow, volume = _sum_newest(state, buckets)
    state.net_flow = net_flow
    state.volume = volume
    # rounding is monotonic, so the flow never comes out above the volume, which is summed in the same order
    state.ratio = net_flow / volume if volume > 0.0 else math.nan


@kernel
def recent_flow(state: State, buckets: int) -> tuple[float, float]:
    """Return net flow and volume of the newest `buckets` buckets alone, as of the last read.

    The same bits as a window of that length. NaN until it is covered, and for more buckets than there are.
    """
    if state.first < 0 or state.newest - state.first < buckets or buckets > len(state.flows):
        return math.nan, math.nan
    return _sum_newest(state, buckets)


@kernel
def _sum_newest(state: State, buckets: int) -> tuple[float, float]:
    """Return net flow and volume of the newest `buckets` buckets, of as many as there are at most, oldest first."""
    room = len(state.flows)
    slot = state.slot + 1 - buckets
    if slot < 0:
        slot += room
    net_flow = 0.0
    volume = 0.0
    for _ in range(buckets):
        net_flow += state.flows[slot]
        volume += state.volumes[slot]
        slot = slot + 1 if slot + 1 < room else 0
    return net_flow, volume


@kernel
def reset_flow_window(state: State) -> None:
    """Forget every trade, keep the bucket length: for the caller that lost the feed."""
    state.first = -1
    state.newest = 0
    state.end_ns = 0
    state.slot = 0
    state.net_flow = math.nan
    state.volume = math.nan
    state.ratio = math.nan
    for k in range(len(state.flows)):
        state.flows[k] = 0.0
        state.volumes[k] = 0.0


@kernel
def update_flow_window_single(states: States, ts: int, size: float, taker_side: int) -> None:
    update_flow_window(states[0], ts, size, taker_side)


@kernel
def read_flow_window_single(states: States, ts: int) -> float:
    state = states[0]
    read_flow_window(state, ts)
    ratio: float = state.ratio
    return ratio


@kernel
def update_flow_window_many(
    states: States, i: int, ts: Ints, sizes: Floats, taker_sides: Ints, at: Ints, out: Floats
) -> None:
    state = states[i]
    k = 0
    for n in range(len(at)):
        while k < len(ts) and ts[k] <= at[n]:
            update_flow_window(state, ts[k], sizes[k], taker_sides[k])
            k += 1
        read_flow_window(state, at[n])
        out[n, 0] = state.net_flow
        out[n, 1] = state.volume
        out[n, 2] = state.ratio
    while k < len(ts):
        update_flow_window(state, ts[k], sizes[k], taker_sides[k])
        k += 1


class FlowWindow:
    """Net taker flow, volume and their ratio over the last `buckets` x `bucket_ns` nanoseconds.

    `update` takes trades, `read` moves the window to a time and sums it; the properties show the last read.
    """

    def __init__(self, bucket_ns: int, buckets: int) -> None:
        self._states = new_states(flow_window_dtype(buckets))
        configure_flow_window(self._states[0], bucket_ns)
        self._update = entry(update_flow_window_single, self._states, 0, 0.0, 0)
        self._read = entry(read_flow_window_single, self._states, 0)

    @property
    def value(self) -> float:
        """The ratio of the last read, -1 to 1; NaN until initialised and where the volume is zero."""
        return float(self._states["ratio"][0])

    @property
    def net_flow(self) -> float:
        """Buyer-initiated minus seller-initiated volume of the last read; NaN until initialised."""
        return float(self._states["net_flow"][0])

    @property
    def volume(self) -> float:
        """All volume of the last read, that of unknown side included; NaN until initialised."""
        return float(self._states["volume"][0])

    @property
    def initialized(self) -> bool:
        """True once the window has been read while covered by data."""
        return not math.isnan(self.volume)

    def update(self, ts: int, size: float, taker_side: int) -> None:
        """Take a trade (UNIX ns; taker side 1 buyer, 2 seller, 0 unknown)."""
        self._update(self._states, ts, size, taker_side)

    def read(self, ts: int) -> float:
        """Return the ratio of the window whose newest bucket holds `ts` (UNIX ns)."""
        return self._read(self._states, ts)

    def update_many(
        self, ts: npt.ArrayLike, sizes: npt.ArrayLike, taker_sides: npt.ArrayLike, at: npt.ArrayLike
    ) -> Floats:
        """Take columns of trades and read at the ascending times `at`, each after the trades up to it.

        Returns an array of shape (len(at), 3): net flow, volume, ratio; the same bits as `update` and `read`.
        """
        times, size, side, reads = int_column(ts), float_column(sizes), int_column(taker_sides), int_column(at)
        same_length(ts=times, sizes=size, taker_sides=side)
        out = np.empty((len(reads), 3))
        update_flow_window_many(self._states, 0, times, size, side, reads, out)
        return out
