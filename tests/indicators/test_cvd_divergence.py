import math
from unittest import mock

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.cvd_divergence import CvdDivergence

WINDOW = 20
SETTINGS = {"smoothing": 3, "distance": 3, "prominence": 0.37, "confirm": 2, "match": 3}
SAMPLES = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=WINDOW, max_size=80)

# ten flat samples, then two swings: price peaks of 104 and 106, CVD peaks of 8 and 5 at the same samples
FLAT = [(100, 0)] * 10
SWINGS = [(100, 0), (101, 3), (104, 8), (101, 4), (100, 0), (101, 2), (103, 4), (106, 5), (103, 3), (101, 0)]
# means of the 20 samples: 101 and 29 / 20 = 1.45; variances 74 / 20 - 1 = 2.7 and 143 / 20 - 1.45^2 = 5.0475
STRENGTH = math.sqrt((106 - 104) / math.sqrt(2.7) * (8 - 5) / math.sqrt(5.0475))


def by_hand(**changes):
    """An indicator that does not smooth and needs two samples after a peak."""
    parameters = {"smoothing": 1, "distance": 2, "prominence": 0.5, "confirm": 2, "match": 1}
    return CvdDivergence(WINDOW, **(parameters | changes))


def feed(indicator, samples):
    for price, cvd in samples:
        indicator.update(price, cvd)
    return indicator


def columns(samples):
    """Prices and CVD on a coarse grid: many peaks, plateaus and equal heights."""
    prices, cvds = np.array(samples, dtype=float).T
    return 1000.0 + prices, cvds


def run(prices, cvds, **changes):
    """Bullish, bearish and their ages after each sample."""
    indicator = CvdDivergence(WINDOW, **(SETTINGS | changes))
    rows = []
    for price, cvd in zip(prices.tolist(), cvds.tolist(), strict=True):
        indicator.update(price, cvd)
        rows.append([indicator.bullish, indicator.bearish, indicator.bullish_age, indicator.bearish_age])
    return np.array(rows).T


def test_bearish_by_hand():
    """A higher peak of the price on a lower peak of the CVD is bearish by the geometric mean of both differences."""
    indicator = feed(by_hand(), FLAT + SWINGS)
    assert indicator.bearish == pytest.approx(STRENGTH, rel=1e-12)
    assert indicator.bullish == 0.0
    assert indicator.value == -indicator.bearish
    assert indicator.bearish_age == 2.0
    assert math.isnan(indicator.bullish_age)


def test_bullish_by_hand():
    """The mirror, a lower trough of the price on a higher trough of the CVD, is bullish."""
    indicator = feed(by_hand(), [(200 - price, -cvd) for price, cvd in FLAT + SWINGS])
    assert indicator.bullish == pytest.approx(STRENGTH, rel=1e-12)
    assert indicator.bearish == 0.0
    assert indicator.value == indicator.bullish
    assert indicator.bullish_age == 2.0
    assert math.isnan(indicator.bearish_age)


def test_a_peak_counts_once_it_is_confirmed():
    """One sample before the later peak is confirmed there is nothing yet."""
    indicator = feed(by_hand(), [*FLAT, (100, 0), *SWINGS[:-1]])
    assert indicator.initialized
    assert indicator.value == 0.0
    indicator.update(*SWINGS[-1])
    assert indicator.bearish > 0.0


def test_a_flat_top_is_confirmed_from_its_end():
    """The samples that confirm a peak are counted from the last one of its top, its age from the middle."""
    top = [*SWINGS[:7], (106, 5), (106, 4), (106, 3), (103, 2)]
    indicator = feed(by_hand(), FLAT + top)
    assert indicator.bearish == 0.0
    indicator.update(101, 0)
    assert indicator.bearish > 0.0
    assert indicator.bearish_age == 3.0


