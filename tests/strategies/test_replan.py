from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from strategies.targets import NoTarget, Reach, Source, Target, TargetSettings, plan_targets, replan
from tests.strategies.ladders import (
    NONE,
    THREE,
    Found,
    any_reach,
    any_settings,
    any_walls,
    at,
    check_ladder,
    decimal,
    plan,
    planned,
    walls,
)


def test_while_every_wall_stands_nothing_changes() -> None:
    """Weaker, 0.1 off (1 bp), with stronger ones beside it, after fills: the ladder is the same one."""
    ladder = plan(THREE)
    moved = walls(("1003.1", "1"), ("1005.2", "1"), ("1008", "1"), ("1006", "99"))
    assert replan(ladder, moved, NONE) is ladder
    assert replan(ladder, THREE, (Decimal(1), Decimal("0.5"), Decimal(0))) is ladder


def test_the_wall_of_a_filled_target_is_not_missed() -> None:
    """1003 was eaten and its target is filled: nothing is to be planned."""
    ladder = plan(THREE)
    assert replan(ladder, THREE[:1] + THREE[2:], (Decimal(1), Decimal(0), Decimal(0))) is ladder


def test_a_wall_that_vanished_is_planned_anew_by_hand() -> None:
    """1008 is gone, half of 1003 filled: 0.25 and 0.2 stay, 0.3 go to 1006 (1005.1 would have the target of 1005.2)."""
    ladder = plan(THREE)
    now = walls(("1003", "5"), ("1005.2", "2"), ("1006", "1"), ("1005.1", "50"))
    assert planned(replan(ladder, now, (Decimal("0.5"), Decimal(0), Decimal(0)))) == [
        (Decimal("1002.5"), Decimal("0.3334")),
        (Decimal("1004.5"), Decimal("0.2666")),
        (Decimal("1005.5"), Decimal("0.4")),
    ]


def test_without_a_new_wall_the_kept_targets_take_it() -> None:
    """0.5 of 1003 go to 0.2 and 0.3 in proportion."""
    assert planned(replan(plan(THREE), THREE[:1] + THREE[2:], NONE)) == [
        (Decimal("1004.5"), Decimal("0.4")),
        (Decimal("1007.5"), Decimal("0.6")),
    ]


def test_without_anything_multiples_and_then_the_barrier() -> None:
    """1.5 R are 1006; behind a market at 1006 only the barrier is left; neither moves when walls come."""
    ladder = plan(THREE)
    multiple = replan(ladder, [], NONE)
    assert multiple.targets == (Target(Decimal(1006), Decimal(1), Source.MULTIPLE),)
    barrier = replan(ladder, [], NONE, market=Decimal(1006))
    assert barrier.targets == (Target(Decimal(1010), Decimal(1), Source.BARRIER),)
    for fixed in (multiple, barrier):
        assert replan(fixed, THREE, NONE[:1]) is fixed


def test_new_targets_lie_beyond_the_market() -> None:
    """At 1005 a new wall at 1004 would fill at once; the one at 1009 takes over."""
    now = walls(("1004", "9"), ("1009", "1"))
    assert planned(replan(plan(THREE), now, NONE, market=Decimal(1005))) == [(Decimal("1008.5"), 1)]


def test_a_wall_out_of_sight_is_not_gone() -> None:
    """Seen to 1006, the wall at 1008 cannot be missed; seen to 1008 it is."""
    ladder = plan(THREE)
    near = THREE[1:]
    assert replan(ladder, near, NONE, seen_to=Decimal(1006)) is ladder
    assert len(replan(ladder, near, NONE, seen_to=Decimal(1008)).targets) == 2


def test_what_is_planned_anew_has_the_free_places_alone() -> None:
    """One of three lost its wall: of two new ones the stronger has a target."""
    now = THREE[1:] + walls(("1006", "1"), ("1009", "2"))
    assert [price for price, _ in planned(replan(plan(THREE, min_share=Decimal(0)), now, NONE))] == [
        Decimal("1002.5"),
        Decimal("1004.5"),
        Decimal("1008.5"),
    ]


def test_a_filled_target_drops_out_and_has_no_second_order() -> None:
    """1003 stands with its target filled, 1008 is gone: 0.3 go to 1006 beside 0.2, none to 1002.5 again."""
    now = walls(("1003", "5"), ("1005.2", "2"), ("1006.5", "1"))
    assert planned(replan(plan(THREE), now, (Decimal(1), Decimal(0), Decimal(0)))) == [
        (Decimal("1004.5"), Decimal("0.4")),
        (Decimal(1006), Decimal("0.6")),
    ]


def test_the_least_share_is_of_what_is_open() -> None:
    """0.25 and 0.5 are open: 0.12 of them is a share of 0.16, enough, though it would not be of the first whole."""
    now = walls(("1003", "5"), ("1006", "24"), ("1009", "76"))
    assert planned(replan(plan(THREE), now, (Decimal("0.5"), Decimal(0), Decimal(0)))) == [
        (Decimal("1002.5"), Decimal("0.3334")),
        (Decimal("1005.5"), Decimal("0.16")),
        (Decimal("1008.5"), Decimal("0.5066")),
    ]


def test_a_target_that_is_all_but_filled_keeps_a_share() -> None:
    """Of 0.3 at 1008 a millionth is open: a thousandth of the ladder, rounded down, not nothing."""
    ladder = replan(plan(THREE), THREE[:2], (Decimal(0), Decimal(0), Decimal("0.999999")))
    assert planned(ladder) == [(Decimal("1002.5"), Decimal("0.9991")), (Decimal("1007.5"), Decimal("0.0009"))]


@given(
    reach=any_reach,
    found=any_walls,
    later=any_walls,
    stay=st.lists(st.booleans(), min_size=8, max_size=8),
    settings=any_settings,
    filled=st.lists(st.just(Decimal(1)) | decimal("0", "0.9999", 4), min_size=3, max_size=3),
    market=st.none() | decimal("999", "1015", 1),
)
def test_only_targets_that_lost_their_wall_are_planned_anew(
    reach: Reach,
    found: Found,
    later: Found,
    stay: list[bool],
    settings: TargetSettings,
    filled: list[Decimal],
    market: Decimal | None,
) -> None:
    """Open targets whose wall stands keep their price whatever happens; if all do, the ladder is the same one."""
    ladder = plan_targets(reach, at(1, found), settings)
    if isinstance(ladder, NoTarget):
        return
    now = [wall for wall, stays in zip(at(1, found), stay, strict=False) if stays] + at(1, later)
    fills = filled[: len(ladder.targets)]
    standing = [
        target.wall is None or any(abs(wall.price - target.wall) <= Decimal("0.1") for wall in now)
        for target in ladder.targets
    ]
    result = replan(ladder, now, fills, market=market)
    if all(stands or fill == 1 for stands, fill in zip(standing, fills, strict=True)):
        assert result is ladder
        return
    check_ladder(result)
    kept = {t.price for t, stands, f in zip(ladder.targets, standing, fills, strict=True) if stands and f < 1}
    assert kept <= {target.price for target in result.targets}
    if market is not None:
        new = [target for target in result.targets if target.price not in kept]
        assert all(target.price > market or target.source is Source.BARRIER for target in new)
    assert replan(result, now, [Decimal(0)] * len(result.targets), market=market) is result
