"""A first look at a setup: whether it could pay its costs on any venue at all, before a book is read.

Nearly every setup that fails, fails on fees. They are known without the book, so most books need not be read.
"""

from dataclasses import dataclass

from strategies.candidates.settings import CandidateSettings
from strategies.stops import StopRule

SLACK = 1e-9
"""Of a probability: what the doubles here may err, and far more."""


@dataclass(frozen=True)
class Touch:
    """A venue's best prices (quote per base), fees (fractions of notional) and next funding, as plain doubles.

    NaN where there is no price. `funding_rate` and `next_funding_ns` are None where they are not known.
    """

    venue: str
    bid: float
    ask: float
    tick: float
    taker_fee: float
    maker_fee: float
    funding_rate: float | None
    next_funding_ns: int | None


def least_break_even(touch: Touch, atr: float, ts: int, settings: CandidateSettings) -> float:
    """A probability that the break-even of a setup on this venue is never below.

    With the whole barrier as target, fees at the touch, no slippage, funding that is received, and of the stops that
    the rule can give, a tick apart at most, the one that needs least. 0 where that cannot be told: then the book has to
    be read.
    """
    if settings.stop.rule is not StopRule.ATR or settings.time_out_share or not touch.bid < touch.ask:
        return 0.0
    mid, spread = (touch.bid + touch.ask) / 2, touch.ask - touch.bid
    nearest = max(
        float(settings.stop.atr_multiple) * atr,
        float(settings.stop.min_bps) * mid / 1e4,
        settings.stop.min_ticks * touch.tick,
        float(settings.stop.min_spreads) * spread,
    )
    farthest = nearest + touch.tick
    target_r = float(settings.target_r)
    # the exits that are charged least
    target = max(mid - target_r * farthest, 0.0) if touch.maker_fee >= 0 else mid + target_r * farthest
    stop = max(mid - farthest, 0.0)
    fee_in = touch.taker_fee * touch.bid
    at_target = fee_in + touch.maker_fee * target + spread / 2 - _received(touch, mid, ts, settings)
    at_stop = fee_in + touch.taker_fee * stop + spread
    # a wider stop needs less, but more where so much is received that a trade pays by standing still
    return min(_break_even(target_r * d - at_target, d + at_stop) for d in (nearest, farthest)) - SLACK


def _break_even(gain: float, loss: float) -> float:
    return loss / (max(gain, 0.0) + loss)


def _received(touch: Touch, mid: float, ts: int, settings: CandidateSettings) -> float:
    """The most that funding may pay within the horizon, quote per base."""
    if touch.funding_rate is None or touch.next_funding_ns is None:
        return 0.0
    due = ts < touch.next_funding_ns <= ts + settings.horizon_seconds * 1_000_000_000
    return abs(touch.funding_rate) * mid if due else 0.0


def is_hopeless(probability: float, break_evens: list[float]) -> bool:
    """Whether a probability is no more than what each of these venues needs at the least; False where there is none."""
    return bool(break_evens) and all(probability <= least for least in break_evens)
