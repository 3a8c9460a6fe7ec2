"""Carry on events made by hand."""

import math

import pytest

from indicators.sides import BUYER
from tests.strategies.flow.world import CONTRACTS, PERP, SPOT, World, around, ns


def test_basis() -> None:
    """A perp at 1000 over spots at 998 and 1000: 1 / 999. A stale spot has no say, and without one it is missing."""
    world = World(PERP, SPOT, SPOT)
    world.warm(10)
    world.books(11, around(10_000), around(99_800), around(100_000))
    assert world.features(11)["basis_bps"] == pytest.approx(1 / 999 * 1e4)
    world.books(14, around(10_000), None, around(100_000))
    assert world.features(14)["basis_bps"] == pytest.approx(1 / 999 * 1e4)
    world.books(15, around(10_000))
    assert world.features(15)["basis_bps"] == 0.0
    world.books(18, around(10_000))
    assert math.isnan(world.features(18)["basis_bps"])


def test_mark_premium() -> None:
    """A mark of 1001 over a mid of 1000 is 10 bps, and is missing once the mark is older than 3 seconds."""
    world = World()
    world.warm(10)
    world.flow.on_mark(0, 1001.0, ns(9))
    assert world.features(12)["mark_premium_bps"] == pytest.approx(10.0)
    assert math.isnan(world.features(12.5)["mark_premium_bps"])


def test_funding() -> None:
    """The lead's rate and the time to its next settlement; of another perp neither; after an hour neither."""
    world = World(PERP, CONTRACTS)
    world.warm(10)
    world.flow.on_funding(1, 0.5, ns(99), ns(9))
    assert math.isnan(world.features(10)["funding_rate"])
    world.flow.on_funding(0, -0.0001, ns(70), ns(10))
    snapshot = world.features(10)
    assert (snapshot["funding_rate"], snapshot["time_to_funding_s"]) == (-0.0001, 60.0)
    world.books(70, around(10_000))
    # due, and the next one is not known yet
    snapshot = world.features(70)
    assert snapshot["funding_rate"] == -0.0001
    assert math.isnan(snapshot["time_to_funding_s"])


def test_funding_without_a_known_settlement() -> None:
    """A source that does not say when (0) leaves the time missing."""
    world = World()
    world.warm(10)
    world.flow.on_funding(0, 0.0001, 0, ns(10))
    snapshot = world.features(10)
    assert snapshot["funding_rate"] == 0.0001
    assert math.isnan(snapshot["time_to_funding_s"])


def test_open_interest() -> None:
    """Base units, summed over the perps that report it: 100 and 40 contracts of 0.25 are 110."""
    world = World(PERP, CONTRACTS)
    world.warm(10)
    world.flow.on_open_interest(0, 100.0, ns(9))
    assert world.features(10)["open_interest"] == 100.0
    world.flow.on_open_interest(1, 40.0, ns(10))
    assert world.features(10)["open_interest"] == 110.0


def test_slow_reports_are_stale_after_an_hour() -> None:
    """An hour old funding and open interest still count, a second later they are missing."""
    world = World()
    world.warm(10)
    world.flow.on_open_interest(0, 100.0, ns(10))
    world.flow.on_funding(0, 0.0001, ns(9_999), ns(10))
    for time in (3609, 3611):
        world.trade(time - 3, 1.0, BUYER)
        world.books(time, around(10_000))
    assert world.features(3610)["open_interest"] == 100.0
    assert world.features(3610)["funding_rate"] == 0.0001
    assert math.isnan(world.features(3611)["open_interest"])
    assert math.isnan(world.features(3611)["funding_rate"])


def test_basis_z_score() -> None:
    """A basis of 0, 0 and then more: in a window of three the last is √2 deviations above the mean."""
    world = World(PERP, SPOT)
    world.warm(10)
    for second, mid in ((11, 10_000), (12, 10_000), (13, 10_010)):
        world.books(second, around(mid), around(100_000))
        assert math.isnan(world.features(second)["basis_z"]) == (second < 13)
    assert world.features(13)["basis_z"] == pytest.approx(math.sqrt(2))


def test_a_basis_that_was_missing_starts_its_window_anew() -> None:
    """Without a spot mid there is neither basis nor score, and the score needs three new samples."""
    world = World(PERP, SPOT)
    world.warm(10)
    for second in range(11, 14):
        world.books(second, around(10_000 + second), around(100_000))
    for second in range(14, 18):
        world.books(second, around(10_000))
    assert math.isnan(world.features(17)["basis_z"])
    world.books(18, around(10_000), around(100_000))
    snapshot = world.features(18)
    assert snapshot["basis_bps"] == 0.0
    assert math.isnan(snapshot["basis_z"])


def test_funding_pressure() -> None:
    """1 bp due at once presses with 1 bp, two hours before with 1/e of it; after the settlement it is not known."""
    world = World()
    world.warm(10)
    world.flow.on_funding(0, 0.0001, ns(7_210), ns(10))
    assert world.features(10)["funding_pressure_bps"] == pytest.approx(math.exp(-1.0))
    world.books(7_209, around(10_000))
    world.flow.on_funding(0, 0.0001, ns(7_210), ns(7_209))
    assert world.values(7_209)["funding_pressure_bps"] == pytest.approx(1.0, rel=1e-3)
    assert math.isnan(world.values(7_211)["funding_pressure_bps"])


def test_open_interest_changes() -> None:
    """100 and 40 contracts of 0.25, later 120 and 40: 130 over 110 within five minutes; the hour is not known yet."""
    world = World(PERP, CONTRACTS)
    for minute in range(16):
        world.flow.on_open_interest(0, 100.0 if minute < 11 else 120.0, ns(60 * minute))
        world.flow.on_open_interest(1, 40.0, ns(60 * minute))
    values = world.values(950)
    assert values["oi_change_5m"] == pytest.approx(130 / 110 - 1)
    assert values["oi_change_15m"] == pytest.approx(130 / 110 - 1)
    assert math.isnan(values["oi_change_1h"])
    assert world.values(1_190)["oi_change_5m"] == 0.0
    # eleven minutes of silence: a change to a value that nobody confirms is not known
    assert math.isnan(world.values(900 + 661)["oi_change_5m"])


def test_a_perp_that_began_to_report_late_is_no_change() -> None:
    """Only those known then and now count: 100 stay 100, whatever a second venue adds."""
    world = World(PERP, CONTRACTS)
    for minute in range(7):
        world.flow.on_open_interest(0, 100.0, ns(60 * minute))
        if minute > 3:
            world.flow.on_open_interest(1, 4_000.0, ns(60 * minute))
    values = world.values(361)
    assert values["oi_change_5m"] == 0.0
    assert values["open_interest"] == 1_100.0
