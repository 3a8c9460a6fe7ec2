"""Every feature on events made by hand, and what must hold for any events."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.sides import BUYER, SELLER
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket, FlowSnapshot, schema_id
from strategies.flow.groups import FEATURES
from strategies.flow.schema import Flip
from tests.strategies.flow.world import PERP, SMALL, Book, World, around, ns

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
        {"levels_seconds": 10},
        {"microprice_reads": 61},
        {"absorption_scans": 62},
        {"lead_step_ms": 50},
        {"lead_span_seconds": 301.0},
        {"levels_reach_bps": 41.0},
        {"level_group_bps": 0.6},
        {"wall_quantile": 0.97},
        {"wall_span_reads": 121},
        {"wall_min_reads": 13},
        {"heat_half_life_seconds": 121.0},
        {"slope_scans": 61},
        {"cvd_smoothing_scans": 7},
        {"divergence_scans": 181},
        {"divergence_distance_scans": 13},
        {"divergence_prominence_sd": 0.6},
        {"divergence_confirm_scans": 7},
        {"divergence_match_scans": 7},
        {"burst_gap_seconds": 0.3},
        {"burst_window": 999},
        {"macd_bars": (12, 26, 10)},
        {"bollinger_bars": 21},
        {"basis_window": 301},
        {"open_interest_stale_seconds": 661.0},
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
    microprice = {"microprice_near_bps", "microprice_far_bps", "microprice_near_z"}
    liquidity = {f"{side}_{what}" for side in ("bid", "ask") for what in ("wall_bps", "wall_strength", "magnet_bps")}
    # three closed bars at one price: an RSI of 0 and an ATR of 0, in which a trend cannot be measured
    bars = {"rsi", "atr", "atr_bps"}
    assert (
        present
        == {"price", "spread_bps", "cvd_perp", "wall_pressure", "cluster_skew"}
        | depths
        | imbalances
        | microprice
        | liquidity
        | bars
    )


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

    Prices stay within a millionth of each other, so that features of relative prices differ by no more than that. A
    market that has not moved is outside: its RSI is 0, as in TA-Lib, and so is that of its mirror.
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
                case Flip.COMPLEMENT_100:
                    expected = 100.0 - value
                case Flip.COMPLEMENT_1:
                    expected = 1.0 - value
                case Flip.SWAP:
                    assert feature.partner is not None
                    expected = one[feature.partner]
            assert mirror == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True), feature.name
    assert seen > 10
