"""One book: frames and snapshots in, Nautilus's deltas and quotes out, empty while it is not known. No I/O."""

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDeltas
from nautilus_trader.model.enums import BookType

from adapters.mexc.depth import DepthSequencer, Step
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.parsing import ContractParser
from adapters.mexc.schemas.public_rest import DepthSnapshot
from adapters.mexc.schemas.public_socket import DepthUpdate
from adapters.mexc.wire_numbers import WireMillis


class BookFeed:
    """The book of one contract. What is returned is to be published, in that order.

    `wants_snapshot` is set while it waits for one. Whatever breaks the sequence empties the book at once: a strategy
    sees no book rather than an old one.
    """

    def __init__(self, parser: ContractParser) -> None:
        self.parser = parser
        self.sequencer = DepthSequencer()
        self.wants_snapshot = True
        self.has_frames = False
        """A frame has come since the book was last empty: a snapshot can be held against it."""
        self.last_frame_ns = 0
        """When the last frame or snapshot came, UNIX ns."""
        self.publishes_deltas = True
        self._book: OrderBook | None = None
        self._best: tuple[object, ...] = ()
        self._published = False

    @property
    def publishes_quotes(self) -> bool:
        return self._book is not None

    def want_quotes(self, wanted: bool) -> None:
        """Keep the best prices and publish a quote at each change. They begin with the next snapshot."""
        self._book = OrderBook(self.parser.instrument_id, BookType.L2_MBP) if wanted else None
        self._best = ()

    def on_update(self, update: DepthUpdate, pushed: WireMillis | None, now_ns: int) -> list[Data]:
        """A frame. MexcPayloadError when it cannot be read, after which the book has to be `lost`."""
        self.last_frame_ns = now_ns
        self.has_frames = True
        if update.cts is None:  # a held frame keeps its time
            update = msgspec.structs.replace(update, cts=pushed)
        step = self.sequencer.on_update(update)
        if step is Step.APPLY:
            return self._publish(self.parser.deltas(update, now_ns), now_ns)
        return self._empty(now_ns) if step is Step.RESYNC else []

    def on_snapshot(self, snapshot: DepthSnapshot, now_ns: int) -> list[Data]:
        """A snapshot that was asked for. When it cannot be joined, `wants_snapshot` stays set."""
        held = self.sequencer.on_snapshot(snapshot)
        if held is None:
            return []
        self.wants_snapshot = False
        self.last_frame_ns = now_ns
        data = self._publish(self.parser.book(snapshot, now_ns), now_ns)
        for update in held:
            data += self._publish(self.parser.deltas(update, now_ns), now_ns)
        return data

    def lost(self, now_ns: int) -> list[Data]:
        """The connection is gone, or what it brought cannot be read: start anew."""
        self.sequencer.reset()
        self.has_frames = False
        return self._empty(now_ns)

    def is_behind(self, snapshot: DepthSnapshot) -> bool:
        """Whether the venue has moved on without telling us."""
        version = self.sequencer.version
        return version is None or snapshot.version > version

    def _publish(self, deltas: OrderBookDeltas | None, now_ns: int) -> list[Data]:
        if deltas is None:
            return []
        self._published = True
        data: list[Data] = [deltas] if self.publishes_deltas else []
        if self._book is not None:
            data += self._quotes(self._book, deltas, now_ns)
        return data

    def _quotes(self, book: OrderBook, deltas: OrderBookDeltas, now_ns: int) -> list[Data]:
        book.apply_deltas(deltas)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            return []
        if bid >= ask:
            raise MexcPayloadError("push.depth", "data", f"{self.parser.symbol}: the book is crossed, {bid} to {ask}")
        best = (bid, book.best_bid_size(), ask, book.best_ask_size())
        if best == self._best:
            return []
        self._best = best
        return [self.parser.quote(*best, deltas.ts_event, now_ns)]

    def _empty(self, now_ns: int) -> list[Data]:
        self.wants_snapshot = True
        self._best = ()
        if not self._published:
            return []
        self._published = False
        cleared = self.parser.no_book(0, now_ns)
        if self._book is not None:
            self._book = OrderBook(self.parser.instrument_id, BookType.L2_MBP)
        return [cleared] if self.publishes_deltas else []
