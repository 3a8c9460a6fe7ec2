"""Liquidity walls: resting sizes far above the usual, how long they have stood, and how far each can be trusted.

Which sizes: a wall begins where a level's size reaches the rolling `q` quantile of the sizes of all levels within
`reach_bps` of the mid, both sides together (:mod:`indicators.size_histogram`), and `min_ratio` times their median, so
that a book of like levels has no walls. It goes on while half of that is there: a size at the threshold must not blink.

Which wall: a wall is a price. With `merge_units` it is all that rests within so many units of the price of its largest
level, for a wall that is split over neighbours or steps between them; beyond them an order that moves has left one
price and begins anew at another, because what cannot stay is no wall. Of what is merged, only the excess over a median
level a neighbour counts against the threshold, and the largest level must reach half of it.

How long, and how far trusted: :mod:`indicators.wall_memory`.

What is not seen is not guessed. A wall beyond the last level of a sample or beyond `reach_bps` keeps its age and has no
outcome; it is forgotten after `memory_ns`, or if it is not there when the book reaches its price again. After a gap
(:func:`lose_liquidity_walls`, samples more than `max_gap_ns` apart, time going back, a crossed book or an empty side)
every wall is forgotten; what is known of usual sizes and of each side's past stays.

Both sides run one rule on sort keys, as in :mod:`indicators.ladder`: a bid's key is its price, an ask's its negative.
"""

import math
from typing import NamedTuple, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from indicators.book_columns import book_columns, book_tables
from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import finite, fraction, int_column, same_length, whole
from indicators.sides import BID
from indicators.size_histogram import (
    SizeHistogramState,
    add_sizes,
    configure_size_histogram,
    decay_sizes,
    read_sizes,
)
from indicators.wall_memory import WallRules, WallStatus, decay_past, wall_persistence
from indicators.wall_side import find_walls, follow_walls, wall_side_dtype

NO_TRADE_LOW, NO_TRADE_HIGH = 2**62, -(2**62)
"""Lowest and highest print where nothing traded: a low above and a high below every price."""

OUTPUTS = (
    "bid_price_units",
    "bid_distance_bps",
    "bid_strength",
    "bid_persistence",
    "bid_age_seconds",
    "ask_price_units",
    "ask_distance_bps",
    "ask_strength",
    "ask_persistence",
    "ask_age_seconds",
    "pressure",
)
"""The columns of :meth:`LiquidityWalls.update_many`."""

_SIDE_OUTPUTS = ("price_units", "distance_bps", "strength", "persistence", "age_seconds")
_FREE, _STANDING = int(WallStatus.FREE), int(WallStatus.STANDING)


def liquidity_walls_dtype(capacity: int = 16) -> np.dtype[np.void]:
    """Return the state's layout with room for `capacity` walls a side; each capacity is compiled on its own."""
    return np.dtype(
        [
            # the nearest real wall of the bid side and of the ask side; NaN where there is none and until warm
            ("price_units", "f8", (2,)),
            ("distance_bps", "f8", (2,)),  # from the mid
            ("strength", "f8", (2,)),  # size over the median level's
            ("persistence", "f8", (2,)),
            ("age_seconds", "f8", (2,)),
            ("pressure", "f8"),  # of all visible walls, in [-1, 1]; NaN until warm and while the book is unknown
            ("min_samples", "i8"),
            ("max_gap_ns", "i8"),
            ("real_score", "f8"),
            ("rules", WallRules),
            ("samples", "i8"),
            ("ts", "i8"),  # of the last sample
            ("sizes", SizeHistogramState),
            ("sides", wall_side_dtype(capacity), (2,)),  # bids, asks
        ]
    )


