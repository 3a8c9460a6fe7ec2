"""docs/features.md says what the schema says."""

from strategies.flow.groups import FEATURES
from strategies.flow.guide import PATH, STALE, markdown
from strategies.flow.schema import Input


def test_the_page_is_current() -> None:
    """Run `make features` when this fails."""
    assert PATH.read_text(encoding="utf-8") == markdown()


def test_every_feature_and_input_is_on_it() -> None:
    """Nothing is left out."""
    page = markdown()
    assert all(f"| `{feature.name}`" in page for feature in FEATURES)
    assert set(STALE) == set(Input)
