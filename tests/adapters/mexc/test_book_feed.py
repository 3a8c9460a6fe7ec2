"""A book from frames and snapshots to deltas and quotes: empty whenever it is not known."""

from decimal import Decimal

import pytest
from nautilus_trader.core.data import Data
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDeltas, QuoteTick
from nautilus_trader.model.enums import BookAction, BookType

from adapters.mexc.book_feed import BookFeed
from adapters.mexc.errors import MexcPayloadError
from tests.adapters.mexc.small_contracts import NOW, levels, parser, snapshot, update


def book(*, deltas: bool = True, quotes: bool = False) -> BookFeed:
    feed = BookFeed(parser())
    feed.publishes_deltas = deltas
    feed.want_quotes(quotes)
    return feed


def kinds(data: list[Data]) -> list[str]:
    return ["clear" if _is_clear(item) else type(item).__name__ for item in data]


def _is_clear(item: Data) -> bool:
    return isinstance(item, OrderBookDeltas) and len(item.deltas) == 1 and item.deltas[0].action == BookAction.CLEAR


def test_from_the_first_frame_to_a_live_book() -> None:
    """Held frames follow the snapshot, each as its own batch."""
    feed = book()
    assert feed.on_update(update(5, 7, bids=levels(("100.0", 9))), None, NOW) == []
    assert feed.wants_snapshot
    data = feed.on_snapshot(snapshot(6), NOW)
    assert not feed.wants_snapshot
    assert [len(item.deltas) for item in data if isinstance(item, OrderBookDeltas)] == [3, 1]
    (live,) = feed.on_update(update(8, 8, asks=levels(("100.1", 0))), None, NOW)
    assert isinstance(live, OrderBookDeltas)
    rebuilt = OrderBook(feed.parser.instrument_id, BookType.L2_MBP)
    for item in (*data, live):
        rebuilt.apply_deltas(item)
    assert (str(rebuilt.best_bid_price()), str(rebuilt.best_bid_size())) == ("100.0", "9")
    assert rebuilt.best_ask_price() is None


def test_a_gap_empties_the_book_at_once() -> None:
    """And asks for a snapshot; a second gap before it says nothing more."""
    feed = book()
    feed.on_snapshot(snapshot(6), NOW)
    assert kinds(feed.on_update(update(9, 9), 1, NOW)) == ["clear"]
    assert feed.wants_snapshot
    assert feed.on_update(update(12, 12), 1, NOW) == []


def test_an_old_snapshot_leaves_it_waiting() -> None:
    """Nothing is published, and it still wants one."""
    feed = book()
    feed.on_update(update(20, 21), 1, NOW)
    assert feed.on_snapshot(snapshot(6), NOW) == []
    assert feed.wants_snapshot


def test_a_lost_connection_empties_the_book_once() -> None:
    """A second loss has nothing to empty."""
    feed = book()
    feed.on_snapshot(snapshot(6), NOW)
    assert kinds(feed.lost(NOW)) == ["clear"]
    assert feed.lost(NOW) == []
    assert feed.wants_snapshot


def quote(data: list[Data]) -> tuple[str, ...]:
    (tick,) = [item for item in data if isinstance(item, QuoteTick)]
    return (str(tick.bid_price), str(tick.bid_size), str(tick.ask_price), str(tick.ask_size))


def test_quotes_follow_the_best_prices_only() -> None:
    """One a change of the best, none for a change behind it; after the deltas of the same frame."""
    feed = book(quotes=True)
    data = feed.on_snapshot(snapshot(6), NOW)
    assert kinds(data) == ["OrderBookDeltas", "QuoteTick"]
    assert quote(data) == ("100.0", "5", "100.1", "5")
    assert kinds(feed.on_update(update(7, bids=levels(("99.9", 3))), None, NOW)) == ["OrderBookDeltas"]
    assert quote(feed.on_update(update(8, bids=levels(("100.0", 4))), None, NOW)) == ("100.0", "4", "100.1", "5")
    assert kinds(feed.on_update(update(9, bids=levels(("100.0", 4))), None, NOW)) == ["OrderBookDeltas"]


def test_quotes_without_deltas() -> None:
    """Who wants quotes only gets no deltas, not even a clear."""
    feed = book(deltas=False, quotes=True)
    assert kinds(feed.on_snapshot(snapshot(6), NOW)) == ["QuoteTick"]
    assert feed.on_update(update(9, 9), 1, NOW) == []
    assert kinds(feed.on_snapshot(snapshot(8), NOW)) == ["QuoteTick"]


def test_no_quote_with_an_empty_side() -> None:
    """A quote has two sides."""
    feed = book(quotes=True)
    assert kinds(feed.on_snapshot(snapshot(6, bids=[]), NOW)) == ["OrderBookDeltas"]
    assert kinds(feed.on_update(update(7, bids=levels(("99.0", 1))), None, NOW)) == ["OrderBookDeltas", "QuoteTick"]


def test_a_crossed_book_is_an_error() -> None:
    """Whoever reads frames empties the book then."""
    feed = book(quotes=True)
    feed.on_snapshot(snapshot(6), NOW)
    with pytest.raises(MexcPayloadError, match=r"the book is crossed, 100\.1 to 100\.1"):
        feed.on_update(update(7, bids=levels(("100.1", 1))), None, NOW)
    assert kinds(feed.lost(NOW)) == ["clear"]


def test_held_frames_keep_the_time_of_their_push() -> None:
    """Frames without the engine's time, as before 2026-06."""
    feed = book()
    old = update(7, bids=levels(("99.0", 1)), cts=5)
    feed.on_update(type(old)(asks=[], bids=old.bids, version=7), 1_790_870_000_000, NOW)
    data = feed.on_snapshot(snapshot(6), NOW)
    assert data[1].ts_event == 1_790_870_000_000 * 1_000_000


def test_behind() -> None:
    """A snapshot beyond what was applied shows that the stream has died."""
    feed = book()
    feed.on_snapshot(snapshot(6), NOW)
    assert not feed.is_behind(snapshot(6))
    assert not feed.is_behind(snapshot(5))
    assert feed.is_behind(snapshot(7))


def test_unreadable_numbers_are_errors() -> None:
    """A price between ticks: the definition has changed."""
    feed = book()
    feed.on_snapshot(snapshot(6), NOW)
    with pytest.raises(MexcPayloadError, match="its definition has changed"):
        feed.on_update(update(7, bids=levels((str(Decimal("99.95")), 1))), None, NOW)
