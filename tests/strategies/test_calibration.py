import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from strategies.calibration import Calibrator, Isotonic, Platt, Temperature, Uncalibrated
from strategies.model_record import Floats

CALIBRATOR: TypeAdapter[Calibrator] = TypeAdapter(Calibrator)
LOG_3 = math.log(3)


def test_uncalibrated_by_hand() -> None:
    """Odds of 3 to 1 are 0.75; missing stays missing."""
    np.testing.assert_allclose(Uncalibrated().apply(np.array([0.0, LOG_3, np.nan])), [0.5, 0.75, np.nan], rtol=1e-15)


def test_platt_by_hand() -> None:
    """Twice the log-odds: 3 to 1 become 9 to 1, and a shift of log 3 makes them 3 to 1 again."""
    assert Platt(on="log-odds", a=-2.0, b=0.0).apply(np.array([LOG_3])) == pytest.approx(0.9)
    assert Platt(on="log-odds", a=-2.0, b=LOG_3).apply(np.array([LOG_3])) == pytest.approx(0.75)


def test_platt_on_probabilities_by_hand() -> None:
    """Fitted on probabilities it sees 0.75 where the log-odds are log 3: 4 × 0.75 - 3 is even."""
    assert Platt(on="probability", a=-4.0, b=3.0).apply(np.array([LOG_3])) == pytest.approx(0.5)


def test_temperature_by_hand() -> None:
    """At a temperature of 2 odds of 9 to 1 are 3 to 1."""
    assert Temperature(temperature=2.0).apply(np.array([2 * LOG_3])) == pytest.approx(0.75)


KNOTS: dict[str, Any] = {"on": "log-odds", "x": (-1.0, 0.0, 2.0), "y": (0.1, 0.3, 0.7)}


@pytest.mark.parametrize(
    ("between", "probabilities"),
    [("linear", [0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 0.7]), ("step", [0.1, 0.1, 0.1, 0.3, 0.3, 0.7, 0.7])],
)
def test_isotonic_by_hand(between: Any, probabilities: list[float]) -> None:
    """Knots at -1, 0 and 2, flat beyond; missing stays missing."""
    found = Isotonic(between=between, **KNOTS).apply(np.array([-5, -1, -0.5, 0, 0.5, 2, 5, np.nan]))
    np.testing.assert_allclose(found, [*probabilities, np.nan], rtol=1e-15)


@pytest.mark.parametrize("between", ["linear", "step"])
def test_isotonic_of_one_knot_is_flat(between: Any) -> None:
    """A model that tells nothing apart has one probability."""
    one = Isotonic(on="probability", between=between, x=(0.5,), y=(0.25,))
    assert one.apply(np.array([-9.0, 0.0, 9.0])).tolist() == [0.25] * 3


# -- scikit-learn as the oracle ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted() -> tuple[LogisticRegression, Floats, Floats]:
    """A model, and data of its kind that it has not seen."""
    random = np.random.default_rng(11)
    x = random.normal(size=(1_200, 2))
    y = (random.uniform(size=1_200) < 1 / (1 + np.exp(-1.5 * x[:, 0] + 0.5))).astype(float)
    return LogisticRegression(C=0.01).fit(x[:400], y[:400]), x[400:], y[400:]


def oracle_of(fitted: tuple[LogisticRegression, Floats, Floats], method: Any) -> tuple[Any, Floats, Floats]:
    """The calibrator that scikit-learn fits, the model's log-odds, and what the two make of them."""
    model, x, y = fitted
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(x, y)
    (pair,) = calibrated.calibrated_classifiers_
    return pair.calibrators[0], model.decision_function(x), calibrated.predict_proba(x)[:, 1]


def test_platt_as_scikit_learn(fitted: tuple[LogisticRegression, Floats, Floats]) -> None:
    """Its "sigmoid", with its a and b."""
    theirs, log_odds, probabilities = oracle_of(fitted, "sigmoid")
    ours = Platt(on="log-odds", a=float(theirs.a_), b=float(theirs.b_))
    np.testing.assert_allclose(ours.apply(log_odds), probabilities, rtol=1e-13)


def test_temperature_as_scikit_learn(fitted: tuple[LogisticRegression, Floats, Floats]) -> None:
    """Its "temperature"; the classes of a decision function lie twice as far apart as the log-odds say."""
    theirs, log_odds, probabilities = oracle_of(fitted, "temperature")
    ours = Temperature(temperature=1 / (2 * float(theirs.beta_)))
    np.testing.assert_allclose(ours.apply(log_odds), probabilities, rtol=1e-12)


