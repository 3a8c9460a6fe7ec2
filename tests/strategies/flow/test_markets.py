"""Price steps, grouped levels, prices that are fresh or not."""

import math

from strategies.flow.groups import new_asset
from strategies.flow.markets import add_market, market_price
from tests.strategies.flow.world import SMALL

FRACTION = 0.5e-4


def test_a_market_price_is_fresh_or_missing() -> None:
    """The mid of a book not older than `stale_seconds`; the last trade where there is no book."""
    states = new_asset(SMALL)
    for has_book in (True, False):
        add_market(states, is_perp=True, has_book=has_book, price_places=1, size_places=1, multiplier=1.0)
    state = states[0]
    book, bookless = state["markets"][0], state["markets"][1]
    book["bid"], book["ask"], book["book_ns"] = 1000, 1002, 10
    bookless["last_price"], bookless["trade_ns"] = 99.0, 10
    stale = 10 + 3_000_000_000
    assert [market_price(states[0], n, stale) for n in (0, 1)] == [100.1, 99.0]
    assert all(math.isnan(market_price(states[0], n, stale + 1)) for n in (0, 1))
