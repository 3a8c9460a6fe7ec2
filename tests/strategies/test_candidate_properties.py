"""What holds for every book: monotony, the mirror, the risk, the largest size, the best venue."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.candidates import Candidate, CandidateSettings, Level, Passed, VenueView, candidate_on
from strategies.sizing import SizeRules
from strategies.stops import StopSettings
from strategies.targets import Wall
from tests.strategies.candidate_views import SECOND, TS, allowed, bybit, found_of, setup, venue

D = Decimal
TICK = D("0.01")
SIDES = st.sampled_from((1, -1))
FEES = st.integers(0, 20).map(lambda n: D(n) / 20_000)
PROBABILITIES = st.integers(60, 99).map(lambda n: n / 100)

type Book = list[tuple[int, int]]
"""Ticks from the level before (the first: from 100), and size, of either side."""

BOOKS: st.SearchStrategy[Book] = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 30)), min_size=1, max_size=6)


def side_of(book: Book, side: int, nearer: int = 0) -> tuple[Level, ...]:
    """Levels of the asks (+1) or bids (-1) around 100, the first `nearer` ticks nearer."""
    found, ticks = [], -nearer
    for step, size in book:
        ticks += step
        found.append(Level(100 + side * ticks * TICK, D(size)))
    return tuple(found)


def around(book: Book, other: Book | None = None, **changes: Any) -> VenueView:
    """Asks of `book` and bids of `other`, whose best levels are as far from 100."""
    bids = book[:1] + (other or book)[1:]
    case: dict[str, Any] = {"asks": side_of(book, 1), "bids": side_of(bids, -1), "rules": SizeRules(step=D(1))}
    return venue(**case | changes)


def judged(view: VenueView, side: int, probability: float = 0.8, **changes: Any) -> Candidate | Passed:
    case: dict[str, Any] = {"entry_reach_bps": D(1000), "depth_share": D(1), "stop": StopSettings(min_spreads=D(0))}
    return candidate_on(view, setup(side, probability, atr=2.0), CandidateSettings(**case | changes), allowed)


def worth(found: Candidate | Passed) -> Decimal:
    """The net value in R; what does not qualify is worth nothing."""
    return found.net_value_r if isinstance(found, Candidate) else D(0)


ONE = SizeRules(step=D(1), max_size=D(1))


@given(BOOKS, SIDES, PROBABILITIES, FEES, FEES, FEES)
def test_a_lower_fee_never_lowers_value(
    book: Book, side: int, probability: float, taker: Decimal, maker: Decimal, less: Decimal
) -> None:
    """Of the same size, with either fee lowered."""
    taker = max(taker, maker)
    dear = around(book, taker_fee=taker, maker_fee=maker, rules=ONE)
    for fees in ((taker, maker - less), (max(taker - less, D(0)), min(maker, max(taker - less, D(0))))):
        cheap = around(book, taker_fee=fees[0], maker_fee=fees[1], rules=ONE)
        assert worth(judged(cheap, side, probability)) >= worth(judged(dear, side, probability))


@given(BOOKS, SIDES, PROBABILITIES, st.integers(0, 5), st.data())
def test_a_better_price_never_lowers_value(
    book: Book, side: int, probability: float, at: int, data: st.DataObject
) -> None:
    """Of the same size, with the levels from any one on a few ticks nearer."""
    at %= len(book)
    nearer = data.draw(st.integers(0, book[at][0] - 1))
    better = [*book[:at], (book[at][0] - nearer, book[at][1]), *book[at + 1 :]]
    rules = SizeRules(step=D(1), max_size=D(sum(size for _, size in book) // 2 + 1))
    caps: dict[str, Any] = {"rules": rules, "equity": D(10_000_000), "free_margin": D(10_000_000)}
    large: dict[str, Any] = {"max_notional": D(10_000_000)}
    first, second = around(book, **caps), around(better, **caps)
    assert worth(judged(second, side, probability, **large)) >= worth(judged(first, side, probability, **large))


WALLS = st.lists(st.tuples(st.integers(-700, 700).filter(bool), st.integers(1, 9)), max_size=4)


@given(BOOKS, BOOKS, PROBABILITIES, WALLS, st.integers(-20, 20))
def test_the_mirror(book: Book, other: Book, probability: float, walls: list[tuple[int, int]], rate: int) -> None:
    """Without fees a short in the mirrored world is the long: size, loss, value, targets."""
    free: dict[str, Any] = {"taker_fee": D(0), "maker_fee": D(0), "next_funding_ns": TS + SECOND}

    def world(sign: int) -> VenueView:
        asks, bids = (book, book[:1] + other[1:]) if sign > 0 else (book[:1] + other[1:], book)
        return venue(
            **free,
            asks=side_of(asks, 1),
            bids=side_of(bids, -1),
            rules=SizeRules(step=D("0.1")),
            funding_rate=sign * D(rate) / 10_000,
            walls=tuple(Wall(100 + sign * ticks * TICK, D(strength)) for ticks, strength in walls),
        )

    long, short = judged(world(1), 1, probability), judged(world(-1), -1, probability)
    if isinstance(long, Passed) or isinstance(short, Passed):
        assert isinstance(long, Passed)
        assert isinstance(short, Passed)
        assert long.why is short.why
        return
    assert (long.size, long.loss, long.costs) == (short.size, short.loss, short.costs)
    assert (long.net_value, long.break_even, long.risk) == (short.net_value, short.break_even, short.risk)
    assert [200 - t.price for t in long.targets.targets] == [t.price for t in short.targets.targets]
    assert [t.share for t in long.targets.targets] == [t.share for t in short.targets.targets]


@settings(max_examples=60)
@given(BOOKS, SIDES, FEES, st.integers(20, 3000), st.sampled_from((D("0.25"), D(1))))
def test_the_largest_size_whose_loss_is_within_the_risk(
    book: Book, side: int, taker: Decimal, equity: int, share: Decimal
) -> None:
    """Counted out step by step: it fits the risk and the depth, and a step more does not; the loss is what it says."""
    view = around(book, taker_fee=taker, maker_fee=D(0), equity=D(equity))
    found = judged(view, side, 0.99, depth_share=share, risk_fraction=D("0.02"))
    levels = view.asks if side > 0 else view.bids
    depth = sum(level.size_base for level in levels) * share
    largest, losses = 0, dict[int, Decimal]()
    while largest + 1 <= depth:
        losses[largest + 1] = _loss(levels, side, largest + 1, taker, view.spread)
        if losses[largest + 1] > equity * D("0.02"):
            break
        largest += 1
    if isinstance(found, Candidate):
        assert found.size.size == largest
        assert found.loss == losses[largest] <= equity * D("0.02")
    else:
        assert largest == 0 or found.why in ("cost", "break-even")


def _loss(levels: Sequence[Level], side: int, size: int, taker: Decimal, spread: Decimal) -> Decimal:
    """Bought unit by unit, stopped 4 away from 100: distance, fees, spread, and twice the slippage."""
    prices = [level.price for level in levels for _ in range(int(level.size_base))][:size]
    slippage = sum((side * (price - prices[0]) for price in prices), D(0))
    fees = taker * (sum(prices, D(0)) + (100 - side * 4) * size)
    return size * (4 + spread) + fees + 2 * slippage


@given(st.lists(st.tuples(FEES, st.integers(1, 5)), min_size=1, max_size=4), SIDES)
def test_the_best_venue_in_any_order(venues: list[tuple[Decimal, int]], side: int) -> None:
    """It is the one of the highest net value, and the same whatever order they come in."""
    views = [
        bybit(taker_fee=max(fee, D("0.0002")), rules=SizeRules(step=D(1), max_size=D(most)))
        if k % 2
        else venue(taker_fee=max(fee, D("0.0002")), rules=SizeRules(step=D(1), max_size=D(most)))
        for k, (fee, most) in enumerate(venues)
    ]
    alone = [c for view in views for c in found_of([setup(side)], view)[0]]
    best = max(candidate.net_value for candidate in alone)
    chosen = [found_of([setup(side)], *order)[0][0] for order in permutations(views)]
    assert {candidate.net_value for candidate in chosen} == {best}
    assert len({candidate.venue for candidate in chosen}) == 1