@pytest.mark.parametrize("on", ["log-odds", "probability"])
def test_isotonic_as_scikit_learn(fitted: tuple[LogisticRegression, Floats, Floats], on: Any) -> None:
    """IsotonicRegression's curve through its thresholds, clipped at the ends, on either scale."""
    model, x, y = fitted
    log_odds = model.decision_function(x)
    output = log_odds if on == "log-odds" else Uncalibrated().apply(log_odds)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(output, y)
    ours = Isotonic(on=on, between="linear", x=tuple(theirs.X_thresholds_), y=tuple(theirs.y_thresholds_))
    new = np.linspace(-4, 4, 999)
    expected = theirs.predict(new if on == "log-odds" else Uncalibrated().apply(new))
    np.testing.assert_allclose(ours.apply(new), expected, atol=1e-12)


# -- what must hold for all --------------------------------------------------------------------------------------------

SCALES = st.sampled_from(["log-odds", "probability"])
Y_OF_KNOTS = st.floats(0, 1)


@st.composite
def isotonics(draw: st.DrawFn) -> Isotonic:
    x = sorted(draw(st.sets(st.floats(-20, 20), min_size=1, max_size=12)))
    y = sorted(draw(st.lists(Y_OF_KNOTS, min_size=len(x), max_size=len(x))))
    between: Any = draw(st.sampled_from(["linear", "step"]))
    on: Any = draw(SCALES)
    return Isotonic(on=on, between=between, x=tuple(x), y=tuple(y))


ALL_KINDS = st.one_of(
    st.just(Uncalibrated()),
    st.builds(lambda on, a, b: Platt(on=on, a=-a, b=b), SCALES, st.floats(1e-3, 1e3), st.floats(-50, 50)),
    st.builds(lambda t: Temperature(temperature=t), st.floats(1e-2, 1e2)),
    isotonics(),
)


@given(ALL_KINDS, st.lists(st.floats(-50, 50) | st.just(np.nan), min_size=1, max_size=20))
def test_probabilities_that_rise_row_by_row(calibrator: Any, log_odds: list[float]) -> None:
    """Within [0, 1], never falling (exponentials are good to an ulp or two), NaN for NaN, alone as in a batch."""
    found = calibrator.apply(np.array(log_odds))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(log_odds))
    np.testing.assert_array_equal(np.concatenate([calibrator.apply(np.array([z])) for z in log_odds]), found)
    present = calibrator.apply(np.array(sorted(z for z in log_odds if not math.isnan(z))))
    assert ((present >= 0) & (present <= 1)).all()
    assert (np.diff(present) >= -4 * np.finfo(float).eps * present[1:]).all()


@given(isotonics(), st.data())
def test_a_curve_goes_through_its_knots(curve: Isotonic, data: st.DataObject) -> None:
    """At a knot the probability is the knot's, to the bit, on the scale of the knots."""
    on_log_odds = curve.model_copy(update={"on": "log-odds"})
    k = data.draw(st.integers(0, len(curve.x) - 1))
    assert on_log_odds.apply(np.array([curve.x[k]]))[0] == curve.y[k]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "beta"}, "beta"),
        ({"kind": "platt", "on": "log-odds", "a": 0.0, "b": 0.0}, "less than 0"),
        ({"kind": "platt", "on": "odds", "a": -1.0, "b": 0.0}, "'log-odds' or 'probability'"),
        ({"kind": "temperature", "temperature": 0.0}, "greater than 0"),
        ({"kind": "isotonic", "between": "cubic"} | KNOTS, "'linear' or 'step'"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"y": [0.1, 0.3]}, "x has 3 knots and y 2"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"x": [0, 0, 1]}, r"x\[1\] 0.0 must be above .* 0.0"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"y": [0.1, 0.3, 0.2]}, r"y\[2\] 0.2 must not be below"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"y": [0.1, 0.3, 1.1]}, "less than or equal to 1"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"x": [], "y": []}, "at least 1 item"),
        ({"kind": "isotonic", "between": "step"} | KNOTS | {"x": [0] * 10_001}, "at most 10000 items"),
    ],
)
def test_refused(given: dict[str, Any], message: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(ValidationError, match=message):
        CALIBRATOR.validate_json(json.dumps(given))
