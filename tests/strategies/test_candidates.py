import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from strategies.candidates import CandidateSettings, Objective, Passed, Setup, VenueView, Why, candidates_of, setups_of
from strategies.candidates.passed import why_not
from strategies.guards.halt import Halt, venue_scope
from strategies.sizing import SizeRules
from strategies.stops import StopSettings
from strategies.targets import Source, TargetSettings, Wall
from tests.strategies.candidate_views import (
    SECOND,
    TS,
    Seen,
    allowed,
    bybit,
    found_of,
    levels,
    on,
    refused,
    setup,
    venue,
)

D = Decimal


def test_both_sides_of_each_snapshot() -> None:
    """Rows are (long, short), in the order of the snapshots."""
    made = setups_of([Seen("BTC"), Seen("ETH")], [[0.7, 0.2], [0.1, math.nan]])
    assert [(s.asset, s.side, s.probability) for s in made[:3]] == [("BTC", 1, 0.7), ("BTC", -1, 0.2), ("ETH", 1, 0.1)]
    assert math.isnan(made[3].probability)


def test_the_better_venue_is_taken() -> None:
    """One fee lower, the venue wins; what the other would have been is nobody's reason."""
    cheaper = bybit(taker_fee=D("0.0004"))
    for order in ((venue(), cheaper), (cheaper, venue())):
        candidates, passed = found_of([setup()], *order)
        assert [c.venue for c in candidates] == ["BYBIT"]
        assert passed == []


def test_money_decides_between_venues() -> None:
    """A venue that is cheaper a unit, but takes one unit only, is worth less than three units elsewhere."""
    tiny = bybit(taker_fee=D("0.0004"), rules=SizeRules(step=D(1), max_size=D(1)))
    assert on(tiny).net_value_r > on(venue()).net_value_r
    assert found_of([setup()], tiny, venue())[0][0].venue == "BINANCE"


def test_ties_go_by_name() -> None:
    """Of two venues that are alike the first instrument id by name, whatever the order that they come in."""
    for order in ((venue(), bybit()), (bybit(), venue())):
        assert found_of([setup()], *order)[0][0].venue == "BYBIT"


def test_the_same_again() -> None:
    """The same inputs give equal candidates."""
    setups = [setup(), setup(-1), setup(asset="ETH")]
    assert found_of(setups, venue(), bybit()) == found_of(setups, venue(), bybit())


def test_a_venue_that_may_not_be_traded_leaves_the_others() -> None:
    """With one venue halted the other is taken; with both, each has its reason."""

    def blocks(asset: str, where: str) -> Halt | None:
        return Halt("too many rejects", venue_scope(where), None, lockout=False, guard="reject_storm")

    views: Sequence[VenueView] = (venue(), bybit())
    found = candidates_of(
        [setup()], lambda _: views, CandidateSettings(), lambda a, v: blocks(a, v) if v == "BYBIT" else None
    )
    assert ([c.venue for c in found[0]], found[1]) == (["BINANCE"], [])
    candidates, passed = candidates_of([setup()], lambda _: views, CandidateSettings(), blocks)
    assert candidates == []
    assert [(p.venue, p.why, p.detail) for p in passed] == [
        ("BINANCE", Why.HALTED, "reject_storm: too many rejects"),
        ("BYBIT", Why.HALTED, "reject_storm: too many rejects"),
    ]


