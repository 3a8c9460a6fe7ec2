"""The subset of greatest summed value under a count, a risk budget, mutual exclusion and caps: exact, in whole numbers.

Branch and bound, depth first, the best candidate taken before it is left out. The candidates still open at a node are
the bits of an int, so that "nothing that conflicts" and "nothing that costs more than is left" are each one AND. A node
is dropped when no completion can beat the best subset found. What a completion can add is bounded from above by

- the best values, one per clique (a set in which each excludes all others, so at most one is taken), of as many as
  there are places left and as the cheapest risks of all would let in;
- the same with risk at a price: ``price × risk left + Σ max(0, value - price × risk)`` holds for any price >= 0, and at
  the best price is the fractional knapsack with that count and those cliques (linear programming duality; Martello and
  Toth, Knapsack Problems, 1990, ch. 2).

A first pass has price 0. Only if it does not finish, the price that makes the root's bound least is looked for, and a
second pass starts from the best known with the candidates in order of ``value - price × risk``.

Everything that decides is an int, and the doubles that choose the price are rounded the same everywhere: the same input
visits the same nodes on every machine.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

FIRST_PASS_NODES = 1_500  # about what the price and a second pass cost to set up
CLIQUE_TRIES = 8  # cliques of its best neighbours that a candidate tries to join
PRICE_STEPS = 14  # of a golden section: the best price to a thousandth of its range
PRICE_BITS = 40  # of a price's fraction, in units of value per unit of risk


@dataclass(frozen=True)
class Found:
    """The best subset (positions, rising), its value, an upper bound on any, and whether the search was finished."""

    chosen: tuple[int, ...]
    value: int
    bound: int
    proven: bool


@dataclass(frozen=True)
class Problem:
    """Positions 0..n-1 with `values` > 0 and `risks` in [0, budget]; `excludes` is symmetric, of shape (n, n),
    true on its diagonal.

    A cap is positions and the most that may be taken of them, at least 1.
    """

    values: Sequence[int]
    risks: Sequence[int]
    budget: int
    slots: int
    excludes: NDArray[np.bool_]
    caps: Sequence[tuple[Sequence[int], int]] = ()


def best_subset(problem: Problem, node_limit: int) -> Found:
    """The subset of greatest value; of equal ones that with the lexicographically smallest positions.

    After `node_limit` nodes it is the best one found, `proven` is False and `bound` the greatest of the open nodes.
    """
    first = min(node_limit, FIRST_PASS_NODES)
    plain = _Pass(problem)
    found = plain.search(Found((), 0, 0, False), first)
    if found.proven or node_limit == first:
        return found
    again = _Pass(problem, plain.cliques, _price(problem, plain.cliques)).search(found, node_limit - first)
    return Found(again.chosen, again.value, min(found.bound, again.bound), again.proven)


class _Pass:
    """One search at one price. Bit r of every mask is the candidate of rank r by `value - price × risk`."""

    def __init__(self, problem: Problem, cliques: list[int] | None = None, price: int = 0) -> None:
        self.problem = problem
        self.price = price
        self.unit = 1 << PRICE_BITS if price else 1
        n = len(problem.values)
        net = [value * self.unit - price * risk for value, risk in zip(problem.values, problem.risks, strict=True)]
        self.order = sorted(range(n), key=net.__getitem__, reverse=True)  # stable: of equal ones the first position
        self.rank = [0] * n
        for r, k in enumerate(self.order):
            self.rank[k] = r
        self.net = [net[k] for k in self.order]
        self.excluded = _masks(problem.excludes[self.order][:, self.order])
        self.cliques = _cliques(self.order, self.excluded) if cliques is None else cliques
        members = [0] * n
        for r, k in enumerate(self.order):
            members[self.cliques[k]] |= 1 << r
        self.outside = [~members[self.cliques[k]] for k in self.order]
        by_risk = sorted(range(n), key=problem.risks.__getitem__)
        self.sorted_risks = [problem.risks[k] for k in by_risk]
        self.cheapest = [0, *accumulate((1 << self.rank[k] for k in by_risk), int.__or__)]  # the q of least risk
        self.before = [0, *accumulate((1 << r for r in self.rank), int.__or__)]  # positions below q
        self.least_sums = list(accumulate(self.sorted_risks))
        self.caps = [(sum(1 << self.rank[k] for k in group), most) for group, most in problem.caps]

    def search(self, known: Found, node_limit: int) -> Found:
        values, risks = self.problem.values, self.problem.risks
        order, excluded, cheapest, sorted_risks = self.order, self.excluded, self.cheapest, self.sorted_risks
        best, chosen = known.value, known.chosen
        stack = [((1 << len(order)) - 1, self.problem.slots, self.problem.budget, 0, 0)]
        nodes = 0
        while stack and nodes < node_limit:
            nodes += 1
            open_, slots, left, value, taken = stack.pop()
            slots = min(slots, bisect_right(self.least_sums, left))
            bound, weakest = self._bound(open_, slots, left, value, best)
            spare = bound - best * self.unit
            if spare < 0:
                continue
            if spare < self.unit:  # at most a tie, and of that only what adds no less than `weakest` less `spare`
                able = (1 << bisect_right(self.net, spare - weakest, key=int.__neg__)) - 1
                if not self._may_precede(chosen, taken, open_ & able, slots):
                    continue
            bit = open_ & -open_
            rank = bit.bit_length() - 1
            if open_ != bit:
                stack.append((open_ ^ bit, slots, left, value, taken))
            left -= risks[order[rank]]
            value += values[order[rank]]
            taken |= bit
            if value >= best:
                subset = self._positions(taken)
                if value > best or subset < chosen:
                    best, chosen = value, subset
            if slots > 1:
                open_ &= ~excluded[rank] & cheapest[bisect_right(sorted_risks, left)]
                for group, most in self.caps:
                    if bit & group and (taken & group).bit_count() == most:
                        open_ &= ~group
                if open_:
                    stack.append((open_, slots - 1, left, value, taken))
        open_bounds = [self._bound(open_, slots, left, value)[0] // self.unit for open_, slots, left, value, _ in stack]
        return Found(chosen, best, max([best, *open_bounds]), not stack)

    def _bound(self, open_: int, slots: int, left: int, value: int, best: int | None = None) -> tuple[int, int]:
        """No completion of the node is worth more (it stops adding where it is above `best`); the least that it added.

        Both in 1 / unit. To hold a candidate that adds less, a completion gives up at least the difference.
        """
        net, outside = self.net, self.outside
        total, weakest = value * self.unit + self.price * left, 0
        enough = math.inf if best is None else (best + 1) * self.unit
        while open_ and slots and total < enough:
            rank = (open_ & -open_).bit_length() - 1
            if net[rank] <= 0:
                weakest = 0
                break
            weakest = net[rank]
            total += weakest
            open_ &= outside[rank]
            slots -= 1
        return total, weakest

    def _may_precede(self, chosen: tuple[int, ...], taken: int, open_: int, slots: int) -> bool:
        """Whether `taken` with the `slots` first positions of `open_`, the earliest completion, precedes `chosen`."""
        for position in chosen:
            earlier = self.before[position]
            if taken & earlier or (slots and open_ & earlier):
                return True
            bit = 1 << self.rank[position]
            if taken & bit:
                taken ^= bit
            elif slots and open_ & bit:
                open_ ^= bit
                slots -= 1
            else:
                return False
        return False

    def _positions(self, mask: int) -> tuple[int, ...]:
        found = []
        while mask:
            bit = mask & -mask
            found.append(self.order[bit.bit_length() - 1])
            mask ^= bit
        return tuple(sorted(found))


def _masks(rows: NDArray[np.bool_]) -> list[int]:
    """Each row as an int whose bit k is the row's k-th cell."""
    packed = np.packbits(rows, axis=1, bitorder="little")
    width, data = packed.shape[1], packed.tobytes()
    return [int.from_bytes(data[k * width : (k + 1) * width], "little") for k in range(len(rows))]


