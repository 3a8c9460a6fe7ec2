"""From rows of Binance-Data-Processor's CSV files back to the messages that they were."""

from dataclasses import dataclass, field

from catalog.anomalies import Kind
from catalog.formats.binance_book import Diff, Snapshot
from catalog.formats.binance_csv_layout import Layout, RowKind
from catalog.formats.binance_events import PUBLIC_TRADE, BinanceEvents, Stream
from catalog.formats.clock import LARGEST_LATENCY_NS, Clock, ClockValueError, ReceiveClock

MARKET_NAMES = {"spot": "SPOT", "usdm": "USD_M_FUTURES", "coinm": "COIN_M_FUTURES"}  # of the column Market
BOOL = {"0": False, "1": True}


@dataclass
class _Message:
    """The frame that is being gathered."""

    kind: RowKind
    key: tuple[int, ...]  # the ids that all its rows share
    common: list[str]
    line: int
    ts_init: int
    ts_event: int
    previous: int = 0
    reached: int = 0  # the highest id of a carried book
    bids: list[tuple[str, str]] = field(default_factory=list)
    asks: list[tuple[str, str]] = field(default_factory=list)
    seen: set[tuple[bool, str]] = field(default_factory=set)
    last_line: int = 0
    is_ended: bool = False  # by IsLast


