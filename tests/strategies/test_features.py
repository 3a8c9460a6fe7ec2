"""Every feature on events made by hand, and what must hold for any events."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.sides import BUYER, SELLER, UNKNOWN
from strategies.config import FlowSettings
from strategies.features import FEATURES, AssetFlow, Flip, FlowMarket, FlowSnapshot, schema_id

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
)
PERP = FlowMarket("PERP", is_perp=True, price_places=1, size_places=3)
CONTRACTS = FlowMarket("CONTRACTS", is_perp=True, price_places=1, size_places=0, multiplier=0.25)
SPOT = FlowMarket("SPOT", is_perp=False, price_places=2, size_places=4)

type Levels = dict[int, float]


class Book:
    """A book as a plain dict a side: price in units to size."""

    def __init__(self, bids: Levels, asks: Levels) -> None:
        self._bids, self._asks = bids, asks

    def best(self) -> tuple[int, int] | None:
        return (max(self._bids), min(self._asks)) if self._bids and self._asks else None

    def depth_down_to(self, price_units: int) -> float:
        return sum(self._bids[p] for p in sorted(self._bids, reverse=True) if p >= price_units)

    def depth_up_to(self, price_units: int) -> float:
        return sum(self._asks[p] for p in sorted(self._asks) if p <= price_units)


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


# -- the schema --------------------------------------------------------------------------------------------------------


def test_names_are_unique_and_documented() -> None:
    """Each feature has a name of its own, a unit and a meaning."""
    assert len({f.name for f in FEATURES}) == len(FEATURES)
    assert all(f.unit and f.meaning and f.warm_up for f in FEATURES)


def test_a_schema_id_is_stable() -> None:
    """Equal settings have equal ids, however they were written."""
    rewritten = FlowSettings.model_validate_json(FlowSettings().model_dump_json())
    assert schema_id(rewritten) == schema_id(FlowSettings()) == schema_id(FlowSettings(depth_bands_bps=(5, 10, 25)))


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_seconds": 5},
        {"scan_seconds": 10},
        {"depth_bands_bps": (5.0, 10.0, 20.0)},
        {"imbalance_window": 301},
        {"warm_samples": 61},
        {"flow_seconds": (60, 301)},
        {"surge_bucket_seconds": 6},
        {"surge_span_buckets": 61},
        {"surge_threshold": 2.6},
        {"whale_quantile": 0.98},
        {"whale_window": 999},
        {"bar_seconds": 61},
        {"ema_bars": (9, 22)},
        {"rsi_bars": 15},
        {"atr_bars": 15},
        {"stale_seconds": 11.0},
    ],
)
def test_any_other_setting_is_another_schema(changes: dict[str, Any]) -> None:
    """A model that was trained with one setting refuses snapshots that were made with another."""
    assert schema_id(FlowSettings(**changes)) != schema_id(FlowSettings())


def test_every_setting_is_tried_above() -> None:
    """A new setting must be added to the test before it can change features unseen."""
    marks = [m for m in test_any_other_setting_is_another_schema.pytestmark if m.name == "parametrize"]
    assert {name for changes in marks[0].args[1] for name in changes} == set(FlowSettings.model_fields)


def test_a_snapshot_is_read_only() -> None:
    """Nobody changes what another component was given; an unknown feature is a KeyError."""
    world = World()
    world.warm()
    snapshot = world.features(10)
    assert snapshot.values.shape == (len(FEATURES),)
    assert snapshot.schema_id == schema_id(SMALL)
    with pytest.raises(ValueError, match="read-only"):
        snapshot.values[0] = 1.0
    with pytest.raises(KeyError):
        snapshot["cvd"]


def test_an_asset_needs_a_market_and_has_room_for_sixteen() -> None:
    """The errors say what to do."""
    with pytest.raises(ValueError, match="BTC has no market"):
        AssetFlow("BTC", (), SMALL)
    with pytest.raises(ValueError, match="at most 16"):
        AssetFlow("BTC", (PERP,) * 17, SMALL)


# -- warm-up and staleness ---------------------------------------------------------------------------------------------


def test_no_snapshot_until_warm() -> None:
    """Two samples of the book and a short window that was covered from its first bucket on: all three are needed."""
    world = World()
    assert world.flow.snapshot(ns(5)) is None
    world.trade(7.5, 1.0, BUYER)
    world.books(8, around(10_000))
    assert world.flow.snapshot(ns(8)) is None
    world.books(9, around(10_000))
    # at 9 the window holds 8 and 9, so the first trade's second has just left it
    assert world.flow.snapshot(ns(8.9)) is None
    assert world.flow.snapshot(ns(9)) is not None


def test_one_sample_is_not_enough() -> None:
    """The window is covered, but the book was seen once."""
    world = World()
    world.trade(7, 1.0, BUYER)
    world.books(10, around(10_000))
    assert world.flow.snapshot(ns(10)) is None
    world.books(11, around(10_000))
    assert world.flow.snapshot(ns(11)) is not None


def test_no_snapshot_while_the_lead_is_stale() -> None:
    """A book of 3 seconds ago is a price, one older by a nanosecond is none; a new sample is one again."""
    world = World()
    world.warm(10)
    assert world.features(13)["price"] == 1000.0
    assert world.flow.snapshot(ns(13) + 1) is None
    world.books(14, around(10_010))
    assert world.features(14)["price"] == 1001.0


def test_a_book_with_an_empty_side_is_no_sample() -> None:
    """It neither counts for the warm-up nor keeps the price fresh."""
    world = World()
    world.warm(10)
    world.books(12, Book({9_999: 1.0}, {}))
    assert world.flow.snapshot(ns(13) + 1) is None


def test_a_lead_without_a_book_is_priced_by_its_trades() -> None:
    """Its last trade is its price while it is fresh; what a book would say is missing."""
    world = World(FlowMarket("PERP", is_perp=True, price_places=1, size_places=3, has_book=False))
    world.trade(7, 1.0, BUYER)
    world.trade(9.5, 1.0, BUYER, price=1000.3)
    snapshot = world.features(10)
    assert snapshot["price"] == 1000.3
    for name in ("spread_bps", "obi_near", "bid_depth_far", "basis_bps"):
        assert math.isnan(snapshot[name]), name
    assert world.flow.snapshot(ns(12.5) + 1) is None


def test_what_never_came_is_missing() -> None:
    """A perp alone, without marks, funding, open interest, bars or whales: all of these are NaN, the rest is not."""
    world = World()
    world.warm()
    snapshot = world.features(10)
    present = {f.name for f in FEATURES if not math.isnan(snapshot[f.name])}
    depths = {f"{side}_depth_{band}" for side in ("bid", "ask") for band in ("near", "mid", "far")}
    imbalances = {"obi_near", "obi_mid", "obi_far"}
    # three closed bars at one price: an RSI of 0 and an ATR of 0, in which a trend cannot be measured
    assert present == {"price", "spread_bps", "cvd_perp", "rsi", "atr", "atr_bps"} | depths | imbalances


# -- features by hand --------------------------------------------------------------------------------------------------


def test_price_and_spread() -> None:
    """999.9 to 1000.3: mid 1000.1, spread 0.4, that is 4 / 1000.1 × 1000 bps."""
    world = World()
    world.warm()
    world.books(11, Book({9_999: 1.0}, {10_003: 1.0}))
    snapshot = world.features(11)
    assert snapshot["price"] == pytest.approx(1000.1)
    assert snapshot["spread_bps"] == pytest.approx(0.4 / 1000.1 * 1e4)


def test_cvd_sums_base_units_of_all_perps_and_of_all_spots() -> None:
    """8 contracts of 0.25 bought and 3 units sold are -1; spot is a sum of its own; no side counts for neither."""
    world = World(PERP, CONTRACTS, SPOT)
    world.trade(7, 3.0, SELLER)
    world.trade(7, 8.0, BUYER, market=1)
    world.trade(7, 5.0, UNKNOWN, market=1)
    for time in (9, 10):
        world.books(time, around(10_000))
    assert math.isnan(world.features(10)["cvd_spot"])
    world.trade(10.5, 0.5, BUYER, market=2)
    snapshot = world.features(11)
    assert (snapshot["cvd_perp"], snapshot["cvd_spot"]) == (-1.0, 0.5)
    assert [world.flow.cvd(market) for market in range(3)] == [-3.0, 2.0, 0.5]
    assert math.isnan(World().flow.cvd(0))


def test_flow_ratios() -> None:
    """Perp: 3 bought, 1 sold in two seconds, 4 more sold in four; spot: all bought. Their differences follow."""
    world = World(PERP, SPOT)
    for market in (0, 1):
        world.trade(5.5, 100.0, BUYER, market=market)
    world.trade(7.5, 4.0, SELLER)
    world.trade(9.5, 3.0, BUYER)
    world.trade(10.0, 1.0, SELLER)
    world.trade(9.2, 2.0, BUYER, market=1)
    for time in (9, 10):
        world.books(time, around(10_000))
    snapshot = world.features(10)
    assert snapshot["perp_flow_short"] == 0.5
    assert snapshot["perp_flow_long"] == (3 - 1 - 4) / 8
    assert (snapshot["spot_flow_short"], snapshot["spot_flow_long"]) == (1.0, 1.0)
    assert (snapshot["spot_minus_perp_short"], snapshot["spot_minus_perp_long"]) == (0.5, 1.25)


def test_a_window_without_volume_has_no_ratio() -> None:
    """Nothing was traded in the short window: its ratio and what is built on it are missing, not zero."""
    world = World(PERP, SPOT)
    for market in (0, 1):
        world.trade(5.5, 1.0, BUYER, market=market)
    world.trade(8.5, 2.0, SELLER)
    for time in (9, 10):
        world.books(time, around(10_000))
    snapshot = world.features(10)
    assert math.isnan(snapshot["perp_flow_short"])
    assert math.isnan(snapshot["spot_minus_perp_short"])
    assert snapshot["perp_flow_long"] == -1.0


def test_volume_surge() -> None:
    """Seconds of 2 and 4 units, then 7: a baseline of 10/3 with variance 8/9, so a score of 11/√8."""
    world = World()
    world.trade(6.5, 100.0, BUYER)  # seen in part: not used
    for time, size in ((7.5, 2.0), (8.5, 4.0), (9.5, 7.0)):
        world.trade(time, size, BUYER)
    for time in (9, 10):
        world.books(time, around(10_000))
    assert world.features(10)["volume_surge_z"] == pytest.approx(11 / math.sqrt(8))


def whale_world() -> World:
    """A hundred perp trades of one unit: the next larger one is a whale."""
    world = World()
    for k in range(100):
        world.trade(k / 20, 1.0, UNKNOWN)
    for time in (9, 10):
        world.books(time, around(10_000))
    return world


def test_whale_flow() -> None:
    """Whales of 6 bought and 3 sold among 12 units of volume in the window: a quarter."""
    world = whale_world()
    world.trade(6.0, 5.0, BUYER)  # the first whale, in a second that has left the window
    world.trade(9.0, 6.0, BUYER)
    world.trade(9.5, 1.0, SELLER)
    world.trade(9.6, 3.0, SELLER)
    world.trade(9.7, 1.0, BUYER)
    world.trade(9.8, 1.0, BUYER)
    assert world.features(10)["whale_flow_short"] == 3 / 12


def test_no_whale_is_no_whale_flow() -> None:
    """Ordinary prints alone give zero, which is not missing; without any volume it is missing."""
    world = whale_world()
    world.trade(9.5, 1.0, SELLER)
    assert world.features(10)["whale_flow_short"] == 0.0
    world.books(13, around(10_000))
    assert math.isnan(world.features(13)["whale_flow_short"])


def test_the_very_first_whale_counts() -> None:
    """The window has been covered by trades for long: a first whale of 6 in 8 units is three quarters."""
    world = whale_world()
    world.trade(9.5, 6.0, BUYER)
    world.trade(9.6, 2.0, UNKNOWN)
    assert world.features(10)["whale_flow_short"] == 6 / 8


BANDED = Book({9_999: 3.0, 9_995: 1.0, 9_990: 4.0, 9_975: 8.0, 9_974: 99.0}, {10_001: 1.0, 10_005: 1.0, 10_025: 2.0})


def test_depth_and_imbalance_by_band() -> None:
    """Around 1000.0, within 5, 10 and 25 bps inclusive: 4, 8 and 16 are bid, 2, 2 and 4 offered."""
    world = World()
    world.warm()
    world.books(11, BANDED)
    snapshot = world.features(11)
    assert [snapshot[f"bid_depth_{band}"] for band in ("near", "mid", "far")] == [4.0, 8.0, 16.0]
    assert [snapshot[f"ask_depth_{band}"] for band in ("near", "mid", "far")] == [2.0, 2.0, 4.0]
    assert [snapshot[f"obi_{band}"] for band in ("near", "mid", "far")] == [2 / 6, 6 / 10, 12 / 20]


def test_depth_is_that_of_all_perps_in_base_units() -> None:
    """4 contracts of 0.25 bid at the second venue are one unit more; the spot book does not count."""
    world = World(PERP, CONTRACTS, SPOT)
    world.warm()
    world.books(11, BANDED, Book({9_998: 4.0}, {10_001: 8.0}), around(100_000, size=1e6))
    snapshot = world.features(11)
    assert (snapshot["bid_depth_near"], snapshot["ask_depth_near"]) == (5.0, 4.0)
    assert snapshot["obi_near"] == 1 / 9


def test_a_book_that_was_not_sampled_has_no_depth() -> None:
    """When the second venue falls silent, the depth is that of the first alone."""
    world = World(PERP, CONTRACTS)
    world.warm()
    world.books(11, BANDED, around(10_000, size=4.0))
    world.books(12, BANDED, None)
    assert world.features(12)["bid_depth_near"] == 4.0


def test_between_samples_the_last_depth_stands() -> None:
    """Nothing was sampled now: the depth is that of the last sample until it is stale, and then missing, never zero."""
    world = World(SPOT, PERP)
    world.trade(7, 1.0, BUYER)
    for time in (9, 10):
        world.books(time, around(100_000), around(10_000, size=4.0))
    for time in (13, 14):
        world.books(time, around(100_000), None)
    snapshot = world.features(13)
    assert (snapshot["bid_depth_near"], snapshot["obi_near"]) == (4.0, 0.0)
    assert math.isnan(world.features(14)["bid_depth_near"])


def test_imbalance_z_score() -> None:
    """Imbalances 0, 0, 0 and 1/3: the last is 3/4 of a third above the mean, in population deviations √3."""
    world = World()
    world.warm(10)
    world.books(11, around(10_000))
    assert math.isnan(world.features(11)["obi_near_z"])
    world.books(12, Book({9_999: 2.0}, {10_001: 1.0}))
    snapshot = world.features(12)
    assert [snapshot[f"obi_{band}_z"] for band in ("near", "mid", "far")] == pytest.approx([math.sqrt(3)] * 3)


def test_trend_rsi_and_atr_are_of_the_leads_bars() -> None:
    """Bars of a second with closes 100, 101, 99; see the comments."""
    world = World(PERP, SPOT)
    world.trade(7.5, 1.0, BUYER, price=100.0)
    world.trade(8.2, 1.0, BUYER, price=103.0)
    world.trade(8.4, 1.0, BUYER, price=101.0)
    world.trade(8.6, 1.0, BUYER, price=500.0, market=1)  # spot: no part of the bars
    world.trade(9.5, 1.0, BUYER, price=99.0)
    for time in (9, 10):
        world.books(time, around(1_000))
    snapshot = world.features(10)
    # true ranges 103 - 100 and 101 - 99
    assert snapshot["atr"] == 2.5
    assert snapshot["atr_bps"] == 250.0
    # one up, two down
    assert snapshot["rsi"] == pytest.approx(100 / 3)
    # fast 99; slow from 100.5 two thirds of the way to 99
    assert snapshot["trend_atr"] == pytest.approx((99 - 99.5) / 2.5)


def test_basis() -> None:
    """A perp at 1000 over spots at 998 and 1000: 1 / 999. A stale spot has no say, and without one it is missing."""
    world = World(PERP, SPOT, SPOT)
    world.warm(10)
    world.books(11, around(10_000), around(99_800), around(100_000))
    assert world.features(11)["basis_bps"] == pytest.approx(1 / 999 * 1e4)
    world.books(14, around(10_000), None, around(100_000))
    assert world.features(14)["basis_bps"] == pytest.approx(1 / 999 * 1e4)
    world.books(15, around(10_000))
    assert world.features(15)["basis_bps"] == 0.0
    world.books(18, around(10_000))
    assert math.isnan(world.features(18)["basis_bps"])


def test_mark_premium() -> None:
    """A mark of 1001 over a mid of 1000 is 10 bps, and is missing once the mark is older than 3 seconds."""
    world = World()
    world.warm(10)
    world.flow.on_mark(0, 1001.0, ns(9))
    assert world.features(12)["mark_premium_bps"] == pytest.approx(10.0)
    assert math.isnan(world.features(12.5)["mark_premium_bps"])


def test_funding() -> None:
    """The lead's rate and the time to its next settlement; of another perp neither; after an hour neither."""
    world = World(PERP, CONTRACTS)
    world.warm(10)
    world.flow.on_funding(1, 0.5, ns(99), ns(9))
    assert math.isnan(world.features(10)["funding_rate"])
    world.flow.on_funding(0, -0.0001, ns(70), ns(10))
    snapshot = world.features(10)
    assert (snapshot["funding_rate"], snapshot["time_to_funding_s"]) == (-0.0001, 60.0)
    world.books(70, around(10_000))
    # due, and the next one is not known yet
    snapshot = world.features(70)
    assert snapshot["funding_rate"] == -0.0001
    assert math.isnan(snapshot["time_to_funding_s"])


