"""What a trade's execution cost, taken apart: latency, spread, walking the book, fees, funding. Exact decimals.

Every fill is held against a reference price. For an order that takes at once it is the mid when the order was sent:

- **latency**: the mid moved between sending and arrival;
- **spread**: from the mid at arrival to the best price there;
- **slippage**: from that best price to the fill, the book being walked.

The three add up to the whole distance from the mid at the decision (implementation shortfall: Perold, "The
implementation shortfall", 1988). For an order that rests first, a stop or a target, the reference is its own price, and
what it was filled worse than that is slippage: nothing was decided at its arrival.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True)
class Quote:
    """Best prices of a book, quote per base."""

    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    def touch(self, side: int) -> Decimal:
        """What a taker of a side (+1 buyer) would meet first."""
        return self.ask if side > 0 else self.bid


@dataclass(frozen=True)
class Reference:
    """What an order's fills are held against: a resting order's own price, else two quotes (None: no book)."""

    sent: Quote | None = None
    arrived: Quote | None = None
    resting_price: Decimal | None = None


@dataclass(frozen=True)
class Costs:
    """Money that execution cost, in quote currency; positive is a cost. `funding` is what was paid."""

    latency: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.latency + self.spread + self.slippage + self.fees + self.funding

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Costs)))

    def as_floats(self) -> dict[str, float]:
        """Plain numbers by name, with their total."""
        return {f.name: float(getattr(self, f.name)) for f in fields(Costs)} | {"total": float(self.total)}


def fill_costs(*, side: int, size: Decimal, price: Decimal, fee: Decimal, reference: Reference) -> Costs:
    """Costs of one fill: `size` in base units, `side` +1 for a buyer, `fee` in quote currency.

    Raises ValueError for an order that took at once on a book that was not there.
    """
    if reference.resting_price is not None:
        return Costs(slippage=side * (price - reference.resting_price) * size, fees=fee)
    sent, arrived = reference.sent, reference.arrived
    if sent is None or arrived is None:
        raise ValueError("a fill at once needs the book when its order was sent and when it arrived")
    touch = arrived.touch(side)
    return Costs(
        latency=side * (arrived.mid - sent.mid) * size,
        spread=side * (touch - arrived.mid) * size,
        slippage=side * (price - touch) * size,
        fees=fee,
    )


def summed(costs: Iterable[Costs]) -> Costs:
    """All of them together."""
    return sum(costs, Costs())
