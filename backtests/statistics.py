"""How sure a figure of few, dependent or overlapping trades is: intervals, and how many trades they are worth.

Numbers in, numbers out. Nothing here has a value for nothing: empty input and NaN raise ValueError, and whoever reports
writes None.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]
type Statistic = Callable[[Floats], Floats]
"""Takes samples as rows, shape (samples, n), and gives one value a sample, shape (samples,)."""

CELLS = 1 << 20  # of a batch of resamples: what bounds the memory


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a share of `successes` among `n` trials (Wilson, JASA 22, 1927).

    Both may be fractions: for overlapping trials give the effective count and the share times it. Raises ValueError for
    no trials and for successes outside [0, n].
    """
    _check_confidence(confidence)
    if not (math.isfinite(n) and n > 0):
        raise ValueError(f"n must be positive, got {n}: no trials, no share")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, {n}], got {successes}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # at the ends the two parts are equal: their rounding must not leave [0, 1] or miss the share itself
    low = 0.0 if successes == 0 else (centre - reach) / scale
    high = 1.0 if successes == n else (centre + reach) / scale
    return low, high


def mean(samples: Floats) -> Floats:
    """The mean of each row."""
    result: Floats = samples.mean(axis=1)
    return result


def stationary_bootstrap(
    values: ArrayLike,
    statistic: Statistic = mean,
    *,
    confidence: float = 0.95,
    mean_block: float | None = None,
    resamples: int = 2_000,
    seed: int,
) -> tuple[float, float]:
    """Interval of a `statistic` of dependent `values` in order of time; the same for the same seed.

    Resamples are blocks of geometric length that start anywhere and wrap around (Politis and Romano, "The stationary
    bootstrap", JASA 89, 1994); `mean_block` is their mean length, by default that of `optimal_block`. The interval is
    of percentiles, whose distances from the estimate are widened by ``sqrt(B / (B - 1)) t / z`` with Student's t of
    ``B - 1`` degrees of freedom and ``B = n / mean_block``: percentiles alone are too narrow for few values, as a
    normal interval with the variance over n is (Hesterberg, "What teachers should know about the bootstrap", 2015).

    What never happened is in no resample: an interval of trades that all lost the same has no width. Raises ValueError
    for fewer than two values, values that are not finite, and a block outside [1, n/2].
    """
    _check_confidence(confidence)
    sample = _series(values)
    n = len(sample)
    if n < 2:
        raise ValueError(f"an interval needs two values or more, got {n}")
    if resamples < 1:
        raise ValueError(f"resamples must be positive, got {resamples}")
    block = optimal_block(sample) if mean_block is None else mean_block
    if not 1 <= block <= n / 2:
        raise ValueError(f"mean_block must lie in [1, {n / 2:g}], half of the {n} values, got {block}")
    rng = np.random.default_rng(seed)
    batch = max(1, CELLS // n)
    counts = [min(batch, resamples - done) for done in range(0, resamples, batch)]
    found = np.concatenate([statistic(_resample(sample, block, count, rng)) for count in counts])
    estimate = float(statistic(sample[None, :])[0])
    upper = 0.5 + confidence / 2
    blocks = n / block
    student = _student_quantile(upper, blocks - 1) / NormalDist().inv_cdf(upper)
    low, high = np.quantile(found, (1 - upper, upper)) - estimate
    wider = math.sqrt(blocks / (blocks - 1)) * student
    return estimate + wider * float(low), estimate + wider * float(high)


def optimal_block(values: ArrayLike) -> float:
    """Mean block length for a stationary bootstrap of the mean, 1 for values without visible autocorrelation.

    Politis and White, "Automatic block-length selection for the dependent bootstrap", Econometric Reviews 23, 2004,
    corrected by Patton, Politis and White, 28, 2009: ``(G^2 / g^2 n)^(1/3)``, where g and G sum the autocovariances,
    and the lag times them, under a flat-top window of twice the lag after which ``max(5, sqrt(log10 n))``
    autocorrelations in a row are within ``2 sqrt(log10(n) / n)``. Capped at ``min(3 sqrt(n), n / 3)``. Raises
    ValueError for fewer than two values and values that are not finite.
    """
    sample = _series(values)
    n = len(sample)
    if n < 2:
        raise ValueError(f"autocorrelation needs two values or more, got {n}")
    centred = sample - sample.mean()
    quiet = max(5, math.ceil(math.sqrt(math.log10(n))))
    widest = min(n - 1, math.ceil(math.sqrt(n)) + quiet)
    covariances = np.array([centred[lag:] @ centred[: n - lag] for lag in range(widest + 1)]) / n
    if covariances[0] <= 0:
        return 1.0
    loud = np.abs(covariances / covariances[0]) >= 2 * math.sqrt(math.log10(n) / n)
    last = next(lag for lag in range(widest + 1) if not loud[lag + 1 : lag + 1 + quiet].any())
    window = min(2 * last, widest)
    if window == 0:
        return 1.0
    lags = np.arange(1, window + 1)
    weighted = np.clip(2 * (1 - lags / window), 0, 1) * covariances[1 : window + 1]
    long_run, slope = covariances[0] + 2 * weighted.sum(), 2 * (lags * weighted).sum()
    cap = max(1.0, min(3 * math.sqrt(n), n / 3))
    if long_run == 0:
        return cap
    return float(np.clip((slope**2 / long_run**2 * n) ** (1 / 3), 1.0, cap))


def uniqueness(indicator: ArrayLike) -> Floats:
    """Average uniqueness of each label, in (0, 1]: the mean of 1 / (labels that are alive) over the rows where it is.

    `indicator` has shape (times, labels) and is true where a label is alive (Lopez de Prado, "Advances in financial
    machine learning", 2018, ch. 4). Raises ValueError for a label that never is.
    """
    alive = np.asarray(indicator, dtype=bool)
    if alive.ndim != 2:
        raise ValueError(f"indicator must have shape (times, labels), got {alive.shape}")
    lengths = alive.sum(axis=0)
    if not lengths.all():
        raise ValueError(f"label {int(np.argmin(lengths))} is never alive: it has no uniqueness")
    shares = alive / np.maximum(alive.sum(axis=1, keepdims=True), 1)
    result: Floats = shares.sum(axis=0) / lengths
    return result


def span_uniqueness(starts: Sequence[int], ends: Sequence[int]) -> Floats:
    """`uniqueness` of spans of time: a row of its indicator for every unit, both ends belonging to the span.

    Units are whole, such as ns, so a span that ends where it began still has one. Raises ValueError for a span that
    ends before it starts.
    """
    first, past = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64) + 1
    if first.shape != past.shape or first.ndim != 1:
        raise ValueError(f"starts and ends must be as many, got {first.shape} and {past.shape}")
    if (backward := first >= past).any():
        where = int(np.argmax(backward))
        raise ValueError(f"span {where} ends at {past[where] - 1}, before its start {first[where]}")
    edges, at = np.unique(np.concatenate((first, past)), return_inverse=True)
    begins, stops = at[: len(first)], at[len(first) :]
    alive = np.cumsum(np.bincount(begins, minlength=len(edges)) - np.bincount(stops, minlength=len(edges)))[:-1]
    widths = np.diff(edges).astype(np.float64)
    shares = widths / np.maximum(alive, 1)
    return np.array([shares[a:b].sum() / widths[a:b].sum() for a, b in zip(begins, stops, strict=True)])


