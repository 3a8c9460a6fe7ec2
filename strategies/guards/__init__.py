"""Guards: rules that say when no trade may be entered. They decide, the strategy obeys. One rule a file."""

from strategies.guards.config import GuardSettings
from strategies.guards.guards import Guards, TimeRunsBackwardsError
from strategies.guards.halt import ALL, Halt, asset_scope, venue_scope
from strategies.guards.inputs import ClosedTrade, DataAge, GuardInputs, OrderReject
from strategies.guards.journal import Event, HaltJournal, JournalError, What
from strategies.guards.memory_journal import MemoryJournal

__all__ = [
    "ALL",
    "ClosedTrade",
    "DataAge",
    "Event",
    "GuardInputs",
    "GuardSettings",
    "Guards",
    "Halt",
    "HaltJournal",
    "JournalError",
    "MemoryJournal",
    "OrderReject",
    "TimeRunsBackwardsError",
    "What",
    "asset_scope",
    "venue_scope",
]
