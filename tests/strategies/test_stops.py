from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.stops import NoStop, Stop, StopKind, StopRule, StopSettings, SwingTracker, stop_price
from strategies.ticks import to_tick

CASE: dict[str, Any] = {
    "side": 1,
    "entry": Decimal(100),
    "tick": Decimal("0.25"),
    "atr": Decimal("1.3"),
    "spread": Decimal("0.25"),
    "swing": Decimal("96.5"),
    "liquidation": None,
}


def stop(settings: dict[str, Any] | None = None, **changes: Any) -> Stop | NoStop:
    return stop_price(**CASE | changes, settings=StopSettings(**settings or {}))


def test_atr_by_hand() -> None:
    """2 × 1.3 below 100 is 97.4, on the tick away from it 97.25; of a short 102.75. The swing has no say."""
    assert stop() == Stop(Decimal("97.25"), Decimal("2.75"), StopKind.ATR)
    assert stop(side=-1) == Stop(Decimal("102.75"), Decimal("2.75"), StopKind.ATR)


def test_swing_by_hand() -> None:
    """Two ticks below a low of 96.5 is 96; half an ATR below it, 95.85, is more and lies on 95.75."""
    assert stop({"rule": StopRule.SWING}) == Stop(Decimal(96), Decimal(4), StopKind.SWING)
    wide = stop({"rule": StopRule.SWING, "swing_buffer_atr": Decimal("0.5")})
    assert wide == Stop(Decimal("95.75"), Decimal("4.25"), StopKind.SWING)


def test_wider_and_nearer_by_hand() -> None:
    """Of 97.25 by ATR and 96 by the swing, then of 97.25 and 98.5, the profile's choice."""
    wider, nearer = {"rule": StopRule.WIDER}, {"rule": StopRule.NEARER}
    assert stop(wider) == Stop(Decimal(96), Decimal(4), StopKind.SWING)
    assert stop(nearer) == Stop(Decimal("97.25"), Decimal("2.75"), StopKind.ATR)
    assert stop(wider, swing=Decimal(99)) == Stop(Decimal("97.25"), Decimal("2.75"), StopKind.ATR)
    assert stop(nearer, swing=Decimal(99)) == Stop(Decimal("98.5"), Decimal("1.5"), StopKind.SWING)


@pytest.mark.parametrize("rule", [StopRule.SWING, StopRule.WIDER, StopRule.NEARER])
@pytest.mark.parametrize("swing", [None, Decimal(100), Decimal(101)])
def test_without_a_swing_below_entry_the_atr_is_taken_and_said(rule: StopRule, swing: Decimal | None) -> None:
    """A swing that price has left behind is none."""
    assert stop({"rule": rule}, swing=swing) == Stop(Decimal("97.25"), Decimal("2.75"), StopKind.ATR_WITHOUT_SWING)


@pytest.mark.parametrize(
    ("settings", "changes", "distance"),
    [
        ({"min_bps": Decimal(400)}, {}, "4"),
        ({"min_ticks": 13}, {}, "3.25"),
        ({"min_spreads": Decimal(2)}, {"spread": Decimal(2)}, "4"),
        ({"rule": StopRule.SWING}, {"swing": Decimal("99.75"), "spread": Decimal("0.5")}, "1"),
    ],
)
def test_no_stop_is_nearer_than_the_largest_minimum(
    settings: dict[str, Any], changes: dict[str, Any], distance: str
) -> None:
    """4 % of 100, 13 ticks, two spreads of 2; a swing stop 0.75 away is moved to two spreads of 0.5."""
    assert stop(settings, **changes) == Stop(100 - Decimal(distance), Decimal(distance), StopKind.MINIMUM)


@pytest.mark.parametrize(("side", "near", "enough"), [(1, "97.01", "97"), (-1, "102.99", "103")])
def test_liquidation_needs_its_margin(side: int, near: str, enough: str) -> None:
    """25 bps of 100 are 0.25: a stop at 97.25 may have liquidation at 97, and not a cent nearer."""
    assert stop(side=side, liquidation=Decimal(near)) is NoStop.LIQUIDATION
    assert isinstance(stop(side=side, liquidation=Decimal(enough)), Stop)


@pytest.mark.parametrize(("side", "liquidation"), [(1, "98"), (1, "100.5"), (-1, "102"), (-1, "99")])
def test_a_stop_beyond_liquidation_is_none(side: int, liquidation: str) -> None:
    """A liquidation price that lies before the stop, or beyond entry already."""
    assert stop({"liquidation_margin_bps": Decimal(0)}, side=side, liquidation=Decimal(liquidation)) is (
        NoStop.LIQUIDATION
    )


