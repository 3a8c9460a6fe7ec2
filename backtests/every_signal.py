"""The naive rule beside the strategy: every signal is taken, whatever it costs and whatever else is open.

The same snapshots, model, stops, sizes and exits; what is left out is the choice: break-even probabilities, net value
and correlation are not asked, and a halt for losses or drawdown stops neither of the two. Places and the risk budget
hold for both.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backtests.attribution import attribute
from backtests.profile import Profile
from backtests.replay import disposing, run_replay
from backtests.statistics import stationary_bootstrap
from backtests.statistics_report import figures_row, interval_text
from backtests.trade_statistics import trade_statistics
from catalog.store import Catalog
from strategies.candidates import Objective
from strategies.trade_log import Trade

SECOND_NS = 1_000_000_000
CONFIDENCE = 0.95
SELECTED, EVERY, ADVANTAGE = "selected by net value", "every signal", "advantage of selection"
NOTE = (
    "What the choice is worth: the same snapshots, model, stops and targets, once with setups chosen by their value "
    "after costs, once with every signal taken that is likely enough; a signal whose targets could not pay their costs "
    "is given them all the same. Halts for losses are off in both, so that neither is stopped where the other goes on. "
    f"In brackets {CONFIDENCE:.0%} intervals: of a sum by blocks of time as long as the time barrier, of an expectancy "
    "by trades. The advantage in the sum is taken block by block, as both meet the same market; that in expectancy "
    "treats the two as independent, which is careful. An advantage whose interval holds 0 is not shown."
)

type Interval = dict[str, float | None]
"""``value``, ``low`` and ``high``; None is what could not be known."""


@dataclass(frozen=True)
class Ruled:
    """What a rule did: the figures of `trade_statistics`, and the net of each block of time, account currency."""

    figures: dict[str, Any]
    blocks: list[float]


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
    """Replay both rules on `snapshots`, and say by name what `trade_statistics` says of all their trades.

    Each also has ``net_interval``, and the third entry is the advantage of selection over the other: ``net``,
    ``expectancy`` and ``expectancy_r``, each with its interval.
    """
    selected, every = both_rules(catalog, profile, snapshots, start_ns=start_ns, end_ns=end_ns, on_rows=on_rows)
    return compared(selected, every, seed=profile.replay.seed)


def both_rules(
    catalog: Catalog,
    profile: Profile,
    snapshots: Path,
    *,
    start_ns: int,
    end_ns: int,
    on_rows: Callable[[int, int], None] | None = None,
) -> tuple[Ruled, Ruled]:
    """Replay selection and every signal on `snapshots`."""
    ruled: list[Ruled] = []
    for number, every in enumerate((False, True)):

        def told(done: int, total: int, number: int = number) -> None:
            if on_rows is not None:
                on_rows(number * total + done, 2 * total)

        world = choosing(profile, every=every)
        replay = run_replay(catalog, world, start_ns=start_ns, end_ns=end_ns, decide_on=snapshots, on_rows=told)
        with disposing(replay):
            trades = replay.scalper.trades if replay.scalper is not None else []
            costs = [one.costs for one in attribute(trades, replay.venues, replay.engine.cache)]
            calibrated = replay.scalper is not None and replay.scalper.model.calibrated
            statistics = trade_statistics(
                trades,
                costs,
                probabilities=[trade.probability for trade in trades] if calibrated else None,
                confidence=CONFIDENCE,
                seed=profile.replay.seed,
            )
            horizon_ns = profile.scalper.candidates.horizon_seconds * SECOND_NS
            ruled.append(Ruled(statistics["overall"], net_by_block(trades, replay.span_ns, horizon_ns)))
    selected, all_signals = ruled
    return selected, all_signals


def net_by_block(trades: Sequence[Trade], span_ns: tuple[int, int], block_ns: int) -> list[float]:
    """Net of the trades that ended in each block of `span_ns` (UNIX ns), account currency; the last may be shorter.

    Trades that are still open count nowhere, as in `trade_statistics`.
    """
    start, end = span_ns
    blocks = [0.0] * ((end - start) // block_ns + 1)
    for trade in trades:
        if trade.exited and not trade.open_size:
            blocks[(min(trade.exit_ns, end) - start) // block_ns] += float(trade.net)
    return blocks


def compared(selected: Ruled, every: Ruled, *, seed: int) -> dict[str, dict[str, Any]]:
    """The figures of both rules with intervals of their sums, and what selection is ahead."""
    found = {
        name: one.figures | {"net_interval": sum_interval(one.blocks, seed=seed)}
        for name, one in ((SELECTED, selected), (EVERY, every))
    }
    found[ADVANTAGE] = {"net": advantage(selected.blocks, every.blocks, seed=seed)} | {
        name: _apart(selected.figures[name], every.figures[name]) for name in ("expectancy", "expectancy_r")
    }
    return found


def advantage(selected: Sequence[float], every: Sequence[float], *, seed: int) -> Interval:
    """The sum of what selection is ahead, block by block of the same time."""
    return sum_interval((np.array(selected) - np.array(every)).tolist(), seed=seed)


def sum_interval(blocks: Sequence[float], *, seed: int) -> Interval:
    """Of a sum over blocks of time, by the stationary bootstrap; without bounds for fewer than two."""
    count = len(blocks)
    if count < 2:
        return {"value": sum(blocks), "low": None, "high": None}
    low, high = stationary_bootstrap(blocks, confidence=CONFIDENCE, seed=seed)
    return {"value": sum(blocks), "low": count * low, "high": count * high}


def _apart(one: Interval, other: Interval) -> Interval:
    """One less the other with an interval made of theirs, as of independent figures.

    Each bound lies ``hypot`` of the two distances that lead there from the difference (Zou and Donner, "Construction of
    confidence intervals about effect measures", Statistics in Medicine 27, 2008).
    """
    value, low, high = one["value"], one["low"], one["high"]
    its, its_low, its_high = other["value"], other["low"], other["high"]
    if value is None or its is None:
        return {"value": None, "low": None, "high": None}
    if low is None or high is None or its_low is None or its_high is None:
        return {"value": value - its, "low": None, "high": None}
    return {
        "value": value - its,
        "low": value - its - math.hypot(value - low, its_high - its),
        "high": value - its + math.hypot(high - value, its - its_low),
    }


def selection_rows(selection: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Cells by column of the rules and of the advantage, of what `selection_beside_every_signal` gave."""
    rules = {name: selection[name] for name in (SELECTED, EVERY)}
    stated = any(figures["ppv"]["stated"] is not None for figures in rules.values())
    rows = {
        name: figures_row(figures, stated=stated) | {"net": interval_text(figures["net_interval"], 2)}
        for name, figures in rules.items()
    }
    ahead = selection[ADVANTAGE]
    cells = {
        "net": interval_text(ahead["net"], 2),
        "expectancy": interval_text(ahead["expectancy"], 2),
        "expectancy, R": interval_text(ahead["expectancy_r"], 3),
    }
    rows[ADVANTAGE] = {column: cells.get(column, "") for column in rows[SELECTED]}
    return rows
