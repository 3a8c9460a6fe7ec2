"""The market out of a seed."""

from itertools import islice, pairwise

import pytest

from adapters.loopback.feed.events import BookUpdate, TradeUpdate, apply
from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.order import Side


def test_the_same_seed_makes_the_same_market_and_another_another() -> None:
    def first(seed: int) -> list[object]:
        return list(islice(SyntheticFeed(4, seed=seed).events(), 500))

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_it_lists_as_many_contracts_as_asked_each_with_its_own_name() -> None:
    contracts = SyntheticFeed(150).contracts()
    assert len({contract.symbol for contract in contracts}) == 150
    assert [c.symbol for c in SyntheticFeed(("ETH", "XYZ")).contracts()] == ["ETH_USDT", "XYZ_USDT"]
    with pytest.raises(ValueError, match="at least one"):
        SyntheticFeed(0)


def test_its_books_are_two_sided_and_its_trades_are_within_them() -> None:
    """2,000 events into an exchange: no crossed book, no empty side, every trade at what rested there."""
    feed = SyntheticFeed(2, seed=3)
    exchange = Exchange(lambda: 0)
    for contract in feed.contracts():
        exchange.add_market(contract)
    trades = updates = 0
    for _, event in islice(feed.events(), 2_000):
        if isinstance(event, TradeUpdate) and exchange.markets[event.symbol].fair is not None:
            trades += 1
            assert exchange.markets[event.symbol].best(event.side.opposite) == event.price
        updates += isinstance(event, BookUpdate)
        apply(exchange, event)
    assert trades > 300
    assert updates > 600
    for market in exchange.markets.values():
        assert len(market.levels(Side.BUY)) > 20
        assert len(market.levels(Side.SELL)) > 20
        assert market.prints
        assert market.funding.rate
    assert not problems(exchange)


def test_its_history_is_minute_bars_that_join() -> None:
    bars = SyntheticFeed(1, seed=3).history("BTC_USDT", 1_000_000)
    assert bars[-1].start_s + 60 <= 1_000_000
    assert all(b.start_s - a.start_s == 60 and b.open == a.close for a, b in pairwise(bars))
    assert all(bar.low <= min(bar.first, bar.close) <= max(bar.first, bar.close) <= bar.high for bar in bars)
