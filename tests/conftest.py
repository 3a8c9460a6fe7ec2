"""How tests run here: hypothesis without a stopwatch, because a busy machine is no fault of the code, and long files
first, so that two workers end at the same time."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

LONG_FILES = (
    "strategies/test_built_in_market.py",
    "backtests/test_selection_by_value.py",
    "backtests/test_honesty.py",
    "backtests/test_identity.py",
    "backtests/test_look_ahead.py",
    "backtests/test_recorded_captures.py",
    "backtests/test_recorded_books.py",
    "catalog/test_market_facts.py",
    "adapters/mexc/test_fault_campaign.py",
    "adapters/mexc/test_execution_faults.py",
)
"""Few tests that take long: workers that are given whole files would come to them last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, everything else in its order."""
    here = Path(__file__).parent
    items.sort(key=lambda item: str(item.path.relative_to(here)) not in LONG_FILES)
