"""What a contract is to the matching engine: steps, limits, margins, fees. Linear perpetuals only."""

from dataclasses import dataclass
from decimal import Decimal

MONEY_UNIT = Decimal("1E-12")
"""Money is kept in multiples of this; products of prices, volumes and rates of usual contracts are exact in it."""


def money(amount: Decimal) -> Decimal:
    """`amount` to the money unit, half to even."""
    return amount.quantize(MONEY_UNIT)


@dataclass(frozen=True)
class Contract:
    """A linear perpetual. Volumes are contracts, `size` is base units a contract, prices are quote per base.

    `price_band` is how far from the fair price an order may be priced, `market_band` how far from the best price a
    market order may trade; both are fractions. `max_vol` bounds market orders, `limit_max_vol` the others. Fees are
    fractions of notional, negative where the venue pays. Raises ValueError for steps or sizes that are not positive.
    """

    symbol: str
    base: str
    quote: str
    size: Decimal
    tick: Decimal
    step: Decimal = Decimal(1)
    min_vol: Decimal = Decimal(1)
    max_vol: Decimal = Decimal(1_000_000)
    limit_max_vol: Decimal = Decimal(5_000_000)
    max_leverage: int = 100
    maker_fee: Decimal = Decimal("0.0006")
    taker_fee: Decimal = Decimal("0.0008")
    maintenance_margin: Decimal = Decimal("0.004")
    price_band: Decimal = Decimal("0.1")
    market_band: Decimal = Decimal("0.05")
    tradable: bool = True

    def __post_init__(self) -> None:
        for name in ("size", "tick", "step", "min_vol"):
            value = getattr(self, name)
            if not (value.is_finite() and value > 0):
                raise ValueError(f"{self.symbol}: {name} is {value}: give a positive number")

    @property
    def settle(self) -> str:
        """The currency of margins, profits and fees."""
        return self.quote

    def notional(self, price: Decimal, vol: Decimal) -> Decimal:
        """The worth of `vol` contracts at `price`, in the settlement currency; exact."""
        return price * vol * self.size

    def on_tick(self, price: Decimal) -> bool:
        return price % self.tick == 0

    def on_step(self, vol: Decimal) -> bool:
        return vol % self.step == 0
