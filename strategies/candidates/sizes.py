"""The size of an entry and its slippage, which depend on each other."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from strategies.candidates.costs import costs_at_stop
from strategies.candidates.settings import CandidateSettings
from strategies.candidates.venue_view import Level, VenueView, walk
from strategies.sizing import SizeCap, SizeCaps, Sized, TooSmall, size_position
from strategies.stops import Stop


def size_entry(
    view: VenueView,
    side: int,
    stop: Stop,
    *,
    equity: Decimal,
    free_margin: Decimal,
    funding: Decimal,
    settings: CandidateSettings,
) -> Sized | TooSmall:
    """The largest size within every limit at the costs of that very size, or why there is none.

    A larger size walks farther and costs more per base, so its limit is lower: a size fits if it is within the limit
    that its own costs give, and then every smaller one fits too. The size at the costs of the touch bounds it from
    above; the limit at the costs of that size, from below; where they are not the same, as in all but thin books, whole
    steps in between are halved. `funding` is in quote per base, money in account currency. Never more than
    ``depth_share`` of the levels within reach. Raises ValueError as `size_position`.
    """
    levels = view.taken(side, settings.entry_reach_bps)
    limit = _limits(view, side, stop, levels, equity, free_margin, funding, settings)
    step = view.rules.step
    most = limit(step, None)  # a single step is the nearest there is to the touch
    if isinstance(most, TooSmall):
        return most
    high, low = most.size, _size(limit(most.size, None))
    if low >= high:
        return _with_minimums(limit, most)
    above = high
    while above - low > step:
        size = (low + above) // (2 * step) * step
        low, above = (size, above) if _size(limit(size, None)) >= size else (low, size)
    if not low:
        return TooSmall.STEP
    refused = limit(above, None)
    return _with_minimums(limit, Sized(low, refused.capped_by if isinstance(refused, Sized) else SizeCap.RISK))


type _Limit = Callable[[Decimal, Decimal | None], Sized | TooSmall]


def _limits(
    view: VenueView,
    side: int,
    stop: Stop,
    levels: tuple[Level, ...],
    equity: Decimal,
    free_margin: Decimal,
    funding: Decimal,
    settings: CandidateSettings,
) -> _Limit:
    """The limit at the costs of a size; with `at_most`, under the venue's minimums and no larger than that."""
    depth = sum((level.size_base for level in levels), Decimal(0))
    caps = SizeCaps(
        max_notional=settings.max_notional,
        leverage=view.leverage,
        free_margin=free_margin,
        visible_depth_base=depth,
        depth_share=settings.depth_share,
        max_leverage=settings.max_leverage,
        venue_notional=view.venue_notional,
    )
    without = replace(view.rules, min_size=None, min_notional=None)

    def limit(size: Decimal, at_most: Decimal | None) -> Sized | TooSmall:
        walked = walk(levels, min(size * view.rules.multiplier, depth))
        costs = costs_at_stop(view, side, walked, stop.price, funding).over(walked.size_base)
        return size_position(
            equity=equity,
            risk_fraction=settings.risk_fraction,
            stop_distance=stop.distance,
            cost_per_base=costs.total,
            # of a short, whose mean price falls with its size, the best price: so that a limit never rises
            price=max(levels[0].price, walked.notional / walked.size_base),
            rules=without if at_most is None else replace(view.rules, max_size=at_most),
            caps=caps,
        )

    return limit


def _size(found: Sized | TooSmall) -> Decimal:
    return found.size if isinstance(found, Sized) else Decimal(0)


def _with_minimums(limit: _Limit, found: Sized) -> Sized | TooSmall:
    small = limit(found.size, found.size)
    return small if isinstance(small, TooSmall) else found