def configure_liquidity_walls(
    state: State,
    *,
    q: float = 0.98,
    span: int = 300,
    min_samples: int = 60,
    min_ratio: float = 5.0,
    reach_bps: float = 100.0,
    approach_bps: float = 5.0,
    merge_units: int = 0,
    half_age_ns: int = 60_000_000_000,
    memory_ns: int = 300_000_000_000,
    spoof_half_life_ns: int = 900_000_000_000,
    max_gap_ns: int = 15_000_000_000,
    real_score: float = 0.5,
) -> None:
    """Prepare a fresh record.

    Args:
        q: quantile of level sizes that a wall's size must reach.
        span: samples over which that quantile rolls: each weighs 1 - 2 / (span + 1) of the next.
        min_samples: samples before anything is called a wall.
        min_ratio: how many times the median level a wall must be.
        reach_bps: levels farther from the mid are as if beyond the sample.
        approach_bps: price is near when the mid or a print is within this distance; see :mod:`indicators.wall_memory`.
        merge_units: distance within which levels are one wall; 0 for single levels.
        half_age_ns: standing this long gives half of the age factor, and so long near price is an approach held.
        memory_ns: how long a wall that ended or is out of sight is remembered, so that its return is known as such.
        spoof_half_life_ns: time in which what a side has shown loses half of its weight.
        max_gap_ns: samples farther apart than this have a gap between them.
        real_score: persistence from which a wall is called real.

    Raises:
        ValueError: a parameter is outside its range.
    """
    configure_size_histogram(state["sizes"], q, span)
    state["min_samples"] = whole("min_samples", min_samples)
    state["max_gap_ns"] = whole("max_gap_ns", max_gap_ns)
    state["real_score"] = fraction("real_score", real_score)
    if finite("min_ratio", min_ratio) < 1.0:
        raise ValueError(f"min_ratio is {min_ratio!r}: give at least 1, the median itself")
    if not 0.0 < finite("approach_bps", approach_bps) < finite("reach_bps", reach_bps):
        raise ValueError(f"approach_bps is {approach_bps!r}: give a number between 0 and reach_bps, {reach_bps!r}")
    rules = state["rules"]
    rules["min_ratio"] = min_ratio
    rules["reach_bps"] = reach_bps
    rules["approach_bps"] = approach_bps
    rules["merge_units"] = whole("merge_units", merge_units, minimum=0)
    rules["half_age_ns"] = whole("half_age_ns", half_age_ns)
    rules["memory_ns"] = whole("memory_ns", memory_ns)
    rules["spoof_half_life_ns"] = whole("spoof_half_life_ns", spoof_half_life_ns)
    state["pressure"] = math.nan
    for name in _SIDE_OUTPUTS:
        state[name] = math.nan


@kernel
def update_liquidity_walls(
    state: State,
    ts: int,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
    traded_low: int,
    traded_high: int,
) -> float:
    """Take a book sample and return the pressure.

    Prices are int64 in units of the market's last decimal place, best first; sizes are base units; `bids` and `asks`
    say how many levels of the arrays are used. `traded_low` and `traded_high` are the lowest and highest print since
    the last sample, in units, or NO_TRADE_LOW and NO_TRADE_HIGH.
    """
    if bids == 0 or asks == 0 or bid_prices[0] >= ask_prices[0]:
        lose_liquidity_walls(state)
        return math.nan
    elapsed_ns = ts - state.ts if state.samples > 0 else 0
    state.ts = ts
    if elapsed_ns < 0 or elapsed_ns > state.max_gap_ns:
        lose_liquidity_walls(state)
        elapsed_ns = max(elapsed_ns, 0)
    twice_mid = bid_prices[0] + ask_prices[0]
    bids = _within_reach(bid_prices, bids, 1, twice_mid, state.rules.reach_bps)
    asks = _within_reach(ask_prices, asks, -1, twice_mid, state.rules.reach_bps)
    decay_sizes(state.sizes)
    add_sizes(state.sizes, bid_sizes, bids)
    add_sizes(state.sizes, ask_sizes, asks)
    state.samples += 1
    if state.samples < state.min_samples:
        return math.nan
    read_sizes(state.sizes)
    _update_side(state, 0, ts, elapsed_ns, 1, bid_prices, bid_sizes, bids, twice_mid, traded_low)
    _update_side(state, 1, ts, elapsed_ns, -1, ask_prices, ask_sizes, asks, twice_mid, -traded_high)
    state.pressure = _pressure(state)
    pressure: float = state.pressure
    return pressure


