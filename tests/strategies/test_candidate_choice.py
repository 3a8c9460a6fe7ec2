import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.candidates import Candidate, CandidateSettings, OpenPosition, Passed, Why, choose
from strategies.candidates.candidate import not_below
from strategies.candidates.choice import _not_above
from tests.strategies.candidate_views import bybit, on, setup, venue

D = Decimal
EQUITY = D(10_000)


def apart(a: str, b: str) -> float:
    return 0.0


def chosen_of(
    candidates: Sequence[Candidate],
    *open_positions: OpenPosition,
    correlation: Callable[[str, str], float] = apart,
    **settings: Any,
) -> tuple[list[str], list[tuple[str, Why, str]]]:
    chosen, passed = choose(candidates, open_positions, correlation, CandidateSettings(**settings), equity=EQUITY)
    return [c.setup.asset for c in chosen], [(p.asset, p.why, p.detail) for p in passed]


def named(*assets: str, side: int = 1) -> list[Candidate]:
    """One candidate an asset, the first of most value."""
    return [on(venue(), setup(side, 0.7 - 0.01 * k, asset)) for k, asset in enumerate(assets)]


def held(asset: str, risk: str = "10", side: int = 1, where: str = "BINANCE") -> OpenPosition:
    return OpenPosition(asset, side, where, D(risk))


def test_all_fit() -> None:
    """Three that have nothing in common are all taken, in their order."""
    assert chosen_of(named("A", "B", "C")) == (["A", "B", "C"], [])


def test_nothing_from_nothing() -> None:
    """No candidates, no choice."""
    assert chosen_of([]) == ([], [])


def test_one_asset_twice() -> None:
    """Of a long and a short of one asset the more valuable is taken; the other says with whom it conflicts."""
    both = [on(venue(), setup(1, 0.7)), on(venue(), setup(-1, 0.65))]
    assert chosen_of(both) == (["BTC"], [("BTC", Why.CONFLICT, "conflict: with BTC long, which was chosen")])


def test_an_open_position_excludes_its_asset() -> None:
    """Also where there is room for everything else."""
    assert chosen_of(named("A", "B"), held("A", side=-1)) == (
        ["B"],
        [("A", Why.CONFLICT, "conflict: with the open A short")],
    )


def test_correlated_ones_are_one_bet() -> None:
    """At a correlation of 0.9 a second long is left out, a short is not; NaN counts as 1."""
    long_b, short_b = on(venue(), setup(1, 0.6, "B")), on(venue(), setup(-1, 0.6, "B"))
    for known in (lambda *_: 0.9, lambda *_: math.nan):
        assert chosen_of([*named("A"), long_b], correlation=known) == (
            ["A"],
            [("B", Why.CONFLICT, "conflict: with A long, which was chosen")],
        )
        assert chosen_of([*named("A"), short_b], correlation=known)[0] == ["A", "B"]
    assert chosen_of([long_b], held("A"), correlation=lambda *_: 0.9)[1] == [
        ("B", Why.CONFLICT, "conflict: with the open A long")
    ]


def test_places_are_what_open_positions_leave() -> None:
    """Of two places one is taken: the best goes in, and the other has no place."""
    assert chosen_of(named("A", "B"), held("X"), max_positions=2) == (
        ["A"],
        [("B", Why.MAX_POSITIONS, "max positions: 2 positions are open or chosen")],
    )
    found = chosen_of(named("A"), held("X"), held("Y"), max_positions=1)
    assert found == ([], [("A", Why.MAX_POSITIONS, "max positions: 1 positions are open or chosen")])


def test_the_budget_is_what_open_positions_leave() -> None:
    """Of 500 at risk 494 are: 3.398525 fits once, and then 2.6 are left."""
    assert chosen_of(named("A", "B"), held("X", "494")) == (
        ["A"],
        [("B", Why.BUDGET, "budget: 3.39852 at risk, 2.60148 left")],
    )
    assert chosen_of(named("A"), held("X", "600"))[1] == [("A", Why.BUDGET, "budget: 3.39852 at risk, -100.0 left")]


def test_the_venues_cap_counts_open_positions() -> None:
    """One place on a venue that has one open is none; another venue has its own."""
    elsewhere = on(bybit(), setup(1, 0.6, "B"))
    assert chosen_of([*named("A"), elsewhere], held("X"), max_per_venue=1) == (
        ["B"],
        [("A", Why.VENUE_CAP, "venue cap: 1 of 1 taken")],
    )


