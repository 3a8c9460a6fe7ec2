"""What Binance's streams say, whichever file they were recorded in: the state that outlives a line and a file."""

from collections import Counter
from enum import StrEnum

import pyarrow as pa

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.formats.binance_book import BinanceBook
from catalog.formats.binance_ticker import TickerReader
from catalog.formats.clock import Clock, ClockValueError, EventClock, Latency
from catalog.formats.reader import CHUNK_ROWS
from catalog.formats.rows import Rows
from catalog.formats.sequence import BinanceFuturesSequence, BinanceSpotSequence
from catalog.formats.trade_rules import FAR_OFF, FAR_OFF_WITHIN_NS, WITHHELD_IDS
from catalog.markets import Market, MarketKind
from catalog.tables import BUYER, NO_AGGRESSOR, SELLER, Chunk, Kind

PUBLIC_TRADE = "MARKET"  # field X of futures trades; the insurance fund and ADL have others
WITHHELD_TRADE = ("NA", "")  # of the fills of which the venue tells neither price nor size


class Stream(StrEnum):
    """The streams of one market, by their event names."""

    DEPTH = "depthUpdate"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    TICKER = "bookTicker"
    MARK = "markPriceUpdate"
    REST_DEPTH = "REST depth"


MARKETS = {
    "spot": ("BINANCE_SPOT", MarketKind.SPOT),
    "usdm": ("BINANCE", MarketKind.PERP),
    "coinm": ("BINANCE_COINM", MarketKind.PERP),
}


def binance_market(market_type: str, symbol: str) -> Market:
    """The market of Binance's own symbol. Raises ValueError for another `market_type` than spot, usdm, coinm."""
    if market_type not in MARKETS:
        raise ValueError(f"market type {market_type!r} is unknown to Binance: use one of {', '.join(MARKETS)}")
    venue, kind = MARKETS[market_type]
    return Market(venue, kind, symbol.upper(), inverse=market_type == "coinm")


