"""An asset fed by hand: markets, books and times for the tests of the flow."""

import itertools

import numpy as np

from indicators.kernel import Floats, Ints
from indicators.sides import BUYER
from strategies.book_view import Bands
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket, FlowSnapshot
from strategies.flow.events import features_at
from strategies.flow.groups import FEATURES

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND

SMALL = FlowSettings(
    imbalance_window=4,
    warm_samples=2,
    flow_seconds=(2, 4),
    surge_bucket_seconds=1,
    surge_span_buckets=2,
    whale_quantile=0.9,
    whale_window=100,
    bar_seconds=1,
    ema_bars=(1, 2),
    rsi_bars=2,
    atr_bars=2,
    stale_seconds=3,
    slope_scans=2,
    cvd_smoothing_scans=2,
    divergence_scans=12,
    divergence_distance_scans=1,
    divergence_confirm_scans=1,
    divergence_match_scans=1,
    scan_seconds=1,
    levels_seconds=1,
    wall_min_reads=2,
    burst_window=50,
    macd_bars=(1, 2, 2),
    bollinger_bars=2,
    basis_window=3,
    microprice_reads=2,
    absorption_scans=2,
    lead_span_seconds=1.0,
)
PERP = FlowMarket("PERP", is_perp=True, price_places=1, size_places=3)
CONTRACTS = FlowMarket("CONTRACTS", is_perp=True, price_places=1, size_places=0, multiplier=0.25)
SPOT = FlowMarket("SPOT", is_perp=False, price_places=2, size_places=4)

_COUNT = itertools.count()

type Levels = dict[int, float]


class Book:
    """A book as a plain dict a side: price in units to size."""

    def __init__(self, bids: Levels, asks: Levels) -> None:
        self._bids, self._asks = bids, asks

    @property
    def updates(self) -> int:
        """Another number whenever any book is asked: those of the tests are always current."""
        return next(_COUNT)

    def best(self) -> tuple[int, int] | None:
        return (max(self._bids), min(self._asks)) if self._bids and self._asks else None

    def depths(self, lowest_bids: Bands, highest_asks: Bands) -> tuple[float, float, float, float, float, float]:
        bids = [sum(self._bids[p] for p in sorted(self._bids, reverse=True) if p >= low) for low in lowest_bids]
        asks = [sum(self._asks[p] for p in sorted(self._asks) if p <= high) for high in highest_asks]
        return bids[0], bids[1], bids[2], asks[0], asks[1], asks[2]

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        return self._levels(self._bids, [p for p in sorted(self._bids, reverse=True) if p >= price_units])

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        return self._levels(self._asks, [p for p in sorted(self._asks) if p <= price_units])

    def _levels(self, side: Levels, prices: list[int]) -> tuple[Ints, Floats]:
        return np.array(prices, np.int64), np.array([side[p] for p in prices])


def ns(seconds: float) -> int:
    return START + round(seconds * SECOND)


def around(mid_units: int, half: int = 1, size: float = 1.0) -> Book:
    """One level a side, `half` units from the mid."""
    return Book({mid_units - half: size}, {mid_units + half: size})


class World:
    """An asset fed by hand, times in seconds from a whole minute."""

    def __init__(self, *markets: FlowMarket, config: FlowSettings = SMALL) -> None:
        self.flow = AssetFlow("BTC", markets or (PERP,), config)

    def trade(self, seconds: float, size: float, side: int, *, price: float = 1000.0, market: int = 0) -> None:
        self.flow.on_trade(market, price, size, side, ns(seconds))

    def books(self, seconds: float, *books: Book | None) -> None:
        """One sample of all books, the lead's first; None: not sampled."""
        for market, book in enumerate(books):
            if book is not None:
                self.flow.on_book(market, book, ns(seconds))
        self.flow.on_sample(ns(seconds))

    def warm(self, seconds: float = 10.0, *, mid_units: int = 10_000) -> None:
        """Bring the lead to where it gives snapshots: its short window covered, its book sampled twice."""
        self.trade(seconds - 3, 1.0, BUYER)
        for time in (seconds - 1, seconds):
            self.books(time, around(mid_units))

    def features(self, seconds: float) -> FlowSnapshot:
        snapshot = self.flow.snapshot(ns(seconds))
        assert snapshot is not None
        return snapshot

    def values(self, seconds: float) -> dict[str, float]:
        """The features even where no snapshot would be given."""
        out = np.full(len(FEATURES), np.nan)
        features_at(self.flow._states, ns(seconds), out)
        return dict(zip((f.name for f in FEATURES), out.tolist(), strict=True))
