"""What a candidate becomes, and how its ladder is planned anew while the trade runs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from strategies.resting_liquidity import seen_to, walls_of
from strategies.running_trade import plan_of, trade_of
from strategies.sizing import SizeRules
from strategies.targets import Source, TargetSettings, Wall, plan_targets
from strategies.trade_log import PlannedTarget
from strategies.trade_manager import Accepted, Cancelled, Flatten, PostOnly, TradePlan, TradeState
from tests.strategies.candidate_views import TS, on, setup, venue
from tests.strategies.running_trades import Stand
from tests.strategies.trade_driver import LONG, SECOND, SHORT, parts, plan

D = Decimal
FAR = D(120)


def test_the_plan_of_a_candidate() -> None:
    """3 at market, its stop at 99, its target at 101.5; to break-even, 100.0867 on the tick away from entry."""
    found = on(venue(), setup())
    assert plan_of(found, horizon_seconds=900, rest_seconds=None, break_even=True) == TradePlan(
        asset="BTC",
        instrument_id="BTCUSDT-PERP.BINANCE",
        side=1,
        size=D(3),
        stop=D("99.00"),
        targets=found.targets,
        horizon_ns=900 * SECOND,
        rules=SizeRules(step=D(1), max_size=D(3)),
        entry=None,
        break_even=D("100.09"),
    )


def test_the_plan_of_a_short() -> None:
    """Its stop is above, and its break-even, 99.9134, is on the tick below."""
    made = plan_of(on(venue(), setup(-1)), horizon_seconds=900, rest_seconds=None, break_even=True)
    assert (made.side, made.stop, made.break_even) == (-1, D("101.00"), D("99.91"))


def test_a_plan_whose_stop_stays() -> None:
    """Without break-even there is no price to go to."""
    assert plan_of(on(venue()), horizon_seconds=60, rest_seconds=None, break_even=False).break_even is None


def test_an_entry_that_rests() -> None:
    """At the best price of its own side: a long bids, a short offers."""
    for side, price in ((1, "99.99"), (-1, "100.01")):
        made = plan_of(on(venue(), setup(side)), horizon_seconds=60, rest_seconds=2.5, break_even=False)
        assert made.entry == PostOnly(D(price), 2_500_000_000)


def test_the_row_of_a_candidate() -> None:
    """What was known and forecast at the decision; nothing has happened yet."""
    found = on(venue(walls=(Wall(D("101.20"), D(9)),)), setup(-1))
    row = trade_of(found, model="by hand")
    assert (row.trace_id, row.side, row.venue, row.model) == (f"BTC-{TS // 1_000_000}-S", -1, "BINANCE", "by hand")
    assert (row.probability, row.break_even, row.expected_r) == (
        0.6,
        float(found.break_even),
        float(found.net_value_r),
    )
    assert (row.mid, row.stop, row.risk, row.planned_size, row.multiplier) == (100, 101, 1, 3, 1)
    assert row.targets == (PlannedTarget(D("98.50"), D(1), "R multiple", None),)
    assert row.forecast == found.costs.as_floats()
    assert (row.decided_ns, row.setup, row.entry_ns, row.fills) == (TS, found.setup.snapshot, 0, [])


def test_the_row_of_a_long_with_a_wall() -> None:
    """A target names the wall that it lies before."""
    row = trade_of(on(venue(walls=(Wall(D("101.20"), D(9)),))), model="by hand")
    assert row.trace_id.endswith("-L")
    assert row.targets == (PlannedTarget(D("101.19"), D(1), "wall", D("101.20")),)


def test_contracts_keep_their_multiplier() -> None:
    """3 base units are 300 contracts of a hundredth; the row counts as the venue does."""
    row = trade_of(on(venue(rules=SizeRules(step=D(1), multiplier=D("0.01"), max_size=D(300)))), model="by hand")
    assert (row.planned_size, row.multiplier) == (300, D("0.01"))


# -- planned anew ------------------------------------------------------------------------------------------------------

THREE = (Wall(D(103), D(5)), Wall(D(106), D(3)), Wall(D(110), D(2)))
"""Targets at 102 for 5 of 10, at 105 for 3, and at 109 for 2."""


def running(walls: Sequence[Wall], **settings: Any) -> Stand:
    targets = plan_targets(LONG, walls, TargetSettings(**settings))
    return Stand(plan(targets=targets)).enter()


def look(stand: Stand, *walls: Wall, seen: Decimal = FAR, market: int = 100) -> list[str]:
    def aim() -> None:
        stand.one.aim_anew(walls, seen_to=seen, market=D(market), now_ns=stand.now)

    return stand.said(aim)


def test_while_every_wall_stands_nothing_is_sent() -> None:
    """Weaker walls, and new ones beside them, are no reason."""
    weaker = [replace(wall, strength=D("0.1")) for wall in THREE]
    assert look(running(THREE), *weaker, Wall(D(108), D(99))) == []


def test_a_wall_that_vanishes_moves_its_own_target_alone() -> None:
    """106 is gone and 108 new: 3 go from 105 to 107; what rests at 102 and 109 is not touched."""
    stand = running(THREE)
    now = THREE[0], Wall(D(108), D(9)), THREE[2]
    assert look(stand, *now) == ["cancel target-2-1"]
    assert stand.on(Cancelled("target-2-1")) == ["submit target-4-1: limit sell 3 at 107"]
    assert look(stand, *now) == []


def test_without_a_new_wall_the_others_take_it() -> None:
    """The 3 of 105 join the nearest: 8 rest at 102, and 2 at 109 as before. The same look again is no new plan."""
    stand = running(THREE)
    now = THREE[0], THREE[2]
    assert look(stand, *now) == ["cancel target-2-1"]
    assert look(stand, *now) == []
    assert stand.on(Cancelled("target-2-1")) == ["resize target-1-1 to 8"]


def test_new_targets_lie_beyond_the_market() -> None:
    """At 104 the only other wall, at 104, would be taken at once: the 3 of 105 go to those that stand."""
    stand = running(THREE)
    assert look(stand, THREE[0], Wall(D(104), D(9)), THREE[2], market=104) == ["cancel target-2-1"]
    assert stand.on(Cancelled("target-2-1")) == ["resize target-1-1 to 8"]


def test_a_target_that_is_filled_misses_no_wall() -> None:
    """103 was eaten with the 5 before it: nothing is to be planned."""
    stand = running(THREE)
    stand.fill("target-1-1", 5, 102)
    assert look(stand, *THREE[1:]) == []


def test_a_target_that_is_filled_has_no_second_order() -> None:
    """103 stands behind a target that is filled when 106 vanishes: its 3 join the 2 at 109, none goes to 102 again."""
    stand = running(THREE)
    stand.fill("target-1-1", 5, 102)
    assert look(stand, THREE[0], THREE[2]) == ["cancel target-2-1"]
    assert stand.on(Cancelled("target-2-1")) == ["resize target-3-1 to 5"]


def test_a_target_that_moved_is_held_against_its_new_wall() -> None:
    """From 106 to 108 and, when 108 is gone and 106 back, to where it was."""
    stand = running(THREE)
    look(stand, THREE[0], Wall(D(108), D(9)), THREE[2])
    stand.on(Cancelled("target-2-1"))
    stand.on(Accepted("target-4-1"))
    assert look(stand, *THREE, Wall(D(108), D(9))) == []
    assert look(stand, *THREE) == ["cancel target-4-1"]
    assert stand.on(Cancelled("target-4-1")) == ["submit target-2-2: limit sell 3 at 105"]


def test_what_is_left_of_a_target_is_planned_anew() -> None:
    """2 of the 5 before 103 are filled when it vanishes: the 3 that are left go to 107."""
    stand = running(THREE)
    stand.fill("target-1-1", 2, 102)
    assert look(stand, *THREE[1:], Wall(D(108), D(5))) == ["cancel target-1-1"]
    assert stand.on(Cancelled("target-1-1")) == ["submit target-4-1: limit sell 3 at 107"]


def test_a_magnet_stays() -> None:
    """It is where much has rested, not an order: no look needs to see it again. The wall beside it can vanish."""
    stand = running([Wall(D(103), D(1), Source.MAGNET), Wall(D(106), D(1))])
    assert look(stand, Wall(D(106), D(1))) == []
    assert look(stand) == ["cancel target-2-1"]
    assert stand.on(Cancelled("target-2-1")) == ["resize target-1-1 to 10"]


def test_a_multiple_of_r_stays() -> None:
    """There was no wall to lose, and none that comes moves it."""
    stand = running([])
    assert [t.source for t in stand.of.targets.targets] == [Source.MULTIPLE]
    assert look(stand) == look(stand, *THREE) == []


def test_walls_that_are_not_told_stand() -> None:
    """A snapshot tells the nearest wall and none behind it: 106 and 110 cannot be missed while 103 is seen.

    Once 110 is told as the nearest, 103 and 106 are known to be gone.
    """

    def told(bps: float, strength: float) -> dict[str, float]:
        none = {"bid_wall_bps": math.nan, "bid_wall_strength": math.nan, "bid_magnet_bps": math.nan}
        return none | {"ask_wall_bps": bps, "ask_wall_strength": strength, "ask_magnet_bps": math.nan}

    def show(stand: Stand, snapshot: dict[str, float]) -> list[str]:
        seen = seen_to(snapshot, D(100), 1, 2000.0)
        assert seen is not None
        return look(stand, *walls_of(snapshot, D(100), 2000.0), seen=seen)

    assert show(running(THREE), told(300.0, 5.0)) == []
    assert show(running(THREE), told(1000.0, 2.0)) == ["cancel target-1-1", "cancel target-2-1"]
    # none within 20 %: all three are gone, and a multiple of R takes their place
    assert len(show(running(THREE), told(2000.0, 0.0))) == 3


def test_a_short_is_the_mirror() -> None:
    """94 is gone and 92 new: 3 go from 95 to 93; a wall below what was seen stands."""
    walls = [replace(wall, price=200 - wall.price) for wall in THREE]
    targets = plan_targets(SHORT, walls, TargetSettings())
    made = plan(side=-1, stop=D(105), targets=targets)
    stand = Stand(made).enter()
    assert look(stand, walls[0], seen=D(95)) == []
    assert look(stand, walls[0], Wall(D(92), D(9)), walls[2], seen=D(80)) == ["cancel target-2-1"]
    assert stand.on(Cancelled("target-2-1")) == ["submit target-4-1: limit buy 3 at 93"]


def test_only_an_open_trade_aims_anew() -> None:
    """Not before it is entered, not while it is left, and not with parts, which aim at no walls."""
    targets = plan_targets(LONG, THREE, TargetSettings())
    stand = Stand(plan(targets=targets))
    stand.start()
    assert look(stand) == []
    stand.fill("entry", 10)
    stand.on(Flatten("lockout"))
    assert stand.one.manager.state is TradeState.LEAVING
    assert look(stand) == []
    assert look(Stand(plan(targets=parts({102: "6", 104: "2"}))).enter()) == []