@pytest.mark.parametrize(
    ("changes", "why", "detail"),
    [
        ({"bids": ()}, Why.NO_BOOK, "a side is empty"),
        ({"asks": levels(("99.99", "1"))}, Why.NO_BOOK, "crossed"),
        ({"book_age_seconds": None}, Why.MISSING, "the age of the book is not known"),
        ({"book_age_seconds": D("10.1")}, Why.STALE, "the book is 10.1 s old: the limit is 10 s"),
        ({"book_age_seconds": D("-0.1")}, Why.STALE, "the book is 0.1 s from the future: check the clocks"),
        ({"equity": None}, Why.MISSING, "equity is not known"),
        ({"free_margin": None}, Why.MISSING, "free margin is not known"),
        ({"equity": D(0)}, Why.BUDGET, "equity 0 is not positive: nothing may be staked"),
        ({"next_funding_ns": None}, Why.MISSING, "the next funding settlement or its rate is not known"),
        (
            {"funding_rate": None, "next_funding_ns": TS + SECOND},
            Why.MISSING,
            "the next funding settlement or its rate is not known",
        ),
        ({"leverage": D(100)}, Why.NO_STOP, "the stop is too near to the liquidation price, or beyond it"),
        ({"free_margin": D(0)}, Why.TOO_SMALL, "no free margin"),
        ({"rules": SizeRules(step=D(50))}, Why.TOO_SMALL, "below one size step"),
        ({"rules": SizeRules(step=D(1), min_size=D(30))}, Why.TOO_SMALL, "below the venue's minimum size"),
        ({"rules": SizeRules(step=D(1), min_notional=D(5000))}, Why.TOO_SMALL, "below the venue's minimum notional"),
        ({"venue_notional": D(0)}, Why.TOO_SMALL, "our own cap on the venue is used up"),
        ({"tick": D(1)}, Why.NO_TARGET, "no price between break-even and the barrier"),
        ({"taker_fee": D("0.004")}, Why.BREAK_EVEN, None),
    ],
)
def test_why_a_venue_is_not_taken(changes: dict[str, Any], why: Why, detail: str | None) -> None:
    """Each reason, in words."""
    settings = {"target_r": D("0.1")} if why is Why.NO_TARGET else {}
    found = refused(venue(**changes), **settings)
    assert found[0] is why
    if detail is not None:
        assert found[1] == detail


def test_a_stop_that_must_be_exact_is_not_widened() -> None:
    """2 ATR of 0.5 are 1; 150 bps of 100 are more than that, and the model was not asked about them."""
    assert on(venue(), exact_stop=True).stop.distance == 1
    wide = StopSettings(min_bps=D(150))
    assert on(venue(), stop=wide).stop.distance == D("1.5")
    why = "the least distance of a stop, 1.5, is beyond the model's"
    assert refused(venue(), stop=wide, exact_stop=True) == (Why.NO_STOP, why)


def test_break_even_is_not_enough() -> None:
    """0.445 is above what the long of the example needs, 0.44497; 0.444 is not, and says by how much."""
    assert on(venue(), setup(probability=0.445), min_probability=D(0)).net_value > 0
    found = refused(venue(), setup(probability=0.444), min_probability=D(0))
    assert found == (Why.BREAK_EVEN, "0.444 is not above 0.4450")


@pytest.mark.parametrize(
    ("of", "why", "detail"),
    [
        (setup(probability=0.59), Why.PROBABILITY, "0.59 is below 0.60"),
        (setup(probability=math.nan), Why.MISSING, "the model lacks a feature: no probability"),
        (setup(atr=math.nan), Why.MISSING, "atr is nan"),
        (setup(atr=0.0), Why.MISSING, "atr is 0.0"),
    ],
)
def test_why_a_setup_is_not_looked_at(of: Setup, why: Why, detail: str) -> None:
    """It names no venue, and none was asked."""

    def views(asset: str) -> Sequence[VenueView]:
        raise AssertionError(asset)

    candidates, passed = candidates_of([of], views, CandidateSettings(), allowed)
    assert candidates == []
    assert passed == [Passed("BTC", 1, TS, None, why, detail)]


def test_the_minimum_itself_is_enough() -> None:
    """The double 0.6 is not below 0.60: it is taken as the decimal that it prints as."""
    assert found_of([setup(probability=0.6)], venue())[1] == []


