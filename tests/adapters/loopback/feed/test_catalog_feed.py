"""A catalog as the market of a local venue."""

from collections import Counter
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from adapters.loopback.feed.catalog import CatalogFeed
from adapters.loopback.feed.events import BookUpdate, TradeUpdate, apply
from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.exchange import Exchange
from catalog.ledger import CatalogError
from catalog.sample_market import write_sample_market


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes of BTC and ETH on MEXC."""
    root = tmp_path_factory.mktemp("catalog") / "market"
    write_sample_market(root, seed=5, hours=0.05, assets=2, venues=("MEXC",))
    return root


def test_it_lists_the_perpetuals_of_the_venue_in_contracts(root: Path) -> None:
    btc, eth = CatalogFeed(root).contracts()
    assert (btc.symbol, btc.size, btc.tick, btc.step) == ("BTC_USDT", Decimal("0.0001"), Decimal("0.1"), 1)
    assert (eth.symbol, eth.size) == ("ETH_USDT", Decimal("0.01"))


def test_its_events_come_in_order_and_make_a_sound_market(root: Path) -> None:
    feed = CatalogFeed(root)
    exchange = Exchange(lambda: 0)
    for contract in feed.contracts():
        exchange.add_market(contract)
    last, kinds = 0.0, Counter[str]()
    for at, event in feed.events():
        assert at >= last
        last = at
        kinds[type(event).__name__] += 1
        apply(exchange, event)
    assert 170 < last < 190
    assert set(kinds) == {"BookUpdate", "TradeUpdate", "PriceUpdate", "FundingUpdate", "InterestUpdate"}
    market = exchange.markets["BTC_USDT"]
    assert market.fair is not None
    assert market.open_interest
    assert not problems(exchange)


def test_the_book_begins_with_a_snapshot(root: Path) -> None:
    first = next(e for _, e in CatalogFeed(root).events() if isinstance(e, BookUpdate))
    assert first.snapshot
    assert len(first.rows) > 20


def test_what_is_warm_up_is_history_and_not_played(root: Path) -> None:
    """Of three minutes one is history: its trades are bars, its book is where the market starts."""
    whole, rest = CatalogFeed(root), CatalogFeed(root, warm_up_minutes=1)
    trades = [e for at, e in whole.events() if isinstance(e, TradeUpdate) and at >= 60]
    assert [e for _, e in rest.events() if isinstance(e, TradeUpdate)] == trades
    assert all(at == 0.0 for at, _ in islice(rest.events(), 100))
    bars = rest.history("BTC_USDT", 1_000_000)
    assert 1 <= len(bars) <= 2
    assert all(bar.start_s < 1_000_000 for bar in bars)
    assert whole.history("BTC_USDT", 1_000_000) == []


def test_a_catalog_without_the_venue_says_so(root: Path) -> None:
    with pytest.raises(CatalogError, match="no perpetual of BYBIT"):
        CatalogFeed(root, venue="BYBIT")
