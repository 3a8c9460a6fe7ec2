import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from indicators.book_heatmap import BookHeatmap
from indicators.kernel_density import KernelDensity, kernel_density_dtype

SECOND = 1_000_000_000
NAN = math.nan


def direct_sum(grid, distances, weights, bandwidth):
    """The definition."""
    z = (grid[:, np.newaxis] - np.asarray(distances)) / bandwidth
    kernels = np.exp(-0.5 * z * z) / (bandwidth * math.sqrt(2.0 * math.pi))
    return kernels @ np.asarray(weights) / np.sum(weights)


def test_one_level_by_hand():
    """A level at 10 bps: 1 / (2 sqrt(2 pi)) = 0.19947 there, exp(-1/2) of it 2 bps on, and 10 times it uniformly."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    assert not density.initialized
    assert density.update([10.0], [7.0]) == pytest.approx(10.0, rel=1e-12)
    assert density.initialized
    assert density.density[0, 10] == pytest.approx(0.199471140200716, rel=1e-12)
    assert density.density[0, 12] == pytest.approx(0.199471140200716 * math.exp(-0.5), rel=1e-12)
    np.testing.assert_array_equal(density.grid[0], np.arange(64))
    (peak,) = density.peaks(0)
    # in view are the 10 bps to the farthest level: the uniform level is 1/10
    assert peak.ratio == pytest.approx(1.99471140200716, rel=1e-12)
    assert np.isnan(density.density[1]).all()
    assert density.peaks(1) == []
    assert np.isnan(density.value[1])


@pytest.mark.parametrize("distance", [1.2, 10.5, 17.49, 61.9])
def test_a_peak_lies_between_the_points_of_the_grid(distance):
    """A lone level's maximum is found at the level, not at the nearest point of the grid."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    assert density.update([distance], [3.0], side=1) == pytest.approx(distance, rel=1e-10)
    in_view = max(distance, 2.0)  # never less than a bandwidth
    assert density.peaks(1)[0].ratio == pytest.approx(in_view / (2.0 * math.sqrt(2.0 * math.pi)), rel=1e-10)


def test_two_walls_are_two_magnets_if_further_apart_than_two_bandwidths():
    """Equal Gaussians have two maxima beyond 2 h, else one in the middle; the stronger of unequal ones is told."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    density.update([20.0, 23.0], [1.0, 1.0])
    assert [peak.distance_bps for peak in density.peaks(0)] == pytest.approx([21.5])
    density.update([20.0, 40.0], [1.0, 2.0])
    near, far = density.peaks(0)
    assert [near.distance_bps, far.distance_bps] == pytest.approx([20.0, 40.0])
    assert far.ratio == pytest.approx(2.0 * near.ratio)
    state = density.states[0]
    assert (state["nearest_bps"][0], state["nearest_ratio"][0]) == near
    assert (state["strongest_bps"][0], state["strongest_ratio"][0]) == far
    assert density.value[0] == far.distance_bps


def test_even_liquidity_has_no_magnet():
    """A level every half bp from the mid to 160 bps: 12 bps on the density is the uniform 1/160, but for 1e-6 of it."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    density.update(np.arange(0.25, 160.0, 0.5), np.ones(320))
    np.testing.assert_allclose(density.density[0, 12:], 1.0 / 160.0, rtol=1e-6)
    # within the grid's 63 bps lie 126 of the levels: their uniform level is 126 / 320 / 63 = 1 / 160 as well
    assert all(peak.ratio == pytest.approx(1.0, rel=1e-6) for peak in density.peaks(0))


