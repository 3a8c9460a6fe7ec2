import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indicators.kernel import new_states
from indicators.liquidity_clusters import (
    Cluster,
    LiquidityClusters,
    configure_liquidity_clusters,
    find_clusters,
    liquidity_clusters_dtype,
    load_levels,
)

NAN = math.nan


def dbscan(prices, sizes, eps, min_weight):
    """The definition of DBSCAN, growing each cluster from its first core point in the order of the points."""
    near = np.abs(prices[:, np.newaxis] - prices) <= eps
    core = [math.fsum(sizes[row]) >= min_weight for row in near]
    labels, found = np.full(len(prices), -1), 0
    for k in range(len(prices)):
        if not core[k] or labels[k] >= 0:
            continue
        waiting = [k]
        while waiting:
            n = waiting.pop()
            if labels[n] >= 0:
                continue
            labels[n] = found
            if core[n]:
                waiting.extend(np.flatnonzero(near[n]))
        found += 1
    return labels


def find(prices, sizes, eps, min_weight, side=1):
    """Labels of one side by the kernels, and the state."""
    state = new_states(liquidity_clusters_dtype(64))[0]
    configure_liquidity_clusters(state, 1.0, 3.0, 100.0)
    prices, sizes = np.asarray(prices, dtype=np.int64), np.asarray(sizes, dtype=float)
    load_levels(state, prices, sizes, len(prices))
    find_clusters(state, side, prices, sizes, len(prices), eps, min_weight)
    return state["label"][side, : len(prices)].tolist(), state


def test_hand_worked_labels():
    """eps 2, min_weight 5: core are 102 (1 + 1 + 2 + 1 within 2 of it) and 110 alone; the first has a border of three.

    Within 2 of 100 and of 101 lie 1 + 1 + 2 = 4, of 104 lie 2 + 1 = 3, of 107 lies 4.
    """
    prices, sizes = [100, 101, 102, 104, 107, 110], [1.0, 1.0, 2.0, 1.0, 4.0, 5.0]
    labels, state = find(prices, sizes, 2, 5.0)
    assert labels == [0, 0, 0, 0, -1, 1]
    assert state["clusters"][1] == 2
    assert state["near"][1, :2].tolist() == [100, 110]
    assert state["far"][1, :2].tolist() == [104, 110]
    assert state["weight"][1, :2].tolist() == [5.0, 5.0]
    assert state["centre_offset"][1, :2].tolist() == [(1 * 0 + 1 * 1 + 2 * 2 + 1 * 4) / 5, 0.0]


def test_exactly_eps_is_within_and_exactly_min_weight_is_core():
    """Two levels of 2 exactly eps apart make 4; with a unit less of eps or more of min_weight there is nothing."""
    assert find([100, 103], [2.0, 2.0], 3, 4.0)[0] == [0, 0]
    assert find([100, 103], [2.0, 2.0], 2, 4.0)[0] == [-1, -1]
    assert find([100, 103], [2.0, 2.0], 3, np.nextafter(4.0, 5.0))[0] == [-1, -1]
    assert find([100], [4.0], 0, 4.0)[0] == [0]
    assert find([], [], 3, 4.0)[0] == []


def test_a_border_level_of_two_clusters_joins_the_nearer_to_the_best_price():
    """eps 2, min_weight 7: core are 100 and 104, 7 each, too far apart for one cluster; 102, of 5, borders on both."""
    prices, sizes = [98, 100, 102, 104, 106], [4.0, 2.0, 1.0, 2.0, 4.0]
    assert find(prices, sizes, 2, 7.0)[0] == [0, 0, 0, 1, 1]
    assert find(prices, sizes, 2, 5.0)[0] == [0, 0, 0, 0, 0]  # 102 is core too and joins them
    bids = [200 - price for price in prices]
    assert find(bids, sizes, 2, 7.0, side=0)[0] == [0, 0, 0, 1, 1]


def test_a_huge_level_does_not_blur_the_small_ones_behind_it():
    """2^60 and 1 make 2^60 in doubles; three levels of 1 behind it still weigh exactly 3."""
    prices, sizes = [100, 200, 201, 202], [2.0**60, 1.0, 1.0, 1.0]
    labels, state = find(prices, sizes, 2, 3.0)
    assert labels == [0, 1, 1, 1]
    assert state["weight"][1, 1] == 3.0
    assert find(prices, sizes, 2, 3.5)[0] == [0, -1, -1, -1]


