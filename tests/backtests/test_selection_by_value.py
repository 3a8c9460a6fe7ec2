"""What selection by net value is worth where probabilities are honest, on built-in markets that the model never saw.

The models of :mod:`tests.backtests.fitted_model`, on other seeds. The planted edge is five times the default: at the
default one costs swallow what was planted, and an honest model finds nothing to trade. Run with ``-s`` for the figures.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backtests.every_signal import advantage, both_rules, compared, selection_rows, sum_interval
from backtests.fees import load_fee_schedules
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from strategies.candidates import Touch
from strategies.candidates.touch import least_break_even
from strategies.features import schema_id
from strategies.flow.groups import FEATURES
from strategies.model_folder import load_model
from strategies.trained_model import TrainedModel
from tests.backtests.fitted_model import SIGNAL, Floats, Outcomes, Played, folder_of, outcomes_of, played, reliability

EDGE, SEEDS = 5.0, (2000, 2001)
TRADED = ["SOL", "XRP", "DOGE"]  # of five; BTC and ETH have most of the events, and the least room for costs
WHOLE = {"start_ns": 0, "end_ns": EVERYTHING[1]}
_AT = {feature.name: k for k, feature in enumerate(FEATURES)}


@dataclass(frozen=True)
class Unseen:
    """A market that the model was not fitted on, what the model states of it, and what became of that."""

    market: Played
    model: TrainedModel
    stated: Floats
    outcomes: Outcomes


def unseen(folder: Path, edge: float, *, seed: int, hours: float, assets: int) -> Unseen:
    """Another market of the edge of a model."""
    profile = load_profile()
    model = load_model(folder_of(edge), schema_id=schema_id(profile.flow))
    assert isinstance(model, TrainedModel)
    market = played(folder, profile, seed=seed, hours=hours, assets=assets, edge=edge)
    outcomes = outcomes_of(market, profile)
    return Unseen(market, model, model.score(outcomes.values), outcomes)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[Unseen]:
    folder = tmp_path_factory.mktemp("planted")
    return [unseen(folder, EDGE, seed=seed, hours=3.0, assets=5) for seed in SEEDS]


def least_needed(values: Floats, profile: Profile) -> Floats:
    """The probability that each snapshot needs at the very least: that of its fees at the best prices."""
    fees = load_fee_schedules().fees("BINANCE", "perp", profile.venues["BINANCE"].fee_tier)
    taker, maker = float(fees.taker), float(fees.maker)
    found = []
    for row in values:
        price, half = row[_AT["price"]], row[_AT["price"]] * row[_AT["spread_bps"]] / 2e4
        touch = Touch("BINANCE", price - half, price + half, 0.0, taker, maker, None, None)
        found.append(least_break_even(touch, row[_AT["atr"]], 0, profile.scalper.candidates))
    return np.array(found)


def test_without_an_edge_nothing_qualifies(tmp_path: Path) -> None:
    """A model of markets where nothing can be known states nothing that would pay the fees alone."""
    nothing = unseen(tmp_path, 0.0, seed=SEEDS[0], hours=2.0, assets=3)
    needed = least_needed(nothing.outcomes.values, load_profile())
    most = nothing.stated.max(axis=1)
    print(f"\nedge 0: at most {most.max():.3f} is stated, at least {needed.min():.3f} is needed")
    assert len(needed) > 1_000
    assert (most < needed).all()


def test_what_is_stated_of_markets_never_seen_comes_true(planted: list[Unseen]) -> None:
    """On average the target is touched about as often as stated; where more is stated it is touched more often."""
    came_true = np.concatenate([one.outcomes.won.ravel() for one in planted])
    stated = np.concatenate([one.stated.ravel() for one in planted])
    bins = reliability(stated, came_true, (0.0, 0.2, 0.4, 0.6, 1.01))
    for one in bins:
        print(f"\n{one.count} setups: stated {one.stated:.3f}, came true {one.came_true:.3f}", end="")
    assert abs(stated.mean() - came_true.mean()) < 0.1
    assert [one.came_true for one in bins] == sorted(one.came_true for one in bins)
    assert bins[-1].count > 50
    assert bins[-1].came_true > 2 * came_true.mean()


def test_selection_by_net_value_beats_taking_every_signal(planted: list[Unseen]) -> None:
    """Over the markets together its advantage is above zero with its whole interval, and every signal loses as surely,
    in all and in each trade of each market. Of what a trade that was selected is worth nothing is asserted: they are
    few."""
    body, metrics = load_profile().model_dump(mode="json"), planted[0].model.manifest.metrics
    body["replay"]["assets"] = TRADED
    body["scalper"]["model"] = str(folder_of(EDGE))
    body["scalper"]["candidates"]["min_probability"] = f"{SIGNAL * metrics['base_rate']:.4f}"
    profile = Profile.model_validate(body)
    selected, every = [], []
    for one in planted:
        chosen, signals = both_rules(one.market.catalog, profile, one.market.snapshots, **WHOLE)
        for name, row in selection_rows(compared(chosen, signals, seed=profile.replay.seed)).items():
            print(f"\n{name}: {row}", end="")
        assert 0 < chosen.figures["count"] < signals.figures["count"]
        assert signals.figures["expectancy_r"]["high"] < 0
        selected += chosen.blocks
        every += signals.blocks
    ahead, lost = advantage(selected, every, seed=profile.replay.seed), sum_interval(every, seed=profile.replay.seed)
    print(f"\ntogether: ahead {ahead}, every signal {lost}")
    assert ahead["low"] > 0
    assert lost["high"] < 0
