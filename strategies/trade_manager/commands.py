"""What a trade asks for. The shell carries it out and maps each `ref` to an order of the venue."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Role(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


class Kind(StrEnum):
    """How an order is sent; stops and limits rest until they are cancelled."""

    MARKET_IOC = "market IOC"
    POST_ONLY = "post-only limit"
    STOP_MARKET = "stop market"
    LIMIT = "limit"


@dataclass(frozen=True)
class Submit:
    """Send a new order. `ref` is unique in the trade and never used again."""

    ref: str
    role: Role
    kind: Kind
    side: int  # 1 buy, -1 sell
    size: Decimal  # the venue's units, a multiple of its step
    price: Decimal | None  # the limit, or the trigger of a stop; None at market
    reduce_only: bool


@dataclass(frozen=True)
class Resize:
    """Modify an order's total size: what has been filled of it and what is to rest, as Nautilus counts.

    Counted so, a fill that is on its way while the change travels cannot make the order larger than was meant.
    """

    ref: str
    size: Decimal


@dataclass(frozen=True)
class Move:
    """Modify an order's price: the trigger of a stop."""

    ref: str
    price: Decimal


@dataclass(frozen=True)
class Cancel:
    """Cancel an order. It counts as working until its end is reported."""

    ref: str


@dataclass(frozen=True)
class Alarm:
    """Answer with `Rang(name)` at `at_ns` (UNIX ns; at once if that is over). One of the same name replaces it."""

    name: str
    at_ns: int


type Modify = Resize | Move
type Command = Submit | Resize | Move | Cancel | Alarm


def describe(command: Command) -> str:
    """The command in words, as it stands in a trade's history."""
    match command:
        case Submit(ref, _, kind, side, size, price):
            at = "" if price is None else f" at {price}"
            return f"submit {ref}: {kind} {'buy' if side > 0 else 'sell'} {size}{at}"
        case Resize(ref, size):
            return f"resize {ref} to {size}"
        case Move(ref, price):
            return f"move {ref} to {price}"
        case Cancel(ref):
            return f"cancel {ref}"
        case Alarm(name, _):
            return f"alarm {name}"
