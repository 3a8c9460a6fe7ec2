import numpy as np
import pytest
from hypothesis import given

from strategies.flow.groups import FEATURES
from strategies.mirror import mirrored
from strategies.model_record import Floats
from tests.strategies.models import AT, rows, snapshots


@pytest.mark.parametrize(
    ("name", "value", "becomes", "of"),
    [
        ("perp_flow_short", 0.25, -0.25, "perp_flow_short"),
        ("spread_bps", 0.25, 0.25, "spread_bps"),
        ("rsi", 70.0, 30.0, "rsi"),
        ("bollinger_b", 1.25, -0.25, "bollinger_b"),
        ("bid_wall_bps", 12.0, 12.0, "ask_wall_bps"),
        ("absorption", 0.5, 0.5, "distribution"),
    ],
)
def test_by_hand(name: str, value: float, becomes: float, of: str) -> None:
    """Each kind of flip, and nothing else has a value after it."""
    found = mirrored(rows({name: value}))[0]
    assert found[AT[of]] == becomes
    assert np.isnan(found).sum() == len(FEATURES) - 1


@given(snapshots(missing=True))
def test_twice_is_the_same_again(values: Floats) -> None:
    """The mirror of the mirror is the world, to the bit where no difference is rounded; a vector alone or a table."""
    np.testing.assert_array_equal(mirrored(mirrored(values)), values)
    np.testing.assert_array_equal(mirrored(values[0]), mirrored(values)[0])
