"""Of a book no more levels are read than could ever be taken: that must change nothing that is decided."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDeltas
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.instruments import Instrument

from strategies.candidates import Candidate, CandidateSettings, Level, candidate_on
from tests.strategies.candidate_views import allowed, setup
from tests.strategies.conftest import at, book_frame, signal
from tests.strategies.venue_markets import BTC, MEXC, venues_of

D = Decimal


class OneBook:
    """A cache with a book and nothing else."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book

    def order_book(self, _: Any) -> OrderBook:
        return self._book

    def account_for_venue(self, _: Any) -> None:
        return None

    def funding_rate(self, _: Any) -> None:
        return None


SIDES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4000)), min_size=1, max_size=8)
"""Of each level, ticks from the one before, and size steps."""
FRACTIONS = st.sampled_from((D("0.05"), D("0.2"), D("0.33"), D(1)))
LARGE = {"equity": D(10**6), "free_margin": D(10**6), "funding_rate": D(0), "next_funding_ns": at(10**6)}


def frame_of(instrument: Instrument, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> OrderBookDeltas:
    step, rows = instrument.size_increment.as_decimal(), {1: [], -1: []}
    for side, book in ((-1, bids), (1, asks)):
        ticks = 0
        for after, size in book:
            ticks += after
            rows[side].append((str(1000 + side * ticks * D("0.1")), str(size * step)))
    return book_frame(instrument, 0, rows[-1], rows[1])


@settings(max_examples=300)
@given(
    st.sampled_from((BTC, MEXC)),
    SIDES,
    SIDES,
    st.sampled_from((1, -1)),
    FRACTIONS,
    st.sampled_from((D(1), D(100), D(700), D(3333), D(50_000))),
    st.sampled_from((D(0), D(10), D(40))),
    st.sampled_from((D("0.0005"), D("0.05"))),
)
def test_the_limit_on_levels_changes_no_candidate(
    instrument: Instrument,
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    side: int,
    share: Decimal,
    most: Decimal,
    reach: Decimal,
    risk: Decimal,
) -> None:
    """Held against a view of the whole book: the same size, capped by the same rule, at the same prices and costs."""
    book = OrderBook(instrument.id, BookType.L2_MBP)
    book.apply_deltas(frame_of(instrument, bids, asks))
    of: dict[str, Any] = {
        "depth_share": share,
        "max_notional": most,
        "entry_reach_bps": reach,
        "risk_fraction": risk,
        "min_probability": D(0),
    }
    venues = venues_of(OneBook(book), instrument, **of)
    venues.begin(at(0), [signal(0, 0.0, price=1000.0)], None)
    limited = replace(venues.views("BTC")[0], **LARGE)
    unit = instrument.multiplier.as_decimal()
    whole_bids, whole_asks = (
        tuple(Level(level.price.as_decimal(), D(str(level.size())) * unit) for level in one)
        for one in (book.bids(), book.asks())
    )
    whole = replace(limited, bids=whole_bids, asks=whole_asks)
    found, wanted = (
        candidate_on(view, setup(side, 0.99, ts=at(0), atr=5.0), CandidateSettings(**of), allowed)
        for view in (limited, whole)
    )
    if isinstance(wanted, Candidate):
        assert isinstance(found, Candidate)
        assert replace(found, view=whole) == wanted
    else:
        assert found == wanted
