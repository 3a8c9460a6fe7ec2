"""The public channels: what markets do becomes frames for those who subscribed, at the venue's pace."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.loopback.matching.market import BookChange, Market, Print
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.depth_stream import DepthStream
from adapters.loopback.mexc.listing import contract_push
from adapters.loopback.mexc.market_rest import INTERVALS
from adapters.loopback.mexc.session import Session
from adapters.loopback.mexc.tickers import ticker_push, tickers_push_row
from adapters.loopback.mexc.topics import Topic
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import encode, plain


@dataclass(frozen=True)
class Pace:
    """Seconds between frames of a kind."""

    depth: float = 0.2
    deals: float = 0.1
    full: float = 0.3
    ticker: float = 1.0
    tickers: float = 2.0
    kline: float = 0.5
    prices: float = 0.5
    funding: float = 60.0


class PublicStreams:
    """Frames of all markets. `beat` must be called often; it sends what is due."""

    def __init__(self, venue: Venue, sessions: Iterable[Session], pace: Pace) -> None:
        self._venue = venue
        self._sessions = sessions
        self._pace = pace
        self._topics: dict[Topic, int] = {}  # subscribers of each
        self._due: dict[str, float] = {}
        self._deals: defaultdict[str, list[Print]] = defaultdict(list)
        self._traded: defaultdict[str, set[str]] = defaultdict(set)  # symbols with news, by channel
        self._depth = DepthStream(self.send, self.wanted)
        for market in venue.exchange.markets.values():
            market.on_change.append(self._on_change)
            market.on_print.append(self._on_print)
            market.on_prices.append(self._on_prices)

    def subscriptions_changed(self) -> None:
        """Count anew who wants what."""
        self._topics.clear()
        for session in self._sessions:
            for topic in session.topics:
                self._topics[topic] = self._topics.get(topic, 0) + 1

    def wanted(self, topic: Topic) -> bool:
        return topic in self._topics

    def send(self, topic: Topic, data: Any) -> None:
        """A frame to everybody who subscribed the topic."""
        channel = f"push.{topic.channel}"
        frame = {"symbol": topic.symbol, "data": data, "channel": channel, "ts": self._venue.now_ms()}
        if not topic.symbol:
            del frame["symbol"]
        if topic.channel == "depth.step":
            del frame["ts"]
        text = encode(frame)
        for session in list(self._sessions):
            if topic in session.topics:
                session.push(text, channel)

    def send_contract(self, symbol: str) -> None:
        """Tell that a contract's metadata changed."""
        if self.wanted(Topic("contract")):
            frame = {
                "channel": "push.contract",
                "data": contract_push(self._venue.listings[symbol]),
                "symbol": symbol,
                "ts": self._venue.now_ms(),
            }
            text = encode(frame)
            for session in list(self._sessions):
                if Topic("contract") in session.topics:
                    session.push(text, "push.contract")

    def beat(self, now_s: float) -> None:
        """Send what is due; `now_s` is any clock that does not step."""
        if self._is_due("depth", now_s, self._pace.depth):
            for symbol in self._symbols("depth"):
                self._depth.flush(self._venue.exchange.markets[symbol])
        if self._is_due("deals", now_s, self._pace.deals):
            self._send_deals()
        if self._is_due("full", now_s, self._pace.full):
            self._send_books()
        if self._is_due("ticker", now_s, self._pace.ticker):
            for symbol in self._take("ticker"):
                self.send(Topic("ticker", symbol), ticker_push(self._venue, self._venue.exchange.markets[symbol]))
        if self._is_due("tickers", now_s, self._pace.tickers):
            self._send_tickers()
        if self._is_due("kline", now_s, self._pace.kline):
            self._send_klines()
        if self._is_due("prices", now_s, self._pace.prices):
            self._send_prices()
        if self._is_due("funding", now_s, self._pace.funding):
            self._send_funding()

    def _is_due(self, name: str, now_s: float, period_s: float) -> bool:
        if now_s < self._due.get(name, -math.inf):
            return False
        self._due[name] = now_s + period_s
        return True

    def _symbols(self, channel: str) -> list[str]:
        return [topic.symbol for topic in list(self._topics) if topic.channel == channel]

    def _take(self, channel: str) -> list[str]:
        """Subscribed symbols with news since the last time."""
        news, self._traded[channel] = self._traded[channel], set()
        return [symbol for symbol in self._symbols(channel) if symbol in news]

    def _on_change(self, market: Market, change: BookChange) -> None:
        self._depth.on_change(market, change)

    def _on_print(self, market: Market, trade: Print) -> None:
        for channel in ("ticker", "tickers", "kline"):
            self._traded[channel].add(market.symbol)
        raw = Topic("deal", market.symbol, merged=False)
        if self.wanted(raw):
            self.send(raw, [_deal(trade, trade.vol)])
        if self.wanted(Topic("deal", market.symbol)):
            self._deals[market.symbol].append(trade)

    def _on_prices(self, market: Market) -> None:
        self._traded["index.price"].add(market.symbol)
        self._traded["fair.price"].add(market.symbol)

    def _send_deals(self) -> None:
        """Prints of one price and side in a row come as one, with the id and time of the last."""
        waiting, self._deals = self._deals, defaultdict(list)
        for symbol, trades in waiting.items():
            rows: list[dict[str, Any]] = []
            vol = Decimal(0)
            for number, trade in enumerate(trades):
                vol += trade.vol
                following = trades[number + 1] if number + 1 < len(trades) else None
                if following is None or (following.price, following.side) != (trade.price, trade.side):
                    rows.append(_deal(trade, vol))
                    vol = Decimal(0)
            self.send(Topic("deal", symbol), rows)

    def _send_books(self) -> None:
        now = self._venue.now_ms()
        for topic in list(self._topics):
            if topic.channel == "depth.full":
                self._depth.send_full(self._venue.exchange.markets[topic.symbol], topic, now)
            elif topic.channel == "depth.step":
                self._depth.send_step(self._venue.exchange.markets[topic.symbol], topic, now)

    def _send_tickers(self) -> None:
        news, self._traded["tickers"] = self._traded["tickers"], set()
        if news and self.wanted(Topic("tickers")):
            markets = self._venue.exchange.markets
            listed = [symbol for symbol in markets if symbol in news and symbol in self._venue.listings]
            self.send(Topic("tickers"), [tickers_push_row(self._venue, markets[symbol]) for symbol in listed])

    def _send_klines(self) -> None:
        news, self._traded["kline"] = self._traded["kline"], set()
        now_s = self._venue.now_ms() // 1000
        for topic in list(self._topics):
            if topic.channel != "kline" or topic.symbol not in news:
                continue
            step = INTERVALS[topic.variant]
            bars = self._venue.bars.bars(topic.symbol, now_s - step, now_s, step)
            if bars:
                bar = bars[-1]
                self.send(
                    topic,
                    {
                        "symbol": topic.symbol,
                        "interval": topic.variant,
                        "t": bar.start_s,
                        "o": plain(bar.open),
                        "c": plain(bar.close),
                        "h": plain(bar.outer_high),
                        "l": plain(bar.outer_low),
                        "a": plain(bar.turnover),
                        "q": plain(bar.vol),
                        "ro": plain(bar.first),
                        "rc": plain(bar.close),
                        "rh": plain(bar.high),
                        "rl": plain(bar.low),
                    },
                )

    def _send_prices(self) -> None:
        for channel in ("index.price", "fair.price"):
            for symbol in self._take(channel):
                market = self._venue.exchange.markets[symbol]
                price = market.index if channel == "index.price" else market.fair
                if price is not None:
                    self.send(Topic(channel, symbol), {"symbol": symbol, "price": plain(price)})

    def _send_funding(self) -> None:
        for symbol in self._symbols("funding.rate"):
            funding = self._venue.exchange.markets[symbol].funding
            data = {"symbol": symbol, "rate": plain(funding.rate), "nextSettleTime": funding.next_ms}
            self.send(Topic("funding.rate", symbol), data)


def _deal(trade: Print, vol: Decimal) -> dict[str, Any]:
    return {
        "p": plain(trade.price),
        "v": plain(vol),
        "T": 1 if trade.side is Side.BUY else 2,
        "O": 3,
        "M": 1 if trade.self_trade else 2,
        "t": trade.ts_ms,
        "i": str(trade.id),
        "cts": str(trade.ts_ms),
    }