@pytest.mark.parametrize(
    "changed",
    [
        {7: (106, 9)},  # the CVD's peak is higher too
        {7: (106, 8)},  # as high as the one before
        {7: (104, 5)},  # the price's is not higher
        {7: (103, 5)},  # and here lower
        {6: (103, 5), 7: (106, 4)},  # the CVD falls from one sample before the price: still matched
    ],
)
def test_what_is_no_divergence(changed):
    """Both higher, both lower or an equal height are no divergence; a CVD peak one sample off is one."""
    samples = [changed.get(k, sample) for k, sample in enumerate(SWINGS)]
    indicator = feed(by_hand(), FLAT + samples)
    assert (indicator.bearish > 0.0) == (6 in changed)
    assert indicator.bullish == 0.0


def test_unmatched_peaks():
    """A price peak without a CVD peak near it, or with the same one as the other, gives nothing."""
    prices = [price for price, _ in FLAT + SWINGS]
    early = [0] * 10 + [0, 3, 8, 4, 0, 5, 3, 1, 0, 0]  # the CVD turns at sample 5 of the swings, the price at 7
    lone = [0] * 10 + [0, 1, 2, 3, 4, 8, 4, 3, 2, 1]  # one CVD peak, 3 samples from the one and 2 from the other
    for cvds, match, expected in ((early, 1, False), (early, 2, True), (lone, 2, False), (lone, 3, False)):
        indicator = feed(by_hand(match=match), zip(prices, cvds, strict=True))
        assert (indicator.bearish > 0.0) is expected


def test_of_two_equally_near_the_later_is_matched():
    """A price peak halfway between two CVD peaks takes the later."""
    prices = [price for price, _ in FLAT + SWINGS] + [100]
    # CVD peaks of 8 at sample 2, and one sample before and after the price's second peak, at 6 and 8
    higher_first = [0] * 10 + [0, 3, 8, 4, 0, 2, 9, 2, 5, 0, 0]
    higher_last = [0] * 10 + [0, 3, 8, 4, 0, 2, 5, 2, 9, 0, 0]
    assert feed(by_hand(), zip(prices, higher_first, strict=True)).bearish > 0.0
    assert feed(by_hand(), zip(prices, higher_last, strict=True)).bearish == 0.0


def test_a_new_extreme_voids_it():
    """A sample beyond the later peak by more than the threshold ends the divergence, one by less does not."""
    # the window is then flat samples 2 to 10, the swings and the last sample
    indicator = feed(by_hand(), [*FLAT, *SWINGS, (106.25, 0)])
    assert indicator.bearish > 0.0  # half a standard deviation is about 1
    assert indicator.bearish_age == 3.0
    indicator.update(104, 0)
    assert indicator.bearish > 0.0
    assert feed(by_hand(), [*FLAT, *SWINGS, (108, 0)]).bearish == 0.0
    assert feed(by_hand(), [*FLAT, *SWINGS, (108, 0), (104, 0)]).bearish == 0.0


def test_an_unconfirmed_higher_peak_removes_a_near_one():
    """A higher peak too near the later one removes it at once, though it does not count itself yet."""
    after = [(106.25, 0), (105, 0)]
    # three samples after the later peak
    assert feed(by_hand(distance=4), FLAT + SWINGS + after).bearish == 0.0
    assert feed(by_hand(distance=3), FLAT + SWINGS + after).bearish > 0.0


def test_it_ends_when_its_peaks_leave():
    """The divergence ages until the earlier peak has become the oldest sample, which is no peak."""
    indicator = feed(by_hand(), FLAT + SWINGS)
    for step in range(1, 12):
        indicator.update(100, 0)
        assert indicator.bearish > 0.0
        assert indicator.bearish_age == 2.0 + step
    indicator.update(100, 0)
    assert indicator.bearish == 0.0
    assert math.isnan(indicator.bearish_age)


def test_flat_series():
    """Where nothing moves there is no divergence, and none where the CVD alone stands still."""
    assert feed(by_hand(), [(0.1, 0.3)] * 30).value == 0.0
    assert feed(by_hand(), [(price, 7.7) for price, _ in FLAT + SWINGS]).value == 0.0


