"""What rested where over a span: a picture of one market's book, for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backtests.book_samples import BookFile, book_samples
from indicators.sides import ASK, BID

COLUMNS = 360
ROWS = 240  # at most
BUCKET_BPS = 1.0
REACH_BPS = 40.0


@dataclass(frozen=True)
class DepthMap:
    """`size[k, n]` rests in the price bucket from ``edges[k]`` to ``edges[k + 1]`` at ``times[n]`` (UNIX ns), in the
    venue's units; NaN beyond the reach of that time's mid and where the book was not known."""

    times: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    size: npt.NDArray[np.float32]
    bid: npt.NDArray[np.float64]  # best prices at `times`, NaN where there was none
    ask: npt.NDArray[np.float64]


def depth_map(paths: Sequence[Path], start_ns: int, end_ns: int) -> DepthMap | None:
    """The map of a market's book files, in order of time, over a span; None where its book never had two sides."""
    scale = 10.0 ** BookFile(paths[0]).price_places
    times = np.linspace(start_ns, end_ns, COLUMNS).astype(np.int64)
    columns: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
    best = np.full((2, COLUMNS), np.nan)
    for n, (_, ladder) in enumerate(book_samples(paths, times)):
        bid, ask = ladder.best()
        if bid is None or ask is None:
            columns.append((np.empty(0), np.empty(0)))
            continue
        best[:, n] = bid / scale, ask / scale
        prices, sizes = (np.concatenate(side) for side in zip(ladder.levels(BID), ladder.levels(ASK), strict=True))
        columns.append((prices / scale, sizes))
    mid = best.mean(axis=0)
    if np.isnan(mid).all():
        return None
    edges = _edges(mid)
    size = np.full((len(edges) - 1, COLUMNS), np.nan, np.float32)
    for n, (prices, sizes) in enumerate(columns):
        if not np.isnan(mid[n]):
            reach = mid[n] * REACH_BPS / 1e4
            rows = np.histogram(prices, edges, weights=sizes)[0]
            seen = (edges[1:] > max(mid[n] - reach, prices.min())) & (edges[:-1] < min(mid[n] + reach, prices.max()))
            size[seen, n] = rows[seen]
    return DepthMap(times, edges, size, best[0], best[1])


def _edges(mid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Equal buckets over every price within reach, of BUCKET_BPS where that is not too many."""
    low, high = np.nanmin(mid) * (1 - REACH_BPS / 1e4), np.nanmax(mid) * (1 + REACH_BPS / 1e4)
    wanted = int(np.ceil((high - low) / (low * BUCKET_BPS / 1e4)))
    return np.linspace(low, high, min(wanted, ROWS) + 1)
