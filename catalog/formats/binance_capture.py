"""Raw captures of Binance's combined WebSocket streams: a receive time and a frame on every line.

``1721347021080832061 {"stream":"btcusdt@bookTicker","data":{...}}``, as hftbacktest's collector and many others write
them; the frame may also be the bare payload. A bare reply of REST /depth (lastUpdateId, bids, asks) seeds the book. The
payloads are those of developers.binance.com, Web Socket Streams of spot and of the USDS-margined futures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from catalog.anomalies import AnomalyLog, Kind, Progress
from catalog.formats.binance_book import Diff, Snapshot
from catalog.formats.binance_events import PUBLIC_TRADE, BinanceEvents, Stream, binance_market
from catalog.formats.clock import ReceiveClock
from catalog.formats.frames import Levels, ReadLevels
from catalog.formats.level_kernel import LevelReader
from catalog.formats.lines import read_lines
from catalog.formats.reader import CHUNK_ROWS
from catalog.markets import Market, MarketKind
from catalog.tables import Chunk
from catalog.tables import Kind as RowKind

Payload = dict[str, Any]

CHANNELS = {
    "depth": Stream.DEPTH,
    "trade": Stream.TRADE,
    "aggTrade": Stream.AGG_TRADE,
    "bookTicker": Stream.TICKER,
    "markPrice": Stream.MARK,
}
UNTIMED = (Stream.TICKER, Stream.REST_DEPTH)  # spot sends these without the venue's time
LARGEST_ID = 2**63 - 1
END_OF_FRAMED, END_OF_BARE = b"}}", b"}"


class PayloadError(ValueError):
    """A payload that lacks a field or has one of another type."""


@dataclass(frozen=True)
class BinanceCapture:
    """Reader of captures of one market.

    `trades` says which stream TRADES come from where both were recorded, since both hold the same volume; ``auto``
    takes the first that appears. `clock_offset_ns` is added to every receive time. Other streams and symbols are
    skipped and counted. A receive time without unit is s, ms, us or ns by its magnitude.
    """

    market_type: Literal["spot", "usdm"]
    symbol: str
    clock_offset_ns: int = 0
    trades: Literal["trade", "aggTrade", "auto"] = "auto"

    def __post_init__(self) -> None:
        if self.market_type not in ("spot", "usdm"):
            raise ValueError(f"market_type {self.market_type!r} is not captured: use spot or usdm")
        if self.trades not in (Stream.TRADE, Stream.AGG_TRADE, "auto"):
            raise ValueError(f"trades {self.trades!r} is no stream of trades: use trade, aggTrade or auto")

    @property
    def market(self) -> Market:
        return binance_market(self.market_type, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        events = BinanceEvents(self.market, log, None if self.trades == "auto" else Stream(self.trades))
        capture = _Capture(self.market, events, self.clock_offset_ns, log)
        ready = events.ready
        for path in files:
            capture.begin_file(path.name)
            lines = read_lines(path, log, progress)
            for number, line in lines:
                try:
                    capture.read_line(number, line)
                except KeyError as e:
                    lines.report_unreadable(number, f"the payload has no field {e}")
                except ValueError as e:  # of int(), float(), orjson and the checks of the fields
                    lines.report_unreadable(number, str(e))
                if ready:
                    yield from events.take()
            capture.end_file()
            yield from events.take()
        capture.finish()
        yield from events.take()


Handler = Callable[[Payload, int, int], None]  # payload, ts_init, line


class _Capture:
    def __init__(self, market: Market, events: BinanceEvents, offset_ns: int, log: AnomalyLog) -> None:
        self._symbol = market.symbol
        self._is_spot = market.kind is MarketKind.SPOT
        self._events = events
        self._clocks = events.clocks
        self._receive = ReceiveClock(offset_ns, log)
        self._file = ""
        self._levels = LevelReader()
        self._tickers = events.read_tickers(offset_ns)
        self._is_receive_behind = False
        self._received = 0  # of the last line that was not read as a ticker, and its ts_init
        self._ts_init = 0
        self._handlers: dict[str, Handler] = {}  # by stream name
        self._cut_streams: set[str] = set()  # whose handlers take levels as numbers, or do not look at them
        self._other_symbols: set[str] = set()
        self._bare_snapshot: int | None = None  # the line of the first one in this file
        self._any_event = False

    def begin_file(self, file: str) -> None:
        self._file = file
        self._bare_snapshot = None
        self._events.begin_file(file)

    def read_line(self, number: int, line: bytes) -> None:
        """Raises KeyError and ValueError for what cannot be read."""
        if self._tickers.is_ready:
            rows = self._tickers.read(line, number, self._ts_init)
            if rows:
                self._is_receive_behind = True
                if rows == CHUNK_ROWS:
                    self._events.take_rows(RowKind.QUOTES)
                return
            if self._is_receive_behind:
                self._is_receive_behind = False
                self._tickers.catch_up(self._receive, self._file, number)
        head, _, body = line.partition(b" ")
        received = int(head)
        frame = self._parse(body)
        ts_init = self._receive.read(received, self._file, number)
        if ts_init is None:
            return
        self._received = received
        self._ts_init = ts_init
        if type(frame) is not dict:
            raise PayloadError("the frame is not an object")
        if "stream" not in frame:
            self._bare_handler(frame, number)(frame, ts_init, number)
            return
        stream = frame["stream"]
        if type(stream) is not str:
            raise PayloadError(f"the stream name {stream!r} is not a text")
        handler = self._handlers.get(stream) or self._handler(stream)
        payload = frame["data"]
        if type(payload) is not dict:
            raise PayloadError("the payload is not an object")
        handler(payload, ts_init, number)

    def _parse(self, body: bytes) -> Any:
        """The frame, where a diff has the usual form with its levels as numbers already. Raises ValueError."""
        cut = self._levels.cut(body)
        if cut is not None:
            try:
                frame = orjson.loads(cut.head + cut.tail)
            except orjson.JSONDecodeError:
                frame = None  # of the whole the error says where
            payload = self._diff_of(frame, cut.tail)
            if payload is not None:
                payload["b"], payload["a"] = cut.bids, cut.asks
                return frame
        return orjson.loads(body)

    def _diff_of(self, frame: object, tail: bytes) -> Payload | None:
        """The object of the frame that ends in `tail`, if this is where a diff has its levels."""
        if type(frame) is not dict:
            return None
        if tail == END_OF_BARE:
            return frame if "stream" not in frame and frame.get("e") == Stream.DEPTH else None
        stream = frame.get("stream")
        # of a name and one object, the object is what ends here
        if tail == END_OF_FRAMED and len(frame) == 2 and type(stream) is str and stream in self._cut_streams:
            return frame.get("data")
        return None

    def end_file(self) -> None:
        if self._bare_snapshot is not None and self._other_symbols:
            others = ", ".join(sorted(self._other_symbols)[:5])
            message = f"a REST depth reply names no symbol and the capture also holds {others}: split it by symbol"
            self._events.report(Kind.WRONG_SYMBOL, self._bare_snapshot, message)
        self._events.end_file()

    def finish(self) -> None:
        if not self._any_event and self._other_symbols:
            others = ", ".join(sorted(self._other_symbols)[:5])
            self._events.report(Kind.WRONG_SYMBOL, None, f"there is nothing of {self._symbol}, only {others}")
        self._events.finish()

    def _handler(self, stream: str) -> Handler:
        """What takes the payloads of a stream such as ``btcusdt@depth@100ms``."""
        symbol, _, channel = stream.partition("@")
        if symbol.upper() != self._symbol:
            self._other_symbols.add(symbol.upper())
            handler: Handler = self._skip_symbol
            self._cut_streams.add(stream)
        else:
            self._any_event = True
            # depth5, depth10 and depth20 are the top of the book and no diffs, though futures call them depthUpdate
            event = CHANNELS.get(channel.partition("@")[0])
            handler = self._by_event(event, channel)
            if event is Stream.DEPTH:
                self._cut_streams.add(stream)
        self._handlers[stream] = handler
        return handler

    def _bare_handler(self, payload: Payload, number: int) -> Handler:
        if "lastUpdateId" in payload:
            self._bare_snapshot = self._bare_snapshot or number
            return self._snapshot
        symbol = payload.get("s")
        if isinstance(symbol, str) and symbol != self._symbol:
            self._other_symbols.add(symbol)
            return self._skip_symbol
        self._any_event = True
        event = payload.get("e")
        if event is None and payload.keys() >= {"u", "b", "B", "a", "A"}:
            event = Stream.TICKER  # spot sends it without a name
        return self._by_event(event, f"event {event!r}")

    def _by_event(self, event: object, name: str) -> Handler:
        match event:
            case Stream.DEPTH:
                return self._diff
            case Stream.TICKER:
                return self._quote
            case Stream.TRADE:
                return partial(self._trade, Stream.TRADE, "t")
            case Stream.AGG_TRADE:
                return partial(self._trade, Stream.AGG_TRADE, "a")
            case Stream.MARK:
                return self._mark
        return lambda _payload, _ts_init, _number: self._events.count(f"frames of {name}")

    def _skip_symbol(self, _payload: Payload, _ts_init: int, _number: int) -> None:
        self._events.count("frames of other symbols")

    def _wrong_symbol(self, payload: Payload, ts_init: int, number: int) -> None:
        message = f"symbol {payload['s']!r} in a stream of {self._symbol}"
        self._events.report(Kind.WRONG_SYMBOL, number, message, ts_init)

    def _diff(self, payload: Payload, ts_init: int, number: int) -> None:
        if payload["s"] != self._symbol:
            self._wrong_symbol(payload, ts_init, number)
            return
        first, final = _int(payload, "U"), _int(payload, "u")
        previous = first - 1 if self._is_spot else _int(payload, "pu")
        bids, asks = _read_levels(payload, "b"), _read_levels(payload, "a")
        if final < first:
            message = f"the final update id {final} is below the first, {first}"
            self._events.report(Kind.BAD_VALUE, number, message, ts_init)
            return
        ts_event = self._time(Stream.DEPTH, payload, ts_init, number)
        if ts_event is not None:
            self._events.book.diff(Diff(self._file, number, first, final, previous, ts_event, ts_init, bids, asks))

    def _snapshot(self, payload: Payload, ts_init: int, number: int) -> None:
        last_update_id, bids, asks = _int(payload, "lastUpdateId"), _levels(payload, "bids"), _levels(payload, "asks")
        ts_event = self._time(Stream.REST_DEPTH, payload, ts_init, number)
        if ts_event is not None:
            self._events.book.snapshot(Snapshot(self._file, number, last_update_id, ts_event, ts_init, bids, asks))

    def _trade(self, stream: Stream, id_key: str, payload: Payload, ts_init: int, number: int) -> None:
        if payload["s"] != self._symbol:
            self._wrong_symbol(payload, ts_init, number)
            return
        buyer_is_maker = payload["m"]
        if type(buyer_is_maker) is not bool:
            raise PayloadError(f"m {buyer_is_maker!r} is not true or false")
        trade_type = _text(payload, "X") if "X" in payload else PUBLIC_TRADE
        ts_event = self._time(stream, payload, ts_init, number)
        if ts_event is not None:
            self._events.trade(
                stream,
                trade_id=_int(payload, id_key),
                price=_text(payload, "p"),
                size=_text(payload, "q"),
                buyer_is_maker=buyer_is_maker,
                trade_type=trade_type,
                ts_event=ts_event,
                ts_init=ts_init,
                line=number,
            )

    def _quote(self, payload: Payload, ts_init: int, number: int) -> None:
        if payload["s"] != self._symbol:
            self._wrong_symbol(payload, ts_init, number)
            return
        self._tickers.pause(self._file)
        ts_event = self._time(Stream.TICKER, payload, ts_init, number)
        if ts_event is not None:
            bid, ask, bid_size, ask_size = payload["b"], payload["a"], payload["B"], payload["A"]
            self._events.quote(bid, ask, bid_size, ask_size, ts_event, ts_init, number)
            event = payload.get("E")
            if (event is None) is self._is_spot:
                self._tickers.learn(self._received, payload.get("T", event) or 0, event or 0, ts_init)

    def _mark(self, payload: Payload, ts_init: int, number: int) -> None:
        if payload["s"] != self._symbol:
            self._wrong_symbol(payload, ts_init, number)
            return
        # T is the next settlement here
        sent = _int(payload, "E")
        ts_event = self._clocks[Stream.MARK].read(sent, sent, ts_init, self._file, number)
        if ts_event is not None:
            self._events.mark(payload["p"], payload["r"], _int(payload, "T"), ts_event, ts_init, number)

    def _time(self, stream: Stream, payload: Payload, ts_init: int, number: int) -> int | None:
        event = payload.get("E")
        transaction = payload.get("T", event)
        if type(event) is not int or type(transaction) is not int:
            if event is transaction is None and stream in UNTIMED:
                return ts_init
            raise PayloadError(f"E {event!r}, T {transaction!r} are not times")
        return self._clocks[stream].read(event, transaction, ts_init, self._file, number)


def _int(payload: Payload, key: str) -> int:
    value = payload[key]
    if type(value) is not int or not 0 <= value <= LARGEST_ID:
        raise PayloadError(f"{key} {value!r} is not a whole number of 63 bits")
    return value


def _text(payload: Payload, key: str) -> str:
    value = payload[key]
    if type(value) is not str:
        raise PayloadError(f"{key} {value!r} is not a text")
    return value


def _read_levels(payload: Payload, key: str) -> ReadLevels:
    value = payload[key]
    return value if isinstance(value, np.ndarray) else _levels(payload, key)


def _levels(payload: Payload, key: str) -> Levels:
    value = payload[key]
    if type(value) is not list:
        raise PayloadError(f"{key} is not a list of levels")
    return value
