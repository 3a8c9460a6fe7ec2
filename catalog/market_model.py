"""The built-in market: a seeded, simulated stand-in for recorded data, so that everything runs without a download.

The parts, from the ground: :mod:`catalog.market_specs` (what is listed), :mod:`catalog.market_price` (a latent price
per asset, and how venues follow it), :mod:`catalog.market_episodes` (the script of episodes) and
:mod:`catalog.market_walls` (large resting orders), :mod:`catalog.market_flow` (takers' wishes),
:mod:`catalog.market_book` (a venue's book and its trades, of :mod:`catalog.market_makers`,
:mod:`catalog.market_wall_orders` and :mod:`catalog.market_takers`), :mod:`catalog.market_reports` (marks, funding, open
interest), :mod:`catalog.market_columns` (Arrow tables).

An edge of a chosen strength is planted in the outcomes of rare episodes, and in what walls do to the price. What a
strategy earns here says whether it finds what is there, and what its costs are; it says nothing of real markets. With
edge 0 there is nothing to find. :mod:`catalog.market_truth` has what was planted.

Every part of every market draws from a random stream of its own, named by seed, asset, venue and block. So the same
arguments give the same tables, another asset or venue changes nothing in the others, and a shorter sample is the
beginning of a longer one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from catalog.market_book import VenueBook, book_shape
from catalog.market_columns import Arrivals, before, book_chunk, report_chunks, trade_chunk
from catalog.market_episodes import EpisodeRecord, EpisodeScript, episode_steps
from catalog.market_flow import OrderFlow
from catalog.market_price import (
    BLOCK_NS,
    HOUR_NS,
    AssetBlock,
    AssetPrice,
    CommonBlock,
    CommonFactor,
    Delay,
    Ints,
    VenuePrice,
)
from catalog.market_reports import MINUTE_NS, VenueReports
from catalog.market_specs import PERPS_WITH_BOOK, VENUES, WALL_SHARES, Listing, MarketSpec, listings
from catalog.market_truth import Truth
from catalog.market_walls import AssetWalls, MarketWalls, PlannedWall
from catalog.tables import Chunk, Kind
from catalog.times import format_ns

MONDAY_2026_01_05 = 1_767_571_200_000_000_000  # 00:00 UTC
MARKET_VERSION = 2
"""Goes up when the same arguments make another market."""
DEFAULT_EDGE, LARGEST_EDGE = 1.0, 10.0
LATEST_NS = 7_258_118_400_000_000_000  # 2200-01-01: 64 bits of nanoseconds end in 2262
_COMMON, _ASSET, _MARKET, _SCRIPT = range(4)  # what a random stream is for: first part of its name
_PRICE, _FLOW, _BOOK, _REPORTS, _ARRIVALS = range(5)  # which part of a market; the block comes last, 0 to set up
_EPISODES, _FIRST_WALL = 0, 1  # which part of an asset's script; it is drawn as time goes by, not by blocks
_WALL_PLANS = 4

type Progress = Callable[[str, int, int], None]  # what was made, blocks of markets done, and how many there are


def _stream(seed: int, *name: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=name)))


class AssetRun:
    """One asset as it moves through the blocks: script, walls and price."""

    def __init__(self, listing: Listing, seed: int, start_ns: int, edge: float) -> None:
        spec, temper, index = listing.spec, listing.temper, listing.asset_index
        self._name = (seed, _ASSET, index)
        self._script = EpisodeScript(_stream(seed, _SCRIPT, index, _EPISODES), start_ns)
        self._walls = AssetWalls(
            tuple(_stream(seed, _SCRIPT, index, _FIRST_WALL + i) for i in range(_WALL_PLANS)),
            start_ns,
            np.array(WALL_SHARES),
            temper.activity,
            temper.volatility_bps / 1e4,
            PERPS_WITH_BOOK,
        )
        self._price = AssetPrice(_stream(*self._name, 0), float(spec.opening_price), temper.volatility_bps, edge)
        self.record = EpisodeRecord(spec.asset)

    def block(
        self, index: int, shared: CommonBlock, start_ns: int, end_ns: int
    ) -> tuple[AssetBlock, list[PlannedWall]]:
        """Block `index` from `start_ns`, of a sample that ends at `end_ns`."""
        episodes = self._script.during(start_ns, start_ns + BLOCK_NS)
        walls = self._walls.steps(start_ns, episodes)
        asset = self._price.block(
            _stream(*self._name, index + 1), shared, start_ns, episode_steps(episodes, start_ns), walls
        )
        end = min(start_ns + BLOCK_NS, end_ns)
        self.record.add(episodes, start_ns, end, asset.drift, self._price.squeezed)
        return asset, self._walls.settle(walls, start_ns)


class _MarketRun:
    """One market as it moves through the blocks."""

    def __init__(self, listing: Listing, seed: int) -> None:
        spec, temper = listing.spec, listing.temper
        self.spec = spec
        self._name = (seed, _MARKET, listing.asset_index, listing.venue_index)
        price, tick = float(spec.opening_price), float(spec.price_tick)
        step_notional = price * float(spec.size_step * spec.multiplier)
        self._delay = Delay(temper.lag_ms * 1_000_000, temper.spot_led_lag_ms * 1_000_000)
        self._price = VenuePrice(_stream(*self._name, _PRICE, 0), tick, spec.is_perp)
        self._flow = OrderFlow(temper.trades_per_second, temper.trade_notional / step_notional, spec.is_perp)
        depth = temper.depth_notional / step_notional
        self.walls = MarketWalls(listing.venue_index, depth)
        self._book = VenueBook(book_shape(price, tick, temper.spread_bps, depth), temper.frames_per_second)
        self._reports = VenueReports(_stream(*self._name, _REPORTS, 0), temper.open_interest_notional / step_notional)
        self._arrivals = {kind: Arrivals(temper.latency_seconds) for kind in Kind}

    def block(self, index: int, asset: AssetBlock, walls: list[PlannedWall], start_ns: int) -> Iterator[Chunk]:
        price_rng, flow_rng, book_rng, report_rng, arrival_rng = (
            _stream(*self._name, part, index + 1) for part in (_PRICE, _FLOW, _BOOK, _REPORTS, _ARRIVALS)
        )
        sources = self._delay.sources(asset.script)
        fair = self._price.block(price_rng, asset, sources)
        flow = self._flow.block(flow_rng, asset, sources, start_ns)
        snapshots = _snapshot_times(start_ns, first=index == 0)
        plan = self.walls.block(fair, walls, start_ns)
        book = self._book.block(book_rng, fair.ticks, flow, start_ns, snapshots, plan)
        if self.spec.has_book:
            yield book_chunk(self.spec, book.rows, self._arrivals[Kind.BOOK], arrival_rng)
        yield trade_chunk(self.spec, book.trades, flow.sides, self._arrivals[Kind.TRADES], arrival_rng)
        if self.spec.is_perp:
            reports = self._reports.block(report_rng, fair, book.trades, start_ns, flow.opening, book.impact)
            yield from report_chunks(self.spec, reports, self._arrivals, arrival_rng)


def _snapshot_times(start_ns: int, *, first: bool) -> Ints:
    hour = -(-start_ns // HOUR_NS) * HOUR_NS
    times = {start_ns} if first else set()
    if hour < start_ns + BLOCK_NS:
        times.add(hour)
    return np.array(sorted(times), dtype=np.int64)


@dataclass(frozen=True)
class SampleMarket:
    """A sample of the built-in market: `assets` assets on `venues` for `hours` hours from `start_ns` (UNIX ns).

    Each venue lists a perp (book, trades, marks every second, predicted funding and open interest every minute) and a
    spot market (book and trades; on MEXC trades alone). `edge` is the strength of what can be predicted: 0 is nothing,
    1 a drift over the outcome of an episode of somewhat less than a standard deviation; the same seed has the same
    episodes and the same shocks at any edge. Raises ValueError for arguments that make no market.
    """

    seed: int
    hours: float
    assets: int
    start_ns: int = MONDAY_2026_01_05
    venues: tuple[str, ...] = VENUES
    edge: float = DEFAULT_EDGE

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give a whole number from 0")
        if not 0.0 < self.hours < 24.0 * 366.0:
            raise ValueError(f"hours is {self.hours}: give more than 0, and at most a year")
        if self.start_ns < 0 or self.start_ns % MINUTE_NS or self.end_ns > LATEST_NS:
            start = f"{self.start_ns} ({format_ns(self.start_ns)})"
            raise ValueError(f"start_ns is {start}: give a full minute from 1970 on, and end by 2200")
        if not 0.0 <= self.edge <= LARGEST_EDGE:
            raise ValueError(f"edge is {self.edge}: give 0 for a market without an edge, and at most {LARGEST_EDGE:g}")
        listings(self.assets, self.venues)

    @property
    def end_ns(self) -> int:
        """Everything happens before this time."""
        return self.start_ns + round(self.hours * HOUR_NS)

    def specs(self) -> list[MarketSpec]:
        """The instruments, asset by asset."""
        return [listing.spec for listing in listings(self.assets, self.venues)]

    def chunks(
        self, progress: Progress | None = None, truth: Truth | None = None
    ) -> Iterator[tuple[MarketSpec, Chunk]]:
        """The tables in blocks of ten minutes, all markets of a block after each other.

        Per market and kind ``ts_init`` strictly increases from event to event (the rows of a book frame share it), and
        ``line`` numbers the events. A book starts with a snapshot and repeats one at each full hour (UTC), at times
        that no trade shares. Memory is bounded by one market's block. `progress` is told the instrument id, and how
        many blocks of markets are done of how many. `truth` is filled when the last table was taken.
        """
        markets = [(listing.asset_index, _MarketRun(listing, self.seed)) for listing in self._listings()]
        by_asset = {index: [market for i, market in markets if i == index] for index, _ in markets}
        assets = self.asset_runs()
        total, done = self.blocks * len(markets), 0
        for block, start, shared in self.common_blocks():
            for index, run in assets.items():
                asset, walls = run.block(block, shared, start, self.end_ns)
                for market in by_asset[index]:
                    for whole in market.block(block, asset, walls, start):
                        # cut last, so that where a sample ends changes no draw
                        chunk = before(whole, self.end_ns)
                        if chunk.table.num_rows:
                            yield market.spec, chunk
                    done += 1
                    if progress is not None:
                        progress(market.spec.market.instrument_id, done, total)
        if truth is not None:
            for run in assets.values():
                truth.episodes += run.record.episodes()
            for _, market in markets:
                spec = market.spec
                truth.walls += market.walls.truth(
                    spec.market.instrument_id, spec.price_tick, spec.size_step, self.end_ns
                )

    @property
    def blocks(self) -> int:
        """How many blocks there are; the last may reach beyond the end."""
        return -(-(self.end_ns - self.start_ns) // BLOCK_NS)

    def asset_runs(self) -> dict[int, AssetRun]:
        """What drives each asset, by its index: of use alone where only prices are asked for."""
        first = {listing.asset_index: listing for listing in reversed(self._listings())}
        return {index: AssetRun(first[index], self.seed, self.start_ns, self.edge) for index in sorted(first)}

    def common_blocks(self) -> Iterator[tuple[int, int, CommonBlock]]:
        """Number and start of each block, and what all assets share in it."""
        common = CommonFactor(_stream(self.seed, _COMMON, 0))
        for block in range(self.blocks):
            yield block, self.start_ns + block * BLOCK_NS, common.block(_stream(self.seed, _COMMON, block + 1))

    def _listings(self) -> list[Listing]:
        return listings(self.assets, self.venues)
