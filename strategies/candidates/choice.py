"""Which candidates to trade together, and what kept the others out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from strategies.candidates.candidate import Candidate
from strategies.candidates.passed import Passed, Why
from strategies.candidates.settings import CandidateSettings
from strategies.checks import require_finite, require_not_negative, require_side
from strategies.selection import Selection, conflict_pairs, select


@dataclass(frozen=True)
class OpenPosition:
    """A position that is open or being entered: `side` +1 long, -1 short; `risk` is its loss at the stop, money."""

    asset: str
    side: int
    venue: str
    risk: Decimal

    def __post_init__(self) -> None:
        require_side(self.side)
        require_not_negative(risk=self.risk)


def choose(
    candidates: Sequence[Candidate],
    open_positions: Sequence[OpenPosition],
    correlation: Callable[[str, str], float],
    settings: CandidateSettings,
    *,
    equity: Decimal,
) -> tuple[list[Candidate], list[Passed]]:
    """The candidates of greatest summed value beside what is open, and why not, for each of the others.

    Places, budget (`risk_budget_fraction` of `equity`, account currency) and caps are what the open positions leave;
    a candidate that conflicts with one of them is out. `correlation` is as `conflict_pairs` wants it. What keeps a
    candidate out is looked up against what is open and chosen: every limit that adding it would break is in `detail`,
    and `why` is the first of them: conflict, cap of the venue, of the side, budget, places. Where none is, the search
    was cut off, and `detail` has the gap.
    """
    require_finite(equity=equity)
    rules = _Rules(candidates, open_positions, correlation, settings, equity)
    found = select(
        [candidates[k] for k in rules.free],
        max_positions=rules.places,
        risk_budget=rules.budget,
        conflicts=[
            (i, j) for i, a in enumerate(rules.free) for j, b in enumerate(rules.free[:i]) if b in rules.foes[a]
        ],
        caps=rules.caps,
    )
    chosen = [rules.free[k] for k in found.chosen]
    passed = [
        candidate.pass_over(*rules.why_not(k, chosen, found))
        for k, candidate in enumerate(candidates)
        if k not in chosen
    ]
    return [candidates[k] for k in chosen], passed


class _Rules:
    """What open positions leave, and what may not go together."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        open_positions: Sequence[OpenPosition],
        correlation: Callable[[str, str], float],
        settings: CandidateSettings,
        equity: Decimal,
    ) -> None:
        self._candidates, self._open, self._settings = candidates, open_positions, settings
        count = len(candidates)
        sides = [c.setup.side for c in candidates] + [p.side for p in open_positions]
        assets = [c.setup.asset for c in candidates] + [p.asset for p in open_positions]
        self.foes: list[set[int]] = [set() for _ in assets]
        for i, j in conflict_pairs(assets, sides, correlation, limit=settings.correlation_limit).tolist():
            self.foes[i].add(j)
            self.foes[j].add(i)
        self.free = [k for k in range(count) if all(foe < count for foe in self.foes[k])]
        number = {k: n for n, k in enumerate(self.free)}
        self.conflicts = [
            (number[foe], number[k]) for k in self.free for foe in sorted(self.foes[k]) if foe < k and foe in number
        ]
        self.places = max(settings.max_positions - len(open_positions), 0)
        self.budget = _not_above(
            equity * settings.risk_budget_fraction - sum((p.risk for p in open_positions), Decimal(0))
        )
        self.caps: list[tuple[set[int], int]] = []
        for most, key in ((settings.max_per_venue, "venue"), (settings.max_per_side, "side")):
            if most is None:
                continue
            for group in sorted({_of(candidates[k], key) for k in self.free}):
                members = {n for n, k in enumerate(self.free) if _of(candidates[k], key) == group}
                used = sum(str(getattr(p, key)) == group for p in open_positions)
                self.caps.append((members, max(most - used, 0)))

    def why_not(self, k: int, chosen: Sequence[int], found: Selection) -> tuple[Why, str]:
        candidate, count = self._candidates[k], len(self._candidates)
        if candidate.value <= 0:
            return Why.BREAK_EVEN, f"value {candidate.value} is not above zero"
        reasons: list[tuple[Why, str]] = []
        with_open = [self._open[foe - count] for foe in sorted(self.foes[k]) if foe >= count]
        with_chosen = [self._candidates[foe].setup for foe in sorted(self.foes[k]) if foe in chosen]
        reasons += [(Why.CONFLICT, f"with the open {_bet(p.asset, p.side)}") for p in with_open]
        reasons += [(Why.CONFLICT, f"with {_bet(s.asset, s.side)}, which was chosen") for s in with_chosen]
        for why, most, key in (
            (Why.VENUE_CAP, self._settings.max_per_venue, "venue"),
            (Why.SIDE_CAP, self._settings.max_per_side, "side"),
        ):
            mine = _of(candidate, key)
            taken = sum(str(getattr(p, key)) == mine for p in self._open)
            taken += sum(_of(self._candidates[c], key) == mine for c in chosen)
            if most is not None and taken >= most:
                reasons.append((why, f"{taken} of {most} taken"))
        staked = sum((_exact(self._candidates[c].risk) for c in chosen), Decimal(0))
        left = _exact(self.budget) - staked
        if _exact(candidate.risk) > left:
            reasons.append((Why.BUDGET, f"{candidate.risk:.6g} at risk, {left:.6g} left"))
        if len(chosen) >= self.places:
            reasons.append((Why.MAX_POSITIONS, f"{self._settings.max_positions} positions are open or chosen"))
        if not reasons:
            return Why.SEARCH, f"value {found.value:.6g} was found, no more than {found.bound:.6g} is possible"
        return reasons[0][0], "; ".join(f"{why.value}: {text}" for why, text in reasons)


def _of(candidate: Candidate, key: str) -> str:
    return candidate.venue if key == "venue" else str(candidate.setup.side)


def _bet(asset: str, side: int) -> str:
    return f"{asset} {'long' if side > 0 else 'short'}"


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))


def _not_above(amount: Decimal) -> float:
    """The nearest double whose text is no more than the amount."""
    near = float(amount)
    return near if _exact(near) <= amount else math.nextafter(near, -math.inf)
