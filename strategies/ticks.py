"""Prices on a venue's tick, exactly: no quotient is rounded on the way, so a price never slips over a tick."""

from decimal import Decimal

from strategies.checks import require_positive


def to_tick(price: Decimal, tick: Decimal, direction: int) -> Decimal:
    """The first tick at or above a positive price (`direction` +1), or at or below it (-1).

    Raises ValueError for a tick that is not positive and for a direction that is not +-1.
    """
    if direction not in (1, -1):
        raise ValueError(f"direction must be 1 (up) or -1 (down), got {direction}")
    require_positive(tick=tick)
    ticks = price // tick
    if direction > 0 and ticks * tick < price:
        ticks += 1
    return ticks * tick
