"""Best bids and asks of bookTicker frames, straight from their bytes to exact numbers.

These are most lines of a capture. The venue writes every one of them alike, so a frame is held against a template of
the whole text; one that differs in any byte outside its numbers, or has an odd number, is left to the JSON parser.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.formats.clock import LARGEST_LATENCY_NS, LATEST_NS, EventClock, Latency, ReceiveClock, multiplier_of
from catalog.formats.csv_blocks import to_decimals
from catalog.formats.csv_kernel import DECIMAL_PLACES, POWERS, ZERO, to_words
from catalog.formats.level_kernel import END, MOST_DIGITS, scan_number
from catalog.formats.reader import CHUNK_ROWS
from catalog.tables import SCHEMAS, Chunk, Kind
from indicators.kernel import States, entry, kernel, new_states

# bytes that stand for numbers in a template: no JSON text has them
WHOLE, PRICE, SIZE = 1, 2, 3
NINE = 57

TS_EVENT, TS_INIT, LINE, LATENCY = 0, 1, 2, 3
STATE = np.dtype(
    [
        ("receive_unit", "i8"),  # in ns, as the other units; that of event time is 0 where there is none
        ("event_unit", "i8"),
        ("transaction_unit", "i8"),
        ("offset_ns", "i8"),
        ("rows", "i8"),
        # of the last line, as it was written and in ns
        ("received", "i8"),
        ("event", "i8"),
        ("transaction", "i8"),
        ("ts_init", "i8"),
        ("sent", "i8"),
    ]
)

# a line after its receive time
SPOT = ' {"stream":"%s@bookTicker","data":{"u":\1,"s":"%s","b":"\2","B":"\3","a":"\2","A":"\3"}}'
FUTURES = (
    ' {"stream":"%s@bookTicker",'
    '"data":{"e":"bookTicker","u":\1,"s":"%s","b":"\2","B":"\3","a":"\2","A":"\3","T":\1,"E":\1}}'
)


@kernel
def scan_whole(line: bytes, i: int) -> tuple[int, int]:
    """A whole number as JSON allows it, and the byte after it or -1."""
    begin = i
    value = 0
    digit = line[i] - ZERO
    while 0 <= digit <= 9:
        value = value * 10 + digit
        i += 1
        digit = line[i] - ZERO
    digits = i - begin
    # nanoseconds have a digit more than is safe for any number
    fits = digits <= MOST_DIGITS or (digits == MOST_DIGITS + 1 and line[begin] < NINE)
    is_plain = digits == 1 or (digits > 1 and fits and line[begin] != ZERO)
    return value, i if is_plain else -1


@kernel
def match_ticker(line: bytes, template: bytes, words: npt.NDArray[np.uint64], row: int) -> tuple[int, int, int]:
    """Read the decimals of a line into a row, in their order: its first and last two whole numbers; -1 if it differs.

    A price above zero and a size not below it are what a template's PRICE and SIZE take.
    """
    if len(line) == 0 or line[len(line) - 1] != END:
        return -1, -1, -1
    column = 0
    before = last = 0
    first, i = scan_whole(line, 0)
    for part in template:
        if i < 0 or i == len(line):
            return -1, -1, -1
        if part == WHOLE:
            before = last
            last, i = scan_whole(line, i)
        elif part in (PRICE, SIZE):
            mantissa, places, i = scan_number(line, i)
            if i >= 0 and (mantissa > 0 or part == SIZE):
                power = POWERS[DECIMAL_PLACES - places]
                words[row, column, 0], words[row, column, 1] = to_words(mantissa, power)
                column += 1
            else:
                i = -1
        elif line[i] == part:
            i += 1
        else:
            i = -1
    return (first, before, last) if i == len(line) else (-1, -1, -1)


@kernel
def in_ns(value: int, unit: int) -> int:
    """A time in ns; 0 for one of another unit, that would not fit."""
    return value * unit if value <= LATEST_NS // unit else 0


@kernel
def read_ticker(
    states: States,
    template: bytes,
    words: npt.NDArray[np.uint64],
    times: npt.NDArray[np.int64],
    line: bytes,
    number: int,
    not_before: int,
) -> int:
    """Make a line the next row: the rows by then, or 0 for a line that is not of the usual form or time."""
    state = states[0]
    received, transaction, event = match_ticker(line, template, words, state.rows)
    ts_init = in_ns(received, state.receive_unit) + state.offset_ns
    if received < 0 or not 0 <= ts_init - max(state.ts_init, not_before) <= LARGEST_LATENCY_NS:
        return 0
    ts_event = ts_init
    if state.event_unit > 0:
        sent = in_ns(event, state.event_unit)
        ts_event = in_ns(transaction, state.transaction_unit)
        if sent < state.sent or max(abs(ts_init - sent), abs(ts_init - ts_event)) > LARGEST_LATENCY_NS:
            return 0
        state.sent = sent
        times[state.rows, LATENCY] = ts_init - sent
    state.ts_init = ts_init
    state.received = received
    state.event = event
    state.transaction = transaction
    times[state.rows, TS_EVENT] = ts_event
    times[state.rows, TS_INIT] = ts_init
    times[state.rows, LINE] = number
    state.rows += 1
    return int(state.rows)


class TickerReader:
    """Reads the lines that hold a ticker of one market, and keeps their quotes until `take` makes a chunk of them.

    It takes lines whose times are beyond doubt: in the units of those that it has learned from, and soon after the one
    before. Any other is left to the clocks of the stream, which therefore have to be told of the last one that it took:
    :meth:`catch_up` before they judge a receive time, :meth:`pause` before they judge the times of a ticker.
    """

    def __init__(self, symbol: str, offset_ns: int, clock: EventClock | None, latency: Latency) -> None:
        """`clock` judges the event times of tickers: None on spot, where they have none."""
        template = FUTURES if clock else SPOT
        self._template = (template % (symbol.lower(), symbol)).encode()
        self._clock = clock
        self._latency = latency
        self._words = np.empty((CHUNK_ROWS, 4, 2), np.uint64)  # bid price, bid size, ask price, ask size
        self._times = np.empty((CHUNK_ROWS, 4), np.int64)
        self._states = new_states(STATE)
        self._states["offset_ns"] = offset_ns
        self._settled = 0  # rows that the clock of tickers knows
        self.is_ready = False
        compiled = entry(read_ticker, self._states, self._template, self._words, self._times, b"", 0, 0)
        # a line, its number, and ts_init of the last line that was read elsewhere: how many quotes are kept now (at
        # CHUNK_ROWS they must be taken), or 0 if the line is not of the usual form or time
        self.read: Callable[[bytes, int, int], int] = partial(
            compiled, self._states, self._template, self._words, self._times
        )

    def __len__(self) -> int:
        return int(self._states["rows"][0])

    def learn(self, received: int, transaction: int, event: int, ts_init: int) -> None:
        """Go on from a ticker whose times the clocks have found to be good; T and E are 0 on spot."""
        state = self._states[0]
        state["receive_unit"] = multiplier_of(received)
        state["transaction_unit"] = multiplier_of(transaction) or 0
        state["event_unit"] = multiplier_of(event) or 0
        state["sent"] = event * state["event_unit"]
        state["ts_init"] = ts_init
        self.is_ready = True

    def pause(self, file: str) -> None:
        """Leave the tickers to their clock until :meth:`learn`."""
        self._settle(file)
        self.is_ready = False

    def catch_up(self, receive: ReceiveClock, file: str, line: int) -> None:
        """Show the receive clock the last time that was taken."""
        receive.read(int(self._states["received"][0]), file, line)

    def _settle(self, file: str) -> None:
        rows = len(self)
        if self._clock is not None and rows > self._settled:
            ts_init, line = self._times[rows - 1, [TS_INIT, LINE]].tolist()
            event, transaction = int(self._states["event"][0]), int(self._states["transaction"][0])
            self._clock.read(event, transaction, ts_init, file, line)  # counts the latency of this one
            self._latency.add_many(self._times[self._settled : rows - 1, LATENCY])
        self._settled = rows

    def take(self, file: str) -> Chunk:
        """The quotes so far as one chunk."""
        self._settle(file)
        rows = len(self)
        # copies: Arrow would go on looking at a column that happens to be contiguous
        words = self._words[:rows].view(np.int64).transpose(1, 0, 2).copy()
        bids, bid_sizes, asks, ask_sizes = map(to_decimals, words)
        times = map(pa.array, self._times[:rows].T[[TS_EVENT, TS_INIT, LINE]])
        table = pa.Table.from_arrays([bids, asks, bid_sizes, ask_sizes, *times], schema=SCHEMAS[Kind.QUOTES])
        self._states["rows"] = self._settled = 0
        return Chunk(Kind.QUOTES, table, file)
