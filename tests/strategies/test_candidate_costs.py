from decimal import Decimal
from fractions import Fraction

import pytest

from backtests.margin import MarginTier, MarginTiers, liquidation_price
from strategies.candidates import TripCosts, walk
from strategies.candidates.costs import funding_per_base
from strategies.sizing import SizeCap, SizeRules
from strategies.stops import StopRule, StopSettings
from tests.strategies.candidate_views import ASKS, SECOND, TS, levels, on, refused, setup, venue

D = Decimal


def test_a_walk_by_hand() -> None:
    """Three units are two at 100.01 and one at 100.03; all is 106, and more is an error."""
    walked = walk(ASKS, D(3))
    assert (walked.notional, walked.worst) == (D("300.05"), D("100.03"))
    assert walk(ASKS, D(106)).worst == D("100.10")
    with pytest.raises(ValueError, match="107 base units are 1 more than the levels hold"):
        walk(ASKS, D(107))


def test_a_long_by_hand() -> None:
    """Stop at 99, target at 101.50, three units: every part of the costs, value and loss to the digit."""
    found = on(venue())
    assert (found.mid, found.stop.price, found.stop.distance, found.size.size) == (100, 99, 1, 3)
    assert [target.price for target in found.targets.targets] == [D("101.50")]
    assert found.costs_at_stop == TripCosts(D("0.150025"), D("0.1485"), D("0.06"), D("0.04"), D(0))
    assert found.costs_at_target == TripCosts(D("0.150025"), D("0.0609"), D("0.03"), D("0.02"), D(0))
    assert found.costs == TripCosts(D("0.150025"), D("0.09594"), D("0.042"), D("0.028"), D(0))
    assert found.costs_per_base.spread == D("0.014")
    assert found.loss == D("3.398525")
    assert found.net_value == D("1.184035")  # 0.6 × (4.5 - 0.260925) - 0.4 × 3.398525
    assert found.net_value_r == D("0.394678333333333333")
    assert Fraction(found.break_even) == pytest.approx(Fraction("3.398525") / Fraction("7.6376"), rel=1e-27)
    assert (found.value, found.risk) == (1.184035, 3.398525)
    assert round(found.entry_price, 6) == D("100.016667")
    assert found.worst_entry_price == D("100.03")


def test_a_short_by_hand() -> None:
    """The mirror: stop at 101, target at 98.50; fees alone differ, for they are shares of the price."""
    found = on(venue(), setup(-1))
    assert (found.stop.price, found.targets.targets[0].price) == (101, D("98.50"))
    assert found.costs_at_stop == TripCosts(D("0.149975"), D("0.1515"), D("0.06"), D("0.04"), D(0))
    assert found.costs_at_target == TripCosts(D("0.149975"), D("0.0591"), D("0.03"), D("0.02"), D(0))
    assert (found.loss, found.net_value) == (D("3.401475"), D("1.183965"))


def test_value_is_gross_less_expected_costs() -> None:
    """0.6 × 4.5 - 0.4 × 3 less the expected costs is the net value."""
    found = on(venue())
    assert found.net_value == D("0.6") * D("4.5") - D("0.4") * 3 - found.costs.total


def test_time_outs_by_hand() -> None:
    """Half of the misses end where they began: a miss costs 0.398525 or 3.398525."""
    found = on(venue(), time_out_share=D("0.5"))
    assert found.net_value == D("0.6") * D("4.239075") - D("0.4") * D("1.898525")


def test_contracts_by_hand() -> None:
    """1000 contracts of 0.0001 are 0.1 units: half at 60 001, half at 60 003."""
    mexc = venue(
        venue="MEXC",
        instrument_id="BTC_USDT.MEXC",
        rules=SizeRules(step=D(1), multiplier=D("0.0001"), max_size=D(1000)),
        tick=D("0.1"),
        bids=levels(("59999", "1")),
        asks=levels(("60001", "0.05"), ("60003", "1")),
        taker_fee=D("0.0002"),
        maker_fee=D(0),
    )
    found = on(mexc, setup(atr=60.0))
    assert (found.size.size, found.size_base, found.stop.price) == (1000, D("0.1"), 59880)
    assert found.costs_at_stop == TripCosts(D("1.20004"), D("1.1976"), D("0.2"), D("0.2"), D(0))
    assert found.loss == D("14.79764")
    assert found.costs_at_target.total == D("1.20004") + D("0.1") + D("0.1")


def test_funding_inside_the_horizon() -> None:
    """At 0.01 % of 100 a long of 3 pays 0.03 on every way; a short gets it, but not where it is stopped first."""
    due = venue(next_funding_ns=TS + 600 * SECOND)
    long, short = on(due), on(due, setup(-1))
    assert (long.costs_at_target.funding, long.costs_at_stop.funding) == (D("0.03"), D("0.03"))
    assert long.net_value == D("1.184035") - D("0.03")
    assert (short.costs_at_target.funding, short.costs_at_stop.funding) == (D("-0.03"), 0)
    assert short.net_value == D("1.183965") + D("0.6") * D("0.03")
    assert short.loss == D("3.401475")


