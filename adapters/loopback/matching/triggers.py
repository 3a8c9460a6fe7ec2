"""Trigger orders: a request that waits for a price, or for the first of two."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

from adapters.loopback.matching.order import NewOrder, Reason


class PriceKind(StrEnum):
    """Which price a trigger watches."""

    LAST = "last"
    FAIR = "fair"
    INDEX = "index"


class Direction(IntEnum):
    AT_OR_ABOVE = 1
    AT_OR_BELOW = -1


class TriggerState(StrEnum):
    WAITING = "waiting"
    FIRED = "fired"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True)
class Condition:
    """Met once the watched price is at the level or beyond it. `label` tells two conditions of a trigger apart."""

    price: Decimal
    kind: PriceKind
    direction: Direction
    label: str = ""

    def met(self, price: Decimal | None) -> bool:
        """A price that is not known meets nothing."""
        return price is not None and (price - self.price) * self.direction >= 0


@dataclass
class Trigger:
    """One waiting request. The first condition that is met sends `request`; then the trigger is done.

    `position_id` binds it to a position (0: to none): its request closes that position, and it ends with it. Such a
    request's volume is cut to what can be closed; volume 0 stands for all of it. `parent_id` is the order that a
    trigger was attached to, 0 for none.
    """

    id: int
    request: NewOrder
    conditions: tuple[Condition, ...]
    created_ms: int
    updated_ms: int
    expires_ms: int
    position_id: int = 0
    parent_id: int = 0
    state: TriggerState = TriggerState.WAITING
    met: Condition | None = None
    order_id: int = 0
    refusal: Reason | None = None
    version: int = 1

    @property
    def account(self) -> str:
        return self.request.account

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def is_waiting(self) -> bool:
        return self.state is TriggerState.WAITING

    def condition_met(self, prices: dict[PriceKind, Decimal | None]) -> Condition | None:
        """The first condition that the prices meet."""
        return next((c for c in self.conditions if c.met(prices[c.kind])), None)
