"""What the schema promises."""

from collections import Counter

import numpy as np
import pytest

from indicators.kernel import chained, kernel, new_states
from strategies.flow.groups import FEATURES, GROUPS
from strategies.flow.schema import Flip


def test_there_are_40_to_60_features() -> None:
    """Enough to say something, few enough to look at."""
    assert 40 <= len(FEATURES) <= 60


def test_names_are_unique() -> None:
    """Features and groups have names of their own."""
    for names in ([f.name for f in FEATURES], [g.name for g in GROUPS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_features_are_documented() -> None:
    """Each has a unit, a warm-up, inputs and a meaning."""
    for f in FEATURES:
        assert f.unit, f.name
        assert f.warm_up, f.name
        assert f.inputs, f.name
        assert f.meaning, f.name


def test_features_that_swap_have_each_other() -> None:
    """A partner has the feature as its partner, and nothing else has one."""
    by_name = {f.name: f for f in FEATURES}
    for f in FEATURES:
        if f.flip is Flip.SWAP:
            assert by_name[f.partner or ""].partner == f.name
        else:
            assert f.partner is None


@kernel
def _double(state, x):
    state.value = 2.0 * x


@kernel
def _add(state, x):
    state.value += x


@pytest.mark.parametrize(("order", "expected"), [([_double, _add], 9.0), ([_add, _double], 6.0)])
def test_chained_kernels_run_in_order(order, expected) -> None:
    """From 0 with 3: doubled and added 9, added and doubled anew 6."""
    run = chained(f"run_{expected:.0f}", "state, x", [(function, "state, x") for function in order], __file__)
    states = new_states(np.dtype([("value", "f8")]))
    run(states[0], 3.0)
    assert states["value"][0] == expected
