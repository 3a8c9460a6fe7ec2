"""The naive rule beside the strategy: every signal is taken, whatever it costs and whatever else is open.

The same snapshots, model, stops, sizes and exits; what is left out is the choice: break-even probabilities, net value
and correlation are not asked, and a halt for losses or drawdown stops neither of the two. Places and the risk budget
hold for both.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backtests.attribution import attribute
from backtests.profile import Profile
from backtests.replay import disposing, run_replay
from backtests.trade_statistics import trade_statistics
from catalog.store import Catalog
from strategies.candidates import Objective

SELECTED, EVERY = "selected by net value", "every signal"
NOTE = (
    "What the choice is worth: the same snapshots, model, stops and exits, once with setups chosen by their value "
    "after costs, once with every signal taken that is likely enough. Halts for losses are off in both, so that "
    "neither is stopped where the other goes on."
)


def choosing(profile: Profile, *, every: bool) -> Profile:
    """The profile as one of the two rules."""
    candidates = replace(profile.scalper.candidates, objective=Objective.NET_VALUE)
    if every:
        candidates = replace(candidates, objective=Objective.EVERY, correlation_limit=1.0)
    guards = profile.guards.model_copy(
        update={
            "daily_drawdown": profile.guards.daily_drawdown.model_copy(update={"enabled": False}),
            "consecutive_losses": profile.guards.consecutive_losses.model_copy(update={"enabled": False}),
        }
    )
    scalper = profile.scalper.model_copy(update={"candidates": candidates})
    return profile.model_copy(update={"scalper": scalper, "guards": guards})


def selection_beside_every_signal(
    catalog: Catalog,
    profile: Profile,
    snapshots: Path,
    *,
    start_ns: int,
    end_ns: int,
    on_rows: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Replay both rules on `snapshots`: what `trade_statistics` says of all their trades, by name."""
    found: dict[str, dict[str, Any]] = {}
    for number, (name, every) in enumerate(((SELECTED, False), (EVERY, True))):

        def told(done: int, total: int, number: int = number) -> None:
            if on_rows is not None:
                on_rows(number * total + done, 2 * total)

        world = choosing(profile, every=every)
        replay = run_replay(catalog, world, start_ns=start_ns, end_ns=end_ns, decide_on=snapshots, on_rows=told)
        with disposing(replay):
            trades = replay.scalper.trades if replay.scalper is not None else []
            costs = [one.costs for one in attribute(trades, replay.venues, replay.engine.cache)]
            found[name] = trade_statistics(trades, costs, seed=profile.replay.seed)["overall"]
    return found
