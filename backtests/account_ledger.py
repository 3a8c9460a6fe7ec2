"""An account's money, exact: fills, fees and funding as decimals, beside the engine's own doubles.

Average-cost netting on linear contracts. The replay's books are kept here; Nautilus's account is held against them at
the end, so that no money appears or vanishes unseen.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Holding:
    """A net position of one market: `size` is signed, in base units; `cost` is what it was entered for, alike."""

    size: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    @property
    def entry(self) -> Decimal:
        """Average entry price. Raises ValueError where nothing is held."""
        if not self.size:
            raise ValueError("a flat holding has no entry price")
        return self.cost / self.size

    def fill(self, size: Decimal, price: Decimal) -> Decimal:
        """Take a signed fill in base units; returns the profit that it realises (quote currency)."""
        if self.size * size >= 0:
            self.size += size
            self.cost += size * price
            return Decimal(0)
        closing = -size if abs(size) <= abs(self.size) else self.size  # of the position, signed as it is
        cost = self.cost * closing / self.size if closing != self.size else self.cost
        self.size -= closing
        self.cost -= cost
        opening = size + closing
        if opening:
            self.size, self.cost = opening, opening * price
        return closing * price - cost

    def unrealised(self, mark: Decimal) -> Decimal:
        """Profit at a mark price (quote currency)."""
        return self.size * mark - self.cost


@dataclass(frozen=True)
class FundingPayment:
    """A settlement of funding on a position; `amount` is what the account got, negative what it paid."""

    ts: int  # UNIX ns
    instrument_id: str
    strategy_id: str
    size: Decimal  # signed, base units
    mark: Decimal
    rate: Decimal  # fraction
    amount: Decimal


def funding_amount(size: Decimal, mark: Decimal, rate: Decimal, unit: Decimal) -> Decimal:
    """What a position gets at a settlement: ``- size × mark × rate``, rounded to the currency's `unit`; longs pay a
    positive rate (Binance, Bybit and MEXC alike)."""
    return (-size * mark * rate).quantize(unit)


@dataclass
class AccountLedger:
    """One venue's account in one currency. Keys of holdings are (instrument, strategy): each strategy nets its own."""

    start: Decimal
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    fills: int = 0
    holdings: dict[tuple[str, str], Holding] = field(default_factory=lambda: defaultdict(Holding))

    @property
    def balance(self) -> Decimal:
        """Start, realised profit, fees and funding."""
        return self.start + self.realised - self.fees + self.funding

    def fill(self, key: tuple[str, str], size: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Take a fill (signed base units, quote per base, fee in account currency); returns its realised profit."""
        profit = self.holdings[key].fill(size, price)
        self.realised += profit
        self.fees += fee
        self.fills += 1
        return profit

    def pay(self, payment: FundingPayment) -> None:
        """Take a settlement of funding."""
        self.funding += payment.amount

    def open_holdings(self) -> dict[tuple[str, str], Holding]:
        """What is not flat."""
        return {key: holding for key, holding in self.holdings.items() if holding.size}
