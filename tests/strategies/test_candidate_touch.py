import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.candidates import (
    Candidate,
    CandidateSettings,
    Objective,
    Touch,
    VenueView,
    Why,
    candidate_on,
    candidates_of,
)
from strategies.candidates.candidate import not_below
from strategies.candidates.touch import SLACK, is_hopeless, least_break_even
from strategies.sizing import SizeRules
from strategies.stops import StopRule, StopSettings
from strategies.targets import Wall
from tests.strategies.candidate_views import SECOND, TS, allowed, bybit, levels, on, setup, venue

D = Decimal


def touch(view: VenueView) -> Touch:
    """The best prices of a view."""
    return Touch(
        venue=view.venue,
        bid=float(view.bids[0].price) if view.bids else math.nan,
        ask=float(view.asks[0].price) if view.asks else math.nan,
        tick=float(view.tick),
        taker_fee=float(view.taker_fee),
        maker_fee=float(view.maker_fee),
        funding_rate=None if view.funding_rate is None else float(view.funding_rate),
        next_funding_ns=view.next_funding_ns,
    )


def least(view: VenueView, atr: float = 0.5, **changes: Any) -> float:
    return least_break_even(touch(view), atr, TS, CandidateSettings(**changes))


def test_by_hand() -> None:
    """A stop 1.01 away and a target 1.515, an entry fee of 0.049995, exit fees of 0.019697 and 0.049495.

    A target gains 1.515 less 0.079692, a stop loses 1.01 and 0.11949. The book of the same venue asks for 0.44497.
    """
    gain, loss = D("1.515") - D("0.079692"), D("1.01") + D("0.11949")
    assert least(venue()) == pytest.approx(float(loss / (gain + loss)))
    assert on(venue(), min_probability=D(0)).break_even == pytest.approx(D("0.44497"), abs=D("0.00001"))


@pytest.mark.parametrize(
    ("changes", "distance"),
    [
        ({"min_bps": D(300)}, 3.0),
        ({"min_ticks": 250}, 2.5),
        ({"min_spreads": D(200)}, 4.0),
        ({"atr_multiple": D(5)}, 2.5),
    ],
)
def test_the_stop_is_the_widest_of_what_the_rule_knows(changes: dict[str, Any], distance: float) -> None:
    """Without fees and but for a spread of 0.02 it is one over one plus the target in R."""
    free = venue(taker_fee=D(0), maker_fee=D(0))
    gain, loss = 1.5 * (distance + 0.01) - 0.01, distance + 0.01 + 0.02
    assert least(free, stop=StopSettings(**changes)) == pytest.approx(loss / (gain + loss))


def test_funding_counts_as_if_it_were_received() -> None:
    """0.2 a unit that may come before the time barrier ends makes a target worth 0.2 more, whoever pays."""
    near = {"next_funding_ns": TS + 900 * SECOND}
    for rate in (D("0.002"), D("-0.002")):
        gain, loss = D("1.515") - D("0.079692") + D("0.2"), D("1.01") + D("0.11949")
        assert least(venue(funding_rate=rate, **near)) == pytest.approx(float(loss / (gain + loss)))
    for late in ({"next_funding_ns": TS + 900 * SECOND + 1}, {"next_funding_ns": TS}, {"next_funding_ns": None}):
        assert least(venue(funding_rate=D("0.002"), **late)) == least(venue())
    assert least(venue(funding_rate=None, **near)) == least(venue())


def test_more_is_received_than_a_trade_costs() -> None:
    """Then a nearer stop needs less: it lies 1 away here, not 1.01, and that is what counts.

    The mid is 100, so the stop of two ATR of 0.5 lies on the tick.
    """
    rich = venue(funding_rate=D("-0.01"), next_funding_ns=TS + SECOND)
    found = on(rich, min_probability=D(0))
    assert found.stop.distance == 1
    assert found.break_even >= D(repr(least(rich)))
    gain, loss = 1.5 - 0.079692 + 1.0, 1.0 + 0.11949
    assert least(rich) == pytest.approx(loss / (gain + loss))


