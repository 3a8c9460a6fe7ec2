"""How much of each target is filled: what a new plan has to know. What rests where is tested with the trade manager."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from strategies.sizing import SizeRules
from strategies.targets import Ladder
from strategies.trade_manager import Cancelled, Replanned, Updated
from strategies.trade_manager.target_goals import TargetGoals
from tests.strategies.trade_driver import Driver, entered, ladder, plan
from tests.strategies.trade_setups import ladder_of, shares

D = Decimal
HALVES = ladder({102: "0.5", 104: "0.5"})


def test_nothing_is_filled_at_first() -> None:
    """Neither before the entry nor after it."""
    assert Driver().trade.filled_shares(HALVES) == [0, 0]
    assert entered().trade.filled_shares(HALVES) == [0, 0]


def test_a_share_is_of_the_targets_own_part() -> None:
    """2 of the 5 at 102, then all of them and 1 of the 5 at 104."""
    driver = entered()
    driver.fill("target-1-1", 2, 102)
    assert driver.trade.filled_shares(HALVES) == [D("0.4"), 0]
    driver.fill("target-1-1", 3, 102)
    driver.fill("target-2-1", 1, 104)
    assert driver.trade.filled_shares(HALVES) == [1, D("0.2")]


def test_a_part_grows_with_the_entry() -> None:
    """4 entered and 2 taken at 102 are all of a part of 2; with 10 entered they are two fifths of 5."""
    driver = Driver()
    driver.start()
    driver.fill("entry", 4)
    driver.fill("target-1-1", 2, 102)
    assert driver.trade.filled_shares(HALVES) == [1, 0]
    driver.fill("entry", 6)
    assert driver.trade.filled_shares(HALVES) == [D("0.4"), 0]


def test_what_an_older_ladder_had_does_not_count() -> None:
    """5 were taken at 102; of the 5 that a new ladder was made for, one of the 3 at 103."""
    driver = entered()
    driver.fill("target-1-1", 5, 102)
    driver.on(Updated("stop-1", D(5)))
    new = ladder({103: "0.6", 105: "0.4"})
    assert driver.on(Replanned(new)) == ["cancel target-2-1"]
    driver.on(Cancelled("target-2-1"))
    assert driver.trade.filled_shares(new) == [0, 0]
    driver.fill("target-3-1", 1, 103)
    assert driver.trade.filled_shares(new) == [D(1) / 3, 0]


def test_a_kept_target_has_the_part_that_rested() -> None:
    """5 rest at 104 when a new ladder wants 0.8 of 10 there: 5 is the part that is filled, once it is."""
    driver = entered()
    new = ladder({103: "0.2", 104: "0.8"})
    driver.on(Replanned(new))
    driver.fill("target-2-1", 5, 104)
    assert driver.trade.filled_shares(new) == [0, 1]


def test_a_part_that_was_merged_away_is_not_filled() -> None:
    """Of 10 with a minimum of 4 the part of 2 at 104 joins 102: nothing was to rest at 104."""
    small = ladder({102: "0.8", 104: "0.2"})
    driver = Driver(plan(targets=small, rules=SizeRules(step=D(1), min_size=D(4))))
    driver.start()
    driver.fill("entry", 10)
    driver.fill("target-1-1", 5, 102)
    assert driver.trade.filled_shares(small) == [D("0.5"), 0]


def test_less_than_a_step_has_no_parts() -> None:
    """A fill of half a step, as no venue should report it, is no reason to fail; nor is more closed than was open."""
    goals = TargetGoals(HALVES, SizeRules(step=D(1)))
    goals.filled(D(102), D("0.5"))
    assert goals.filled_shares(HALVES, D(0)) == [0, 0]
    assert goals.filled_shares(HALVES, D(-2)) == [0, 0]


SIZES = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=8)


@given(shares, st.sampled_from((1, -1)), SIZES, st.sampled_from((None, D(3))))
def test_shares_and_what_is_wanted_add_up(
    far: dict[int, str], side: int, fills: list[tuple[int, int]], min_size: Decimal | None
) -> None:
    """Of 20, after any fills: what a target has had and what is wanted there are its part."""
    targets: Ladder = ladder_of(side, far)
    goals = TargetGoals(targets, SizeRules(step=D(1), min_size=min_size))
    parts, left = goals.wanted(D(20), filling=False), D(20)
    had = dict.fromkeys(parts, D(0))
    for at, size in fills:
        price = list(parts)[at % len(parts)]
        taken = min(D(size), parts[price] - had[price])
        if taken:
            goals.filled(price, taken)
            had[price] += taken
            left -= taken
    filled = dict(zip([t.price for t in targets.targets], goals.filled_shares(targets, left), strict=True))
    assert all(0 <= share <= 1 for share in filled.values())
    assert {price: filled[price] for price in parts} == {price: had[price] / part for price, part in parts.items()}
    if left:
        wanted = goals.wanted(left, filling=False)
        assert all(wanted.get(price, D(0)) == part - had[price] for price, part in parts.items())
