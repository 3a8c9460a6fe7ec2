"""Orders as the matching engine sees them, and why it refuses or ends one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum

ZERO = Decimal(0)


class Side(IntEnum):
    """Which way an order or a position goes; a position's side is that of the order that opened it."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        return Side(-self)


class Effect(StrEnum):
    """What an order may do to positions. In one-way mode OPEN first closes what is held the other way."""

    OPEN = "open"
    CLOSE = "close"


class Kind(StrEnum):
    LIMIT = "limit"
    POST_ONLY = "post-only"
    IOC = "immediate or cancel"
    FOK = "fill or kill"
    MARKET = "market"


class MarginMode(StrEnum):
    ISOLATED = "isolated"
    CROSS = "cross"


class State(StrEnum):
    OPEN = "open"  # also while filled in part
    FILLED = "filled"
    CANCELLED = "cancelled"


class End(StrEnum):
    """Why an order left before it was filled."""

    BY_USER = "asked for"
    IOC = "rest of an immediate or cancel order"
    FOK = "could not be filled whole"
    POST_ONLY = "would have taken"
    MARKET = "rest of a market order"
    NO_POSITION = "nothing left to close"
    SELF_TRADE = "self-trade prevention"


class SelfTrade(IntEnum):
    """What happens where an account would trade with itself."""

    ALLOW = 0
    CANCEL_BOTH = 1
    CANCEL_MAKER = 2
    CANCEL_TAKER = 3


class Reason(StrEnum):
    """Why a request is refused. Each venue has its own code for it."""

    NO_CONTRACT = "contract does not exist"
    NOT_TRADABLE = "contract is not open for orders"
    PRICE = "price is not positive or missing"
    PRECISION = "price or volume is off its step"
    VOLUME = "volume out of bounds"
    PRICE_TOO_HIGH = "price above the band"
    PRICE_TOO_LOW = "price below the band"
    LEVERAGE = "leverage out of bounds"
    LEVERAGE_MISMATCH = "leverage differs from the position's"
    MARGIN_MODE_MISMATCH = "the other margin mode is in use on that side"
    BALANCE = "balance insufficient"
    NO_POSITION = "no position to close"
    CLOSE_TOO_MUCH = "more than can be closed"
    DUPLICATE_ID = "client id used before"
    TOO_MANY_ORDERS = "too many open orders"
    ORDERS_IN_THE_WAY = "open orders or positions forbid the change"
    NO_ORDER = "order does not exist"
    NOT_CANCELLABLE = "order is no longer open"
    NO_TRIGGER = "trigger order does not exist or is done"
    TRIGGER_PRICE = "trigger price is not positive or missing"


class Refused(Exception):  # noqa: N818  # a refusal is an answer of the venue, not a failure of the engine
    """The engine does not take the request, and nothing has changed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


@dataclass(frozen=True)
class NewOrder:
    """A request for an order. `vol` is contracts; `price` None at market; `leverage` None: the account's setting.

    `extras` is what a venue's protocol wants to read back; it means nothing here.
    """

    account: str
    symbol: str
    side: Side
    effect: Effect
    kind: Kind
    vol: Decimal
    price: Decimal | None = None
    margin_mode: MarginMode = MarginMode.ISOLATED
    leverage: int | None = None
    client_id: str = ""
    self_trade: SelfTrade = SelfTrade.ALLOW
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    extras: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Order:
    """An order and what became of it. Money is in the settlement currency."""

    id: int
    request: NewOrder
    price: Decimal  # the limit; for a market order the price that protects it
    vol: Decimal
    leverage: int
    created_ms: int
    updated_ms: int
    state: State = State.OPEN
    end: End | None = None
    filled: Decimal = ZERO
    turnover: Decimal = ZERO  # price times contracts, summed over the fills
    margin: Decimal = ZERO  # set aside at entry
    frozen: Decimal = ZERO  # of that, what is still set aside
    used_margin: Decimal = ZERO  # gone into the position
    maker_fees: Decimal = ZERO
    taker_fees: Decimal = ZERO
    profit: Decimal = ZERO
    position_id: int = 0
    version: int = 1
    fill_ids: list[int] = field(default_factory=list)

    @property
    def remaining(self) -> Decimal:
        return self.vol - self.filled

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def average_price(self) -> Decimal:
        """0 while nothing is filled."""
        return self.turnover / self.filled if self.filled else ZERO