def hand_worked_book():
    """10 asks 1 bp apart from 100 010 on, mid 100 000; one bid."""
    asks = 100_010 + 10 * np.arange(10)
    return [99_990], [4.0], asks, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 6.0, 1.0, 1.0]


def test_hand_worked_magnets():
    """eps is 10 units; 1 + 2 x 10 x 9 / 90 = 3 levels of the mean 19 / 10 are expected, twice that is 11.4.

    100 070 and 100 080 have 12 within eps; 100 060 and 100 090 border on them: 1 + 5 + 6 + 1 = 13 of 19. The edge is
    60 units or 6 bps away, the centre (10 x 5 + 20 x 6 + 30 x 1) / 13 = 200 / 13 units further.
    """
    clusters = LiquidityClusters(levels=64, eps_bps=1.0, multiple=2.0, reach_bps=50.0)
    assert not clusters.initialized
    assert np.isnan(clusters.nearest).all()
    value = clusters.update(*hand_worked_book())
    assert clusters.initialized
    np.testing.assert_allclose(clusters.min_weight, [8.0, 11.4], rtol=1e-15)
    np.testing.assert_array_equal(value, [NAN, 6.0])
    assert clusters.labels(1).tolist() == [-1, -1, -1, -1, -1, 0, 0, 0, 0, -1]
    assert clusters.labels(0).tolist() == [-1]  # one level can not outweigh itself twice
    expected = [[NAN, NAN, NAN], [6.0, 6.0 + 20.0 / 13.0, 13.0 / 19.0]]
    np.testing.assert_allclose(clusters.nearest, expected, rtol=1e-15)
    np.testing.assert_array_equal(clusters.strongest, clusters.nearest)
    assert clusters.clusters(0) == []
    assert clusters.clusters(1) == [Cluster(100_060, 100_090, 100_060 + 200.0 / 13.0, 13.0, 13.0 / 19.0)]


def test_nearest_and_strongest():
    """Of three walls the first is the nearest; of the two strongest, which are equal, the nearer is the strongest."""
    clusters = LiquidityClusters(levels=64, eps_bps=1.0, multiple=2.0)
    sizes = np.ones(40)
    sizes[[5, 6]], sizes[[15, 16]], sizes[[25, 26]] = 9.0, 14.0, 14.0
    clusters.update(100_000 - 10 - 10 * np.arange(40), sizes, [100_010], [1.0])
    assert clusters.min_weight[0] == pytest.approx(2.0 * 108.0 / 40.0 * 3.0)  # 16.2: the first wall has 19 within eps
    low, middle, high = clusters.clusters(0)
    assert [(c.low, c.high, c.total) for c in (low, middle, high)] == [
        (99_920, 99_950, 20.0),  # a level on either side borders
        (99_820, 99_850, 30.0),
        (99_720, 99_750, 30.0),
    ]
    assert clusters.nearest[0].tolist() == pytest.approx([5.0, 6.5, 20.0 / 108.0])
    assert clusters.strongest[0].tolist() == pytest.approx([15.0, 16.5, 30.0 / 108.0])
    assert clusters.value[0] == clusters.strongest[0, 0]


def test_even_sides_have_no_clusters():
    """Equal levels at equal distances stand out nowhere, however many there are and whatever eps is."""
    for eps_bps in (0.0, 0.7, 3.0, 100.0):
        clusters = LiquidityClusters(levels=64, eps_bps=eps_bps, multiple=1.5)
        offsets = 5 + 10 * np.arange(60)
        clusters.update(100_000 - offsets, np.full(60, 7.0), 100_000 + offsets, np.full(60, 3.0))
        assert clusters.clusters(0) == clusters.clusters(1) == []
        assert not np.isnan(clusters.min_weight).any()


def test_reach_and_room():
    """Levels beyond the reach, or beyond the room of the state, do not count; the level at the reach does."""
    bid, ask = ([99_990], [1.0]), ([100_010, 100_020, 100_100, 100_101], [1.0, 2.0, 4.0, 8.0])
    near = LiquidityClusters(levels=64, reach_bps=10.0)
    near.update(*bid, *ask)
    assert len(near.labels(1)) == 3
    assert near.states["total"][0, 1] == 7.0
    small = LiquidityClusters(levels=2)
    small.update(*bid, *ask)
    assert len(small.labels(1)) == 2
    assert small.states["total"][0, 1] == 3.0
    nothing = LiquidityClusters(levels=64, reach_bps=0.5)
    nothing.update(*bid, *ask)
    assert not nothing.initialized
    assert np.isnan(nothing.states["total"][0]).all()


