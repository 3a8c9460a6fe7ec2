import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.candidates import CandidateSettings
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES
from strategies.flow.schema import Flip
from strategies.mirror import mirrored
from strategies.model_record import Floats
from strategies.scoring import (
    OPTIONAL,
    RULE,
    RULE_BARRIERS,
    Barriers,
    Model,
    RuleModel,
    rule_score,
    rule_scores,
)
from tests.strategies.conftest import snapshot_of
from tests.strategies.models import SCHEMA, rows, snapshots

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


# -- many at once, and as a model --------------------------------------------------------------------------------------


@given(snapshots(missing=True))
def test_many_at_once_are_the_scores_one_by_one(values: Floats) -> None:
    """A score in a batch has the bits of the score alone; NaN stands for none."""
    alone = [rule_score(FlowSnapshot(0, "BTC", row, "by hand")) for row in values]
    scores = [math.nan if score is None else score for score in alone]
    np.testing.assert_array_equal(rule_scores(values), scores)
    np.testing.assert_array_equal(rule_scores(np.tile(values, (40, 1))), scores * 40)  # as research does


def test_the_rule_as_a_model_by_hand() -> None:
    """Equal barriers, a slope of 4 and a score of 0.25: log-odds of 1 for the long, -1 for the short."""
    equal = Barriers(unit="bps", take_profit=20.0, stop=20.0, horizon_seconds=900)
    values = rows(CALM | {"perp_flow_short": 0.25, "trend_atr": 1.0}, CALM, CALM | {"obi_near_z": math.nan})
    found = RuleModel(SCHEMA, equal, slope=4.0).score(values)
    odds = math.e / (1 + math.e)
    np.testing.assert_allclose(found, [[odds, 1 - odds], [0.5, 0.5], [math.nan, math.nan]], rtol=1e-14)


def test_no_opinion_is_what_a_market_without_drift_gives() -> None:
    """At 1.5 R to 1 the target comes first in 1 of 2.5 cases; a score of 0.35 just has the probability to be traded."""
    model = RuleModel(SCHEMA)
    values = rows(CALM, {term.feature: 0.35 * term.scale for term in RULE})
    found = model.score(values)
    least = float(CandidateSettings().min_probability)
    np.testing.assert_allclose(found[0], [0.4, 0.4], rtol=1e-15)
    assert found[1, 0] == pytest.approx(least, abs=0.001)
    assert found[1, 0] >= least == 0.60


def test_the_default_barriers_are_those_of_a_profile() -> None:
    """A profile that says nothing has the target and the horizon of the rule's barriers."""
    settings = CandidateSettings()
    assert Decimal(RULE_BARRIERS.take_profit) == settings.target_r
    assert RULE_BARRIERS.horizon_seconds == settings.horizon_seconds


def test_it_says_that_it_is_uncalibrated() -> None:
    """In its name, for every output, and as a flag."""
    model: Model = RuleModel(SCHEMA)
    assert (model.name, model.calibrated, model.schema_id) == ("rule, uncalibrated", False, SCHEMA)


@given(snapshots(missing=True) | snapshots())
def test_the_mirrored_world_swaps_the_sides(values: Floats) -> None:
    """Long and short change places to the bit, and a row alone scores as in a batch."""
    model = RuleModel(SCHEMA)
    found = model.score(values)
    np.testing.assert_array_equal(model.score(mirrored(values)), found[:, ::-1])
    np.testing.assert_array_equal(np.concatenate([model.score(row[np.newaxis]) for row in values]), found)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20).map(sorted))
def test_it_rises_with_the_score(scores: list[float]) -> None:
    """The more the rule leans to a side, the more probable that side, and the less the other."""
    values = rows(*({term.feature: score * term.scale for term in RULE} for score in scores))
    long, short = RuleModel(SCHEMA).score(values).T
    assert (np.diff(long) >= -1e-15).all()
    assert (np.diff(short) <= 1e-15).all()


def test_wrong_shapes_and_slopes() -> None:
    """The error names what was given and what is needed."""
    with pytest.raises(ValueError, match=r"shape \(2, 3\): they must be \(n, 60\)"):
        rule_scores(np.zeros((2, 3)))
    for slope in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"slope must be a number above 0, got {slope}"):
            RuleModel(SCHEMA, slope=slope)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "R", "stop": 2.0}, "stop 2.0 must be 1 in R"),
        ({"unit": "ticks"}, "'bps', 'atr' or 'R'"),
        ({"take_profit": 0.0}, "greater than 0"),
        ({"take_profit": math.nan}, "finite number"),
        ({"horizon_seconds": 0}, "greater than 0"),
        ({"horizon_seconds": 86_401}, "less than or equal to 86400"),
        ({"trail": 1.0}, "Extra inputs"),
    ],
)
def test_barriers_that_are_none(changes: dict[str, Any], message: str) -> None:
    """The error says what is wrong with them."""
    given = {"unit": "bps", "take_profit": 30.0, "stop": 20.0, "horizon_seconds": 900} | changes
    with pytest.raises(ValidationError, match=message):
        Barriers.model_validate(given)
