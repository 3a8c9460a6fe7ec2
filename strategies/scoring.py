"""The rule score: a transparent, uncalibrated opinion on the next minutes, from the snapshot alone.

It is no probability and nobody fitted it. It says which way taker flow, resting orders and trend lean together, so that
the system has something to trade before a model is trained. Taker-flow imbalance moves the price of the same seconds
(Cont, Kukanov and Stoikov, 2014); that it predicts the next ones is the hypothesis, not a finding.
"""

import math
from dataclasses import dataclass

from strategies.features import FlowSnapshot


@dataclass(frozen=True)
class Term:
    """One part of the score: a feature divided by `scale`, clipped to [-1, 1], times `weight`. All features flip sign
    with the side, so the score of a short is minus that of a long."""

    feature: str
    scale: float
    weight: float


RULE: tuple[Term, ...] = (
    Term("perp_flow_short", 0.5, 0.30),
    Term("spot_flow_short", 0.5, 0.20),
    Term("perp_flow_long", 0.3, 0.15),
    Term("obi_near_z", 2.5, 0.15),
    Term("obi_far_z", 2.5, 0.10),
    Term("trend_atr", 1.0, 0.10),
)
OPTIONAL = frozenset({"spot_flow_short"})  # an asset may have no spot market, or a quiet one: then it has no say


def rule_score(snapshot: FlowSnapshot) -> float | None:
    """The score in [-1, 1] (above zero: long), or None where an input is missing.

    The weights of optional inputs that are missing are spread over the others, so the range stays the same.
    """
    total = weight = 0.0
    for term in RULE:
        value = snapshot[term.feature]
        if math.isnan(value):
            if term.feature in OPTIONAL:
                continue
            return None
        total += term.weight * max(-1.0, min(1.0, value / term.scale))
        weight += term.weight
    return total / weight