def effective_count(starts: Sequence[int], ends: Sequence[int]) -> float:
    """How many spans that do not overlap these are worth: the sum of their uniqueness, 0 for none."""
    return float(span_uniqueness(starts, ends).sum())


def _resample(values: Floats, mean_block: float, count: int, rng: np.random.Generator) -> Floats:
    """Resamples as rows, shape (count, n)."""
    n = len(values)
    if mean_block == 1:
        drawn: Floats = values[rng.integers(0, n, (count, n))]
        return drawn
    begins = rng.random((count, n)) < 1 / mean_block
    begins[:, 0] = True
    at = np.flatnonzero(begins)
    shift = rng.integers(0, n, len(at)) - at
    places = np.arange(count * n) + np.repeat(shift, np.diff(at, append=count * n))
    joined: Floats = np.concatenate((values, values))[places].reshape(count, n)  # twice: blocks wrap around
    return joined


def _student_quantile(probability: float, freedom: float) -> float:
    """A quantile above the median of Student's t with `freedom` >= 1.

    In the angle of ``t = sqrt(freedom) tan(angle)`` the density is ``cos(angle)^(freedom - 1)``, which is summed.
    """
    angles = np.linspace(0, min(math.pi / 2, 12 / math.sqrt(freedom)), 4_001)
    density = np.cos(angles) ** (freedom - 1)
    area = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    angle = float(np.interp((2 * probability - 1) * area[-1], area, angles))
    return math.sqrt(freedom) * math.tan(angle)


def _series(values: ArrayLike) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"values must be a row of numbers, got shape {sample.shape}")
    if not np.isfinite(sample).all():
        raise ValueError(f"values must be finite, got {sample[~np.isfinite(sample)][0]}: leave out what is missing")
    return sample


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