@pytest.mark.parametrize(("bids", "asks"), [([], [100]), ([100], []), ([100], [100]), ([101], [100]), ([0], [1])])
def test_a_book_without_a_mid_has_no_clusters(bids, asks):
    """An empty side and a crossed or locked book forget what was found before."""
    clusters = LiquidityClusters(levels=64, multiple=2.0)
    clusters.update(*hand_worked_book())
    assert clusters.clusters(1)
    bids, asks = np.array(bids, dtype=int), np.array(asks, dtype=int)
    assert np.isnan(clusters.update(bids, np.ones(len(bids)), asks, np.ones(len(asks)))).all()
    assert np.isnan(clusters.nearest).all()
    assert not clusters.initialized
    assert clusters.clusters(1) == []
    assert clusters.labels(1).tolist() == []


def test_sides_without_size_have_no_clusters():
    """Levels of size 0 are no cluster."""
    clusters = LiquidityClusters(levels=64, multiple=0.5)
    clusters.update([99], [0.0], [101, 102], [0.0, 0.0])
    assert clusters.clusters(0) == clusters.clusters(1) == []
    assert not clusters.initialized


WEIGHT = st.integers(0, 24).map(lambda n: n / 8)
LEVELS = st.lists(st.tuples(st.integers(1, 6), WEIGHT), min_size=1, max_size=60)


def as_side(levels, best, direction):
    gaps, sizes = zip(*levels, strict=True)
    return best + direction * (np.cumsum(gaps) - gaps[0]), np.array(sizes)


