"""Venues as the decision sees them, out of a real engine's cache: books around 1000, accounts of 100,000 each."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.instruments import Instrument

from catalog.markets import Market, MarketKind
from strategies.candidates import CandidateSettings, Level, Passed, Touch, VenueView, Why, candidate_on
from strategies.minute_history import MINUTE_NS, Correlations
from strategies.resting_liquidity import MAGNET_STRENGTH
from strategies.sizing import SizeRules
from strategies.targets import Source, Wall
from strategies.trading_venues import Terms, TradingVenues
from tests.strategies.candidate_views import allowed, setup
from tests.strategies.conftest import Levels, Stage, at, book_frame, funding_of, listed, signal
from tests.strategies.venue_markets import BTC, BYBIT, MEXC, TENTHS, venues_of

D = Decimal
BIDS = [("1000.0", "1"), ("999.5", "2"), ("999.0", "3"), ("998.9", "9")]
ASKS = [("1000.1", "1"), ("1001.1", "2"), ("1001.2", "9")]
EQUITY = D(12_345)
LOOK = 5.25


def levels(pairs: Levels) -> tuple[Level, ...]:
    return tuple(Level(D(price), D(size)) for price, size in pairs)


def ten_thousand(pairs: Levels) -> Levels:
    """The same sizes in contracts of a ten-thousandth."""
    return [(price, str(10_000 * int(size))) for price, size in pairs]


def asked[T](
    one: Stage,
    data: Sequence[Any],
    ask: Callable[[TradingVenues], T],
    *,
    traded: Sequence[Instrument] = (),
    now: float = LOOK,
    features: dict[str, float] | None = None,
    **of: Any,
) -> T:
    """What is answered a quarter of a second after 5; `now` is the time that a scan then says it is."""
    snapshot = signal(5, 0.0, **{"price": 1000.05} | (features or {}))
    venues = venues_of(one.engine.kernel.cache, *(traded or one.instruments), **of)
    found: list[T] = []

    def look(seconds: float) -> None:
        if seconds == LOOK:
            venues.begin(at(now), [snapshot], EQUITY)
            found.append(ask(venues))

    one.play(data, until=6, signals=[snapshot], look=look)
    return found[0]


def view_of(one: Stage, data: Sequence[Any], **of: Any) -> VenueView:
    return asked(one, data, lambda venues: venues.views("BTC"), **of)[0]


# -- books -------------------------------------------------------------------------------------------------------------


def test_levels_as_far_as_an_entry_may_walk(stage) -> None:
    """10 bps are 1.0: bids to 999.0 and asks to 1001.1, best first; the level at the limit is within it."""
    found = view_of(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS)])
    assert (found.bids, found.asks) == (levels(BIDS[:3]), levels(ASKS[:2]))
    nearest = view_of(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS)], entry_reach_bps=D(0))
    assert (nearest.bids, nearest.asks) == (levels(BIDS[:1]), levels(ASKS[:1]))


def test_no_more_levels_than_could_ever_be_taken(stage) -> None:
    """Half of what is seen may be taken, and our own cap is 1250: 2.5 units are enough, of either side."""
    found = view_of(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS)], max_notional=D(1250), depth_share=D("0.5"))
    assert found.bids == levels([("1000.0", "1"), ("999.5", "1.5")])
    assert found.asks == levels([("1000.1", "1"), ("1001.1", "1.5")])


def test_contracts_count_in_base_units(stage) -> None:
    """10,000 contracts of a ten-thousandth are one unit; the venue's own rules stay in contracts."""
    one = stage(MEXC)
    found = view_of(one, [book_frame(MEXC, 1, ten_thousand(BIDS), ten_thousand(ASKS))])
    assert (found.bids, found.asks) == (levels(BIDS[:3]), levels(ASKS[:2]))
    assert found.rules == SizeRules(step=D(1), multiplier=D("0.0001"))
    one = stage(MEXC)
    few = view_of(one, [book_frame(MEXC, 1, ten_thousand(BIDS), ten_thousand(ASKS))], max_notional=D(500))
    assert few.bids == levels([("1000.0", "1"), ("999.5", "1.5")])


