"""What happens to a trade. The shell translates; sizes are the venue's units, times UNIX ns.

Events may come late, twice and in any order. None of them raises.
"""

from dataclasses import dataclass
from decimal import Decimal

from strategies.targets import Ladder


@dataclass(frozen=True)
class Accepted:
    """The venue has the order."""

    ref: str


@dataclass(frozen=True)
class Refused:
    """The order never came to rest: rejected by the venue, or denied before it was sent."""

    ref: str
    reason: str


@dataclass(frozen=True)
class Cancelled:
    """The order ended, whether that was asked for or not. Also what is left of an IOC order."""

    ref: str


@dataclass(frozen=True)
class Expired:
    """The venue ended the order by itself."""

    ref: str


@dataclass(frozen=True)
class Filled:
    """One fill. `fill_id` is unique among those of the order; `fee` in account currency; `ts` the venue's time."""

    ref: str
    fill_id: str
    size: Decimal
    price: Decimal
    fee: Decimal
    ts: int


@dataclass(frozen=True)
class Updated:
    """The order's total size and price as they are now; None for what the venue did not tell.

    The answer to a Resize or Move, or what the venue did by itself (a reduce-only order that was shrunk).
    """

    ref: str
    size: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True)
class ModifyRefused:
    """A Resize or Move was not done."""

    ref: str
    reason: str


@dataclass(frozen=True)
class CancelRefused:
    """A Cancel was not done: perhaps the order has ended, and that is still on its way."""

    ref: str
    reason: str


@dataclass(frozen=True)
class Rang:
    """An alarm's time has come."""

    name: str


@dataclass(frozen=True)
class ClosedByVenue:
    """A fill that reduced the position through no order of ours: liquidation, auto-deleveraging."""

    fill_id: str
    size: Decimal
    price: Decimal
    fee: Decimal
    ts: int


@dataclass(frozen=True)
class Replanned:
    """A new ladder, its shares of what is open now."""

    ladder: Ladder


@dataclass(frozen=True)
class Flatten:
    """Leave at once: lockout, end of the session, an order of the operator."""

    reason: str


type OrderReport = Accepted | Refused | Cancelled | Expired | Updated | ModifyRefused | CancelRefused
type Event = OrderReport | Filled | ClosedByVenue | Rang | Replanned | Flatten
