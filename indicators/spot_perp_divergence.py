"""Spot against perp taker flow: who leads.

The divergence is the spot market's flow ratio minus the perp market's over the same window, in [-2, 2]: +2 when spot
only buys while perps only sell, 0 when both lean alike. It is NaN while either ratio is (see
:mod:`indicators.flow_window`): a market without volume leans nowhere, which is not the same as 0.
"""

import numpy as np

from indicators.flow_window import configure_flow_window, flow_window_dtype, read_flow_window, update_flow_window
from indicators.kernel import State, States, entry, kernel, new_states


def spot_perp_divergence_dtype(buckets: int) -> np.dtype[np.void]:
    """Return the state's layout: one flow window each for spot and perp, of `buckets` buckets."""
    window = flow_window_dtype(buckets)
    return np.dtype([("spot", window), ("perp", window)])


def configure_spot_perp_divergence(state: State, bucket_ns: int) -> None:
    """Prepare a fresh record for buckets of `bucket_ns` nanoseconds."""
    configure_flow_window(state["spot"], bucket_ns)
    configure_flow_window(state["perp"], bucket_ns)


@kernel
def read_spot_perp_divergence(state: State, ts: int) -> float:
    """Move both windows to `ts` (UNIX ns) and return the divergence."""
    read_flow_window(state.spot, ts)
    read_flow_window(state.perp, ts)
    divergence: float = state.spot.ratio - state.perp.ratio
    return divergence


@kernel
def update_spot_single(states: States, ts: int, size: float, taker_side: int) -> None:
    update_flow_window(states[0].spot, ts, size, taker_side)


@kernel
def update_perp_single(states: States, ts: int, size: float, taker_side: int) -> None:
    update_flow_window(states[0].perp, ts, size, taker_side)


@kernel
def read_spot_perp_divergence_single(states: States, ts: int) -> float:
    return read_spot_perp_divergence(states[0], ts)


class SpotPerpDivergence:
    """Spot flow ratio minus perp flow ratio over the last `buckets` x `bucket_ns` nanoseconds."""

    def __init__(self, bucket_ns: int, buckets: int) -> None:
        self._states = new_states(spot_perp_divergence_dtype(buckets))
        configure_spot_perp_divergence(self._states[0], bucket_ns)
        self._spot = entry(update_spot_single, self._states, 0, 0.0, 0)
        self._perp = entry(update_perp_single, self._states, 0, 0.0, 0)
        self._read = entry(read_spot_perp_divergence_single, self._states, 0)

    @property
    def value(self) -> float:
        """The divergence at the last read, NaN until both windows are covered and traded in."""
        return float(self._states["spot"]["ratio"][0] - self._states["perp"]["ratio"][0])

    @property
    def initialized(self) -> bool:
        """True once both windows have been read while covered by data."""
        return not np.isnan(self._states["spot"]["volume"][0] + self._states["perp"]["volume"][0])

    def update_spot(self, ts: int, size: float, taker_side: int) -> None:
        """Take a spot trade (UNIX ns, base units; taker side 1 buyer, 2 seller, 0 unknown)."""
        self._spot(self._states, ts, size, taker_side)

    def update_perp(self, ts: int, size: float, taker_side: int) -> None:
        """Take a perp trade, as `update_spot`."""
        self._perp(self._states, ts, size, taker_side)

    def read(self, ts: int) -> float:
        """Return the divergence at `ts` (UNIX ns)."""
        return self._read(self._states, ts)
