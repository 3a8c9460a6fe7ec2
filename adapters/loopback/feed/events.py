"""What a feed tells the engine, and how it is taken. Volumes are contracts."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from adapters.loopback.bars import Bar
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.order import Side


@dataclass(frozen=True)
class BookUpdate:
    """Levels with their absolute volumes, 0 for gone; a snapshot is the whole book."""

    symbol: str
    rows: tuple[tuple[Side, Decimal, Decimal], ...]
    snapshot: bool = False


@dataclass(frozen=True)
class TradeUpdate:
    """A trade; `side` is the taker's."""

    symbol: str
    side: Side
    price: Decimal
    vol: Decimal


@dataclass(frozen=True)
class PriceUpdate:
    """Reference prices; None: unchanged."""

    symbol: str
    fair: Decimal | None = None
    index: Decimal | None = None


@dataclass(frozen=True)
class FundingUpdate:
    """The rate of the coming settlement."""

    symbol: str
    rate: Decimal


@dataclass(frozen=True)
class InterestUpdate:
    symbol: str
    contracts: Decimal


type FeedEvent = BookUpdate | TradeUpdate | PriceUpdate | FundingUpdate | InterestUpdate


class Feed(Protocol):
    """A market to trade against."""

    def contracts(self) -> list[Contract]:
        """What is listed."""

    def history(self, symbol: str, end_s: int) -> list[Bar]:
        """Minute bars before `end_s` (UNIX seconds), oldest first; empty where there are none."""

    def events(self) -> Iterator[tuple[float, FeedEvent]]:
        """(seconds since the start, event), in order of time; may go on for ever."""


def apply(exchange: Exchange, event: FeedEvent) -> None:
    """Let the event happen on the exchange."""
    match event:
        case BookUpdate():
            exchange.feed_book(event.symbol, event.rows, snapshot=event.snapshot)
        case TradeUpdate():
            exchange.feed_trade(event.symbol, event.side, event.price, event.vol)
        case PriceUpdate():
            exchange.feed_prices(event.symbol, fair=event.fair, index=event.index)
        case FundingUpdate():
            exchange.market(event.symbol).funding.rate = event.rate
        case InterestUpdate():
            exchange.market(event.symbol).open_interest = event.contracts
