"""One trade as a pure state machine: what happened goes in, what is to be done comes out."""

from strategies.trade_manager.commands import Alarm, Cancel, Command, Kind, Move, Resize, Role, Submit
from strategies.trade_manager.events import (
    Accepted,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Event,
    Expired,
    Filled,
    Flatten,
    ModifyRefused,
    Rang,
    Refused,
    Replanned,
    Updated,
)
from strategies.trade_manager.manager import TradeManager
from strategies.trade_manager.order_desk import Note
from strategies.trade_manager.plan import PostOnly, TradePlan
from strategies.trade_manager.state import TradeState

__all__ = [
    "Accepted",
    "Alarm",
    "Cancel",
    "CancelRefused",
    "Cancelled",
    "ClosedByVenue",
    "Command",
    "Event",
    "Expired",
    "Filled",
    "Flatten",
    "Kind",
    "ModifyRefused",
    "Move",
    "Note",
    "PostOnly",
    "Rang",
    "Refused",
    "Replanned",
    "Resize",
    "Role",
    "Submit",
    "TradeManager",
    "TradePlan",
    "TradeState",
    "Updated",
]
