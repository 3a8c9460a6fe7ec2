from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from strategies.targets import Ladder, NoTarget, Reach, Source, Target, TargetSettings, Wall, plan_targets, replan
from tests.strategies.ladders import (
    LONG,
    NONE,
    SHORT,
    THREE,
    Found,
    any_reach,
    any_settings,
    any_walls,
    at,
    check_ladder,
    plan,
    planned,
    walls,
)


def test_a_ladder_by_hand() -> None:
    """A tick of 0.5 before 1003, 1005.2 (on the tick nearer 1004.5) and 1008; shares as the strengths 5, 2 and 3."""
    ladder = plan(THREE)
    assert ladder.targets == (
        Target(Decimal("1002.5"), Decimal("0.5"), Source.WALL, Decimal(1003)),
        Target(Decimal("1004.5"), Decimal("0.2"), Source.WALL, Decimal("1005.2")),
        Target(Decimal("1007.5"), Decimal("0.3"), Source.WALL, Decimal(1008)),
    )
    assert ladder.mean_distance == Decimal("4.4")


def test_a_short_by_hand() -> None:
    """A tick above 997, and above 994.8 on the tick nearer."""
    assert planned(plan(walls(("994.8", "1"), ("997", "1")), SHORT)) == [
        (Decimal("997.5"), Decimal("0.5")),
        (Decimal("995.5"), Decimal("0.5")),
    ]


def test_the_strongest_count_and_the_nearest_gets_what_is_left_over() -> None:
    """Of four walls the weakest has no target; thirds of 0.3333 leave 0.3334 to the nearest."""
    four = walls(("1003", "2"), ("1005", "1"), ("1007", "2"), ("1009", "2"))
    third = Decimal("0.3333")
    assert planned(plan(four)) == [
        (Decimal("1002.5"), Decimal("0.3334")),
        (Decimal("1006.5"), third),
        (Decimal("1008.5"), third),
    ]
    assert planned(plan(THREE, max_targets=1)) == [(Decimal("1002.5"), 1)]


def test_of_equal_walls_the_nearest_count() -> None:
    """Of four alike the one at 1009 has no target."""
    four = walls(*((price, "1") for price in ("1009", "1007", "1003", "1005")))
    assert [price for price, _ in planned(plan(four))] == [Decimal("1002.5"), Decimal("1004.5"), Decimal("1006.5")]


def test_targets_lie_beyond_break_even_and_up_to_the_barrier() -> None:
    """1001.5 would pay nothing at 1001, 1002 pays; 1010.5 aims at the barrier, 1011 beyond; 990 is the other side."""
    assert planned(plan(walls(("1001.5", "9"), ("1002", "1")))) == [(Decimal("1001.5"), 1)]
    assert planned(plan(walls(("1011", "9"), ("1010.5", "1"), ("990", "9")))) == [(Decimal(1010), 1)]


def test_walls_side_by_side_are_one() -> None:
    """2 bps of 1000 are 0.2: 1003.2 has the target of 1003.5, and the strengths are not added up."""
    near = [Wall(Decimal("1003.5"), Decimal(3)), Wall(Decimal("1003.6"), Decimal(2), Source.MAGNET)]
    assert planned(plan([*near, *walls(("1007", "1"))])) == [
        (Decimal(1003), Decimal("0.75")),
        (Decimal("1006.5"), Decimal("0.25")),
    ]


def test_a_share_too_small_for_an_order_is_left_out() -> None:
    """1 of 10 is below 0.15; the others then share 9."""
    assert planned(plan(walls(("1003", "6"), ("1005", "3"), ("1007", "1")))) == [
        (Decimal("1002.5"), Decimal("0.6667")),
        (Decimal("1004.5"), Decimal("0.3333")),
    ]


def test_without_walls_multiples_of_r_share_alike() -> None:
    """0.2, 1.1, 1.6 and 3 times 4: 1000.8 is before break-even, 1004.4 lies on 1004, 1006.4 on 1006, 1012 too far."""
    multiples = tuple(map(Decimal, ("0.2", "1.1", "1.6", "3")))
    ladder = plan([], multiples=multiples)
    assert planned(ladder) == [(Decimal(1004), Decimal("0.5")), (Decimal(1006), Decimal("0.5"))]
    assert {target.source for target in ladder.targets} == {Source.MULTIPLE}
    assert planned(plan([], multiples=multiples, max_targets=1)) == [(Decimal(1004), 1)]


def test_without_walls_and_multiples_the_barrier_is_the_target() -> None:
    """3 R are 1012: what is left is 1009.9, on the tick nearer 1009.5."""
    reach = replace(LONG, barrier=Decimal("1009.9"))
    assert plan([], reach, multiples=(Decimal(3),)).targets == (Target(Decimal("1009.5"), Decimal(1), Source.BARRIER),)


@pytest.mark.parametrize("barrier", ["1001", "1001.4", "1000"])
def test_no_room_is_a_reason(barrier: str) -> None:
    """Between break-even at 1001 and a barrier at 1001.4 there is no tick."""
    assert plan_targets(replace(LONG, barrier=Decimal(barrier)), THREE, TargetSettings()) is NoTarget.NO_ROOM


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Wall(Decimal(0), Decimal(1)), "price must be positive, got 0"),
        (lambda: Wall(Decimal(1), Decimal("NaN")), "strength must be positive, got NaN"),
        (lambda: replace(LONG, side=2), "side must be 1 .* got 2"),
        (lambda: replace(LONG, tick=Decimal(0)), "tick must be positive, got 0"),
        (lambda: replace(LONG, break_even=Decimal(999)), "break_even 999 is a loss before costs from entry 1000"),
        (lambda: TargetSettings(max_targets=4), "max_targets must be 1, 2 or 3, got 4"),
        (lambda: TargetSettings(multiples=()), "must rise and not be empty"),
        (lambda: TargetSettings(multiples=(Decimal(2), Decimal(1))), "must rise and not be empty"),
        (lambda: TargetSettings(front_ticks=0), "front_ticks must be positive, got 0"),
        (lambda: TargetSettings(min_share=Decimal("0.4")), "min_share 0.4 must be at most 0.3"),
        (lambda: replan(plan(THREE), THREE, NONE[:2]), "2 filled shares for 3 targets"),
        (lambda: replan(plan(THREE), THREE, (Decimal(2), *NONE[1:])), r"filled_share must lie in \[0, 1\], got 2"),
    ],
)
def test_wrong_inputs(make: Any, message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        make()


def mirrored(reach: Reach) -> Reach:
    return replace(reach, side=-1, break_even=2000 - reach.break_even, barrier=2000 - reach.barrier)


def flipped(targets: Sequence[Target]) -> list[Target]:
    return [
        replace(target, price=2000 - target.price, wall=None if target.wall is None else 2000 - target.wall)
        for target in targets
    ]


@given(reach=any_reach, found=any_walls, settings=any_settings)
def test_ladders_keep_every_bound_and_longs_mirror_shorts(reach: Reach, found: Found, settings: TargetSettings) -> None:
    """Exact shares, prices on the tick in front of their walls, and mirrored walls have mirrored targets."""
    long = plan_targets(reach, at(1, found), settings)
    short = plan_targets(mirrored(reach), at(-1, found), settings)
    if isinstance(long, NoTarget):
        assert short is long
        return
    assert isinstance(short, Ladder)
    check_ladder(long)
    check_ladder(short)
    assert flipped(long.targets) == list(short.targets)
    assert plan_targets(reach, at(1, found[::-1]), settings) == long or len({d for d, _, _ in found}) < len(found)
