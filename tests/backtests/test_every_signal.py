"""The naive rule beside the strategy, and what honest probabilities leave to trade."""

from decimal import Decimal
from pathlib import Path

import pytest

from backtests.every_signal import EVERY, SELECTED, choosing, selection_beside_every_signal
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import disposing, run_replay
from catalog.store import Catalog
from strategies.candidates import Objective
from strategies.features import schema_id
from strategies.model_folder import save_model
from strategies.model_manifest import FORMAT_VERSION, RuleManifest
from strategies.scoring import RULE_BARRIERS

WHOLE = {"start_ns": 0, "end_ns": EVERYTHING[1]}


@pytest.fixture(scope="module")
def snapshots(sample: Path, lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("every") / "snapshots.parquet"
    replay = run_replay(Catalog(sample), load_profile(lively), snapshots=path, **WHOLE)
    replay.engine.dispose()
    return path


def test_both_rules_are_replayed_on_the_same_snapshots(sample: Path, lively: Path, snapshots: Path) -> None:
    """Every signal is at least as many trades as a choice of them; each row has its interval; progress only grows."""
    seen: list[int] = []
    profile = load_profile(lively)
    found = selection_beside_every_signal(
        Catalog(sample), profile, snapshots, on_rows=lambda done, _: seen.append(done), **WHOLE
    )
    assert list(found) == [SELECTED, EVERY]
    assert found[EVERY]["count"] >= found[SELECTED]["count"] > 1
    assert found[EVERY]["expectancy_r"]["low"] < found[EVERY]["expectancy_r"]["high"]
    assert seen == sorted(seen)


def test_the_rules_differ_in_the_choice_alone(lively: Path) -> None:
    """Neither is stopped by its losses; sizes, stops, places and budget are the profile's in both."""
    profile = load_profile(lively)
    selected, every = choosing(profile, every=False), choosing(profile, every=True)
    assert (selected.scalper.candidates.objective, every.scalper.candidates.objective) == (
        Objective.NET_VALUE,
        Objective.EVERY,
    )
    assert every.scalper.candidates.correlation_limit == 1.0
    for one in (selected, every):
        assert not one.guards.daily_drawdown.enabled
        assert not one.guards.consecutive_losses.enabled
        assert one.scalper.candidates.max_positions == profile.scalper.candidates.max_positions
        assert one.scalper.candidates.stop == profile.scalper.candidates.stop


def test_nothing_qualifies_where_probabilities_are_honest(sample: Path, lively: Path, tmp_path: Path) -> None:
    """A model without an opinion says what a market without drift gives, 0.4 for 1.5 R, and that never pays a cost."""
    profile = load_profile(lively)
    body, schema = profile.model_dump(mode="json"), schema_id(profile.flow)
    manifest = RuleManifest(format_version=FORMAT_VERSION, schema_id=schema, barriers=RULE_BARRIERS, slope=1e-9)
    save_model(tmp_path / "honest", manifest)
    body["scalper"]["model"] = str(tmp_path / "honest")
    body["scalper"]["candidates"]["min_probability"] = "0"
    replay = run_replay(Catalog(sample), Profile.model_validate(body), **WHOLE)
    with disposing(replay):
        assert replay.scalper is not None
        assert replay.scalper.trades == []
        passed = replay.scalper.passed
        assert passed["break-even"] + passed["cost"] > 100
        assert passed["probability"] == 0


@pytest.mark.parametrize("min_probability", ["0.57"])
def test_the_rule_loses_about_its_costs(sample: Path, lively: Path, snapshots: Path, min_probability: str) -> None:
    """Before costs its trades are worth nothing within three standard errors; after them they lose."""
    profile = choosing(load_profile(lively), every=True)
    assert profile.scalper.candidates.min_probability == Decimal(min_probability)
    replay = run_replay(Catalog(sample), profile, decide_on=snapshots, **WHOLE)
    with disposing(replay):
        assert replay.scalper is not None
        rows = [trade.to_row() for trade in replay.scalper.trades]
    gross = [row["gross"] for row in rows]
    mean = sum(gross) / len(gross)
    error = (sum((g - mean) ** 2 for g in gross) / (len(gross) - 1) / len(gross)) ** 0.5
    assert len(rows) > 5
    assert abs(mean) < 3 * error
    assert all(row["fees"] > 0 for row in rows)
