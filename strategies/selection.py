"""Which candidates to take together: the greatest summed value within places, risk budget, conflicts and caps.

The search is `best_subset`. Here are the rules: who qualifies, how numbers are compared, which pairs exclude each
other.

Sums are exact. Every double is taken as the decimal that it prints as (0.1 is one tenth, not the double's
0.1000000000000000055...), so three risks of 0.1 fit a budget of 0.3, and 0.1 + 0.2 ties with 0.3. Of subsets with equal
sums the one with the lexicographically smallest tuple of indices is chosen: a result depends on its input alone.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strategies.best_subset import Problem, best_subset

NODE_LIMIT = 17_000
"""At 600 candidates it is reached within about 50 ms; typical inputs need some hundred nodes."""


class Candidate(Protocol):
    """What selection reads of a candidate."""

    @property
    def value(self) -> float:
        """Net value or score; only what is above zero can be chosen."""

    @property
    def risk(self) -> float:
        """What is lost at the stop, at least 0, in the unit of the risk budget."""


@dataclass(frozen=True)
class Selection:
    """The chosen indices, rising; their summed value; whether it is proven best; what no other choice can exceed.

    `value` and `bound` are the doubles nearest to the exact sums. If proven they are equal, and the tie rule holds too.
    """

    chosen: tuple[int, ...]
    value: float
    proven: bool
    bound: float


def select(
    candidates: Sequence[Candidate],
    *,
    max_positions: int,
    risk_budget: float,
    conflicts: Iterable[tuple[int, int]] | NDArray[np.integer],
    caps: Sequence[tuple[Set[int], int]] = (),
    node_limit: int = NODE_LIMIT,
) -> Selection:
    """The subset of greatest summed value with at most `max_positions` and a summed risk of at most `risk_budget`.

    `conflicts` are pairs of indices that exclude each other (tuples, or an array of shape (m, 2), which is read
    faster), `caps` groups of indices with the most that may be chosen of each. Empty when nothing qualifies: value
    above 0, risk within the budget. A budget below 0 lets in nothing, an infinite one everything. After `node_limit`
    nodes, counted and never timed, the search stops with the best found, `proven` False and the bound. ValueError,
    naming the index, the value and the remedy, for inputs that cannot be meant.
    """
    count = len(candidates)
    values, risks = _numbers(candidates)
    _check_limits(max_positions, risk_budget, node_limit)
    pairs = _pairs(conflicts, count)
    _check_caps(caps, count)
    barred = {k for group, most in caps if most == 0 for k in group}
    kept = [k for k in range(count) if values[k] > 0 and risks[k] <= risk_budget and k not in barred]
    if not kept or not max_positions:
        return Selection((), 0.0, True, 0.0)
    whole_values, value_unit = _whole([values[k] for k in kept])
    whole_risks, _ = _whole([risks[k] for k in kept] + ([risk_budget] if math.isfinite(risk_budget) else []))
    budget = whole_risks.pop() if math.isfinite(risk_budget) else sum(whole_risks)
    position = {k: p for p, k in enumerate(kept)}
    groups = [([position[k] for k in sorted(group) if k in position], most) for group, most in caps if most]
    excludes = np.zeros((count, count), dtype=np.bool_)
    excludes.reshape(-1)[pairs[0] * count + pairs[1]] = True
    excludes = (excludes | excludes.T | np.eye(count, dtype=np.bool_))[kept][:, kept]
    for group, most in groups:
        if most == 1:  # the same as pairs, of which cliques are made
            excludes[np.ix_(group, group)] = True
    problem = Problem(whole_values, whole_risks, budget, max_positions, excludes, groups)
    found = best_subset(problem, node_limit)
    chosen = tuple(kept[p] for p in found.chosen)
    return Selection(chosen, _double(found.value, value_unit), found.proven, _double(found.bound, value_unit))


def conflict_pairs(
    assets: Sequence[str],
    directions: Sequence[int],
    correlation: Callable[[str, str], float],
    *,
    limit: float,
) -> NDArray[np.int64]:
    """Pairs (i, j), i < j, in order, that would be the same bet twice: shape (m, 2), as `select` reads it fastest.

    Those are two of one asset, whatever their directions (+1 long, -1 short), and two of different assets with
    ``direction_i × direction_j × correlation > limit``. `correlation` is asked once for each pair of assets. NaN means
    that it is not known yet and counts as 1: coins move together, so two longs are one bet until shown otherwise.
    """
    if len(assets) != len(directions):
        raise ValueError(f"{len(assets)} assets but {len(directions)} directions: give one of each per candidate")
    if not -1 <= limit <= 1:
        raise ValueError(f"limit {limit} is no correlation: set it within -1 and 1")
    for k, direction in enumerate(directions):
        if direction not in (1, -1):
            raise ValueError(
                f"direction {direction} of candidate {k} must be +1 (long) or -1 (short): give its net side"
            )
    numbers = {asset: number for number, asset in enumerate(dict.fromkeys(assets))}
    rho = np.ones((len(numbers), len(numbers)))
    for (a, i), (b, j) in combinations(numbers.items(), 2):
        known = correlation(a, b)
        if abs(known) > 1:
            raise ValueError(f"correlation {known} of {a} and {b} is outside -1 and 1: check what computes it")
        rho[i, j] = rho[j, i] = 1.0 if math.isnan(known) else known
    number = np.array([numbers[asset] for asset in assets], dtype=np.int64)
    same_bet = rho[number][:, number] * np.outer(directions, directions) > limit
    return np.argwhere(np.triu(same_bet | (number[:, None] == number), 1))


def shrunk_correlation(returns_a: ArrayLike, returns_b: ArrayLike, *, min_count: int, shrink: float) -> float:
    """Pearson correlation of aligned returns (fractions, shape (n,)), shrunk towards 1.

    ``(n × r + shrink) / (n + shrink)`` over the n pairs that are finite in both: linear shrinkage to a constant target
    (the form of Ledoit and Wolf, 2004), where `shrink` is the number of pairs whose weight the belief "they move as
    one" has. An estimate from few pairs stays near 1, one from many is the sample's. That is caution where directions
    are equal; for opposite directions, whose conflict is a correlation near -1, it is the bold side. NaN, which counts
    as 1 in `conflict_pairs`, below `min_count` pairs and where either does not move at all.
    """
    a, b = np.asarray(returns_a, dtype=np.float64), np.asarray(returns_b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"returns of shapes {a.shape} and {b.shape} are not aligned: give two rows of equal length")
    if min_count < 2:
        raise ValueError(f"min_count {min_count} must be at least 2: one pair has no correlation")
    if not (math.isfinite(shrink) and shrink >= 0):
        raise ValueError(
            f"shrink {shrink} must be a finite number of pairs, 0 or more: 0 leaves the sample's correlation"
        )
    finite = np.isfinite(a) & np.isfinite(b)
    n = int(finite.sum())
    if n < min_count or not np.ptp(a[finite]) or not np.ptp(b[finite]):
        return math.nan
    x, y = _deviations(a[finite]), _deviations(b[finite])
    r = float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))
    return (n * max(-1.0, min(1.0, r)) + shrink) / (n + shrink)


def _deviations(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the mean, scaled to at most 1, which a correlation does not see and squares do."""
    scaled = returns / np.abs(returns).max()
    away = scaled - scaled.mean()
    return np.asarray(away / np.abs(away).max())


