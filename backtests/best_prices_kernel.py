"""The compiled loop of :mod:`backtests.best_prices`: rows into a ladder, its best prices out."""

from indicators.kernel import Floats, Ints, States, kernel
from indicators.ladder import F_LAST, Stop, apply_level

NO_PRICE = -(2**63)
"""Of a side that has no level."""

_END = int(Stop.END)


@kernel
def record_best(
    levels: States,
    counts: Ints,
    actions: Ints,
    sides: Ints,
    prices: Ints,
    volumes: Floats,
    flags: Ints,
    row: int,
    taken: int,
    to_rows: Ints,
    to_best: Ints,
) -> tuple[int, int, int]:
    """Apply rows from `row` on; note the row and the best prices of each frame that ends with other ones than before.

    The ladder is that of :func:`indicators.ladder.apply_level`. `to_best` has shape (rows + 1, 2), bid and ask: its
    row 0 holds the best prices before, and what is noted goes into those after it, with `to_rows` beside. `taken` are
    noted already. Returns (row, taken, reason): of the first row that could not be applied (see
    :class:`indicators.ladder.Stop`), or of the end.
    """
    for k in range(row, len(actions)):
        reason = apply_level(levels, counts, sides[k], actions[k], prices[k], volumes[k])
        if reason != _END:
            return k, taken, reason
        if flags[k] & F_LAST:
            bid = levels[0, counts[0] - 1].key if counts[0] else NO_PRICE
            ask = -levels[1, counts[1] - 1].key if counts[1] else NO_PRICE
            if bid != to_best[taken, 0] or ask != to_best[taken, 1]:
                to_rows[taken] = k
                taken += 1
                to_best[taken, 0] = bid
                to_best[taken, 1] = ask
    return len(actions), taken, _END
