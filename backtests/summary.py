"""The figures of a replay, for the table, ``summary.json`` and the report."""

import platform
from collections import Counter
from importlib.metadata import version
from typing import Any

from backtests.profile import Profile
from backtests.replay import Replay
from catalog.times import format_ns
from strategies.trade_log import Trade


def summarise(replay: Replay, profile: Profile, catalog: str) -> dict[str, Any]:
    """Plain data. Money is in USDT; ``win_rate`` and the like are None where there was no trade."""
    trades = replay.scalper.trades if replay.scalper is not None else []
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
        "score": "rule, uncalibrated",
        "trades": _figures(trades),
        "by_asset": {a: _figures([t for t in trades if t.asset == a]) for a in replay.universe.assets}
        if trades
        else {},
        "exits": dict(sorted(Counter(t.reason for t in trades).items())),
        "not_taken": dict(sorted(replay.scalper.passed.items())) if replay.scalper is not None else {},
        "left_out": replay.universe.left_out,
        "versions": {
            "python": platform.python_version(),
            "nautilus_trader": version("nautilus_trader"),
            "numba": version("numba"),
        },
    }


def _figures(trades: list[Trade]) -> dict[str, Any]:
    nets = [t.gross - t.fees for t in trades]
    wins = sum(n > 0 for n in nets)
    rs = [r for t in trades if (r := t.to_row()["r"]) is not None]
    return {
        "count": len(trades),
        "win_rate": wins / len(trades) if trades else None,
        "net": float(sum(nets)) if trades else 0.0,
        "gross": float(sum(t.gross for t in trades)) if trades else 0.0,
        "fees": float(sum(t.fees for t in trades)) if trades else 0.0,
        "mean_r": sum(rs) / len(rs) if rs else None,
    }