@pytest.mark.parametrize(
    ("view", "changes"),
    [
        (venue(), {"stop": StopSettings(rule=StopRule.SWING)}),
        (venue(), {"stop": StopSettings(rule=StopRule.WIDER)}),
        (venue(), {"stop": StopSettings(rule=StopRule.NEARER)}),
        (venue(), {"time_out_share": D("0.3")}),
        (venue(bids=()), {}),
        (venue(asks=()), {}),
        (venue(asks=levels(("99.99", "1"))), {}),
    ],
)
def test_what_cannot_be_told_is_zero(view: VenueView, changes: dict[str, Any]) -> None:
    """A stop behind a swing, a share of trades that end by time, and a book without two sides."""
    assert least(view, **changes) == 0


def test_hopeless_is_what_no_venue_could_take() -> None:
    """One venue that may do is enough; without a venue, or a probability, nothing is said."""
    assert is_hopeless(0.6, [0.61, 0.6])
    assert not is_hopeless(0.6, [0.61, 0.59])
    assert not is_hopeless(0.6, [])
    assert not is_hopeless(math.nan, [0.61])


def no_views(asset: str) -> Sequence[VenueView]:
    raise AssertionError(f"the books of {asset} were read")


def passed_over(view: VenueView, probability: float, **changes: Any) -> tuple[str | None, Why, str]:
    of = CandidateSettings(min_probability=D(0), **changes)
    candidates, (passed,) = candidates_of(
        [setup(probability=probability)], no_views, of, allowed, lambda _: [touch(view)]
    )
    assert candidates == []
    return passed.venue, passed.why, passed.detail


def test_a_setup_that_cannot_pay_its_fees_reads_no_book() -> None:
    """It is passed over with what it would need at the least, and of no venue."""
    assert passed_over(venue(), 0.44) == (
        None,
        Why.BREAK_EVEN,
        "0.4400 is not above 0.4404, which the fees alone need",
    )


def test_fees_above_the_barrier_are_costs() -> None:
    """In and out are 2.5 % where the target is 1.5 % away: no probability pays that."""
    dear = venue(taker_fee=D("0.0125"), maker_fee=D("0.0125"))
    assert passed_over(dear, 0.9) == (None, Why.COST, "the fees alone are more than the barrier is away")


def test_a_venue_that_may_do_has_its_book_read() -> None:
    """And so have all others of the asset."""
    asked, dear = [], bybit(taker_fee=D("0.004"))

    def views(asset: str) -> Sequence[VenueView]:
        asked.append(asset)
        return [dear, venue()]

    candidates, _ = candidates_of(
        [setup()], views, CandidateSettings(), allowed, lambda _: [touch(dear), touch(venue())]
    )
    assert (asked, [c.venue for c in candidates]) == (["BTC"], ["BINANCE"])


def test_an_asset_without_a_venue_is_not_in_the_universe() -> None:
    """No touch is no reason: it is looked for, and not found."""
    _, (passed,) = candidates_of([setup()], lambda _: (), CandidateSettings(), allowed, lambda _: ())
    assert passed.why is Why.UNIVERSE


def test_where_every_signal_is_taken_nobody_asks_for_the_fees() -> None:
    """The touch is not even looked at."""

    def no_touches(asset: str) -> Sequence[Touch]:
        raise AssertionError(asset)

    every = CandidateSettings(objective=Objective.EVERY)
    dear = venue(taker_fee=D("0.0125"))
    candidates, _ = candidates_of([setup()], lambda _: [dear], every, allowed, no_touches)
    assert len(candidates) == 1


@st.composite
def books(draw: st.DrawFn, *, tick: Decimal) -> dict[str, Any]:
    """Both sides of a book of up to four levels, at most 40 ticks apart, near 100 or 5, on the tick."""
    bid = draw(st.sampled_from((D(100), D(5)))) + draw(st.integers(-30, 30)) * tick
    ask = bid + draw(st.integers(1, 20)) * tick
    steps = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 30)), max_size=3)
    sides: dict[str, Any] = {}
    for name, side, price in (("bids", -1, bid), ("asks", 1, ask)):
        rows = [(price, draw(st.integers(1, 30)))]
        for step, size in draw(steps):
            rows.append((rows[-1][0] + side * step * tick, size))
        sides[name] = levels(*((str(at), str(size)) for at, size in rows if at > 0))
    return sides


