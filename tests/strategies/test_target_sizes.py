from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.sizing import SizeRules
from strategies.target_sizes import Part, split_size
from strategies.targets import Ladder, Reach, Source, Target, TargetSettings

REACH = Reach(
    side=1,
    entry=Decimal(1000),
    break_even=Decimal(1001),
    barrier=Decimal(1010),
    stop_distance=Decimal(4),
    tick=Decimal("0.5"),
)


def ladder(*shares: str) -> Ladder:
    """Targets at 1002, 1003, ... with these shares."""
    targets = (Target(Decimal(1002 + k), Decimal(share), Source.WALL) for k, share in enumerate(shares))
    return Ladder(tuple(targets), REACH, TargetSettings())


def split(size: str, *shares: str, held: dict[int, str] | None = None, **rules: str) -> list[tuple[int, str]]:
    made = SizeRules(**{name: Decimal(value) for name, value in ({"step": "0.001"} | rules).items()})
    resting = {Decimal(price): Decimal(value) for price, value in (held or {}).items()}
    return [(int(p.price), str(p.size)) for p in split_size(Decimal(size), ladder(*shares), made, resting)]


def test_parts_by_hand() -> None:
    """0.166 by 0.5, 0.2 and 0.3: 0.033 and 0.049 rounded down, and 0.084 of the nearest with what is left over."""
    assert split("0.166", "0.5", "0.2", "0.3") == [(1002, "0.084"), (1003, "0.033"), (1004, "0.049")]


def test_a_part_below_the_minimum_joins_its_nearer_neighbour() -> None:
    """0.033 is below 0.04 and joins 1002; below 0.05 1004 is too, and has only 1002 left to join."""
    assert split("0.166", "0.5", "0.2", "0.3", min_size="0.04") == [(1002, "0.117"), (1004, "0.049")]
    assert split("0.166", "0.5", "0.2", "0.3", min_size="0.05") == [(1002, "0.166")]
    assert split("0.166", "0.5", "0.2", "0.3", min_notional="40") == [(1002, "0.117"), (1004, "0.049")]


def test_too_small_a_nearest_part_takes_the_next_one() -> None:
    """0.02 at 1002 and 0.08 at 1003 are 0.1 at 1002."""
    assert split("0.1", "0.2", "0.8", min_size="0.05") == [(1002, "0.100")]


def test_parts_of_nothing_are_merged_away() -> None:
    """Two steps on three targets: the nearest has both."""
    assert split("0.002", "0.4", "0.3", "0.3") == [(1002, "0.002")]


def test_a_position_below_the_minimum_is_closed_as_a_whole() -> None:
    """A rest of 0.003 below a minimum of 0.01 has an order all the same."""
    assert split("0.003", "0.5", "0.5", min_size="0.01") == [(1002, "0.003")]


def test_kept_targets_keep_what_rests() -> None:
    """0.049 at 1004 stays; 0.1 are left for 0.5 and 0.2: 0.028 to 1003 and the rest to 1002."""
    assert split("0.149", "0.5", "0.2", "0.3", held={1004: "0.049"}) == [
        (1002, "0.072"),
        (1003, "0.028"),
        (1004, "0.049"),
    ]


def test_what_was_freed_goes_to_the_kept_in_proportion() -> None:
    """0.05 more on 0.04 and 0.06."""
    assert split("0.150", "0.4", "0.6", held={1002: "0.040", 1003: "0.060"}) == [(1002, "0.060"), (1003, "0.090")]


def test_of_equal_parts_that_are_too_small_the_farther_is_merged() -> None:
    """0.03 at 1004 joins 0.03 at 1003, and both stay."""
    assert split("0.100", "0.4", "0.3", "0.3", min_size="0.035") == [(1002, "0.040"), (1003, "0.060")]


def test_what_rests_for_all_that_is_open_stays() -> None:
    """0.05 and 0.05, whatever the shares say."""
    assert split("0.100", "0.4", "0.6", held={1002: "0.050", 1003: "0.050"}) == [(1002, "0.050"), (1003, "0.050")]


def test_more_resting_than_open_is_split_anew() -> None:
    """0.2 rest for 0.1 that are open."""
    assert split("0.100", "0.4", "0.6", held={1003: "0.200"}) == [(1002, "0.040"), (1003, "0.060")]


@pytest.mark.parametrize(
    ("size", "message"),
    [("0", "size must be positive, got 0"), ("0.0005", "size 0.0005 is off the venue's step 0.001")],
)
def test_wrong_sizes(size: str, message: str) -> None:
    """Nothing to split, and what no position can be."""
    with pytest.raises(ValueError, match=message):
        split(size, "1")


@given(
    steps=st.integers(1, 10**7),
    step=st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1), Decimal(100)]),
    cuts=st.sets(st.integers(1, 9_999), max_size=2),
    min_steps=st.none() | st.integers(1, 1_000),
    min_notional=st.none() | st.integers(1, 100_000),
    held=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
)
def test_parts_conserve_the_size_on_the_step_and_above_every_minimum(
    steps: int, step: Decimal, cuts: set[int], min_steps: int | None, min_notional: int | None, held: list[int]
) -> None:
    """The sum is exact, and a part that is too small is alone."""
    edges = [0, *sorted(cuts), 10_000]
    shares = [str(Decimal(b - a) / 10_000) for a, b in pairwise(edges)]
    plan = ladder(*shares)
    given_rules: dict[str, Any] = {
        "min_size": None if min_steps is None else min_steps * step,
        "min_notional": None if min_notional is None else Decimal(min_notional),
    }
    rules = SizeRules(step=step, **given_rules)
    for resting in (None, {t.price: k * step for t, k in zip(plan.targets, held, strict=False)}):
        parts = split_size(steps * step, plan, rules, resting)
        assert sum(part.size for part in parts) == steps * step
        assert [part.price for part in parts] == sorted({part.price for part in parts})
        assert parts[0].price == plan.targets[0].price
        assert all(part.size > 0 and part.size % step == 0 for part in parts)
        if len(parts) > 1:
            assert all(part.size >= (rules.min_size or 0) for part in parts)
            assert all(part.size * part.price >= (rules.min_notional or 0) for part in parts)
    whole = split_size(steps * step, plan, SizeRules(step=step))
    if len(whole) == len(plan.targets):
        for part, target in zip(whole[1:], plan.targets[1:], strict=True):
            assert 0 <= steps * step * target.share - part.size < step
        assert 0 <= whole[0].size - steps * step * plan.targets[0].share < len(whole) * step


def test_a_part_names_its_target() -> None:
    """By price, which no two targets share."""
    assert split_size(Decimal(1), ladder("1"), SizeRules(step=Decimal(1))) == (Part(Decimal(1002), Decimal(1)),)
