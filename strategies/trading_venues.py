"""The shell between Nautilus's cache and the decision: books, fees, funding and accounts as venue views."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.instruments import Instrument

from strategies.candidates import CandidateSettings, Level, Touch, VenueView
from strategies.features import FlowSnapshot
from strategies.minute_history import Correlations
from strategies.resting_liquidity import walls_of
from strategies.sizing import SizeRules
from strategies.ticks import to_tick

SECOND_NS = 1_000_000_000
CLOCK_SLACK_SECONDS = 1
"""A book that is younger than nothing by no more than this is from a venue whose clock is a little ahead."""


@dataclass(frozen=True)
class Terms:
    """What does not change of a market that is traded."""

    instrument: Instrument
    rules: SizeRules
    tick: Decimal
    taker_fee: Decimal
    maker_fee: Decimal
    maintenance_rate: Decimal  # fraction of notional, of the largest position that may be opened

    @classmethod
    def of(cls, instrument: Instrument, maintenance_rate: str) -> "Terms":
        """The terms as the instrument has them. Raises ValueError for a rate that is no fraction below 1."""
        return cls(
            instrument,
            size_rules(instrument),
            instrument.price_increment.as_decimal(),
            instrument.taker_fee,
            instrument.maker_fee,
            _rate(instrument, maintenance_rate),
        )

    @property
    def venue(self) -> str:
        return str(self.instrument.id.venue.value)


def _rate(instrument: Instrument, text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not (rate.is_finite() and 0 <= rate < 1):
        raise ValueError(
            f"{instrument.id} has maintenance rate {text!r}: it must be a fraction of notional in [0, 1), "
            "see the margin table of its venue"
        )
    return rate


def size_rules(instrument: Instrument) -> SizeRules:
    """An instrument's rules in its own size units."""

    def decimal(value: Any) -> Decimal | None:
        return None if value is None else value.as_decimal()

    return SizeRules(
        step=instrument.size_increment.as_decimal(),
        multiplier=instrument.multiplier.as_decimal(),
        min_size=decimal(instrument.min_quantity),
        max_size=decimal(instrument.max_quantity),
        min_notional=decimal(instrument.min_notional),
    )


