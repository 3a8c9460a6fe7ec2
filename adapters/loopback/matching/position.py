"""One position: what it cost, what it earned, what margin it holds. Average-cost, exact."""

from dataclasses import dataclass
from decimal import Decimal

from adapters.loopback.matching.contract import Contract, money
from adapters.loopback.matching.order import ZERO, MarginMode, Side


@dataclass
class Position:
    """A holding on one side of one contract. `vol` and `frozen` are contracts, the rest is settlement currency.

    `cost` is the notional at entry of what is held: parts are taken out of it in proportion as the position is closed,
    so profits sum up to the money that changed hands whatever was rounded on the way.
    """

    id: int
    account: str
    contract: Contract
    side: Side
    margin_mode: MarginMode
    leverage: int
    created_ms: int
    updated_ms: int
    vol: Decimal = ZERO
    frozen: Decimal = ZERO  # closing orders at work
    cost: Decimal = ZERO
    margin: Decimal = ZERO
    opened_vol: Decimal = ZERO
    opened_cost: Decimal = ZERO
    closed_vol: Decimal = ZERO
    closed_worth: Decimal = ZERO
    profit: Decimal = ZERO  # of what was closed, before fees
    fees: Decimal = ZERO  # positive: paid
    funding: Decimal = ZERO  # positive: received
    version: int = 0
    auto_add_margin: bool = False

    @property
    def symbol(self) -> str:
        return self.contract.symbol

    @property
    def closable(self) -> Decimal:
        return self.vol - self.frozen

    @property
    def is_open(self) -> bool:
        return self.vol > 0

    @property
    def entry_price(self) -> Decimal:
        """Average of what is held; 0 when flat."""
        return self.cost / (self.vol * self.contract.size) if self.vol else ZERO

    @property
    def open_price(self) -> Decimal:
        """Average of everything that was opened."""
        return self.opened_cost / (self.opened_vol * self.contract.size) if self.opened_vol else ZERO

    @property
    def close_price(self) -> Decimal:
        """Average of what was closed; 0 while nothing was."""
        return self.closed_worth / (self.closed_vol * self.contract.size) if self.closed_vol else ZERO

    @property
    def realised(self) -> Decimal:
        """Profits, fees and funding together."""
        return self.profit - self.fees + self.funding

    def unrealised(self, fair: Decimal) -> Decimal:
        """Profit at the fair price."""
        return self.side * (self.contract.notional(fair, self.vol) - self.cost)

    def open(self, vol: Decimal, price: Decimal) -> Decimal:
        """Add `vol` at `price`; returns the margin that it takes."""
        worth = self.contract.notional(price, vol)
        taken = money(worth / self.leverage)
        self.vol += vol
        self.cost += worth
        self.opened_vol += vol
        self.opened_cost += worth
        self.margin += taken
        return taken

    def close(self, vol: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
        """Take out `vol` at `price`; returns (profit, margin set free).

        Raises ValueError for more than is held: nothing that closes may ever open.
        """
        if vol > self.vol:
            raise ValueError(f"position {self.id} of {self.symbol} holds {self.vol}, asked to close {vol}")
        whole = vol == self.vol
        cost = self.cost if whole else money(self.cost * vol / self.vol)
        freed = self.margin if whole else money(self.margin * vol / self.vol)
        worth = self.contract.notional(price, vol)
        profit = self.side * (worth - cost)
        self.vol -= vol
        self.cost -= cost
        self.margin -= freed
        self.closed_vol += vol
        self.closed_worth += worth
        self.profit += profit
        return profit, freed

    def liquidation_price(self, spare: Decimal) -> Decimal:
        """The fair price at which margin (and `spare`, for cross) no longer covers maintenance; 0 where none does."""
        if not self.vol:
            return ZERO
        rate = self.contract.maintenance_margin
        worth = self.cost - self.side * (self.margin + spare)
        return max(ZERO, worth / (self.vol * self.contract.size * (1 - self.side * rate)))