def test_warm_up_and_missing_samples():
    """NaN until the average and then the window are full; a missing sample starts both again, as a fresh record."""
    rng = np.random.default_rng(3)
    prices, cvds = columns(rng.integers(-4, 5, (90, 2)))
    first = WINDOW + SETTINGS["smoothing"] - 1
    for price, cvd in ((math.nan, cvds[45]), (prices[45], math.nan), (math.inf, 0.0), (prices[45], -math.inf)):
        broken_prices, broken_cvds = prices.copy(), cvds.copy()
        broken_prices[45], broken_cvds[45] = price, cvd
        result = run(broken_prices, broken_cvds)
        warm = [k for k in range(90) if not math.isnan(result[0, k])]
        assert warm == [*range(first - 1, 45), *range(46 + first - 1, 90)]
        assert np.isnan(result[:, 45]).all()
        assert result[:, 46:].tobytes() == run(prices[46:], cvds[46:]).tobytes()


def test_initialized():
    """Initialised once a value is there, not after a missing sample."""
    indicator = feed(CvdDivergence(WINDOW, **SETTINGS), [(1.0, 2.0)] * (WINDOW + 1))
    assert not indicator.initialized
    assert math.isnan(indicator.value)
    indicator.update(1.0, 2.0)
    assert indicator.initialized
    assert indicator.value == 0.0
    indicator.update(math.nan, 2.0)
    assert not indicator.initialized
    assert math.isnan(indicator.value)


def oracle_peaks(values, distance, prominence):
    """Peaks by scipy with a stable sort, and the last sample of each top."""
    sort = np.argsort
    with mock.patch("numpy.argsort", lambda heights: sort(heights, kind="stable")):
        found, properties = scipy.signal.find_peaks(
            values, distance=distance, prominence=prominence * np.std(values), plateau_size=1
        )
    return found, properties["right_edges"]


def oracle_bearish(price, cvd, distance, prominence, confirm, match):
    """The definition once more, over one window, in plain words of numpy and scipy."""
    newest = len(price) - 1
    counted = []
    for values in (price, cvd):
        found, ends = oracle_peaks(values, distance, prominence)
        counted.append(found[newest - ends >= confirm])
    if len(counted[0]) < 2 or len(counted[1]) < 2:
        return 0.0, math.nan
    pair = counted[0][-2:]
    matched = [min(counted[1], key=lambda p, at=at: (abs(p - at), -p)) for at in pair]
    if any(abs(p - at) > match for p, at in zip(matched, pair, strict=True)) or matched[0] == matched[1]:
        return 0.0, math.nan
    rise, fall = np.diff(price[pair])[0], -np.diff(cvd[matched])[0]
    beyond = price[pair[1] :].max() - price[pair[1]]
    if rise <= 0.0 or fall <= 0.0 or beyond > prominence * np.std(price):
        return 0.0, math.nan
    return math.sqrt(rise / np.std(price) * fall / np.std(cvd)), float(newest - pair[1])


def oracle(prices, cvds, smoothing, **parameters):
    """Bullish, bearish and their ages after each sample, every window on its own."""
    smoothed = np.full(len(cvds), math.nan)
    if len(cvds) >= smoothing:
        smoothed[smoothing - 1] = (cvds[:smoothing] - cvds[0]).mean()
        for k in range(smoothing, len(cvds)):
            smoothed[k] = smoothed[k - 1] + 2.0 / (smoothing + 1) * (cvds[k] - cvds[0] - smoothed[k - 1])
    out = np.full((4, len(prices)), math.nan)
    for end in range(WINDOW + smoothing - 1, len(prices) + 1):
        price, cvd = prices[end - WINDOW : end], smoothed[end - WINDOW : end]
        out[0, end - 1], out[2, end - 1] = oracle_bearish(-price, -cvd, **parameters)
        out[1, end - 1], out[3, end - 1] = oracle_bearish(price, cvd, **parameters)
    return out


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(0, 5))
def test_equals_the_definition_by_scipy(samples, smoothing, distance, confirm, match):
    """Values and ages are those of the definition applied to each window with scipy."""
    changes = {"smoothing": smoothing, "distance": distance, "confirm": confirm, "match": match}
    prices, cvds = columns(samples)
    assert run(prices, cvds, **changes) == pytest.approx(
        oracle(prices, cvds, **(SETTINGS | changes)), rel=1e-9, nan_ok=True
    )