@kernel
def lose_liquidity_walls(state: State) -> None:
    """Forget every wall: the book was lost. Outputs are NaN until the next sample."""
    for row in range(2):
        side = state.sides[row]
        for i in range(len(side.walls)):
            side.walls[i].status = _FREE
        _clear_outputs(state, row)
    state.pressure = math.nan


@kernel
def _clear_outputs(state: State, row: int) -> None:
    state.price_units[row] = math.nan
    state.distance_bps[row] = math.nan
    state.strength[row] = math.nan
    state.persistence[row] = math.nan
    state.age_seconds[row] = math.nan


@kernel
def _within_reach(prices: Ints, count: int, sign: int, twice_mid: int, reach_bps: float) -> int:
    """Return how many levels, best first, lie within `reach_bps` of the mid; the best level always does."""
    limit = sign * twice_mid - int(twice_mid * reach_bps / 10_000)
    if 2 * sign * prices[count - 1] >= limit:
        return count
    reached, beyond = 0, count - 1
    while beyond - reached > 1:
        middle = (reached + beyond) >> 1
        if 2 * sign * prices[middle] >= limit:
            reached = middle
        else:
            beyond = middle
    return beyond


@kernel
def _update_side(
    state: State,
    row: int,
    ts: int,
    elapsed_ns: int,
    sign: int,
    prices: Ints,
    sizes: Floats,
    count: int,
    twice_mid: int,
    reached: int,
) -> None:
    """Follow the walls of one side, find new ones, score all. `reached` is the sort key of the deepest print."""
    side = state.sides[row]
    rules = state.rules
    typical = state.sizes.typical
    begins = max(state.sizes.threshold, rules.min_ratio * typical)
    decay_past(side.past, rules, elapsed_ns)
    follow_walls(side, rules, ts, elapsed_ns, sign, prices, sizes, count, twice_mid, reached, begins, typical)
    find_walls(side, rules, ts, sign, prices, sizes, count, twice_mid, begins, typical)
    nearest = -1
    for i in range(len(side.walls)):
        wall = side.walls[i]
        if wall.status != _FREE:
            wall.persistence = wall_persistence(side.past, wall, rules)
            if wall.visible == 1:
                wall.distance_bps = max(sign * twice_mid - 2 * wall.key, 0) / twice_mid * 10_000.0
                real = wall.status == _STANDING and wall.persistence >= state.real_score
                if real and (nearest < 0 or wall.key > side.walls[nearest].key):
                    nearest = i
    _clear_outputs(state, row)
    if nearest >= 0:
        wall = side.walls[nearest]
        state.price_units[row] = sign * wall.key
        state.distance_bps[row] = wall.distance_bps
        state.strength[row] = wall.resting / typical
        state.persistence[row] = wall.persistence
        state.age_seconds[row] = wall.age_ns / 1e9


@kernel
def _weight_of_side(state: State, row: int) -> float:
    side = state.sides[row]
    weight = 0.0
    for i in range(len(side.walls)):
        wall = side.walls[i]
        if wall.status == _STANDING and wall.visible == 1:
            # down to nothing at the reach, so that a wall's leaving it is no jump
            closeness = max(1.0 - wall.distance_bps / state.rules.reach_bps, 0.0)
            weight += wall.resting / state.sizes.typical * wall.persistence * closeness
    return weight


@kernel
def _pressure(state: State) -> float:
    bid = _weight_of_side(state, 0)
    ask = _weight_of_side(state, 1)
    return (bid - ask) / (bid + ask) if bid + ask > 0.0 else 0.0


@kernel
def update_liquidity_walls_single(
    states: States,
    ts: int,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: int,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: int,
    traded_low: int,
    traded_high: int,
) -> float:
    return update_liquidity_walls(
        states[0], ts, bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks, traded_low, traded_high
    )


