from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from backtests.attribution import TradeCosts
from backtests.costs import Costs
from backtests.profile import load_profile
from backtests.summary import summarise
from strategies.halt_notes import HaltNote
from strategies.trade_log import Trade
from tests.strategies.conftest import START, at
from tests.strategies.trade_rows import enter, leave, planned


def trade(asset: str, gross: str, reason: str, *, closed: bool = True) -> Trade:
    """A long of 1 at 100 with 10 at risk and fees of 1 that made `gross`."""
    made = planned(asset=asset, reason=reason)
    enter(made, 100, at(5), fee=1)
    if closed:
        leave(made, 100 + Decimal(gross), at(9))
    return made


UNCALIBRATED = SimpleNamespace(name="rule, uncalibrated", calibrated=False)
TRAINED = SimpleNamespace(name="by hand", calibrated=True)


def replay(trades: list[Trade] | None, model: Any = UNCALIBRATED, **others: Any) -> Any:
    """As much of a finished replay as is summed up."""
    what = ("tripped", "flat", "tripped", "expired")
    halts = [HaltNote(at(5), said, "kill_file", "all", "by hand", "nothing") for said in what]
    scalper = SimpleNamespace(trades=trades, passed={"conflict": 2, "busy": 1}, halts=halts, model=model)
    fields = {
        "scalper": None if trades is None else scalper,
        "recorder": None if trades is None else SimpleNamespace(count=12, schema_id="abc"),
        "universe": SimpleNamespace(assets={"BTC": (), "ETH": ()}, left_out={"X": "why"}),
        "span_ns": (START, at(60)),
        "rows": 1_000,
        "cpu_seconds": 0.5,
        "wall_seconds": 0.75,
        "venues": {},
    }
    return SimpleNamespace(**fields | others)


def test_figures_by_hand() -> None:
    """Two winners of 9 and 4 net and a loser of 11: net 2, a win rate of two thirds, a mean of a fifteenth R."""
    trades = [trade("BTC", "10", "target"), trade("BTC", "-10", "stop"), trade("ETH", "5", "time")]
    summary = summarise(replay(trades), load_profile(), "somewhere")
    figures = summary["trades"]
    assert (figures["count"], figures["gross"], figures["fees"], figures["net"]) == (3, 5.0, 3.0, 2.0)
    assert figures["win_rate"] == pytest.approx(2 / 3)
    assert figures["mean_r"] == pytest.approx(2 / 30)
    assert {asset: f["net"] for asset, f in summary["by_asset"].items()} == {"BTC": -2.0, "ETH": 4.0}
    assert summary["exits"] == Counter(target=1, stop=1, time=1)
    assert summary["not_taken"] == {"busy": 1, "conflict": 2}
    assert summary["halts"] == {"kill_file": 2}
    assert summary["left_out"] == {"X": "why"}
    assert (summary["snapshots"], summary["schema_id"], summary["seed"]) == (12, "abc", 7)
    assert summary["rows_per_cpu_second"] == 2_000
    assert (summary["start_ns"], summary["end_ns"]) == (START, at(60))


def test_breaking_even_is_no_win() -> None:
    """A gross of 1 pays the fee of 1 and nothing else."""
    assert summarise(replay([trade("BTC", "1", "time")]), load_profile(), "")["trades"]["win_rate"] == 0.0


def test_without_a_trade_rates_are_none() -> None:
    """Missing is not zero; sums of nothing are."""
    figures = summarise(replay([]), load_profile(), "")["trades"]
    assert figures == {
        "count": 0,
        "win_rate": None,
        "net": 0.0,
        "gross": 0.0,
        "fees": 0.0,
        "funding": 0.0,
        "mean_r": None,
    }


def test_a_bare_run_has_no_snapshots() -> None:
    """Without our actor and strategy there are rows and times alone."""
    summary = summarise(replay(None, cpu_seconds=0.0), load_profile(), "")
    assert (summary["snapshots"], summary["schema_id"], summary["rows_per_cpu_second"]) == (0, None, None)
    assert (summary["score"], summary["calibrated"]) == (None, None)
    assert summary["not_taken"] == summary["halts"] == {}


def test_only_a_calibrated_model_states_probabilities() -> None:
    """The model's name is told; what the rule states is no probability that wins could be held against."""
    trades = [trade("BTC", "10", "target"), trade("BTC", "-10", "stop")]
    for model, stated in ((UNCALIBRATED, None), (TRAINED, 0.6)):
        summary = summarise(replay(trades, model), load_profile(), "")
        assert (summary["score"], summary["calibrated"]) == (model.name, model.calibrated)
        assert summary["statistics"]["overall"]["ppv"]["stated"] == stated


def test_what_is_not_simulated_is_said() -> None:
    """A part that the profile switched off is in the summary by its name; of an honest profile there is nothing."""
    profile = load_profile()
    off = profile.model_copy(update={"simulation": profile.simulation.model_copy(update={"latency": False})})
    assert summarise(replay([]), off, "")["not_simulated"] == {"latency": "switched off in the profile"}
    assert summarise(replay([]), profile, "")["not_simulated"] == {}


def test_statistics_are_of_the_closed_trades() -> None:
    """Overall and by group, with the costs of the trades; one that is open is only counted."""
    trades = [trade("BTC", "10", "target"), trade("ETH", "-5", "stop"), trade("BTC", "0", "", closed=False)]
    costs = [TradeCosts(Costs(fees=Decimal(k)), 0) for k in (1, 2, 9)]
    found = summarise(replay(trades), load_profile(), "", costs)["statistics"]
    assert (found["overall"]["count"], found["open"], found["overall"]["net"]) == (2, 1, 3.0)
    assert found["overall"]["cost"] == 1.5
    assert list(found["groups"]["reason"]) == ["stop", "target"]
    assert summarise(replay(None), load_profile(), "")["statistics"]["overall"]["count"] == 0
