"""The objective that asks nobody what a trade costs: what the others are held against."""

from decimal import Decimal

import pytest

from strategies.candidates import CandidateSettings, Objective, Why, choose
from strategies.sizing import SizeRules
from strategies.targets import TargetSettings, Wall
from tests.strategies.candidate_views import bybit, found_of, on, refused, setup, venue

D = Decimal
EVERY = Objective.EVERY
DEAR = venue(taker_fee=D("0.02"))
"""In and out of a long of 3 cost 6.001 + 5.94 at its stop, which is 1 away."""


def test_a_target_that_does_not_pay_is_aimed_at_all_the_same() -> None:
    """3 at 100.0167 with their target at 101.5: 4.5 less 6.1119 of costs; at the stop 3 and 12.041 are lost."""
    assert refused(DEAR)[0] is Why.COST
    found = on(DEAR, objective=EVERY)
    assert [t.price for t in found.targets.targets] == [D("101.5")]
    assert (found.size.size, found.loss) == (3, D("15.041"))
    assert found.net_value == D("0.6") * (D("4.5") - D("6.1119")) - D("0.4") * D("15.041")
    assert (found.value, found.break_even) == (0.6, 1)


def test_a_signal_below_its_break_even_is_taken() -> None:
    """A target that pays, but not often enough: 0.6 where 0.76 is needed. The forecast says what it will cost."""
    some = venue(taker_fee=D("0.006"))
    assert refused(some)[0] is Why.BREAK_EVEN
    found = on(some, objective=EVERY)
    assert found.break_even > D("0.6")
    assert found.net_value < 0 < found.value


def test_its_targets_are_those_of_the_selection_where_these_pay() -> None:
    """A wall at 100.05 would be a loss after costs; it is aimed at only where nothing else pays either."""
    near = (Wall(D("100.05"), D(9)),)
    cheap, dear = venue(walls=near), venue(taker_fee=D("0.02"), walls=near)
    assert on(cheap, objective=EVERY).targets == on(cheap).targets
    assert [t.wall for t in on(cheap).targets.targets] == [None]
    assert refused(dear)[0] is Why.COST
    found = on(dear, objective=EVERY)
    assert [(t.price, t.wall) for t in found.targets.targets] == [(D("100.04"), D("100.05"))]


def test_where_no_price_pays_break_even_is_the_mid() -> None:
    """A short whose fee is its whole notional would have to be bought back below zero."""
    absurd = venue(taker_fee=D(1), equity=D(100_000))
    assert refused(absurd, setup(-1)) == (Why.COST, "costs are paid from nowhere on: the barrier is 98.500")
    assert on(absurd, setup(-1), objective=EVERY).break_even_price == 100


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bids": ()}, Why.NO_BOOK),
        ({"book_age_seconds": D(11)}, Why.STALE),
        ({"next_funding_ns": None}, Why.MISSING),
        ({"leverage": D(100)}, Why.NO_STOP),
        ({"rules": SizeRules(step=D(50))}, Why.TOO_SMALL),
    ],
)
def test_everything_but_costs_is_asked_as_ever(changes: dict[str, object], why: Why) -> None:
    """A signal that cannot be traded is not, and has the same reason."""
    assert refused(venue(**changes), objective=EVERY) == refused(venue(**changes))
    assert refused(venue(**changes), objective=EVERY)[0] is why


def test_a_signal_has_to_be_likely_enough() -> None:
    """The minimum is what makes it a signal."""
    candidates, (passed,) = found_of([setup(probability=0.59)], DEAR, objective=EVERY)
    assert (candidates, passed.why) == ([], Why.PROBABILITY)


def test_its_target_needs_a_price() -> None:
    """With a tick of 2 and a target 0.1 R away there is none between mid and barrier."""
    coarse = venue(tick=D(2))
    assert refused(coarse, objective=EVERY, target_r=D("0.1"))[0] is Why.NO_TARGET


def test_the_less_dear_venue_is_taken() -> None:
    """Of two that both lose, the one that is expected to lose less."""
    dearer = bybit(taker_fee=D("0.03"))
    for order in ((DEAR, dearer), (dearer, DEAR)):
        assert [c.venue for c in found_of([setup()], *order, objective=EVERY)[0]] == ["BINANCE"]


def test_the_most_likely_are_chosen() -> None:
    """Of three signals for two places, whatever they are worth: conflicts, budget and places hold as ever."""
    settings = CandidateSettings(objective=EVERY, max_positions=2)
    signals = [
        on(view, setup(1, probability, asset), objective=EVERY)
        for asset, probability, view in (("A", 0.61, venue()), ("B", 0.7, DEAR), ("C", 0.65, DEAR))
    ]
    chosen, passed = choose(signals, [], lambda *_: 0.0, settings, equity=D(10_000))
    assert [c.setup.asset for c in chosen] == ["B", "C"]
    assert [(p.asset, p.why) for p in passed] == [("A", Why.MAX_POSITIONS)]


def test_multiples_beyond_the_barrier_are_left_out() -> None:
    """As for every other objective: the probability does not speak of them."""
    found = on(DEAR, objective=EVERY, targets=TargetSettings(multiples=(D("0.5"), D(3))))
    assert [t.price for t in found.targets.targets] == [D("100.5")]
