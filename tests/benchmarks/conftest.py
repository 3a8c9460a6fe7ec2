"""The figures of the benchmarks as people read them: a table after pytest-benchmark's own."""

from collections.abc import Callable
from typing import Any

import pytest

LINES: list[tuple[str, str, str]] = []


@pytest.fixture
def figure() -> Callable[[str, str, str], None]:
    """Note a figure for the closing table: what was measured, the figure, what is aimed at."""
    return lambda what, value, aim: LINES.append((what, value, aim))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if LINES:
        terminalreporter.section("figures (CPU time; best of the rounds)")
        width = max(len(what) for what, _, _ in LINES)
        for what, value, aim in LINES:
            terminalreporter.write_line(f"{what:<{width}}  {value:>24}  {aim}")