class BinanceEvents:
    """Takes the events of one market in receive order and makes chunks of them.

    Call `begin_file`, then the event methods with the line that each came from, then `end_file`; `finish` after the
    last file. The times of an event are read with one of `clocks` first. Prices and sizes come as the venue's texts.
    Findings go to the log; an event with one is left out. Complete chunks gather in `ready`.
    """

    def __init__(self, market: Market, log: AnomalyLog, trades: Stream | None = None) -> None:
        is_spot = market.kind is MarketKind.SPOT
        self.ready: list[Chunk] = []
        self.book = BinanceBook(BinanceSpotSequence() if is_spot else BinanceFuturesSequence(), log, self.ready)
        self._symbol = market.symbol
        self._is_spot = is_spot
        self._log = log
        self._file = ""
        self._trade_stream = trades  # None until the first trade of any kind
        self._last_id: int | None = None
        self._last_price = 0.0
        self._last_price_ts = 0
        self._funding: tuple[str, int] | None = None
        self._next_funding_clock = Clock("next funding time")
        self._latency = Latency()
        self.clocks = {stream: EventClock(stream, self._latency, log) for stream in Stream}
        self._tickers: TickerReader | None = None
        self._rows: dict[Kind, Rows] = {}
        self._told: Counter[str] = Counter()

    def read_tickers(self, offset_ns: int) -> TickerReader:
        """What reads quotes without the detour over texts; they join those of `quote`."""
        clock = None if self._is_spot else self.clocks[Stream.TICKER]
        self._tickers = TickerReader(self._symbol, offset_ns, clock, self._latency)
        return self._tickers

    def begin_file(self, file: str) -> None:
        self._file = file
        self._rows = {
            kind: Rows(kind, file, self._log) for kind in (Kind.TRADES, Kind.QUOTES, Kind.MARKS, Kind.FUNDING)
        }

    def end_file(self) -> None:
        """Close the chunks and report what is known only at the end of a file."""
        for kind in self._rows:
            self.take_rows(kind)
        self.book.end_file(self._file)
        self._latency.report(self._log, self._file)
        for what, count in self._told.items():
            self._log.report(Anomaly.SKIPPED, self._file, None, f"{count} {what}")
        self._told.clear()

    def finish(self) -> None:
        """After the last file."""
        self.book.finish()
        self.book.end_file(self._file)

    def take(self) -> list[Chunk]:
        """The chunks that are complete by now."""
        chunks = self.ready.copy()
        self.ready.clear()
        return chunks

    def count(self, what: str) -> None:
        """Count what is told once a file: lines that are left out on purpose, or kept with less than usual."""
        self._told[what] += 1

    def report(self, kind: Anomaly, line: int | None, message: str, ts: int | None = None) -> None:
        self._log.report(kind, self._file, line, message, ts)

    def trade(
        self,
        stream: Stream,
        *,
        trade_id: int,
        price: str,
        size: str,
        buyer_is_maker: bool,
        trade_type: str,
        ts_event: int,
        ts_init: int,
        line: int,
    ) -> None:
        """A trade or an aggregated trade; `trade_type` is its field X, PUBLIC_TRADE where it has none.

        A fill of the insurance fund or ADL has no public taker. It is a row without aggressor, and its price, which is
        not the market's, is no yardstick. Where the venue tells no price or size there is no row, but the id counts.
        """
        if self._trade_stream is None:
            self._trade_stream = stream
        if stream is not self._trade_stream:
            self.count(f"{stream} events: the trades are taken from {self._trade_stream}")
            return
        is_new = self._is_new_trade(stream, trade_id, line, ts_init)
        if trade_type == PUBLIC_TRADE:
            if self._is_near(price, line, ts_event) and is_new:
                side = SELLER if buyer_is_maker else BUYER
                self._add(Kind.TRADES, (price, size, side, str(trade_id), ts_event, ts_init, line))
        elif trade_type in WITHHELD_TRADE or float(price) == 0.0 or float(size) == 0.0:
            self.count("trades that are not public (ADL, insurance fund)")
        elif is_new:
            self.count("trades without a public taker (insurance fund, ADL): kept, with no aggressor side")
            self._add(Kind.TRADES, (price, size, NO_AGGRESSOR, str(trade_id), ts_event, ts_init, line))

    def quote(self, bid: str, ask: str, bid_size: str, ask_size: str, ts_event: int, ts_init: int, line: int) -> None:
        """A best bid and ask."""
        self._add(Kind.QUOTES, (bid, ask, bid_size, ask_size, ts_event, ts_init, line))

    def mark(self, price: str, rate: str, next_funding: int, ts_event: int, ts_init: int, line: int) -> None:
        """A mark price; its funding rate and settlement time become a row where they differ from the last ones.

        Delivery contracts have an empty rate and time 0: no funding.
        """
        self._add(Kind.MARKS, (price, ts_event, ts_init, line))
        if not rate or (rate, next_funding) == self._funding:
            return
        try:
            settled = self._next_funding_clock.ns(next_funding)
        except ClockValueError as e:
            self.report(e.kind, line, str(e), ts_init)
            return
        self._funding = (rate, next_funding)
        self._add(Kind.FUNDING, (rate, 0, settled, ts_event, ts_init, line))

    def _add(self, kind: Kind, row: tuple[str | int, ...]) -> None:
        rows = self._rows[kind]
        rows.add(row)
        if len(rows) >= CHUNK_ROWS:
            self.take_rows(kind)

    def take_rows(self, kind: Kind) -> None:
        """Make a chunk of the rows so far, if there are any."""
        rows = self._rows[kind]
        chunks = [rows.take()] if len(rows) else []
        if kind is Kind.QUOTES and self._tickers is not None and len(self._tickers):
            chunks.append(self._tickers.take(self._file))
        if len(chunks) == 2:
            # a file has its quotes in the order of its lines
            table = pa.concat_tables([chunk.table for chunk in chunks]).sort_by("line").combine_chunks()
            chunks = [Chunk(kind, table, self._file)]
        self.ready.extend(chunks)

    def _is_new_trade(self, stream: Stream, trade_id: int, line: int, ts: int) -> bool:
        last = self._last_id
        if last is not None and trade_id <= last:
            self.report(Anomaly.DUPLICATE, line, f"trade id {trade_id} comes after {last}", ts)
            return False
        self._last_id = trade_id
        if last is not None and trade_id != last + 1:
            missing = trade_id - last - 1
            contiguous = self._is_spot or stream is Stream.AGG_TRADE
            kind = Anomaly.GAP if contiguous or missing > WITHHELD_IDS else Anomaly.ID_JUMP
            self.report(kind, line, f"{missing} {stream} ids are missing between {last} and {trade_id}", ts)
        return True

    def _is_near(self, text: str, line: int, ts: int) -> bool:
        """False, and a BAD_VALUE, for a price far off the last one. What is not above zero is found with the rows."""
        price = float(text)
        if not price > 0.0:
            return True
        last = self._last_price
        if last and abs(price - last) > FAR_OFF * last and ts - self._last_price_ts <= FAR_OFF_WITHIN_NS:
            self.report(Anomaly.BAD_VALUE, line, f"trade price {text} is more than half away from {last}", ts)
            return False
        self._last_price = price
        self._last_price_ts = ts
        return True
