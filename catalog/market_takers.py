"""The takers of the built-in market in a book: they eat levels from the touch on, with one print a level."""

from catalog.market_levels import (
    SWEEPING_BUYER,
    SWEEPING_SELLER,
    TAKER,
    TRADE_PRICE,
    TRADE_SIZE,
    TRADE_TIME,
    BookState,
    has_level,
    level_at,
)
from catalog.market_price import Ints
from indicators.kernel import kernel

EVENT_GAP_NS = 1_000  # the least time between two events of a market: order never hangs on a tie
MAX_WALK = 20  # levels that one taker eats from at most; the rest of a larger order is cancelled


@kernel
def take(book: BookState, side: int, wished: int, now: int, taker: int, trades: Ints, m: int) -> int:
    """Let a taker eat `wished` from `side`, best level first; returns the number of trades."""
    for i in range(min(MAX_WALK, book.levels[side])):
        size = min(wished, book.size[side, i])
        trades[m, TRADE_TIME] = now + i * EVENT_GAP_NS
        trades[m, TRADE_PRICE] = (2 * side - 1) * book.key[side, i]
        trades[m, TRADE_SIZE] = size
        trades[m, TAKER] = taker
        m += 1
        book.clock[0] = now + i * EVENT_GAP_NS
        book.size[side, i] -= size
        book.shown[side, i] = -1
        wished -= size
        if wished == 0:
            break
    return m


@kernel
def sweep_wall(book: BookState, side: int, key: int, now: int, trades: Ints, m: int) -> int:
    """Let one taker eat all up to a wall and the wall itself, if it is near enough for that."""
    index = level_at(book, side, key)
    if index >= MAX_WALK or not has_level(book, side, index, key):
        return m
    taker = SWEEPING_BUYER if side == 1 else SWEEPING_SELLER
    wished = int(book.size[side, : index + 1].sum())
    return take(book, side, wished, now, taker, trades, m)


@kernel
def impact_price(book: BookState, side: int, size: float) -> float:
    """The mean price in ticks of taking `size` from `side`, or of all that is there if that is less."""
    left = size
    paid = 0.0
    for i in range(book.levels[side]):
        taken = min(left, float(book.size[side, i]))
        paid += taken * book.key[side, i]
        left -= taken
        if left <= 0.0:
            break
    return (2 * side - 1) * paid / (size - left)
