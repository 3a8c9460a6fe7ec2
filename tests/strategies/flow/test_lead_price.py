"""Lead price on events made by hand."""

import pytest

from tests.strategies.flow.world import Book, World


def test_price_and_spread() -> None:
    """999.9 to 1000.3: mid 1000.1, spread 0.4, that is 4 / 1000.1 × 1000 bps."""
    world = World()
    world.warm()
    world.books(11, Book({9_999: 1.0}, {10_003: 1.0}))
    snapshot = world.features(11)
    assert snapshot["price"] == pytest.approx(1000.1)
    assert snapshot["spread_bps"] == pytest.approx(0.4 / 1000.1 * 1e4)