def test_a_rise_to_either_end_is_no_maximum():
    """Size at the mid or past the grid's end has no maximum within the grid."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    for distance in (0.0, 70.0):
        assert math.isnan(density.update([distance], [1.0]))
        assert density.peaks(0) == []


def test_no_size_is_no_density():
    """A side without levels, or with sizes of zero, is NaN; its earlier maxima are gone."""
    density = KernelDensity(spacing_bps=1.0, bandwidth_bps=2.0)
    for distances, weights in (([], []), ([5.0], [0.0])):
        density.update([10.0, 30.0], [1.0, 1.0])
        assert len(density.peaks(0)) == 2
        assert math.isnan(density.update(distances, weights))
        assert np.isnan(density.density[0]).all()
        assert density.peaks(0) == []
        assert np.isnan(density.states["peak_bps"][0]).all()


POINTS = st.lists(
    st.tuples(st.floats(-5.0, 90.0), st.one_of(st.just(0.0), st.floats(1e-6, 1e6))), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=60)
@given(POINTS, st.sampled_from([(1.0, 2.0, 64), (1.0, 1.28, 64), (0.5, 0.5, 16), (0.5, 8.0, 64), (3.0, 3.0, 48)]))
def test_against_the_sum(points, shape):
    """The density equals the sum of its definition to 12 digits, at every point of the grid."""
    spacing, bandwidth, count = shape
    distances, weights = np.array(points).T
    density = KernelDensity(spacing, bandwidth, count)
    density.update(distances, weights)
    if weights.sum() == 0.0:
        assert np.isnan(density.density[0]).all()
        return
    expected = direct_sum(spacing * np.arange(count), distances, weights, bandwidth)
    # what lies beyond 37 bandwidths from the middle of the grid is below 1e-31 of a kernel's height
    np.testing.assert_allclose(density.density[0], expected, rtol=1e-12, atol=1e-31)


@settings(deadline=None, max_examples=30)
@given(POINTS)
def test_against_scikit_learn(points):
    """The density is that of sklearn.neighbors.KernelDensity with sample weights."""
    neighbors = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is the oracle")
    distances, weights = np.array([(d, w) for d, w in points if w > 0.0] or [(1.0, 1.0)]).T
    density = KernelDensity(1.0, 2.0)
    density.update(distances, weights)
    model = neighbors.KernelDensity(bandwidth=2.0).fit(distances[:, np.newaxis], sample_weight=weights)
    expected = np.exp(model.score_samples(np.arange(64.0)[:, np.newaxis]))
    np.testing.assert_allclose(density.density[0], expected, rtol=1e-11, atol=1e-31)


@settings(deadline=None, max_examples=60)
@given(POINTS, st.floats(2.0, 6.0))
def test_maxima_against_scipy(points, bandwidth):
    """As many maxima as find_peaks tells, each within a step of it and at least as high; the strongest is told."""
    distances, weights = np.array(points).T
    density = KernelDensity(1.0, bandwidth)
    density.update(distances, weights)
    column = density.density[0]
    expected = find_peaks(column)[0] if weights.sum() else np.array([], dtype=int)
    peaks = density.peaks(0)
    near = weights[distances <= 63.0].sum()
    if near == 0.0:
        assert peaks == []
        return
    assert len(peaks) == len(expected)
    in_view = min(63.0, max(bandwidth, distances.max()))
    for peak, k in zip(peaks, expected, strict=True):
        assert abs(peak.distance_bps - k) <= 0.5 + 1e-6
        assert peak.ratio >= column[k] / (near / weights.sum() / in_view) * (1.0 - 1e-12)
    if peaks:
        strongest = max(peaks, key=lambda peak: peak.ratio)
        assert density.value[0] == strongest.distance_bps


LEVELS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0.5, 1.0, 3.0, 20.0])), min_size=1, max_size=40)


def side(levels, best, direction):
    gaps, sizes = zip(*levels, strict=True)
    return best + direction * (np.cumsum(gaps) - gaps[0]), np.array(sizes)


@settings(deadline=None, max_examples=60)
@given(LEVELS, LEVELS, st.integers(1, 30), st.integers(-30, 30))
def test_levels_mirrored_and_scaled(bids, asks, spread, power):
    """A book is the points of its sides; mirrored it gives mirrored bits, and sizes times 2^k the same ones."""
    bid, ask = side(bids, 100_000, -1), side(asks, 100_000 + spread, 1)
    plain, mirrored, scaled, points = (KernelDensity(1.0, 2.0) for _ in range(4))
    twice_mid = 200_000 + spread
    plain.update_levels(*bid, *ask)
    mirrored.update_levels(twice_mid - ask[0], ask[1], twice_mid - bid[0], bid[1])
    scaled.update_levels(bid[0], bid[1] * 2.0**power, ask[0], ask[1] * 2.0**power)
    for k, (prices, sizes) in enumerate((bid, ask)):
        points.update(np.abs(2 * prices - twice_mid) * 1e4 / twice_mid, sizes, side=k)
        assert plain.peaks(k) == mirrored.peaks(1 - k) == scaled.peaks(k) == points.peaks(k)
    assert plain.density.tobytes() == scaled.density.tobytes() == points.density.tobytes()
    assert plain.density.tobytes() == mirrored.density[::-1].tobytes()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(LEVELS, LEVELS, st.integers(-3, 30)), min_size=1, max_size=6))
def test_per_event_equals_bulk(books):
    """Books one by one and in bulk give the same bits, whatever came before; a crossed book is NaN."""
    prices, sizes = np.zeros((2, len(books), 50), dtype=int), np.zeros((2, len(books), 50))
    counts, expected = np.zeros((2, len(books)), dtype=int), []
    for n, (bids, asks, spread) in enumerate(books):
        book = [side(bids, 100_000, -1), side(asks, 100_000 + spread, 1)]
        for k, (price, size) in enumerate(book):
            counts[k, n] = len(price)
            prices[k, n, : len(price)], sizes[k, n, : len(price)] = price, size
        single = KernelDensity(1.0, 2.0)
        single.update_levels(*book[0], *book[1])
        state = single.states[0]
        names = ("nearest_bps", "nearest_ratio", "strongest_bps", "strongest_ratio")
        expected.append(np.stack([state[name] for name in names], axis=1))
        assert (spread > 0) == single.initialized
    bulk = KernelDensity(1.0, 2.0).update_many(prices[0], sizes[0], counts[0], prices[1], sizes[1], counts[1])
    assert bulk.tobytes() == np.array(expected).tobytes()


def warm():
    return BookHeatmap(width_bps=1.0, buckets=145, half_life_seconds=10.0, slack=8)


def test_heat_by_hand():
    """One hot bucket: the maximum lies in its middle, in log price from the mid."""
    heatmap, density = warm(), KernelDensity(1.0, 2.0)
    assert np.isnan(density.update_heat(heatmap)).all()
    # the range is about 72 bps each way; all of it is known, and but for two buckets it is empty
    heatmap.update(0, [999_990, 998_000, 980_000], [0.0, 5.0, 1.0], [1_000_010, 1_003_000, 1_020_000], [0.0, 2.0, 1.0])
    magnets = density.update_heat(heatmap)
    for k, price in enumerate((998_000, 1_003_000)):
        middle = (math.floor(math.log(price) / 1e-4) + 0.5) * 1e-4
        assert magnets[k] == pytest.approx(abs(middle - math.log(1_000_000)) * 1e4, rel=1e-9)
        assert density.peaks(k)[0].ratio == pytest.approx(0.199471140200716 * (density.grid[k, -1]), rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(LEVELS, LEVELS, st.integers(1, 900), st.integers(995_000, 1_005_000), st.sampled_from([2.0, 3.7]))
def test_heat_against_the_sum(bids, asks, spread, best, bandwidth):
    """The density of heat is the sum over the buckets from the mid's outwards, with the unknown ones left out."""
    heatmap, density = warm(), KernelDensity(1.0, bandwidth)
    bid, ask = (
        side([(gap * 9, size) for gap, size in bids], best, -1),
        side([(gap * 9, size) for gap, size in asks], best + spread, 1),
    )
    heatmap.update(0, [1_000_000, 999_000], [5.0, 5.0], [1_000_001, 1_001_000], [5.0, 5.0])
    heatmap.update(3 * SECOND, *bid, *ask)
    density.update_heat(heatmap)
    log_mid = math.log((bid[0][0] + ask[0][0]) / 2)
    numbers = np.arange(145) + int(heatmap.states["first"][0])
    own = math.floor(log_mid / 1e-4)
    for k, outwards in enumerate((-1, 1)):
        heat = heatmap.value[k]
        distances = outwards * ((numbers + 0.5) * 1e-4 - log_mid) * 1e4
        counted = ~np.isnan(heat) & (outwards * (numbers - own) >= 0)
        if not heat[counted].sum():
            assert np.isnan(density.density[k]).all()
            continue
        grid = density.grid[k]
        assert grid[0] == pytest.approx(distances[own - numbers[0]], abs=1e-6)
        expected = direct_sum(grid, distances[counted], heat[counted], bandwidth)
        # a distance is known to 1e-8 bps, the rounding of ln(price) in log price
        np.testing.assert_allclose(density.density[k], expected, rtol=1e-6)
        exact = direct_sum(np.arange(64.0), np.abs(numbers - own)[counted], heat[counted], bandwidth)
        np.testing.assert_allclose(density.density[k], exact, rtol=1e-12)


