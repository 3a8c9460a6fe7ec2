"""A journal that ends with its process: for replays."""

from collections.abc import Sequence
from dataclasses import replace

from strategies.guards.journal import (
    Entry,
    Event,
    JournalBehindError,
    NotInForceError,
    numbered,
    open_halts,
    why_not_in_force,
)
from strategies.guards.memory import GuardMemory


class MemoryJournal:
    """Events and memory in lists; otherwise as the journal in a file."""

    def __init__(self) -> None:
        self._memory = GuardMemory()
        self._events: list[Event] = []

    def memory(self) -> GuardMemory:
        return self._memory

    def events(self, after: int = 0) -> list[Event]:
        return self._events[after:]

    def commit(self, memory: GuardMemory, entries: Sequence[Entry]) -> list[Event]:
        if memory.event_id != len(self._events):
            raise JournalBehindError(f"the journal has {len(self._events)} events, {memory.event_id} were taken in")
        written = [self._add(entry) for entry in entries]
        self._memory = replace(memory, event_id=len(self._events))
        return written

    def append(self, entry: Entry) -> Event:
        if entry.halt_id is not None and entry.halt_id not in open_halts(self._events):
            raise NotInForceError(why_not_in_force(entry.halt_id, self._events))
        return self._add(entry)

    def _add(self, entry: Entry) -> Event:
        event = numbered(entry, len(self._events) + 1)
        self._events.append(event)
        return event