@st.composite
def venues(draw: st.DrawFn, name: str = "BINANCE") -> VenueView:
    """Fees up to 25 bps with rebates, funding up to 3 %, walls anywhere, and a tick from fine to coarse."""
    tick = draw(st.sampled_from((D("0.001"), D("0.01"), D("0.05"))))
    taker = D(draw(st.integers(0, 25))) / 10_000
    maker = min(D(draw(st.integers(-10, 25))) / 10_000, taker)
    found = draw(books(tick=tick))
    near, strength = st.integers(-200, 200).filter(bool), st.integers(1, 9)
    walls = draw(st.lists(st.tuples(near, strength), max_size=3))
    mid = (found["bids"][0].price + found["asks"][0].price) / 2
    return venue(
        venue=name,
        instrument_id=f"BTCUSDT-PERP.{name}",
        **found,
        tick=tick,
        taker_fee=taker,
        maker_fee=maker,
        funding_rate=D(draw(st.integers(-300, 300))) / 10_000,
        next_funding_ns=TS + draw(st.sampled_from((1, 900, 901))) * SECOND,
        rules=SizeRules(step=draw(st.sampled_from((D("0.001"), D(1))))),
        leverage=D(1),
        walls=tuple(Wall(mid * (1 + D(bps) / 10_000), D(weight)) for bps, weight in walls),
    )


ATRS = st.integers(1, 300).map(lambda n: n / 10_000) | st.floats(0.0001, 0.03, allow_nan=False)
"""Of the price."""
STOPS = st.builds(
    StopSettings,
    atr_multiple=st.sampled_from((D("0.5"), D(2))),
    min_bps=st.sampled_from((D(0), D(8), D("33.3"))),
    min_ticks=st.integers(0, 5),
    min_spreads=st.sampled_from((D(0), D(2))),
)
SETTINGS = st.builds(
    CandidateSettings,
    min_probability=st.just(D(0)),
    target_r=st.sampled_from((D("0.7"), D("1.5"), D(3))),
    entry_reach_bps=st.sampled_from((D(0), D(10), D(1000))),
    depth_share=st.sampled_from((D("0.2"), D(1))),
    stop=STOPS,
)
SIDES = st.sampled_from((1, -1))


@settings(max_examples=400)
@given(venues(), ATRS, SIDES, SETTINGS)
def test_never_above_what_the_book_says(view: VenueView, atr: float, side: int, of: CandidateSettings) -> None:
    """What a setup needs there, whatever its size, slippage, targets and funding, is no less; `atr` is of the price."""
    atr *= float(view.mid)
    found = candidate_on(view, setup(side, 1.0, atr=atr), of, allowed)
    needed = least_break_even(touch(view), atr, TS, of)
    assert needed <= 1 - SLACK
    if isinstance(found, Candidate):
        assert D(repr(needed)) <= found.break_even


BARELY = -1.0
"""Instead of a probability: the least that would be taken at the first venue."""


def barely(view: VenueView, side: int, atr: float, of: CandidateSettings) -> float:
    found = candidate_on(view, setup(side, 1.0, atr=atr), of, allowed)
    return not_below(found.break_even) if isinstance(found, Candidate) else 1.0


@settings(max_examples=200)
@given(
    st.lists(venues(), min_size=1, max_size=2),
    ATRS,
    st.lists(st.tuples(SIDES, st.just(BARELY) | st.floats(0, 1, allow_nan=False)), min_size=1, max_size=3),
    SETTINGS,
    st.sampled_from(Objective),
)
def test_the_first_look_changes_no_candidate(
    found: list[VenueView], atr: float, bets: list[tuple[int, float]], of: CandidateSettings, objective: Objective
) -> None:
    """With touches and without the same are taken; each of the others has a reason. `atr` is of the price."""
    atr *= float(found[0].mid)
    views = [replace(view, venue=f"V{k}", instrument_id=f"BTC.V{k}") for k, view in enumerate(found)]
    setups = [
        setup(side, barely(views[0], side, atr, of) if probability == BARELY else probability, f"A{k}", atr=atr)
        for k, (side, probability) in enumerate(bets)
    ]
    of = replace(of, objective=objective)
    without, _ = candidates_of(setups, lambda _: views, of, allowed)
    taken, passed = candidates_of(setups, lambda _: views, of, allowed, lambda _: [touch(view) for view in views])
    assert taken == without
    assert {c.setup.asset for c in taken} | {p.asset for p in passed} == {one.asset for one in setups}
