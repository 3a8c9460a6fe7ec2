"""What the guards ask of a journal: an append-only list of events, and the memory beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from strategies.guards.halt import Halt
from strategies.guards.memory import GuardMemory


class JournalError(Exception):
    """The journal cannot be trusted or written; the message names the file and what to do."""


class JournalBehindError(Exception):
    """Somebody else has written since: read the events, decide again, write again."""


class NotInForceError(Exception):
    """There is no such halt, or it has ended; the message says which."""


class What(StrEnum):
    """What happened to a halt. It ends either by itself (its time, or its cause gone) or by a person."""

    TRIPPED = "tripped"
    EXPIRED = "expired"
    CLEARED = "cleared"


@dataclass(frozen=True)
class Entry:
    """An event to be written: `ts` is UNIX ns, `by` whose doing it is, and an end names the `halt_id` that it ends."""

    what: What
    ts: int
    by: str
    reason: str
    halt: Halt
    halt_id: int | None = None

    def __post_init__(self) -> None:
        if (self.what is What.TRIPPED) != (self.halt_id is None):
            raise ValueError(f"{self.what} with halt_id {self.halt_id}: an end names its halt, a trip is given one")
        if not self.reason.strip():
            raise ValueError(f"{self.what} needs a reason")


@dataclass(frozen=True)
class Event:
    """An event of the journal, numbered from 1. A halt's id is that of the event in which it tripped."""

    id: int
    what: What
    halt_id: int
    halt: Halt
    ts: int
    by: str
    reason: str


class HaltJournal(Protocol):
    """A journal of halts. Whatever a method has returned from is kept."""

    def memory(self) -> GuardMemory:
        """The memory as last written."""

    def events(self, after: int = 0) -> list[Event]:
        """The events with an id above `after`, in order."""

    def commit(self, memory: GuardMemory, entries: Sequence[Entry]) -> list[Event]:
        """Write memory and entries, all or none.

        The memory is kept with the id of the last event as its `event_id`. Raises JournalBehindError if the journal has
        events after the memory's `event_id`.
        """

    def append(self, entry: Entry) -> Event:
        """Write one event without touching the memory: what a person does. Raises NotInForceError for a wrong end."""


def open_halts(events: Iterable[Event]) -> dict[int, Halt]:
    """The halts, by id in order, that tripped in these events and did not end in them."""
    halts: dict[int, Halt] = {}
    for event in events:
        if event.what is What.TRIPPED:
            halts[event.halt_id] = event.halt
        else:
            halts.pop(event.halt_id, None)
    return halts


def numbered(entry: Entry, number: int) -> Event:
    """The event that an entry becomes."""
    halt_id = number if entry.halt_id is None else entry.halt_id
    return Event(number, entry.what, halt_id, entry.halt, entry.ts, entry.by, entry.reason)


def why_not_in_force(halt_id: int, events: Sequence[Event]) -> str:
    """What to tell somebody who would end this halt."""
    for event in events:
        if event.halt_id == halt_id and event.what is not What.TRIPPED:
            return f"halt {halt_id} is not in force: {event.what} by {event.by} ({event.reason})"
    return f"there is no halt {halt_id}"