def test_an_asset_without_a_venue() -> None:
    """It is not in the universe; venues are asked once an asset."""
    asked = []

    def views(asset: str) -> Sequence[VenueView]:
        asked.append(asset)
        return ()

    _, passed = candidates_of([setup(), setup(-1)], views, CandidateSettings(), allowed)
    assert [(p.side, p.venue, p.why) for p in passed] == [(1, None, Why.UNIVERSE), (-1, None, Why.UNIVERSE)]
    assert asked == ["BTC"]


def test_every_setup_is_a_candidate_or_has_a_reason() -> None:
    """Long and short of two assets: two qualify, two do not."""
    setups = [setup(), setup(-1, 0.3), setup(asset="ETH"), setup(-1, 0.3, asset="ETH")]
    candidates, passed = found_of(setups, venue(), bybit())
    assert [(c.setup.asset, c.setup.side) for c in candidates] == [("BTC", 1), ("ETH", 1)]
    assert [(p.asset, p.side) for p in passed] == [("BTC", -1), ("ETH", -1)]


def test_counts_are_of_setups() -> None:
    """Two venues that are stale are one stale setup; reasons come in the order in which they are asked."""
    old = {"book_age_seconds": D(60)}
    _, passed = found_of([setup(), setup(-1), setup(asset="ETH", probability=0.1)], venue(**old), bybit(**old))
    assert len(passed) == 5
    assert list(why_not(passed).items()) == [(Why.PROBABILITY, 1), (Why.STALE, 2)]
    assert passed[0].row == (TS, "BTC", "long", "BINANCE", "stale", "the book is 60 s old: the limit is 10 s")
    assert passed[-1].row[2:4] == ("long", "")


def test_a_wall_is_aimed_at() -> None:
    """A wall at 101.20 between break-even and barrier makes the target 101.19; those of the bids have no say."""
    walled = venue(walls=(Wall(D("101.20"), D(9)), Wall(D("98.80"), D(9))))
    long, short = on(walled), on(walled, setup(-1))
    assert [(t.price, t.source) for t in long.targets.targets] == [(D("101.19"), Source.WALL)]
    assert [(t.price, t.source) for t in short.targets.targets] == [(D("98.81"), Source.WALL)]
    assert long.net_value < on(venue()).net_value


def test_the_value_is_what_the_profile_says() -> None:
    """Money, or the probability; the venue is the one of most money either way."""
    found = on(venue(), objective=Objective.PROBABILITY)
    assert (found.value, found.risk) == (0.6, 3.398525)


def test_a_short_whose_barrier_is_below_zero() -> None:
    """With a stop of 70 % of the price a target at 1.5 R would be negative."""
    assert refused(venue(leverage=D(1), rules=SizeRules(step=D("0.01"))), setup(-1, atr=35.0))[0] is Why.NO_TARGET


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"risk_fraction": D(2)}, r"risk_fraction must lie in \[0, 1\], got 2"),
        ({"target_r": D(0)}, "target_r must be positive, got 0"),
        ({"time_out_gross_r": D(1)}, "time_out_gross_r 1 must lie in"),
        ({"max_per_side": -1}, "max_per_side must be 0 or more, got -1"),
        ({"correlation_limit": math.nan}, "correlation_limit must lie in"),
        ({"max_leverage": D(0)}, "max_leverage must be positive"),
    ],
)
def test_wrong_settings(changes: dict[str, Any], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        CandidateSettings(**changes)


def test_wrong_setups() -> None:
    """A side is +-1 and a probability no more than 1."""
    with pytest.raises(ValueError, match="side must be 1"):
        replace(setup(), side=0)
    with pytest.raises(ValueError, match=r"probability must lie in \[0, 1\], got 1.5 of BTC"):
        replace(setup(), probability=1.5)


def test_the_nearest_multiple_within_reach() -> None:
    """Multiples beyond `target_r`, which the probability does not speak of, are left out."""
    found = on(venue(), targets=TargetSettings(multiples=(D(1), D(3))))
    assert [t.price for t in found.targets.targets] == [D("101.00")]
