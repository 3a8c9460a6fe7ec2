"""A venue as the decision sees it: its book, what it charges, what the account has there."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise

from strategies.checks import require_fraction, require_not_negative, require_positive, require_side
from strategies.sizing import DIGITS, SizeRules
from strategies.targets import Wall


@dataclass(frozen=True)
class Level:
    """A level of a book: price in quote per base, size in base units (contracts × multiplier)."""

    price: Decimal
    size_base: Decimal

    def __post_init__(self) -> None:
        require_positive(level_price=self.price, level_size_base=self.size_base)


@dataclass(frozen=True)
class Walk:
    """What a taker of `size_base` would get: the sum of price × size in quote, and the worst price it reaches."""

    size_base: Decimal
    notional: Decimal
    worst: Decimal


@dataclass(frozen=True)
class VenueView:
    """One market that an asset may be traded on, as it stands at a scan. Money is in account currency.

    `bids` and `asks` are best first. The side that a setup would take needs the levels that it may walk; of the other
    the best one will do. None is "not known" and blocks what needs it: missing is not zero. `walls` are resting
    liquidity on either side, `swing_low` and `swing_high` the last confirmed ones (None: there is none). Raises
    ValueError for levels out of order, fees that cannot be, and limits that are not positive.
    """

    venue: str
    instrument_id: str
    rules: SizeRules
    tick: Decimal
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    book_age_seconds: Decimal | None  # since the book last changed
    taker_fee: Decimal  # fraction of notional
    maker_fee: Decimal  # fraction of notional; below 0 is a rebate
    funding_rate: Decimal | None  # fraction of notional at the next settlement; above 0 longs pay
    next_funding_ns: int | None  # UNIX ns of that settlement
    equity: Decimal | None  # of the account whose risk fraction is staked
    free_margin: Decimal | None  # for initial margin and costs of this venue
    leverage: Decimal  # as set at the venue
    maintenance_rate: Decimal  # fraction of notional, of the tier of the largest position that may be opened
    venue_notional: Decimal | None = None  # what our own cap on the venue leaves; None: no such cap
    walls: tuple[Wall, ...] = ()
    swing_low: Decimal | None = None
    swing_high: Decimal | None = None

    def __post_init__(self) -> None:
        require_positive(tick=self.tick, leverage=self.leverage)
        require_not_negative(taker_fee=self.taker_fee)
        require_fraction(taker_fee=self.taker_fee, maintenance_rate=self.maintenance_rate)
        if not self.maker_fee <= self.taker_fee:
            raise ValueError(f"maker_fee {self.maker_fee} is above taker_fee {self.taker_fee}: check the fee table")
        if self.maintenance_rate == 1:
            raise ValueError("maintenance_rate 1 leaves no room for any loss: check the margin table")
        for name, levels, side in (("asks", self.asks, 1), ("bids", self.bids, -1)):
            for near, far in pairwise(levels):
                if side * (far.price - near.price) <= 0:
                    raise ValueError(f"{name} must be best first, got {near.price} before {far.price}")

    @property
    def has_book(self) -> bool:
        """Whether both sides are known and the best bid is below the best ask."""
        return bool(self.bids and self.asks) and self.bids[0].price < self.asks[0].price

    @property
    def mid(self) -> Decimal:
        """Mean of the best prices, quote per base."""
        return (self.bids[0].price + self.asks[0].price) / 2

    @property
    def spread(self) -> Decimal:
        """Best ask minus best bid, quote per base."""
        return self.asks[0].price - self.bids[0].price

    def taken(self, side: int, reach_bps: Decimal) -> tuple[Level, ...]:
        """The levels that an entry (+1: buys) may walk, no farther than `reach_bps` beyond the first."""
        require_side(side)
        levels = self.asks if side > 0 else self.bids
        reach = levels[0].price * reach_bps / 10_000
        return tuple(level for level in levels if side * (level.price - levels[0].price) <= reach)

    def swing(self, side: int) -> Decimal | None:
        """The swing that a stop of a long (+1) or short (-1) may lie beyond, quote per base."""
        return self.swing_low if side > 0 else self.swing_high

    def liquidation(self, side: int, entry: Decimal) -> Decimal | None:
        """Mark price at which an isolated position, entered at `entry` at the venue's leverage, is liquidated.

        ``entry × (1 - side / leverage) / (1 - side × maintenance_rate)``; None where no positive price is. The amount
        that venues deduct from maintenance in higher tiers is left out: with the rate of the highest tier that can be
        reached the price is nearer than the venue's, never farther.
        """
        price = entry * (self.leverage - side) / (self.leverage * (1 - side * self.maintenance_rate))
        return price if price > 0 else None


def walk(levels: tuple[Level, ...], size_base: Decimal) -> Walk:
    """Take `size_base` off the levels, best first. Exact. Raises ValueError for more than they hold."""
    require_positive(size_base=size_base)
    with localcontext(prec=DIGITS):
        left, notional = size_base, Decimal(0)
        for level in levels:
            part = min(left, level.size_base)
            notional += part * level.price
            left -= part
            if not left:
                return Walk(size_base, notional, level.price)
    raise ValueError(f"{size_base} base units are {left} more than the levels hold: cap the size by the depth first")