def _numbers(candidates: Sequence[Candidate]) -> tuple[list[float], list[float]]:
    values = [float(candidate.value) for candidate in candidates]
    risks = [float(candidate.risk) for candidate in candidates]
    for name, numbers in (("value", values), ("risk", risks)):
        for k, number in enumerate(numbers):
            if not math.isfinite(number):
                raise ValueError(
                    f"{name} {number} of candidate {k} is not finite: leave out what could not be computed"
                )
    for k, risk in enumerate(risks):
        if risk < 0:
            raise ValueError(f"risk {risk} of candidate {k} is negative: give the loss at the stop as 0 or more")
    return values, risks


def _check_limits(max_positions: int, risk_budget: float, node_limit: int) -> None:
    if max_positions < 0:
        raise ValueError(f"max_positions {max_positions} is negative: give 0 when all places are taken")
    if math.isnan(risk_budget):
        raise ValueError(f"risk_budget {risk_budget} is not a number: give the risk that is left, or inf for no limit")
    if node_limit < 1:
        raise ValueError(f"node_limit {node_limit} must be at least 1: the default is {NODE_LIMIT}")


def _check_caps(caps: Sequence[tuple[Set[int], int]], count: int) -> None:
    for number, (group, most) in enumerate(caps):
        if most < 0:
            raise ValueError(f"cap {number} allows {most}: give 0 to bar its group")
        for k in group:
            if not 0 <= k < count:
                raise ValueError(f"cap {number} names index {k}, but there are {count} candidates: indices begin at 0")


def _pairs(conflicts: Iterable[tuple[int, int]] | NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Shape (2, m), checked."""
    if isinstance(conflicts, np.ndarray):
        if conflicts.ndim != 2 or conflicts.shape[1] != 2 or conflicts.dtype.kind not in "iu":
            raise ValueError(f"conflicts of {conflicts.dtype}, shape {conflicts.shape}: give integers of shape (m, 2)")
        pairs = np.ascontiguousarray(conflicts.T, dtype=np.int64)
    else:
        listed = list(conflicts)
        if set(map(len, listed)) - {2}:
            number, pair = next((k, pair) for k, pair in enumerate(listed) if len(pair) != 2)
            raise ValueError(f"conflict {number} is {pair}: give pairs (i, j) of indices")
        pairs = np.array(array("q", list(chain.from_iterable(listed))), dtype=np.int64).reshape(-1, 2).T
    wrong = (pairs[0] == pairs[1]) | (pairs < 0).any(axis=0) | (pairs >= count).any(axis=0)
    if wrong.any():
        i, j = pairs[:, wrong.argmax()].tolist()
        if i == j and 0 <= i < count:
            raise ValueError(f"conflict ({i}, {j}) pairs index {i} with itself: leave it out, or bar it by a cap of 0")
        k = i if not 0 <= i < count else j
        raise ValueError(f"conflict ({i}, {j}) names index {k}, but there are {count} candidates: indices begin at 0")
    return pairs


def _whole(numbers: Sequence[float]) -> tuple[list[int], int]:
    """The decimals that the doubles print as, as whole numbers of one unit, and how many units are 1."""
    texts = [text if "e" not in (text := repr(number)) else f"{Decimal(text):f}" for number in numbers]
    places = [len(text) - 1 - text.index(".") if "." in text else 0 for text in texts]
    most = max(places)
    tens = [10**k for k in range(most + 1)]
    return [int(t.replace(".", "")) * tens[most - p] for t, p in zip(texts, places, strict=True)], tens[most]


def _double(whole: int, unit: int) -> float:
    try:
        return whole / unit
    except OverflowError:  # a sum of values near the greatest double
        return math.inf
