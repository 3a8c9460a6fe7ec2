"""The rules of the house, held by the test run."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


def test_no_room_imports_what_stands_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import contracts of pyproject.toml hold."""
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


def test_dependencies_are_pinned_with_hashes_and_name_no_index() -> None:
    """Every requirement of the lock has a version and a hash, and nothing in it says where it came from."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    names = [line for line in lines if line and line[0] not in "# "]
    assert len(names) > 40
    assert all("==" in name and name.endswith("\\") for name in names)
    assert not [line for line in lines if "://" in line or "index" in line or "find-links" in line]


def test_the_lock_is_the_one_that_was_installed() -> None:
    """What runs here is what the lock names (ours and the engine's main packages)."""
    from importlib.metadata import version

    lock = (ROOT / "requirements.lock").read_text()
    for package in ("nautilus-trader", "numpy", "numba", "pyarrow", "pydantic"):
        assert f"{package}=={version(package)} " in lock, package


@pytest.mark.parametrize(
    "script",
    [
        "catalog/ingest.py",
        "catalog/inspect.py",
        "catalog/sample_market.py",
        "backtests/run.py",
        "backtests/audit.py",
        "backtests/features.py",
        "backtests/why_not.py",
        "live/halts.py",
        "adapters/loopback/serve.py",
        "adapters/mexc/smoke.py",
    ],
)
def test_commands_run_as_scripts_from_anywhere(script: str, tmp_path: Path) -> None:
    """`python path/to/script.py --help` works from another folder: no room shadows the standard library."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, str(ROOT / script), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