def test_the_edges_of_the_horizon() -> None:
    """A settlement counts from the next nanosecond to the horizon's last; one that is over is not the next."""
    last = TS + 900 * SECOND
    assert funding_per_base(venue(next_funding_ns=last), 1, TS, 900) == D("0.01")
    assert funding_per_base(venue(next_funding_ns=last + 1), 1, TS, 900) == 0
    assert funding_per_base(venue(next_funding_ns=TS + 1), -1, TS, 900) == D("-0.01")
    assert funding_per_base(venue(next_funding_ns=TS), 1, TS, 900) is None


def test_a_rate_is_missed_only_where_it_is_needed() -> None:
    """Without a rate a settlement beyond the horizon costs nothing, one inside is not known."""
    assert funding_per_base(venue(funding_rate=None), 1, TS, 900) == 0
    assert funding_per_base(venue(funding_rate=None, next_funding_ns=TS + SECOND), 1, TS, 900) is None
    assert funding_per_base(venue(next_funding_ns=None), 1, TS, 900) is None


def test_a_rebate_and_received_funding_do_not_pay_before_the_mid() -> None:
    """Where the venue pays more than the trip costs, it is paid from the mid on."""
    paid = venue(taker_fee=D(0), maker_fee=D("-0.001"), bids=levels(("99.99", "9")), asks=levels(("100.01", "9")))
    assert on(paid).break_even_price == 100
    assert on(venue(taker_fee=D(0), maker_fee=D(0))).break_even_price.quantize(D("0.0001")) == D("100.0167")


def test_size_and_slippage_together() -> None:
    """Half a unit of price beyond the first ten: 29 lose 48.58 at the stop, 30 would lose 50.60, more than 50."""
    thin = venue(
        rules=SizeRules(step=D(1)),
        asks=levels(("100.01", "10"), ("100.51", "90")),
        taker_fee=D(0),
        maker_fee=D(0),
    )
    found = on(thin, setup(probability=0.9), depth_share=D(1), entry_reach_bps=D(100))
    assert (found.size.size, found.size.capped_by, found.loss) == (29, SizeCap.RISK, D("48.58"))


def test_our_notional_cap_counts_the_mean_price() -> None:
    """Of 1001, ten at 100.01 would do, but the ten cost 100.26 each: nine. A short counts its best price."""
    book = {"asks": levels(("100.01", "5"), ("100.51", "50")), "bids": levels(("99.99", "5"), ("99.49", "50"))}
    view = venue(rules=SizeRules(step=D(1)), **book)
    wide = {"entry_reach_bps": D(100), "max_notional": D(1001), "depth_share": D(1)}
    long, short = on(view, setup(probability=0.9), **wide), on(view, setup(-1, 0.9), **wide)
    assert (long.size.size, long.size.capped_by) == (9, SizeCap.NOTIONAL)
    assert (short.size.size, short.size.capped_by) == (10, SizeCap.NOTIONAL)


def test_no_more_than_the_share_of_what_is_within_reach() -> None:
    """A fifth of the 6 units within 5 bps is one step; the hundred behind them do not count."""
    free = venue(rules=SizeRules(step=D(1)))
    near = on(free, entry_reach_bps=D(5))
    assert (near.size.size, near.size.capped_by) == (1, SizeCap.DEPTH)
    assert on(free).size.size == 21


def test_the_liquidation_price_is_the_simulated_venues() -> None:
    """At leverage 10 and 0.5 % maintenance both say the same, on both sides, and none for an unlevered long."""
    tiers = MarginTiers((MarginTier(None, D("0.005"), D(100)),))
    for side in (1, -1):
        theirs = liquidation_price(side, D(100), D(3), D(30), tiers)
        assert theirs is not None
        assert venue().liquidation(side, D(100)) == pytest.approx(theirs, rel=D("1e-25"))
    assert venue(leverage=D(1)).liquidation(1, D(100)) is None


def test_a_swing_is_the_sides_own() -> None:
    """A long hides behind the low, a short behind the high, two ticks or a tenth of the ATR beyond."""
    swings = venue(swing_low=D("99.50"), swing_high=D("100.60"))
    rule = StopSettings(rule=StopRule.SWING)
    assert on(swings, stop=rule).stop.price == D("99.45")
    assert on(swings, setup(-1), stop=rule).stop.price == D("100.65")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"asks": levels(("100.03", "1"), ("100.01", "1"))}, "asks must be best first, got 100.03 before 100.01"),
        ({"bids": levels(("99", "1"), ("99.5", "1"))}, "bids must be best first"),
        ({"taker_fee": D(-1)}, "taker_fee must be 0 or more"),
        ({"maker_fee": D("0.001")}, "maker_fee 0.001 is above taker_fee 0.0005"),
        ({"maintenance_rate": D(1)}, "maintenance_rate 1 leaves no room"),
        ({"tick": D(0)}, "tick must be positive"),
    ],
)
def test_wrong_views(changes: dict[str, object], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        venue(**changes)


def test_a_level_needs_a_price_and_a_size() -> None:
    """Zero is neither."""
    with pytest.raises(ValueError, match="level_size_base must be positive, got 0"):
        levels(("100", "0"))


def test_a_trip_that_no_target_pays_is_a_cost() -> None:
    """At 1 % a side it is paid from 303.0505 / 2.97 on: a target of 1.5 % is a loss."""
    why, detail = refused(venue(taker_fee=D("0.01"), maker_fee=D("0.01")))
    assert (why.value, detail[:30]) == ("cost", "costs are paid from 102.037205")
