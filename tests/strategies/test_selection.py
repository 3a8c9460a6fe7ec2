import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from strategies import best_subset
from strategies.selection import Selection, conflict_pairs, select, shrunk_correlation

type Caps = Sequence[tuple[set[int], int]]


@dataclass
class Setup:
    value: float
    risk: float


@dataclass
class Case:
    setups: list[Setup]
    places: int
    budget: float
    conflicts: list[tuple[int, int]]
    caps: Caps = ()

    def select(self, **options: Any) -> Selection:
        limits: dict[str, Any] = {"max_positions": self.places, "risk_budget": self.budget, "caps": self.caps}
        return select(self.setups, conflicts=self.conflicts, **limits | options)

    def brute_force(self) -> tuple[Fraction, tuple[int, ...]]:
        """Every subset, in fractions: the greatest sum, and of equal ones the smallest tuple."""
        values = [Fraction(repr(s.value)) for s in self.setups]
        risks = [Fraction(repr(s.risk)) for s in self.setups]
        pairs = {frozenset(pair) for pair in self.conflicts}
        best, chosen = Fraction(0), tuple[int, ...]()
        worth = [k for k, value in enumerate(values) if value > 0]
        for size in range(1, min(self.places, len(worth)) + 1):
            for subset in combinations(worth, size):
                total = sum((values[k] for k in subset), Fraction(0))
                if total < best or (total == best and chosen < subset):
                    continue
                if sum(risks[k] for k in subset) > Fraction(repr(self.budget)):
                    continue
                if any(frozenset(pair) in pairs for pair in combinations(subset, 2)):
                    continue
                if all(len(group & set(subset)) <= most for group, most in self.caps):
                    best, chosen = total, subset
        return best, chosen


VALUES = st.sampled_from([-1.0, 0.0, 0.1, 0.2, 0.3, 1.0, 1.0, 2.0]) | st.floats(-1e3, 1e3)
RISKS = st.sampled_from([0.0, 0.1, 0.1, 0.2, 0.3]) | st.floats(0, 1)


