import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.flow.groups import FEATURES
from strategies.flow.schema import Flip
from strategies.scoring import OPTIONAL, RULE, rule_score
from tests.strategies.conftest import snapshot_of

CALM = {term.feature: 0.0 for term in RULE}
FEATURE_VALUES = st.fixed_dictionaries({term.feature: st.floats(-10, 10) for term in RULE})


def test_by_hand() -> None:
    """Half a scale of short perp flow and all of the trend: 0.5 × 0.30 + 1 × 0.10."""
    assert rule_score(snapshot_of(CALM | {"perp_flow_short": 0.25, "trend_atr": 1.0})) == pytest.approx(0.25)


def test_one_term_is_clipped() -> None:
    """Ten scales of one feature count as one: its weight is the most that it can say."""
    assert rule_score(snapshot_of(CALM | {"obi_near_z": -25.0})) == pytest.approx(-0.15)


@pytest.mark.parametrize("name", [term.feature for term in RULE if term.feature not in OPTIONAL])
def test_a_missing_input_is_no_score(name: str) -> None:
    """Missing is not zero."""
    assert rule_score(snapshot_of(CALM | {name: math.nan})) is None


def test_without_spot_the_others_speak_for_it() -> None:
    """Short perp flow at full scale weighs 0.30 of the remaining 0.80."""
    missing = {"perp_flow_short": 0.5, "spot_flow_short": math.nan}
    assert rule_score(snapshot_of(CALM | missing)) == pytest.approx(0.375)


def test_only_features_that_flip_are_scored() -> None:
    """Every term changes its sign with the side, and the weights sum to one."""
    flips = {f.name: f.flip for f in FEATURES}
    assert {flips[term.feature] for term in RULE} == {Flip.NEGATE}
    assert sum(term.weight for term in RULE) == pytest.approx(1.0)


@given(FEATURE_VALUES, st.booleans())
def test_within_one_and_antisymmetric(values: dict[str, float], has_spot: bool) -> None:
    """The score is in [-1, 1], and that of the mirrored world is its negative, to the bit."""
    if not has_spot:
        values |= {"spot_flow_short": math.nan}
    score = rule_score(snapshot_of(values))
    assert score is not None
    assert abs(score) <= 1.0
    assert rule_score(snapshot_of({name: -value for name, value in values.items()})) == -score


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("has_spot", [True, False])
def test_the_ends_of_the_range_are_reached(side: float, has_spot: bool) -> None:
    """All terms at full scale are a score of one."""
    values = {term.feature: side * term.scale for term in RULE}
    if not has_spot:
        values["spot_flow_short"] = math.nan
    assert rule_score(snapshot_of(values)) == pytest.approx(side)