def test_a_market_without_a_book(stage) -> None:
    """No price has been heard: no levels, no age, no touch."""
    found, (touch,), best = asked(
        stage(BTC), [], lambda venues: (venues.views("BTC")[0], venues.touches("BTC"), venues.best(BTC))
    )
    assert (found.bids, found.asks, found.book_age_seconds, best) == ((), (), None, None)
    assert (math.isnan(touch.bid), math.isnan(touch.ask)) == (True, True)


def test_a_book_with_an_empty_side(stage) -> None:
    """The other side alone is no book; its touch is told as it is."""
    found, (touch,), best = asked(
        stage(BTC),
        [book_frame(BTC, 1, BIDS, [])],
        lambda venues: (venues.views("BTC")[0], venues.touches("BTC"), venues.best(BTC)),
    )
    assert (found.bids, found.asks, best) == ((), (), None)
    assert (touch.bid, math.isnan(touch.ask)) == (1000.0, True)


def test_the_touch_of_every_venue(stage) -> None:
    """Best prices, tick, fees and funding as plain numbers, in the order of the markets."""
    data = [
        book_frame(BTC, 1, BIDS, ASKS),
        book_frame(BYBIT, 1, [("999.8", "1")], [("999.9", "1")]),
        funding_of(BYBIT, "-0.0003", due=600),
    ]
    found = asked(stage(BTC, BYBIT), data, lambda venues: venues.touches("BTC"))
    assert found == [
        Touch("BINANCE", 1000.0, 1000.1, 0.1, 0.0005, 0.0002, None, None),
        Touch("BYBIT", 999.8, 999.9, 0.1, 0.0006, -0.0001, -0.0003, at(600)),
    ]


def test_an_asset_that_is_not_traded_has_no_venue(stage) -> None:
    """Nothing to look at, and no error."""
    assert asked(stage(BTC), [], lambda venues: (venues.touches("ETH"), venues.views("ETH"))) == ([], [])


# -- age ---------------------------------------------------------------------------------------------------------------


def by_the_venue(frame: OrderBookDeltas, seconds: float) -> OrderBookDeltas:
    """The same frame, heard when it was, stamped by the venue with another second."""
    rows = [OrderBookDelta.to_dict(delta) | {"ts_event": at(seconds)} for delta in frame.deltas]
    return OrderBookDeltas(frame.instrument_id, [OrderBookDelta.from_dict(row) for row in rows])


@pytest.mark.parametrize(
    ("stamped", "age"),
    [
        (1.0, "4.25"),
        (5.0, "0.25"),
        (5.25, "0.0"),
        (5.75, "0.0"),  # half a second ahead
        (6.25, "0.0"),
        (6.5, "-1.25"),
        (65.0, "-59.75"),
    ],
)
def test_the_age_of_a_book(stage, stamped: float, age: str) -> None:
    """By the venue's own time of its last change; a clock that is a second ahead or less is as good as ours."""
    data = [by_the_venue(book_frame(BTC, 5, BIDS, ASKS), stamped)]
    assert view_of(stage(BTC), data).book_age_seconds == D(age)


def test_a_book_far_ahead_of_our_clock_is_not_traded(stage) -> None:
    """A minute ahead it is not fresh but wrong, and says so."""
    data = [by_the_venue(book_frame(BTC, 5, BIDS, ASKS), 65), funding_of(BTC)]
    passed = candidate_on(view_of(stage(BTC), data), setup(ts=at(5), atr=5.0), CandidateSettings(), allowed)
    assert isinstance(passed, Passed)
    assert (passed.why, passed.detail) == (Why.STALE, "the book is 59.75 s from the future: check the clocks")


def test_a_book_ages_while_nothing_changes(stage) -> None:
    """A minute after the frame, on the clock of the scan."""
    assert view_of(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS)], now=61).book_age_seconds == 60


# -- funding, accounts, terms ------------------------------------------------------------------------------------------


def test_funding_that_was_heard_of(stage) -> None:
    """The last rate, exact, and when it is due; nothing before any was told."""
    book = book_frame(BTC, 1, BIDS, ASKS)
    found = view_of(stage(BTC), [book, funding_of(BTC, "0.00012345", due=300)])
    assert (found.funding_rate, found.next_funding_ns) == (D("0.00012345"), at(300))
    found = view_of(stage(BTC), [book])
    assert (found.funding_rate, found.next_funding_ns) == (None, None)