class CsvMessages:
    """Gathers rows to messages, checks what only the rows can tell, and hands the messages to the events."""

    def __init__(self, market_type: str, symbol: str, events: BinanceEvents, receive: ReceiveClock) -> None:
        self._is_spot = market_type == "spot"
        self._market_name = MARKET_NAMES[market_type]
        self._symbol = symbol
        self._events = events
        self._receive = receive
        self._receive_ms = Clock("TimestampOfReceive")
        self._request = Clock("TimestampOfRequest")
        self._carried = Clock("event time of the carried book")
        self._file = ""
        self._open: _Message | None = None

    def begin_file(self, file: str) -> None:
        self._file = file
        self._events.begin_file(file)

    def end_file(self) -> None:
        """Close what is open; a message does not go on in another file."""
        message = self._open
        self._close()
        if message is not None and not message.is_ended:
            self._report(Kind.TRUNCATED, message.last_line, "the file ends before the row with IsLast 1 of its message")
        self._events.end_file()

    def row(self, layout: Layout, fields: list[str], line: int) -> None:
        """Read one row. Raises RowError and ValueError for what cannot be read."""
        kind = layout.kind_of(fields)
        if kind is RowKind.TRADE:
            self._end_message()
            self._trade(layout, fields, line)
            return
        price, size = float(fields[layout.price]), float(fields[layout.size])  # raise before a message is opened
        common = layout.message(fields)
        is_good = True
        if self._open is None or self._open.common != common:
            is_good = self._join(kind, common, layout, fields, line)
        is_good &= self._is_level(kind, fields[layout.is_ask], price, size, line)
        message = self._open
        if message is None:
            return
        if message.is_ended and layout.kind is None:
            self._report(Kind.BAD_VALUE, message.last_line, "IsLast 1 on a row that is not the last of its message")
        message.last_line = line
        message.is_ended = self._is_last(layout, fields, line)
        if is_good:
            self._add_level(message, layout, fields, line)

    def _report(self, kind: Kind, line: int, text: str) -> None:
        self._events.report(kind, line, text)

    def _trade(self, layout: Layout, fields: list[str], line: int) -> None:
        maker = fields[layout.is_buyer_maker]
        is_good = self._is_ours(layout, fields, line)
        if maker not in BOOL:
            self._report(Kind.BAD_VALUE, line, f"IsBuyerMarketMaker {maker!r} is not 0 or 1")
            is_good = False
        if not self._is_last(layout, fields, line):
            self._report(Kind.BAD_VALUE, line, "IsLast 0 on a trade, which is one row")
        ts_init = self._receive_time(layout, fields, line)
        if ts_init is None:
            return
        event, transaction = int(fields[layout.event]), int(fields[layout.transaction])
        ts_event = self._events.clocks[Stream.TRADE].read(event, transaction, ts_init, self._file, line)
        if is_good and ts_event is not None:
            self._events.trade(
                Stream.TRADE,
                trade_id=int(fields[layout.trade_id]),
                price=fields[layout.price],
                size=fields[layout.size],
                buyer_is_maker=BOOL[maker],
                trade_type=PUBLIC_TRADE if self._is_spot else fields[layout.trade_type],
                ts_event=ts_event,
                ts_init=ts_init,
                line=line,
            )

    def _join(self, kind: RowKind, common: list[str], layout: Layout, fields: list[str], line: int) -> bool:
        """Open the message of a row that differs from the row before, or see that it still belongs to the open one."""
        key = self._key(kind, layout, fields)
        message = self._open
        is_new = message is None or (message.kind, message.key) != (kind, key)
        if is_new:
            self._end_message()
        is_good = self._is_ours(layout, fields, line) & self._are_ids(kind, key, line)
        ts_init = self._receive_time(layout, fields, line)
        if ts_init is None:
            return False
        is_late = not is_new and message is not None and ts_init > message.ts_init
        ts_event = self._event_time(kind, layout, fields, ts_init, line, is_late=is_late)
        if ts_event is None or not is_good:
            return False
        previous = int(fields[layout.previous] or 0)
        if message is None or is_new:
            message = self._open = _Message(kind, key, common, line, ts_init, ts_event, previous)
        elif is_late:
            self._events.count("receive times of rows that came after the first row of their message")
        elif kind is not RowKind.CARRIED and (ts_event, previous) != (message.ts_event, message.previous):
            self._report(
                Kind.BAD_VALUE, line, f"the row and line {message.line} are one message but differ in time or id"
            )
            return False
        if kind is RowKind.CARRIED:
            message.ts_event = max(message.ts_event, ts_event)
            message.reached = max(message.reached, int(fields[layout.final]))
        return True

    def _key(self, kind: RowKind, layout: Layout, fields: list[str]) -> tuple[int, ...]:
        if kind is RowKind.DIFF:
            return int(fields[layout.first]), int(fields[layout.final])
        if kind is RowKind.SNAPSHOT:
            return (int(fields[layout.last_update_id]),)
        return ()

    def _are_ids(self, kind: RowKind, key: tuple[int, ...], line: int) -> bool:
        if kind is not RowKind.DIFF or key[0] <= key[1]:
            return True
        self._report(Kind.BAD_VALUE, line, f"FinalUpdateId {key[1]} is below FirstUpdateId {key[0]}")
        return False

    def _is_ours(self, layout: Layout, fields: list[str], line: int) -> bool:
        symbol, market = fields[layout.symbol], fields[layout.market]
        if symbol in (self._symbol, "") and market in (self._market_name, ""):
            return True
        self._report(
            Kind.WRONG_SYMBOL, line, f"a row of {symbol} {market}, expected {self._symbol} {self._market_name}"
        )
        return False

    def _receive_time(self, layout: Layout, fields: list[str], line: int) -> int | None:
        ts_init = self._receive.read(int(fields[layout.receive]), self._file, line)
        if ts_init is None or layout.kind is not None or layout.kind_of(fields) is RowKind.SNAPSHOT:
            return ts_init
        if int(fields[layout.receive]) // 1_000 == int(fields[layout.receive_ms]):
            return ts_init
        both = f"{fields[layout.receive]} us and {fields[layout.receive_ms]} ms"
        self._report(Kind.BAD_VALUE, line, f"the two columns of the receive time disagree: {both}")
        return None

    def _event_time(
        self, kind: RowKind, layout: Layout, fields: list[str], ts_init: int, line: int, *, is_late: bool
    ) -> int | None:
        if kind is RowKind.CARRIED:
            return self._carried_time(layout, fields, ts_init, line)
        event = fields[layout.event] if kind is RowKind.DIFF else fields[layout.output]
        if kind is RowKind.SNAPSHOT and not self._is_request(layout, fields, ts_init, line):
            return None
        if kind is RowKind.SNAPSHOT and not event:
            return ts_init
        # the transaction time of a row written late is that of the message: it says nothing about its event time
        transaction = event if is_late else fields[layout.transaction] or event
        clock = self._events.clocks[Stream.DEPTH if kind is RowKind.DIFF else Stream.REST_DEPTH]
        return clock.read(int(event), int(transaction), ts_init, self._file, line)

    def _carried_time(self, layout: Layout, fields: list[str], ts_init: int, line: int) -> int | None:
        """Any time before the receive time is legal: a level may not have changed for a day."""
        try:
            ts_event = self._carried.ns(int(fields[layout.transaction] or fields[layout.event]))
        except ClockValueError as e:
            self._report(e.kind, line, str(e))
            return None
        if ts_event > ts_init + LARGEST_LATENCY_NS:
            self._report(
                Kind.BAD_VALUE, line, f"a level of the carried book changed at {ts_event} ns, after its receive time"
            )
            return None
        return ts_event

    def _is_request(self, layout: Layout, fields: list[str], ts_init: int, line: int) -> bool:
        value = int(fields[layout.request])
        try:
            waited = ts_init - self._request.ns(value)
        except ClockValueError as e:
            self._report(e.kind, line, str(e))
            return False
        if abs(waited) <= LARGEST_LATENCY_NS:
            return True
        self._report(
            Kind.BAD_VALUE, line, f"TimestampOfRequest {value} is {waited / 1e9:.0f} s before the receive time"
        )
        return False

    def _is_level(self, kind: RowKind, side: str, price: float, size: float, line: int) -> bool:
        is_good = True
        if side not in BOOL:
            self._report(Kind.BAD_VALUE, line, f"IsAsk {side!r} is not 0 or 1")
            is_good = False
        if not 0.0 < price < float("inf"):
            self._report(Kind.BAD_VALUE, line, f"price {price} must be above zero")
            is_good = False
        if not 0.0 <= size < float("inf") or (size == 0.0 and kind is not RowKind.DIFF):
            self._report(Kind.BAD_VALUE, line, f"size {size} cannot be in a {kind}")
            is_good = False
        return is_good

    def _is_last(self, layout: Layout, fields: list[str], line: int) -> bool:
        """True also where there is no such column."""
        if layout.kind is not None:
            return True
        text = fields[layout.is_last]
        if text not in BOOL:
            self._report(Kind.BAD_VALUE, line, f"IsLast {text!r} is not 0 or 1")
        return BOOL.get(text, True)

    def _add_level(self, message: _Message, layout: Layout, fields: list[str], line: int) -> None:
        is_ask, price = BOOL[fields[layout.is_ask]], fields[layout.price]
        if (is_ask, price) in message.seen:
            self._report(Kind.DUPLICATE, line, f"the level at {price} is twice in one message")
            return
        message.seen.add((is_ask, price))
        (message.asks if is_ask else message.bids).append((price, fields[layout.size]))

    def _end_message(self) -> None:
        if self._open is not None and not self._open.is_ended:
            self._report(Kind.BAD_VALUE, self._open.last_line, "IsLast 0 on the last row of its message")
        self._close()

    def _close(self) -> None:
        m, self._open = self._open, None
        if m is None:
            return
        if m.kind is RowKind.DIFF:
            first, final = m.key
            previous = first - 1 if self._is_spot else m.previous
            diff = Diff(self._file, m.line, first, final, previous, m.ts_event, m.ts_init, m.bids, m.asks)
            self._events.book.diff(diff)
        else:
            reached = m.reached if m.kind is RowKind.CARRIED else m.key[0]
            self._events.book.snapshot(Snapshot(self._file, m.line, reached, m.ts_event, m.ts_init, m.bids, m.asks))
