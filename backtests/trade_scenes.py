"""What was around a trade while it ran: the best prices of its venue, and the walls that the scans told of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from backtests.best_prices import BestPrices, Window, best_prices
from catalog.store import Catalog
from catalog.tables import Kind
from strategies.resting_liquidity import walls_of
from strategies.targets import Wall
from strategies.trade_log import Trade

SECOND_NS = 1_000_000_000
BEFORE_NS, AFTER_NS = 120 * SECOND_NS, 60 * SECOND_NS
BUCKETS = 250  # of time, in which the extremes are kept: about as many as a chart has columns to spare
CHARTS = 150
"""Trades that have a chart, at most: each takes 10 to 30 kB of the page."""
WALL_FEATURES = tuple(
    f"{side}_{name}" for side in ("bid", "ask") for name in ("wall_bps", "wall_strength", "magnet_bps")
)


@dataclass(frozen=True)
class Scene:
    """`window` is what is shown (UNIX ns); `walls` are those of each scan, about the venue's mid as the strategy takes
    them."""

    window: Window
    prices: BestPrices
    walls: Sequence[tuple[int, Wall]]


def charted(trades: Sequence[Trade], most: int = CHARTS) -> list[int]:
    """Numbers of the trades to be charted, rising: all, or of more than `most` a third each of those that made and lost
    the most (in R), filled up with the newest."""
    if len(trades) <= most:
        return list(range(len(trades)))
    made = {number: r for number, trade in enumerate(trades) if (r := trade.to_row()["r"]) is not None}
    ranked = sorted(made, key=made.__getitem__)
    chosen = {*ranked[: most // 3], *ranked[len(ranked) - most // 3 :]}
    newest = sorted(set(range(len(trades))) - chosen, key=lambda number: trades[number].decided_ns)
    return sorted(chosen | set(newest[len(newest) - (most - len(chosen)) :]))


def trade_scenes(
    catalog: Catalog,
    trades: Mapping[int, Trade],
    snapshots: pd.DataFrame,
    *,
    span_ns: tuple[int, int],
    reach_bps: float,
) -> dict[int, Scene]:
    """A scene for each of the `trades`, by their numbers; trades of a market whose catalog has no book have none.

    `snapshots` has ``ts``, ``asset`` and the features in order of time; `reach_bps` is how far the flow reads levels.
    """
    by_asset = {asset: frame[["ts", *WALL_FEATURES]] for asset, frame in snapshots.groupby("asset")}
    scenes: dict[int, Scene] = {}
    for instrument_id in sorted({trade.instrument_id for trade in trades.values()}):
        own = {number: trade for number, trade in trades.items() if trade.instrument_id == instrument_id}
        windows = [window_of(trade, span_ns) for trade in own.values()]
        books = [s for s in catalog.ledger.series() if s.kind == Kind.BOOK and s.instrument_id == instrument_id]
        if not books:
            continue
        paths = [catalog.root / s.path for s in sorted(books, key=lambda s: s.first_ns)]
        for (number, trade), window, prices in zip(own.items(), windows, best_prices(paths, windows), strict=True):
            seen = by_asset.get(trade.asset)
            walls = [] if seen is None else list(_walls(seen, window, prices, reach_bps))
            scenes[number] = Scene(window, prices.thinned(BUCKETS), walls)
    return scenes


def window_of(trade: Trade, span_ns: tuple[int, int]) -> Window:
    """From two minutes before the decision to a minute after the last order's end, within the replay; a trade that is
    still open is shown to its end."""
    ended = max((order.to_ns for order in trade.resting), default=0)
    last = span_ns[1] if trade.open_size else max(trade.exit_ns, ended, trade.decided_ns)
    return max(trade.decided_ns - BEFORE_NS, span_ns[0]), min(last + AFTER_NS, span_ns[1])


def _walls(snapshots: pd.DataFrame, window: Window, prices: BestPrices, reach_bps: float) -> Iterator[tuple[int, Wall]]:
    times = snapshots["ts"].to_numpy()
    first, end = np.searchsorted(times, window, side="left")
    for row in snapshots.iloc[first:end].to_dict("records"):
        mid = prices.mid(row["ts"])
        if np.isfinite(mid):
            for wall in walls_of({name: row[name] for name in WALL_FEATURES}, Decimal(repr(mid)), reach_bps):
                yield row["ts"], wall