@kernel
def update_liquidity_walls_many(
    states: States,
    i: int,
    ts: Ints,
    bid_prices: Ints,
    bid_sizes: Floats,
    bids: Ints,
    ask_prices: Ints,
    ask_sizes: Floats,
    asks: Ints,
    traded_low: Ints,
    traded_high: Ints,
    out: Floats,
) -> None:
    """Take samples row by row: levels are (samples, depth), the rest columns, `out` (samples, len(OUTPUTS))."""
    state = states[i]
    for k in range(len(ts)):
        update_liquidity_walls(
            state,
            ts[k],
            bid_prices[k],
            bid_sizes[k],
            bids[k],
            ask_prices[k],
            ask_sizes[k],
            asks[k],
            traded_low[k],
            traded_high[k],
        )
        for row in range(2):
            out[k, 5 * row] = state.price_units[row]
            out[k, 5 * row + 1] = state.distance_bps[row]
            out[k, 5 * row + 2] = state.strength[row]
            out[k, 5 * row + 3] = state.persistence[row]
            out[k, 5 * row + 4] = state.age_seconds[row]
        out[k, 10] = state.pressure


type Levels = tuple[npt.ArrayLike, npt.ArrayLike]
"""Prices (int64 units, best first) and sizes of one side, as :meth:`indicators.ladder.Ladder.levels` returns them."""


class Wall(NamedTuple):
    """A wall as of the last sample."""

    side: int
    """1 bid, 2 ask."""
    price_units: int
    size: float
    """Base units; as last seen where it is not visible."""
    largest: float
    strength: float
    """Size over the median level's."""
    distance_bps: float
    """From the mid; as last seen where it is not visible."""
    persistence: float
    real: bool
    """Standing, with a persistence of at least `real_score`."""
    status: WallStatus
    visible: bool
    """False while it lies beyond the sampled depth."""
    first_ns: int
    age_seconds: float
    """How long it was seen standing."""
    approaches: int
    refills: int
    flickers: int
    """How often it was cancelled and came back."""
    eaten: float
    """Size lost in samples in which prints reached it, base units."""


class WallParameters(TypedDict, total=False):
    """The keywords of :func:`configure_liquidity_walls`, where their meaning and defaults are."""

    q: float
    span: int
    min_samples: int
    min_ratio: float
    reach_bps: float
    approach_bps: float
    merge_units: int
    half_age_ns: int
    memory_ns: int
    spoof_half_life_ns: int
    max_gap_ns: int
    real_score: float


class WallEndings(NamedTuple):
    """How the walls of one side have ended since the start."""

    consumed: int
    cancelled: int
    """Away from price, or after a print had reached it."""
    pulled: int
    """Cancelled as price was near, before a touch."""
    held_recently: float
    """Outcomes that speak for the side's walls, and below against, halved every `spoof_half_life_ns`."""
    failed_recently: float