def test_the_sides_cap_counts_open_positions() -> None:
    """Two longs a side, one open: one more, and shorts as they like."""
    shorts = [on(venue(), setup(-1, 0.6, name)) for name in ("S", "T")]
    assert chosen_of([*named("A", "B"), *shorts], held("X"), max_per_side=2) == (
        ["A", "S", "T"],
        [("B", Why.SIDE_CAP, "side cap: 2 of 2 taken")],
    )


def test_every_reason_is_named() -> None:
    """One that would break two limits says both, the first as its reason."""
    found = chosen_of(named("A", "B"), held("X", "494"), max_positions=2)
    assert found[1] == [
        (
            "B",
            Why.BUDGET,
            "budget: 3.39852 at risk, 2.60148 left; max positions: 2 positions are open or chosen",
        )
    ]


def test_a_search_that_was_cut_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing keeps a candidate out but the end of the search, the gap is reported."""
    from strategies.candidates import choice
    from strategies.selection import Selection

    monkeypatch.setattr(choice, "select", lambda *_, **__: Selection((), 0.0, False, 1.5))
    assert chosen_of(named("A"))[1] == [("A", Why.SEARCH, "value 0 was found, no more than 1.5 is possible")]


def test_equal_values_go_to_the_first() -> None:
    """Candidates that are alike are taken in their order."""
    alike = [on(venue(), setup(1, 0.6, name)) for name in ("C", "A", "B")]
    assert chosen_of(alike, max_positions=2)[0] == ["C", "A"]


def test_a_position_needs_a_side_and_a_risk() -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match="risk must be 0 or more, got -1"):
        held("A", "-1")
    with pytest.raises(ValueError, match="side must be 1"):
        held("A", side=0)


@given(st.decimals(D("0.000001"), D(1_000_000), allow_nan=False, allow_infinity=False))
def test_doubles_stay_on_the_safe_side(amount: Decimal) -> None:
    """A risk is never below what is lost, a budget never above what is left, and either is the next double at most."""
    assert D(repr(_not_above(amount))) <= amount <= D(repr(not_below(amount)))
    assert not_below(amount) - _not_above(amount) <= 2e-16 * float(amount) * 2


BETS = st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from((1, -1)), st.integers(60, 90)), max_size=6)
OPEN = st.lists(st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from((1, -1)), st.integers(0, 300)), max_size=3)


@given(BETS, OPEN, st.integers(0, 5), st.sampled_from((-1.0, 0.0, 0.9)), st.sampled_from((None, 1, 2)))
def test_what_is_chosen_keeps_every_limit(
    bets: list[tuple[str, int, int]],
    positions: list[tuple[str, int, int]],
    places: int,
    rho: float,
    per_side: int | None,
) -> None:
    """Budget, places, caps and conflicts hold with what is open, and each of the others is barred by what it says."""
    candidates = [on(venue(), setup(side, p / 100, asset)) for asset, side, p in bets]
    open_positions = [OpenPosition(asset, side, "BINANCE", D(risk)) for asset, side, risk in positions]
    settings = CandidateSettings(max_positions=places, max_per_side=per_side)
    chosen, passed = choose(candidates, open_positions, lambda *_: rho, settings, equity=EQUITY)
    assert len(chosen) + len(passed) == len(candidates)
    staked = sum(c.loss for c in chosen) + sum(p.risk for p in open_positions)
    assert not chosen or staked <= EQUITY * settings.risk_budget_fraction
    assert not chosen or len(chosen) + len(open_positions) <= places
    sides = [(c.setup.asset, c.setup.side) for c in chosen]
    all_sides = sides + [(p.asset, p.side) for p in open_positions]
    for k, (asset, side) in enumerate(sides):
        for other, its in all_sides[:k] + all_sides[k + 1 :]:
            assert asset != other
            assert side * its * rho <= settings.correlation_limit
        if per_side is not None:
            assert sum(its == side for _, its in all_sides) <= per_side
    assert all(_holds(one, chosen, open_positions, settings, rho) for one in passed)


def _holds(
    one: Passed, chosen: list[Candidate], positions: list[OpenPosition], settings: CandidateSettings, rho: float
) -> bool:
    others = [(c.setup.asset, c.setup.side) for c in chosen] + [(p.asset, p.side) for p in positions]
    if one.why is Why.CONFLICT:
        return any(a == one.asset or s * one.side * rho > settings.correlation_limit for a, s in others)
    if one.why is Why.SIDE_CAP:
        return sum(s == one.side for _, s in others) >= (settings.max_per_side or 0)
    if one.why is Why.MAX_POSITIONS:
        return len(others) >= settings.max_positions
    if one.why is Why.BUDGET:
        staked = sum(c.loss for c in chosen) + sum(p.risk for p in positions)
        return staked + D("3.5") > EQUITY * settings.risk_budget_fraction
    return False
