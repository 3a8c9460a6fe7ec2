"""The book channels: unmerged deltas at once, merged ones and whole or bucketed books on the venue's beat."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from adapters.loopback.matching.market import BookChange, Market
from adapters.loopback.matching.order import ZERO, Side
from adapters.loopback.mexc.market_rest import level_row
from adapters.loopback.mexc.topics import Topic
from adapters.loopback.mexc.wire import java

STEP_LEVELS = 20
type Send = Callable[[Topic, Any], None]


@dataclass
class _Pending:
    """Changes since the last merged frame: the latest of every level, and the versions that they span."""

    begin: int = 0
    levels: dict[tuple[Side, Decimal], BookChange] = field(default_factory=dict)


class DepthStream:
    """Turns changes of books into frames. `send` is given the topic and the data."""

    def __init__(self, send: Send, wanted: Callable[[Topic], bool]) -> None:
        self._send = send
        self._wanted = wanted
        self._pending: dict[str, _Pending] = {}
        self._full_versions: dict[Topic, int] = {}

    def on_change(self, market: Market, change: BookChange) -> None:
        """Take a change: it goes out unmerged at once, and waits for the merged frame."""
        raw = Topic("depth", market.symbol, merged=False)
        if self._wanted(raw):
            row = [change_row(change)]
            asks, bids = (row, []) if change.side is Side.SELL else ([], row)
            self._send(raw, {"cts": change.ts_ms, "asks": asks, "bids": bids, "version": change.version})
        if self._wanted(Topic("depth", market.symbol)):
            pending = self._pending.setdefault(market.symbol, _Pending(change.version))
            pending.levels[change.side, change.price] = change
        else:
            self._pending.pop(market.symbol, None)

    def flush(self, market: Market) -> None:
        """Send what waits as one merged frame."""
        pending = self._pending.pop(market.symbol, None)
        if pending is None:
            return
        rows: dict[Side, list[list[Any]]] = {Side.BUY: [], Side.SELL: []}
        for (side, _), change in pending.levels.items():
            rows[side].append(change_row(change))
        newest = max(change.version for change in pending.levels.values())
        data = {
            "cts": max(change.ts_ms for change in pending.levels.values()),
            "asks": rows[Side.SELL],
            "bids": rows[Side.BUY],
            "end": newest,
            "begin": pending.begin,
            "version": newest,
        }
        self._send(Topic("depth", market.symbol), data)

    def send_full(self, market: Market, topic: Topic, now_ms: int) -> None:
        """The best levels of both sides, if anything changed since they were sent last."""
        if self._full_versions.get(topic) == market.version:
            return
        self._full_versions[topic] = market.version
        limit = int(topic.variant)
        self._send(
            topic,
            {
                "cts": now_ms,
                "asks": [level_row(*row) for row in market.levels(Side.SELL, limit)],
                "bids": [level_row(*row) for row in market.levels(Side.BUY, limit)],
                "version": market.version,
            },
        )

    def send_step(self, market: Market, topic: Topic, now_ms: int) -> None:
        """The book in buckets of a price step: bids rounded down, asks up."""
        step = Decimal(topic.variant)
        asks, bids = market.levels(Side.SELL), market.levels(Side.BUY)
        self._send(
            topic,
            {
                "askMarketLevelPrice": java(asks[0][0]) if asks else ZERO,
                "asks": _buckets(asks, step, ROUND_CEILING),
                "bidMarketLevelPrice": java(bids[0][0]) if bids else ZERO,
                "bids": _buckets(bids, step, ROUND_FLOOR),
                "ct": now_ms,
                "version": market.version,
            },
        )


def change_row(change: BookChange) -> list[Any]:
    """[price, contracts, orders]; the price of a level that is gone without its zeros, which makes exponents."""
    price = change.price if change.vol else java(change.price)
    return [price, level_row(price, change.vol, change.count)[1], change.count]


def _buckets(levels: list[tuple[Decimal, Decimal, int]], step: Decimal, rounding: str) -> list[list[Any]]:
    buckets: dict[Decimal, list[Any]] = {}
    for price, vol, count in levels:
        bucket = (price / step).to_integral_value(rounding) * step
        row = buckets.setdefault(bucket, [bucket, ZERO, 0])
        row[1] += vol
        row[2] += count
    return list(buckets.values())[:STEP_LEVELS]