@pytest.mark.parametrize(("walk", "often"), [(True, 20), (False, 100)])
def test_equals_the_definition_on_a_long_series(walk, often):
    """The same over two thousand samples of a random walk and of noise, where both kinds do come up."""
    samples = np.random.default_rng(11).integers(-3, 4, (2000, 2))
    prices, cvds = columns(np.cumsum(samples, axis=0) if walk else samples)
    result = run(prices, cvds)
    assert result == pytest.approx(oracle(prices, cvds, **SETTINGS), rel=1e-9, nan_ok=True)
    assert (result[:2] > 0.0).sum(axis=1).min() > often


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(0, 80))
def test_per_event_equals_bulk(samples, cut):
    """One by one, in bulk, and in bulk cut in two give the same bits."""
    prices, cvds = columns(samples)
    events = CvdDivergence(WINDOW, **SETTINGS)
    expected = []
    for price, cvd in zip(prices.tolist(), cvds.tolist(), strict=True):
        value = events.update(price, cvd)
        expected.append([value, events.bullish, events.bearish])
    bulk = CvdDivergence(WINDOW, **SETTINGS).update_many(prices, cvds)
    halves = CvdDivergence(WINDOW, **SETTINGS)
    parts = [halves.update_many(prices[part], cvds[part]) for part in (slice(0, cut), slice(cut, None))]
    assert np.array(bulk).tobytes() == np.array(expected).T.tobytes() == np.hstack(parts).tobytes()


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(1, 79))
def test_the_future_changes_nothing(samples, cut):
    """Cutting the samples never changes an earlier value."""
    prices, cvds = columns(samples)
    assert run(prices, cvds)[:, :cut].tobytes() == run(prices[:cut], cvds[:cut]).tobytes()


@settings(deadline=None, max_examples=60)
@given(SAMPLES)
def test_mirror(samples):
    """Prices mirrored around a level and a negated CVD swap bullish and bearish, bit for bit."""
    prices, cvds = columns(samples)
    bullish, bearish, bullish_age, bearish_age = run(prices, cvds)
    mirrored = run(2000.0 - prices, -cvds)
    assert mirrored.tobytes() == np.array([bearish, bullish, bearish_age, bullish_age]).tobytes()


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(-60, 60), st.integers(-60, 60))
def test_units_do_not_matter(samples, price_power, cvd_power):
    """Price and CVD in other units, powers of two, give the same bits."""
    prices, cvds = columns(samples)
    scaled = run(prices * 2.0**price_power, cvds * 2.0**cvd_power)
    assert scaled.tobytes() == run(prices, cvds).tobytes()


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(-(2**45), 2**45), st.integers(0, 2**45))
def test_levels_do_not_matter(samples, cvd_level, price_level):
    """A CVD whose sum was begun elsewhere and a higher price, both by an exact difference, give the same bits."""
    prices, cvds = columns(samples)
    assert run(prices + float(price_level), cvds + float(cvd_level)).tobytes() == run(prices, cvds).tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"smoothing": 0}, "smoothing is 0"),
        ({"distance": 0}, "distance is 0"),
        ({"distance": 2.5}, "distance is 2.5"),
        ({"prominence": -0.1}, "prominence is -0.1"),
        ({"prominence": math.nan}, "prominence is nan"),
        ({"confirm": 0}, "confirm is 0"),
        ({"match": -1}, "match is -1"),
        ({"window": 2}, "window is 2"),
        ({"window": WINDOW, "distance": 10, "confirm": 9}, "window is 20: .* need 21 samples"),
    ],
)
def test_refusals(changes, message):
    """A parameter out of its range, or a window too short for two counted peaks, is refused by name."""
    with pytest.raises(ValueError, match=message):
        CvdDivergence(**changes)
