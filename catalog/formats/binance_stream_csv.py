"""Binance streams written as CSV by Binance-Data-Processor (github.com/DanielLasota): one row is one price level.

Four layouts, told by the columns of the header: trade_stream, difference_depth_stream, depth_snapshot, and merged
files that hold all three by StreamType. Lines that start with ``#`` are comments, wherever they stand. Consecutive rows
of one message (the same FirstUpdateId and FinalUpdateId, or the same LastUpdateId) are one frame.

What is known about these files beyond the venue's rules:

- In merged files TimestampOfReceiveUS is the order of the rows and the receive clock. TimestampOfReceive agrees with
  it, except in DEPTH_SNAPSHOT rows: the writer moves a REST reply to just before the first diff that joins it, and only
  the millisecond column keeps the time at which it came (and so steps back).
- FINAL_DEPTH_SNAPSHOT is the book carried over from the day before; its rows keep the ids and times of the diff that
  last touched each level. It seeds the book with the highest of these ids.
- IsLast marks the last row of a message.
- An empty XUnknownParameter is the venue's ``NA``: a fill that is not public, of price and size 0.
- The writer may close a day by stamping the last row of a frame with the end of the day. A row of the open frame that
  came later than its first row stays in the frame, with the first row's times.
- A level far from the market (an ask of 80 in a book of 0.25 is in the real data) is legal and not reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.anomalies import AnomalyLog, Kind, Progress
from catalog.formats.binance_csv_layout import Layout, RowError, read_layout
from catalog.formats.binance_csv_messages import CsvMessages
from catalog.formats.binance_events import BinanceEvents, binance_market
from catalog.formats.clock import ReceiveClock
from catalog.formats.lines import read_lines
from catalog.markets import Market
from catalog.tables import Chunk


@dataclass(frozen=True)
class BinanceStreamCsv:
    """Reader of these files for one market. `clock_offset_ns` is added to every receive time.

    depth_snapshot files do not name their symbol, so a wrong one cannot be told there.
    """

    market_type: Literal["spot", "usdm", "coinm"]
    symbol: str
    clock_offset_ns: int = 0

    def __post_init__(self) -> None:
        binance_market(self.market_type, self.symbol)  # raises ValueError for an unknown type

    @property
    def market(self) -> Market:
        return binance_market(self.market_type, self.symbol)

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        events = BinanceEvents(self.market, log)
        messages = CsvMessages(self.market_type, self.market.symbol, events, ReceiveClock(self.clock_offset_ns, log))
        for path in files:
            messages.begin_file(path.name)
            lines = read_lines(path, log, progress)
            layout: Layout | None = None
            any_row = False
            for number, line in lines:
                if line.startswith(b"#"):
                    continue
                if layout is None:
                    try:
                        layout = read_layout(line)
                    except RowError as e:
                        lines.report_unreadable(number, str(e))
                        break  # without its header nothing of the file can be read
                    continue
                any_row = True
                try:
                    messages.row(layout, layout.fields(line), number)
                except ValueError as e:  # of int(), float() and the layout
                    lines.report_unreadable(number, str(e))
                if events.ready:
                    yield from events.take()
            if layout is not None and not any_row:
                log.report(Kind.MALFORMED, path, None, "the file has no rows below its header")
            messages.end_file()
            yield from events.take()
        events.finish()
        yield from events.take()
