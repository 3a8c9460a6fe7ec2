"""The built-in market: a seeded, simulated stand-in for recorded data, so that everything runs without a download.

The parts, from the ground: :mod:`catalog.market_specs` (what is listed), :mod:`catalog.market_price` (a latent price
per asset, and how venues follow it), :mod:`catalog.market_flow` (takers), :mod:`catalog.market_book` (books and
trades), :mod:`catalog.market_reports` (marks, funding, open interest), :mod:`catalog.market_columns` (Arrow tables).
It plants no edge: what it shows about a strategy is that it runs, and what its costs are.

Every part of every market draws from a random stream of its own, named by seed, asset, venue and block. So the same
arguments give the same tables, another asset or venue changes nothing in the others, and a shorter sample is the
beginning of a longer one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from catalog.market_book import VenueBook, book_shape
from catalog.market_columns import Arrivals, before, book_chunk, report_chunks, trade_chunk
from catalog.market_flow import OrderFlow
from catalog.market_price import BLOCK_NS, HOUR_NS, AssetBlock, AssetPrice, CommonFactor, Ints, VenuePrice
from catalog.market_reports import MINUTE_NS, VenueReports
from catalog.market_specs import VENUES, Listing, MarketSpec, listings
from catalog.tables import Chunk, Kind

MONDAY_2026_01_05 = 1_767_571_200_000_000_000  # 00:00 UTC
_COMMON, _ASSET, _MARKET = range(3)  # what a random stream is for: first part of its name
_PRICE, _FLOW, _BOOK, _REPORTS, _ARRIVALS = range(5)  # which part of a market; the block comes last, 0 to set up

type Progress = Callable[[str, int, int], None]  # what was made, blocks of markets done, and how many there are


def _stream(seed: int, *name: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=name)))


class _MarketRun:
    """One market as it moves through the blocks."""

    def __init__(self, listing: Listing, seed: int) -> None:
        spec, temper = listing.spec, listing.temper
        self.spec = spec
        self._name = (seed, _MARKET, listing.asset_index, listing.venue_index)
        price, tick = float(spec.opening_price), float(spec.price_tick)
        step_notional = price * float(spec.size_step * spec.multiplier)
        self._price = VenuePrice(_stream(*self._name, _PRICE, 0), tick, temper.lag_seconds, spec.is_perp)
        self._flow = OrderFlow(temper.trades_per_second, temper.trade_notional / step_notional)
        shape = book_shape(price, tick, temper.spread_bps, temper.depth_notional / step_notional)
        self._book = VenueBook(shape, temper.frames_per_second)
        self._reports = VenueReports(_stream(*self._name, _REPORTS, 0), temper.open_interest_notional / step_notional)
        self._arrivals = {kind: Arrivals(temper.latency_seconds) for kind in Kind}

    def block(self, index: int, asset: AssetBlock, start_ns: int) -> Iterator[Chunk]:
        price_rng, flow_rng, book_rng, report_rng, arrival_rng = (
            _stream(*self._name, part, index + 1) for part in (_PRICE, _FLOW, _BOOK, _REPORTS, _ARRIVALS)
        )
        fair = self._price.block(price_rng, asset)
        flow = self._flow.block(flow_rng, asset, start_ns)
        snapshots = _snapshot_times(start_ns, first=index == 0)
        book = self._book.block(book_rng, fair.ticks, flow, start_ns, snapshots)
        if self.spec.has_book:
            yield book_chunk(self.spec, book.rows, self._arrivals[Kind.BOOK], arrival_rng)
        yield trade_chunk(self.spec, book.trades, flow.sides, self._arrivals[Kind.TRADES], arrival_rng)
        if self.spec.is_perp:
            reports = self._reports.block(report_rng, fair, book.trades, start_ns)
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
    spot market (book and trades; on MEXC trades alone). Raises ValueError for arguments that make no market.
    """

    seed: int
    hours: float
    assets: int
    start_ns: int = MONDAY_2026_01_05
    venues: tuple[str, ...] = VENUES

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give a whole number from 0")
        if not 0.0 < self.hours < 24.0 * 366.0:
            raise ValueError(f"hours is {self.hours}: give more than 0, and at most a year")
        if self.start_ns < 0 or self.start_ns % MINUTE_NS:
            raise ValueError(f"start_ns is {self.start_ns}: give the UNIX nanoseconds of a full minute")
        listings(self.assets, self.venues)

    @property
    def end_ns(self) -> int:
        """Everything happens before this time."""
        return self.start_ns + round(self.hours * HOUR_NS)

    def specs(self) -> list[MarketSpec]:
        """The instruments, asset by asset."""
        return [listing.spec for listing in listings(self.assets, self.venues)]

    def chunks(self, progress: Progress | None = None) -> Iterator[tuple[MarketSpec, Chunk]]:
        """The tables in blocks of ten minutes, all markets of a block after each other.

        Per market and kind ``ts_init`` strictly increases from event to event (the rows of a book frame share it), and
        ``line`` numbers the events. A book starts with a snapshot and repeats one at each full hour (UTC), at times
        that no trade shares. Memory is bounded by one market's block. `progress` is told the instrument id, and how
        many blocks of markets are done of how many.
        """
        by_asset: dict[int, list[Listing]] = {}
        for listing in listings(self.assets, self.venues):
            by_asset.setdefault(listing.asset_index, []).append(listing)
        markets = {index: [_MarketRun(listing, self.seed) for listing in group] for index, group in by_asset.items()}
        prices = {
            index: AssetPrice(
                _stream(self.seed, _ASSET, index, 0),
                opening_price=float(group[0].spec.opening_price),
                volatility_bps=group[0].temper.volatility_bps,
            )
            for index, group in by_asset.items()
        }
        common = CommonFactor(_stream(self.seed, _COMMON, 0))
        blocks = -(-(self.end_ns - self.start_ns) // BLOCK_NS)
        total, done = blocks * sum(map(len, markets.values())), 0
        for block in range(blocks):
            start = self.start_ns + block * BLOCK_NS
            shared = common.block(_stream(self.seed, _COMMON, block + 1))
            for index, price in prices.items():
                asset = price.block(_stream(self.seed, _ASSET, index, block + 1), shared, start)
                for market in markets[index]:
                    for whole in market.block(block, asset, start):
                        # cut last, so that where a sample ends changes no draw
                        chunk = before(whole, self.end_ns)
                        if chunk.table.num_rows:
                            yield market.spec, chunk
                    done += 1
                    if progress is not None:
                        progress(market.spec.market.instrument_id, done, total)
