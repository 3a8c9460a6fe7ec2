import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.lead_lag import NOISE, LeadLag

MS = 1_000_000
START = 1_700_000_000_000_000_000

EVENTS = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 1), st.integers(95, 105).map(float)), min_size=40, max_size=120
)


def events(rows):
    steps, streams, prices = (np.array(column) for column in zip(*rows, strict=True))
    return START + np.cumsum(steps), streams, prices


def make(span=8):
    return LeadLag(step_ns=10, lags=3, span=span, stale_ns=60)


def random_pair(rng, lead_ms, per_second, seconds=500, shared=True):
    """Two streams of prices at random times; B is at each time where A was `lead_ms` before."""
    n = 1000 * seconds
    path_a = np.cumsum(rng.normal(scale=1e-5, size=n))
    path_b = path_a if shared else np.cumsum(rng.normal(scale=1e-5, size=n))
    times = [np.flatnonzero(rng.random(n) < rate / 1000) for rate in per_second]
    logs = path_a[times[0]], path_b[np.maximum(times[1] - lead_ms, 0)]
    ts, streams = np.concatenate(times), np.repeat([0, 1], [len(t) for t in times])
    order = np.argsort(ts, kind="stable")
    return START + MS * ts[order], streams[order], 50_000.0 * np.exp(np.concatenate(logs)[order])


