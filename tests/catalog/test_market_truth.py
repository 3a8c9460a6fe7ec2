"""The truth of a built-in market: beside the catalog, whole or not at all, and the same as what was planted."""

from decimal import Decimal
from pathlib import Path

import pytest

from catalog.ledger import CatalogError
from catalog.market_episodes import Episode, EpisodeKind
from catalog.market_model import SampleMarket
from catalog.market_truth import Truth, load_truth, truth_beside, truth_path, write_truth
from catalog.market_walls import Wall

EPISODE = Episode("BTC", EpisodeKind.SQUEEZE, -1, 100, 200, 300, -0.0012)
WALL = Wall("DOGEUSDT-PERP.BINANCE", "ask", Decimal("0.14801"), Decimal(25000), 100, 250, real=False)


def truth_of(market: SampleMarket) -> Truth:
    truth = Truth()
    for _ in market.chunks(truth=truth):
        pass
    return truth


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """All fields, prices and sizes digit by digit; empty lists too."""
    for name, truth in (("some", Truth([EPISODE], [WALL, WALL])), ("none", Truth())):
        write_truth(tmp_path / name, truth)
        assert load_truth(tmp_path / name) == truth


def test_the_truth_is_beside_the_catalog() -> None:
    """The name of the catalog with .truth after it, also for a catalog whose name has a dot."""
    assert truth_path(Path("/data/my.market")) == Path("/data/my.market.truth")
    assert truth_path(Path("/data/market/")) == Path("/data/market.truth")


def test_it_gets_its_name_when_the_block_ends(tmp_path: Path) -> None:
    """Staged under another name until then, and no trace of that afterwards."""
    with truth_beside(tmp_path / "catalog") as stage:
        stage(Truth([EPISODE], [WALL]))
        assert not (tmp_path / "catalog.truth").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.truth"]
    assert load_truth(tmp_path / "catalog.truth") == Truth([EPISODE], [WALL])


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """A catalog that could not be written has no truth."""

    def fail() -> None:
        with truth_beside(tmp_path / "catalog") as stage:
            stage(Truth([EPISODE], []))
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_truth_is_never_written_over(tmp_path: Path) -> None:
    """The error names the directory and what to do."""
    write_truth(tmp_path / "catalog.truth", Truth([EPISODE], []))
    with (
        pytest.raises(CatalogError, match=r"catalog\.truth holds the truth of another sample: give a new directory"),
        truth_beside(tmp_path / "catalog"),
    ):
        pass
    assert load_truth(tmp_path / "catalog.truth").episodes == [EPISODE]


def test_no_truth_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """A directory that is not one."""
    with pytest.raises(CatalogError, match=r"holds no truth: episodes\.parquet is missing"):
        load_truth(tmp_path)


def test_a_smaller_sample_has_part_of_the_truth_of_a_larger_one() -> None:
    """Fewer hours: what began before the end, cut there. Fewer venues or assets: the rest unchanged."""
    larger = truth_of(SampleMarket(seed=3, hours=1.5, assets=2))
    assert larger.episodes
    shorter = SampleMarket(seed=3, hours=1.1, assets=2)
    truth = truth_of(shorter)
    begun = [w for w in larger.walls if w.start_ns < shorter.end_ns]
    assert [(w.instrument_id, w.start_ns, w.price, w.size, w.real) for w in truth.walls] == [
        (w.instrument_id, w.start_ns, w.price, w.size, w.real) for w in begun
    ]
    assert [w.end_ns for w in truth.walls] == [min(w.end_ns, shorter.end_ns) for w in begun]
    starts = [(e.asset, e.kind, e.start_ns) for e in larger.episodes if e.start_ns < shorter.end_ns]
    assert [(e.asset, e.kind, e.start_ns) for e in truth.episodes] == starts
    narrower = truth_of(SampleMarket(seed=3, hours=1.5, assets=1, venues=("BYBIT",)))
    assert narrower.episodes == [e for e in larger.episodes if e.asset == "BTC"]
    assert narrower.walls == [
        w for w in larger.walls if w.instrument_id.startswith("BTC") and "BYBIT" in w.instrument_id
    ]


def test_the_edge_changes_neither_episodes_nor_when_walls_come() -> None:
    """Same seed, no edge: the same script, drifts of zero."""
    with_edge, without = (truth_of(SampleMarket(seed=3, hours=1.5, assets=2, edge=edge)) for edge in (1.0, 0.0))
    assert {e.drift for e in without.episodes} == {0.0}
    assert any(e.drift != 0.0 for e in with_edge.episodes)
    assert [(e.kind, e.start_ns, e.end_ns) for e in with_edge.episodes] == [
        (e.kind, e.start_ns, e.end_ns) for e in without.episodes
    ]
    assert all(e.drift * e.direction >= 0.0 for e in with_edge.episodes)
