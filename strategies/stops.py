"""Where a position is wrong: the protective stop, from ATR or just beyond the last confirmed swing.

A stop is never inside the noise (spread, ticks, a share of the price) and never where the venue would liquidate first.
Swings are those of fractals (Williams, "Trading Chaos", 1995): an extreme with `bars` less extreme bars on either side,
known only once the last of them is over.
"""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from strategies.checks import require_not_negative, require_positive, require_side
from strategies.ticks import to_tick

BPS = Decimal("0.0001")


class StopRule(StrEnum):
    """Which of the two stops a profile wants; `WIDER` and `NEARER` compare their distances from entry."""

    ATR = "atr"
    SWING = "swing"
    WIDER = "wider"
    NEARER = "nearer"


class StopKind(StrEnum):
    """What set a stop's distance."""

    ATR = "atr"
    SWING = "swing"
    ATR_WITHOUT_SWING = "atr, for want of a swing"
    MINIMUM = "minimum distance"


class NoStop(StrEnum):
    """Why there is no stop, and so no trade."""

    LIQUIDATION = "the stop is too near to the liquidation price, or beyond it"
    NOT_POSITIVE = "the stop would not be above zero"


@dataclass(frozen=True)
class Stop:
    """A stop's trigger `price` on the tick, and its `distance` from entry; both in quote per base."""

    price: Decimal
    distance: Decimal
    kind: StopKind


@dataclass(frozen=True)
class StopSettings:
    """How far a stop is from entry. Raises ValueError for a multiple that is not positive or a negative value."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a key that is not known is an error

    rule: StopRule = StopRule.ATR
    atr_multiple: Decimal = Decimal(2)
    swing_buffer_ticks: int = 2  # beyond the swing (at least 1), or
    swing_buffer_atr: Decimal = Decimal("0.1")  # in ATR, whichever is more
    min_bps: Decimal = Decimal(8)  # of entry
    min_ticks: int = 2
    min_spreads: Decimal = Decimal(2)  # the far side of the book is one spread away from a taker's entry
    liquidation_margin_bps: Decimal = Decimal(25)  # of entry, between stop and liquidation

    def __post_init__(self) -> None:
        require_positive(atr_multiple=self.atr_multiple, swing_buffer_ticks=Decimal(self.swing_buffer_ticks))
        require_not_negative(
            swing_buffer_atr=self.swing_buffer_atr,
            min_bps=self.min_bps,
            min_ticks=Decimal(self.min_ticks),
            min_spreads=self.min_spreads,
            liquidation_margin_bps=self.liquidation_margin_bps,
        )


def stop_price(
    *,
    side: int,
    entry: Decimal,
    tick: Decimal,
    atr: Decimal,
    spread: Decimal,
    swing: Decimal | None,
    liquidation: Decimal | None,
    settings: StopSettings,
) -> Stop | NoStop:
    """The stop of a long (`side` +1) or short (-1) entered at `entry`, or why there is none.

    All prices, ATR and spread are in quote per base. `swing` is the last confirmed low of a long, high of a short.
    Where it is None or not on the stop's side of entry there is no swing: every rule then takes the ATR and says so.
    `liquidation` is the mark price at which the venue would close the position, None where no price would.

    The distance that the rule gives is raised to the largest of the three minimums; the price is rounded to the tick
    away from entry. A stop with less than `liquidation_margin_bps` between it and liquidation is refused, not moved:
    nearer it would be inside of what the rule calls noise. The margin is also for a mark that runs ahead of the price
    that triggers the stop. Raises ValueError for a side that is not +-1 and values that cannot be.
    """
    require_side(side)
    require_positive(entry=entry, tick=tick, atr=atr)
    require_not_negative(spread=spread)
    distance, kind = _by_rule(side, entry, tick, atr, swing, settings)
    least = max(entry * settings.min_bps * BPS, settings.min_ticks * tick, settings.min_spreads * spread)
    if distance < least:
        distance, kind = least, StopKind.MINIMUM
    price = to_tick(entry - side * distance, tick, -side)
    if price <= 0:
        return NoStop.NOT_POSITIVE
    if liquidation is not None:
        require_positive(liquidation=liquidation)
        if side * (price - liquidation) < entry * settings.liquidation_margin_bps * BPS:
            return NoStop.LIQUIDATION
    return Stop(price, abs(entry - price), kind)


def _by_rule(
    side: int, entry: Decimal, tick: Decimal, atr: Decimal, swing: Decimal | None, settings: StopSettings
) -> tuple[Decimal, StopKind]:
    by_atr = atr * settings.atr_multiple
    if settings.rule is StopRule.ATR:
        return by_atr, StopKind.ATR
    if swing is not None:
        require_positive(swing=swing)
    if swing is None or side * (entry - swing) <= 0:
        return by_atr, StopKind.ATR_WITHOUT_SWING
    buffer = max(settings.swing_buffer_ticks * tick, settings.swing_buffer_atr * atr)
    by_swing = side * (entry - swing) + buffer
    both = (by_atr, StopKind.ATR), (by_swing, StopKind.SWING)
    if settings.rule is StopRule.SWING:
        return both[1]
    return (max if settings.rule is StopRule.WIDER else min)(both, key=lambda found: found[0])


class SwingTracker:
    """The last swing high and low of bars, or of sampled prices (a sample is a bar whose high is its low).

    A bar is a swing high if its high is above those of the `bars` bars before it and not below those of the `bars`
    after it: of equal highs the first. It counts from the end of the last of these, never earlier. It ends when a later
    bar trades through it: what no longer holds is nothing to hide a stop behind. Lows mirror that.
    """

    def __init__(self, bars: int = 2) -> None:
        if bars < 1:
            raise ValueError(f"bars must be at least 1, got {bars}: a swing needs a bar on either side")
        self._bars = bars
        self.reset()

    def reset(self) -> None:
        """Forget everything: bars are missing, and what lay in the gap is unknown."""
        # lows are kept negative, so that one rule finds both
        self._highs: deque[Decimal] = deque(maxlen=2 * self._bars + 1)
        self._lows: deque[Decimal] = deque(maxlen=2 * self._bars + 1)
        self._high: Decimal | None = None
        self._low: Decimal | None = None

    @property
    def high(self) -> Decimal | None:
        """Price of the last swing high that holds; None where there is none."""
        return self._high

    @property
    def low(self) -> Decimal | None:
        """Price of the last swing low that holds; None where there is none."""
        return None if self._low is None else -self._low

    def behind(self, side: int) -> Decimal | None:
        """The swing that a stop of a long (+1: the low) or short (-1: the high) may lie beyond."""
        require_side(side)
        return self.low if side > 0 else self.high

    def update(self, high: Decimal, low: Decimal) -> None:
        """Take the bar that has just ended. Raises ValueError for a high below the low or a price that is no number."""
        require_positive(high=high, low=low)
        if high < low:
            raise ValueError(f"a bar's high {high} cannot be below its low {low}")
        self._high = self._after(self._highs, high, self._high)
        self._low = self._after(self._lows, -low, self._low)

    def _after(self, values: deque[Decimal], value: Decimal, swing: Decimal | None) -> Decimal | None:
        """The swing high once `value` is the newest."""
        values.append(value)
        if swing is not None and value > swing:
            swing = None
        if len(values) < 2 * self._bars + 1:
            return swing
        window = list(values)
        before, middle, after = window[: self._bars], window[self._bars], window[self._bars + 1 :]
        return middle if middle > max(before) and middle >= max(after) else swing