def overlapping_products(ts, streams, prices, step_ns, lags, span):
    """Hayashi and Yoshida's sums by their definition, pair by pair, for streams that are never stale."""
    begin = max(np.flatnonzero(streams == 0)[0], np.flatnonzero(streams == 1)[0])
    begin = np.flatnonzero(ts == ts[begin])[-1]
    first = ts[begin] // step_ns
    last = ts[-1] // step_ns
    returns = []
    for s in (0, 1):
        known = [(-1, prices[: begin + 1][streams[: begin + 1] == s][-1])]
        for step in range(last - first):
            of_step = (streams == s) & (ts // step_ns - first == step) & (np.arange(len(ts)) > begin)
            if of_step.any():
                known.append((step, prices[of_step][-1]))
        returns.append([(p, i, math.log(y / x)) for (p, x), (i, y) in pairwise(known)])
    kept = 1 - 2 / (span + 1)
    newest = last - first - 1
    products = np.zeros((2, lags + 1))
    for leader in (0, 1):
        for p, i, ahead in returns[leader]:
            for q, j, behind in returns[1 - leader]:
                for k in range(lags + 1):
                    if p + k < j and q < i + k:
                        products[leader, k] += ahead * behind * kept ** (newest - max(i, j))
    squares = [sum(r * r * kept ** (newest - i) for _, i, r in returns[s]) for s in (0, 1)]
    weights = [sum(kept ** (newest - i) for _, i, _ in returns[s]) for s in (0, 1)]
    return products, squares, weights


def score_of(products, squares, weights, lags, span):
    sums = (products[:, 1:] ** 2).sum(axis=1) / (squares[0] * squares[1])
    shares = [w * 2 / (span + 1) for w in weights]
    noise = NOISE * 2 * lags / span * (1 / shares[0] + 1 / shares[1] - 1)
    return (sums[0] - sums[1]) / (sums[0] + sums[1] + noise)


def test_hand_worked():
    """Every step has both prices; A moves by r = log 2 in step 0 and B in step 1, so all of rho lies at +1.

    With span 3 the weights halve a step. After step 1: A's square is r^2 / 2, B's r^2, and the product of A's return
    with B's one step later is r^2, which is rho(1)^2 = 2. After a third step without a move that ratio is as before,
    and each stream has weights 1 + 1/2 + 1/4 of the 2 that all steps have: f = 7/8. The noise is 3 x 2 x 3 / 3 x
    (8/7 + 8/7 - 1) = 54/7, and the score 2 / (2 + 54/7) = 7/34.
    """
    pair = make(span=3)
    prices_a, prices_b = [1.0, 2.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]
    pair.update_a(1000, prices_a[0])
    pair.update_b(1000, prices_b[0])
    for k in range(3):
        pair.update_a(1001 + 10 * k, prices_a[k + 1])
        pair.update_b(1002 + 10 * k, prices_b[k + 1])
    assert math.isnan(pair.read(1029))
    assert not pair.initialized
    assert pair.read(1030) == pytest.approx(7 / 34, rel=1e-14)
    assert pair.initialized
    assert pair.lead_ns == 10
    shorter = make(span=2)
    shorter.update_many([1000, 1000, 1001, 1002, 1011, 1012], [0, 1] * 3, [1.0, 1.0, 2.0, 1.0, 2.0, 2.0], [])
    # span 2 weights a step 1/3 of the next: rho^2 = 3, f = (1 + 1/3) / 1.5 = 8/9, noise = 9 x (9/4 - 1) = 45/4
    assert shorter.read(1020) == pytest.approx(3 / (3 + 45 / 4), rel=1e-14)


@pytest.mark.parametrize("told", [[(0, 1.0)], [(0, 1.0), (0, 1.0), (1, 1.0)], [(0, 0.5), (1, 3.0), (1, 1.0), (0, 1.0)]])
def test_prices_of_the_first_instant_are_no_prices_of_a_step(told):
    """However often those with which the grid starts are told; of several of one stream the last is where it starts.

    B has no price in step 0, in which A moves by r = log 2, and follows in step 1. Span 2 weights a step 1/3 of the
    next: A's square is r^2 / 3 and B's r^2. B's return is over both steps, so it overlaps A's one step later: the
    product is r^2, rho(1)^2 = 3, and none the other way round. f is 4/3 / 1.5 = 8/9 for A and 1 / 1.5 = 2/3 for B, the
    noise 3 x 2 x 3 / 2 x (9/8 + 3/2 - 1) = 117/8, and the score 3 / (3 + 117/8) = 8/47.
    """
    pair = make(span=2)
    pair.update_b(990, 1.0)
    for stream, price in told:
        (pair.update_b if stream else pair.update_a)(1000, price)
    pair.update_a(1001, 2.0)
    pair.update_a(1011, 2.0)
    pair.update_b(1012, 2.0)
    assert pair.read(1020) == pytest.approx(8 / 47, rel=1e-14)


@pytest.mark.parametrize(("lead_ms", "sign"), [(250, 1), (-250, -1), (600, 1)])
def test_a_known_lead_is_found(lead_ms, sign):
    """A path that the other follows after a fixed time scores near one with the right sign, and the time is found."""
    rng = np.random.default_rng(7)
    pair = LeadLag()
    ts, streams, prices = random_pair(rng, abs(lead_ms), (20, 20))
    if lead_ms < 0:
        streams = 1 - streams
    scores = pair.update_many(ts, streams, prices, np.arange(START + 350_000 * MS, ts[-1], 10_000 * MS))
    assert (sign * scores > 0.9).all()
    assert abs(pair.lead_ns - lead_ms * MS) <= 100 * MS


def test_independent_streams_do_not_lead():
    """Over ten pairs of independent paths the score stays near zero and has no bias."""
    rng = np.random.default_rng(8)
    scores = []
    for _ in range(10):
        ts, streams, prices = random_pair(rng, 0, (20, 20), seconds=400, shared=False)
        scores.append(LeadLag().update_many(ts, streams, prices, [int(ts[-1])])[0])
    assert np.abs(scores).max() < 0.3
    assert abs(np.mean(scores)) < 0.1


def test_a_stream_that_prints_rarely_does_not_lag_for_it():
    """One path seen 20 times and 2 times a second has no leader: sampled at the last price it would score 0.7."""
    rng = np.random.default_rng(9)
    ts, streams, prices = random_pair(rng, 0, (20, 2))
    scores = LeadLag().update_many(ts, streams, prices, np.arange(START + 350_000 * MS, ts[-1], 10_000 * MS))
    assert np.abs(scores).max() < 0.25


def test_a_silence_stands_still_and_what_was_learnt_stays():
    """Stale is NaN at once, and after it the return across the silence counts for nothing."""
    pair = make(span=3)
    for k in range(6):
        pair.update_a(1000 + 10 * k, 100.0 + k % 3)
        pair.update_b(1001 + 10 * k, 100.0 + (k - 1) % 3)
    before = pair.read(1060)
    # six whole steps without a price are allowed, a seventh is not
    score = pair.read(1129)
    # rarer prices, more noise
    assert 0 < score < before
    assert math.isnan(pair.read(1130))
    assert math.isnan(pair.lead_ns)
    pair.update_a(5000, 500.0)
    assert math.isnan(pair.read(5010))
    pair.update_b(5011, 50.0)
    assert pair.read(5011) == score
    # one stream alone can be stale, though the other goes on
    for k in range(7):
        pair.update_a(5012 + 10 * k, 500.0)
    assert not math.isnan(pair.read(5079))
    assert math.isnan(pair.read(5080))


def test_a_late_price_makes_no_stream_older():
    """A price from the past counts in the step being filled, and silence is measured from the latest time."""
    on_time, late = make(span=2), make(span=2)
    for pair, ts in ((on_time, 1000), (late, 900)):
        pair.update_a(1000, 1.0)
        pair.update_a(ts, 2.0)
        # 55 ns after A's latest time, of the 60 that a stream may be silent
        pair.update_b(1055, 1.0)
        for k in range(3):
            pair.update_a(1061 + 10 * k, 3.0 + k % 2)
            pair.update_b(1062 + 10 * k, 2.0 + k % 2)
    assert not math.isnan(on_time.read(1090))
    assert late.read(1090) == on_time.read(1090)


def test_a_stream_that_never_moved_has_no_correlation():
    """Without any move of one stream there is nothing to correlate: NaN."""
    pair = make(span=2)
    for k in range(6):
        pair.update_a(1000 + 10 * k, 100.0 + k)
        pair.update_b(1000 + 10 * k, 100.0)
    assert pair.initialized
    assert math.isnan(pair.read(1060))


def test_parameters_are_refused():
    """What can not be a grid is named, as is a stream that does not exist."""
    for parameters, name in (({"step_ns": 0}, "step_ns"), ({"lags": 0}, "lags"), ({"span": 1}, "span")):
        with pytest.raises(ValueError, match=name):
            LeadLag(**parameters)
    with pytest.raises(ValueError, match="stale_ns is 99, less than a step of 100"):
        LeadLag(step_ns=100, stale_ns=99)
    with pytest.raises(ValueError, match="stream is 2: give 0 for A or 1 for B"):
        LeadLag().update_many([1], [2], [1.0], [])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(95, 105).map(float)), min_size=20, max_size=60
    )
)
def test_equals_the_definition(rows):
    """The score is that of the sums over every pair of overlapping intervals."""
    ts, streams, prices = events([*rows, (0, 0, 100.0), (0, 1, 100.0), (10, 0, 99.0)])
    if len(set(streams[:5])) < 2:
        streams[:2] = 0, 1
    pair = LeadLag(step_ns=10, lags=3, span=4, stale_ns=100_000)
    score = pair.update_many(ts, streams, prices, [int(ts[-1])])[0]
    if math.isnan(score):
        assert not pair.initialized or len(set(prices[streams == 0])) == 1 or len(set(prices[streams == 1])) == 1
        return
    products, squares, weights = overlapping_products(ts, streams, prices, 10, 3, 4)
    assert score == pytest.approx(score_of(products, squares, weights, 3, 4), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.lists(st.integers(0, 1500), max_size=15).map(sorted), st.integers(-20, 20))
