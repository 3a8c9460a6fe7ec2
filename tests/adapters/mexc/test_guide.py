"""``docs/mexc.md`` names what is assumed, what is measured, and nothing else."""

import re
from pathlib import Path

from adapters.mexc import assumptions, errors
from adapters.mexc.smoke_checks import CHECKS

GUIDE = (Path(__file__).parents[3] / "docs" / "mexc.md").read_text()


def section(title: str) -> str:
    """From a heading to the next."""
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_assumption_is_listed() -> None:
    names = {name for name in vars(assumptions) if name.isupper()}
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", section("What is assumed"))) == names


def test_every_experiment_is_listed() -> None:
    listed = re.findall(r"\| `([a-z_]+)`[^|]*\|$", section("What must be measured"), re.MULTILINE)
    assert sorted(listed) == sorted(check.work.__name__ for check in CHECKS)


def test_every_error_that_an_operator_can_meet_is_listed() -> None:
    """Those below `MexcStateError` go with it."""
    named = set(re.findall(r"`(Mexc\w+Error)`", section("When something goes wrong")))
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MexcError)}
    with_it = {kind for kind in kinds if issubclass(kind, errors.MexcStateError) and kind is not errors.MexcStateError}
    assert named == {kind.__name__ for kind in kinds - with_it - {errors.MexcError, errors.MexcRefusedError}}