@st.composite
def cases(draw: st.DrawFn, most: int = 10) -> Case:
    """Ties in value and risk, zero risks, any density of conflicts, overlapping caps."""
    setups = [Setup(*pair) for pair in draw(st.lists(st.tuples(VALUES, RISKS), max_size=most))]
    indices = range(len(setups))
    pairs = list(combinations(indices, 2))
    conflicts = draw(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []
    groups = st.sets(st.sampled_from(indices)) if setups else st.just(set[int]())
    caps = draw(st.lists(st.tuples(groups, st.integers(0, 3)), max_size=3))
    budget = draw(st.sampled_from([0.0, 0.3, 0.6, 1.0]) | st.floats(0, 3))
    return Case(setups, draw(st.integers(0, 6)), budget, conflicts, caps)


def made(rng: random.Random, count: int, *, discrete: bool) -> Case:
    density = rng.choice([0, 0.2, 0.5, 0.8])
    value = (lambda: rng.choice([0.5, 1.0, 1.5])) if discrete else (lambda: rng.gauss(0.5, 1))
    risk = (lambda: rng.choice([0.0, 0.1, 0.2, 0.3])) if discrete else (lambda: rng.uniform(0, 0.5))
    setups = [Setup(value(), risk()) for _ in range(count)]
    conflicts = [pair for pair in combinations(range(count), 2) if rng.random() < density]
    return Case(setups, rng.randint(1, 5), rng.choice([0.3, 0.6, 1.0]), conflicts)


@given(cases())
def test_equals_brute_force(case: Case) -> None:
    """The same indices as trying every subset, ties included, and a value that is the sum's nearest double."""
    total, chosen = case.brute_force()
    assert case.select() == Selection(chosen, float(total), True, float(total))


@pytest.mark.parametrize("first_pass_nodes", [1, 1_500])
@pytest.mark.parametrize("discrete", [True, False])
def test_equals_brute_force_on_a_thousand_seeded_cases(
    discrete: bool, first_pass_nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to 14 candidates, with many ties and with none, by the first pass and by the one that prices risk."""
    monkeypatch.setattr(best_subset, "FIRST_PASS_NODES", first_pass_nodes)
    rng = random.Random(6)
    for _ in range(1_000):
        case = made(rng, rng.randint(0, 14), discrete=discrete)
        total, chosen = case.brute_force()
        assert case.select() == Selection(chosen, float(total), True, float(total))


def _milp(case: Case) -> float:
    count = len(case.setups)
    rows = lil_array((2 + len(case.conflicts), count))
    rows[0] = [s.risk for s in case.setups]
    rows[1] = [1.0] * count
    for row, (i, j) in enumerate(case.conflicts, start=2):
        rows[row, i] = rows[row, j] = 1.0
    most = np.array([case.budget, case.places, *[1.0] * len(case.conflicts)])
    costs = np.array([-s.value for s in case.setups])
    solved = milp(costs, constraints=LinearConstraint(rows.tocsr(), ub=most), integrality=1, bounds=Bounds(0, 1))
    return -float(solved.fun)


@pytest.mark.parametrize("seed", range(24))
def test_equals_an_integer_program(seed: int) -> None:
    """The value that HiGHS finds at 20 to 50 candidates, within its tolerance."""
    rng = random.Random(seed)
    case = made(rng, rng.randint(20, 50), discrete=seed % 4 == 0)
    found = case.select()
    assert found.proven
    assert found.value == pytest.approx(_milp(case), rel=1e-5)


@given(cases(), VALUES, RISKS)
def test_a_further_candidate_or_more_budget_never_lowers_the_value(case: Case, value: float, risk: float) -> None:
    """More to choose from, or more to spend."""
    found = case.select()
    assert case.select(risk_budget=case.budget + 0.1).value >= found.value
    assert Case([*case.setups, Setup(value, risk)], *list(vars(case).values())[1:]).select().value >= found.value


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_change_the_value(case: Case, rng: random.Random) -> None:
    """Values are exact sums, so a permutation gives the very same double."""
    to = list(range(len(case.setups)))
    rng.shuffle(to)
    setups = [case.setups[to.index(k)] for k in range(len(to))]
    conflicts = [(to[j], to[i]) for i, j in case.conflicts]
    caps = [({to[k] for k in group}, most) for group, most in case.caps]
    assert Case(setups, case.places, case.budget, conflicts, caps).select().value == case.select().value


@given(cases(), st.integers(1, 8))
def test_a_search_cut_off_bounds_what_it_missed(case: Case, node_limit: int) -> None:
    """What it found is allowed, the optimum lies between value and bound, and twice is the same."""
    best, _ = case.brute_force()
    found = case.select(node_limit=node_limit)
    assert found == case.select(node_limit=node_limit)
    assert found.value <= float(best) <= found.bound
    only = [Setup(s.value if k in found.chosen else -1, s.risk) for k, s in enumerate(case.setups)]
    assert Case(only, case.places, case.budget, case.conflicts, case.caps).select().chosen == found.chosen


def test_a_hard_search_is_cut_off_and_goes_on_when_it_may() -> None:
    """300 alike with risks that nearly fill the budget: the limit stops both passes, and the bounds close in."""
    rng = random.Random(2)
    setups = [Setup(rng.uniform(0.9, 1.1), rng.uniform(0.2, 0.45)) for _ in range(300)]
    conflicts = [pair for pair in combinations(range(300), 2) if rng.random() < 0.9]
    some, more = (Case(setups, 5, 1.0, conflicts).select(node_limit=limit) for limit in (50, 2_000))
    full = Case(setups, 5, 1.0, conflicts).select(node_limit=1_000_000)
    assert not some.proven
    assert not more.proven
    assert full.proven
    assert some.value <= more.value <= full.value == full.bound <= more.bound <= some.bound


def test_ties_by_hand() -> None:
    """2 + 1 ties with 1 + 2 and, as decimals, 0.1 + 0.2 with 0.3: the smallest tuple wins, whatever its length."""
    assert Case([Setup(1, 0), Setup(2, 0), Setup(2, 0)], 2, 1.0, [(1, 2)]).select().chosen == (0, 1)
    assert Case([Setup(0.1, 0), Setup(0.3, 0), Setup(0.2, 0)], 2, 1.0, [(0, 1), (1, 2)]).select().chosen == (0, 2)
    assert Case([Setup(0.3, 0), Setup(0.1, 0), Setup(0.2, 0)], 2, 1.0, [(0, 1), (0, 2)]).select().chosen == (0,)
    assert Case([Setup(1, 0.2)] * 600, 5, 1.0, []).select().chosen == (0, 1, 2, 3, 4)


def test_risks_add_up_as_they_are_written() -> None:
    """Three risks of 0.1 fit 0.3, though their doubles add up to more."""
    assert Case([Setup(1, 0.1)] * 3, 5, 0.3, []).select().chosen == (0, 1, 2)
    assert Case([Setup(1, 0.1)] * 3, 5, 0.29999999999999993, []).select().chosen == (0, 1)


def test_caps_by_hand() -> None:
    """At most one of the first two and none of the third leaves the better of two and the last."""
    setups = [Setup(value, 0) for value in (3, 4, 5, 1)]
    assert Case(setups, 5, 1.0, [], [({0, 1}, 1), ({2}, 0)]).select().chosen == (1, 3)
    assert Case([Setup(1, 0)] * 9, 5, 1.0, [], [({0, 1, 2}, 2), ({2, 3, 4, 5}, 1)]).select().chosen == (0, 1, 3, 6, 7)


def test_nothing_qualifies() -> None:
    """No candidate, no value, no place, no budget, too much risk: an empty choice, proven."""
    for setups, places, budget in (([], 5, 1.0), ([Setup(0, 0), Setup(-1, 0)], 5, 1.0), ([Setup(1, 0)], 0, 1.0)):
        assert Case(setups, places, budget, []).select() == Selection((), 0.0, True, 0.0)
    assert Case([Setup(1, 2)], 5, 1.0, []).select() == Selection((), 0.0, True, 0.0)
    assert Case([Setup(1, 0)], 5, -0.5, []).select() == Selection((), 0.0, True, 0.0)


def test_extremes() -> None:
    """An infinite budget takes all, and values 600 powers of ten apart are still added exactly."""
    assert Case([Setup(1, 1e300)] * 3, 9, math.inf, []).select().chosen == (0, 1, 2)
    tiny = Case([Setup(1e300, 0), Setup(1e300, 0), Setup(5e-324, 0)], 2, 1.0, [(0, 1)])
    assert tiny.select().chosen == (0, 2)
    assert Case([Setup(1.7e308, 0)] * 2, 2, 0.0, []).select().value == math.inf


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": [Setup(1, 0), Setup(math.nan, 0)]}, "value nan of candidate 1 is not finite: leave out"),
        ({"candidates": [Setup(-math.inf, 0)]}, "value -inf of candidate 0 is not finite"),
        ({"candidates": [Setup(1, math.inf)]}, "risk inf of candidate 0 is not finite"),
        ({"candidates": [Setup(1, 0), Setup(-1, -0.5)]}, "risk -0.5 of candidate 1 is negative: give the loss"),
        ({"max_positions": -1}, "max_positions -1 is negative: give 0"),
        ({"risk_budget": math.nan}, "risk_budget nan is not a number: give"),
        ({"node_limit": 0}, "node_limit 0 must be at least 1"),
        ({"conflicts": [(0, 1), (1, 2)]}, r"conflict \(1, 2\) names index 2, but there are 2 candidates"),
        ({"conflicts": [(-1, 0)]}, r"conflict \(-1, 0\) names index -1"),
        ({"conflicts": [(1, 1)]}, r"conflict \(1, 1\) pairs index 1 with itself: leave it out"),
        ({"conflicts": [(0, 1), (0, 1, 1)]}, r"conflict 1 is \(0, 1, 1\): give pairs"),
        ({"conflicts": np.array([[0.0, 1.0]])}, r"conflicts of float64, shape \(1, 2\): give integers"),
        ({"caps": [({0}, 1), ({0, 5}, 1)]}, "cap 1 names index 5, but there are 2 candidates"),
        ({"caps": [({0}, -1)]}, "cap 0 allows -1: give 0"),
    ],
)
def test_inputs_that_cannot_be_meant_are_errors(options: dict[str, Any], message: str) -> None:
    """The error names the index, the value and the remedy."""
    case: dict[str, Any] = {"candidates": [Setup(1, 0)] * 2, "max_positions": 5, "risk_budget": 1.0, "conflicts": []}
    with pytest.raises(ValueError, match=message):
        select(**case | options)


def test_conflicts_may_be_an_array_or_any_iterable() -> None:
    """Tuples in either order, twice, from a generator, or rows of an array."""
    setups = [Setup(1, 0), Setup(2, 0), Setup(3, 0)]
    pairs: list[Any] = [[(2, 1), (1, 2)], iter([(1, 2)]), np.array([[1, 2]], dtype=np.uint16)]
    for conflicts in pairs:
        assert select(setups, max_positions=5, risk_budget=1.0, conflicts=conflicts).chosen == (0, 2)
    none = np.empty((0, 2), dtype=np.int64)
    assert select(setups, max_positions=5, risk_budget=1.0, conflicts=none).chosen == (0, 1, 2)


def test_pairs_by_hand() -> None:
    """Same asset always; 0.8 above 0.7 if equal, -0.8 if opposite; unknown as 1; a correlation at the limit is none."""
    rho = {("A", "B"): 0.8, ("A", "C"): -0.8, ("A", "D"): math.nan, ("B", "C"): 0.7, ("B", "D"): -1, ("C", "D"): 0}
    assets, directions = ["A", "A", "B", "C", "D"], [1, -1, 1, 1, -1]
    pairs = conflict_pairs(assets, directions, lambda a, b: rho[a, b], limit=0.7)
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 3], [1, 4], [2, 4]]
    assert conflict_pairs([], [], lambda a, b: 0, limit=0.7).shape == (0, 2)


@pytest.mark.parametrize(
    ("directions", "rho", "limit", "message"),
    [
        ([1], 0, 0.7, "2 assets but 1 directions"),
        ([1, 0], 0, 0.7, "direction 0 of candidate 1 must be"),
        ([1, 1], 1.5, 0.7, "correlation 1.5 of A and B is outside"),
        ([1, 1], 0, math.nan, "limit nan is no correlation"),
    ],
)
def test_pairs_of_wrong_inputs_are_errors(directions: list[int], rho: float, limit: float, message: str) -> None:
    """The error names what is wrong and its value."""
    with pytest.raises(ValueError, match=message):
        conflict_pairs(["A", "B"], directions, lambda a, b: rho, limit=limit)


def test_shrinking_by_hand() -> None:
    """Four pairs with r = -1 and a weight of 4 for 1 give 0, and of 12 give 0.5; a pair with a gap does not count."""
    a, b = [1.0, 2.0, math.nan, 3.0, 4.0], [-1.0, -2.0, 5.0, -3.0, -4.0]
    assert shrunk_correlation(a, b, min_count=4, shrink=4) == pytest.approx(0)
    assert shrunk_correlation(a, b, min_count=4, shrink=12) == pytest.approx(0.5)
    assert math.isnan(shrunk_correlation(a, b, min_count=5, shrink=4))


@given(st.integers(0, 99), st.integers(3, 500), st.floats(0, 1_000), st.sampled_from([1e-200, 1e-4, 1e200]))
def test_shrinking_is_numpys_correlation_moved_towards_one(seed: int, n: int, shrink: float, scale: float) -> None:
    """Between the sample's correlation and 1, by its weight, at any scale."""
    rng = np.random.default_rng(seed)
    a = rng.standard_t(3, n)
    b = rng.uniform(-1, 1) * a + rng.standard_t(3, n)
    r = np.corrcoef(a, b)[0, 1]
    shrunk = shrunk_correlation(a * scale, b * scale, min_count=3, shrink=shrink)
    assert shrunk == pytest.approx(r + (1 - r) * shrink / (n + shrink), abs=1e-12)


def test_no_movement_has_no_correlation() -> None:
    """A price that stood still is unknown, not uncorrelated; and inputs that cannot be meant are errors."""
    assert math.isnan(shrunk_correlation([0.1] * 9, list(range(9)), min_count=2, shrink=0))
    wrong: list[tuple[Any, Any, int, float]] = [([1], [1, 2], 2, 0), ([1], [1], 1, 0), ([1], [1], 2, -1)]
    for (a, b, count, shrink), message in zip(wrong, ("aligned", "min_count 1", "shrink -1"), strict=True):
        with pytest.raises(ValueError, match=message):
            shrunk_correlation(a, b, min_count=count, shrink=shrink)