def test_funding_without_a_known_settlement() -> None:
    """A source that does not say when (0) leaves the time missing."""
    world = World()
    world.warm(10)
    world.flow.on_funding(0, 0.0001, 0, ns(10))
    snapshot = world.features(10)
    assert snapshot["funding_rate"] == 0.0001
    assert math.isnan(snapshot["time_to_funding_s"])


def test_open_interest() -> None:
    """Base units, summed over the perps that report it: 100 and 40 contracts of 0.25 are 110."""
    world = World(PERP, CONTRACTS)
    world.warm(10)
    world.flow.on_open_interest(0, 100.0, ns(9))
    assert world.features(10)["open_interest"] == 100.0
    world.flow.on_open_interest(1, 40.0, ns(10))
    assert world.features(10)["open_interest"] == 110.0


def test_slow_reports_are_stale_after_an_hour() -> None:
    """An hour old funding and open interest still count, a second later they are missing."""
    world = World()
    world.warm(10)
    world.flow.on_open_interest(0, 100.0, ns(10))
    world.flow.on_funding(0, 0.0001, ns(9_999), ns(10))
    for time in (3609, 3611):
        world.trade(time - 3, 1.0, BUYER)
        world.books(time, around(10_000))
    assert world.features(3610)["open_interest"] == 100.0
    assert world.features(3610)["funding_rate"] == 0.0001
    assert math.isnan(world.features(3611)["open_interest"])
    assert math.isnan(world.features(3611)["funding_rate"])


