"""What can be subscribed: a method and its parameters made into a topic."""

from dataclasses import dataclass
from typing import Any

from adapters.loopback.mexc.codes import ApiError
from adapters.loopback.mexc.market_rest import INTERVALS
from adapters.loopback.mexc.venue import Venue

FULL_LIMITS = (5, 10, 20, 50)
DEFAULT_FULL_LIMIT = 20
ONCE_A_SYMBOL = frozenset({"depth", "depth.full", "depth.step", "deal"})
"""Channels of which a socket has one form a symbol: another subscription replaces the first."""
WITHOUT_SYMBOL = frozenset({"tickers", "contract"})
CHANNELS = ONCE_A_SYMBOL | WITHOUT_SYMBOL | {"ticker", "kline", "funding.rate", "index.price", "fair.price"}


@dataclass(frozen=True)
class Topic:
    """A stream. `variant` is the interval, the number of levels or the step; `merged` is how it comes by default."""

    channel: str
    symbol: str = ""
    variant: str = ""
    merged: bool = True


def channel_of(method: str) -> tuple[str, str] | None:
    """("sub" or "unsub", channel), or None for a method that the venue does not know."""
    verb, _, channel = method.partition(".")
    if verb == "usub":  # as the documentation spells it once
        verb = "unsub"
    return (verb, channel) if verb in ("sub", "unsub") and channel in CHANNELS else None


def topic_of(venue: Venue, channel: str, param: dict[str, Any]) -> Topic | None:
    """The topic of a subscription; None where its parameters make no sense, which the venue answers by silence.

    Raises ApiError for a contract that does not exist, in the words of the socket.
    """
    if channel in WITHOUT_SYMBOL:
        return Topic(channel)
    symbol = str(param.get("symbol", ""))
    if symbol not in venue.listings:
        raise ApiError(1001, f"Contract [{symbol}] not exists")
    merged = param.get("compress", True) is not False
    if channel == "kline":
        interval = str(param.get("interval", ""))
        return Topic(channel, symbol, interval) if interval in INTERVALS else None
    if channel == "depth.full":
        limit = param.get("limit", DEFAULT_FULL_LIMIT)
        return Topic(channel, symbol, str(limit)) if limit in FULL_LIMITS else None
    if channel == "depth.step":
        step = str(param.get("step", ""))
        steps = {f"{venue.exchange.markets[symbol].contract.tick * 10**power:f}" for power in range(4)}
        return Topic(channel, symbol, step) if step in steps else None
    return Topic(channel, symbol, merged=merged)
