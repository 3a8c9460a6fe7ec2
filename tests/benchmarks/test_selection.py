"""What it costs to choose among 600 candidates: typical utilities under dense conflicts, and inputs made to be hard."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from strategies.selection import Selection, conflict_pairs, select

ASSETS, VENUES = 50, 6
COUNT = 2 * ASSETS * VENUES
SEEDS = 300


@dataclass
class Setup:
    value: float
    risk: float


def _market(rng: np.random.Generator, value: Callable[[int], np.ndarray], limit: float = 0.7):
    """Both sides of 50 assets on 6 venues: venues differ little, one factor moves all, risk is around budget / 4."""
    values = np.repeat(value(2 * ASSETS), VENUES) * rng.uniform(0.7, 1, COUNT)
    risks = 0.25 * np.exp(rng.normal(0, 0.4, COUNT))
    loads = rng.uniform(0.5, 1, ASSETS)
    rho = np.clip(np.outer(loads, loads) + rng.normal(0, 0.1, (ASSETS, ASSETS)), -1, 1)
    names = np.repeat(np.arange(ASSETS), 2 * VENUES).tolist()
    sides = np.tile(np.repeat([1, -1], VENUES), ASSETS).tolist()
    pairs = conflict_pairs([str(k) for k in names], sides, lambda a, b: float(rho[int(a), int(b)]), limit=limit)
    return values, risks, pairs


def _random(rng: np.random.Generator, values: np.ndarray, density: float):
    """Conflicts without structure, which cliques cannot tell."""
    i, j = np.triu_indices(COUNT, 1)
    hit = rng.random(len(i)) < density
    return values, 0.25 * np.exp(rng.normal(0, 0.4, COUNT)), np.stack([i[hit], j[hit]], axis=1)


FAMILIES = {
    "heavy tails, one bet above 0.7": lambda g: _market(g, lambda n: g.pareto(2, n)),
    "heavy tails, one bet above 0.5": lambda g: _market(g, lambda n: g.pareto(2, n), limit=0.5),
    "heavy tails, 30 % of pairs at random": lambda g: _random(g, g.pareto(2, COUNT), 0.3),
    "scores 0.35 to 1, one bet above 0.7": lambda g: _market(g, lambda n: g.uniform(0.35, 1, n)),
}


def _alike(g: np.random.Generator):
    """Values within a tenth, risk that rises with them, nine of ten pairs excluded."""
    values, _, pairs = _random(g, g.uniform(0.9, 1.1, COUNT), 0.9)
    return values, values / 4, pairs


def _half(g: np.random.Generator):
    """Scores whose risk is around budget / 2, so that the budget decides."""
    values, risks, pairs = _market(g, lambda n: g.uniform(0.35, 1, n))
    return values, 2 * risks, pairs


HARD = {
    "alike, risk as value, 90 % of pairs": _alike,
    "scores, risk near budget / 2": _half,
    "scores, one bet above 0.3": lambda g: _market(g, lambda n: g.uniform(0.35, 1, n), limit=0.3),
    "three values, 95 % of pairs": lambda g: _random(g, g.integers(1, 4, COUNT).astype(float), 0.95),
}


def _timed(family, seeds: range, *, as_tuples: bool = False) -> tuple[np.ndarray, list[Selection], int]:
    """CPU ms of each seed, what was chosen, and the most pairs of any."""
    times, found, most = [], [], 0
    for seed in seeds:
        values, risks, pairs = family(np.random.default_rng(seed))
        setups = [Setup(*row) for row in zip(values.tolist(), risks.tolist(), strict=True)]
        conflicts = list(map(tuple, pairs.tolist())) if as_tuples else pairs
        begin = time.process_time()
        found.append(select(setups, max_positions=5, risk_budget=1.0, conflicts=conflicts))
        times.append((time.process_time() - begin) * 1e3)
        most = max(most, len(pairs))
    return np.array(times), found, most


@pytest.mark.parametrize("name", FAMILIES)
def test_typical(benchmark, figure, name):
    """p50 and p99 of one call over 300 seeds, pairs as `conflict_pairs` gives them; every one proven."""
    times, found, most = benchmark.pedantic(lambda: _timed(FAMILIES[name], range(SEEDS)), rounds=1)
    assert all(f.proven for f in found)
    p50, p99 = np.percentile(times, [50, 99])
    aim = "p50 / p99, under 10" if name.startswith("heavy") else "p50 / p99"
    figure(f"select of 600, {name}, up to {most // 1000} k pairs", f"{p50:.1f} / {p99:.1f} ms", aim)


def test_pairs_as_tuples(benchmark, figure):
    """The same as a list of tuples, whose reading is most of it."""
    name = next(iter(FAMILIES))
    times, _, most = benchmark.pedantic(lambda: _timed(FAMILIES[name], range(100), as_tuples=True), rounds=1)
    p50, p99 = np.percentile(times, [50, 99])
    figure(f"the first, pairs as tuples, up to {most // 1000} k pairs", f"{p50:.1f} / {p99:.1f} ms", "")


@pytest.mark.parametrize("name", HARD)
def test_hard(benchmark, figure, name):
    """The longest call of 40 seeds, how many were proven, the greatest gap of the rest."""
    times, found, _ = benchmark.pedantic(lambda: _timed(HARD[name], range(40)), rounds=1)
    gap = max(f.bound / f.value - 1 for f in found)
    proven = sum(f.proven for f in found)
    figure(f"hard: {name}, longest", f"{times.max():.0f} ms", "about 50 or less")
    figure(f"hard: {name}, proven; greatest gap", f"{proven} of 40; {gap:.2%}", "")
