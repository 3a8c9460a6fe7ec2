"""Where to get out: a stop from ATR and a target in multiples of the risk, both on the venue's tick."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


@dataclass(frozen=True)
class Exits:
    """Prices of the protective stop and the target; `risk` is the distance from entry to stop (quote per base)."""

    stop: Decimal
    target: Decimal
    risk: Decimal


def atr_exits(
    *,
    side: int,
    entry: Decimal,
    atr: Decimal,
    stop_multiple: Decimal,
    target_multiple: Decimal,
    min_stop_bps: Decimal,
    tick: Decimal,
) -> Exits:
    """Exits of a long (`side` +1) or short (-1) entered at `entry`.

    The stop lies ``max(atr × stop_multiple, entry × min_stop_bps)`` away, rounded to the tick away from the entry; the
    target `target_multiple` times that risk away, rounded towards the entry. Raises ValueError for a side that is not
    +-1, values that are not positive, and a stop at or below zero.
    """
    if side not in (1, -1):
        raise ValueError(f"side must be 1 (long) or -1 (short), got {side}")
    for name, value in (("entry", entry), ("atr", atr), ("tick", tick)):
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{name} must be positive, got {value}")
    distance = max(atr * stop_multiple, entry * min_stop_bps / 10_000)
    away = ROUND_FLOOR if side > 0 else ROUND_CEILING
    stop = ((entry - side * distance) / tick).to_integral_value(away) * tick
    if stop <= 0:
        raise ValueError(f"the stop of entry {entry} at distance {distance} would be {stop}: the ATR cannot be right")
    risk = abs(entry - stop)
    target = ((entry + side * risk * target_multiple) / tick).to_integral_value(away) * tick
    return Exits(stop=stop, target=target, risk=risk)
