"""Made-up books with walls, some of them spoofed, and the naive rule that the persistence score is compared with."""

import random
from typing import NamedTuple

import numpy as np

from indicators.liquidity_walls import NO_TRADE_HIGH, NO_TRADE_LOW

SECOND = 1_000_000_000


class Sample(NamedTuple):
    ts: int
    bids: tuple
    asks: tuple
    low: int
    high: int
    real: frozenset = frozenset()  # prices of walls that are meant


def book(mid, sizes=None, depth=20, level=1.0):
    """Levels at every unit from mid - 1 down and mid + 1 up; `sizes` by price replace the usual `level`, 0 removes."""
    sizes = sizes or {}

    def side(prices):
        kept = [(price, sizes.get(price, level)) for price in prices if sizes.get(price, level) > 0.0]
        return np.array([p for p, _ in kept], dtype=np.int64), np.array([float(s) for _, s in kept])

    return side(range(mid - 1, mid - 1 - depth, -1)), side(range(mid + 1, mid + 1 + depth))


def naive_walls(bids, asks, ratio=5.0):
    """The rule without memory: prices of all levels of at least `ratio` times the median level of this sample."""
    prices, sizes = (np.concatenate(pair) for pair in zip(bids, asks, strict=True))
    return frozenset(prices[sizes >= ratio * np.median(sizes)].tolist())


def spoofed_market(seed, seconds=1800, depth=60):
    """Samples a second apart: two real walls and two spoofs a side, all of one size; one unit is a basis point.

    A real wall never moves; price turns at it, prints eat a third of it and it refills. A spoof stands 8 to 15 units
    from the mid, leaves once mid or a print is within 4 units or 30 away, and is back elsewhere 3 s later. Of the real
    walls the two outer ones are never reached.
    """
    rng = random.Random(seed)
    usual = {price: rng.lognormvariate(0.0, 0.4) for price in range(9800, 10200)}
    real = {9968: 20.0, 9980: 20.0, 10018: 20.0, 10033: 20.0}
    eaten = dict.fromkeys(real, 0.0)
    spoofs = [{"side": side, "price": 0, "back": 0} for side in (-1, -1, 1, 1)]
    mid, trend = 10_000, 1
    for second in range(seconds):
        trend = -trend if rng.random() < 0.03 else trend
        step = trend if rng.random() < 0.4 else rng.choice((-1, 0, 1))
        low, high = (mid - 1, mid + 1) if rng.random() < 0.8 else (NO_TRADE_LOW, NO_TRADE_HIGH)
        if mid + step in (9981, 10017):
            low, high = (9980, mid + 1) if step < 0 else (mid - 1, 10018)
            eaten[low if step < 0 else high] = 7.0
            trend = -trend
        elif 9981 < mid + step < 10017:
            mid += step
        sizes = {price: size * rng.uniform(0.8, 1.2) for price, size in usual.items()}
        for price in real:
            sizes[price] = real[price] - eaten[price]
            eaten[price] = max(0.0, eaten[price] - 0.5)
        for spoof in spoofs:
            nearest = min(mid, low) if spoof["side"] < 0 else max(mid, high)
            distance = spoof["side"] * (spoof["price"] - nearest)
            if spoof["price"] and not 4 < distance < 30:
                spoof["price"], spoof["back"] = 0, second + 3
            if not spoof["price"] and second >= spoof["back"]:
                price = mid + spoof["side"] * rng.randint(8, 15)
                spoof["price"] = price if price not in real else 0
            if spoof["price"]:
                sizes[spoof["price"]] = 20.0
        bids, asks = book(mid, sizes, depth)
        yield Sample(second * SECOND, bids, asks, low, high, frozenset(real))
