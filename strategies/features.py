"""The flow of an asset: market events in, its features at a scan out.

:class:`AssetFlow` is the only place where market events become features. Live, replay and research go through it, so
their numbers cannot differ. What the features are stands in :mod:`strategies.flow`, a file a group.
"""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from indicators.kernel import Floats, States, bound_entry
from strategies.book_view import BookView
from strategies.config import FlowSettings
from strategies.flow.events import (
    book_lost_at,
    depth_at,
    funding_at,
    levels_at,
    mark_at,
    open_interest_at,
    quote_at,
    sample_at,
    snapshot_at,
    trade_at,
)
from strategies.flow.groups import FEATURES, new_asset
from strategies.flow.markets import SECOND_NS, add_market, band_limits

_AT = {f.name: k for k, f in enumerate(FEATURES)}


def schema_id(settings: FlowSettings) -> str:
    """A hash of the features and of every setting that gives them their meaning. A model refuses any other."""
    text = json.dumps([[asdict(f) for f in FEATURES], settings.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_sample_ns(start_ns: int, step_ns: int) -> int:
    """When a clock that starts at `start_ns` takes its first sample: samples lie on whole multiples of their step, so
    that a replay that starts later samples at the same times, and the first has a whole step before it."""
    return -(-start_ns // step_ns) * step_ns + step_ns


@dataclass(frozen=True)
class FlowSnapshot:
    """An asset at a scan: `ts` in UNIX ns, `values` of shape (len(FEATURES),) in their order, read only."""

    ts: int
    asset: str
    values: Floats
    schema_id: str

    def __getitem__(self, name: str) -> float:
        """The feature of that name. Raises KeyError for a name that is none."""
        return float(self.values[_AT[name]])


@dataclass(frozen=True)
class FlowMarket:
    """A market as the flow needs it. `multiplier` is base units per unit of size; `has_book` says whether its book is
    known in full, so that prices and depth may be read off it."""

    name: str
    is_perp: bool
    price_places: int
    size_places: int
    multiplier: float = 1.0
    has_book: bool = True


class AssetFlow:
    """All flow of one asset. The first market is the lead: its price, bars and book say what the asset costs.

    Times are UNIX ns and must not step back. Prices are quote per base, sizes the venue's own units; taker side is 1
    buyer, 2 seller, 0 unknown. Raises ValueError for no or too many markets.
    """

    # the kernels themselves, the state bound: a Python frame around them would cost a fifth of a trade again
    on_trade: Callable[[int, float, float, int, int], None]
    """Take a trade: market number, price, size, taker side, time."""
    on_sample: Callable[[int], None]
    """Close the sample at a time, after :meth:`on_book` of every market that has one."""
    on_mark: Callable[[int, float, int], None]
    """Take a mark price: market number, price, time."""
    on_funding: Callable[[int, float, int, int], None]
    """Take a funding rate: market number, fraction per interval, the next settlement's time (0: not known), time."""
    on_open_interest: Callable[[int, float, int], None]
    """Take an open interest: market number, value in the venue's units, time."""

    def __init__(self, asset: str, markets: Sequence[FlowMarket], settings: FlowSettings) -> None:
        if not markets:
            raise ValueError(f"asset {asset} has no market: give at least one")
        self.asset = asset
        self.markets = tuple(markets)
        self.schema_id = schema_id(settings)
        self._settings = settings
        self._is_perp = [m.is_perp for m in markets]
        self._bands_bps = settings.depth_bands_bps
        self._stale_ns = round(settings.stale_seconds * SECOND_NS)
        self._updates = [-1] * len(self.markets)  # of each market's book as of its last sample
        self._changed_ns = [0] * len(self.markets)
        self._levels_ns = settings.levels_seconds * SECOND_NS
        self._states: States = new_asset(settings)
        for m in markets:
            add_market(
                self._states,
                is_perp=m.is_perp,
                has_book=m.has_book,
                price_places=m.price_places,
                size_places=m.size_places,
                multiplier=m.multiplier,
            )
        states, no_prices, no_sizes = self._states, np.empty(0, np.int64), np.empty(0)
        self.on_trade = bound_entry(trade_at, states, 0, 0.0, 0.0, 0, 0)
        self.on_sample = bound_entry(sample_at, states, 0)
        self.on_mark = bound_entry(mark_at, states, 0, 0.0, 0)
        self.on_funding = bound_entry(funding_at, states, 0, 0.0, 0, 0)
        self.on_open_interest = bound_entry(open_interest_at, states, 0, 0.0, 0)
        self._on_quote = bound_entry(quote_at, states, 0, 0, 0, 0)
        self._on_depth = bound_entry(depth_at, states, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
        self._on_levels = bound_entry(levels_at, states, no_prices, no_sizes, no_prices, no_sizes, 0)
        self._snapshot = bound_entry(snapshot_at, states, 0, np.empty(len(FEATURES)))

    def on_book(self, market: int, book: BookView, ts: int) -> None:
        """Take a sample of a market's book, on the clock.

        A book that has not changed since `stale_seconds` is lost: nothing is read off it until it changes again. A book
        with an empty side is no sample.
        """
        updates = book.updates
        if updates != self._updates[market]:
            self._updates[market], self._changed_ns[market] = updates, ts
        elif ts - self._changed_ns[market] > self._stale_ns:
            book_lost_at(self._states, market)
            return
        best = book.best()
        if best is None:
            return
        bid, ask = best
        if self._is_perp[market]:
            near, middle, far = self._bands_bps
            near_bid, near_ask = band_limits(bid, ask, near)
            middle_bid, middle_ask = band_limits(bid, ask, middle)
            far_bid, far_ask = band_limits(bid, ask, far)
            depths = book.depths((near_bid, middle_bid, far_bid), (near_ask, middle_ask, far_ask))
            self._on_depth(market, bid, ask, *depths, ts)
        else:
            self._on_quote(market, bid, ask, ts)
        if market == 0 and ts % self._levels_ns == 0:
            low, high = band_limits(bid, ask, self._settings.levels_reach_bps)
            self._on_levels(*book.levels_down_to(low), *book.levels_up_to(high), ts)

    def snapshot(self, ts: int) -> FlowSnapshot | None:
        """The features at `ts`, after everything up to `ts`.

        None until warm (the short flow window of the lead market covered, and `warm_samples` samples of its book if it
        has one) and while the lead market is stale: without a price there is nothing to decide.
        """
        values = np.full(len(FEATURES), math.nan)
        if not self._snapshot(ts, values):
            return None
        values.flags.writeable = False
        return FlowSnapshot(ts, self.asset, values, self.schema_id)

    @property
    def states(self) -> States:
        """The asset's record, for drivers in compiled code."""
        return self._states

    def cvd(self, market: int) -> float:
        """Cumulative volume delta of one market in base units, NaN before its first trade."""
        cvd = self._states["markets"][0][market]["cvd"]
        return float(cvd["delta"]) if cvd["trades"] else math.nan
