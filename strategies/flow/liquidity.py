"""Where size rests in the lead's book: walls that stay, magnets in the heatmap, clusters, and the microprice."""

import math

import numpy as np
import numpy.typing as npt

from indicators.book_heatmap import book_heatmap_dtype, configure_book_heatmap, update_book_heatmap
from indicators.kernel import Floats, Ints, State, kernel
from indicators.kernel_density import configure_kernel_density, kernel_density_dtype, update_kernel_density_heat
from indicators.liquidity_clusters import (
    configure_liquidity_clusters,
    liquidity_clusters_dtype,
    update_liquidity_clusters,
)
from indicators.liquidity_walls import (
    NO_TRADE_HIGH,
    NO_TRADE_LOW,
    configure_liquidity_walls,
    liquidity_walls_dtype,
    lose_liquidity_walls,
    update_liquidity_walls,
)
from strategies.config import FlowSettings
from strategies.flow.markets import BPS, SECOND_NS
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_LEVELS = (Input.LEAD_BOOK,)
WALLS_A_SIDE = 16
HEAT_WIDTH_BPS = 1.0
HEAT_SLACK = 8  # buckets
MAGNET_BANDWIDTH_BPS = 2.0
CLUSTER_EPS_BPS, CLUSTER_MULTIPLE = 1.0, 2.0


def _pair(side: str, name: str, unit: str, warm_up: str, meaning: str) -> Feature:
    other = "ask" if side == "bid" else "bid"
    return Feature(f"{side}_{name}", unit, Flip.SWAP, warm_up, _LEVELS, meaning, partner=f"{other}_{name}")


_WALL_BPS = "distance of the nearest wall that has proved itself; `levels_reach_bps` where there is none"
_WALL_STRENGTH = "its size over that of the median level; 0 where there is none"
_MAGNET = "distance of the strongest maximum of the density of heat; `levels_reach_bps` where there is none"

FEATURES = (
    _pair("bid", "wall_bps", "bps", "wall samples", _WALL_BPS),
    _pair("ask", "wall_bps", "bps", "wall samples", _WALL_BPS),
    _pair("bid", "wall_strength", "median levels", "wall samples", _WALL_STRENGTH),
    _pair("ask", "wall_strength", "median levels", "wall samples", _WALL_STRENGTH),
    Feature(
        "wall_pressure",
        "ratio",
        Flip.NEGATE,
        "wall samples",
        _LEVELS,
        "bid walls minus ask walls over their sum, by size, persistence and closeness; 0 where there is none",
    ),
    _pair("bid", "magnet_bps", "bps", "1 read", _MAGNET),
    _pair("ask", "magnet_bps", "bps", "1 read", _MAGNET),
    Feature(
        "cluster_skew",
        "ratio",
        Flip.NEGATE,
        "1 read",
        _LEVELS,
        "share of bid size in its largest cluster minus the same of asks; 0 for a side without a cluster",
    ),
)
WALL_BPS, WALL_STRENGTH, PRESSURE, MAGNET, SKEW = 0, 2, 4, 5, 7


def _points(settings: FlowSettings) -> int:
    return 8 * math.ceil(settings.levels_reach_bps / HEAT_WIDTH_BPS / 8)


