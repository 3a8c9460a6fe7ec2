"""What Guards makes of its guards: one halt a cause, what blocks an entry, what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.guards import (
    ALL,
    ClosedTrade,
    DataAge,
    Guards,
    GuardSettings,
    Halt,
    MemoryJournal,
    OrderReject,
    TimeRunsBackwardsError,
    What,
)
from tests.strategies.guard_views import NOON, SECOND, closed, settings, view


def guards(**tables: dict[str, Any]) -> Guards:
    """Guards on a new journal."""
    return Guards(settings(**tables), MemoryJournal())


def names(halts: list[Halt]) -> list[str]:
    return [halt.guard for halt in halts]


def test_nothing_wrong_is_no_halt() -> None:
    """A healthy view trips nothing, and entries are allowed."""
    all_of_them = guards()
    assert all_of_them.check(view()) == []
    assert all_of_them.blocks("BTC", "BINANCE", NOON) is None
    assert all_of_them.changes == ()


def test_an_asset_that_is_not_mentioned_is_not_fresh() -> None:
    """What the view leaves out is not traded, and a halt on it goes on."""
    all_of_them = guards()
    all_of_them.check(view(data_ages=(DataAge("BTC", "x", 99.0),)))
    assert [h.scope for h in all_of_them.check(view(1, data_ages=()))] == ["asset:BTC"]
    for asset, guard in (("BTC", "stale_data"), ("ETH", "stale_data")):
        blocked = all_of_them.blocks(asset, "BINANCE", NOON + SECOND)
        assert blocked is not None
        assert blocked.guard == guard
    all_of_them.check(view(2, spreads_bps={"BTC": 0.1}))
    blocked = all_of_them.blocks("ETH", "BINANCE", NOON + 2 * SECOND)
    assert blocked is not None
    assert blocked.guard == "spread_blowout"


def test_one_cause_is_one_halt() -> None:
    """A cause that goes on is journaled once, and its end once."""
    journal = MemoryJournal()
    all_of_them = Guards(GuardSettings(), journal)
    for n in range(5):
        all_of_them.check(view(n, reconciled=False))
    all_of_them.check(view(5))
    all_of_them.check(view(6))
    assert [(e.what, e.halt.guard) for e in journal.events()] == [
        (What.TRIPPED, "reconciliation"),
        (What.EXPIRED, "reconciliation"),
    ]


def test_a_lockout_is_named_before_other_halts() -> None:
    """`blocks` answers with what the strategy must act on."""
    all_of_them = guards()
    all_of_them.check(view(reconciled=False))
    all_of_them.check(view(1, reconciled=False, kill_file=True))
    blocked = all_of_them.blocks("BTC", "BINANCE", NOON + SECOND)
    assert blocked is not None
    assert blocked.guard == "kill_file"


def test_no_entry_before_a_finished_check() -> None:
    """Before the first check, and after one that raised, everything is blocked."""
    all_of_them = guards()
    assert all_of_them.blocks("BTC", "BINANCE", NOON) is not None
    all_of_them.check(view(trades=closed(1, 1)))
    assert all_of_them.blocks("BTC", "BINANCE", NOON) is None
    with pytest.raises(ValueError, match="1 closed trades after 2"):
        all_of_them.check(view(1, trades=closed(1)))
    assert all_of_them.blocks("BTC", "BINANCE", NOON + SECOND) is not None
    all_of_them.check(view(2, trades=closed(1, 1)))
    assert all_of_them.blocks("BTC", "BINANCE", NOON + 2 * SECOND) is None


def test_time_running_backwards_is_an_error() -> None:
    """One nanosecond back is refused, in checks, in questions and after a restart; the same time again is not."""
    journal = MemoryJournal()
    all_of_them = Guards(GuardSettings(), journal)
    all_of_them.check(view())
    all_of_them.check(view())
    with pytest.raises(TimeRunsBackwardsError, match="1 ns before"):
        all_of_them.blocks("BTC", "BINANCE", NOON - 1)
    for one in (all_of_them, Guards(GuardSettings(), journal)):
        with pytest.raises(TimeRunsBackwardsError, match="the clock was set back"):
            one.check(view(-1))


def test_trades_are_counted_once_over_a_restart() -> None:
    """Two losses before a restart and one after are three, whether or not the log comes back with the process."""
    for restored in ((), closed(-1, -1)):
        journal = MemoryJournal()
        Guards(GuardSettings(), journal).check(view(5, trades=closed(-1, -1)))
        second = Guards(GuardSettings(), journal)
        assert second.check(view(6, trades=restored)) == []
        third_loss = ClosedTrade(-1.0, NOON + 7 * SECOND, "ETH", "BYBIT")
        assert names(second.check(view(8, trades=[*restored, third_loss]))) == ["consecutive_losses"]


def test_a_guard_that_is_switched_off_is_silent() -> None:
    """Five guards have a switch; what they would have stopped goes through."""
    off = {"enabled": False}
    all_of_them = guards(daily_drawdown=off, consecutive_losses=off, stale_data=off, spread=off, reject_storm=off)
    all_of_them.check(view())
    rejects = [OrderReject(NOON, "BINANCE")] * 9
    bad = view(1, equity=Decimal(1), trades=closed(*[-1] * 9), rejects=rejects, data_ages=(), spreads_bps={})
    assert all_of_them.check(bad) == []
    assert all_of_them.blocks("BTC", "BINANCE", NOON + SECOND) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scope": "BTC"}, "scope 'BTC' is unknown"),
        ({"scope": "asset:"}, "scope 'asset:' is unknown"),
        ({"reason": " "}, "a halt needs a reason"),
        ({"lockout": True, "until": 5}, "a lockout has no end of its own"),
    ],
)
def test_a_halt_that_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    """The message names the value."""
    whole = {"reason": "why", "scope": ALL, "until": None, "lockout": False, "guard": "by hand"} | fields
    with pytest.raises(ValueError, match=words):
        Halt(**whole)


@pytest.mark.parametrize(
    "tables",
    [
        {"daily_drawdown": {"max_fraction": 5}},
        {"daily_drawdown": {"reference": "week"}},
        {"reject_storm": {"within_seconds": 60, "halt_seconds": 59}},
        {"spread": {"min_samples": 300}},
        {"spread": {"floor_bps": 30.0}},
        {"unknown": {}},
    ],
)
def test_settings_that_make_no_sense_are_refused(tables: dict[str, Any]) -> None:
    """A profile with them does not load."""
    with pytest.raises(ValidationError):
        settings(**tables)