def test_what_the_account_has(stage) -> None:
    """Free margin and leverage are the venue's, equity is what the scan says that all venues have together."""
    found = view_of(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS)])
    assert (found.equity, found.free_margin, found.leverage) == (EQUITY, 100_000, 10)
    assert (found.taker_fee, found.maker_fee, found.maintenance_rate) == (D("0.0005"), D("0.0002"), D("0.005"))


def test_all_accounts_together(stage) -> None:
    """One of 100,000 on each venue, counted once however many markets are traded there."""
    eth = listed(Market("BINANCE", MarketKind.PERP, "ETHUSDT"), replace(TENTHS, base="ETH"))
    assert asked(stage(BTC, eth, BYBIT), [], lambda venues: venues.balance()) == 200_000


def test_an_account_that_is_missing_is_not_empty(stage) -> None:
    """Of a venue that has not reported an account nothing is known: not its margin, and not the equity of all."""
    one = stage(BTC)
    found, total = asked(one, [], lambda venues: (venues.views("BTC")[1], venues.balance()), traded=(BTC, MEXC))
    assert (found.venue, found.free_margin, total) == ("MEXC", None, None)


def test_equity_that_is_not_known_is_told_as_that(stage) -> None:
    """And keeps every candidate out."""

    def ask(venues: TradingVenues) -> VenueView:
        venues.begin(at(LOOK), [signal(5, 0.0, price=1000.05)], None)
        return venues.views("BTC")[0]

    found = asked(stage(BTC), [book_frame(BTC, 1, BIDS, ASKS), funding_of(BTC)], ask)
    assert found.equity is None
    passed = candidate_on(found, setup(ts=at(5), atr=5.0), CandidateSettings(), allowed)
    assert isinstance(passed, Passed)
    assert (passed.why, passed.detail) == (Why.MISSING, "equity is not known")


def test_terms_are_the_instruments() -> None:
    """Rules in the venue's own units, where it has any."""
    terms = Terms.of(BTC, "0.004")
    assert terms.rules == SizeRules(D("0.001"), D(1), D("0.002"), D(500), D(5))
    assert (terms.venue, terms.tick, terms.maintenance_rate) == ("BINANCE", D("0.1"), D("0.004"))
    assert Terms.of(MEXC, "0").rules == SizeRules(D(1), D("0.0001"))


@pytest.mark.parametrize("rate", ["1", "-0.001", "NaN", "half a percent", ""])
def test_a_maintenance_rate_is_a_fraction(rate: str) -> None:
    """The error names the market and what was given."""
    with pytest.raises(ValueError, match=f"BTCUSDT-PERP.BINANCE has maintenance rate '{rate}'"):
        Terms.of(BTC, rate)


# -- what the lead tells -----------------------------------------------------------------------------------------------


def test_walls_lie_about_the_venues_own_mid(stage) -> None:
    """10 bps above the lead's mid are 10 bps above this one's, which is half: 500.5."""
    told = {"ask_wall_bps": 10.0, "ask_wall_strength": 6.0, "bid_magnet_bps": 20.0}
    book = book_frame(BTC, 1, [("499.9", "1")], [("500.1", "1")])
    found = view_of(stage(BTC), [book], features=told)
    assert found.walls == (Wall(D(499), MAGNET_STRENGTH, Source.MAGNET), Wall(D("500.5"), D(6)))
    assert view_of(stage(BTC), [], features=told).walls == ()


def test_swings_are_moved_by_the_basis(stage) -> None:
    """The lead at 1000 had a low of 980 and no high: half of it here, where the mid is 500."""
    seen = Correlations(10, 2, 0.0, 1)
    for minute, price in enumerate((1000.0, 980.0, 1000.0, 1000.0)):
        seen.update("BTC", minute * MINUTE_NS, price)
    book = book_frame(BTC, 1, [("499.9", "1")], [("500.1", "1")])
    for features, low in (({"price": 1000.0}, D(490)), ({"price": math.nan}, None)):
        found = view_of(stage(BTC), [book], features=features, correlations=seen)
        assert (found.swing_low, found.swing_high) == (low, None)
    assert view_of(stage(BTC), [book], features={"price": 1000.0}).swing_low is None
