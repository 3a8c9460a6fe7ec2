"""Ladders for tests: walls by hand, random ones, and what holds for every ladder."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from strategies.targets import Ladder, NoTarget, Reach, Source, TargetSettings, Wall, plan_targets

LONG = Reach(
    1, Decimal(1000), break_even=Decimal(1001), barrier=Decimal(1010), stop_distance=Decimal(4), tick=Decimal("0.5")
)
SHORT = replace(LONG, side=-1, break_even=Decimal(999), barrier=Decimal(990))
NONE: tuple[Decimal, ...] = (Decimal(0),) * 3


def walls(*pairs: tuple[str, str]) -> list[Wall]:
    return [Wall(Decimal(price), Decimal(strength)) for price, strength in pairs]


def planned(found: Ladder | NoTarget) -> list[tuple[Decimal, Decimal]]:
    assert isinstance(found, Ladder)
    return [(target.price, target.share) for target in found.targets]


def plan(at: Sequence[Wall], reach: Reach = LONG, **settings: Any) -> Ladder:
    found = plan_targets(reach, at, TargetSettings(**settings))
    assert isinstance(found, Ladder)
    return found


THREE = walls(("1008", "3"), ("1003", "5"), ("1005.2", "2"))


def decimal(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), allow_nan=False, allow_infinity=False, places=places)


type Found = list[tuple[Decimal, Decimal, Source]]

any_walls = st.lists(st.tuples(decimal("-2", "14", 1), decimal("0.1", "50", 1), st.sampled_from(Source)), max_size=8)
any_settings = st.builds(
    TargetSettings,
    max_targets=st.integers(1, 3),
    multiples=st.sampled_from([(Decimal("1.5"),), (Decimal(1), Decimal(2), Decimal(3))]),
    front_ticks=st.integers(1, 3),
    min_gap_bps=decimal("0", "20", 1),
    min_share=decimal("0", "0.3", 2),
)
any_reach = st.builds(
    Reach,
    side=st.just(1),
    entry=st.just(Decimal(1000)),
    break_even=decimal("1000", "1004", 1),
    barrier=decimal("1002", "1012", 1),
    stop_distance=decimal("1", "6", 1),
    tick=st.sampled_from([Decimal("0.01"), Decimal("0.5"), Decimal(1)]),
)


def at(side: int, distances: Found) -> list[Wall]:
    return [Wall(1000 + side * distance, strength, source) for distance, strength, source in distances]


def check_ladder(ladder: Ladder) -> None:
    """Shares, ticks, bounds, order, count."""
    reach, targets = ladder.reach, ladder.targets
    assert sum(target.share for target in targets) == 1
    assert all(0 < target.share == round(target.share, 4) for target in targets)
    assert 1 <= len(targets) <= ladder.settings.max_targets
    distances = [reach.side * (target.price - reach.entry) for target in targets]
    assert distances == sorted(set(distances))
    for target in targets:
        assert target.price % reach.tick == 0
        assert reach.side * (target.price - reach.break_even) > 0
        assert reach.side * (reach.barrier - target.price) >= 0
        if target.wall is not None:
            front = reach.side * (target.wall - target.price) - ladder.settings.front_ticks * reach.tick
            assert 0 <= front < reach.tick
