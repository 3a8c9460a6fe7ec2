"""The compiled loop of the bulk driver: streams of rows and a clock in, features out.

It does for one asset what the engine and :class:`strategies.flow_actor.FlowActor` do together: hands on events in order
of time, keeps the books, samples them on the clock after everything up to that time, and reads the features at scans.
Every number is made by the kernels in :mod:`strategies.flow.events`, the same that the actor calls.
"""

from enum import IntEnum

import numpy as np

from backtests.series_rows import SIDES
from indicators.kernel import Floats, Ints, State, States, kernel
from indicators.ladder import Stop as LadderStop
from indicators.ladder import apply_level
from indicators.sides import NO_SIDE
from strategies.flow.events import (
    exact_trade_at,
    funding_at,
    ladder_at,
    mark_at,
    open_interest_at,
    sample_at,
    snapshot_at,
)

NEVER = 2**63 - 1


class Feed(IntEnum):
    """What a stream carries; see :mod:`backtests.series_rows` for its columns."""

    BOOK = 0
    TRADES = 1
    MARKS = 2
    FUNDING = 3
    OPEN_INTEREST = 4


Stream = np.dtype([("feed", "i8"), ("market", "i8"), ("cursor", "i8"), ("end", "i8")])
"""A stretch of the columns: rows `cursor` to `end` - 1 are still to be played."""

Clock = np.dtype(
    [
        ("next_ns", "i8"),  # the sample to come
        ("step_ns", "i8"),
        ("scan_ns", "i8"),
        ("trace_ns", "i8"),  # how often the trace is taken, NEVER for not at all
        ("rows", "i8"),  # snapshots written so far
        ("traces", "i8"),
    ]
)


class Stop(IntEnum):
    """Why the loop came back. It goes on from there when it is called again."""

    HORIZON = 0
    LADDER_FULL = 1
    OUT_FULL = 2
    INVALID_ROW = 3


_HORIZON, _LADDER_FULL, _OUT_FULL, _INVALID_ROW = (int(stop) for stop in Stop)
_BOOK, _TRADES, _MARKS, _FUNDING = int(Feed.BOOK), int(Feed.TRADES), int(Feed.MARKS), int(Feed.FUNDING)
_APPLIED, _NO_ROOM = int(LadderStop.END), int(LadderStop.FULL)


@kernel
def play(
    states: States,
    words: Ints,
    streams: States,
    clocks: States,
    horizon: int,
    ts: Ints,
    whole: Ints,
    amount: Floats,
    code: Ints,
    ladders: States,
    ladder_counts: Ints,
    changed: Ints,
    level_prices: Ints,
    level_sizes: Floats,
    heads: Ints,
    out_ts: Ints,
    out: Floats,
    trace_at: Ints,
    trace_ts: Ints,
    trace: Ints,
) -> int:
    """Play all samples up to `horizon` (UNIX ns, included) and return a :class:`Stop`.

    Every stream must hold all of its rows up to `horizon`. `words` are the 8-byte words of `states`, of which those at
    `trace_at` are copied into rows of `trace`. `ladders` have shape (markets, 2, capacity), quantities in units;
    `changed` says of each market whether its ladder took an update since its last sample. `heads` is scratch:
    (2, streams).
    """
    clock = clocks[0]
    count = states[0].count
    while clock.next_ns <= horizon:
        now = clock.next_ns
        if clock.rows == len(out_ts) or (clock.trace_ns != NEVER and clock.traces == len(trace_ts)):
            return _OUT_FULL
        _play_events(states, streams, now, ts, whole, amount, code, heads)
        for s in range(len(streams)):
            stream = streams[s]
            if stream.feed == _BOOK:
                reason = _play_book(
                    stream,
                    now,
                    ts,
                    whole,
                    amount,
                    code,
                    ladders[stream.market],
                    ladder_counts[stream.market],
                    changed,
                )
                if reason != _HORIZON:
                    return reason
        for market in range(count):
            if states[0].markets[market].has_book == 1:
                ladder_at(
                    states,
                    market,
                    ladders[market],
                    ladder_counts[market],
                    changed[market] == 1,
                    now,
                    level_prices,
                    level_sizes,
                )
                changed[market] = 0
        sample_at(states, now)
        if now % clock.scan_ns == 0:
            row = clock.rows
            out[row] = np.nan
            if snapshot_at(states, now, out[row]):
                out_ts[row] = now
                clock.rows = row + 1
        if now % clock.trace_ns == 0:
            row = clock.traces
            for k in range(len(trace_at)):
                trace[row, k] = words[trace_at[k]]
            trace_ts[row] = now
            clock.traces = row + 1
        clock.next_ns = now + clock.step_ns
    return _HORIZON


@kernel
def _play_events(
    states: States, streams: States, now: int, ts: Ints, whole: Ints, amount: Floats, code: Ints, heads: Ints
) -> None:
    """Hand on everything but books up to `now`, merged by time; of equal times the earlier stream goes first."""
    due, times = heads[0], heads[1]
    count = 0
    for s in range(len(streams)):
        stream = streams[s]
        if stream.feed != _BOOK and stream.cursor < stream.end and ts[stream.cursor] <= now:
            count = _await_turn(due, times, count, s, ts[stream.cursor])
    while count > 0:
        count -= 1
        s = due[count]
        stream = streams[s]
        k = stream.cursor
        _play_event(states, stream.feed, stream.market, ts[k], whole[k], amount[k], code[k])
        stream.cursor = k + 1
        if k + 1 < stream.end and ts[k + 1] <= now:
            count = _await_turn(due, times, count, s, ts[k + 1])


@kernel
def _await_turn(due: Ints, times: Ints, count: int, s: int, time: int) -> int:
    """Insert stream `s`, whose next row is of `time`, among `count` streams: the one whose turn it is stands last."""
    k = count
    while k > 0 and (times[k - 1] < time or (times[k - 1] == time and due[k - 1] < s)):
        due[k] = due[k - 1]
        times[k] = times[k - 1]
        k -= 1
    due[k] = s
    times[k] = time
    return count + 1


@kernel
def _play_event(states: States, feed: int, market: int, ts: int, whole: int, amount: float, code: int) -> None:
    if feed == _TRADES:
        if code != NO_SIDE:  # insurance fund and ADL: nobody could trade with them, the replay leaves them out
            scales = states[0].markets[market]
            exact_trade_at(states, market, whole / scales.price_scale, amount / scales.size_scale, code, ts)
    elif feed == _MARKS:
        mark_at(states, market, amount, ts)
    elif feed == _FUNDING:
        funding_at(states, market, amount, whole, ts)
    else:
        open_interest_at(states, market, amount, ts)


@kernel
def _play_book(
    stream: State,
    now: int,
    ts: Ints,
    whole: Ints,
    amount: Floats,
    code: Ints,
    levels: States,
    counts: Ints,
    changed: Ints,
) -> int:
    """Apply the rows of one book up to `now`."""
    k = stream.cursor
    end = stream.end
    if k < end and ts[k] <= now:
        changed[stream.market] = 1
    while k < end and ts[k] <= now:
        reason = apply_level(levels, counts, code[k] % SIDES, code[k] // SIDES, whole[k], amount[k])
        if reason != _APPLIED:
            stream.cursor = k
            return _LADDER_FULL if reason == _NO_ROOM else _INVALID_ROW
        k += 1
    stream.cursor = k
    return _HORIZON