@settings(deadline=None, max_examples=60)
@given(LEVELS, st.integers(0, 8), st.integers(1, 60).map(lambda n: n / 8), st.sampled_from([0, 1]))
def test_against_the_definition(levels, eps, min_weight, side):
    """Any side has the clusters of the definition, level by level, and each cluster's sums are those of its levels."""
    prices, sizes = as_side(levels, 1000, 1 if side else -1)
    labels, state = find(prices, sizes, eps, min_weight, side)
    expected = dbscan(prices, sizes, eps, min_weight)
    assert labels == expected.tolist()
    assert state["clusters"][side] == expected.max(initial=-1) + 1
    for k in range(state["clusters"][side]):
        of = expected == k
        assert state["weight"][side, k] == sizes[of].sum()
        assert (state["near"][side, k], state["far"][side, k]) == (prices[of][0], prices[of][-1])
        centre = np.average(prices[of], weights=sizes[of])
        assert state["centre_offset"][side, k] == pytest.approx(abs(centre - prices[of][0]), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(LEVELS, st.integers(1, 8), st.integers(1, 60))
def test_against_scikit_learn(levels, eps, eighths):
    """Any side has the labels of sklearn.cluster.DBSCAN with sample weights, border levels included."""
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is the oracle")
    prices, sizes = as_side(levels, 1000, 1)
    assume(sizes.any())  # it refuses weights that are all zero
    model = cluster.DBSCAN(eps=eps, min_samples=eighths)  # whole numbers only
    expected = model.fit(prices[:, np.newaxis].astype(float), sample_weight=sizes * 8).labels_
    assert find(prices, sizes, eps, eighths / 8)[0] == expected.tolist()


BOOK = st.tuples(LEVELS, LEVELS, st.integers(1, 30))
ARGUMENTS = {"levels": 64, "eps_bps": 3.0, "multiple": 1.3, "reach_bps": 150.0}


@settings(deadline=None, max_examples=60)
@given(BOOK, st.integers(-30, 30))
def test_mirrored_and_scaled(book, power):
    """Mirrored prices with swapped sides give mirrored outputs, sizes times 2^k the same ones but for the sizes."""
    bids, asks, spread = book
    bid, ask = as_side(bids, 10_000, -1), as_side(asks, 10_000 + spread, 1)
    plain, mirrored, scaled = (LiquidityClusters(**ARGUMENTS) for _ in range(3))
    total = 20_000 + spread
    plain.update(*bid, *ask)
    mirrored.update(total - ask[0], ask[1], total - bid[0], bid[1])
    scaled.update(bid[0], bid[1] * 2.0**power, ask[0], ask[1] * 2.0**power)
    for which in ("nearest", "strongest", "min_weight"):
        assert getattr(plain, which).tobytes() == getattr(mirrored, which)[::-1].tobytes()
    for which in ("nearest", "strongest"):
        assert getattr(plain, which).tobytes() == getattr(scaled, which).tobytes()
    np.testing.assert_array_equal(scaled.min_weight, plain.min_weight * 2.0**power)
    for side in range(2):
        assert plain.labels(side).tolist() == mirrored.labels(1 - side).tolist() == scaled.labels(side).tolist()
        pairs = zip(plain.clusters(side), mirrored.clusters(1 - side), strict=True)
        for one, other in pairs:
            assert (one.low, one.high, one.total, one.share) == (
                total - other.high,
                total - other.low,
                other.total,
                other.share,
            )
            assert one.centre == pytest.approx(total - other.centre, rel=1e-14)


@settings(deadline=None, max_examples=60)
@given(BOOK, st.floats(0.0, 20.0), st.floats(0.1, 5.0))
def test_outputs_against_the_definition(book, eps_bps, multiple):
    """min_weight, labels, distances and shares are what the module's text says, worked out with numpy."""
    bids, asks, spread = book
    clusters = LiquidityClusters(levels=64, eps_bps=eps_bps, multiple=multiple, reach_bps=math.inf)
    sides = as_side(bids, 10_000, -1), as_side(asks, 10_000 + spread, 1)
    clusters.update(*sides[0], *sides[1])
    mid = 10_000 + spread / 2
    for k, (prices, sizes) in enumerate(sides):
        n, span, total = len(prices), abs(prices[-1] - prices[0]), sizes.sum()
        if total == 0.0:
            assert math.isnan(clusters.min_weight[k])
            continue
        eps = math.floor(2.0 * mid * eps_bps / 2e4)
        expected = min(n, 1 + 2 * eps * (n - 1) / span) if n > 1 else 1
        assert clusters.min_weight[k] == pytest.approx(multiple * total / n * expected, rel=1e-12)
        assert clusters.labels(k).tolist() == dbscan(prices, sizes, eps, clusters.min_weight[k]).tolist()
        found = clusters.clusters(k)
        if not found:
            assert np.isnan([clusters.nearest[k], clusters.strongest[k]]).all()
            continue
        for chosen, output in (
            (found[0], clusters.nearest[k]),
            (max(found, key=lambda c: c.total), clusters.strongest[k]),
        ):
            edge = chosen.high if k == 0 else chosen.low
            wanted = [abs(edge - mid) / mid * 1e4, abs(chosen.centre - mid) / mid * 1e4, chosen.total / total]
            np.testing.assert_allclose(output, wanted, rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(BOOK, min_size=1, max_size=6))
def test_per_event_equals_bulk(books):
    """Books one by one and in bulk give the same bits, whatever came before."""
    prices, sizes = np.zeros((2, len(books), 60), dtype=int), np.zeros((2, len(books), 60))
    counts, expected = np.zeros((2, len(books)), dtype=int), []
    for n, (bids, asks, spread) in enumerate(books):
        book = [as_side(bids, 10_000, -1), as_side(asks, 10_000 + spread, 1)]
        for k, (price, size) in enumerate(book):
            counts[k, n] = len(price)
            prices[k, n, : len(price)], sizes[k, n, : len(price)] = price, size
        single = LiquidityClusters(**ARGUMENTS)
        single.update(*book[0], *book[1])
        expected.append(np.concatenate([single.nearest, single.strongest], axis=1))
    many = LiquidityClusters(**ARGUMENTS)
    bulk = many.update_many(prices[0], sizes[0], counts[0], prices[1], sizes[1], counts[1])
    assert bulk.tobytes() == np.array(expected).tobytes()
    assert many.value.tobytes() == single.value.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": 0}, "levels is 0"),
        ({"eps_bps": -1.0}, "eps_bps is -1.0"),
        ({"eps_bps": math.inf}, "eps_bps is inf"),
        ({"multiple": 0.0}, "multiple is 0.0"),
        ({"reach_bps": 0.0}, "reach_bps is 0.0"),
        ({"reach_bps": NAN}, "reach_bps is nan"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(change, message):
    """Each parameter is checked by name, as is the side of a question."""
    with pytest.raises(ValueError, match=message):
        LiquidityClusters(**change)
    with pytest.raises(ValueError, match="side is 2"):
        LiquidityClusters().clusters(2)
