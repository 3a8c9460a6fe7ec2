"""The naive rule beside the strategy, and what honest probabilities leave to trade."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtests.attribution import attribute
from backtests.every_signal import (
    ADVANTAGE,
    EVERY,
    SELECTED,
    Ruled,
    choosing,
    compared,
    net_by_block,
    selection_beside_every_signal,
    selection_rows,
)
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import disposing, run_replay
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from strategies.candidates import Objective
from strategies.features import schema_id
from strategies.model_folder import save_model
from strategies.model_manifest import FORMAT_VERSION, RuleManifest
from strategies.scoring import RULE_BARRIERS
from tests.strategies.conftest import SECOND, at
from tests.strategies.trade_rows import enter, leave, planned

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
    assert list(found) == [SELECTED, EVERY, ADVANTAGE]
    assert found[EVERY]["count"] >= found[SELECTED]["count"] > 1
    for name in (SELECTED, EVERY):
        assert found[name]["net_interval"]["value"] == pytest.approx(found[name]["net"])
        assert found[name]["net_interval"]["low"] < found[name]["net"] < found[name]["net_interval"]["high"]
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


def test_the_rule_loses_about_its_costs(lively: Path, tmp_path: Path) -> None:
    """Where nothing can be known (edge 0) its trades lose, and with their costs given back are worth nothing within
    three standard errors."""
    write_sample_market(tmp_path / "market", seed=7, hours=0.4, assets=1, edge=0.0)
    profile = choosing(load_profile(lively), every=True)
    replay = run_replay(Catalog(tmp_path / "market"), profile, **WHOLE)
    with disposing(replay):
        assert replay.scalper is not None
        trades = replay.scalper.trades
        costs = attribute(trades, replay.venues, replay.engine.cache)
    nets = np.array([float(trade.net) for trade in trades])
    before = nets + np.array([float(one.costs.total) for one in costs])
    assert len(nets) > 20
    assert nets.mean() < 0
    assert abs(before.mean()) < 3 * before.std(ddof=1) / len(before) ** 0.5


def figures(count: int, net: float, expectancy: Mapping[str, float | None]) -> dict[str, Any]:
    """Of a rule, as `trade_statistics` gives them."""
    unknown = {"value": None, "low": None, "high": None}
    return {
        "count": count, "effective": float(count), "net": net, "expectancy": expectancy, "expectancy_r": expectancy,
        "win_rate": unknown, "ppv": unknown | {"stated": None}, "profit_factor": None, "holding_seconds": None,
        "cost": None,
    }  # fmt: skip


def test_the_advantage_is_a_difference_with_an_interval_of_both() -> None:
    """1 (0 to 4) less -3 (-6 to 1): 4, down by hypot(1, 4) and up by hypot(3, 3)."""
    selected = Ruled(figures(2, 2.0, {"value": 1.0, "low": 0.0, "high": 4.0}), [1.0, 0.0, 1.0])
    every = Ruled(figures(3, -9.0, {"value": -3.0, "low": -6.0, "high": 1.0}), [-4.0, -5.0, -4.0])
    ahead = compared(selected, every, seed=1)[ADVANTAGE]
    assert ahead["expectancy_r"]["value"] == 4.0
    assert ahead["expectancy_r"]["low"] == pytest.approx(4 - 17**0.5)
    assert ahead["expectancy_r"]["high"] == pytest.approx(4 + 18**0.5)


def test_the_advantage_in_the_sum_is_taken_block_by_block() -> None:
    """What moves both rules alike is no doubt about their difference: five in every block, and no width."""
    selected = Ruled(figures(0, 0.0, {"value": None, "low": None, "high": None}), [1.0, -20.0, 7.0, 0.0])
    every = Ruled(figures(4, -32.0, {"value": -8.0, "low": -9.0, "high": -7.0}), [-4.0, -25.0, 2.0, -5.0])
    found = compared(selected, every, seed=1)
    assert found[ADVANTAGE]["net"] == pytest.approx({"value": 20.0, "low": 20.0, "high": 20.0})
    assert found[EVERY]["net_interval"]["low"] < -32 < found[EVERY]["net_interval"]["high"]


def test_a_rule_that_took_nothing_has_a_sum_but_no_expectancy() -> None:
    """Nothing lost is known; what a trade would have been worth is not."""
    unknown: dict[str, float | None] = {"value": None, "low": None, "high": None}
    every = {"value": -8.0, "low": -9.0, "high": -7.0}
    found = compared(Ruled(figures(0, 0.0, unknown), [0.0] * 4), Ruled(figures(4, -32.0, every), [-8.0] * 4), seed=1)
    assert found[ADVANTAGE]["expectancy_r"] == unknown
    rows = selection_rows(found)
    assert list(rows) == [SELECTED, EVERY, ADVANTAGE]
    assert {len(row) for row in rows.values()} == {len(rows[SELECTED])}
    assert rows[ADVANTAGE]["net"] == "32.00 (32.00 to 32.00)"
    assert rows[ADVANTAGE]["expectancy, R"] == "-"
    assert rows[ADVANTAGE]["trades"] == ""


def test_nets_go_to_the_block_in_which_their_trade_ended() -> None:
    """Trades that end after 10 and 50 seconds in blocks of 20; one that is still open counts nowhere."""
    closed = []
    for seconds in (0, 40):
        trade = planned(seconds=seconds)
        enter(trade, 100, at(seconds))
        leave(trade, 101, at(seconds + 10))
        closed.append(trade)
    still_open = planned(seconds=50)
    enter(still_open, 100, at(50))
    found = net_by_block([*closed, still_open], (at(0), at(60)), 20 * SECOND)
    assert found == [float(closed[0].net), 0.0, float(closed[1].net), 0.0]