@pytest.mark.parametrize("atr", ["50", "49.95", "80"])
def test_a_stop_is_above_zero(atr: str) -> None:
    """100, 99.9 (on the tick 0) and 160 below 100."""
    assert stop(atr=Decimal(atr)) is NoStop.NOT_POSITIVE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": 0}, "side must be 1 .* got 0"),
        ({"entry": Decimal(0)}, "entry must be positive, got 0"),
        ({"atr": Decimal("NaN")}, "atr must be positive, got NaN"),
        ({"tick": Decimal(-1)}, "tick must be positive, got -1"),
        ({"spread": Decimal(-1)}, "spread must be 0 or more, got -1"),
        ({"swing": Decimal("NaN")}, "swing must be positive, got NaN"),
        ({"liquidation": Decimal(0)}, "liquidation must be positive, got 0"),
    ],
)
def test_wrong_inputs(changes: dict[str, Any], message: str) -> None:
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        stop({"rule": StopRule.SWING}, **changes)


@pytest.mark.parametrize("name", ["atr_multiple", "swing_buffer_ticks", "min_bps", "min_ticks"])
def test_wrong_settings(name: str) -> None:
    """So does that of a setting; a swing stop lies beyond its swing, so its buffer is at least a tick."""
    with pytest.raises(ValueError, match=f"{name} must be .* got -1"):
        StopSettings(**{name: -1 if "ticks" in name else Decimal(-1)})
    with pytest.raises(ValueError, match="swing_buffer_ticks must be positive, got 0"):
        StopSettings(swing_buffer_ticks=0)


def test_ticks_are_exact() -> None:
    """A price that is below a tick by less than a quotient of 28 digits can show still rounds down past it."""
    price = Decimal("0.2999999999999999999999999999")
    assert to_tick(price, Decimal("0.1"), -1) == Decimal("0.2")
    assert to_tick(price, Decimal("0.1"), 1) == to_tick(Decimal("0.3"), Decimal("0.1"), -1) == Decimal("0.3")
    with pytest.raises(ValueError, match=r"direction must be 1 .* got 0"):
        to_tick(price, Decimal("0.1"), 0)


def decimal(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), allow_nan=False, allow_infinity=False, places=4)


@given(
    ticks=st.integers(1_000, 10_000_000),
    tick=st.sampled_from([Decimal("0.00001"), Decimal("0.1"), Decimal("0.25"), Decimal(5)]),
    atr=decimal("0.0001", "0.02"),
    spread=decimal("0", "0.005"),
    swing=st.none() | decimal("-0.05", "0.05"),
    liquidation=st.none() | decimal("-0.01", "0.1"),
    rule=st.sampled_from(StopRule),
)
def test_stops_keep_every_bound_and_longs_mirror_shorts(
    ticks: int,
    tick: Decimal,
    atr: Decimal,
    spread: Decimal,
    swing: Decimal | None,
    liquidation: Decimal | None,
    rule: StopRule,
) -> None:
    """On the tick, beyond the minimum and the swing, short of liquidation; and a mirrored world has mirrored stops."""
    entry, settings = ticks * tick, StopSettings(rule=rule)

    def at(side: int, share: Decimal | None) -> Decimal | None:
        return None if share is None else entry * (1 - side * share)

    def found(side: int) -> Stop | NoStop:
        return stop_price(
            side=side,
            entry=entry,
            tick=tick,
            atr=atr * entry,
            spread=spread * entry,
            swing=at(side, swing),
            liquidation=at(side, liquidation),
            settings=settings,
        )

    long, short = found(1), found(-1)
    if isinstance(long, NoStop):
        assert short is long
        return
    assert short == Stop(2 * entry - long.price, long.distance, long.kind)
    assert long.price % tick == 0
    assert long.distance == entry - long.price
    assert long.distance >= max(entry * Decimal("0.0008"), 2 * tick, 2 * spread * entry)
    if long.kind is StopKind.SWING:
        assert swing is not None
        assert long.distance >= entry * swing + 2 * tick
    if liquidation is not None:
        assert entry * (liquidation - Decimal("0.0025")) >= long.distance


def test_a_swing_counts_once_it_is_confirmed() -> None:
    """Of highs 5 6 8 7 6 the 8 is known with the second bar after it; of lows 4 3 2 3 4 likewise the 2."""
    tracker, seen = SwingTracker(bars=2), []
    for high, low in [(5, 4), (6, 3), (8, 2), (7, 3), (6, 4)]:
        tracker.update(Decimal(high), Decimal(low))
        seen.append((tracker.high, tracker.low))
    assert seen == [(None, None)] * 4 + [(8, 2)]
    assert tracker.behind(1) == 2
    assert tracker.behind(-1) == 8


