"""What a trade is worth, and how sure that is: overall and by venue, asset, side, hour of entry and reason of exit.

Plain data for ``summary.json``. A figure with an interval is ``{"value", "low", "high"}``; None is what could not be
known. Trades that are still open have no result and are only counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests.costs import Costs
from backtests.statistics import effective_count, stationary_bootstrap, wilson
from strategies.trade_log import Trade

HOUR_NS = 3_600_000_000_000
SECOND_NS = 1_000_000_000
CELLS = 4_000_000  # of all resamples of one interval: over 2,000 trades there are fewer than the usual 2,000 resamples


@dataclass(frozen=True)
class _Outcome:
    """A closed trade, money in account currency."""

    trade: Trade
    net: float
    r: float | None
    cost: float | None
    probability: float | None
    predicted: bool  # a positive prediction led to it


GROUPS: dict[str, Callable[[Trade], str]] = {
    "venue": lambda trade: trade.instrument_id.rpartition(".")[2],
    "asset": lambda trade: trade.asset,
    "side": lambda trade: "long" if trade.side > 0 else "short",
    "hour": lambda trade: f"{trade.entry_ns // HOUR_NS % 24:02d}",  # UTC, of the entry
    "reason": lambda trade: trade.reason,
}
"""What trades are grouped by."""


def trade_statistics(
    trades: Sequence[Trade],
    costs: Sequence[Costs] = (),
    *,
    probabilities: Sequence[float | None] | None = None,
    confidence: float = 0.95,
    seed: int,
) -> dict[str, Any]:
    """``overall`` and ``groups``, by what and which; of each the figures that follow.

    `costs` (none: not known) and `probabilities`, those that a calibrated model stated for a trade, are in the order of
    `trades`. Money is in account currency, and every result is after all costs.

    - ``count``; ``effective``: what that is worth, as trades that are open together share what happens. All assets
      count as sharing it fully, because they move together: that is careful, the truth lies between the two.
    - ``net``; ``expectancy``, its mean, and ``expectancy_r``, in R (the loss at the stop before costs), with stationary
      bootstraps in order of exit; no interval for one trade.
    - ``win_rate``: the share that was profitable after costs, with Wilson's interval for the effective count.
    - ``ppv``: positive predictive value, the same share of the trades that had a stated probability, beside the mean of
      that as ``stated``. Where no trade of all had one, taking it is the prediction: all of them, and ``stated`` None.
    - ``profit_factor``: gains over losses, None where nothing was lost; ``holding_seconds``, the mean from first entry
      to last exit; ``cost``, the mean of what execution cost.

    Ninety-five of a hundred such intervals cover the truth: with many groups some lie beside it. Raises ValueError for
    costs or probabilities that are not as many as the trades, and a probability outside [0, 1].
    """
    outcomes = _outcomes(trades, costs, probabilities)
    groups: dict[str, dict[str, Any]] = {}
    for name, key in GROUPS.items():
        keys = [key(outcome.trade) for outcome in outcomes]
        groups[name] = {
            one: _figures([o for o, k in zip(outcomes, keys, strict=True) if k == one], confidence, seed)
            for one in sorted(set(keys))
        }
    return {
        "confidence": confidence,
        "open": len(trades) - len(outcomes),
        "overall": _figures(outcomes, confidence, seed),
        "groups": groups,
    }


def _outcomes(
    trades: Sequence[Trade], costs: Sequence[Costs], probabilities: Sequence[float | None] | None
) -> list[_Outcome]:
    """Closed trades in order of exit."""
    for name, given in (("costs", costs), ("probabilities", probabilities)):
        if given and len(given) != len(trades):
            raise ValueError(f"{len(given)} {name} for {len(trades)} trades")
    stated = probabilities or [None] * len(trades)
    known = [p for p in stated if p is not None]
    wrong = [p for p in known if not 0 <= p <= 1]
    if wrong:
        raise ValueError(f"a probability must lie in [0, 1], got {wrong[0]}")
    outcomes = []
    for number, (trade, probability) in enumerate(zip(trades, stated, strict=True)):
        if trade.exited and not trade.open_size:
            row = trade.to_row()
            cost = float(costs[number].total) if costs else None
            predicted = probability is not None or not known
            outcomes.append(_Outcome(trade, row["net"], row["r"], cost, probability, predicted))
    return sorted(outcomes, key=lambda o: (o.trade.exit_ns, o.trade.entry_ns, o.trade.instrument_id))


def _figures(outcomes: Sequence[_Outcome], confidence: float, seed: int) -> dict[str, Any]:
    nets = [o.net for o in outcomes]
    rs = [o.r for o in outcomes if o.r is not None]
    costs = [o.cost for o in outcomes if o.cost is not None]
    holding = [(o.trade.exit_ns - o.trade.entry_ns) / SECOND_NS for o in outcomes]
    lost = -sum(net for net in nets if net < 0)
    stated = [o.probability for o in outcomes if o.probability is not None]
    return {
        "count": len(outcomes),
        "effective": _effective(outcomes),
        "net": float(sum(nets)),
        "expectancy": _mean_interval(nets, confidence, seed),
        "expectancy_r": _mean_interval(rs, confidence, seed),
        "win_rate": _share_interval(outcomes, confidence),
        "ppv": _share_interval([o for o in outcomes if o.predicted], confidence) | {"stated": _mean(stated)},
        "profit_factor": sum(net for net in nets if net > 0) / lost if lost else None,
        "holding_seconds": _mean(holding),
        "cost": _mean(costs),
    }


def _effective(outcomes: Sequence[_Outcome]) -> float:
    return effective_count([o.trade.entry_ns for o in outcomes], [o.trade.exit_ns for o in outcomes])


def _mean_interval(values: Sequence[float], confidence: float, seed: int) -> dict[str, float | None]:
    if len(values) < 2:
        return {"value": _mean(values), "low": None, "high": None}
    resamples = min(2_000, max(500, CELLS // len(values)))
    low, high = stationary_bootstrap(values, confidence=confidence, resamples=resamples, seed=seed)
    return {"value": _mean(values), "low": low, "high": high}


def _share_interval(outcomes: Sequence[_Outcome], confidence: float) -> dict[str, float | None]:
    if not outcomes:
        return {"value": None, "low": None, "high": None}
    share = sum(o.net > 0 for o in outcomes) / len(outcomes)
    effective = _effective(outcomes)
    low, high = wilson(share * effective, effective, confidence)
    return {"value": share, "low": low, "high": high}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
