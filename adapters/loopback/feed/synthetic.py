"""A market out of a seed: books that walk at random, trades against them, prices and funding. No edge, no news."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.loopback.bars import MINUTE_S, Bar
from adapters.loopback.feed.events import BookUpdate, FeedEvent, FundingUpdate, InterestUpdate, PriceUpdate, TradeUpdate
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.order import ZERO, Side

DEPTH = 30
"""Levels a side, one tick apart."""
EVENTS_PER_SECOND = 4.0
"""Of each market."""
PRICES_EVERY_S = 1.0
FUNDING_EVERY_S = 20.0
HISTORY_MINUTES = 3_000

_MAJORS = {  # symbol: price, tick, contract size
    "BTC": ("93000", "0.1", "0.0001"),
    "ETH": ("3180", "0.01", "0.01"),
    "SOL": ("136", "0.01", "0.1"),
    "XRP": ("2.12", "0.0001", "1"),
    "DOGE": ("0.148", "0.00001", "100"),
    "BNB": ("890", "0.1", "0.01"),
    "ADA": ("0.412", "0.0001", "1"),
    "PEPE": ("0.000004123", "0.000000001", "10000000"),
}
_INVENTED = ("0.001", "0.1")


@dataclass
class _Book:
    """The feed's own idea of a book: the mid lies on a half tick, levels of each side count from it."""

    contract: Contract
    mid: int  # in ticks: the best bid
    rng: random.Random
    vols: dict[Side, list[int]] = field(default_factory=dict)

    def price(self, side: Side, level: int) -> Decimal:
        """Of the level-th best of a side, from 0."""
        ticks = self.mid - level if side is Side.BUY else self.mid + 1 + level
        return ticks * self.contract.tick

    def draw(self) -> int:
        """A volume for a level."""
        return 1 + int(self.rng.lognormvariate(5.0, 1.0))


class SyntheticFeed:
    """`symbols` markets by count or by base currency. The same arguments make the same events."""

    def __init__(
        self, symbols: int | tuple[str, ...] = 3, *, seed: int = 0, rate: float = EVENTS_PER_SECOND, quote: str = "USDT"
    ) -> None:
        names = tuple(_names(symbols)) if isinstance(symbols, int) else symbols
        if not names or rate <= 0:
            raise ValueError(f"{len(names)} symbols at rate {rate}: ask for at least one, at a positive rate")
        self._seed = seed
        self._rate = rate
        self._starts: dict[str, int] = {}
        self._contracts: dict[str, Contract] = {}
        for name in names:
            price, tick, size = _MAJORS.get(name, (_invented_price(name), *_INVENTED))
            contract = Contract(f"{name}_{quote}", name, quote, Decimal(size), Decimal(tick))
            self._contracts[contract.symbol] = contract
            self._starts[contract.symbol] = int(Decimal(price) / contract.tick)

    def contracts(self) -> list[Contract]:
        return list(self._contracts.values())

    def history(self, symbol: str, end_s: int) -> list[Bar]:
        """A walk backwards from the opening price."""
        contract = self._contracts[symbol]
        rng = random.Random(f"{self._seed} {symbol} history")  # noqa: S311  # a simulation
        bars: list[Bar] = []
        close = self._starts[symbol]
        end = end_s // MINUTE_S * MINUTE_S
        for minute in range(HISTORY_MINUTES):
            opened = max(10, close + rng.randint(-5, 5))
            low, high = min(opened, close) - rng.randint(0, 3), max(opened, close) + rng.randint(0, 3)
            vol = Decimal(rng.randint(100, 5_000))
            first, top, bottom, last = (ticks * contract.tick for ticks in (opened, high, low, close))
            start = end - (minute + 1) * MINUTE_S
            bars.append(Bar(start, first, first, top, bottom, last, vol, contract.notional(last, vol)))
            close = opened
        return bars[::-1]

    def events(self) -> Iterator[tuple[float, FeedEvent]]:
        """First a snapshot and prices of every market, at time 0; then what happens, for ever."""
        rng = random.Random(f"{self._seed} events")  # noqa: S311  # a simulation
        books = [_Book(contract, self._starts[symbol], rng) for symbol, contract in self._contracts.items()]
        for book in books:
            for event in _opening(book):
                yield 0.0, event
        now, next_prices, next_funding = 0.0, PRICES_EVERY_S, FUNDING_EVERY_S
        while True:
            now += rng.expovariate(self._rate * len(books))
            while next_prices <= now:
                for book in books:
                    yield next_prices, _prices(book)
                next_prices += PRICES_EVERY_S
            while next_funding <= now:
                for book in books:
                    yield next_funding, _funding(book)
                next_funding += FUNDING_EVERY_S
            yield now, _step(rng.choice(books))