def test_of_equal_extremes_the_first_is_the_swing() -> None:
    """3 5 5 3: the first 5 is above the bar before it and not below the one after, the second not above the first."""
    tracker, seen = SwingTracker(bars=1), []
    for price in map(Decimal, (3, 5, 5, 3)):
        tracker.update(price, price)
        seen.append(tracker.high)
    assert seen == [None, None, 5, 5]


def test_a_swing_that_was_traded_through_is_over() -> None:
    """A low of 3 holds at a touch of 3 and ends at 2, until 2 is confirmed itself."""
    tracker, seen = SwingTracker(bars=1), []
    for price in map(Decimal, (5, 3, 4, 3, 2, 4)):
        tracker.update(price, price)
        seen.append(tracker.low)
    assert seen == [None, None, 3, 3, None, 2]


def test_after_a_reset_nothing_is_known() -> None:
    """Bars from before a gap do not confirm, and swings from before it do not count."""
    tracker = SwingTracker(bars=1)
    for price in map(Decimal, (5, 3, 4)):
        tracker.update(price, price)
    tracker.reset()
    tracker.update(Decimal(6), Decimal(6))
    assert (tracker.high, tracker.low) == (None, None)


def test_a_tracker_refuses_what_is_no_bar() -> None:
    """No bars, a high below the low, a price that is no number."""
    with pytest.raises(ValueError, match="bars must be at least 1, got 0"):
        SwingTracker(bars=0)
    with pytest.raises(ValueError, match="a bar's high 1 cannot be below its low 2"):
        SwingTracker().update(Decimal(1), Decimal(2))
    with pytest.raises(ValueError, match="low must be positive, got NaN"):
        SwingTracker().update(Decimal(1), Decimal("NaN"))


bars = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), max_size=40)


def swings(prices: list[tuple[int, int]], side_bars: int) -> tuple[Decimal | None, Decimal | None]:
    tracker = SwingTracker(side_bars)
    for low, range_ in prices:
        tracker.update(Decimal(low + range_), Decimal(low))
    return tracker.high, tracker.low


@given(prices=bars, side_bars=st.integers(1, 4))
def test_swings_are_what_a_look_at_the_whole_past_finds(prices: list[tuple[int, int]], side_bars: int) -> None:
    """The last bar with its neighbours on both sides within the past alone, unless a later bar went beyond it."""

    def last(values: list[int]) -> int | None:
        for i in range(len(values) - side_bars - 1, side_bars - 1, -1):
            before, after = values[i - side_bars : i], values[i + 1 : i + 1 + side_bars]
            if values[i] > max(before) and values[i] >= max(after):
                return values[i] if values[i] >= max(values[i + 1 :]) else None
        return None

    low = last([-low for low, _ in prices])
    assert swings(prices, side_bars) == (last([low + r for low, r in prices]), None if low is None else -low)


@given(past=bars, future=bars, side_bars=st.integers(1, 4))
def test_the_future_changes_nothing_that_was_known(
    past: list[tuple[int, int]], future: list[tuple[int, int]], side_bars: int
) -> None:
    """What is known after a bar is the same whatever follows, and no swing is younger than its confirmation."""
    tracker, known = SwingTracker(side_bars), []
    for low, range_ in past + future:
        tracker.update(Decimal(low + range_), Decimal(low))
        known.append((tracker.high, tracker.low))
    for n in range(1, len(past) + 1):
        assert known[n - 1] == swings(past[:n], side_bars)
        young = past[max(n - side_bars, 0) : n]
        older = past[: max(n - side_bars, 0)]
        high, low = known[n - 1]
        assert high is None or (
            high >= max(base + rise for base, rise in young) and high in [base + rise for base, rise in older]
        )
        assert low is None or (low <= min(base for base, _ in young) and low in [base for base, _ in older])


@given(prices=bars, side_bars=st.integers(1, 4))
def test_lows_mirror_highs(prices: list[tuple[int, int]], side_bars: int) -> None:
    """Upside down the lows are the highs."""
    high, low = swings(prices, side_bars)
    mirrored = [(20 - low - range_, range_) for low, range_ in prices]
    flipped = tuple(None if price is None else 20 - price for price in (low, high))
    assert swings(mirrored, side_bars) == flipped