class TradingVenues:
    """Implements :class:`strategies.decider.Venues` for the markets of `terms`, by asset.

    `begin` tells it the scan; what is asked after that is as of then. `reach_bps` is how far the flow reads levels.
    """

    def __init__(
        self,
        cache: CacheFacade,
        terms: Mapping[str, Sequence[Terms]],
        settings: CandidateSettings,
        correlations: Correlations,
        reach_bps: float,
    ) -> None:
        self._cache = cache
        self._terms = terms
        self._one_a_venue = list({t.venue: t for markets in terms.values() for t in markets}.values())
        self._settings = settings
        self._correlations = correlations
        self._reach_bps = reach_bps
        self._now = 0
        self._equity: Decimal | None = None
        self._snapshots: Mapping[str, FlowSnapshot] = {}

    def begin(self, now_ns: int, snapshots: Iterable[FlowSnapshot], equity: Decimal | None) -> None:
        """A scan begins."""
        self._now, self._equity = now_ns, equity
        self._snapshots = {snapshot.asset: snapshot for snapshot in snapshots}

    def touches(self, asset: str) -> list[Touch]:
        """The best prices of each venue."""
        return [self._touch(terms) for terms in self._terms.get(asset, ())]

    def views(self, asset: str) -> list[VenueView]:
        """Each venue in full."""
        return [self._view(asset, terms) for terms in self._terms.get(asset, ())]

    def balance(self) -> Decimal | None:
        """What the accounts of all venues hold together, without what is open; None if one is not known."""
        total = Decimal(0)
        for terms in self._one_a_venue:
            account = self._cache.account_for_venue(terms.instrument.id.venue)
            balance = None if account is None else account.balance_total(terms.instrument.settlement_currency)
            if balance is None:
                return None
            total += balance.as_decimal()
        return total

    def best(self, instrument: Instrument) -> tuple[Decimal, Decimal] | None:
        """Best bid and ask of a market, None while a side is empty."""
        book = self._cache.order_book(instrument.id)
        bid, ask = (None, None) if book is None else (book.best_bid_price(), book.best_ask_price())
        return None if bid is None or ask is None else (bid.as_decimal(), ask.as_decimal())

    def book_age_seconds(self, instrument: Instrument) -> float | None:
        """Seconds since the book last changed; None where it never did."""
        book = self._cache.order_book(instrument.id)
        if book is None or not book.update_count:
            return None
        age = (self._now - book.ts_last) / SECOND_NS
        return 0.0 if -CLOCK_SLACK_SECONDS <= age < 0 else age

    def _touch(self, terms: Terms) -> Touch:
        book = self._cache.order_book(terms.instrument.id)
        bid, ask = (None, None) if book is None else (book.best_bid_price(), book.best_ask_price())
        rate, due = self._funding(terms.instrument)
        return Touch(
            venue=terms.venue,
            bid=math.nan if bid is None else bid.as_double(),
            ask=math.nan if ask is None else ask.as_double(),
            tick=float(terms.tick),
            taker_fee=float(terms.taker_fee),
            maker_fee=float(terms.maker_fee),
            funding_rate=None if rate is None else float(rate),
            next_funding_ns=due,
        )

    def _view(self, asset: str, terms: Terms) -> VenueView:
        instrument = terms.instrument
        book = self._cache.order_book(instrument.id)
        best = self.best(instrument)
        bids, asks = ((), ()) if book is None or best is None else self._levels(book, terms, *best)
        age = self.book_age_seconds(instrument)
        account = self._cache.account_for_venue(instrument.id.venue)
        free = None if account is None else account.balance_free(instrument.settlement_currency)
        rate, due = self._funding(instrument)
        snapshot, mid = self._snapshots[asset], None if best is None else (best[0] + best[1]) / 2
        low, high = self._swings(asset, snapshot, mid)
        return VenueView(
            venue=terms.venue,
            instrument_id=instrument.id.value,
            rules=terms.rules,
            tick=terms.tick,
            bids=bids,
            asks=asks,
            book_age_seconds=None if age is None else Decimal(repr(age)),
            taker_fee=terms.taker_fee,
            maker_fee=terms.maker_fee,
            funding_rate=rate,
            next_funding_ns=due,
            equity=self._equity,
            free_margin=None if free is None else free.as_decimal(),
            leverage=_leverage(account, instrument),
            maintenance_rate=terms.maintenance_rate,
            walls=() if mid is None else walls_of(snapshot, mid, self._reach_bps),
            swing_low=low,
            swing_high=high,
        )

    def _swings(self, asset: str, snapshot: FlowSnapshot, mid: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
        """The lead's last swings, moved by the distance between the two markets."""
        swings, price = self._correlations.swings(asset), snapshot["price"]
        if swings is None or mid is None or not price > 0:
            return None, None
        shift = mid / Decimal(repr(price))
        return (
            None if swings.low is None else swings.low * shift,
            None if swings.high is None else swings.high * shift,
        )

    def _funding(self, instrument: Instrument) -> tuple[Decimal | None, int | None]:
        update = self._cache.funding_rate(instrument.id)
        return (None, None) if update is None else (update.rate, update.next_funding_ns)

    def _levels(
        self, book: OrderBook, terms: Terms, bid: Decimal, ask: Decimal
    ) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Both sides as far as an entry may walk, and no more than it could ever take."""
        reach = self._settings.entry_reach_bps / 10_000
        unit = bid * terms.rules.multiplier
        # beyond this the share of depth that may be taken is more than our own cap: what lies there has no say
        enough = self._settings.max_notional / self._settings.depth_share / unit
        lowest = to_tick(bid * (1 - reach), terms.tick, 1)
        highest = to_tick(ask * (1 + reach), terms.tick, -1)
        return (
            _walk(book, terms, OrderSide.SELL, lowest, enough),
            _walk(book, terms, OrderSide.BUY, highest, enough),
        )


def _walk(book: OrderBook, terms: Terms, taker: OrderSide, limit: Decimal, size: Decimal) -> tuple[Level, ...]:
    """The levels that an order with a limit would take, in base units, until they hold `size` (contracts)."""
    instrument, multiplier = terms.instrument, terms.rules.multiplier
    levels: list[Level] = []
    left = to_tick(size, terms.rules.step, 1)
    for price, there in book.get_all_crossed_levels(taker, instrument.make_price(limit), instrument.size_precision):
        if left <= 0:
            break
        amount = min(there.as_decimal(), left)
        levels.append(Level(price.as_decimal(), amount * multiplier))
        left -= amount
    return tuple(levels)


def _leverage(account: Any, instrument: Instrument) -> Decimal:
    found = None if account is None else account.leverage(instrument.id) or account.default_leverage
    return Decimal(1) if found is None else Decimal(found)