def test_heat_and_levels_agree_on_a_wall():
    """A wall 20.1 bps off is the strongest magnet by levels and, within half a bucket, by heat."""
    heatmap, density = warm(), KernelDensity(1.0, 2.0)
    offsets = np.arange(10, 8010, 40)
    sizes = np.where(offsets == 2010, 500.0, 1.0)
    book = 1_000_000 - offsets, sizes, 1_000_000 + offsets, sizes
    heatmap.update(0, *book)
    levels, heat = density.update_levels(*book), density.update_heat(heatmap)
    np.testing.assert_allclose(levels, 20.1, atol=0.02)
    np.testing.assert_allclose(heat, np.log([1.0 / 0.99799, 1.00201]) * 1e4, atol=0.52)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.9), "bandwidth_bps is 0.9 for 64 points 1.0 bps apart: give at least 1.28"),
        ((1.0, 1.27), "give at least 1.28"),
        ((2.0, 1.5, 16), "give at least 2"),
        ((0.0, 1.0), "spacing_bps is 0.0"),
        ((1.0, math.inf), "bandwidth_bps is inf"),
        ((1.0, 2.0, 60), "points is 60: give a multiple of 8"),
        ((1.0, 2.0, 0), "points is 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(arguments, message):
    """A grid that would miss maxima, or is too long to be exact, is refused with what would do."""
    with pytest.raises(ValueError, match=message):
        KernelDensity(*arguments)


def test_input_that_makes_no_sense_is_refused():
    """Points that are not finite, negative weights, a third side and buckets of another width are refused."""
    density = KernelDensity(1.0, 2.0)
    for distances, weights in (([NAN], [1.0]), ([1.0], [-1.0]), ([1.0], [math.inf])):
        with pytest.raises(ValueError, match="must be finite"):
            density.update(distances, weights)
    with pytest.raises(ValueError, match="columns differ in length"):
        density.update([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="side is 2"):
        density.update([1.0], [1.0], side=2)
    with pytest.raises(ValueError, match="side is -1"):
        density.peaks(-1)
    with pytest.raises(ValueError, match="buckets of 2 bps on a grid of 1 bps"):
        density.update_heat(BookHeatmap(width_bps=2.0))
    assert kernel_density_dtype(8)["density"].shape == (2, 8)
