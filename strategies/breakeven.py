"""What a setup is worth: the probability that just pays its costs, and its expected net value in R.

Three ends: the target (gain `tp`), the stop (loss `sl`), the time barrier (gain or loss `time_out_gross`). The
probability is that of the target; of the trades that miss it, `time_out_share` end by time and the others at the stop.
It is a share of the misses, not of all trades, because then it fits every probability. All distances and the round-trip
`cost` are in one unit, bps or quote per base. R is the distance to the stop: a stopped trade loses ``1 + cost / sl`` R.

With no time-outs the break-even is ``(sl + cost) / (tp + sl)``; in a market without drift the target comes first with
``sl / (tp + sl)``, the break-even without costs.
"""

from decimal import Decimal

from strategies.checks import require_finite, require_fraction, require_not_negative, require_positive

ZERO = Decimal(0)


def break_even(
    *, tp: Decimal, sl: Decimal, cost: Decimal, time_out_share: Decimal = ZERO, time_out_gross: Decimal = ZERO
) -> Decimal:
    """The probability of the target at which the expected net value is zero.

    Above 1 where even a certain target does not pay the costs; below 0 where misses pay them by themselves. Raises
    ValueError for distances that are not positive, a negative cost, a share outside [0, 1], and a time-out outside of
    stop and target.
    """
    miss = _miss(tp, sl, cost, time_out_share, time_out_gross)
    return (cost - miss) / (tp - miss)


def net_value(
    *,
    probability: Decimal,
    tp: Decimal,
    sl: Decimal,
    cost: Decimal,
    time_out_share: Decimal = ZERO,
    time_out_gross: Decimal = ZERO,
) -> Decimal:
    """Expected value after costs in R, given the probability of the target. Raises ValueError as `break_even`."""
    require_fraction(probability=probability)
    miss = _miss(tp, sl, cost, time_out_share, time_out_gross)
    return (probability * tp + (1 - probability) * miss - cost) / sl


def _miss(tp: Decimal, sl: Decimal, cost: Decimal, time_out_share: Decimal, time_out_gross: Decimal) -> Decimal:
    """Expected gross value of a trade that misses its target."""
    require_positive(tp=tp, sl=sl)
    require_not_negative(cost=cost)
    require_fraction(time_out_share=time_out_share)
    require_finite(time_out_gross=time_out_gross)
    if not -sl <= time_out_gross < tp:
        raise ValueError(f"time_out_gross {time_out_gross} must lie between the stop, {-sl}, and the target, {tp}")
    return time_out_share * time_out_gross - (1 - time_out_share) * sl
