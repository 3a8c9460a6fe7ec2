"""Playing a feed at a speed."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from adapters.loopback.bars import Bar
from adapters.loopback.feed.driver import FeedDriver
from adapters.loopback.feed.events import FeedEvent, PriceUpdate
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.exchange import Exchange


class Hours:
    """A fair price every hour: 1, 2, 3."""

    def contracts(self) -> list[Contract]:
        return [Contract("X_USDT", "X", "USDT", Decimal(1), Decimal(1))]

    def history(self, symbol: str, end_s: int) -> list[Bar]:
        return []

    def events(self) -> Iterator[tuple[float, FeedEvent]]:
        for hour in (0, 1, 2):
            yield 3600.0 * hour, PriceUpdate("X_USDT", fair=Decimal(hour + 1))


def exchange() -> Exchange:
    exchange = Exchange(lambda: 0)
    exchange.add_market(Hours().contracts()[0])
    return exchange


def test_hours_pass_in_no_time_at_a_high_speed() -> None:
    venue = exchange()
    driver = FeedDriver(venue, Hours(), speed=1e6)
    asyncio.run(driver.run())
    assert (driver.applied, venue.markets["X_USDT"].fair) == (3, 3)


def test_the_start_is_applied_at_once_with_one_event_more() -> None:
    venue = exchange()
    FeedDriver(venue, Hours()).prime()
    assert venue.markets["X_USDT"].fair == 2


def test_time_does_not_stand_still_or_go_backwards() -> None:
    with pytest.raises(ValueError, match="positive"):
        FeedDriver(exchange(), Hours(), speed=0)
