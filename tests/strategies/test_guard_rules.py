"""Each guard, worked by hand."""

import math
from decimal import Decimal
from typing import Any

import pytest

from strategies.guards import (
    ALL,
    DataAge,
    Guards,
    Halt,
    MemoryJournal,
    OrderReject,
    What,
)
from tests.strategies.guard_views import DAY, HOUR, NOON, SECOND, closed, settings, view


def guards(**tables: dict[str, Any]) -> Guards:
    """Guards on a new journal."""
    return Guards(settings(**tables), MemoryJournal())


def names(halts: list[Halt]) -> list[str]:
    return [halt.guard for halt in halts]


@pytest.mark.parametrize(("equity", "locked"), [("95000.01", False), ("95000", True), ("12", True)])
def test_drawdown_from_the_day_start(equity: str, locked: bool) -> None:
    """5 % of 100,000 lost is a lockout of everything, to the cent; a higher peak in between does not count."""
    all_of_them = guards()
    all_of_them.check(view())
    all_of_them.check(view(1, equity=Decimal(99_000)))
    halts = all_of_them.check(view(2, equity=Decimal(equity)))
    assert [(h.guard, h.scope, h.until, h.lockout) for h in halts] == [("daily_drawdown", ALL, None, True)] * locked


@pytest.mark.parametrize(("equity", "locked"), [("104500.01", False), ("104500", True)])
def test_drawdown_from_the_peak(equity: str, locked: bool) -> None:
    """With reference peak, 5 % of the day's highest equity of 110,000 is 5,500."""
    all_of_them = guards(daily_drawdown={"reference": "peak"})
    all_of_them.check(view())
    all_of_them.check(view(1, equity=Decimal(110_000)))
    assert bool(all_of_them.check(view(2, equity=Decimal(equity)))) is locked


def test_drawdown_starts_anew_at_midnight_utc() -> None:
    """4 % on each of two days is no lockout; the next day's reference is its first equity."""
    all_of_them = guards()
    all_of_them.check(view())
    all_of_them.check(view(12 * 3600 - 1, equity=Decimal(96_000)))
    assert all_of_them.check(view(12 * 3600, equity=Decimal(96_000))) == []
    assert all_of_them.check(view(13 * 3600, equity=Decimal(92_160))) == []
    assert names(all_of_them.check(view(14 * 3600, equity=Decimal(91_200)))) == ["daily_drawdown"]


def test_a_new_day_does_not_end_a_lockout() -> None:
    """A lockout holds over midnight, and for a year, whatever equity does."""
    all_of_them = guards()
    all_of_them.check(view())
    all_of_them.check(view(1, equity=Decimal(90_000)))
    for day in (1, 2, 365):
        assert names(all_of_them.check(view(day * 86_400, equity=Decimal(200_000)))) == ["daily_drawdown"]
    blocked = all_of_them.blocks("BTC", "BINANCE", NOON + 365 * DAY)
    assert blocked is not None
    assert blocked.lockout


@pytest.mark.parametrize("equity", [None, math.nan, math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal(0), -5.0])
def test_unknown_equity_halts_all(equity: Any) -> None:
    """Equity that is missing, no number or not positive stops entries until it is known again, and is no reference."""
    all_of_them = guards()
    (halt,) = all_of_them.check(view(equity=equity))
    assert (halt.guard, halt.scope, halt.until, halt.lockout) == ("equity", ALL, None, False)
    assert all_of_them.check(view(1, equity=Decimal(1_000))) == []
    assert [e.reason for e in all_of_them.changes] == ["its cause is gone"]


def test_all_of_the_equity_lost_is_a_drawdown() -> None:
    """Known and zero is not unknown: the lockout trips beside the halt."""
    all_of_them = guards()
    all_of_them.check(view())
    assert names(all_of_them.check(view(1, equity=Decimal(0)))) == ["equity", "daily_drawdown"]


@pytest.mark.parametrize(
    ("nets", "halted"),
    [
        ((-1, -1), False),
        ((-1, -1, -1), True),
        ((-1, -1, 0, -1), False),  # no loss: the run ends
        ((-1, None, math.nan), True),  # a result that is not known is a loss
        ((-1, -1, -1, 5), False),  # the view came late: the run is over
    ],
)
def test_losses_in_a_row(nets: tuple[Any, ...], halted: bool) -> None:
    """Three losses in a row pause all entries for an hour."""
    halts = guards().check(view(10, trades=closed(*nets)))
    expected = Halt("3 losses in a row: the limit is 3", ALL, NOON + 10 * SECOND + HOUR, False, "consecutive_losses")
    assert halts == [expected] * halted


def test_a_pause_ends_exactly_at_its_time_and_the_count_starts_anew() -> None:
    """Blocked until the last nanosecond; the same losses do not pause twice, and three more do."""
    all_of_them = guards()
    losses = closed(-1, -1, -1)
    (halt,) = all_of_them.check(view(10, trades=losses))
    assert halt.until is not None
    assert all_of_them.blocks("BTC", "BINANCE", halt.until - 1) == halt
    assert all_of_them.blocks("BTC", "BINANCE", halt.until) is None
    assert all_of_them.check(view(10 + 3600, trades=losses)) == []
    assert [(e.what, e.reason) for e in all_of_them.changes] == [(What.EXPIRED, "its time is over")]
    assert all_of_them.check(view(3700, trades=closed(*[-1] * 5))) == []
    assert names(all_of_them.check(view(3800, trades=closed(*[-1] * 6)))) == ["consecutive_losses"]


