"""What a venue refuses when an order reaches it, and what we refuse to send. Exact: prices and sizes are decimals.

Nautilus's exchange checks decimals, post-only and reduce-only; ticks and steps that are no power of ten, limits, price
bands, margin and leverage it does not. The rules are those that Binance (``exchangeInfo`` filters ``PRICE_FILTER``,
``LOT_SIZE``, ``MARKET_LOT_SIZE``, ``MIN_NOTIONAL``, ``PERCENT_PRICE``), Bybit (``lotSizeFilter``, ``priceFilter``,
``priceLimitRatioX``) and MEXC (``volUnit``, ``minVol``, ``maxVol``, ``priceUnit``, ``priceCoefficientVariation``)
state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from backtests.margin import MarginTiers


@dataclass(frozen=True)
class VenueRules:
    """A venue's rules for one market. Sizes are the venue's own units, of which one is `multiplier` base units."""

    tick: Decimal
    step: Decimal
    multiplier: Decimal = Decimal(1)
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None  # quote currency
    price_band: Decimal | None = None  # how far from the mark a limit may lie against its owner, as a fraction


@dataclass(frozen=True)
class OrderTerms:
    """An order as the venue sees it. `side` is +1 for a buyer; prices are None where the type has none."""

    side: int
    size: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    reduce_only: bool = False


def order_fault(terms: OrderTerms, rules: VenueRules, *, touch: Decimal | None, mark: Decimal | None) -> str | None:
    """Why the venue refuses the order, or None.

    `touch` is the price that a market order would meet first, for its notional; `mark` the mark price, for the band.
    """
    for name, price in (("price", terms.price), ("trigger price", terms.trigger)):
        if price is not None and price % rules.tick:
            return f"{name} {price} is not on the tick of {rules.tick}"
    if terms.size <= 0 or terms.size % rules.step:
        return f"size {terms.size} is not a multiple of the step {rules.step}"
    if rules.max_size is not None and terms.size > rules.max_size:
        return f"size {terms.size} is above the maximum of {rules.max_size}"
    if terms.price is not None and rules.price_band is not None and mark is not None:
        limit = mark * (1 + terms.side * rules.price_band)
        if terms.side * (terms.price - limit) > 0:
            return f"price {terms.price} is beyond the band: {limit.normalize():f} at a mark of {mark}"
    if terms.reduce_only:  # what is left of a position may always be closed
        return None
    if rules.min_size is not None and terms.size < rules.min_size:
        return f"size {terms.size} is below the minimum of {rules.min_size}"
    price = terms.price if terms.price is not None else terms.trigger if terms.trigger is not None else touch
    if rules.min_notional is not None and price is not None:
        notional = terms.size * rules.multiplier * price
        if notional < rules.min_notional:
            return f"notional {notional.normalize():f} is below the minimum of {rules.min_notional}"
    return None


@dataclass(frozen=True)
class Exposure:
    """What an account has on one market. `position` is signed and in base units; `orders` are the signed sizes and the
    prices of orders that rest there and may open more, in base units and quote per base."""

    position: Decimal
    price: Decimal  # at which the position was entered
    orders: Sequence[tuple[Decimal, Decimal]] = ()

    def margin(self, leverage: Decimal) -> Decimal:
        """Initial margin of the position and of the resting orders of the dearer side."""
        held = abs(self.position) * self.price
        sides = (self._order_cost(1), self._order_cost(-1))
        return (held + max(sides)) / leverage

    def _order_cost(self, side: int) -> Decimal:
        """Notional of one side's resting orders, less what only reduces the position."""
        reducing = max(-side * self.position, Decimal(0))
        cost = Decimal(0)
        for size, price in self.orders:
            if size * side > 0:
                opening = max(abs(size) - reducing, Decimal(0))
                reducing = max(reducing - abs(size), Decimal(0))
                cost += opening * price
        return cost

    def largest(self) -> Decimal:
        """The largest position that the resting orders could make, long or short (base units)."""
        return max(
            abs(self.position + sum((s for s, _ in self.orders if s * side > 0), Decimal(0))) for side in (1, -1)
        )

    def with_order(self, size: Decimal, price: Decimal) -> "Exposure":
        """The same with one more order."""
        return Exposure(self.position, self.price, [*self.orders, (size, price)])


def margin_fault(
    *,
    before: Exposure,
    after: Exposure,
    leverage: Decimal,
    available: Decimal,
    tiers: MarginTiers,
    price: Decimal,
) -> str | None:
    """Why an account cannot carry an order, or None.

    `available` is the account's free money (quote currency) with the exposure `before`; `price` values the position
    that the order would make, for the tier's maximum leverage.
    """
    needed = after.margin(leverage) - before.margin(leverage)
    if needed <= 0:
        return None
    if needed > available:
        return f"margin {needed:f} is more than the {available:f} that is free"
    notional = after.largest() * price
    most = tiers.tiers[-1].notional_cap
    if most is not None and notional > most:
        return f"a position of {notional:f} is above the largest that is allowed, {most:f}"
    allowed = tiers.max_leverage(notional)
    if leverage > allowed:
        return f"leverage {leverage} is above the {allowed} that is allowed for a position of {notional:f}"
    return None
