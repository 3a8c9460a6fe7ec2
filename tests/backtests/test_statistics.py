"""Intervals and effective counts: by hand, against scipy, and by how often they cover what is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backtests.statistics import (
    CELLS,
    _student_quantile,
    effective_count,
    mean,
    optimal_block,
    span_uniqueness,
    stationary_bootstrap,
    uniqueness,
    wilson,
)

# -- shares ------------------------------------------------------------------------------------------------------------


def test_wilson_of_54_in_100() -> None:
    """The textbook's figure."""
    assert wilson(54, 100) == pytest.approx((0.442649, 0.634392), abs=1e-6)


@given(n=st.integers(1, 500), share=st.floats(0, 1), confidence=st.sampled_from((0.5, 0.9, 0.95, 0.99)))
def test_wilson_is_scipys(n: int, share: float, confidence: float) -> None:
    """For whole counts; and the interval always holds the share."""
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    low, high = wilson(successes, n, confidence)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= successes / n <= high <= 1


def test_fewer_effective_trials_are_less_sure() -> None:
    """The same share of a third as many: a wider interval around a centre nearer to a half."""
    (low, high), (wide_low, wide_high) = wilson(54, 100), wilson(18, 100 / 3)
    assert wide_low < low < high < wide_high


def test_the_ends_are_exact() -> None:
    """None of three and all of three: 0 and 1 belong to their intervals, by hand z^2 / (n + z^2) wide."""
    z2 = 1.959964**2
    assert wilson(0, 3) == (0.0, pytest.approx(z2 / (3 + z2)))
    assert wilson(3, 3) == (pytest.approx(3 / (3 + z2)), 1.0)


@pytest.mark.parametrize(
    ("successes", "n", "confidence"),
    [(0, 0, 0.95), (1, -1, 0.95), (2, 1, 0.95), (-1, 1, 0.95), (np.nan, 1, 0.95), (1, np.nan, 0.95), (1, 2, 1.0)],
)
def test_no_share_of_nothing(successes: float, n: float, confidence: float) -> None:
    """No trials, too many successes, NaN and certainty are refused."""
    with pytest.raises(ValueError, match="must"):
        wilson(successes, n, confidence)


# -- means of dependent values -----------------------------------------------------------------------------------------


def autoregressive(count: int, n: int, coefficient: float, seed: int) -> np.ndarray:
    """Series as rows, with mean zero and in their stationary law from the first value on."""
    shocks = np.random.default_rng(seed).standard_normal((count, n))
    series = np.empty_like(shocks)
    series[:, 0] = shocks[:, 0] / np.sqrt(1 - coefficient**2)
    for t in range(1, n):
        series[:, t] = coefficient * series[:, t - 1] + shocks[:, t]
    return series


def coverage(series: np.ndarray, interval: Callable[[np.ndarray, int], tuple[float, float]]) -> float:
    """How often the interval holds zero."""
    ends = [interval(one, seed) for seed, one in enumerate(series)]
    return float(np.mean([low <= 0 <= high for low, high in ends]))


def test_blocks_cover_where_single_draws_do_not() -> None:
    """AR(0.5), 500 values, 95 % meant: about 0.92 with blocks, about 0.75 with single values (blocks of one)."""
    series = autoregressive(1_000, 500, 0.5, seed=1)
    blocks = coverage(series, lambda x, seed: stationary_bootstrap(x, resamples=400, seed=seed))
    single = coverage(series, lambda x, seed: stationary_bootstrap(x, mean_block=1, resamples=400, seed=seed))
    assert 0.90 < blocks < 0.95
    assert 0.70 < single < 0.78


@pytest.mark.parametrize("n", [2, 4, 8])
def test_few_values_have_honest_intervals(n: int) -> None:
    """Independent normal values, as few as two: 95 % meant, and no less than nine in ten covered."""
    series = autoregressive(500, n, 0.0, seed=n)
    assert coverage(series, lambda x, seed: stationary_bootstrap(x, resamples=400, seed=seed)) > 0.9


def test_two_values_by_hand() -> None:
    """0 and 1: a quarter of the resamples is (0, 0), so the percentiles are 0 and 1, and the widening is what makes it
    0.5 -+ 0.5 sqrt(2) 12.7062 / 1.96."""
    reach = 0.5 * np.sqrt(2) * 12.7062 / 1.959964
    assert stationary_bootstrap([0.0, 1.0], seed=3) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-3)


def test_the_seed_decides() -> None:
    """Same seed, same interval to the bit; another seed, another one; in as many batches as it takes."""
    values = autoregressive(1, 700, 0.5, seed=2)[0]
    assert 2_000 * len(values) > CELLS
    first, again, other = (stationary_bootstrap(values, seed=seed) for seed in (5, 5, 6))
    assert first == again != other
    assert first == pytest.approx(other, abs=0.05)


def test_resamples_are_runs_of_the_values() -> None:
    """In a block each value is followed by its successor, the last by the first; every fifth value begins a new one."""
    seen: list[np.ndarray] = []

    def watched(samples: np.ndarray) -> np.ndarray:
        seen.append(samples)
        return mean(samples)

    n = 100
    stationary_bootstrap(np.arange(n), watched, mean_block=5, resamples=300, seed=1)
    samples = seen[0]
    assert samples.shape == (300, n)
    runs = (samples[:, 1:] == (samples[:, :-1] + 1) % n).mean()
    assert runs == pytest.approx(1 - 1 / 5 * (1 - 1 / n), abs=0.01)
    assert np.bincount(samples.astype(int).ravel(), minlength=n) == pytest.approx(np.full(n, 300), rel=0.5)