class LiquidityWalls:
    """Walls of one market's book with a persistence score, at most `capacity` a side.

    The other parameters are those of :func:`configure_liquidity_walls`.
    """

    def __init__(self, capacity: int = 16, **parameters: Unpack[WallParameters]) -> None:
        self._states = new_states(liquidity_walls_dtype(capacity))
        configure_liquidity_walls(self._states[0], **parameters)
        prices, sizes = np.empty(0, dtype=np.int64), np.empty(0)
        self._update = entry(update_liquidity_walls_single, self._states, 0, prices, sizes, 0, prices, sizes, 0, 0, 0)

    @property
    def value(self) -> float:
        """Pressure in [-1, 1], positive where bid walls outweigh; 0 without walls, NaN until warm or while unknown.

        (bid - ask) / (bid + ask) of the walls' strength x persistence x (1 - distance / reach).
        """
        return float(self._states["pressure"][0])

    @property
    def initialized(self) -> bool:
        """True once `min_samples` samples were seen."""
        return bool(self._states["samples"][0] >= self._states["min_samples"][0])

    @property
    def threshold(self) -> float:
        """The size from which a level is a wall, base units; NaN until initialised."""
        if not self.initialized:
            return math.nan
        sizes = self._states["sizes"]
        return max(float(sizes["threshold"][0]), float(self._states["rules"]["min_ratio"][0] * sizes["typical"][0]))

    @property
    def typical(self) -> float:
        """The median level size, base units; NaN until initialised."""
        return float(self._states["sizes"]["typical"][0])

    def nearest(self, side: int) -> Wall | None:
        """Return the real wall of a side (1 bid, 2 ask) that is nearest to the mid, or None."""
        real = [wall for wall in self.walls() if wall.real and wall.visible and wall.side == side]
        return min(real, key=lambda wall: wall.distance_bps, default=None)

    def walls(self, *, ended: bool = False) -> list[Wall]:
        """Return the standing walls, bids first, each side from its best price on; with `ended` those that left too."""
        found = []
        for row in range(2):
            walls = [
                self._wall(row, wall)
                for wall in self._states["sides"][0]["walls"][row]
                if wall["status"] == WallStatus.STANDING or (ended and wall["status"] != WallStatus.FREE)
            ]
            found += sorted(walls, key=lambda wall: -wall.price_units if wall.side == BID else wall.price_units)
        return found

    def endings(self, side: int) -> WallEndings:
        """Return how the walls of a side (1 bid, 2 ask) have ended."""
        record = self._states["sides"][0]["past"][side - BID]
        return WallEndings(
            int(record["consumed"]),
            int(record["cancelled"]),
            int(record["pulled"]),
            float(record["held"]),
            float(record["failed"]),
        )

    def update(
        self,
        ts: int,
        bids: Levels,
        asks: Levels,
        traded_low: int = NO_TRADE_LOW,
        traded_high: int = NO_TRADE_HIGH,
    ) -> float:
        """Take a book sample at `ts` (UNIX ns) and return the pressure.

        Each side is a pair of arrays: prices in units of the last decimal place, best first, and sizes in base units.
        `traded_low` and `traded_high` are the extreme prints since the last sample, in units; left out, none traded.

        Raises:
            ValueError: prices and sizes differ in length, prices are not best first, or a size is negative.
        """
        return self._update(self._states, ts, *book_columns(*bids, *asks), traded_low, traded_high)

    def lost(self) -> None:
        """Forget every wall: the book was lost, and what comes next need not go on from what was."""
        lose_liquidity_walls(self._states[0])

    def update_many(
        self,
        ts: npt.ArrayLike,
        bid_prices: npt.ArrayLike,
        bid_sizes: npt.ArrayLike,
        bids: npt.ArrayLike,
        ask_prices: npt.ArrayLike,
        ask_sizes: npt.ArrayLike,
        asks: npt.ArrayLike,
        traded_low: npt.ArrayLike,
        traded_high: npt.ArrayLike,
    ) -> Floats:
        """Take samples, levels as (samples, depth) with counts `bids` and `asks`; return (samples, len(OUTPUTS)).

        The same bits as `update` one by one.

        Raises:
            ValueError: the shapes do not fit, or a count exceeds the depth.
        """
        time, low, high = int_column(ts), int_column(traded_low), int_column(traded_high)
        table = book_tables(bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks)
        samples = same_length(ts=time, traded_low=low, traded_high=high, bids=table[2])
        out = np.empty((samples, len(OUTPUTS)))
        update_liquidity_walls_many(self._states, 0, time, *table, low, high, out)
        return out

    def _wall(self, row: int, wall: State) -> Wall:
        status = WallStatus(int(wall["status"]))
        return Wall(
            side=row + BID,
            price_units=int(wall["key"]) if row == 0 else -int(wall["key"]),
            size=float(wall["resting"]),
            largest=float(wall["largest"]),
            strength=float(wall["resting"]) / self.typical,
            distance_bps=float(wall["distance_bps"]),
            persistence=float(wall["persistence"]),
            real=bool(status == WallStatus.STANDING and wall["persistence"] >= self._states["real_score"][0]),
            status=status,
            visible=bool(wall["visible"]),
            first_ns=int(wall["first_ns"]),
            age_seconds=int(wall["age_ns"]) / 1e9,
            approaches=int(wall["approaches"]),
            refills=int(wall["refills"]),
            flickers=int(wall["flickers"]),
            eaten=float(wall["eaten"]),
        )
