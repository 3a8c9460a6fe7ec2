"""Reports: funding by the venues' formula, marks as a median of three, open interest that follows positions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.market_levels import SWEEPING_BUYER
from catalog.market_price import BLOCK_NS, HOUR_NS, STEPS, FairBlock, Ints
from catalog.market_reports import (
    FUNDING_INTERVAL_NS,
    MINUTE_NS,
    PREMIUM_NS,
    SECOND_NS,
    SETTLED,
    VenueReports,
    funding_rate,
    predicted_rates,
    premium_index,
)

START = 500_000 * HOUR_NS + 40 * MINUTE_NS  # so 8 h 0 min into an interval is a whole number of blocks away
NO_TRADES = np.empty((0, 4), np.int64)


def flat(ticks: float = 100_000.0, basis: float = 0.0) -> FairBlock:
    return FairBlock(np.full(STEPS, ticks), np.full(STEPS, basis))


def reports(open_interest: float = 1000.0) -> VenueReports:
    return VenueReports(np.random.default_rng(0), open_interest)


def trades(*rows: tuple[int, int, int, int]) -> Ints:
    """Trades as time, ticks, steps and taker."""
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def test_premium_index() -> None:
    """Index 1000. Impact prices around it: none; both above: the bid's distance; both below: the ask's, negative."""
    index = np.full(3, 1000.0)
    bids, asks = np.array([999.0, 1001.0, 996.0]), np.array([1001.0, 1004.0, 998.0])
    assert premium_index(index, bids, asks).tolist() == [0.0, 0.001, -0.002]


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0.0, 0.0001), (0.0001, 0.0001), (0.0006, 0.0001), (0.0007, 0.0002), (-0.0004, 0.0001), (-0.0005, 0.0)],
)
def test_funding_rate(premium: float, rate: float) -> None:
    """P + clamp(I - P, +-0.05 %): the interest rate of 0.01 % until the premium is 0.05 % away from it."""
    assert funding_rate(premium) == pytest.approx(rate, abs=1e-18)


def test_later_samples_of_the_premium_weigh_more() -> None:
    """0.001, 0.002, 0.006 with weights 1, 2, 3: 0.001, 5/3, 23/6 thousandths; less 0.05 % each. Then it starts anew."""
    running = np.array([np.nan, 0.0, 0.0, 0.5])
    predicted, settled = np.empty(4), np.empty(4)
    predicted_rates(running, np.array([7, 7, 7, 8]), np.array([0.001, 0.002, 0.006, 0.001]), predicted, settled)
    assert predicted == pytest.approx([0.0005, 0.005 / 3 - 0.0005, 0.023 / 6 - 0.0005, 0.0005], abs=1e-15)
    assert settled == pytest.approx([0.5, 0.5, 0.5, 0.023 / 6 - 0.0005], abs=1e-15)
    assert running[SETTLED] == settled[-1]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-0.01, 0.01), min_size=1, max_size=30), st.integers(0, 30))
def test_funding_does_not_depend_on_blocks(premiums: list[float], cut: int) -> None:
    """Two calls give what one does, bit for bit."""
    values = np.array(premiums)
    intervals = np.arange(values.size) // 7
    whole, parts = np.empty((2, values.size)), np.empty((2, values.size))
    predicted_rates(np.array([np.nan, 0.0, 0.0, 0.0]), intervals, values, whole[0], whole[1])
    running = np.array([np.nan, 0.0, 0.0, 0.0])
    for part in (slice(0, cut), slice(cut, None)):
        predicted_rates(running, intervals[part], values[part], parts[0, part], parts[1, part])
    assert np.array_equal(whole, parts)


def test_funding_uses_the_impact_prices_it_is_given() -> None:
    """An index of 100 000 under an impact bid of 100 100 is a premium of 0.1 %: 0.05 % is due. Without them 0.01 %."""
    count = BLOCK_NS // PREMIUM_NS
    impact = np.tile([100_100.0, 100_120.0], (count, 1))
    rng = np.random.default_rng(0)
    with_impact = reports().block(rng, flat(), NO_TRADES, START, impact=impact)
    assert set(with_impact.funding_rates.tolist()) == {50_000}
    without = reports().block(rng, flat(), NO_TRADES, START)
    assert set(without.funding_rates.tolist()) == {10_000}


def test_next_funding_and_the_clock() -> None:
    """Marks every second, the rest every minute, at a phase of the market's own; settlements every eight hours."""
    out = reports().block(np.random.default_rng(0), flat(), NO_TRADES, START)
    assert set(np.diff(out.mark_times)) == {SECOND_NS}
    assert set(np.diff(out.minute_times)) == {MINUTE_NS}
    assert (out.mark_times.size, out.minute_times.size) == (BLOCK_NS // SECOND_NS, BLOCK_NS // MINUTE_NS)
    wait = out.next_funding - out.minute_times
    assert ((wait > 0) & (wait <= FUNDING_INTERVAL_NS)).all()
    assert not (out.next_funding % FUNDING_INTERVAL_NS).any()


def test_the_mark_is_the_median_of_three() -> None:
    """Index 100 000 and fair price 100 100: the mean basis gives 100 100, the settled rate of 0.01 % at most 100 010.

    A last trade outside of the two leaves the mark at the nearer one, a trade between them is the mark.
    """
    fair = flat(100_100.0, basis=float(np.log(1.001)))
    for price, low, high in ((100_500, 100_100, 100_100), (100_050, 100_050, 100_050), (99_000, 100_000, 100_010)):
        out = reports().block(np.random.default_rng(0), fair, trades((START, price, 1, 0)), START)
        assert low <= out.marks.min() <= out.marks.max() <= high
    without = reports().block(np.random.default_rng(0), fair, NO_TRADES, START)
    assert set(without.marks.tolist()) == {100_100}


def test_the_mark_averages_the_basis_over_thirty_seconds() -> None:
    """The perp jumps 300 ticks above the index; with a last trade above that, the mark follows by 10 a second."""
    ticks = np.full(STEPS, 100_300.0)
    ticks[: STEPS // 2] = 100_000.0
    fair = FairBlock(ticks, np.log(ticks / 100_000.0))
    report = reports()
    out = report.block(np.random.default_rng(0), fair, trades((START, 10**6, 1, 0)), START)
    jump = int(np.searchsorted(out.mark_times, START + BLOCK_NS // 2))
    # before that the settled rate is above the basis: the index with 0.01 % at most
    assert out.marks[jump - 1] <= 100_010
    assert out.marks[jump + 1 : jump + 30].tolist() == [100_000 + 10 * k for k in range(2, 31)]
    assert set(out.marks[jump + 30 :]) == {100_300}
    following = report.block(
        np.random.default_rng(0), flat(100_300.0, float(np.log(1.003))), NO_TRADES, START + BLOCK_NS
    )
    assert set(following.marks) == {100_300}


def test_open_interest_is_the_sum_of_what_trades_open() -> None:
    """1000 + 0.5 x 10 - 1 x 4 + 0.25 x 8 of a walk's second print = 1003; a sweep opens nothing."""
    first = trades(
        (START + 1, 100, 10, 0), (START + 2, 100, 4, 1), (START + 3, 100, 8, 2), (START + 4, 101, 99, SWEEPING_BUYER)
    )
    opening = np.array([0.5, -1.0, 0.25])
    out = reports().block(np.random.default_rng(0), flat(), first, START, opening=opening)
    assert set(out.open_interest.tolist()) == {1003}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2 * BLOCK_NS - 1), st.integers(1, 50), st.floats(-1.0, 1.0)), max_size=60))