def test_another_statistic() -> None:
    """The median of symmetric values: its interval holds the middle and is wider than that of the mean."""
    values = np.random.default_rng(4).standard_normal(400)
    low, high = stationary_bootstrap(values, lambda samples: np.median(samples, axis=1), mean_block=1, seed=1)
    least, most = stationary_bootstrap(values, mean_block=1, seed=1)
    assert low < 0 < high
    assert high - low > most - least


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([], {}),
        ([1.0], {}),
        ([1.0, np.nan], {}),
        ([1.0, np.inf], {}),
        ([[1.0, 2.0]], {}),
        ([1.0, 2.0, 3.0], {"mean_block": 2}),
        ([1.0, 2.0, 3.0], {"mean_block": 0.5}),
        ([1.0, 2.0], {"resamples": 0}),
        ([1.0, 2.0], {"confidence": 0.0}),
    ],
)
def test_no_interval_of_nothing(values: list[float], options: dict[str, float]) -> None:
    """Too few values, missing ones, and settings that cannot be are refused."""
    with pytest.raises(ValueError, match=r"must|needs"):
        stationary_bootstrap(values, seed=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("coefficient", [0.3, 0.5, -0.5])
def test_block_length_of_an_autoregression(coefficient: float) -> None:
    """The formula's limit is (2 a / (1 - a^2))^(2/3) n^(1/3); the window of the estimate leaves a fifth of doubt."""
    values = autoregressive(1, 50_000, coefficient, seed=1)[0]
    expected = abs(2 * coefficient / (1 - coefficient**2)) ** (2 / 3) * 50_000 ** (1 / 3)
    assert optimal_block(values) == pytest.approx(expected, rel=0.2)


def test_block_length_by_hand() -> None:
    """Sixteen values in two halves: lags 1 and 2 stand out (0.8125, 0.625; the band is 0.549), so the window is 4."""
    values = np.repeat([1.0, -1.0], 8)
    rho = np.array([1 - 3 * k / 16 for k in range(4)])  # 16 products, k of them missing, 2k of those left negative
    g = rho[0] + 2 * (rho[1] + rho[2] + 0.5 * rho[3])
    slope = 2 * (rho[1] + 2 * rho[2] + 0.5 * 3 * rho[3])
    assert optimal_block(values) == pytest.approx(min((slope**2 / g**2 * 16) ** (1 / 3), 16 / 3))


def test_block_length_without_dependence() -> None:
    """Independent values, equal values and two values have blocks of one."""
    assert optimal_block(np.random.default_rng(3).standard_normal(1_000)) == 1.0
    assert optimal_block([2.0, 2.0, 2.0]) == 1.0
    assert optimal_block([1.0, 2.0]) == 1.0


@pytest.mark.parametrize("freedom", [1.0, 1.5, 2.0, 4.7, 30.0, 500.0, 20_000.0])
def test_student_is_scipys(freedom: float) -> None:
    """To a ten-thousandth, for parts of a degree too."""
    for probability in (0.75, 0.95, 0.975, 0.995):
        assert _student_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-4)


# -- overlap -----------------------------------------------------------------------------------------------------------

INDICATOR = [[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_uniqueness_by_hand() -> None:
    """Two labels share one of their three and two rows, the third is alone: 5/6, 3/4, 1."""
    assert uniqueness(INDICATOR) == pytest.approx([5 / 6, 3 / 4, 1])


def test_spans_are_the_indicator() -> None:
    """The same three labels as spans of rows, in any order."""
    assert span_uniqueness([0, 2, 4], [2, 3, 5]) == pytest.approx([5 / 6, 3 / 4, 1])
    assert span_uniqueness([4, 0, 2], [5, 2, 3]) == pytest.approx([1, 5 / 6, 3 / 4])
    assert effective_count([0, 2, 4], [2, 3, 5]) == pytest.approx(31 / 12)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=12))
def test_spans_and_indicator_agree(spans: list[tuple[int, int]]) -> None:
    """Whatever overlaps: the same uniqueness, and together between one trade and all of them."""
    starts, ends = [start for start, _ in spans], [start + length for start, length in spans]
    rows = np.arange(41)[:, None]
    expected = uniqueness((rows >= starts) & (rows <= ends))
    assert span_uniqueness(starts, ends) == pytest.approx(expected)
    assert 1 - 1e-9 <= effective_count(starts, ends) <= len(spans) + 1e-9


def test_overlap_of_nanoseconds() -> None:
    """At UNIX times: five at once are worth one, in a row five, and one of no length is a whole one."""
    start, minute = 1_700_000_000_000_000_000, 60_000_000_000
    assert effective_count([start] * 5, [start + minute] * 5) == pytest.approx(1)
    row = [start + k * minute for k in range(5)]
    assert effective_count(row, [one + minute - 1 for one in row]) == 5.0
    assert effective_count([start], [start]) == 1.0
    assert effective_count([], []) == 0.0


def test_spans_that_cannot_be_are_refused() -> None:
    """An end before its start, a start without an end, a label that is never alive."""
    with pytest.raises(ValueError, match="span 1 ends at 4, before its start 5"):
        span_uniqueness([0, 5], [1, 4])
    with pytest.raises(ValueError, match="as many"):
        span_uniqueness([0, 5], [1])
    with pytest.raises(ValueError, match="label 1 is never alive"):
        uniqueness([[1, 0], [1, 0]])
    with pytest.raises(ValueError, match="shape"):
        uniqueness([1, 0])