def _levels(settings: FlowSettings) -> int:
    """Room for every summed level within reach: steps are more than 0.4 of the largest that is asked for."""
    return math.ceil(settings.levels_reach_bps / (0.4 * settings.level_group_bps)) + 2


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    points, levels = _points(settings), _levels(settings)
    return np.dtype(
        [
            ("walls", liquidity_walls_dtype(WALLS_A_SIDE)),
            ("heatmap", book_heatmap_dtype(2 * (points + HEAT_SLACK) + 1)),
            ("density", kernel_density_dtype(points)),
            ("clusters", liquidity_clusters_dtype(levels)),
            ("step", "i8"),  # price step in units in which levels are summed, 0 until the first levels
            ("largest_step", "f8"),  # of the price
            ("prices", "i8", (2, levels)),  # summed levels of the last read, best first
            ("sizes", "f8", (2, levels)),
            ("traded_low", "i8"),  # units, since the last read
            ("traded_high", "i8"),
            ("reach_bps", "f8"),
            ("levels_ns", "i8"),  # of the last read
            ("stale_ns", "i8"),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    configure_liquidity_walls(
        state["walls"],
        q=settings.wall_quantile,
        span=settings.wall_span_reads,
        min_samples=settings.wall_min_reads,
        reach_bps=settings.levels_reach_bps,
        max_gap_ns=round((settings.levels_seconds + settings.stale_seconds) * SECOND_NS),
    )
    configure_book_heatmap(state["heatmap"], HEAT_WIDTH_BPS, settings.heat_half_life_seconds, HEAT_SLACK)
    configure_kernel_density(state["density"], HEAT_WIDTH_BPS, MAGNET_BANDWIDTH_BPS)
    configure_liquidity_clusters(state["clusters"], CLUSTER_EPS_BPS, CLUSTER_MULTIPLE, settings.levels_reach_bps)
    state["largest_step"] = settings.level_group_bps / BPS
    state["traded_low"], state["traded_high"] = NO_TRADE_LOW, NO_TRADE_HIGH
    state["reach_bps"] = settings.levels_reach_bps
    state["stale_ns"] = round((settings.levels_seconds + settings.stale_seconds) * SECOND_NS)


@kernel
def _on_trade(state: State, number: int, price: float, base: float, taker_side: int, ts: int) -> None:
    if number == 0:
        units = math.floor(price * state.markets[0].price_scale + 0.5)
        liquidity = state.liquidity
        liquidity.traded_low = min(liquidity.traded_low, units)
        liquidity.traded_high = max(liquidity.traded_high, units)


@kernel
def price_step(price_units: int, fraction: float) -> int:
    """The largest of 1, 2, 5, 10, 20, 50, ... units that is no more than `fraction` of the price, at least 1."""
    step = 1
    decade = 1
    while decade <= price_units * fraction:
        for digit in (1, 2, 5):
            if digit * decade <= price_units * fraction:
                step = digit * decade
        decade *= 10
    return step


@kernel
def sum_levels(prices: Ints, sizes: Floats, step: int, is_ask: int, to_prices: Ints, to_sizes: Floats) -> int:
    """Sum the levels of one side, best first, by a price step; returns how many there are then.

    The steps lie on a grid, away from the other side: a bid belongs to the grid price at or below it, an ask to the one
    at or above. A single tick of BTC is 0.01 bps: walls, heat and clusters are of prices that a person would call one.
    """
    count = 0
    for k in range(len(prices)):
        price = -(-prices[k] // step) * step if is_ask == 1 else prices[k] // step * step
        if count > 0 and to_prices[count - 1] == price:
            to_sizes[count - 1] += sizes[k]
        elif count < len(to_prices):
            to_prices[count] = price
            to_sizes[count] = sizes[k]
            count += 1
        else:
            break
    return count


@kernel
def _on_levels(state: State, bid_prices: Ints, bid_sizes: Floats, ask_prices: Ints, ask_sizes: Floats, ts: int) -> None:
    liquidity = state.liquidity
    low, high = liquidity.traded_low, liquidity.traded_high
    liquidity.traded_low = NO_TRADE_LOW
    liquidity.traded_high = NO_TRADE_HIGH
    if len(bid_prices) == 0 or len(ask_prices) == 0:
        lose_liquidity_walls(liquidity.walls)
        return
    if liquidity.step == 0:
        liquidity.step = price_step(bid_prices[0], liquidity.largest_step)
    if low <= high:
        # a print inside of a summed level has reached that level
        low = low // liquidity.step * liquidity.step
        high = -(-high // liquidity.step) * liquidity.step
    bid, bid_size = liquidity.prices[0], liquidity.sizes[0]
    ask, ask_size = liquidity.prices[1], liquidity.sizes[1]
    bids = sum_levels(bid_prices, bid_sizes, liquidity.step, 0, bid, bid_size)
    asks = sum_levels(ask_prices, ask_sizes, liquidity.step, 1, ask, ask_size)
    update_liquidity_walls(liquidity.walls, ts, bid, bid_size, bids, ask, ask_size, asks, low, high)
    update_book_heatmap(liquidity.heatmap, ts, bid, bid_size, bids, ask, ask_size, asks)
    update_kernel_density_heat(liquidity.density, liquidity.heatmap)
    update_liquidity_clusters(liquidity.clusters, bid, bid_size, bids, ask, ask_size, asks)
    liquidity.levels_ns = ts


@kernel
def _or_else(value: float, otherwise: float) -> float:
    chosen: float = value if value == value else otherwise
    return chosen


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    liquidity = state.liquidity
    if liquidity.levels_ns == 0 or ts - liquidity.levels_ns > liquidity.stale_ns:
        return
    walls = liquidity.walls
    reach = liquidity.reach_bps
    if walls.pressure == walls.pressure:
        for side in range(2):
            out[WALL_BPS + side] = _or_else(walls.distance_bps[side], reach)
            out[WALL_STRENGTH + side] = _or_else(walls.strength[side], 0.0)
        out[PRESSURE] = walls.pressure
    for side in range(2):
        out[MAGNET + side] = min(_or_else(liquidity.density.strongest_bps[side], reach), reach)
    shares = liquidity.clusters.strongest_share
    out[SKEW] = _or_else(shares[0], 0.0) - _or_else(shares[1], 0.0)


GROUP = FeatureGroup("liquidity", FEATURES, _layout, _configure, _write, on_trade=_on_trade, on_levels=_on_levels)