def test_drivers_swap_scale_and_reading(rows, reads, power):
    """One by one equals bulk, exchanged streams negate to the bit, and neither prices' units nor other reads matter."""
    ts, streams, prices = events(rows)
    at = START + np.array(reads, dtype=np.int64)
    single = make()
    expected, waiting = [], list(zip(ts.tolist(), streams.tolist(), prices.tolist(), strict=True))
    for read in at.tolist():
        while waiting and waiting[0][0] <= read:
            t, stream, price = waiting.pop(0)
            (single.update_b if stream else single.update_a)(t, price)
        expected.append(single.read(read))
    bulk, swapped = make(), make()
    out = bulk.update_many(ts, streams, prices, at)
    assert out.tobytes() == np.array(expected).tobytes()
    assert np.array_equal(swapped.update_many(ts, 1 - streams, prices, at), -out, equal_nan=True)
    assert np.array_equal(swapped.lead_ns, -bulk.lead_ns, equal_nan=True)
    scaled = np.where(streams == 1, prices * 2.0**power, prices)
    assert make().update_many(ts, streams, scaled, at).tobytes() == out.tobytes()
    assert (np.isnan(out) | (np.abs(out) <= 1.0)).all()
    # each read alone, of what had come by then
    for k, read in enumerate(at):
        known = ts <= read
        alone = make().update_many(ts[known], streams[known], prices[known], [int(read)])
        assert alone.tobytes() == out[k : k + 1].tobytes()
