"""The figures of a replay, for the table, ``summary.json`` and the report."""

import platform
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import numpy as np

from backtests.attribution import TradeCosts, by_venue
from backtests.cost_forecast import cost_errors
from backtests.profile import Profile
from backtests.replay import Replay
from backtests.simulation import SimulatedVenue
from backtests.trade_statistics import trade_statistics
from catalog.times import format_ns
from strategies.guards import What
from strategies.trade_log import Trade


def summarise(replay: Replay, profile: Profile, catalog: str, costs: Sequence[TradeCosts] = ()) -> dict[str, Any]:
    """Plain data. Money is in USDT; ``win_rate`` and the like are None where there was no trade.

    `costs` are those of the trades, in their order. ``score`` names the model; what it states counts as a probability
    only where it is ``calibrated``. ``halts`` counts how often each guard tripped.
    """
    scalper = replay.scalper
    trades = scalper.trades if scalper is not None else []
    model = scalper.model if scalper is not None else None
    stated = [t.probability for t in trades] if model is not None and model.calibrated else None
    tripped = [note.guard for note in scalper.halts if note.what == What.TRIPPED] if scalper is not None else []
    start, end = replay.span_ns
    return {
        "catalog": catalog,
        "start": format_ns(start),
        "end": format_ns(end),
        "start_ns": start,
        "end_ns": end,
        "rows": replay.rows,
        "snapshots": replay.recorder.count if replay.recorder is not None else 0,
        "schema_id": replay.recorder.schema_id if replay.recorder is not None else None,
        "seed": profile.replay.seed,
        "wall_seconds": round(replay.wall_seconds, 3),
        "cpu_seconds": round(replay.cpu_seconds, 3),
        "rows_per_cpu_second": round(replay.rows / replay.cpu_seconds) if replay.cpu_seconds else None,
        "score": model.name if model is not None else None,
        "calibrated": model.calibrated if model is not None else None,
        "trades": _figures(trades),
        "by_asset": {a: _figures([t for t in trades if t.asset == a]) for a in replay.universe.assets}
        if trades
        else {},
        "exits": dict(sorted(Counter(t.reason for t in trades).items())),
        "not_taken": dict(sorted(scalper.passed.items())) if scalper is not None else {},
        "halts": dict(sorted(Counter(tripped).items())),
        "statistics": trade_statistics(
            trades, [c.costs for c in costs], probabilities=stated, seed=profile.replay.seed
        ),
        "cost_forecast": cost_errors(trades, costs) if costs else {},
        "costs": {name: c.as_floats() for name, c in by_venue(trades, costs).items()} if costs else {},
        "accounts": {v.name: _account(v) for v in replay.venues.values()},
        "latency_ms": {v.name: _latency(v) for v in replay.venues.values() if v.connection is not None},
        "refused": {v.name: dict(v.client.refusals) for v in replay.venues.values() if v.client.refusals},
        "liquidations": {v.name: len(v.liquidations) for v in replay.venues.values() if v.liquidations},
        "not_simulated": _not_simulated(replay, profile),
        "unattributed_fills": sum(c.unattributed for c in costs),
        "left_out": replay.universe.left_out,
        "versions": {
            "python": platform.python_version(),
            "nautilus_trader": version("nautilus_trader"),
            "numba": version("numba"),
        },
    }


def _figures(trades: list[Trade]) -> dict[str, Any]:
    nets = [t.net for t in trades]
    wins = sum(n > 0 for n in nets)
    rs = [r for t in trades if (r := t.to_row()["r"]) is not None]
    return {
        "count": len(trades),
        "win_rate": wins / len(trades) if trades else None,
        "net": float(sum(nets)) if trades else 0.0,
        "gross": float(sum(t.gross for t in trades)) if trades else 0.0,
        "fees": float(sum(t.fees for t in trades)) if trades else 0.0,
        "funding": float(sum(t.funding for t in trades)) if trades else 0.0,
        "mean_r": sum(rs) / len(rs) if rs else None,
    }


def _account(venue: SimulatedVenue) -> dict[str, float]:
    """The exact books of an account; open positions at their marks."""
    ledger = venue.ledger
    open_profit = venue.open_profit()
    return {
        "start": float(ledger.start),
        "realised": float(ledger.realised),
        "fees": float(ledger.fees),
        "funding": float(ledger.funding),
        "open": float(open_profit),
        "equity": float(ledger.balance + open_profit),
    }


def _latency(venue: SimulatedVenue) -> dict[str, float | int | None]:
    """What commands took, in ms: drawn, and from sending to the book that they met (drawn, feed, and waiting)."""
    transits = venue.connection.transits if venue.connection is not None else []
    drawn = np.array([t.drawn_ns for t in transits]) / 1e6
    whole = np.array([t.arrival_ns - t.sent_ns for t in transits]) / 1e6
    figures: dict[str, float | int | None] = {"commands": len(transits), "feed": venue.feed_ms}
    for name, values in (("drawn", drawn), ("whole", whole)):
        for label, share in (("median", 0.5), ("p99", 0.99)):
            figures[f"{name}_{label}"] = float(np.quantile(values, share)) if len(values) else None
    return figures


def _not_simulated(replay: Replay, profile: Profile) -> dict[str, str]:
    """What flatters, in words: parts that the profile switched off, and data that the catalog lacks."""
    found = {part: "switched off in the profile" for part, on in profile.simulation.model_dump().items() if not on}
    venues, on = replay.venues.values(), profile.simulation
    unpaid = sorted(name for v in venues for name in v.without_funding if on.funding)
    if unpaid:
        found["funding of some markets"] = f"the catalog has none of {', '.join(unpaid)}"
    unmarked = sorted(name for v in venues for name in v.without_marks if on.liquidation)
    if unmarked:
        found["liquidation on some markets"] = f"the catalog has no mark prices of {', '.join(unmarked)}"
    return found


def money_fault(replay: Replay) -> str | None:
    """Where the engine's accounts and the exact books part by more than the rounding of doubles, or None."""
    for venue in replay.venues.values():
        account = replay.engine.cache.account_for_venue(venue.client.exchange.id)
        total = account.balance_total(venue.currency).as_decimal()
        allowed = Decimal(1).scaleb(-venue.currency.precision) * max(1, venue.ledger.fills)
        if abs(total - venue.ledger.balance) > allowed:
            return (
                f"{venue.name}: the engine's account has {total}, the books {venue.ledger.balance} after "
                f"{venue.ledger.fills} fills: money was made or lost by the simulation itself, do not trust this replay"
            )
    return None