# -- for any events ----------------------------------------------------------------------------------------------------

CENTRE = 10_000_000  # units: all prices are within a few of it
STEP = 0.25  # seconds between events
type Event = tuple[Any, ...]


def random_events(seed: int, count: int = 400) -> list[Event]:
    """Trades of distinct sizes, books and reports of two perps and a spot market, a quarter second apart."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    for k in range(count):
        market = int(rng.integers(3))
        kind = int(rng.integers(10))
        if k % 4 == 3:
            half, drift = int(rng.integers(1, 8)), int(rng.integers(-5, 6))
            sides = [{(i + 1) * half: float(rng.integers(1, 9)) for i in range(3)} for _ in range(2)]
            events.append(("book", market, drift, *sides))
        elif kind < 8:
            # every size occurs once, so that no two notionals tie
            size = 1_000 * int(rng.integers(1, 60)) + k
            events.append(("trade", market, int(rng.integers(-9, 10)), size, int(rng.integers(3))))
        elif kind == 8:
            events.append(("mark", 0, int(rng.integers(-9, 10))))
        else:
            events.append(("funding", 0, int(rng.integers(-9, 10)) / 1e4))
    return events


def mirrored(event: Event) -> Event:
    """The event in the world where up is down and every buyer a seller."""
    match event:
        case ("book", market, drift, bids, asks):
            return ("book", market, -drift, asks, bids)
        case ("trade", market, distance, size, side):
            return ("trade", market, -distance, size, {BUYER: SELLER, SELLER: BUYER}.get(side, side))
        case (kind, market, value):
            return (kind, market, -value)
    raise AssertionError(event)


EVEN = FlowMarket("EVEN", is_perp=True, price_places=2, size_places=3)
TENTHS = FlowMarket("TENTHS", is_perp=True, price_places=2, size_places=0, multiplier=0.1)
EVEN_SPOT = FlowMarket("EVEN_SPOT", is_perp=False, price_places=2, size_places=4)


def play(events: Sequence[Event], nudge: float = 0.0) -> list[FlowSnapshot | None]:
    """A snapshot a second. Trade prices and sizes are moved `nudge` ulps off their nearest doubles."""
    markets = (EVEN, TENTHS, EVEN_SPOT)
    flow = AssetFlow("BTC", markets, SMALL)
    out: list[FlowSnapshot | None] = []
    for k, event in enumerate(events):
        ts = ns(k * STEP)
        match event:
            case ("book", market, drift, bids, asks):
                mid = CENTRE + drift
                flow.on_book(
                    market, Book({mid - d: s for d, s in bids.items()}, {mid + d: s for d, s in asks.items()}), ts
                )
            case ("trade", market, distance, size, side):
                price = (CENTRE + distance) / 100
                amount = size / 10 ** markets[market].size_places
                flow.on_trade(market, price + nudge * math.ulp(price), amount + nudge * math.ulp(amount), side, ts)
            case ("mark", market, distance):
                flow.on_mark(market, (CENTRE + distance) / 100, ts)
            case ("funding", market, rate):
                flow.on_funding(market, rate, ns(1_000), ts)
        flow.on_sample(ts)
        if k % 4 == 3:
            out.append(flow.snapshot(ts))
    return out


def bits(snapshots: Sequence[FlowSnapshot | None]) -> list[bytes | None]:
    return [None if s is None else s.values.tobytes() for s in snapshots]


SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("nudge", [1.0, -1.0])
@settings(deadline=None, max_examples=15)
@given(seed=SEEDS)
def test_an_ulp_off_makes_no_difference(nudge: float, seed: int) -> None:
    """A keeper of prices that rounds its doubles otherwise gets the same bits in every feature."""
    events = random_events(seed)
    assert bits(play(events)) == bits(play(events, nudge))


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, cut=st.integers(50, 399))
def test_the_future_changes_nothing(seed: int, cut: int) -> None:
    """Without what comes after it, every snapshot is what it was."""
    events = random_events(seed)
    before = bits(play(events[:cut]))
    assert bits(play(events))[: len(before)] == before


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_the_mirrored_world(seed: int) -> None:
    """Buys for sells, bids for asks, up for down: every feature becomes what its Flip says.

    Prices stay within a millionth of each other, so that the features over price differ by no more than that. A market
    that has not moved is outside: its RSI is 0, as in TA-Lib, and so is that of its mirror.
    """
    events = random_events(seed)
    pairs = zip(play(events), play([mirrored(e) for e in events]), strict=True)
    seen = 0
    for one, other in pairs:
        assert (one is None) == (other is None)
        if one is None or other is None:
            continue
        seen += 1
        for feature in FEATURES:
            value, mirror = one[feature.name], other[feature.name]
            if feature.name == "rsi" and value == mirror == 0.0:
                continue
            match feature.flip:
                case Flip.SAME:
                    expected = value
                case Flip.NEGATE:
                    expected = -value
                case Flip.COMPLEMENT:
                    expected = 100.0 - value
                case Flip.SWAP:
                    side, rest = feature.name.split("_", 1)
                    expected = one[{"bid": "ask", "ask": "bid"}[side] + "_" + rest]
            assert mirror == pytest.approx(expected, rel=1e-5, abs=1e-9, nan_ok=True), feature.name
    assert seen > 10
