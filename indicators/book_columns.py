"""Books as the kernels of resting size take them: levels as columns, best first, checked once where they come in from
Python."""

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, kernel
from indicators.parameters import float_column, int_column, same_length

type Book = tuple[Ints, Floats, int, Ints, Floats, int]
type BookTable = tuple[Ints, Floats, Ints, Ints, Floats, Ints]


@kernel
def has_mid(bid_prices: Ints, bids: int, ask_prices: Ints, asks: int) -> bool:
    """Whether a book of `bids` and `asks` levels has a mid: both sides, prices above 0, and not crossed or locked."""
    mid: bool = bids > 0 and asks > 0 and 0 < bid_prices[0] < ask_prices[0]
    return mid


def book_columns(
    bid_prices: npt.ArrayLike, bid_sizes: npt.ArrayLike, ask_prices: npt.ArrayLike, ask_sizes: npt.ArrayLike
) -> Book:
    """Return a book as the kernels take it: prices, sizes and count of the bids, then of the asks.

    Raises:
        ValueError: columns of different length, a side that is not in order from its best price, or a negative size.
    """
    bid_price, bid_size = int_column(bid_prices), float_column(bid_sizes)
    ask_price, ask_size = int_column(ask_prices), float_column(ask_sizes)
    bids = same_length(bid_prices=bid_price, bid_sizes=bid_size)
    asks = same_length(ask_prices=ask_price, ask_sizes=ask_size)
    _require_book(bid_price, bid_size, ask_price, ask_size)
    return bid_price, bid_size, bids, ask_price, ask_size, asks


def book_tables(
    bid_prices: npt.ArrayLike,
    bid_sizes: npt.ArrayLike,
    bids: npt.ArrayLike,
    ask_prices: npt.ArrayLike,
    ask_sizes: npt.ArrayLike,
    asks: npt.ArrayLike,
) -> BookTable:
    """Return books, one a row, as the bulk kernels take them.

    Raises:
        ValueError: shapes that do not fit, a count beyond the columns, or a row as in :func:`book_columns`.
    """
    bid_price, bid_size, bid_count = _side_table("bid", bid_prices, bid_sizes, bids)
    ask_price, ask_size, ask_count = _side_table("ask", ask_prices, ask_sizes, asks)
    for k in range(same_length(bids=bid_count, asks=ask_count)):
        b, a = bid_count[k], ask_count[k]
        try:
            _require_book(bid_price[k, :b], bid_size[k, :b], ask_price[k, :a], ask_size[k, :a])
        except ValueError as error:
            raise ValueError(f"book {k}: {error}") from None
    return bid_price, bid_size, bid_count, ask_price, ask_size, ask_count


def _side_table(
    side: str, prices: npt.ArrayLike, sizes: npt.ArrayLike, counts: npt.ArrayLike
) -> tuple[Ints, Floats, Ints]:
    given = np.asarray(prices)
    price: Ints = int_column(given.reshape(-1)).reshape(given.shape)
    size: Floats = np.ascontiguousarray(sizes, dtype=np.float64)
    count = int_column(counts)
    if given.ndim != 2 or given.shape != size.shape or len(given) != len(count):
        raise ValueError(
            f"{side} prices, sizes and counts of shape {given.shape}, {size.shape} and {count.shape}: "
            f"give (n, levels), (n, levels) and (n)"
        )
    if len(count) and not 0 <= count.min() <= count.max() <= given.shape[1]:
        raise ValueError(f"{side} counts from {count.min()} to {count.max()}, but there are {given.shape[1]} levels")
    return price, size, count


def _require_book(bid_prices: Ints, bid_sizes: Floats, ask_prices: Ints, ask_sizes: Floats) -> None:
    if (np.diff(bid_prices) >= 0).any() or (np.diff(ask_prices) <= 0).any():
        raise ValueError("levels out of order: bids must fall and asks must rise from the best price")
    for sizes in (bid_sizes, ask_sizes):
        if not ((sizes >= 0.0) & np.isfinite(sizes)).all():
            raise ValueError("sizes must be finite and not negative")