def _names(count: int) -> Iterator[str]:
    majors = list(_MAJORS)
    for number in range(count):
        yield majors[number] if number < len(majors) else f"ALT{number + 1}"


def _invented_price(name: str) -> str:
    return str(Decimal("2.5") + Decimal("0.75") * (sum(name.encode()) % 7))


def _opening(book: _Book) -> list[FeedEvent]:
    book.vols = {side: [book.draw() for _ in range(DEPTH)] for side in Side}
    rows = tuple(
        (side, book.price(side, level), Decimal(vol)) for side in Side for level, vol in enumerate(book.vols[side])
    )
    symbol = book.contract.symbol
    return [
        _prices(book),
        BookUpdate(symbol, rows, snapshot=True),
        _trade(book),
        _funding(book),
        InterestUpdate(symbol, Decimal(book.rng.randint(100_000, 10_000_000))),
    ]


def _step(book: _Book) -> FeedEvent:
    """One thing that happens: a trade, a step of the price, or a level that changes."""
    draw = book.rng.random()
    if draw < 0.3:
        return _trade(book)
    if draw < 0.45:
        return _move(book)
    side, level = book.rng.choice((Side.BUY, Side.SELL)), min(int(book.rng.expovariate(0.3)), DEPTH - 1)
    book.vols[side][level] = book.draw()
    return BookUpdate(book.contract.symbol, ((side, book.price(side, level), Decimal(book.vols[side][level])),))


def _trade(book: _Book) -> TradeUpdate:
    """A taker takes part of the best level."""
    side = book.rng.choice((Side.BUY, Side.SELL))
    vols = book.vols[side.opposite]
    vol = book.rng.randint(1, max(1, vols[0] // 2))
    vols[0] = max(1, vols[0] - vol)
    return TradeUpdate(book.contract.symbol, side, book.price(side.opposite, 0), Decimal(vol))


def _move(book: _Book) -> BookUpdate:
    """The price steps by one tick; the best levels are said anew, whoever took them meanwhile."""
    step = book.rng.choice((-1, 1)) if book.mid > 2 * DEPTH else 1
    gone = Side.SELL if step > 0 else Side.BUY  # its best level is eaten up
    rows = [(gone, book.price(gone, 0), ZERO), (gone.opposite, book.price(gone.opposite, DEPTH - 1), ZERO)]
    book.mid += step
    book.vols[gone] = [*book.vols[gone][1:], book.draw()]
    book.vols[gone.opposite] = [book.draw(), *book.vols[gone.opposite][:-1]]
    rows.append((gone, book.price(gone, DEPTH - 1), Decimal(book.vols[gone][-1])))
    for side in Side:
        rows += [(side, book.price(side, level), Decimal(book.vols[side][level])) for level in range(3)]
    return BookUpdate(book.contract.symbol, tuple(rows))


def _prices(book: _Book) -> PriceUpdate:
    fair = book.mid + book.rng.randint(-1, 2)
    index = book.mid + book.rng.randint(-3, 4)
    return PriceUpdate(book.contract.symbol, fair * book.contract.tick, index * book.contract.tick)


def _funding(book: _Book) -> FundingUpdate:
    return FundingUpdate(book.contract.symbol, Decimal(book.rng.randint(-300, 600)) / 1_000_000)
