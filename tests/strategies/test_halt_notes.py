import pytest

from strategies.guards import ALL, Event, Halt, What, asset_scope, venue_scope
from strategies.halt_notes import HaltNote, covered, note_of
from tests.strategies.guard_views import LOCKOUT, NOON
from tests.strategies.running_trades import Stand, short_plan

PAUSE = Halt("3 losses in a row", ALL, NOON + 1, lockout=False, guard="consecutive_losses")
RUNNING = [Stand().one, Stand(short_plan()).one]
"""Two trades of BTC on BINANCE."""


def event(what: What, halt: Halt, reason: str = "") -> Event:
    return Event(id=1, what=what, halt_id=1, halt=halt, ts=NOON, by="a test", reason=reason or halt.reason)


def test_a_pause_stops_entries_alone() -> None:
    """Cause, scope and what is done about it."""
    assert note_of(event(What.TRIPPED, PAUSE), RUNNING) == HaltNote(
        ts=NOON,
        what="tripped",
        guard="consecutive_losses",
        scope="all",
        reason="3 losses in a row",
        action="no entries; what is open keeps its exits",
    )


@pytest.mark.parametrize(("running", "trades"), [([], "0 trades"), (RUNNING[:1], "1 trade"), (RUNNING, "2 trades")])
def test_a_lockout_closes_what_it_covers(running: list, trades: str) -> None:
    """And says how many trades that are."""
    note = note_of(event(What.TRIPPED, LOCKOUT), running)
    assert note.action == f"no entries; cancels and closes {trades} at market until flat"


@pytest.mark.parametrize(
    ("scope", "count"),
    [
        (ALL, 2),
        (asset_scope("BTC"), 2),
        (venue_scope("BINANCE"), 2),
        (asset_scope("ETH"), 0),
        (venue_scope("BYBIT"), 0),
    ],
)
def test_what_is_covered_is_in_the_scope(scope: str, count: int) -> None:
    """By asset, by venue, or everything."""
    halt = Halt("why not", scope, None, lockout=True, guard="by hand")
    assert len(covered(halt, RUNNING)) == count
    assert f" {count} trades " in note_of(event(What.TRIPPED, halt), RUNNING).action


@pytest.mark.parametrize("what", [What.EXPIRED, What.CLEARED])
@pytest.mark.parametrize("halt", [PAUSE, LOCKOUT])
def test_an_end_has_a_reason_of_its_own(what: What, halt: Halt) -> None:
    """Why it ended, not why it began."""
    note = note_of(event(what, halt, "looked into it"), RUNNING)
    assert (note.what, note.reason) == (what.value, "looked into it")
    assert note.action == "entries are allowed again, unless another halt holds"


def test_a_row_has_every_field_under_its_name() -> None:
    """As the table of a report needs it."""
    note = note_of(event(What.TRIPPED, PAUSE), [])
    assert HaltNote(**note.row) == note
