"""How much: the size at which the loss at the stop is the risk fraction of equity, rounded down to the venue's step.

`position_size` counts the distance to the stop alone; `size_position` adds the costs of getting in and out and every
cap, and says which one decided.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import StrEnum

from strategies.checks import require_finite, require_fraction, require_not_negative, require_positive

DIGITS = 60  # products of inputs are exact up to so many digits, so no limit is passed by a rounding


class TooSmall(StrEnum):
    """Why no order is sent."""

    STEP = "below one size step"
    MIN_SIZE = "below the venue's minimum size"
    MIN_NOTIONAL = "below the venue's minimum notional"
    NO_MARGIN = "no free margin"
    NO_DEPTH = "no visible depth"
    NO_VENUE_ROOM = "our own cap on the venue is used up"


class SizeCap(StrEnum):
    """What decided a size; of equal ones the first."""

    RISK = "risk fraction"
    NOTIONAL = "our cap a position"
    VENUE = "our cap on the venue"
    LEVERAGE = "our leverage"
    MARGIN = "free margin"
    DEPTH = "visible depth"
    MAX_SIZE = "the venue's maximum size"


@dataclass(frozen=True)
class SizeRules:
    """A venue's rules in its own size units; `multiplier` is base units per unit of size."""

    step: Decimal
    multiplier: Decimal = Decimal(1)
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None


def position_size(
    *,
    equity: Decimal,
    risk_fraction: Decimal,
    stop_distance: Decimal,
    price: Decimal,
    max_notional: Decimal,
    rules: SizeRules,
) -> Decimal | TooSmall:
    """Size in the venue's units, or the reason why there is none.

    ``equity × risk_fraction / stop_distance`` base units (all money in account currency, `stop_distance` and `price` in
    quote per base), capped by `max_notional` and the venue's maximum, rounded down to the step. Raises ValueError where
    equity, stop distance or price is not positive: those are no small sizes but wrong inputs.
    """
    for name, value in (("equity", equity), ("stop_distance", stop_distance), ("price", price)):
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{name} must be positive, got {value}: check the account and the price before sizing")
    base = min(equity * risk_fraction / stop_distance, max_notional / price)
    size = (base / rules.multiplier / rules.step).to_integral_value(ROUND_DOWN) * rules.step
    if rules.max_size is not None:
        size = min(size, (rules.max_size / rules.step).to_integral_value(ROUND_DOWN) * rules.step)
    return _below_minimum(size, price, rules) or size


@dataclass(frozen=True)
class SizeCaps:
    """What a position may not exceed, whatever its risk; money in account currency."""

    max_notional: Decimal  # our own cap a position
    leverage: Decimal  # as set at the venue: notional over it is the initial margin
    free_margin: Decimal  # what the account has left for initial margin and costs
    visible_depth_base: Decimal  # that the entry may walk, base units
    depth_share: Decimal  # of it that we take at most, in (0, 1]
    max_leverage: Decimal | None = None  # our own cap of notional over equity; None: only the venue's margin counts
    venue_notional: Decimal | None = None  # what our own cap on the venue leaves for this position; None: no such cap


@dataclass(frozen=True)
class Sized:
    """A size in the venue's units, and what kept it from being a step larger."""

    size: Decimal
    capped_by: SizeCap


def size_position(
    *,
    equity: Decimal,
    risk_fraction: Decimal,
    stop_distance: Decimal,
    cost_per_base: Decimal,
    price: Decimal,
    rules: SizeRules,
    caps: SizeCaps,
) -> Sized | TooSmall:
    """The largest size within every limit, or the reason why there is none.

    `stop_distance`, `price` and `cost_per_base` are in quote per base; the last is what a base unit costs from entry to
    a stopped exit: fees, spread, slippage, funding. At the stop
    ``size × multiplier × (stop_distance + cost_per_base)`` is lost, and it is no more than ``equity × risk_fraction``.
    The initial margin and the same costs must fit into the free margin. Every limit is a whole number of steps, rounded
    down from its exact quotient.

    Raises ValueError for inputs that are not positive, negative costs (a rebate counts as none) and fractions above 1:
    those are no small sizes but wrong inputs. A free margin, depth or venue room that is used up is a reason.
    """
    require_positive(
        equity=equity,
        risk_fraction=risk_fraction,
        stop_distance=stop_distance,
        price=price,
        step=rules.step,
        multiplier=rules.multiplier,
        max_notional=caps.max_notional,
        leverage=caps.leverage,
        depth_share=caps.depth_share,
    )
    require_not_negative(cost_per_base=cost_per_base)
    require_fraction(risk_fraction=risk_fraction, depth_share=caps.depth_share)
    if used_up := _used_up(caps):
        return used_up
    with localcontext(prec=DIGITS):
        step_base = rules.step * rules.multiplier
        step_notional = step_base * price
        steps = {
            SizeCap.RISK: equity * risk_fraction // (step_base * (stop_distance + cost_per_base)),
            SizeCap.NOTIONAL: caps.max_notional // step_notional,
            # both sides times the leverage: margin itself may have no end of digits
            SizeCap.MARGIN: caps.free_margin
            * caps.leverage
            // (step_notional + step_base * cost_per_base * caps.leverage),
            SizeCap.DEPTH: caps.visible_depth_base * caps.depth_share // step_base,
        }
        if caps.venue_notional is not None:
            steps[SizeCap.VENUE] = caps.venue_notional // step_notional
        if caps.max_leverage is not None:
            require_positive(max_leverage=caps.max_leverage)
            steps[SizeCap.LEVERAGE] = equity * caps.max_leverage // step_notional
        if rules.max_size is not None:
            steps[SizeCap.MAX_SIZE] = rules.max_size // rules.step
        capped_by = min((cap for cap in SizeCap if cap in steps), key=lambda cap: steps[cap])
        size = steps[capped_by] * rules.step
    return _below_minimum(size, price, rules) or Sized(size, capped_by)


def _used_up(caps: SizeCaps) -> TooSmall | None:
    require_finite(free_margin=caps.free_margin, visible_depth_base=caps.visible_depth_base)
    if caps.free_margin <= 0:
        return TooSmall.NO_MARGIN
    if caps.visible_depth_base <= 0:
        return TooSmall.NO_DEPTH
    if caps.venue_notional is not None:
        require_finite(venue_notional=caps.venue_notional)
        if caps.venue_notional <= 0:
            return TooSmall.NO_VENUE_ROOM
    return None


def _below_minimum(size: Decimal, price: Decimal, rules: SizeRules) -> TooSmall | None:
    if size <= 0:
        return TooSmall.STEP
    if rules.min_size is not None and size < rules.min_size:
        return TooSmall.MIN_SIZE
    if rules.min_notional is not None and size * rules.multiplier * price < rules.min_notional:
        return TooSmall.MIN_NOTIONAL
    return None
