"""An account: its money, positions, open orders and settings."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from adapters.loopback.matching.order import ZERO, MarginMode, Order, Side
from adapters.loopback.matching.position import Position

DEFAULT_LEVERAGE = 20


class PositionMode(StrEnum):
    HEDGE = "hedge"  # a long and a short may stand side by side
    ONE_WAY = "one-way"


@dataclass
class Purse:
    """Money in one currency. `cash` is deposits, profits, fees and funding; two parts of it are set aside."""

    cash: Decimal = ZERO
    frozen: Decimal = ZERO  # for open orders
    margin: Decimal = ZERO  # in positions

    @property
    def available(self) -> Decimal:
        return self.cash - self.frozen - self.margin


@dataclass(frozen=True)
class LeverageSetting:
    """What orders of one side of a contract use when they do not say."""

    leverage: int = DEFAULT_LEVERAGE
    margin_mode: MarginMode = MarginMode.ISOLATED


@dataclass
class Account:
    """Everything of one user. `client_ids` keeps each id ever used, with its order."""

    id: str
    position_mode: PositionMode = PositionMode.HEDGE
    purses: dict[str, Purse] = field(default_factory=lambda: defaultdict(Purse))
    positions: list[Position] = field(default_factory=list)  # open ones
    closed_positions: list[Position] = field(default_factory=list)
    open_orders: dict[int, Order] = field(default_factory=dict)
    client_ids: dict[tuple[str, str], Order] = field(default_factory=dict)  # by symbol and id
    settings: dict[tuple[str, Side], LeverageSetting] = field(default_factory=dict)

    def position(self, symbol: str, side: Side) -> Position | None:
        """The open position of that side, if any."""
        return next((p for p in self.positions if p.symbol == symbol and p.side is side), None)

    def setting(self, symbol: str, side: Side) -> LeverageSetting:
        return self.settings.get((symbol, side), LeverageSetting())

    def orders(self, symbol: str) -> Iterator[Order]:
        """Open orders in a contract, oldest first; the account may be changed meanwhile."""
        return iter([order for order in self.open_orders.values() if order.request.symbol == symbol])

    def unrealised(self, currency: str, fair: "dict[str, Decimal]") -> Decimal:
        """Profit of the open positions that settle in `currency`, at the fair prices by symbol."""
        return sum(
            (p.unrealised(fair[p.symbol]) for p in self.positions if p.contract.settle == currency),
            ZERO,
        )