def _cliques(order: list[int], excluded: list[int]) -> list[int]:
    """The number of each position's clique: greedily, by rank, in that of its best neighbour that takes it."""
    numbers, members = [0] * len(order), list[int]()
    for rank, (position, row) in enumerate(zip(order, excluded, strict=True)):
        neighbours, number = row & ((1 << rank) - 1), len(members)
        for _ in range(CLIQUE_TRIES):
            if not neighbours:
                break
            tried = numbers[order[(neighbours & -neighbours).bit_length() - 1]]
            if members[tried] & row == members[tried]:
                number = tried
                break
            neighbours &= ~members[tried]
        if number == len(members):
            members.append(0)
        members[number] |= 1 << rank
        numbers[position] = number
    return numbers


def _price(problem: Problem, cliques: list[int]) -> int:
    """The price of risk (value × 2^-PRICE_BITS per unit) at which the bound of the whole problem is least."""
    if not problem.budget:
        return 0
    top = max(problem.values)
    values = np.array([value / top for value in problem.values])
    risks = np.array([risk / problem.budget for risk in problem.risks])
    slots = min(problem.slots, bisect_right(list(accumulate(sorted(problem.risks))), problem.budget))

    def bound(price: float) -> float:
        best = np.zeros(max(cliques) + 1)
        np.maximum.at(best, cliques, values - price * risks)
        return price + math.fsum(np.sort(best)[-slots:].tolist())

    price = _least(bound, 0.0, bound(0.0))
    if bound(price) >= bound(0.0):
        return 0
    return (int(price * (1 << PRICE_BITS)) * top) // problem.budget


def _least(convex: Callable[[float], float], low: float, high: float) -> float:
    """Where a convex function is about least, by golden section."""
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(PRICE_STEPS):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if convex(a) <= convex(b) else (a, high)
    return (low + high) / 2
