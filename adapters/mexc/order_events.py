"""What has happened to an order of ours, told once and in an order that Nautilus's own states allow. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from adapters.mexc.schemas.private import DealRow


class End(StrEnum):
    """How an order ended without being filled to the last contract."""

    CANCELLED = "cancelled"
    REJECTED = "rejected"
    POST_ONLY = "would have taken"
    """Post-only, and it would have traded at once."""
    EXPIRED = "expired"


@dataclass(frozen=True)
class Accepted:
    """The venue has the order. `venue_order_id` stays its name for good; of a trigger order, the plan's id."""

    key: str
    venue_order_id: str
    ts_ms: int


@dataclass(frozen=True)
class Changed:
    """Quantity, price, trigger price or the venue's id are other than they were said to be; all as they are now."""

    key: str
    venue_order_id: str
    vol: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    ts_ms: int


@dataclass(frozen=True)
class Triggered:
    """A trigger order has become a limit order."""

    key: str
    venue_order_id: str
    ts_ms: int


@dataclass(frozen=True)
class Filled:
    """One fill, never told twice."""

    key: str
    venue_order_id: str
    deal: DealRow


@dataclass(frozen=True)
class Ended:
    """Nothing more of the order will be filled, and every fill there was has been told.

    After a fill that came later all the same, it is told again.
    """

    key: str
    venue_order_id: str | None
    how: End
    reason: str
    ts_ms: int


@dataclass(frozen=True)
class StillOpen:
    """It was told that the order has ended, and the venue shows it open: it must be cancelled there."""

    key: str
    order_id: str


type OrderEvent = Accepted | Changed | Triggered | Filled | Ended | StillOpen
