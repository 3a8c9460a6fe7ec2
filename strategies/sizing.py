"""How much: the size at which the loss at the stop is the risk fraction of equity, rounded down to the venue's step."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum


class TooSmall(StrEnum):
    """Why no order is sent."""

    STEP = "below one size step"
    MIN_SIZE = "below the venue's minimum size"
    MIN_NOTIONAL = "below the venue's minimum notional"


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
    if size <= 0:
        return TooSmall.STEP
    if rules.min_size is not None and size < rules.min_size:
        return TooSmall.MIN_SIZE
    if rules.min_notional is not None and size * rules.multiplier * price < rules.min_notional:
        return TooSmall.MIN_NOTIONAL
    return size
