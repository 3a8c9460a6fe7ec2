"""The compiled ladder that research reads, beside Nautilus's book, on the recorded Binance captures."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDeltas
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.objects import FIXED_PRECISION, Price

from backtests.series_rows import SIDES, Rows, SeriesFile
from catalog.store import Catalog
from catalog.tables import ASK, BID, CLEAR, Kind
from indicators.ladder import Ladder
from strategies.flow.markets import band_limits
from strategies.flow_actor import NautilusBookView
from strategies.ladder_view import LadderView
from tests.backtests.recorded import CAPTURES, PERPS, Capture, events, needs_captures, raw_events

pytestmark = needs_captures

TAKER = {BID: OrderSide.SELL, ASK: OrderSide.BUY}  # whose order would meet the level
WHOLE_EVERY = 100  # frames: reading all 6,000 levels off Nautilus's book takes 8 ms


class Books:
    """One market's book kept twice from a catalog: by Nautilus, and by a ladder off the columns of the bulk driver."""

    def __init__(self, catalog: Catalog, capture: Capture) -> None:
        instrument = catalog.instruments()[0]
        self.places, self.size_places = instrument.price_precision, instrument.size_precision
        self.raw_per_unit = 10 ** (FIXED_PRECISION - self.places)
        self.nautilus = OrderBook(instrument.id, BookType.L2_MBP)
        self.ladder = Ladder()
        self._events = (e for e in events(catalog, capture) if isinstance(e, OrderBookDeltas))
        (series,) = (s for s in catalog.ledger.series() if s.kind == Kind.BOOK)
        file = SeriesFile.of_span(catalog.root / series.path, Kind.BOOK, 0, 2**63 - 1)
        self._rows = (row for batch in file.batches() for row in _tuples(batch))

    def frames(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Put frame after frame into both: yields its update id and the levels it touched, (side, price in units)."""
        for event in self._events:
            self.nautilus.apply_deltas(event)
            touched = []
            for _ in event.deltas:
                price, size, action, side = next(self._rows)
                self.ladder.apply(side, action, price, size)
                if action != CLEAR:
                    touched.append((side, price))
            yield event.sequence, touched
        assert next(self._rows, None) is None

    def size_in_nautilus(self, side: int, price: int) -> Decimal:
        level = Price.from_raw(price * self.raw_per_unit, self.places)
        found: Decimal = self.nautilus.get_quantity_at_level(level, TAKER[side], self.size_places).as_decimal()
        return found

    def size_in_ladder(self, side: int, price: int) -> Decimal:
        prices, sizes = self.ladder.levels_within(side, price)
        size = sizes[-1] if len(prices) and prices[-1] == price else 0.0
        return Decimal(int(size)).scaleb(-self.size_places)

    def whole_of_nautilus(self, side: int) -> tuple[list[int], list[Decimal]]:
        levels = self.nautilus.bids() if side == BID else self.nautilus.asks()
        unit = Decimal(10) ** -self.size_places
        prices = [level.price.raw // self.raw_per_unit for level in levels]
        return prices, [Decimal(str(level.size())).quantize(unit) for level in levels]

    def whole_of_ladder(self, side: int) -> tuple[list[int], list[Decimal]]:
        prices, sizes = self.ladder.levels(side)
        return prices.tolist(), [Decimal(int(size)).scaleb(-self.size_places) for size in sizes]


def _tuples(batch: Rows) -> Iterator[tuple[int, float, int, int]]:
    for price, size, code in zip(batch.whole.tolist(), batch.amount.tolist(), batch.code.tolist(), strict=True):
        yield price, size, code // SIDES, code % SIDES


@pytest.mark.parametrize("name", CAPTURES)
def test_the_ladder_is_nautilus_book_after_every_event(name: str, catalogs: dict[str, Catalog]) -> None:
    """After each frame best prices and every level it touched, and each hundredth time all levels, are the same."""
    books = Books(catalogs[name], CAPTURES[name])
    count = 0
    for count, (sequence, touched) in enumerate(books.frames(), 1):
        best = books.nautilus.best_bid_price(), books.nautilus.best_ask_price()
        assert books.ladder.best() == tuple(None if p is None else p.raw // books.raw_per_unit for p in best), sequence
        for side, price in touched:
            assert books.size_in_ladder(side, price) == books.size_in_nautilus(side, price), (sequence, side, price)
        if count % WHOLE_EVERY == 1:
            for side in (BID, ASK):
                assert books.whole_of_ladder(side) == books.whole_of_nautilus(side), sequence
    assert count > 3_000
    for side in (BID, ASK):
        assert books.whole_of_ladder(side) == books.whole_of_nautilus(side)


@pytest.mark.parametrize("name", PERPS)
def test_the_ladder_is_the_book_ticker_at_every_shared_update(name: str, catalogs: dict[str, Catalog]) -> None:
    """Best prices and their sizes equal the venue's own, wherever depth and bookTicker have an update id in common."""
    tickers = {d["u"]: d for _, kind, d in raw_events(CAPTURES[name]) if kind == "bookTicker"}
    books = Books(catalogs[name], CAPTURES[name])
    shared = 0
    for sequence, _ in books.frames():
        ticker = tickers.get(sequence)
        if ticker is None:
            continue
        shared += 1
        for side, price, size in ((BID, "b", "B"), (ASK, "a", "A")):
            prices, sizes = books.ladder.levels(side, 1)
            found = Decimal(int(prices[0])).scaleb(-books.places), Decimal(int(sizes[0])).scaleb(-books.size_places)
            assert found == (Decimal(ticker[price]), Decimal(ticker[size])), sequence
    assert shared > 100


@pytest.mark.parametrize("name", PERPS)
def test_both_views_of_a_book_say_the_same(name: str, catalogs: dict[str, Catalog]) -> None:
    """Best, depth within bands and levels within reach agree, in whatever order the sizes are summed."""
    books = Books(catalogs[name], CAPTURES[name])
    ours = LadderView(books.ladder, books.size_places)
    theirs = NautilusBookView(books.nautilus, books.places, books.size_places)
    looked = 0
    for count, _ in enumerate(books.frames()):
        if count % 50:
            continue
        looked += 1
        best = ours.best()
        assert best is not None
        assert best == theirs.best()
        for bps in (5.0, 10.0, 25.0, 40.0):
            low, high = band_limits(*best, bps)
            bands = (best[0], low, low - 7), (best[1], high, high + 7)
            assert [round(d, 6) for d in ours.depths(*bands)] == [round(d, 6) for d in theirs.depths(*bands)]
            for mine, other in (
                (ours.levels_down_to(low), theirs.levels_down_to(low)),
                (ours.levels_up_to(high), theirs.levels_up_to(high)),
            ):
                assert mine[0].tolist() == other[0].tolist()
                assert np.array_equal(mine[1], other[1])
    assert looked > 100
