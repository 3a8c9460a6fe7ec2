"""A few schedules of the fault campaign; thousands are run by ``python -m tests.adapters.mexc.fault_campaign``."""

import asyncio

import pytest

from tests.adapters.mexc.fault_campaign import campaign
from tests.adapters.mexc.fault_schedule import Schedule
from tests.adapters.mexc.quick_windows import shorten

SCHEDULES = range(8)


def test_schedules_end_with_the_three_accounts_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was dropped, doubled, delayed, refused or cut: no order twice, no fill lost, flat in the end."""
    shorten(monkeypatch)
    outcomes = asyncio.run(campaign(SCHEDULES, parallel=len(SCHEDULES), loud=False))
    assert {outcome.seed: outcome.problems for outcome in outcomes} == {seed: [] for seed in SCHEDULES}
    assert sum(outcome.fills for outcome in outcomes)
    assert sum(outcome.faults.total() for outcome in outcomes)


def test_schedule_is_made_from_its_seed() -> None:
    """The same seed makes the same plan of faults."""
    first, second = Schedule(7), Schedule(7)
    assert first.faults()._rates == second.faults()._rates
    assert (first.one_way, first.rng.random()) == (second.one_way, second.rng.random())