def test_open_interest_never_moves_by_more_than_was_traded(rows: list[tuple[int, int, float]]) -> None:
    """Over two blocks each report is the rounded sum of opening x size up to it, and no step exceeds the volume."""
    rows = sorted(rows)
    offsets, sizes, opening = (np.array([row[i] for row in rows]) for i in range(3))
    report = reports(10_000.0)
    times, values = [], []
    for block in range(2):
        inside = (offsets // BLOCK_NS == block) if rows else np.zeros(0, bool)
        count = int(inside.sum())
        columns = (START + offsets[inside], np.full(count, 100), sizes[inside], np.arange(count))
        table = np.stack(columns, axis=1).astype(np.int64) if count else NO_TRADES
        shares = opening[inside].astype(np.float64) if count else np.empty(0)
        out = report.block(np.random.default_rng(0), flat(), table, START + block * BLOCK_NS, opening=shares)
        times += out.minute_times.tolist()
        values += out.open_interest.tolist()
    previous, seen = 10_000, 0
    for time, value in zip(times, values, strict=True):
        known = sum(START + offset <= time for offset, _, _ in rows)
        total = 10_000 + sum(size * share for _, size, share in rows[:known])
        assert abs(value - total) <= 0.5 + 1e-6
        assert abs(value - previous) <= sum(size for _, size, _ in rows[seen:known])
        previous, seen = value, known


def test_without_openings_a_random_share_of_the_volume_opens() -> None:
    """Between two reports the change is at most the volume between them, and it does change."""
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(START, START + BLOCK_NS, 5000))
    table = trades(*((int(t), 100, 7, 0) for t in times))
    out = reports(10**6).block(np.random.default_rng(0), flat(), table, START)
    volumes = 7 * np.diff(np.searchsorted(times, out.minute_times, side="right"), prepend=0)
    changes = np.diff(out.open_interest, prepend=10**6)
    assert (np.abs(changes) <= volumes).all()
    assert (changes != 0).any()


def test_open_interest_stays_positive() -> None:
    """Closing more than there is leaves one step."""
    table = trades((START, 100, 500, 0))
    out = reports(10.0).block(np.random.default_rng(0), flat(), table, START, opening=np.array([-1.0]))
    assert set(out.open_interest.tolist()) == {1}
