"""The compiled loop's merge; what it computes is held by the identity with the engine's replay."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.bulk_kernel import _await_turn

TIMES = st.lists(st.integers(0, 9), max_size=8).map(sorted)


@settings(deadline=None, max_examples=200)
@given(st.lists(TIMES, min_size=1, max_size=6))
def test_rows_come_in_order_of_time_and_of_streams(series: list[list[int]]) -> None:
    """Of equal times the earlier stream goes first, with all of its rows of that time."""
    due, times = np.zeros(len(series), np.int64), np.zeros(len(series), np.int64)
    waiting = {stream: list(rows) for stream, rows in enumerate(series)}
    count = 0
    for stream, rows in waiting.items():
        if rows:
            count = _await_turn(due, times, count, stream, rows.pop(0))
    played = []
    while count > 0:
        count -= 1
        stream = int(due[count])
        played.append((int(times[count]), stream))
        if waiting[stream]:
            count = _await_turn(due, times, count, stream, waiting[stream].pop(0))
    assert played == sorted((time, stream) for stream, rows in enumerate(series) for time in rows)