def test_losses_during_a_pause_prolong_it_only_as_a_full_run() -> None:
    """Three more losses while paused start another pause at the end of the first; two do not."""
    for more, prolonged in ((2, False), (3, True)):
        all_of_them = guards()
        all_of_them.check(view(10, trades=closed(-1, -1, -1)))
        losses = closed(*[-1] * (3 + more))
        assert len(all_of_them.check(view(20, trades=losses))) == 1
        assert bool(all_of_them.check(view(10 + 3600, trades=losses))) is prolonged


def test_the_kill_file_locks_out_and_removing_it_does_not_end_that() -> None:
    """The lockout is there at the first check that sees the file, once, and stays."""
    all_of_them = guards()
    (halt,) = all_of_them.check(view(kill_file=True))
    assert (halt.scope, halt.until, halt.lockout) == (ALL, None, True)
    assert all_of_them.check(view(1, kill_file=True)) == [halt]
    assert all_of_them.check(view(2)) == [halt]


def test_reconciliation_halts_until_it_is_finished() -> None:
    """No entries before; no clearing needed after."""
    all_of_them = guards()
    assert names(all_of_them.check(view(reconciled=False))) == ["reconciliation"]
    assert all_of_them.check(view(1)) == []


@pytest.mark.parametrize(
    ("age", "stale"), [(10.0, False), (10.001, True), (None, True), (math.nan, True), (math.inf, True), (-0.1, True)]
)
def test_stale_data_halt_their_asset(age: float | None, stale: bool) -> None:
    """One market older than 10 s, never heard of or from the future halts its asset alone, until it is fresh."""
    all_of_them = guards()
    ages = (
        DataAge("BTC", "one", 0.0),
        DataAge("BTC", "two", age),
        DataAge("BTC", "three", 0.0),
        DataAge("ETH", "x", 1),
    )
    halts = all_of_them.check(view(data_ages=ages))
    assert [(h.guard, h.scope, h.until) for h in halts] == [("stale_data", "asset:BTC", None)] * stale
    assert (all_of_them.blocks("BTC", "BYBIT", NOON) is not None) is stale
    assert all_of_them.blocks("ETH", "BYBIT", NOON) is None
    assert all_of_them.check(view(1)) == []


@pytest.mark.parametrize(
    ("spread", "halted"), [(20.0, False), (20.01, True), (None, True), (math.nan, True), (-1, True)]
)
def test_spread_against_its_absolute_limit(spread: float | None, halted: bool) -> None:
    """From the first check on, more than 20 bps or an unknown spread halts the asset."""
    halts = guards().check(view(spreads_bps={"BTC": spread, "ETH": 1.0}))
    assert [(h.guard, h.scope) for h in halts] == [("spread_blowout", "asset:BTC")] * halted


def test_spread_against_its_median() -> None:
    """Medians of (1, 2, 3) and then (2, 3, 10.1) times 5: 10 is not above, 10.1 is; then 15 is not."""
    all_of_them = guards(spread={"window_samples": 3, "min_samples": 3})
    for n, spread in enumerate((1.0, 2.0, 3.0)):
        assert all_of_them.check(view(5 * n, spreads_bps={"BTC": spread})) == []
    assert all_of_them.check(view(11, spreads_bps={"BTC": 10.0})) == []  # too soon to be a sample
    (halt,) = all_of_them.check(view(15, spreads_bps={"BTC": 10.1}))
    assert halt.reason == "the spread of BTC is 10.10 bps: more than 5 times its median of 2.00 bps"
    assert all_of_them.check(view(20, spreads_bps={"BTC": 15.0})) == []


def test_a_tight_spread_may_multiply_below_the_floor() -> None:
    """A hundred times nearly nothing is still nothing: 2 bps."""
    all_of_them = guards(spread={"window_samples": 3, "min_samples": 2})
    for n in range(3):
        all_of_them.check(view(5 * n, spreads_bps={"BTC": 0.02}))
    assert all_of_them.check(view(20, spreads_bps={"BTC": 2.0})) == []
    assert len(all_of_them.check(view(25, spreads_bps={"BTC": 2.01}))) == 1


def test_a_spread_halt_outlives_a_restart_until_its_median_is_known_again() -> None:
    """Without a median nobody can say that the spread is normal."""
    journal = MemoryJournal()
    rules = settings(spread={"window_samples": 3, "min_samples": 2})
    first = Guards(rules, journal)
    for n, spread in enumerate((1.0, 1.0, 9.0)):
        first.check(view(5 * n, spreads_bps={"BTC": spread}))
    second = Guards(rules, journal)
    assert len(second.check(view(20, spreads_bps={"BTC": 1.0}))) == 1
    assert len(second.check(view(25, spreads_bps={"BTC": 1.0}))) == 1
    assert second.check(view(30, spreads_bps={"BTC": 1.0})) == []


def test_a_storm_of_rejects_halts_its_venue_for_a_time() -> None:
    """Five within ten seconds: five minutes for that venue. One that is exactly ten seconds old does not count."""
    rejects = [OrderReject(NOON + n * SECOND, "BYBIT") for n in range(5)] + [OrderReject(NOON, "BINANCE")]
    assert guards().check(view(10, rejects=rejects)) == []
    all_of_them = guards()
    (halt,) = all_of_them.check(view(9.9, rejects=rejects))
    end = NOON + round(309.9 * SECOND)
    assert (halt.guard, halt.scope, halt.until) == ("reject_storm", "venue:BYBIT", end)
    assert all_of_them.blocks("BTC", "BINANCE", end - 2) is None
    assert all_of_them.blocks("BTC", "BYBIT", end - 1) == halt
    assert all_of_them.blocks("BTC", "BYBIT", end) is None
    assert all_of_them.check(view(309.9, rejects=rejects)) == []
